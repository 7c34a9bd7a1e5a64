/* kernel/syscall/internal.h: between the decoder of calls and that of the structures they carry. */
#ifndef SYSCALL_INTERNAL_H
#define SYSCALL_INTERNAL_H

#include "syscall/decode.h"

void decode_put(struct decoding *d, const char *fmt, ...) __printf(2, 3);

/* The flags or the value of a set (enum decode_set_id). */
void decode_set(struct decoding *d, u32 set, u64 value);
void decode_enum(struct decoding *d, u32 set, u64 value);

/* len bytes in quotes, cut off after what a line can bear; at the end of a string when `text`. */
void decode_bytes(struct decoding *d, u64 addr, size_t len);
void decode_string(struct decoding *d, u64 addr);
/* A NULL-ended array of strings. */
void decode_strings(struct decoding *d, u64 addr);

/*
 * count elements of a pointee (enum pointee) at addr; bytes is the room they may take, SIZE_MAX
 * when the call does not say.
 */
void decode_pointee(struct decoding *d, u32 pointee, u64 addr, bool array, size_t count,
                    size_t bytes);

#endif
