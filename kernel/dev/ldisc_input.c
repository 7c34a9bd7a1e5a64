/*
 * kernel/dev/ldisc_input.c: what becomes of a key: "c_iflag", "c_lflag" and "Canonical and noncanonical mode" in
 * termios(3). Whatever ends a line sets a bit in ends; an end of file is a zero byte with that bit.
 */
#include "dev/ldisc.h"

#include "dev/tty.h"

#include <asm/signal.h>

#define INPUT_MASK (LDISC_LINE - 1)
#define END_FILE   0 /* the byte of an end of file, and what a c_cc[] that is off holds */

static bool flagged(const struct ldisc *ld, tcflag_t lflag)
{
    return ld->modes.c_lflag & lflag;
}

static bool is_key(const struct ldisc *ld, int which, u8 c)
{
    return c == ld->modes.c_cc[which] && c != END_FILE;
}

static u8 input_at(const struct ldisc *ld, size_t position)
{
    return ld->input.buf[position & INPUT_MASK];
}

static bool line_is_empty(const struct ldisc *ld)
{
    return ld->input.head == ld->line_start;
}

/* ---- putting into the queue ---- */

static void input_put(struct ldisc *ld, u8 c)
{
    bitmap_clear(ld->ends, ld->input.head & INPUT_MASK);
    ring_put(&ld->input, &c, 1);
    if (!ldisc_is_canonical(ld))
        ld->news |= NEWS_READABLE;
}

/* A line keeps a byte free for its end; what does not fit is lost. */
static void put_data(struct ldisc *ld, u8 c)
{
    size_t reserve = ldisc_is_canonical(ld) ? 1 : 0;
    bool doubled = c == 0xff && (ld->modes.c_iflag & PARMRK) && !(ld->modes.c_iflag & ISTRIP);

    if (ring_free(&ld->input) < reserve + 1 + doubled)
        return;
    if (doubled)
        input_put(ld, c);
    input_put(ld, c);
}

static void end_line(struct ldisc *ld, u8 c)
{
    if (ring_free(&ld->input) == 0)
        return;
    input_put(ld, c);
    bitmap_set(ld->ends, (ld->input.head - 1) & INPUT_MASK);
    ld->line_start = ld->input.head;
    ld->news |= NEWS_READABLE;
}

/* ---- erasing ---- */

static void finish_erasing(struct ldisc *ld)
{
    if (ld->erasing)
        echo_raw(ld, '/');
    ld->erasing = false;
}

static bool is_word(u8 c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Columns from the tab before the line's end, or from the line's beginning. */
static void erase_tab(struct ldisc *ld)
{
    unsigned int columns = 0;
    bool after_tab = false;

    for (size_t at = ld->input.head; at != ld->line_start && !after_tab;) {
        u8 c = input_at(ld, --at);

        if (c == '\t')
            after_tab = true;
        else if (is_control(c))
            columns += flagged(ld, ECHOCTL) ? 2 : 0;
        else if (!is_continuation(ld, c))
            columns++;
    }
    echo_erase_tab(ld, columns, after_tab);
}

/* ECHOPRT: the n bytes that were erased, in the order of their characters. */
static void print_erased(struct ldisc *ld, size_t n)
{
    if (!ld->erasing)
        echo_raw(ld, '\\');
    ld->erasing = true;
    echo_key(ld, input_at(ld, ld->input.head));
    for (size_t i = 1; i < n; i++)
        echo_raw(ld, input_at(ld, ld->input.head + i));
}

static void echo_erased(struct ldisc *ld, u8 key, u8 c, size_t n)
{
    if (flagged(ld, ECHOPRT)) {
        print_erased(ld, n);
    } else if (is_key(ld, VERASE, key) && !flagged(ld, ECHOE)) {
        echo_key(ld, ld->modes.c_cc[VERASE]);
    } else if (c == '\t') {
        erase_tab(ld);
    } else {
        if (is_control(c) && flagged(ld, ECHOCTL))
            echo_text(ld, "\b \b");
        if (!is_control(c) || flagged(ld, ECHOCTL))
            echo_text(ld, "\b \b");
    }
}

/* Steps back over the last character of the line; its first byte, or -1 when the line begins in its middle. */
static int last_character(const struct ldisc *ld, size_t *start)
{
    size_t at = ld->input.head;
    u8 c;

    do
        c = input_at(ld, --at);
    while (is_continuation(ld, c) && at != ld->line_start);
    *start = at;
    return is_continuation(ld, c) ? -1 : c;
}

/* VKILL without ECHOKE: the line is gone, and the cursor goes to the next. */
static void kill_unseen(struct ldisc *ld)
{
    ld->input.head = ld->line_start;
    if (!flagged(ld, ECHO))
        return;
    finish_erasing(ld);
    echo_key(ld, ld->modes.c_cc[VKILL]);
    if (flagged(ld, ECHOK))
        echo_raw(ld, '\n');
}

static void erase(struct ldisc *ld, u8 key)
{
    bool one = is_key(ld, VERASE, key), word = !one && is_key(ld, VWERASE, key), in_word = false;

    if (line_is_empty(ld))
        return;
    if (!one && !word &&
        (!flagged(ld, ECHO) || !flagged(ld, ECHOK) || !flagged(ld, ECHOKE) ||
         !flagged(ld, ECHOE))) {
        kill_unseen(ld);
        return;
    }
    do {
        size_t start, n;
        int c = last_character(ld, &start);

        if (c < 0)
            break;
        if (word && is_word((u8)c))
            in_word = true;
        else if (word && in_word)
            break;
        n = ld->input.head - start;
        ld->input.head = start;
        if (flagged(ld, ECHO))
            echo_erased(ld, key, (u8)c, n);
    } while (!one && !line_is_empty(ld));
    if (line_is_empty(ld) && flagged(ld, ECHO))
        finish_erasing(ld);
}

/* ---- keys ---- */

static void echo_input(struct ldisc *ld, u8 c)
{
    if (!flagged(ld, ECHO))
        return;
    finish_erasing(ld);
    if (line_is_empty(ld))
        echo_line_begins(ld);
    if (c == '\n')
        echo_raw(ld, c);
    else
        echo_key(ld, c);
}

static void signal_key(struct ldisc *ld, int signo, u8 c)
{
    if (!flagged(ld, NOFLSH)) {
        ring_clear(&ld->echo);
        ldisc_flush(ld, FLUSH_INPUT | FLUSH_OUTPUT);
    }
    if (ld->modes.c_iflag & IXON)
        ldisc_start(ld, false);
    if (flagged(ld, ECHO))
        echo_key(ld, c);
    tty_signal_foreground(ld->tty, signo);
}

static bool signals(struct ldisc *ld, u8 c)
{
    static const struct {
        u8 which, signo;
    } keys[] = {{VINTR, SIGINT}, {VQUIT, SIGQUIT}, {VSUSP, SIGTSTP}};

    if (!flagged(ld, ISIG))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        if (is_key(ld, keys[i].which, c)) {
            signal_key(ld, keys[i].signo, c);
            return true;
        }
    }
    return false;
}

static bool controls_flow(struct ldisc *ld, u8 c)
{
    if (!(ld->modes.c_iflag & IXON))
        return false;
    if (is_key(ld, VSTART, c))
        ldisc_start(ld, false);
    else if (is_key(ld, VSTOP, c))
        ldisc_stop(ld, false);
    else
        return false;
    return true;
}

static void reprint(struct ldisc *ld)
{
    finish_erasing(ld);
    echo_key(ld, ld->modes.c_cc[VREPRINT]);
    echo_raw(ld, '\n');
    for (size_t at = ld->line_start; at != ld->input.head; at++)
        echo_key(ld, input_at(ld, at));
}

static void quote_next(struct ldisc *ld)
{
    ld->literal = true;
    if (flagged(ld, ECHO)) {
        finish_erasing(ld);
        if (flagged(ld, ECHOCTL))
            echo_text(ld, "^\b");
    }
}

/* A character that ends a line; false: it does not. */
static bool ends_line(struct ldisc *ld, u8 c)
{
    if (c == '\n') {
        if (flagged(ld, ECHO | ECHONL))
            echo_raw(ld, '\n');
        end_line(ld, c);
    } else if (is_key(ld, VEOF, c)) {
        end_line(ld, END_FILE);
    } else if (is_key(ld, VEOL, c) || (is_key(ld, VEOL2, c) && flagged(ld, IEXTEN))) {
        echo_input(ld, c);
        end_line(ld, c);
    } else {
        return false;
    }
    return true;
}

static bool edits(struct ldisc *ld, u8 c)
{
    if (is_key(ld, VERASE, c) || is_key(ld, VKILL, c) ||
        (is_key(ld, VWERASE, c) && flagged(ld, IEXTEN)))
        erase(ld, c);
    else if (is_key(ld, VLNEXT, c) && flagged(ld, IEXTEN))
        quote_next(ld);
    else if (is_key(ld, VREPRINT, c) && flagged(ld, ECHO) && flagged(ld, IEXTEN))
        reprint(ld);
    else
        return false;
    return true;
}

/* ISTRIP and IUCLC, and which way the carriage goes; -1: the character is dropped. */
static int translate(const struct ldisc *ld, u8 c)
{
    tcflag_t iflag = ld->modes.c_iflag;

    if (c == '\r')
        return iflag & IGNCR ? -1 : iflag & ICRNL ? '\n' : c;
    return c == '\n' && (iflag & INLCR) ? '\r' : c;
}

static u8 strip(const struct ldisc *ld, u8 c)
{
    if (ld->modes.c_iflag & ISTRIP)
        c &= 0x7f;
    if ((ld->modes.c_iflag & IUCLC) && flagged(ld, IEXTEN) && c >= 'A' && c <= 'Z')
        c = (u8)(c - 'A' + 'a');
    return c;
}

/* IXANY: any key but one that signals starts the output again, and is a key besides. */
static void any_key_starts(struct ldisc *ld)
{
    if ((ld->modes.c_iflag & (IXON | IXANY)) == (IXON | IXANY))
        ldisc_start(ld, false);
}

static void take_key(struct ldisc *ld, u8 key)
{
    u8 c = strip(ld, key);
    int translated;

    if (ld->literal) {
        ld->literal = false;
        echo_input(ld, c);
        put_data(ld, c);
        return;
    }
    if (flagged(ld, EXTPROC)) {
        put_data(ld, key);
        return;
    }
    if (controls_flow(ld, c) || signals(ld, c))
        return;
    any_key_starts(ld);
    translated = translate(ld, c);
    if (translated < 0)
        return;
    c = (u8)translated;
    if (ldisc_is_canonical(ld) && (edits(ld, c) || ends_line(ld, c)))
        return;
    echo_input(ld, c);
    put_data(ld, c);
}

/* ---- from typed to input ---- */

/*
 * In canonical mode a full queue without a complete line goes on, so that keys still work; with one it waits until
 * that has been read. A mark of PARMRK takes two bytes.
 */
static bool has_room(const struct ldisc *ld)
{
    if (ldisc_is_canonical(ld) && ld->line_start == ld->input.tail)
        return true;
    return ring_free(&ld->input) >= 2;
}

/* Does every key go straight to the program? */
static bool is_raw(const struct ldisc *ld)
{
    return !flagged(ld, ICANON | ISIG | ECHO | ECHONL | EXTPROC) && !ld->literal &&
           !(ld->modes.c_iflag & (ISTRIP | IUCLC | IXON | INLCR | IGNCR | ICRNL | PARMRK));
}

static void pull_raw(struct ldisc *ld)
{
    u8 *at;
    size_t n = ring_used_span(&ld->typed, &at);

    n = ring_put(&ld->input, at, n);
    ring_consume(&ld->typed, n);
    ld->news |= NEWS_READABLE;
}

void ldisc_pull(struct ldisc *ld)
{
    bool was_full = ring_free(&ld->typed) < LDISC_TYPED / 2;
    u8 key;

    while (ring_used(&ld->typed) && has_room(ld)) {
        if (is_raw(ld)) {
            pull_raw(ld);
        } else {
            ring_get(&ld->typed, &key, 1);
            take_key(ld, key);
        }
    }
    echo_flush(ld);
    if (was_full && ring_free(&ld->typed) >= LDISC_TYPED / 2)
        ld->news |= NEWS_TYPABLE;
}

size_t ldisc_type_room(const struct ldisc *ld)
{
    return ring_free(&ld->typed);
}

size_t ldisc_type(struct ldisc *ld, const u8 *keys, size_t n)
{
    size_t done = ring_put(&ld->typed, keys, n);

    ldisc_pull(ld);
    return done;
}

void ldisc_insert(struct ldisc *ld, u8 key)
{
    take_key(ld, key);
    echo_flush(ld);
}
