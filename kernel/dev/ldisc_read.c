/* kernel/dev/ldisc_read.c: what a read of the terminal gets: a line, or whatever is there. termios(3). */
#include "dev/ldisc.h"

#define INPUT_MASK (LDISC_LINE - 1)

static bool ends_at(const struct ldisc *ld, size_t position)
{
    return bitmap_test(ld->ends, position & INPUT_MASK);
}

static bool file_ends_at(const struct ldisc *ld, size_t position)
{
    return ends_at(ld, position) && ld->input.buf[position & INPUT_MASK] == 0;
}

bool ldisc_readable(const struct ldisc *ld, unsigned int at_least)
{
    if (ldisc_is_canonical(ld))
        return ld->line_start != ld->input.tail;
    return ring_used(&ld->input) >= at_least;
}

/* How many of n bytes belong to the first line, its end included. */
static size_t line_length(const struct ldisc *ld, size_t n, bool *end)
{
    size_t most = MIN(n, ld->line_start - ld->input.tail);

    for (size_t i = 0; i < most; i++) {
        if (ends_at(ld, ld->input.tail + i)) {
            *end = true;
            return i + 1;
        }
    }
    return most;
}

static size_t take_line(struct ldisc *ld, u8 *to, size_t n, bool *end)
{
    size_t len = line_length(ld, n, end);

    if (*end && file_ends_at(ld, ld->input.tail + len - 1)) {
        ring_get(&ld->input, to, len - 1);
        ring_consume(&ld->input, 1);
        return len - 1;
    }
    return ring_get(&ld->input, to, len);
}

size_t ldisc_take(struct ldisc *ld, u8 *to, size_t n, bool *end)
{
    size_t done;

    *end = false;
    if (ldisc_is_canonical(ld)) {
        done = take_line(ld, to, n, end);
    } else {
        done = ring_get(&ld->input, to, n);
        ld->line_start = MAX(ld->line_start, ld->input.tail);
    }
    ldisc_pull(ld);
    return done;
}

void ldisc_take_end(struct ldisc *ld)
{
    if (ldisc_is_canonical(ld) && ldisc_readable(ld, 1) && file_ends_at(ld, ld->input.tail))
        ring_consume(&ld->input, 1);
}

/* An end of file is no byte that could be read. */
unsigned int ldisc_amount(const struct ldisc *ld)
{
    unsigned int n = 0;

    if (!ldisc_is_canonical(ld))
        return (unsigned int)ring_used(&ld->input);
    for (size_t at = ld->input.tail; at != ld->line_start; at++)
        n += !file_ends_at(ld, at);
    return n;
}
