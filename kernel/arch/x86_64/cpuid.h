/* kernel/arch/x86_64/cpuid.h: what the processor says of itself. */
#ifndef ARCH_X86_64_CPUID_H
#define ARCH_X86_64_CPUID_H

#include "base/types.h"

/* regs: EAX, EBX, ECX, EDX. Leaf 0 and 0x80000000 tell in EAX how many leaves there are. */
static inline void cpuid(u32 leaf, u32 sub, u32 regs[4])
{
    __asm__("cpuid"
            : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3])
            : "a"(leaf), "c"(sub));
}

#endif
