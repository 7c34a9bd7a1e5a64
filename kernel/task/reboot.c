/*
 * kernel/task/reboot.c: reboot(2). The instance is the machine: it ends, and whoever started it sees
 * what the man page says of pid namespaces, the first process killed by SIGHUP or SIGINT.
 */
#include "base/errno.h"
#include "syscall_proto.h"
#include "task/internal.h"

#include <linux/reboot.h>

static bool magic_is_right(u32 magic, u32 magic2)
{
    return magic == LINUX_REBOOT_MAGIC1 &&
           (magic2 == LINUX_REBOOT_MAGIC2 || magic2 == LINUX_REBOOT_MAGIC2A ||
            magic2 == LINUX_REBOOT_MAGIC2B || magic2 == LINUX_REBOOT_MAGIC2C);
}

long sys_reboot(u32 magic, u32 magic2, u32 op, void __user *arg)
{
    (void)arg; /* LINUX_REBOOT_CMD_RESTART2's text is for firmware */
    if (!capable(CAP_SYS_BOOT))
        return -EPERM;
    if (!magic_is_right(magic, magic2))
        return -EINVAL;
    switch (op) {
    case LINUX_REBOOT_CMD_RESTART:
    case LINUX_REBOOT_CMD_RESTART2:
        instance_exit(SIGHUP);
    case LINUX_REBOOT_CMD_HALT:
    case LINUX_REBOOT_CMD_POWER_OFF:
        instance_exit(SIGINT);
    default: /* nobody presses Ctrl-Alt-Delete here, and there is nothing to suspend to */
        return -EINVAL;
    }
}
