/* kernel/dev/ldisc_modes.c: a line discipline's birth, modes and flushing: termios(3), ioctl_tty(2). */
#include "base/errno.h"
#include "dev/ldisc.h"
#include "mm/alloc.h"

#define INPUT_MASK (LDISC_LINE - 1)

/* What the keyboard's end holds already is beyond the reach of a flush. */
#define OUTPUT_DELIVERED 4095U

#define CONTROL(c) ((c) - '@')

static const struct termios2 modes_default = {
    .c_iflag = ICRNL | IXON,
    .c_oflag = OPOST | ONLCR,
    .c_cflag = B38400 | CS8 | CREAD,
    .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    .c_ispeed = 38400,
    .c_ospeed = 38400,
    .c_cc = {[VINTR] = CONTROL('C'),
             [VQUIT] = CONTROL('\\'),
             [VERASE] = 0x7f,
             [VKILL] = CONTROL('U'),
             [VEOF] = CONTROL('D'),
             [VMIN] = 1,
             [VSTART] = CONTROL('Q'),
             [VSTOP] = CONTROL('S'),
             [VSUSP] = CONTROL('Z'),
             [VREPRINT] = CONTROL('R'),
             [VDISCARD] = CONTROL('O'),
             [VWERASE] = CONTROL('W'),
             [VLNEXT] = CONTROL('V')},
};

/* ---- memory: one run of pages, which the rings share; the host backs what is touched ---- */

#define AT_INPUT  0U
#define AT_ECHO   (AT_INPUT + LDISC_LINE)
#define AT_TYPED  (AT_ECHO + LDISC_ECHO)
#define AT_ENDS   (AT_TYPED + LDISC_TYPED)
#define AT_OUTPUT (AT_ENDS + (u32)PAGE_SIZE)
#define ALL       (AT_OUTPUT + LDISC_OUTPUT)

int ldisc_init(struct ldisc *ld, struct tty *tty)
{
    u64 pages = pages_alloc(ALL, PAGE_SIZE, PAGES_LAZY);
    u8 *at;

    if (pages == PAGES_NONE)
        return -ENOMEM;
    at = pages_address(pages);
    *ld = (struct ldisc){.tty = tty, .modes = modes_default};
    ring_init(&ld->input, at + AT_INPUT, LDISC_LINE);
    ring_init(&ld->echo, at + AT_ECHO, LDISC_ECHO);
    ring_init(&ld->typed, at + AT_TYPED, LDISC_TYPED);
    ring_init(&ld->output, at + AT_OUTPUT, LDISC_OUTPUT);
    ld->ends = (unsigned long *)(void *)(at + AT_ENDS);
    return 0;
}

void ldisc_release(struct ldisc *ld)
{
    pages_free(pages_offset(ld->input.buf), ALL);
}

/* ---- modes ---- */

static speed_t rate(tcflag_t code, speed_t other)
{
    static const u32 low[] = {0,   50,   75,   110,  134,  150,  200,   300,
                              600, 1200, 1800, 2400, 4800, 9600, 19200, 38400};
    static const u32 high[] = {0,       57600,   115200,  230400,  460800,  500000,
                               576000,  921600,  1000000, 1152000, 1500000, 2000000,
                               2500000, 3000000, 3500000, 4000000};

    if (code == BOTHER)
        return other;
    return code & CBAUDEX ? high[code & 15] : low[code & 15];
}

void ldisc_speeds(struct termios2 *modes)
{
    tcflag_t out = modes->c_cflag & CBAUD, in = modes->c_cflag >> IBSHIFT & CBAUD;

    modes->c_ospeed = rate(out, modes->c_ospeed);
    /* No rate of its own: input is as fast as output. */
    modes->c_ispeed = in == B0 ? modes->c_ospeed : rate(in, modes->c_ispeed);
}

static tcflag_t keep(tcflag_t old, tcflag_t new, tcflag_t locked)
{
    return (old & locked) | (new & ~locked);
}

static void keep_locked(const struct ldisc *ld, struct termios2 *modes)
{
    const struct termios2 *old = &ld->modes;
    const struct termios *locked = &ld->locked;

    modes->c_iflag = keep(old->c_iflag, modes->c_iflag, locked->c_iflag);
    modes->c_oflag = keep(old->c_oflag, modes->c_oflag, locked->c_oflag);
    modes->c_cflag = keep(old->c_cflag, modes->c_cflag, locked->c_cflag);
    modes->c_lflag = keep(old->c_lflag, modes->c_lflag, locked->c_lflag);
    if (locked->c_line)
        modes->c_line = old->c_line;
    for (int i = 0; i < NCCS; i++)
        if (locked->c_cc[i])
            modes->c_cc[i] = old->c_cc[i];
}

/* What was read ahead is a line in canonical mode, and no more than bytes without. */
static void switch_canonical(struct ldisc *ld)
{
    bool line = ldisc_is_canonical(ld) && ring_used(&ld->input);

    memset(ld->ends, 0, LDISC_LINE / 8);
    ld->line_start = line ? ld->input.head : ld->input.tail;
    if (line)
        bitmap_set(ld->ends, (ld->input.head - 1) & INPUT_MASK);
    ld->erasing = ld->literal = false;
}

/* pty(7) by its packet mode: whether ^S and ^Q are the keys of flow control. */
static bool usual_flow(const struct termios2 *modes)
{
    return (modes->c_iflag & IXON) && modes->c_cc[VSTOP] == CONTROL('S') &&
           modes->c_cc[VSTART] == CONTROL('Q');
}

static void tell_modes(struct ldisc *ld, const struct termios2 *old)
{
    bool flow = usual_flow(&ld->modes);

    if (flow != usual_flow(old))
        ldisc_event(ld, flow ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP, TIOCPKT_DOSTOP | TIOCPKT_NOSTOP);
    if ((old->c_lflag ^ ld->modes.c_lflag) & EXTPROC)
        ldisc_event(ld, TIOCPKT_IOCTL, 0);
}

void ldisc_set_modes(struct ldisc *ld, const struct termios2 *modes)
{
    struct termios2 old = ld->modes, new = *modes;

    keep_locked(ld, &new);
    /* There is no line whose form could change. */
    new.c_cflag = (new.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8 | CREAD;
    ld->modes = new;
    if ((old.c_lflag ^ new.c_lflag) & (ICANON | EXTPROC))
        switch_canonical(ld);
    if ((old.c_iflag & IXON) && !(new.c_iflag &IXON))
        ldisc_start(ld, false);
    tell_modes(ld, &old);
    ldisc_pull(ld);
    ld->news |= NEWS_READABLE | NEWS_WRITABLE;
}

/* ---- flushing, packet mode ---- */

void ldisc_event(struct ldisc *ld, u8 set, u8 clear)
{
    if (!ld->packets)
        return;
    ld->events = (u8)((ld->events & ~clear) | set);
    ld->news |= NEWS_OUTPUT;
}

void ldisc_flush(struct ldisc *ld, u32 what)
{
    if (what & FLUSH_INPUT) {
        ring_clear(&ld->input);
        ld->line_start = ld->input.tail;
        ld->erasing = ld->literal = false;
        ldisc_event(ld, TIOCPKT_FLUSHREAD, 0);
    }
    if (what & FLUSH_OUTPUT) {
        ld->output.head = ld->output.tail + MIN(ring_used(&ld->output), (size_t)OUTPUT_DELIVERED);
        ldisc_event(ld, TIOCPKT_FLUSHWRITE, 0);
        ld->news |= NEWS_WRITABLE;
    }
}
