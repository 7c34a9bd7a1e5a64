/* kernel/syscall/decode.c: prints a call as strace(1) does, by the generated tables. */
#include "syscall/decode.h"

#include <asm/socket.h>
#include <linux/fcntl.h>
#include <linux/poll.h>

#include "abi/names.h"
#include "abi/newer.h"
#include "abi/unexported.h"
#include "base/errno.h"
#include "base/fmt.h"
#include "mm/uaccess.h"
#include "syscall/internal.h"
#include "syscall/syscall.h"
#include "syscall_types.h"

/* What the result and the end of the line need at most; the arguments leave it free. */
#define RESULT_ROOM 128

#define READY_SOUGHT 1024

void decode_put(struct decoding *d, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    d->len += (size_t)vscnprintf(d->text + d->len, d->limit - d->len, fmt, args);
    va_end(args);
}

void decode_addr(struct decoding *d, u64 addr)
{
    if (addr)
        decode_put(d, "%#llx", (unsigned long long)addr);
    else
        decode_put(d, "NULL");
}

/* One name of a set: is it in the value? `rest` holds the bits that no name has explained yet. */
static bool name_matches(const struct decode_name *name, u64 value, u64 rest)
{
    if (name->mask)
        return (rest & name->mask) == (value & name->mask) && (value & name->mask) == name->value;
    if (name->value == 0)
        return value == 0;
    return (rest & name->value) == name->value;
}

void decode_set(struct decoding *d, u32 set, u64 value)
{
    const struct decode_set *known = &decode_sets[set];
    const char *bar = "";
    u64 rest = value, fields = 0;

    for (u32 i = 0; i < known->count; i++) {
        const struct decode_name *name = &known->names[i];

        if ((fields & name->mask) || !name_matches(name, value, rest))
            continue;
        decode_put(d, "%s%s", bar, name->name);
        bar = "|";
        fields |= name->mask;
        rest &= ~(name->mask ? name->mask : name->value);
    }
    if (rest)
        decode_put(d, "%s%#llx", bar, (unsigned long long)rest);
    else if (!*bar)
        decode_put(d, "0");
}

void decode_enum(struct decoding *d, u32 set, u64 value)
{
    const struct decode_set *known = &decode_sets[set];

    for (u32 i = 0; i < known->count; i++) {
        if (known->names[i].value == value) {
            decode_put(d, "%s", known->names[i].name);
            return;
        }
    }
    decode_put(d, "%#llx", (unsigned long long)value);
}

/* Names are compared as 32-bit numbers when the call's argument is one: AT_FDCWD has no sign there. */
static void put_named(struct decoding *d, const struct decode_arg *arg, u64 value)
{
    const struct decode_set *known = &decode_sets[arg->what];

    if (arg->bits == 32)
        value = (u32)value;
    if (arg->kind == KIND_set) {
        decode_set(d, arg->what, value);
        return;
    }
    for (u32 i = 0; arg->bits == 32 && i < known->count; i++) {
        if ((u32)known->names[i].value == value) {
            decode_put(d, "%s", known->names[i].name);
            return;
        }
    }
    decode_enum(d, arg->what, value);
}

static void put_number(struct decoding *d, u8 kind, u64 value)
{
    char signal[SIGNAL_TEXT_MAX];

    switch (kind) {
    case KIND_dirfd:
        if ((int)value == AT_FDCWD) {
            decode_put(d, "AT_FDCWD");
            break;
        }
        fallthrough;
    case KIND_fd:
    case KIND_i32:
    case KIND_pid:
        decode_put(d, "%d", (int)value);
        break;
    case KIND_uid: /* -1 leaves an id alone */
    case KIND_gid:
        if ((u32)value == (u32)-1)
            decode_put(d, "-1");
        else
            decode_put(d, "%u", (u32)value);
        break;
    case KIND_u32:
        decode_put(d, "%u", (u32)value);
        break;
    case KIND_mode:
        decode_put(d, "%#03o", (u32)value);
        break;
    case KIND_dev:
    case KIND_hex32:
        decode_put(d, "%#x", (u32)value);
        break;
    case KIND_hex:
        decode_put(d, "%#llx", (unsigned long long)value);
        break;
    case KIND_long:
    case KIND_s64:
    case KIND_loff:
        decode_put(d, "%lld", (long long)value);
        break;
    case KIND_signal:
        decode_put(d, "%s", signal_text((int)value, signal));
        break;
    default:
        decode_put(d, "%llu", (unsigned long long)value);
        break;
    }
}

/* The number of elements or bytes that an argument's length says. */
static u64 length_value(const struct decode_arg *arg, const u64 args[6])
{
    u32 value;

    switch (arg->length) {
    case LENGTH_FIXED_ELEMENTS:
    case LENGTH_FIXED_BYTES:
        return arg->count;
    case LENGTH_ELEMENTS:
    case LENGTH_BYTES:
        return args[arg->count];
    case LENGTH_AT_ELEMENTS:
    case LENGTH_AT_BYTES:
        if (copy_from_user(&value, (const void __user *)args[arg->count], sizeof value))
            return 0;
        return value;
    default:
        return 1;
    }
}

/* What an argument points to is a number that the call reads and writes. */
static size_t changed_size(const struct decode_arg *arg)
{
    return arg->kind == KIND_mem && arg->dir == DIR_inout && arg->length == LENGTH_ONE
               ? decode_scalar(arg->what)
               : 0;
}

static void put_changed(struct decoding *d, const struct decode_arg *arg, u32 index, u64 addr,
                        long result)
{
    u64 after = 0;

    if (!(d->known & BIT(index))) {
        decode_addr(d, addr);
        return;
    }
    if (result < 0 || copy_from_user(&after, (const void __user *)addr, changed_size(arg)))
        after = d->before[index];
    decode_changed(d, arg->what, &d->before[index], &after);
}

static void put_memory(struct decoding *d, const struct syscall_row *row,
                       const struct decode_arg *arg, const u64 args[6], long result)
{
    u32 index = (u32)(arg - row->args);
    u64 addr = args[index];
    u64 length = length_value(arg, args);
    bool in_bytes = arg->length == LENGTH_BYTES || arg->length == LENGTH_AT_BYTES ||
                    arg->length == LENGTH_FIXED_BYTES;
    bool array = arg->length != LENGTH_ONE && !in_bytes;

    /* What a failed call left in its output is nobody's business. */
    if (!addr || (arg->dir == DIR_out && result < 0)) {
        decode_addr(d, addr);
        return;
    }
    if (changed_size(arg)) {
        put_changed(d, arg, index, addr, result);
        return;
    }
    if (arg->dir == DIR_out && (row->result == RESULT_size || row->result == RESULT_count) &&
        arg->length != LENGTH_ONE && !(arg->length >= LENGTH_AT_ELEMENTS))
        length = MIN(length, (u64)result);

    if (arg->what == POINTEE_bytes)
        decode_bytes(d, addr, length);
    else
        decode_pointee(d, arg->what, addr, array, in_bytes ? 1 : length,
                       in_bytes ? length : SIZE_MAX);
}

/* fcntl(2) */
static void put_fcntl_arg(struct decoding *d, u32 cmd, u64 value)
{
    switch (cmd) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
    case F_DUPFD_QUERY:
    case F_SETOWN:
    case F_SETPIPE_SZ:
        decode_put(d, "%d", (int)value);
        break;
    case F_SETFD:
        decode_set(d, SET_fd_flags, (u32)value);
        break;
    case F_SETFL:
        decode_set(d, SET_open, (u32)value);
        break;
    case F_ADD_SEALS:
        decode_set(d, SET_seals, (u32)value);
        break;
    default:
        decode_put(d, "%#llx", (unsigned long long)value);
        break;
    }
}

/* setsockopt(2): the names depend on the level. */
static void put_option(struct decoding *d, u32 level, u64 option)
{
    if (level == SOL_SOCKET)
        decode_enum(d, SET_so, option);
    else if (level == SOL_TCP)
        decode_enum(d, SET_tcp_option, option);
    else if (level == SOL_IP)
        decode_enum(d, SET_ip_option, option);
    else
        decode_put(d, "%llu", (unsigned long long)option);
}

static void put_arg(struct decoding *d, const struct syscall_row *row, const struct decode_arg *arg,
                    const u64 args[6], long result)
{
    u64 value = args[arg - row->args];

    switch (arg->kind) {
    case KIND_enum:
        if (arg->what == SET_so && arg > row->args)
            put_option(d, (u32)args[arg - row->args - 1], (u32)value);
        else
            put_named(d, arg, value);
        break;
    case KIND_set:
        put_named(d, arg, value);
        break;
    case KIND_path:
    case KIND_string:
        decode_string(d, value);
        break;
    case KIND_strings:
        /* The environment follows argv; as in strace, it is only counted. */
        if (arg > row->args && arg[-1].kind == KIND_strings)
            decode_environment(d, value);
        else
            decode_strings(d, value);
        break;
    case KIND_hex:
        if (arg > row->args && arg[-1].kind == KIND_enum && arg[-1].what == SET_fcntl)
            put_fcntl_arg(d, (u32)args[arg - row->args - 1], value);
        else
            put_number(d, arg->kind, value);
        break;
    case KIND_ptr:
    case KIND_addr:
        decode_addr(d, value);
        break;
    case KIND_mem:
        put_memory(d, row, arg, args, result);
        break;
    default:
        put_number(d, arg->kind, value);
        break;
    }
}

/* Arguments that do not count: behind open(2)'s flags, unless a file may be created; fcntl(2)'s. */
static bool ends_at(const struct decode_arg *arg, u64 value)
{
    if (arg->kind == KIND_set && arg->what == SET_open)
        return !(value & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)));
    return arg->kind == KIND_enum && arg->what == SET_fcntl &&
           ((u32)value == F_GETFD || (u32)value == F_GETFL || (u32)value == F_GETOWN ||
            (u32)value == F_GETPIPE_SZ || (u32)value == F_GET_SEALS);
}

static const struct syscall_row *row_of(unsigned long nr)
{
    return nr < SYSCALL_LIMIT && syscall_rows[nr].name ? &syscall_rows[nr] : NULL;
}

static void put_args(struct decoding *d, const struct syscall_row *row, const u64 args[6],
                     bool returned, long result)
{
    for (; d->next < row->nargs; d->next++) {
        const struct decode_arg *arg = &row->args[d->next];

        if (!returned && arg->kind == KIND_mem && (arg->dir == DIR_out || changed_size(arg)))
            return;
        decode_put(d, "%s", d->next ? ", " : "");
        put_arg(d, row, arg, args, result);
        if (ends_at(arg, args[d->next]))
            d->next = row->nargs - 1U;
    }
}

void decode_begin(struct decoding *d)
{
    d->len = 0;
    d->limit = DECODE_MAX - RESULT_ROOM;
    d->next = 0;
    d->known = 0;
    d->text[0] = '\0';
}

void decode_enter(struct decoding *d, unsigned long nr, const u64 args[6])
{
    const struct syscall_row *row = row_of(nr);

    if (!row) {
        decode_put(d, "syscall_%#lx(%#llx, %#llx, %#llx, %#llx, %#llx, %#llx", nr,
                   (unsigned long long)args[0], (unsigned long long)args[1],
                   (unsigned long long)args[2], (unsigned long long)args[3],
                   (unsigned long long)args[4], (unsigned long long)args[5]);
        return;
    }
    for (u32 i = 0; i < row->nargs; i++) {
        size_t size = changed_size(&row->args[i]);

        d->before[i] = 0;
        if (size && !copy_from_user(&d->before[i], (const void __user *)args[i], size))
            d->known |= (u32)BIT(i);
    }
    decode_put(d, "%s(", row->name);
    put_args(d, row, args, row->result == RESULT_none, 0);
}

static void put_error(struct decoding *d, int err)
{
    const char *name = errno_name(err);

    if (err >= ERESTARTSYS)
        decode_put(d, "? %s (%s)", name ? name : "ERESTART", name ? errno_message(err) : "?");
    else if (name)
        decode_put(d, "-1 %s (%s)", name, errno_message(err));
    else
        decode_put(d, "%d", -err);
}

static void put_value(struct decoding *d, u8 kind, long value)
{
    char signal[SIGNAL_TEXT_MAX];

    switch (kind) {
    case RESULT_none:
        decode_put(d, "?");
        break;
    case RESULT_addr:
    case RESULT_hex:
        decode_put(d, "%#lx", (unsigned long)value);
        break;
    case RESULT_mode:
        decode_put(d, "%#lo", (unsigned long)value);
        break;
    case RESULT_signal:
        decode_put(d, "%ld (%s)", value, signal_text((int)value, signal));
        break;
    default:
        decode_put(d, "%ld", value);
        break;
    }
}

/* select(2): what is left in the sets. */
static void put_ready_sets(struct decoding *d, const struct syscall_row *row, const u64 args[6])
{
    static const char *const names[] = {"in", "out", "except"};
    const char *before = " (";

    for (u32 i = 1; i <= ARRAY_SIZE(names); i++) {
        if (!args[i])
            continue;
        decode_put(d, "%s%s ", before, names[i - 1]);
        decode_pointee(d, row->args[i].what, args[i], true, (u32)args[0], SIZE_MAX);
        before = ", ";
    }
    decode_put(d, ")");
}

/* poll(2): the entries that have events, of the first ones. */
static void put_ready_files(struct decoding *d, const u64 args[6])
{
    u32 count = MIN((u32)args[1], (u32)READY_SOUGHT);
    const char *comma = "";
    struct pollfd entry;

    decode_put(d, " ([");
    for (u32 i = 0; i < count && d->len < d->limit - 1; i++) {
        if (copy_from_user(&entry, (const void __user *)(args[0] + i * sizeof(entry)),
                           sizeof(entry)))
            break;
        if (!entry.revents)
            continue;
        decode_put(d, "%s{fd=%d, revents=", comma, entry.fd);
        decode_set(d, SET_poll, (u16)entry.revents);
        decode_put(d, "}");
        comma = ", ";
    }
    decode_put(d, "])");
}

static void put_ready(struct decoding *d, const struct syscall_row *row, const u64 args[6],
                      long result)
{
    bool poll =
        row->nargs > 1 && row->args[0].what == POINTEE_pollfd && row->args[0].kind == KIND_mem;
    bool select =
        row->nargs > 1 && row->args[1].what == POINTEE_fdset && row->args[1].kind == KIND_mem;

    if ((poll || select) && result == 0)
        decode_put(d, " (Timeout)");
    else if (poll && result > 0)
        put_ready_files(d, args);
    else if (select && result > 0)
        put_ready_sets(d, row, args);
}

void decode_leave(struct decoding *d, unsigned long nr, const u64 args[6], long result)
{
    const struct syscall_row *row = row_of(nr);

    if (row)
        put_args(d, row, args, true, result);
    d->limit = DECODE_MAX - 1; /* the end of the line */
    decode_put(d, ") = ");
    if (result < 0 && result >= -MAX_ERRNO)
        put_error(d, (int)-result);
    else
        put_value(d, row ? row->result : RESULT_long, result);
    if (row)
        put_ready(d, row, args, result);
    d->limit = DECODE_MAX;
    decode_put(d, "\n");
}
