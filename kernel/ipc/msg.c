/* kernel/ipc/msg.c: System V message queues: msgget(2), msgsnd(2), msgrcv(2). */
#include "base/string.h"
#include "ipc/msg_internal.h"
#include "mm/alloc.h"
#include "mm/uaccess.h"
#include "syscall_proto.h"
#include "task/task.h"

#include <linux/msg.h>

/* msgrcv(2): which message a receiver takes. */
struct msg_choice {
    long type; /* 0: any; negative: the lowest up to its absolute value */
    int flags;
    size_t size;
};

struct msg_receiver {
    struct list_head link;    /* the queue's lock: everything */
    struct msg_choice choice; /* constant */
    pid_t pid;                /* constant */
    int result; /* RECEIVER_WAITS; 0: msg is his; -E2BIG, -EIDRM, or -EAGAIN: look again */
    struct msg *msg;
    struct waitq woken;
};
#define RECEIVER_WAITS 1

/* --- queues ------------------------------------------------------------------------------------------------- */

static void queue_free(struct ipc_object *object)
{
    struct msg_queue *queue = msg_queue_of(object);
    struct msg *msg, *next;

    list_for_each_entry_safe(msg, next, &queue->messages, link)
        kfree(msg);
    kfree(queue);
}

static void receiver_finish(struct msg_receiver *receiver, int result, struct msg *msg)
{
    list_del(&receiver->link);
    receiver->result = result;
    receiver->msg = msg;
    waitq_wake(&receiver->woken, 0);
}

static void receivers_finish(struct msg_queue *queue, int result)
{
    struct msg_receiver *receiver, *next;

    list_for_each_entry_safe(receiver, next, &queue->receivers, link)
        receiver_finish(receiver, result, NULL);
}

static void queue_removed(struct ipc_object *object)
{
    struct msg_queue *queue = msg_queue_of(object);

    receivers_finish(queue, -EIDRM);
    waitq_wake(&queue->room, 0);
}

void msg_recheck(struct msg_queue *queue)
{
    receivers_finish(queue, -EAGAIN);
    waitq_wake(&queue->room, 0);
}

static const struct ipc_kind queue_kind = {.removed = queue_removed, .free = queue_free};

static struct ipc_object *queue_create(const struct ipc_getter *getter)
{
    struct msg_queue *queue = kzalloc(sizeof(*queue));

    if (!queue)
        return ERR_PTR(-ENOMEM);
    ipc_object_init(&queue->object, &queue_kind, getter->key, getter->flags);
    list_init(&queue->messages);
    list_init(&queue->receivers);
    waitq_init(&queue->room, "msgsnd");
    queue->max_bytes = ipc_limit(IPC_MSGMNB);
    return &queue->object;
}

long sys_msgget(unsigned int key, int msgflg)
{
    struct ipc_getter getter = {
        .create = queue_create,
        .table = &ipc_ns_current()->msg,
        .key = (s32)key,
        .flags = msgflg,
        .objects = IPC_MSGMNI,
        .total_weight = IPC_LIMITS,
    };

    return ipc_find_or_create(&getter);
}

/* --- choosing ------------------------------------------------------------------------------------------------ */

static bool suits(const struct msg_choice *choice, const struct msg *msg)
{
    if (choice->type == 0)
        return true;
    if (choice->type < 0)
        return msg->type <= -choice->type;
    return choice->flags & MSG_EXCEPT ? msg->type != choice->type : msg->type == choice->type;
}

static bool too_long(const struct msg_choice *choice, const struct msg *msg)
{
    return msg->size > choice->size && !(choice->flags & MSG_NOERROR);
}

/* MSG_COPY: by place in the queue. */
static struct msg *find_nth(struct msg_queue *queue, long n)
{
    struct msg *msg;

    list_for_each_entry(msg, &queue->messages, link) {
        if (n-- == 0)
            return msg;
    }
    return NULL;
}

static struct msg *find(struct msg_queue *queue, const struct msg_choice *choice)
{
    struct msg *msg, *best = NULL;

    if (choice->flags & MSG_COPY)
        return find_nth(queue, choice->type);
    list_for_each_entry(msg, &queue->messages, link) {
        if (suits(choice, msg) && (!best || msg->type < best->type)) {
            best = msg;
            if (choice->type >= 0)
                break;
        }
    }
    return best;
}

/* --- msgsnd --------------------------------------------------------------------------------------------------- */

/* A message from the program: ERR_PTR. */
static struct msg *msg_load(long type, const char __user *text, size_t size)
{
    struct msg *msg = kmalloc(sizeof(*msg) + size);

    if (!msg)
        return ERR_PTR(-ENOMEM);
    msg->type = type;
    msg->size = size;
    if (copy_from_user(msg->text, text, size)) {
        kfree(msg);
        return ERR_PTR(-EFAULT);
    }
    return msg;
}

/* Hands the message to who waits for one like it. Those who have no room for it learn that. */
static bool give_to_receiver(struct msg_queue *queue, struct msg *msg)
{
    struct msg_receiver *receiver, *next;

    list_for_each_entry_safe(receiver, next, &queue->receivers, link) {
        if (!suits(&receiver->choice, msg))
            continue;
        if (too_long(&receiver->choice, msg)) {
            receiver_finish(receiver, -E2BIG, NULL);
            continue;
        }
        queue->lrpid = receiver->pid;
        queue->rtime = ipc_now();
        receiver_finish(receiver, 0, msg);
        return true;
    }
    return false;
}

static bool has_room(const struct msg_queue *queue, size_t size)
{
    return queue->bytes + size <= queue->max_bytes && queue->count + 1 <= queue->max_bytes;
}

static void append(struct msg_queue *queue, struct msg *msg)
{
    queue->lspid = process_self()->pid;
    queue->stime = ipc_now();
    if (give_to_receiver(queue, msg))
        return;
    list_add_tail(&msg->link, &queue->messages);
    queue->bytes += msg->size;
    queue->count++;
}

static int wait_for_room(struct msg_queue *queue, size_t size, int flags)
{
    int err = 0;

    for (;;) {
        if (queue->object.removed)
            return -EIDRM;
        if (err)
            return -ERESTARTNOHAND;
        err = ipc_permission(&queue->object, IPC_WRITE);
        if (err || has_room(queue, size))
            return err;
        if (flags & IPC_NOWAIT)
            return -EAGAIN;
        u64 most = queue->max_bytes;

        err = wait_event(&queue->room, &queue->object.lock,
                         queue->object.removed || has_room(queue, size) || queue->max_bytes != most,
                         KTIME_FOREVER);
    }
}

static int msg_send(int msqid, struct msg *msg, int flags)
{
    AUTO(ipc_put) struct ipc_object *object = ipc_lookup(&ipc_ns_current()->msg, msqid);
    int err;

    if (IS_ERR(object))
        return (int)PTR_ERR(object);
    err = ipc_lock(object);
    if (err)
        return err;
    err = wait_for_room(msg_queue_of(object), msg->size, flags);
    if (!err)
        append(msg_queue_of(object), msg);
    ipc_unlock(object);
    return err;
}

long sys_msgsnd(int msqid, const struct msgbuf __user *msgp, size_t msgsz, int msgflg)
{
    struct msg *msg;
    long type;
    int err;

    if (get_user(type, &msgp->mtype))
        return -EFAULT;
    if (msgsz > ipc_limit(IPC_MSGMAX) || msqid < 0 || type < 1)
        return -EINVAL;
    msg = msg_load(type, msgp->mtext, msgsz);
    if (IS_ERR(msg))
        return PTR_ERR(msg);
    err = msg_send(msqid, msg, msgflg);
    if (err)
        kfree(msg);
    return err;
}

/* --- msgrcv --------------------------------------------------------------------------------------------------- */

static struct msg *take_from(struct msg_queue *queue, struct msg *msg)
{
    list_del(&msg->link);
    queue->bytes -= msg->size;
    queue->count--;
    queue->lrpid = process_self()->pid;
    queue->rtime = ipc_now();
    waitq_wake(&queue->room, 0);
    return msg;
}

/* msgrcv(2), MSG_COPY: the message stays; copy has room for choice->size bytes. */
static struct msg *copy_of(const struct msg *msg, struct msg *copy, const struct msg_choice *choice)
{
    if (msg->size > choice->size)
        return ERR_PTR(-EINVAL);
    copy->type = msg->type;
    copy->size = msg->size;
    memcpy(copy->text, msg->text, msg->size);
    return copy;
}

/* Sleeps until a sender has handed a message over: it, or an error; -EAGAIN: the queue has changed. */
static struct msg *receiver_wait(struct msg_queue *queue, const struct msg_choice *choice)
{
    struct msg_receiver receiver = {
        .choice = *choice, .pid = process_self()->pid, .result = RECEIVER_WAITS};
    int err;

    waitq_init(&receiver.woken, "msgrcv");
    list_add_tail(&receiver.link, &queue->receivers);
    err = wait_event(&receiver.woken, &queue->object.lock, receiver.result != RECEIVER_WAITS,
                     KTIME_FOREVER);
    if (err) {
        list_del(&receiver.link);
        return ERR_PTR(-ERESTARTNOHAND);
    }
    return receiver.result ? ERR_PTR(receiver.result) : receiver.msg;
}

static struct msg *receive_locked(struct msg_queue *queue, const struct msg_choice *choice,
                                  struct msg *copy)
{
    int err = ipc_permission(&queue->object, IPC_READ);
    struct msg *msg = err ? NULL : find(queue, choice);

    if (err)
        return ERR_PTR(err);
    if (msg && too_long(choice, msg))
        return ERR_PTR(-E2BIG);
    if (msg)
        return copy ? copy_of(msg, copy, choice) : take_from(queue, msg);
    return choice->flags & IPC_NOWAIT ? ERR_PTR(-ENOMSG) : receiver_wait(queue, choice);
}

/* The caller owns the message that it gets. */
static struct msg *msg_receive(int msqid, const struct msg_choice *choice, struct msg *copy)
{
    AUTO(ipc_put) struct ipc_object *object = ipc_lookup(&ipc_ns_current()->msg, msqid);
    struct msg *msg;
    int err;

    if (IS_ERR(object))
        return ERR_PTR(PTR_ERR(object));
    err = ipc_lock(object);
    if (err)
        return ERR_PTR(err);
    do {
        msg = receive_locked(msg_queue_of(object), choice, copy);
    } while (msg == ERR_PTR(-EAGAIN));
    ipc_unlock(object);
    return msg;
}

static long msg_to_user(struct msgbuf __user *to, const struct msg *msg, size_t room)
{
    size_t n = MIN(msg->size, room);

    if (put_user(msg->type, &to->mtype) || copy_to_user(to->mtext, msg->text, n))
        return -EFAULT;
    return (long)n;
}

long sys_msgrcv(int msqid, struct msgbuf __user *msgp, size_t msgsz, long msgtyp, int msgflg)
{
    struct msg_choice choice = {
        .type = msgtyp == INT64_MIN ? -INT64_MAX : msgtyp, .flags = msgflg, .size = msgsz};
    struct msg *copy = NULL, *msg;
    long result;

    if (msqid < 0 || (ssize_t)msgsz < 0)
        return -EINVAL;
    if (msgflg & MSG_COPY) {
        if (msgflg & MSG_EXCEPT || !(msgflg & IPC_NOWAIT))
            return -EINVAL;
        choice.size = MIN(msgsz, ipc_limit(IPC_MSGMAX));
        copy = kmalloc(sizeof(*copy) + choice.size);
        if (!copy)
            return -ENOMEM;
    }
    msg = msg_receive(msqid, &choice, copy);
    result = IS_ERR(msg) ? PTR_ERR(msg) : msg_to_user(msgp, msg, msgsz);
    if (!IS_ERR(msg) && msg != copy)
        kfree(msg);
    kfree(copy);
    return result;
}
