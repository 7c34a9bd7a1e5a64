/*
 * tests/fuzz/arguments.c: arguments of system calls from an input's bytes: by the kinds that the table names mostly such
 * as a call can use, sometimes at an edge, sometimes anything.
 */
#include "arguments.h"

#include "mock_fuzz.h"

#include <linux/netlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

__thread struct part *bytes;

u8 next_u8(void)
{
    return bytes->at < bytes->end ? *bytes->at++ : 0;
}

u16 next_u16(void)
{
    u16 low = next_u8();

    return (u16)(low | next_u8() << 8);
}

static u64 next_u64(void)
{
    u64 value = 0;

    for (u32 i = 0; i < 8; i++)
        value = value << 8 | next_u8();
    return value;
}

u32 below(u32 limit)
{
    return limit <= 256 ? next_u8() % limit : next_u16() % limit;
}

/* --- numbers ------------------------------------------------------------------------------------------------ */

u64 number(void)
{
    static const u64 edges[] = {
        127,        128,        255,        256,        511,
        512,        4095,       4096,       4097,       8192,
        32767,      32768,      65535,      65536,      1000000,
        999999999,  1000000000, 0x7fffffff, 1UL << 20,  1UL << 31,
        0xffffffff, 1UL << 32,  1UL << 47,  INT64_MAX,  (u64)INT64_MIN,
        (u64)-1,    (u64)-2,    (u64)-4095, (u64)-4096, 1UL << 62,
        0x80808080,
    };
    u8 choice = next_u8();

    if (choice < 160)
        return choice;
    if (choice < 224)
        return edges[choice % ARRAY_SIZE(edges)];
    return choice < 240 ? next_u16() : next_u64();
}

u64 length(void)
{
    u8 choice = next_u8();

    return choice < 200 ? choice : choice < 240 ? (u64)(choice - 199) * 1024 : number();
}

u64 descriptor(void)
{
    u8 choice = next_u8();

    return choice < 248 ? choice % 32 : choice < 252 ? (u64)-1 : number();
}

/* Never -1 and never the main program: there must be one left who looks. */
static u64 process(void)
{
    u8 choice = next_u8();

    if (choice < 100)
        return 0;
    if (choice < 200)
        return 3 + choice % 16;
    return choice < 240 ? (u64)mock_call(__NR_getpid) : 0x3ffff0 + choice;
}

static u64 from_set(const struct decode_arg *arg)
{
    const struct decode_set *set = &decode_sets[arg->what];
    u8 n = next_u8();
    u64 value = 0;

    if (n >= 240)
        return number();
    if (arg->kind == KIND_enum)
        return set->names[below(set->count)].value;
    for (n %= 4; n > 0; n--)
        value |= set->names[below(set->count)].value;
    return value;
}

/* --- memory -------------------------------------------------------------------------------------------------- */

u64 bad_pointer(void)
{
    switch (below(7)) {
    case 0:
        return 0;
    case 1:
        return ARENA + ARENA_SIZE - below(64);
    case 2:
        return READ_ONLY + below(4096);
    case 3:
        return READ_ONLY + 4096 - below(16);
    case 4:
        return 0x7fffffffe000 + below(16384);
    case 5:
        return 0x620000000000 + (next_u64() & 0xfffffffffffUL); /* the kernel's own range */
    default:
        return next_u64();
    }
}

/* Where `size` bytes fit: anywhere, without alignment, or up to the page that may only be read. */
u64 place(size_t size)
{
    u8 choice = next_u8();

    if (choice >= 240)
        return ARENA + ARENA_SIZE - size;
    return ARENA + (choice % 30) * 2048 + (choice >= 210 ? 1 : 0);
}

u64 stored(const void *data, size_t size)
{
    u64 at = place(size);

    mock_store(at, data, size);
    return at;
}

static const char *const paths[] = {
    "f",
    "g",
    "d",
    "d/f",
    "d/../f",
    "d/deep/x",
    "link",
    "loop",
    ".",
    "..",
    "/",
    "",
    "none/below",
    "f/sub",
    "fifo",
    "sock",
    "sock2",
    "tmp/f",
    "tmp",
    "/bin/prog",
    "/host/f",
    "/host/d",
    "/host/new",
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/pts/0",
    "/dev/pts",
    "/dev/shm/x",
    "/dev/fd/3",
    "/proc",
    "/proc/self",
    "/proc/self/maps",
    "/proc/self/fd",
    "/proc/self/fd/3",
    "/proc/self/status",
    "/proc/self/stat",
    "/proc/self/exe",
    "/proc/self/mem",
    "/proc/self/cwd/f",
    "/proc/self/environ",
    "/proc/self/cmdline",
    "/proc/self/mounts",
    "/proc/self/mountinfo",
    "/proc/self/fdinfo/3",
    "/proc/self/task",
    "/proc/self/ns/mnt",
    "/proc/self/ns/ipc",
    "/proc/self/smaps",
    "/proc/self/oom_score_adj",
    "/proc/self/comm",
    "/proc/self/limits",
    "/proc/3/stat",
    "/proc/4/fd",
    "/proc/stat",
    "/proc/meminfo",
    "/proc/net/tcp",
    "/proc/net/unix",
    "/proc/net/dev",
    "/proc/sys/kernel/hostname",
    "/proc/sys/net/ipv4/ip_local_port_range",
    "/proc/sys/kernel/shmmax",
    "/proc/sysvipc/shm",
    "/proc/sysvipc/sem",
    "/proc/sysvipc/msg",
    "/proc/sys/fs/mqueue/msg_max",
    "/sys",
    "/sys/devices",
    "/sys/class/net",
    "/sys/devices/system/cpu/online",
    "/sys/kernel",
    "/tmp",
    "/tmp/f",
    "user.a",
    "security.b",
    "trusted.c",
    "/mq",
    "tmpfs",
    "proc",
    "sysfs",
    "mqueue",
    "devpts",
    "overlay",
    "lowerdir=d,upperdir=tmp,workdir=tmp",
    "size=1m,mode=700",
    "very-long",
};

u64 path(void)
{
    const char *name = paths[below(ARRAY_SIZE(paths))];
    char text[4200];

    if (!strcmp(name, "very-long")) {
        size_t len = below(4200);
        memset(text, 'x', len);
        text[len] = 0;
        for (size_t i = 200; i < len; i += 200)
            text[i] = '/';
        name = text;
    }
    return stored(name, strlen(name) + 1);
}

size_t fill_sockaddr(u8 *to)
{
    struct sockaddr_in *in = (void *)to;
    struct sockaddr_in6 *in6 = (void *)to;
    struct sockaddr_un *un = (void *)to;
    struct sockaddr_nl *nl = (void *)to;

    switch (below(6)) {
    case 0:
        un->sun_family = AF_UNIX;
        snprintf(un->sun_path, sizeof(un->sun_path), "%s", next_u8() & 1 ? "sock" : "sock2");
        return sizeof(sa_family_t) + strlen(un->sun_path) + (next_u8() & 1);
    case 1:
        un->sun_family = AF_UNIX;
        un->sun_path[1] = (char)('a' + below(3));
        return sizeof(sa_family_t) + 2;
    case 2:
    case 3:
        in->sin_family = AF_INET;
        in->sin_port = htons((u16)(7000 + below(3)));
        in->sin_addr.s_addr = htonl(next_u8() < 200 ? INADDR_LOOPBACK : (u32)number());
        return sizeof(*in);
    case 4:
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((u16)(7000 + below(3)));
        in6->sin6_addr.s6_addr[15] = (u8)below(3);
        return sizeof(*in6);
    default:
        nl->nl_family = AF_NETLINK;
        nl->nl_pid = below(3);
        return sizeof(*nl);
    }
}

static void fill_iovec(u64 *to, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        to[2 * i] = below(16) ? place(4096) : bad_pointer();
        to[2 * i + 1] = length();
    }
}

/* Credentials, descriptors, or what is neither. */
size_t fill_control(u8 *to)
{
    struct cmsghdr *header = (void *)to;
    u32 *words = (u32 *)CMSG_DATA(header);
    u32 count = 1 + below(4);

    header->cmsg_level = next_u8() < 220 ? SOL_SOCKET : (int)below(42);
    header->cmsg_type = 1 + (int)below(3);
    header->cmsg_len = CMSG_LEN(count * sizeof(u32)) + (next_u8() > 240 ? number() : 0);
    for (u32 i = 0; i < count; i++)
        words[i] = header->cmsg_type == SCM_CREDENTIALS ? (u32)process() : (u32)descriptor();
    return CMSG_SPACE(count * sizeof(u32));
}

static void fill_message(struct msghdr *message)
{
    u8 buffer[128] = {0};
    u64 vector[8];
    size_t size;

    if (next_u8() & 1) {
        size = fill_sockaddr(buffer);
        message->msg_name = (void *)stored(buffer, sizeof(buffer));
        message->msg_namelen = (u32)size;
    }
    message->msg_iovlen = below(5);
    fill_iovec(vector, 4);
    message->msg_iov = (void *)stored(vector, sizeof(vector));
    if (next_u8() & 1) {
        memset(buffer, 0, sizeof(buffer));
        message->msg_controllen = fill_control(buffer);
        message->msg_control = (void *)stored(buffer, sizeof(buffer));
    }
}

void fill_action(u64 *action)
{
    u8 choice = next_u8();

    action[0] = choice < 60 ? 0 : choice < 100 ? 1 : mock_handler_address(on_signal);
    action[1] = 0x04000000 | (u64)next_u8() << 24 | (next_u8() & 7);
    action[2] = 0x30000;
    action[3] = next_u8() & 1 ? next_u64() : 0;
}

static void fill_times(u64 *words, u32 count)
{
    for (u32 i = 0; i < count; i++)
        words[i] = i % 2 ? number() : next_u8() < 200 ? below(3) : number();
}

static void fill_words32(u32 *words, u32 count)
{
    for (u32 i = 0; i < count; i++)
        words[i] = next_u8() & 1 ? (u32)descriptor() : (u32)number();
}

static void fill_words64(u64 *words, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        u8 choice = next_u8();
        words[i] = choice < 200 ? number() : choice < 250 ? place(4096) : bad_pointer();
    }
}

/* What a call of the table expects there, more or less; its size. */
static size_t fill(u32 pointee, u8 *to)
{
    u64 *words = (u64 *)to;
    struct pollfd *fds = (void *)to;
    struct epoll_event *event = (void *)to;
    struct mmsghdr *messages = (void *)to;

    switch (pointee) {
    case POINTEE_sockaddr:
        return fill_sockaddr(to);
    case POINTEE_iovec:
        fill_iovec(words, 4);
        return 64;
    case POINTEE_user_msghdr:
        fill_message((void *)to);
        return sizeof(struct msghdr);
    case POINTEE_mmsghdr:
        fill_message(&messages[0].msg_hdr);
        fill_message(&messages[1].msg_hdr);
        return 2 * sizeof(*messages);
    case POINTEE_sigaction:
        fill_action(words);
        return 32;
    case POINTEE_timespec:
    case POINTEE_itimerspec:
    case POINTEE_timeval:
    case POINTEE_itimerval:
        fill_times(words, 4);
        return 32;
    case POINTEE_pollfd:
        for (u32 i = 0; i < 4; i++)
            fds[i] = (struct pollfd){(int)descriptor(), (short)next_u16(), 0};
        return 4 * sizeof(*fds);
    case POINTEE_epoll_event:
        event->events = (u32)next_u8() << 24 | next_u8();
        return sizeof(*event);
    case POINTEE_sembuf:
        for (u32 i = 0; i < 4; i++)
            words[i] = 0;
        for (u32 i = 0; i < 12; i++)
            ((u16 *)to)[i] = i % 3 == 2 ? (u16)(next_u8() << 8) : (u16)(next_u8() % 5 - i % 3 * 2);
        return 24;
    case POINTEE_mq_attr:
        words[0] = next_u8() & 1 ? O_NONBLOCK : 0;
        words[1] = below(12);
        words[2] = length();
        return 64;
    default:
        if (next_u8() & 1)
            fill_words32((void *)to, 16);
        else
            fill_words64(words, 10);
        return 80;
    }
}

static u64 memory(const struct decode_arg *arg)
{
    u8 buffer[512] = {0}, choice = next_u8();
    size_t size;

    if (choice >= 240)
        return bad_pointer();
    if (choice >= 200)
        return place(4096); /* whatever stands there */
    if (choice >= 160) {
        size = below(64);
        for (size_t i = 0; i < size; i++)
            buffer[i] = next_u8();
        return stored(buffer, size);
    }
    if (arg->dir == DIR_out)
        return place(256);
    size = fill(arg->what, buffer);
    return stored(buffer, size);
}

static u64 strings(void)
{
    u64 array[3];

    if (next_u8() > 230)
        return bad_pointer();
    array[0] = path();
    array[1] = next_u8() & 1 ? path() : 0;
    array[2] = 0;
    return stored(array, sizeof(array));
}

/* --- an argument --------------------------------------------------------------------------------------------------- */

u64 argument(const struct decode_arg *arg)
{
    switch (arg->kind) {
    case KIND_fd:
        return descriptor();
    case KIND_dirfd:
        return next_u8() & 1 ? (u64)AT_FDCWD : descriptor();
    case KIND_pid:
        return process();
    case KIND_set:
    case KIND_enum:
        return from_set(arg);
    case KIND_signal:
        return below(66);
    case KIND_mode:
        return next_u16() & 0177777;
    case KIND_size:
        return length();
    case KIND_addr:
        return next_u8() < 200 ? ARENA + below(20) * 4096UL : number();
    case KIND_path:
    case KIND_string:
        return next_u8() < 240 ? path() : bad_pointer();
    case KIND_strings:
        return strings();
    case KIND_ptr:
    case KIND_mem:
        return memory(arg);
    case KIND_hex:
    case KIND_ulong:
    case KIND_long:
        return next_u8() < 90 ? memory(arg) : number();
    default:
        return number();
    }
}
