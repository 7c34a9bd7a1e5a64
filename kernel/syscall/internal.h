/* kernel/syscall/internal.h: between the dispatcher, --strace, and the two halves of the decoder. */
#ifndef SYSCALL_INTERNAL_H
#define SYSCALL_INTERNAL_H

#include "syscall/decode.h"

extern bool strace_on; /* constant once programs run */
bool strace_wants(unsigned long nr);
/* Around a call; strace_enter prints the line of a call that does not return. */
void strace_enter(struct decoding *d, unsigned long nr, const u64 args[6]);
void strace_leave(struct decoding *d, unsigned long nr, const u64 args[6], long result);

void decode_put(struct decoding *d, const char *fmt, ...) __printf(2, 3);

/* The flags or the value of a set (enum decode_set_id). */
void decode_set(struct decoding *d, u32 set, u64 value);
void decode_enum(struct decoding *d, u32 set, u64 value);

/* len bytes in quotes, cut off after what a line can bear; at the end of a string when `text`. */
void decode_bytes(struct decoding *d, u64 addr, size_t len);
void decode_string(struct decoding *d, u64 addr);
/* A NULL-ended array of strings; its address and length. */
void decode_strings(struct decoding *d, u64 addr);
void decode_environment(struct decoding *d, u64 addr);

/* A number, or NULL. */
void decode_addr(struct decoding *d, u64 addr);

/*
 * count elements of a pointee (enum pointee) at addr; bytes is the room they may take, SIZE_MAX
 * when the call does not say.
 */
void decode_pointee(struct decoding *d, u32 what, u64 addr, bool array, size_t count, size_t bytes);

void decode_siginfo(struct decoding *d, const void *info);

/* Size of a pointee that is one number, else 0; and how a call changed such a number. */
size_t decode_scalar(u32 what);
void decode_changed(struct decoding *d, u32 what, const u64 *before, const u64 *after);

struct pointee_format {
    u32 size;
    void (*put)(struct decoding *d, const void *at); /* NULL: shown by its address */
    bool scalar;
};

extern const struct pointee_format pointee_formats[];

#endif
