/* kernel/task/arch.c: arch_prctl(2): the FS and GS bases, and what this processor family offers. */
#include "base/errno.h"
#include "host/thread.h"
#include "mm/text.h"
#include "mm/uaccess.h"
#include "syscall_proto.h"
#include "task/internal.h"

#include <asm/prctl.h>
#include <myst/boot.h>

static bool is_user_address(u64 addr)
{
    return addr < MYST_USER_END;
}

static long set_base(uint64_t *base, uint64_t value)
{
    if (!is_user_address(value))
        return -EPERM;
    host_bases_read();
    *base = value;
    host_bases_write();
    return 0;
}

long sys_arch_prctl(int op, unsigned long addr)
{
    struct target_regs *regs = &self()->thread.regs;

    switch (op) {
    case ARCH_SET_FS:
        return set_base(&regs->fs_base, addr);
    case ARCH_SET_GS:
        /* GS is then not the call gate's any more, neither here nor in what other threads may share */
        if (addr && mm_text_give_up() < 0)
            return -ENOMEM;
        return set_base(&regs->gs_base, addr);
    case ARCH_GET_FS:
        host_bases_read();
        return put_user(regs->fs_base, (uint64_t __user *)addr);
    case ARCH_GET_GS:
        host_bases_read();
        return put_user(regs->gs_base, (uint64_t __user *)addr);
    case ARCH_GET_CPUID:
        return 1; /* the instruction does not fault */
    case ARCH_SET_CPUID:
        return -ENODEV; /* and cannot be made to */
    default:
        return -EINVAL;
    }
}
