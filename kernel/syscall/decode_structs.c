/* kernel/syscall/decode_structs.c: prints the structures that calls carry, one function each. */
#include <asm/poll.h>
#include <asm/signal.h>
#include <asm/stat.h>
#include <linux/eventpoll.h>
#include <linux/openat2.h>
#include <linux/poll.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/sem.h>
#include <linux/stat.h>
#include <linux/time.h>
#include <linux/uio.h>
#include <linux/utime.h>
#include <linux/utsname.h>
#include <asm/siginfo.h>

#include "abi/names.h"
#include "abi/unexported.h"
#include "base/string.h"
#include "syscall/internal.h"
#include "syscall_types.h"

static void put_pointer_field(struct decoding *d, const char *name, u64 addr)
{
    decode_put(d, "%s", name);
    decode_addr(d, addr);
}

static void put_signal_field(struct decoding *d, const char *name, int sig)
{
    char buf[SIGNAL_TEXT_MAX];

    decode_put(d, "%s%s", name, signal_text(sig, buf));
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

static void put_limit(struct decoding *d, const char *name, u64 value, const char *infinity)
{
    if (value == (u64)RLIM_INFINITY)
        decode_put(d, "%s=%s", name, infinity);
    else if (value > 1024 && value % 1024 == 0)
        decode_put(d, "%s=%llu*1024", name, (unsigned long long)value / 1024);
    else
        decode_put(d, "%s=%llu", name, (unsigned long long)value);
}

static void put_limits(struct decoding *d, const void *at, const char *infinity)
{
    const struct rlimit64 *limit = at; /* struct rlimit is the same on x86-64 */

    decode_put(d, "{");
    put_limit(d, "rlim_cur", limit->rlim_cur, infinity);
    put_limit(d, ", rlim_max", limit->rlim_max, infinity);
    decode_put(d, "}");
}

static void put_rlimit(struct decoding *d, const void *at)
{
    put_limits(d, at, "RLIM_INFINITY");
}

static void put_rlimit64(struct decoding *d, const void *at)
{
    put_limits(d, at, "RLIM64_INFINITY");
}

static void put_pollfd(struct decoding *d, const void *at)
{
    const struct pollfd *p = at;

    decode_put(d, "{fd=%d, events=", p->fd);
    decode_set(d, SET_poll, (u16)p->events);
    decode_put(d, "}");
}

static void put_epoll_event(struct decoding *d, const void *at)
{
    const struct epoll_event *event = at;

    decode_put(d, "{events=");
    decode_set(d, SET_epoll_events, event->events);
    decode_put(d, ", data={u32=%u, u64=%llu}}", (u32)event->data, (unsigned long long)event->data);
}

static void put_iovec(struct decoding *d, const void *at)
{
    const struct iovec *v = at;

    decode_put(d, "{iov_base=");
    decode_addr(d, (u64)v->iov_base);
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
        decode_addr(d, (u64)action->sa_handler);
    decode_put(d, ", sa_mask=");
    put_sigset(d, &action->sa_mask);
    decode_put(d, ", sa_flags=");
    decode_set(d, SET_sa_flags, action->sa_flags);
    if (action->sa_flags & SA_RESTORER) {
        decode_put(d, ", sa_restorer=");
        decode_addr(d, (u64)action->sa_restorer);
    }
    decode_put(d, "}");
}

static void put_stack(struct decoding *d, const void *at)
{
    const stack_t *stack = at;

    decode_put(d, "{ss_sp=");
    decode_addr(d, (u64)stack->ss_sp);
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

static void put_clone_args(struct decoding *d, const void *at)
{
    const struct clone_args *args = at;

    decode_put(d, "{flags=");
    decode_set(d, SET_clone, args->flags);
    if (args->flags & CLONE_PIDFD)
        put_pointer_field(d, ", pidfd=", args->pidfd);
    if (args->flags & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID))
        put_pointer_field(d, ", child_tid=", args->child_tid);
    if (args->flags & CLONE_PARENT_SETTID)
        put_pointer_field(d, ", parent_tid=", args->parent_tid);
    put_signal_field(d, ", exit_signal=", (int)args->exit_signal);
    put_pointer_field(d, ", stack=", args->stack);
    decode_put(d, ", stack_size=%#llx", (unsigned long long)args->stack_size);
    if (args->flags & CLONE_SETTLS)
        put_pointer_field(d, ", tls=", args->tls);
    decode_put(d, "}");
}

static void put_rusage(struct decoding *d, const void *at)
{
    const struct rusage *usage = at;

    decode_put(d, "{ru_utime=");
    put_timeval(d, &usage->ru_utime);
    decode_put(d, ", ru_stime=");
    put_timeval(d, &usage->ru_stime);
    decode_put(d, ", ...}");
}

/* sigaction(2): positive codes mean something else for each signal. */
static void put_si_code(struct decoding *d, int signo, int code)
{
    static const struct {
        int signo;
        u32 set;
    } own[] = {{SIGILL, SET_ill_code},  {SIGFPE, SET_fpe_code},   {SIGSEGV, SET_segv_code},
               {SIGBUS, SET_bus_code},  {SIGTRAP, SET_trap_code}, {SIGCHLD, SET_cld_code},
               {SIGPOLL, SET_poll_code}};
    u32 set = SET_si_code;

    for (size_t i = 0; code > 0 && code != SI_KERNEL && i < ARRAY_SIZE(own); i++) {
        if (own[i].signo == signo)
            set = own[i].set;
    }
    decode_put(d, ", si_code=");
    decode_enum(d, set, (u64)code);
}

void decode_siginfo(struct decoding *d, const void *at)
{
    const siginfo_t *info = at;

    put_signal_field(d, "{si_signo=", info->si_signo);
    put_si_code(d, info->si_signo, info->si_code);
    switch (info->si_signo) {
    case SIGILL:
    case SIGFPE:
    case SIGSEGV:
    case SIGBUS:
    case SIGTRAP:
        put_pointer_field(d, ", si_addr=", (u64)info->si_addr);
        break;
    case SIGCHLD:
        decode_put(d, ", si_pid=%d, si_uid=%u", info->si_pid, info->si_uid);
        if (info->si_code == CLD_EXITED)
            decode_put(d, ", si_status=%d", info->si_status);
        else
            put_signal_field(d, ", si_status=", info->si_status);
        break;
    default:
        if (info->si_code == SI_USER || info->si_code == SI_QUEUE || info->si_code == SI_TKILL)
            decode_put(d, ", si_pid=%d, si_uid=%u", info->si_pid, info->si_uid);
        break;
    }
    decode_put(d, "}");
}

static void put_sigevent(struct decoding *d, const void *at)
{
    const struct sigevent *event = at;

    put_signal_field(d, "{sigev_signo=", event->sigev_signo);
    decode_put(d, ", sigev_notify=");
    decode_enum(d, SET_sigev, (u32)event->sigev_notify);
    decode_put(d, "}");
}

/* pselect6(2) and io_pgetevents(2): a mask in user memory, and its size. */
static void put_sigset_argpack(struct decoding *d, const void *at)
{
    const u64 *pack = at;

    decode_put(d, "{sigmask=");
    if (pack[0])
        decode_pointee(d, POINTEE_sigset, pack[0], false, 1, pack[1]);
    else
        decode_put(d, "NULL");
    decode_put(d, ", sigsetsize=%llu}", (unsigned long long)pack[1]);
}

static void put_statx(struct decoding *d, const void *at)
{
    const struct statx *stx = at;

    decode_put(d, "{stx_mask=");
    decode_set(d, SET_statx_mask, stx->stx_mask);
    decode_put(d, ", stx_mode=");
    decode_enum(d, SET_file_type, stx->stx_mode & S_IFMT);
    decode_put(d, "|%#03o, stx_size=%llu, ...}", stx->stx_mode & ~S_IFMT,
               (unsigned long long)stx->stx_size);
}

static void put_timezone(struct decoding *d, const void *at)
{
    const struct timezone *zone = at;

    decode_put(d, "{tz_minuteswest=%d, tz_dsttime=%d}", zone->tz_minuteswest, zone->tz_dsttime);
}

static void put_utimbuf(struct decoding *d, const void *at)
{
    const struct utimbuf *times = at;

    decode_put(d, "{actime=%ld, modtime=%ld}", (long)times->actime, (long)times->modtime);
}

static void put_sembuf(struct decoding *d, const void *at)
{
    const struct sembuf *op = at;

    decode_put(d, "{sem_num=%u, sem_op=%d, sem_flg=", op->sem_num, op->sem_op);
    decode_set(d, SET_semop, (u16)op->sem_flg);
    decode_put(d, "}");
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
    decode_addr(d, *(const u64 *)at);
}

/* What is not here is shown by its address. */
const struct pointee_format pointee_formats[POINTEE_COUNT] = {
    [POINTEE___aio_sigset] = {16, put_sigset_argpack, false},
    [POINTEE_addr] = {8, put_pointer, true},
    [POINTEE_clone_args] = {CLONE_ARGS_SIZE_VER0, put_clone_args, false},
    [POINTEE_epoll_event] = {sizeof(struct epoll_event), put_epoll_event, false},
    [POINTEE_fd] = {4, put_i32, true},
    [POINTEE_gid] = {4, put_u32, true},
    [POINTEE_i32] = {4, put_i32, true},
    [POINTEE_iovec] = {sizeof(struct iovec), put_iovec, false},
    [POINTEE_itimerspec] = {sizeof(struct itimerspec), put_itimerspec, false},
    [POINTEE_itimerval] = {sizeof(struct itimerval), put_itimerval, false},
    [POINTEE_loff] = {8, put_s64, true},
    [POINTEE_long] = {8, put_s64, true},
    [POINTEE_new_utsname] = {sizeof(struct new_utsname), put_utsname, false},
    [POINTEE_open_how] = {sizeof(struct open_how), put_open_how, false},
    [POINTEE_pid] = {4, put_i32, true},
    [POINTEE_pollfd] = {sizeof(struct pollfd), put_pollfd, false},
    [POINTEE_ptr] = {8, put_pointer, true},
    [POINTEE_rlimit] = {sizeof(struct rlimit), put_rlimit, false},
    [POINTEE_rlimit64] = {sizeof(struct rlimit64), put_rlimit64, false},
    [POINTEE_rusage] = {sizeof(struct rusage), put_rusage, false},
    [POINTEE_sched_param] = {4, put_i32, true},
    [POINTEE_sembuf] = {sizeof(struct sembuf), put_sembuf, false},
    [POINTEE_sigaction] = {sizeof(struct sigaction), put_sigaction, false},
    [POINTEE_sigevent] = {sizeof(struct sigevent), put_sigevent, false},
    [POINTEE_siginfo] = {sizeof(siginfo_t), decode_siginfo, false},
    [POINTEE_sigset] = {sizeof(sigset_t), put_sigset, false},
    [POINTEE_sigset_argpack] = {16, put_sigset_argpack, false},
    [POINTEE_size] = {8, put_u64, true},
    [POINTEE_stack] = {sizeof(stack_t), put_stack, false},
    [POINTEE_stat] = {sizeof(struct stat), put_stat, false},
    [POINTEE_statx] = {sizeof(struct statx), put_statx, false},
    [POINTEE_timespec] = {sizeof(struct timespec), put_timespec, false},
    [POINTEE_timeval] = {sizeof(struct timeval), put_timeval, false},
    [POINTEE_timezone] = {sizeof(struct timezone), put_timezone, false},
    [POINTEE_u32] = {4, put_u32, true},
    [POINTEE_u64] = {8, put_u64, true},
    [POINTEE_uid] = {4, put_u32, true},
    [POINTEE_ulong] = {8, put_u64, true},
    [POINTEE_utimbuf] = {sizeof(struct utimbuf), put_utimbuf, false},
    [POINTEE_wstatus] = {4, put_wstatus, true},
};
