/*
 * kernel/dev/ldisc.h: the line discipline of termios(3), between the keyboard's end and the program's end of a
 * terminal. It moves bytes between four rings and knows neither files nor waiting: the lock is its owner's, held
 * for every call, and what has become possible meanwhile is noted in `news`, for the owner to wake.
 *
 *     typed ──(editing, signals, flow control)──> input ──> read(2) by the program
 *        └──(echo)──> echo ──┐
 *     write(2) by the program ──(OPOST)──> output ──> to the keyboard's end
 */
#ifndef DEV_LDISC_H
#define DEV_LDISC_H

#include "base/bitmap.h"
#include "base/ring.h"
#include "base/types.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <asm/termios.h>

struct tty;

#define LDISC_LINE   4096U  /* termios(3): the longest line, its end included */
#define LDISC_ECHO   4096U  /* echoes that wait for room or for VSTART */
#define LDISC_TYPED  16384U /* what was typed ahead of a full input queue */
#define LDISC_OUTPUT 65536U

/* News for those who wait. */
#define NEWS_READABLE BIT(0) /* the program can read */
#define NEWS_WRITABLE BIT(1) /* the program can write */
#define NEWS_OUTPUT   BIT(2) /* there is output, or a packet mode event */
#define NEWS_TYPABLE  BIT(3) /* there is room for what is typed */

struct ldisc {
    struct tty *tty;          /* constant; whose foreground group the keys signal */
    struct termios2 modes;    /* c_ispeed and c_ospeed are told, no more */
    struct termios locked;    /* ioctl_tty(2), TIOCSLCKTRMIOS: bits that cannot be changed */
    struct winsize size;      /* told, no more */
    struct ring typed;        /* not looked at yet, because input is full */
    struct ring input;        /* LDISC_LINE; read by the program up to line_start */
    size_t line_start;        /* position in input: the line that is being edited begins */
    unsigned long *ends;      /* a bit for each index of input: a line ends with this byte */
    struct ring echo;         /* finished bytes on their way to output */
    struct ring output;       /* to the keyboard's end */
    unsigned int column;      /* of the cursor */
    unsigned int line_column; /* of the cursor when the line that is edited was begun */
    bool literal;             /* the next character stands for itself: VLNEXT */
    bool erasing;             /* within the \.../ of ECHOPRT */
    bool stopped;             /* output stands: VSTOP, TCOOFF */
    bool held;                /* by TCOOFF: no key starts it again */
    bool packets;             /* TIOCPKT: the keyboard's end learns of changes */
    u8 events;                /* TIOCPKT_ bits that it has not seen */
    u32 news;                 /* NEWS_; the owner clears it when it wakes */
};

int ldisc_init(struct ldisc *ld, struct tty *tty); /* -ENOMEM */
void ldisc_release(struct ldisc *ld);

static inline bool ldisc_is_canonical(const struct ldisc *ld)
{
    return ld->modes.c_lflag & ICANON;
}

/* ---- ldisc_modes.c: termios ---- */

void ldisc_set_modes(struct ldisc *ld, const struct termios2 *modes);
/* The rate that a c_cflag names, in both directions; -EINVAL is never given: unknown rates are 0. */
void ldisc_speeds(struct termios2 *modes);
#define FLUSH_INPUT  BIT(0)
#define FLUSH_OUTPUT BIT(1)
void ldisc_flush(struct ldisc *ld, u32 what);
void ldisc_event(struct ldisc *ld, u8 set, u8 clear); /* packet mode */

/* ---- ldisc_input.c: the keyboard's end types ---- */

size_t ldisc_type(struct ldisc *ld, const u8 *keys, size_t n); /* how many there was room for */
size_t ldisc_type_room(const struct ldisc *ld);
void ldisc_pull(struct ldisc *ld);           /* looks at typed as long as there is room for it */
void ldisc_insert(struct ldisc *ld, u8 key); /* TIOCSTI: now, whatever waits in typed */

/* ---- ldisc_read.c: the program reads ---- */

bool ldisc_readable(const struct ldisc *ld, unsigned int at_least);
/* Up to n bytes; *end: a line or an end of file was met, the read is complete. */
size_t ldisc_take(struct ldisc *ld, u8 *to, size_t n, bool *end);
/* n bytes were taken and fill what the reader gave: an end of file right behind them goes with them. */
void ldisc_take_end(struct ldisc *ld);
unsigned int ldisc_amount(const struct ldisc *ld); /* FIONREAD */

/* ---- ldisc_output.c: the program writes, keys are echoed ---- */

size_t ldisc_write(struct ldisc *ld, const u8 *text, size_t n); /* how many there was room for */
bool ldisc_writable(const struct ldisc *ld);
size_t ldisc_output_take(struct ldisc *ld, u8 *to, size_t n);
void ldisc_stop(struct ldisc *ld, bool hold);
void ldisc_start(struct ldisc *ld, bool held_too);
void ldisc_send(struct ldisc *ld, u8 c); /* a flow control character, ahead of all output */

void echo_flush(struct ldisc *ld);     /* echoes that waited, as far as there is room */
void echo_raw(struct ldisc *ld, u8 c); /* as it is */
void echo_key(struct ldisc *ld, u8 c); /* as ECHOCTL and OPOST say */
void echo_text(struct ldisc *ld, const char *text);
void echo_line_begins(struct ldisc *ld);
void echo_erase_tab(struct ldisc *ld, unsigned int columns, bool after_tab);

/* Second and later bytes of a character of UTF-8. */
static inline bool is_continuation(const struct ldisc *ld, u8 c)
{
    return (ld->modes.c_iflag & IUTF8) && (c & 0xc0) == 0x80;
}

static inline bool is_control(u8 c)
{
    return c < 0x20 || c == 0x7f;
}

#endif
