/*
 * kernel/task/membarrier.c: membarrier(2). The host has a thread for each of the program's, so it alone can make them
 * pass a barrier; who may ask for which is decided here.
 */
#include "abi/newer.h"
#include "base/errno.h"
#include "host/thread.h"
#include "syscall_proto.h"
#include "task/internal.h"

#include <linux/membarrier.h>

#define INTENTS                                                                                    \
    (MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |        \
     MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE)
#define COMMANDS                                                                                   \
    (MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED |  \
     MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE | MEMBARRIER_CMD_GET_REGISTRATIONS | INTENTS)

/* Does the host do it at all? */
static long commands(void)
{
    return host_memory_barrier(false, true) ? -ENOSYS : COMMANDS;
}

/* The caller has to have told that it will ask; the bit of the intent stands above that of the command. */
static long expedited(int cmd)
{
    if (!(READ_ONCE(process_self()->barrier_intents) & ((u32)cmd << 1)))
        return -EPERM;
    return host_memory_barrier(false, cmd == MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE);
}

long sys_membarrier(int cmd, u32 flags, int cpu_id)
{
    (void)cpu_id; /* means something only with a flag that is refused */
    if (flags)
        return -EINVAL;
    switch (cmd) {
    case MEMBARRIER_CMD_QUERY:
        return commands();
    case MEMBARRIER_CMD_GLOBAL:
    case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
        return host_memory_barrier(true, false);
    case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
    case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
        return expedited(cmd);
    case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
    case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
    case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
        __atomic_fetch_or(&process_self()->barrier_intents, (u32)cmd, __ATOMIC_RELAXED);
        return 0;
    case MEMBARRIER_CMD_GET_REGISTRATIONS:
        return READ_ONCE(process_self()->barrier_intents);
    default:
        return -EINVAL;
    }
}
