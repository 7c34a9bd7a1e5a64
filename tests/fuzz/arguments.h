/* tests/fuzz/arguments.h: what an input's bytes say, of which each program has a part. */
#ifndef FUZZ_ARGUMENTS_H
#define FUZZ_ARGUMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/types.h"
#include "syscall/decode.h"
#include "syscall_types.h"

#include "mock.h"

#define ARENA      0x10000000UL /* what may be read and written, at the same place in every program */
#define ARENA_SIZE 65536UL
#define READ_ONLY  (ARENA + ARENA_SIZE) /* a page; the one behind it may not be touched */

/* The bytes of one program. */
struct part {
    const u8 *at, *end;
};

extern __thread struct part *bytes; /* of this thread's program */

/* 0 when there are no more. */
u8 next_u8(void);
u16 next_u16(void);
u32 below(u32 limit);

u64 number(void);
u64 length(void);
u64 descriptor(void);
u64 bad_pointer(void);
u64 place(size_t size);                    /* of the program's, where so many bytes fit */
u64 stored(const void *data, size_t size); /* at such a place */
u64 path(void);

/* Into room that is zero; the size. */
size_t fill_sockaddr(u8 *to);  /* at most 128 bytes */
size_t fill_control(u8 *to);   /* at most 64 */
void fill_action(u64 *action); /* 4 words; its handler is on_signal() */
void on_signal(int signo, mock_user info, mock_user context); /* the fuzzer's own */

u64 argument(const struct decode_arg *arg);

#endif
