/* kernel/fs/procfs/ipc.c: /proc/sysvipc, and the limits of IPC in /proc/sys; see proc(5) and sysvipc(7). */
#include "fs/procfs/internal.h"
#include "fs/pseudo/table.h"
#include "ipc/aio.h"
#include "ipc/sysv.h"

static u64 limit_get(u32 which)
{
    return ipc_limit((enum ipc_limit)which);
}

static int limit_set(u32 which, u64 value)
{
    return ipc_limit_set((enum ipc_limit)which, value);
}

#define LIMIT(id, which, count)                                                                    \
    const struct pseudo_numbers id = {                                                             \
        .get = limit_get, .set = limit_set, .first = which, .n = count}
LIMIT(proc_shmmax, IPC_SHMMAX, 1);
LIMIT(proc_shmall, IPC_SHMALL, 1);
LIMIT(proc_shmmni, IPC_SHMMNI, 1);
LIMIT(proc_sem, IPC_SEMMSL, 4); /* SEMMSL, SEMMNS, SEMOPM, SEMMNI */
LIMIT(proc_msgmax, IPC_MSGMAX, 1);
LIMIT(proc_msgmnb, IPC_MSGMNB, 1);
LIMIT(proc_msgmni, IPC_MSGMNI, 1);

static LIMIT(mq_queues_max, IPC_MQ_QUEUES_MAX, 1);
static LIMIT(mq_msg_max, IPC_MQ_MSG_MAX, 1);
static LIMIT(mq_msgsize_max, IPC_MQ_MSGSIZE_MAX, 1);
static LIMIT(mq_msg_default, IPC_MQ_MSG_DEFAULT, 1);
static LIMIT(mq_msgsize_default, IPC_MQ_MSGSIZE_DEFAULT, 1);

static const struct pseudo_entry mqueue_entries[] = {
    NUMBERS("msg_default", mq_msg_default),         NUMBERS("msg_max", mq_msg_max),
    NUMBERS("msgsize_default", mq_msgsize_default), NUMBERS("msgsize_max", mq_msgsize_max),
    NUMBERS("queues_max", mq_queues_max),           {0},
};
const struct pseudo_dir proc_mqueue_dir = {.entries = mqueue_entries};

static u64 aio_max_get(u32 which)
{
    (void)which;
    return READ_ONCE(aio_limits.max);
}

static int aio_max_set(u32 which, u64 value)
{
    (void)which;
    if (value > UINT32_MAX)
        return -EINVAL;
    WRITE_ONCE(aio_limits.max, (u32)value);
    return 0;
}

const struct pseudo_numbers proc_aio_max = {.get = aio_max_get, .set = aio_max_set, .n = 1};

int proc_show_aio_nr(const struct subject *s, struct text *out)
{
    (void)s;
    text_print(out, "%u\n", __atomic_load_n(&aio_limits.nr, __ATOMIC_RELAXED));
    return 0;
}

/* The columns that all kinds begin with, and those of owner and creator. */
static void print_head(struct text *out, const struct ipc64_perm *perm, u32 index)
{
    text_print(out, "%10d %10d  %4o", perm->key, ipc_id(perm, index), perm->mode);
}

static void print_owners(struct text *out, const struct ipc64_perm *perm)
{
    text_print(out, " %5u %5u %5u %5u", perm->uid, perm->gid, perm->cuid, perm->cgid);
}

static int show_shm(const struct subject *s, struct text *out)
{
    struct shmid64_ds stat;
    u64 resident;

    text_print(out,
               "       key      shmid perms                  size  cpid  lpid nattch   uid   gid"
               "  cuid  cgid      atime      dtime      ctime                   rss"
               "                  swap\n");
    for (u32 index = 0; shm_next(&index, &stat, &resident); index++) {
        print_head(out, &stat.shm_perm, index);
        text_print(out, " %21lu %5u %5u  %5lu", stat.shm_segsz, (u32)stat.shm_cpid,
                   (u32)stat.shm_lpid, stat.shm_nattch);
        print_owners(out, &stat.shm_perm);
        text_print(out, " %10ld %10ld %10ld %21llu %21u\n", stat.shm_atime, stat.shm_dtime,
                   stat.shm_ctime, (unsigned long long)resident, 0);
    }
    return 0;
}

static int show_sem(const struct subject *s, struct text *out)
{
    struct semid64_ds stat;

    text_print(out, "       key      semid perms      nsems   uid   gid  cuid  cgid      otime"
                    "      ctime\n");
    for (u32 index = 0; sem_next(&index, &stat); index++) {
        print_head(out, &stat.sem_perm, index);
        text_print(out, " %10lu", stat.sem_nsems);
        print_owners(out, &stat.sem_perm);
        text_print(out, " %10ld %10ld\n", stat.sem_otime, stat.sem_ctime);
    }
    return 0;
}

static int show_msg(const struct subject *s, struct text *out)
{
    struct msqid64_ds stat;

    text_print(out, "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid"
                    "  cuid  cgid      stime      rtime      ctime\n");
    for (u32 index = 0; msg_next(&index, &stat); index++) {
        print_head(out, &stat.msg_perm, index);
        text_print(out, "  %10lu %10lu %5u %5u", stat.msg_cbytes, stat.msg_qnum,
                   (u32)stat.msg_lspid, (u32)stat.msg_lrpid);
        print_owners(out, &stat.msg_perm);
        text_print(out, " %10ld %10ld %10ld\n", stat.msg_stime, stat.msg_rtime, stat.msg_ctime);
    }
    return 0;
}

static const struct pseudo_entry entries[] = {
    {.name = "msg", .mode = S_IFREG | 0444, .show = show_msg},
    {.name = "sem", .mode = S_IFREG | 0444, .show = show_sem},
    {.name = "shm", .mode = S_IFREG | 0444, .show = show_shm},
    {0},
};
const struct pseudo_dir proc_sysvipc_dir = {.entries = entries};
