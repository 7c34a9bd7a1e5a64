/* kernel/dev/ldisc_output.c: output processing and echo, see "c_oflag" and ECHO in termios(3). */
#include "dev/ldisc.h"

#define TAB_WIDTH 8U

/* ---- one character, as OPOST has it ---- */

static void column_back(struct ldisc *ld, unsigned int n)
{
    ld->column -= MIN(n, ld->column);
}

static void line_returns(struct ldisc *ld)
{
    ld->column = ld->line_column = 0;
}

static unsigned int newline(struct ldisc *ld, u8 *out)
{
    if (ld->modes.c_oflag & ONLRET)
        ld->column = 0;
    if (ld->modes.c_oflag & ONLCR) {
        line_returns(ld);
        out[0] = '\r';
        out[1] = '\n';
        return 2;
    }
    ld->line_column = ld->column;
    out[0] = '\n';
    return 1;
}

static unsigned int carriage_return(struct ldisc *ld, u8 *out)
{
    if ((ld->modes.c_oflag & ONOCR) && ld->column == 0)
        return 0;
    out[0] = ld->modes.c_oflag & OCRNL ? '\n' : '\r';
    if (!(ld->modes.c_oflag & OCRNL) || (ld->modes.c_oflag & ONLRET))
        line_returns(ld);
    return 1;
}

static unsigned int tab(struct ldisc *ld, u8 *out)
{
    unsigned int spaces = TAB_WIDTH - ld->column % TAB_WIDTH;

    ld->column += spaces;
    if ((ld->modes.c_oflag & TABDLY) != XTABS) {
        out[0] = '\t';
        return 1;
    }
    memset(out, ' ', spaces);
    return spaces;
}

static u8 upper(u8 c)
{
    return c >= 'a' && c <= 'z' ? (u8)(c - 'a' + 'A') : c;
}

/* What becomes of a character: up to TAB_WIDTH bytes. */
static unsigned int process(struct ldisc *ld, u8 c, u8 out[TAB_WIDTH])
{
    switch (c) {
    case '\n':
        return newline(ld, out);
    case '\r':
        return carriage_return(ld, out);
    case '\t':
        return tab(ld, out);
    case '\b':
        column_back(ld, 1);
        break;
    default:
        if (is_control(c))
            break;
        if (ld->modes.c_oflag & OLCUC)
            c = upper(c);
        if (!is_continuation(ld, c))
            ld->column++;
    }
    out[0] = c;
    return 1;
}

/* ---- the program's output ---- */

bool ldisc_writable(const struct ldisc *ld)
{
    return !ld->stopped && ring_used(&ld->echo) == 0 && ring_free(&ld->output) >= TAB_WIDTH;
}

/* Characters that stand for themselves, and take a column each. */
static size_t plain_run(const struct ldisc *ld, const u8 *text, size_t n)
{
    size_t i = 0;

    if ((ld->modes.c_oflag & OLCUC) || (ld->modes.c_iflag & IUTF8))
        return 0;
    while (i < n && !is_control(text[i]))
        i++;
    return i;
}

static size_t write_processed(struct ldisc *ld, const u8 *text, size_t n)
{
    size_t done = 0;

    while (done < n && ring_free(&ld->output) >= TAB_WIDTH) {
        size_t run = MIN(plain_run(ld, text + done, n - done), ring_free(&ld->output));
        u8 out[TAB_WIDTH];

        if (run) {
            ring_put(&ld->output, text + done, run);
            ld->column += (unsigned int)run;
            done += run;
        } else {
            ring_put(&ld->output, out, process(ld, text[done++], out));
        }
    }
    return done;
}

size_t ldisc_write(struct ldisc *ld, const u8 *text, size_t n)
{
    size_t done;

    echo_flush(ld);
    if (!ldisc_writable(ld))
        return 0;
    done =
        ld->modes.c_oflag & OPOST ? write_processed(ld, text, n) : ring_put(&ld->output, text, n);
    ld->news |= NEWS_OUTPUT;
    return done;
}

/* Writers go on when half of the ring is free, so that they wake seldom and then have much to do. */
size_t ldisc_output_take(struct ldisc *ld, u8 *to, size_t n)
{
    size_t done = ring_get(&ld->output, to, n);

    echo_flush(ld);
    if (done && ring_free(&ld->output) >= LDISC_OUTPUT / 2)
        ld->news |= NEWS_WRITABLE;
    return done;
}

/* ---- flow control ---- */

void ldisc_stop(struct ldisc *ld, bool hold)
{
    ld->held = ld->held || hold;
    if (ld->stopped)
        return;
    ld->stopped = true;
    ldisc_event(ld, TIOCPKT_STOP, TIOCPKT_START);
}

void ldisc_start(struct ldisc *ld, bool held_too)
{
    if (held_too)
        ld->held = false;
    if (!ld->stopped || ld->held)
        return;
    ld->stopped = false;
    ldisc_event(ld, TIOCPKT_START, TIOCPKT_STOP);
    echo_flush(ld);
    ld->news |= NEWS_WRITABLE;
}

void ldisc_send(struct ldisc *ld, u8 c)
{
    if (ring_put(&ld->output, &c, 1))
        ld->news |= NEWS_OUTPUT;
}

/* ---- echo ---- */

void echo_flush(struct ldisc *ld)
{
    u8 *at;
    size_t n;

    if (ld->stopped)
        return;
    while ((n = ring_used_span(&ld->echo, &at)) > 0) {
        n = ring_put(&ld->output, at, n);
        if (n == 0)
            return;
        ring_consume(&ld->echo, n);
        ld->news |= NEWS_OUTPUT;
    }
}

/* Whole, or not at all: an echo for which there is no room is lost, as typing goes on. */
static void echo_bytes(struct ldisc *ld, const void *bytes, unsigned int n)
{
    if (ring_free(&ld->echo) >= n)
        ring_put(&ld->echo, bytes, n);
}

void echo_raw(struct ldisc *ld, u8 c)
{
    u8 out[TAB_WIDTH];

    if (ld->modes.c_oflag & OPOST)
        echo_bytes(ld, out, process(ld, c, out));
    else
        echo_bytes(ld, &c, 1);
}

void echo_key(struct ldisc *ld, u8 c)
{
    u8 out[2] = {'^', c ^ 0x40};

    if ((ld->modes.c_lflag & ECHOCTL) && is_control(c) && c != '\t') {
        ld->column += 2;
        echo_bytes(ld, out, 2);
    } else {
        echo_raw(ld, c);
    }
}

void echo_text(struct ldisc *ld, const char *text)
{
    while (*text)
        echo_raw(ld, (u8)*text++);
}

void echo_line_begins(struct ldisc *ld)
{
    ld->line_column = ld->column;
}

/* Goes back to where the tab began: columns behind the tab before it, or behind the line's beginning. */
void echo_erase_tab(struct ldisc *ld, unsigned int columns, bool after_tab)
{
    static const char back[TAB_WIDTH] = {'\b', '\b', '\b', '\b', '\b', '\b', '\b', '\b'};
    unsigned int n;

    if (!after_tab)
        columns += ld->line_column;
    n = TAB_WIDTH - columns % TAB_WIDTH;
    echo_bytes(ld, back, n);
    column_back(ld, n);
}
