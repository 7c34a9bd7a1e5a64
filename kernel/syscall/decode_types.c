/* kernel/syscall/decode_types.c: prints what a call's pointers point to. */
#include <asm/poll.h>
#include <asm/signal.h>
#include <asm/stat.h>
#include <linux/eventpoll.h>
#include <linux/in.h>
#include <linux/openat2.h>
#include <linux/resource.h>
#include <linux/stat.h>
#include <linux/time.h>
#include <linux/uio.h>
#include <linux/utsname.h>

#include "abi/names.h"
#include "abi/unexported.h"
#include "base/string.h"
#include "mm/uaccess.h"
#include "syscall/internal.h"
#include "syscall_types.h"

/* strace's own measures: bytes of a string, elements of an array. */
#define STRING_SHOWN        32
#define ARRAY_SHOWN         16
#define ENVIRONMENT_COUNTED 10000
#define ELEMENT_MAX         512

static void put_addr(struct decoding *d, u64 addr)
{
    decode_put(d, addr ? "%#llx" : "NULL", (unsigned long long)addr);
}

static void put_char(struct decoding *d, u8 c, u8 next)
{
    static const char escapes[] = "\t\n\v\f\r";

    if (c == '"' || c == '\\')
        decode_put(d, "\\%c", c);
    else if (c >= '\t' && c <= '\r')
        decode_put(d, "\\%c", "tnvfr"[strchr(escapes, c) - escapes]);
    else if (c >= ' ' && c < 0x7f)
        decode_put(d, "%c", c);
    else /* a digit behind a short octal number would belong to it */
        decode_put(d, next >= '0' && next <= '7' ? "\\%03o" : "\\%o", c);
}

static void put_quoted(struct decoding *d, const u8 *bytes, size_t len, bool more)
{
    decode_put(d, "\"");
    for (size_t i = 0; i < len; i++)
        put_char(d, bytes[i], i + 1 < len ? bytes[i + 1] : 0);
    decode_put(d, more ? "\"..." : "\"");
}

void decode_bytes(struct decoding *d, u64 addr, size_t len)
{
    size_t shown = MIN(len, (size_t)STRING_SHOWN);
    u8 bytes[STRING_SHOWN];

    if (!addr || copy_from_user(bytes, (const void __user *)addr, shown))
        put_addr(d, addr);
    else
        put_quoted(d, bytes, shown, len > shown);
}

/* Paths are shown as far as the line goes, as strace does. */
void decode_string(struct decoding *d, u64 addr)
{
    char text[256];
    ssize_t len = addr ? strncpy_from_user(text, (const char __user *)addr, sizeof text) : -1;

    if (len < 0)
        put_addr(d, addr);
    else
        put_quoted(d, (const u8 *)text, (size_t)len, len == (ssize_t)sizeof text);
}

void decode_strings(struct decoding *d, u64 addr)
{
    if (!addr) {
        put_addr(d, addr);
        return;
    }
    decode_put(d, "[");
    for (u32 i = 0;; i++) {
        u64 string;

        if (copy_from_user(&string, (const void __user *)(addr + i * sizeof string), 8)) {
            decode_put(d, "%s%#llx", i ? ", " : "", (unsigned long long)addr);
            break;
        }
        if (!string)
            break;
        decode_put(d, "%s", i ? ", " : "");
        if (i == ARRAY_SHOWN) {
            decode_put(d, "...");
            break;
        }
        decode_string(d, string);
    }
    decode_put(d, "]");
}

void decode_environment(struct decoding *d, u64 addr)
{
    u64 string = 0;
    u32 count = 0;

    put_addr(d, addr);
    while (addr && count < ENVIRONMENT_COUNTED &&
           !copy_from_user(&string, (const void __user *)(addr + count * sizeof(string)), 8) &&
           string)
        count++;
    if (addr && !string)
        decode_put(d, " /* %u vars */", count);
}

static void put_timespec(struct decoding *d, const void *at)
{
    const struct timespec *t = at;

    decode_put(d, "{tv_sec=%ld, tv_nsec=%ld}", (long)t->tv_sec, (long)t->tv_nsec);
}

static void put_timeval(struct decoding *d, const void *at)
{
    const struct timeval *t = at;

    decode_put(d, "{tv_sec=%ld, tv_usec=%ld}", (long)t->tv_sec, (long)t->tv_usec);
}

static void put_itimerspec(struct decoding *d, const void *at)
{
    const struct itimerspec *t = at;

    decode_put(d, "{it_interval=");
    put_timespec(d, &t->it_interval);
    decode_put(d, ", it_value=");
    put_timespec(d, &t->it_value);
    decode_put(d, "}");
}

static void put_itimerval(struct decoding *d, const void *at)
{
    const struct itimerval *t = at;

    decode_put(d, "{it_interval=");
    put_timeval(d, &t->it_interval);
    decode_put(d, ", it_value=");
    put_timeval(d, &t->it_value);
    decode_put(d, "}");
}

static void put_limit(struct decoding *d, const char *name, u64 value)
{
    if (value == (u64)RLIM_INFINITY)
        decode_put(d, "%s=RLIM_INFINITY", name);
    else if (value > 1024 && value % 1024 == 0)
        decode_put(d, "%s=%llu*1024", name, (unsigned long long)value / 1024);
    else
        decode_put(d, "%s=%llu", name, (unsigned long long)value);
}

static void put_rlimit(struct decoding *d, const void *at)
{
    const struct rlimit64 *limit = at; /* struct rlimit is the same on x86-64 */

    decode_put(d, "{");
    put_limit(d, "rlim_cur", limit->rlim_cur);
    put_limit(d, ", rlim_max", limit->rlim_max);
    decode_put(d, "}");
}

static void put_pollfd(struct decoding *d, const void *at)
{
    const struct pollfd *p = at;

    decode_put(d, "{fd=%d, events=", p->fd);
    decode_set(d, SET_poll, (u16)p->events);
    if (p->revents) {
        decode_put(d, ", revents=");
        decode_set(d, SET_poll, (u16)p->revents);
    }
    decode_put(d, "}");
}

static void put_epoll_event(struct decoding *d, const void *at)
{
    const struct epoll_event *event = at;

    decode_put(d, "{events=");
    decode_set(d, SET_epoll_events, event->events);
    decode_put(d, ", data=%#llx}", (unsigned long long)event->data);
}

static void put_iovec(struct decoding *d, const void *at)
{
    const struct iovec *v = at;

    decode_put(d, "{iov_base=");
    put_addr(d, (u64)v->iov_base);
    decode_put(d, ", iov_len=%llu}", (unsigned long long)v->iov_len);
}

static void put_stat(struct decoding *d, const void *at)
{
    const struct stat *st = at;

    decode_put(d, "{st_mode=");
    decode_enum(d, SET_file_type, st->st_mode & S_IFMT);
    decode_put(d, "|%#03o, st_size=%ld, ...}", st->st_mode & ~S_IFMT, (long)st->st_size);
}

static void put_sigset(struct decoding *d, const void *at)
{
    u64 set = *(const u64 *)at;
    bool inverted = __builtin_popcountll(set) > 32;
    const char *blank = "";

    if (inverted)
        set = ~set;
    decode_put(d, inverted ? "~[" : "[");
    for (int sig = 1; sig <= 64; sig++) {
        char buf[SIGNAL_TEXT_MAX];
        const char *name;

        if (!(set >> (sig - 1) & 1))
            continue;
        name = signal_text(sig, buf);
        decode_put(d, "%s%s", blank, name + (str_has_prefix(name, "SIG") ? 3 : 0));
        blank = " ";
    }
    decode_put(d, "]");
}

static void put_sigaction(struct decoding *d, const void *at)
{
    const struct sigaction *action = at;

    decode_put(d, "{sa_handler=");
    if (action->sa_handler == SIG_DFL)
        decode_put(d, "SIG_DFL");
    else if (action->sa_handler == SIG_IGN)
        decode_put(d, "SIG_IGN");
    else
        put_addr(d, (u64)action->sa_handler);
    decode_put(d, ", sa_mask=");
    put_sigset(d, &action->sa_mask);
    decode_put(d, ", sa_flags=");
    decode_set(d, SET_sa_flags, action->sa_flags);
    if (action->sa_flags & SA_RESTORER) {
        decode_put(d, ", sa_restorer=");
        put_addr(d, (u64)action->sa_restorer);
    }
    decode_put(d, "}");
}

static void put_stack(struct decoding *d, const void *at)
{
    const stack_t *stack = at;

    decode_put(d, "{ss_sp=");
    put_addr(d, (u64)stack->ss_sp);
    decode_put(d, ", ss_flags=");
    decode_set(d, SET_ss_flags, (u32)stack->ss_flags);
    decode_put(d, ", ss_size=%llu}", (unsigned long long)stack->ss_size);
}

static void put_open_how(struct decoding *d, const void *at)
{
    const struct open_how *how = at;

    decode_put(d, "{flags=");
    decode_set(d, SET_open, how->flags);
    if (how->mode)
        decode_put(d, ", mode=%#03llo", (unsigned long long)how->mode);
    decode_put(d, ", resolve=");
    decode_set(d, SET_resolve, how->resolve);
    decode_put(d, "}");
}

static void put_utsname(struct decoding *d, const void *at)
{
    const struct new_utsname *name = at;

    decode_put(d, "{sysname=\"%.64s\", nodename=\"%.64s\", ...}", name->sysname, name->nodename);
}

/* wait(2) */
static void put_wstatus(struct decoding *d, const void *at)
{
    u32 status = *(const u32 *)at;
    char buf[SIGNAL_TEXT_MAX];

    if (status == 0xffff)
        decode_put(d, "{WIFCONTINUED(s)}");
    else if ((status & 0xff) == 0x7f)
        decode_put(d, "{WIFSTOPPED(s) && WSTOPSIG(s) == %s}",
                   signal_text((int)(status >> 8 & 0xff), buf));
    else if ((status & 0x7f) == 0)
        decode_put(d, "{WIFEXITED(s) && WEXITSTATUS(s) == %u}", status >> 8 & 0xff);
    else
        decode_put(d, "{WIFSIGNALED(s) && WTERMSIG(s) == %s%s}",
                   signal_text((int)(status & 0x7f), buf), status & 0x80 ? " && WCOREDUMP(s)" : "");
}

static void put_i32(struct decoding *d, const void *at)
{
    decode_put(d, "%d", *(const s32 *)at);
}

static void put_u32(struct decoding *d, const void *at)
{
    decode_put(d, "%u", *(const u32 *)at);
}

static void put_s64(struct decoding *d, const void *at)
{
    decode_put(d, "%lld", *(const long long *)at);
}

static void put_u64(struct decoding *d, const void *at)
{
    decode_put(d, "%llu", *(const unsigned long long *)at);
}

static void put_pointer(struct decoding *d, const void *at)
{
    put_addr(d, *(const u64 *)at);
}

struct pointee_format {
    u32 size;
    void (*put)(struct decoding *d, const void *at);
};

/* What is not here is shown by its address. */
static const struct pointee_format pointees[POINTEE_COUNT] = {
    [POINTEE_addr] = {8, put_pointer},
    [POINTEE_epoll_event] = {sizeof(struct epoll_event), put_epoll_event},
    [POINTEE_fd] = {4, put_i32},
    [POINTEE_gid] = {4, put_u32},
    [POINTEE_i32] = {4, put_i32},
    [POINTEE_iovec] = {sizeof(struct iovec), put_iovec},
    [POINTEE_itimerspec] = {sizeof(struct itimerspec), put_itimerspec},
    [POINTEE_itimerval] = {sizeof(struct itimerval), put_itimerval},
    [POINTEE_loff] = {8, put_s64},
    [POINTEE_long] = {8, put_s64},
    [POINTEE_new_utsname] = {sizeof(struct new_utsname), put_utsname},
    [POINTEE_open_how] = {sizeof(struct open_how), put_open_how},
    [POINTEE_pid] = {4, put_i32},
    [POINTEE_pollfd] = {sizeof(struct pollfd), put_pollfd},
    [POINTEE_ptr] = {8, put_pointer},
    [POINTEE_rlimit] = {sizeof(struct rlimit), put_rlimit},
    [POINTEE_rlimit64] = {sizeof(struct rlimit64), put_rlimit},
    [POINTEE_sigaction] = {sizeof(struct sigaction), put_sigaction},
    [POINTEE_sigset] = {sizeof(sigset_t), put_sigset},
    [POINTEE_size] = {8, put_u64},
    [POINTEE_stack] = {sizeof(stack_t), put_stack},
    [POINTEE_stat] = {sizeof(struct stat), put_stat},
    [POINTEE_timespec] = {sizeof(struct timespec), put_timespec},
    [POINTEE_timeval] = {sizeof(struct timeval), put_timeval},
    [POINTEE_u32] = {4, put_u32},
    [POINTEE_u64] = {8, put_u64},
    [POINTEE_uid] = {4, put_u32},
    [POINTEE_ulong] = {8, put_u64},
    [POINTEE_wstatus] = {4, put_wstatus},
};

/* select(2): the first `count` bits of longs. */
static void put_fdset(struct decoding *d, u64 addr, size_t count)
{
    const char *blank = "";
    u64 word = 0;

    decode_put(d, "[");
    for (u32 fd = 0; fd < MIN(count, (size_t)1024); fd++) {
        if (fd % 64 == 0 && copy_from_user(&word, (const void __user *)(addr + fd / 8), 8))
            break;
        if (word >> (fd % 64) & 1) {
            decode_put(d, "%s%u", blank, fd);
            blank = " ";
        }
    }
    decode_put(d, "]");
}

static void put_sockaddr(struct decoding *d, u64 addr, size_t len)
{
    union {
        u16 family;
        struct sockaddr_in in;
        char bytes[112];
    } sa = {0};
    size_t have = MIN(len, sizeof sa - 1);
    const u8 *ip = (const u8 *)&sa.in.sin_addr;

    if (have < sizeof sa.family || copy_from_user(&sa, (const void __user *)addr, have)) {
        put_addr(d, addr);
        return;
    }
    decode_put(d, "{sa_family=");
    decode_enum(d, SET_af, sa.family);
    if (sa.family == AF_UNIX) {
        decode_put(d, ", sun_path=%s", sa.bytes[2] ? "" : "@");
        const char *path = sa.bytes + 2 + (sa.bytes[2] == 0 && have > 2);
        size_t left = have - (size_t)(path - sa.bytes);

        put_quoted(d, (const u8 *)path, sa.bytes[2] ? strnlen(path, left) : left, false);
    } else if (sa.family == AF_INET && have >= sizeof sa.in) {
        decode_put(d, ", sin_port=htons(%u), sin_addr=inet_addr(\"%u.%u.%u.%u\")",
                   __builtin_bswap16(sa.in.sin_port), ip[0], ip[1], ip[2], ip[3]);
    } else {
        decode_put(d, ", sa_data=");
        put_quoted(d, (const u8 *)sa.bytes + 2, MIN(have - 2, (size_t)14), have > 16);
    }
    decode_put(d, "}");
}

void decode_pointee(struct decoding *d, u32 what, u64 addr, bool array, size_t count, size_t bytes)
{
    const struct pointee_format *pointee = &pointees[what];
    _Alignas(8) char element[ELEMENT_MAX];

    if (what == POINTEE_fdset) {
        put_fdset(d, addr, count);
        return;
    }
    if (what == POINTEE_sockaddr) {
        put_sockaddr(d, addr, bytes);
        return;
    }
    if (!pointee->put || bytes < pointee->size) {
        put_addr(d, addr);
        return;
    }

    bool brackets = array || pointee->size < sizeof(struct timespec);

    brackets &= what != POINTEE_sigset;
    decode_put(d, "%s", brackets ? "[" : "");
    for (size_t i = 0; i < count; i++) {
        decode_put(d, "%s", i ? ", " : "");
        if (i == ARRAY_SHOWN) {
            decode_put(d, "...");
            break;
        }
        if (copy_from_user(element, (const void __user *)(addr + i * pointee->size),
                           pointee->size)) {
            put_addr(d, addr);
            break;
        }
        pointee->put(d, element);
    }
    decode_put(d, "%s", brackets ? "]" : "");
}
