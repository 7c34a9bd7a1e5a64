/*
 * kernel/rewrite/site.h: one system-call instruction and what takes its place; docs/entry.md, "Rewritten sites".
 * Pure functions on the bytes of a text, without locks.
 */
#ifndef REWRITE_SITE_H
#define REWRITE_SITE_H

#include "base/types.h"

#define SYSCALL_SIZE  2  /* 0f 05 */
#define JUMP_SIZE     5  /* jmp rel32 */
#define LOAD_SIZE     5  /* mov $imm32,%eax */
#define STUB_SIZE_MIN 12 /* lea and jmp */
#define GATE_SIZE     13 /* the end of every stub: into the kernel */

enum site_form {
    SITE_HOLE, /* the instruction is a short jump to padding nearby, which jumps to the stub */
    SITE_LOAD, /* the load of the number in front of it is a jump to the stub; it still stands */
};

/* All places are offsets in the text. */
struct site {
    u32 at;    /* of the instruction */
    u32 start; /* of what is rewritten: at, or the load */
    u32 hole;  /* HOLE: JUMP_SIZE bytes of the padding here */
    u32 stub;
    u32 nr; /* LOAD: the number */
    u8 stub_size;
    u8 hole_size;   /* of the padding */
    u8 moved;       /* LOAD: bytes of the original that the stub begins with */
    u8 form;        /* enum site_form */
    bool straddles; /* what is rewritten lies on two pages: only where nobody runs meanwhile */
};

struct text_bytes {
    u8 *bytes;
    u32 size;                 /* of code: what lies behind is nobody's */
    const struct site *sites; /* those that are rewritten already */
    u32 nsites;
};

/* How the instruction at `at`, with which number `nr` was called, can be rewritten. False: not so that it is safe. */
bool site_find(const struct text_bytes *text, u32 at, u32 nr, struct site *out);

/* Writes site->stub_size bytes at site->stub, and the jumps to it. gate: where the gate stands. */
void site_write(u8 *bytes, const struct site *site, u32 gate);
/* The original again, but the hole and the stub stay: a thread may stand in them. */
void site_restore(u8 *bytes, const struct site *site);
/* The GATE_SIZE bytes that jump to the kernel's entry. */
void gate_write(u8 *gate, u64 entry);

/* Is `offset` in the site's hole or stub? Then *original is where a thread that stands there is in the original. */
bool site_original(const struct site *site, u32 offset, u32 *original);

#endif
