/* kernel/syscall/decode.h: printing a call as strace does, from tables that the generator writes. */
#ifndef SYSCALL_DECODE_H
#define SYSCALL_DECODE_H

#include "base/types.h"

enum decode_kind {
    KIND_i32,
    KIND_u32,
    KIND_long,
    KIND_ulong,
    KIND_u64,
    KIND_s64,
    KIND_size,
    KIND_loff,
    KIND_hex,
    KIND_hex32,
    KIND_fd,
    KIND_dirfd,
    KIND_mode,
    KIND_dev,
    KIND_pid,
    KIND_uid,
    KIND_gid,
    KIND_signal,
    KIND_addr,
    KIND_set,
    KIND_enum,
    KIND_path,
    KIND_string,
    KIND_strings,
    KIND_ptr,
    KIND_mem,
};

enum decode_dir { DIR_none, DIR_in, DIR_out, DIR_inout };

/* How much a pointer argument points to: count is a number, or the index of the argument. */
enum decode_length {
    LENGTH_ONE,
    LENGTH_FIXED_ELEMENTS,
    LENGTH_FIXED_BYTES,
    LENGTH_ELEMENTS,
    LENGTH_BYTES,
    LENGTH_AT_ELEMENTS, /* the argument points to the number */
    LENGTH_AT_BYTES,
};

enum decode_result {
    RESULT_err,
    RESULT_fd,
    RESULT_i32,
    RESULT_u32,
    RESULT_long,
    RESULT_size,  /* bytes of the out() array that are valid */
    RESULT_count, /* elements of the out() array that are valid */
    RESULT_pid,
    RESULT_uid,
    RESULT_gid,
    RESULT_addr,
    RESULT_mode,
    RESULT_hex,
    RESULT_signal,
    RESULT_none, /* the call does not return */
};

struct decode_name {
    const char *name;
    u64 value;
    u64 mask; /* of the field that value belongs to; 0: value itself is the mask */
};

struct decode_set {
    const struct decode_name *names;
    u32 count;
};

struct decode_arg {
    const char *name;
    u8 kind;   /* enum decode_kind */
    u8 dir;    /* enum decode_dir */
    u8 length; /* enum decode_length */
    u8 count;
    u8 bits;  /* of a set's or enum's number: 32 or 64 */
    u16 what; /* enum decode_set_id, or enum pointee */
};

struct syscall_row {
    const char *name;
    const struct decode_arg *args;
    u8 nargs;
    u8 result; /* enum decode_result */
};

extern const struct syscall_row syscall_rows[];
extern const struct decode_set decode_sets[];

/*
 * Text of one call. decode_enter prints the arguments up to the first whose value only the call
 * tells; decode_leave prints the rest, the result, and what poll(2) and select(2) found.
 */
#define DECODE_MAX 1024

struct decoding {
    char text[DECODE_MAX];
    size_t len;    /* without the ending zero */
    size_t limit;  /* what len may not pass yet */
    u32 next;      /* the first argument that is not printed yet */
    u32 known;     /* bit n: before[n] is what argument n pointed to */
    u64 before[6]; /* numbers that the call reads and writes */
};

void decode_begin(struct decoding *d);
void decode_enter(struct decoding *d, unsigned long nr, const u64 args[6]);
void decode_leave(struct decoding *d, unsigned long nr, const u64 args[6], long result);

#endif
