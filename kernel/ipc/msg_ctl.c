/* kernel/ipc/msg_ctl.c: msgctl(2), and what /proc/sysvipc/msg tells. */
#include "cred/cred.h"
#include "ipc/msg_internal.h"
#include "mm/uaccess.h"
#include "syscall_proto.h"

#include <linux/msg.h>

static struct ipc_table *queues(void)
{
    return &ipc_ns_current()->msg;
}

static void queue_stat(struct msg_queue *queue, struct msqid64_ds *out)
{
    *out = (struct msqid64_ds){
        .msg_stime = queue->stime,
        .msg_rtime = queue->rtime,
        .msg_ctime = queue->object.ctime,
        .msg_cbytes = queue->bytes,
        .msg_qnum = queue->count,
        .msg_qbytes = queue->max_bytes,
        .msg_lspid = queue->lspid,
        .msg_lrpid = queue->lrpid,
    };
    ipc_perm_fill(&queue->object, &out->msg_perm);
}

bool msg_next(u32 *index, struct msqid64_ds *out)
{
    AUTO(ipc_put) struct ipc_object *object = ipc_next(queues(), index);

    if (!object)
        return false;
    spin_lock(&object->lock);
    queue_stat(msg_queue_of(object), out);
    spin_unlock(&object->lock);
    return true;
}

static long msg_stat(int msqid, int cmd, struct msqid64_ds __user *buf)
{
    struct msqid64_ds stat;
    long result;
    AUTO(ipc_put)
    struct ipc_object *object =
        ipc_stat_open(queues(), msqid, cmd != IPC_STAT, cmd == MSG_STAT_ANY, &result);

    if (IS_ERR(object))
        return PTR_ERR(object);
    queue_stat(msg_queue_of(object), &stat);
    ipc_unlock(object);
    return copy_to_user(buf, &stat, sizeof(stat)) ? -EFAULT : result;
}

/* More room than usual is for the privileged. */
static int set_locked(struct msg_queue *queue, const struct msqid64_ds *wanted)
{
    int err;

    if (wanted->msg_qbytes > ipc_limit(IPC_MSGMNB) && !capable(CAP_SYS_RESOURCE))
        return -EPERM;
    err = ipc_perm_set(&queue->object, &wanted->msg_perm);
    if (!err) {
        queue->max_bytes = wanted->msg_qbytes;
        msg_recheck(queue);
    }
    return err;
}

static long msg_set(int msqid, const struct msqid64_ds __user *buf)
{
    struct msqid64_ds wanted;

    if (copy_from_user(&wanted, buf, sizeof(wanted)))
        return -EFAULT;

    AUTO(ipc_put) struct ipc_object *object = ipc_control_open(queues(), msqid);

    if (IS_ERR(object))
        return PTR_ERR(object);
    int err = set_locked(msg_queue_of(object), &wanted);

    ipc_unlock(object);
    return err;
}

/* IPC_INFO: limits; MSG_INFO: three of them are what is in use instead. */
static long msg_info(int cmd, void __user *buf)
{
    struct msginfo info = {
        .msgpool = MSGPOOL,
        .msgmap = MSGMAP,
        .msgmax = (int)ipc_limit(IPC_MSGMAX),
        .msgmnb = (int)ipc_limit(IPC_MSGMNB),
        .msgmni = (int)ipc_limit(IPC_MSGMNI),
        .msgssz = MSGSSZ,
        .msgtql = MSGTQL,
        .msgseg = MSGSEG,
    };
    struct msqid64_ds stat;

    if (cmd == MSG_INFO) {
        info.msgpool = info.msgmap = info.msgtql = 0;
        for (u32 index = 0; msg_next(&index, &stat); index++) {
            info.msgpool++;
            info.msgmap += (int)stat.msg_qnum;
            info.msgtql += (int)stat.msg_cbytes;
        }
    }
    if (copy_to_user(buf, &info, sizeof(info)))
        return -EFAULT;
    return ipc_highest_index(queues());
}

long sys_msgctl(int msqid, int cmd, struct msqid64_ds __user *buf)
{
    if (msqid < 0 || cmd < 0)
        return -EINVAL;
    switch (cmd) {
    case IPC_INFO:
    case MSG_INFO:
        return msg_info(cmd, buf);
    case IPC_STAT:
    case MSG_STAT:
    case MSG_STAT_ANY:
        return msg_stat(msqid, cmd, buf);
    case IPC_SET:
        return msg_set(msqid, buf);
    case IPC_RMID:
        return ipc_remove(queues(), msqid);
    default:
        return -EINVAL;
    }
}
