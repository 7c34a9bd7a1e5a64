/*
 * kernel/syscall/machine.c: calls about the machine below, of which a program has none: as on a kernel that is locked
 * down, kernel_lockdown(7), with kernel.modules_disabled and kernel.kexec_load_disabled set. Nobody gets at it; what is
 * wrong with the arguments is told all the same.
 */
#include "base/errno.h"
#include "cred/cred.h"
#include "syscall_proto.h"

#define IO_PORTS 65536UL

/* iopl(2): one may stay at the level where everybody is, and not rise above it. */
long sys_iopl(u32 level)
{
    if (level > 3)
        return -EINVAL;
    return level ? -EPERM : 0;
}

/* ioperm(2): taking away what nobody has succeeds. */
long sys_ioperm(unsigned long from, unsigned long num, int turn_on)
{
    unsigned long end;

    if (add_overflow(from, num, &end) || end <= from || end > IO_PORTS)
        return -EINVAL;
    return turn_on ? -EPERM : 0;
}

/* init_module(2), EPERM: "modules_disabled". */
long sys_init_module(const void __user *module_image, unsigned long len,
                     const char __user *param_values)
{
    return -EPERM;
}

long sys_finit_module(int fd, const char __user *param_values, int flags)
{
    return -EPERM;
}

long sys_delete_module(const char __user *name, u32 flags)
{
    return -EPERM;
}

/* kexec_load(2), EPERM, and sysctl kernel.kexec_load_disabled. */
long sys_kexec_load(unsigned long entry, unsigned long nr_segments,
                    const struct kexec_segment __user *segments, unsigned long flags)
{
    return -EPERM;
}

long sys_kexec_file_load(int kernel_fd, int initrd_fd, unsigned long cmdline_len,
                         const char __user *cmdline, unsigned long flags)
{
    return -EPERM;
}
