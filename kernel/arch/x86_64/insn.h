/* kernel/arch/x86_64/insn.h: where an instruction ends, and what it may do to the flow of control. */
#ifndef ARCH_X86_64_INSN_H
#define ARCH_X86_64_INSN_H

#include "base/types.h"

#define INSN_MAX 15 /* bytes; Intel SDM vol. 2, 2.3.11 */

enum insn_flow {
    INSN_PLAIN,  /* goes on behind itself */
    INSN_BRANCH, /* may go elsewhere: jcc, call, loop, syscall ... */
    INSN_END,    /* never goes on behind itself: jmp, ret, ud2, hlt */
};

struct insn {
    u8 len;
    enum insn_flow flow;
    bool relative; /* refers to its own address: a branch, or an operand at RIP + displacement */
    bool padding;  /* does nothing: nop in any length, int3 */
};

enum insn_result {
    INSN_OK,
    INSN_UNKNOWN, /* cut off by the end, or not in these tables: nothing is known */
    INSN_INVALID, /* no processor in 64-bit mode runs it: #UD */
};

/* The instruction at the head of size bytes. */
enum insn_result insn_decode(const u8 *code, size_t size, struct insn *out);

#endif
