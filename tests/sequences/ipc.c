/* tests/sequences/ipc.c: System V IPC, message queues, futexes of several words, namespaces, another's memory. */
#include "sequence.h"

#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/uio.h>

/* --- System V -------------------------------------------------------------------------------------------- */

static int messages(void *arg)
{
    mock_user text = mock_put((uint64_t[]){1, 2, 3}, 24);
    long id = must(mock_call(__NR_msgget, IPC_PRIVATE, 0600));

    expect_equal(mock_call(__NR_msgsnd, id, text, 16, 0), 0);
    expect_equal(mock_call(__NR_msgsnd, id, text, 16, 0), 0);
    expect_equal(mock_call(__NR_msgrcv, id, text, 16, 0, 040000 /* MSG_COPY */ | IPC_NOWAIT), 16);
    expect_equal(mock_call(__NR_msgrcv, id, text, 16, 1, 0), 16);
    expect_equal(mock_call(__NR_msgctl, id, IPC_RMID, 0), 0);
    return 0;
}

static void messages_go_with_their_queue(void **state)
{
    sequence(messages);
}

static int undo(void *arg)
{
    mock_user ops =
        mock_put((struct sembuf[]){{0, 1, SEM_UNDO}, {1, 2, SEM_UNDO}}, 2 * sizeof(struct sembuf));

    expect_equal(mock_call(__NR_semop, (long)arg, ops, 2), 0);
    return 0;
}

static int semaphores(void *arg)
{
    long id = must(mock_call(__NR_semget, IPC_PRIVATE, 100, 0600));
    struct sembuf many[100];
    uint16_t values[100] = {0};

    for (int i = 0; i < 100; i++)
        many[i] = (struct sembuf){(unsigned short)i, 1, 0};
    expect_equal(mock_call(__NR_semop, id, mock_put(many, sizeof(many)), 100), 0);
    expect_equal(mock_call(__NR_semctl, id, 0, SETALL, mock_put(values, sizeof(values))), 0);
    expect_equal(mock_wait(must(mock_fork(undo, (void *)id))), 0);
    expect_equal(mock_call(__NR_semctl, id, 1, GETVAL, 0), 0);
    expect_equal(mock_call(__NR_semctl, id, 0, IPC_RMID, 0), 0);
    return 0;
}

static void semaphores_are_undone(void **state)
{
    sequence(semaphores);
}

static int segments(void *arg)
{
    long id = must(mock_call(__NR_shmget, IPC_PRIVATE, 8192, 0600));
    mock_user at = (mock_user)must(mock_call(__NR_shmat, id, 0, 0));

    mock_store(at + 5000, "shared", 6);
    expect_equal(mock_call(__NR_shmctl, id, IPC_RMID, 0), 0);
    expect_equal(mock_call(__NR_shmdt, at), 0);
    return 0;
}

static void segments_go_with_their_last_user(void **state)
{
    sequence(segments);
}

/* --- message queues ---------------------------------------------------------------------------------------- */

static int queue(void *arg)
{
    struct mq_attr attr = {.mq_maxmsg = 4, .mq_msgsize = 64};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGCHLD};
    mock_user room = mock_room(64);
    long mq = must(mock_call(__NR_mq_open, mock_string("queue"), O_RDWR | O_CREAT, 0600,
                             mock_put(&attr, sizeof(attr))));

    expect_equal(mock_call(__NR_mq_notify, mq, mock_put(&event, sizeof(event))), 0);
    expect_equal(mock_call(__NR_mq_timedsend, mq, mock_string("one"), 3, 1, 0), 0);
    expect_equal(mock_call(__NR_mq_timedsend, mq, mock_string("two"), 3, 9, 0), 0);
    expect_equal(mock_call(__NR_mq_timedreceive, mq, room, 64, 0, 0), 3);
    expect_equal(mock_call(__NR_mq_unlink, mock_string("queue")), 0);
    must(mock_call(__NR_close, mq));
    return 0;
}

static void queues_are_given_back(void **state)
{
    sequence(queue);
}

static int told_threads(void *arg)
{
    long socket = must(mock_call(__NR_socket, AF_NETLINK, SOCK_RAW, 0));
    struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_signo = (int)socket};
    long mq = must(mock_call(__NR_mq_open, mock_string("queue"), O_RDWR | O_CREAT, 0600, 0));

    event.sigev_value.sival_ptr = (void *)mock_room(32);
    expect_equal(mock_call(__NR_mq_notify, mq, mock_put(&event, sizeof(event))), 0);
    expect_equal(mock_call(__NR_mq_timedsend, mq, mock_string("one"), 3, 1, 0), 0);
    expect_equal(mock_call(__NR_recvfrom, socket, mock_room(64), 64, MSG_DONTWAIT, 0, 0), 32);
    expect_equal(mock_call(__NR_mq_notify, mq, mock_put(&event, sizeof(event))), 0);
    expect_equal(mock_call(__NR_mq_unlink, mock_string("queue")), 0);
    must(mock_call(__NR_close, mq));
    expect_equal(mock_call(__NR_recvfrom, socket, mock_room(64), 64, MSG_DONTWAIT, 0, 0), 32);
    must(mock_call(__NR_close, socket));
    return 0;
}

static void threads_are_told_of_messages(void **state)
{
    sequence(told_threads);
}

/* --- futexes, and what signals wake ------------------------------------------------------------------------- */

#define NR_FUTEX_WAITV 449

static int wait_for_words(void *arg)
{
    mock_user word = mock_put(&(uint32_t){7}, 4);
    struct {
        uint64_t val, uaddr;
        uint32_t flags, reserved;
    } words[3] = {{7, word, FUTEX_32, 0}, {7, word, FUTEX_32, 0}, {8, word, FUTEX_32, 0}};

    expect_equal(mock_call(NR_FUTEX_WAITV, mock_put(words, sizeof(words)), 3, 0, 0, 0), -EAGAIN);
    return 0;
}

static void several_words_are_waited_for(void **state)
{
    sequence(wait_for_words);
}

static int poll_signals(void *arg)
{
    mock_user set = mock_put(&(uint64_t){1UL << (SIGUSR1 - 1)}, 8);
    struct pollfd fds[40];
    int fd;

    must(mock_call(__NR_rt_sigprocmask, SIG_BLOCK, set, 0, 8));
    fd = (int)must(mock_call(__NR_signalfd4, -1, set, 8, 0));
    for (size_t i = 0; i < 40; i++) /* more than fit on any stack */
        fds[i] = (struct pollfd){.fd = fd, .events = POLLIN};
    expect_equal(mock_call(__NR_poll, mock_put(fds, sizeof(fds)), 40, 1), 0);
    must(mock_call(__NR_kill, must(mock_call(__NR_getpid)), SIGUSR1));
    expect_equal(mock_call(__NR_poll, mock_put(fds, sizeof(fds)), 40, -1), 40);
    must(mock_call(__NR_close, fd));
    expect_equal(mock_call(__NR_rt_sigtimedwait, set, 0, 0, 8), SIGUSR1);
    must(mock_call(__NR_rt_sigprocmask, SIG_UNBLOCK, set, 0, 8));
    return 0;
}

static void signals_are_polled(void **state)
{
    sequence(poll_signals);
}

static int select_many(void *arg)
{
    mock_user pair = mock_room(8), sets = mock_room(128);
    int fds[2];

    must(mock_call(__NR_setrlimit, RLIMIT_NOFILE, mock_put((uint64_t[]){1024, 1024}, 16)));
    must(mock_call(__NR_pipe2, pair, 0));
    mock_load(fds, pair, sizeof(fds));
    expect_equal(mock_call(__NR_dup2, fds[0], 900), 900);
    for (int i = 800; i < 840; i++)
        expect_equal(mock_call(__NR_dup2, fds[0], i), i);
    mock_store(sets + 900 / 8, &(uint8_t){1 << 900 % 8}, 1);
    mock_store(sets + 800 / 8, (uint8_t[]){255, 255, 255, 255, 255}, 5);
    expect_equal(mock_call(__NR_select, 1000, sets, 0, 0, mock_put((uint64_t[]){0, 100}, 16)), 0);
    expect_equal(mock_call(__NR_fcntl, fds[0], F_SETPIPE_SZ, 1 << 17), 1 << 17);
    expect_equal(mock_call(__NR_close_range, fds[0], 1000, 0), 0);
    return 0;
}

static void many_descriptors_are_selected(void **state)
{
    sequence(select_many);
}

static int packets(void *arg)
{
    mock_user pair = mock_room(8);
    int fds[2];

    must(mock_call(__NR_pipe2, pair, O_DIRECT));
    mock_load(fds, pair, sizeof(fds));
    expect_equal(mock_call(__NR_write, fds[1], mock_string("one"), 3), 3);
    expect_equal(mock_call(__NR_write, fds[1], mock_string("two"), 3), 3);
    expect_equal(mock_call(__NR_read, fds[0], mock_room(8), 8), 3);
    expect_equal(mock_call(__NR_close_range, fds[0], fds[1], 0), 0);
    return 0;
}

static void a_pipe_keeps_packets_apart(void **state)
{
    sequence(packets);
}

/* --- namespaces, and another process ------------------------------------------------------------------------- */

#define OWN_NAMESPACES (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC)

static int live_elsewhere(void *arg)
{
    long fd = must(mock_call(__NR_open, mock_string("/proc/self/ns/uts"), O_RDONLY, 0));

    expect_equal(mock_call(__NR_unshare, OWN_NAMESPACES), 0);
    expect_equal(mock_call(__NR_sethostname, mock_string("other"), 5), 0);
    expect_equal(mock_call(__NR_mount, mock_string("none"), mock_string("/dev/shm"),
                           mock_string("devpts"), 0, mock_string("newinstance")),
                 0);
    expect_equal(mock_call(__NR_umount2, mock_string("/dev/shm"), 0), 0);
    queue(NULL);
    expect_equal(mock_call(__NR_setns, fd, CLONE_NEWUTS), 0);
    must(mock_call(__NR_close, fd));
    return 0;
}

static int namespaces(void *arg)
{
    expect_equal(mock_wait(must(mock_fork(live_elsewhere, NULL))), 0);
    return 0;
}

static void namespaces_go_with_their_last_process(void **state)
{
    sequence(namespaces);
}

static int sleep_for_ever(void *arg)
{
    mock_call(__NR_pause);
    return 0;
}

static int read_another(void *arg)
{
    mock_user word = mock_put("memory", 7), room = mock_room(8);
    long pid = must(mock_fork(sleep_for_ever, NULL));
    struct iovec here = {(void *)room, 7}, there = {(void *)word, 7};

    expect_equal(mock_call(__NR_process_vm_readv, pid, mock_put(&here, sizeof(here)), 1,
                           mock_put(&there, sizeof(there)), 1, 0),
                 7);
    must(mock_call(__NR_kill, pid, SIGKILL));
    expect_equal(mock_wait(pid), SIGKILL);
    return 0;
}

static void anothers_memory_is_read(void **state)
{
    sequence(read_another);
}

/* --- asynchronous requests --------------------------------------------------------------------------------- */

static mock_user request(long fd, int opcode, uint64_t buf, uint64_t size, long told)
{
    struct iocb one = {.aio_fildes = (uint32_t)fd,
                       .aio_lio_opcode = (uint16_t)opcode,
                       .aio_buf = buf,
                       .aio_nbytes = size,
                       .aio_flags = told >= 0 ? IOCB_FLAG_RESFD : 0,
                       .aio_resfd = (uint32_t)told};

    return mock_put(&one, sizeof(one));
}

static long submit(uint64_t context, mock_user one)
{
    return mock_call(__NR_io_submit, context, 1, mock_put(&one, sizeof(one)));
}

static uint64_t context_for(long events)
{
    mock_user at = mock_put(&(uint64_t){0}, 8);

    expect_equal(mock_call(__NR_io_setup, events, at), 0);
    return mock_get(uint64_t, at);
}

static long wait_event(uint64_t context)
{
    return mock_call(__NR_io_getevents, context, 1, 1, mock_room(sizeof(struct io_event)), 0);
}

static int end_with_a_request(void *arg)
{
    uint64_t context = context_for(1);

    expect_equal(submit(context, request((long)arg, IOCB_CMD_POLL, POLLIN, 0, -1)), 1);
    return 0;
}

static int requests(void *arg)
{
    uint64_t context = context_for(1000);
    long told = must(mock_call(__NR_eventfd2, 0, 0));
    mock_user fds = mock_room(8), cancelled;

    must(mock_call(__NR_pipe2, fds, 0));
    int in = mock_get(int, fds), out = mock_get(int, fds + 4);

    cancelled = request(in, IOCB_CMD_POLL, POLLIN, 0, -1);
    expect_equal(submit(context, cancelled), 1);
    expect_equal(mock_call(__NR_io_cancel, context, cancelled, mock_room(32)), -EINPROGRESS);
    expect_equal(wait_event(context), 1);
    expect_equal(submit(context, request(in, IOCB_CMD_POLL, POLLIN, 0, told)), 1);
    expect_equal(submit(context, request(in, IOCB_CMD_POLL, POLLIN, 1, -1)), -EINVAL);
    expect_equal(submit(context, request(out, IOCB_CMD_PWRITE, mock_string("x"), 1, -1)), 1);
    expect_equal(wait_event(context), 1);
    expect_equal(wait_event(context), 1);
    expect_equal(mock_call(__NR_read, told, mock_room(8), 8), 8);
    expect_equal(mock_call(__NR_read, in, mock_room(8), 8), 1);
    expect_equal(submit(context, request(in, IOCB_CMD_POLL, POLLIN, 0, told)), 1);
    expect_equal(mock_wait(must(mock_fork(end_with_a_request, (void *)(long)in))), 0);
    expect_equal(mock_call(__NR_io_destroy, context), 0);
    must(mock_call(__NR_close, in));
    must(mock_call(__NR_close, out));
    must(mock_call(__NR_close, told));
    return 0;
}

static void requests_go_with_their_context(void **state)
{
    sequence(requests);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_go_with_their_queue),
        cmocka_unit_test(semaphores_are_undone),
        cmocka_unit_test(segments_go_with_their_last_user),
        cmocka_unit_test(queues_are_given_back),
        cmocka_unit_test(threads_are_told_of_messages),
        cmocka_unit_test(several_words_are_waited_for),
        cmocka_unit_test(signals_are_polled),
        cmocka_unit_test(many_descriptors_are_selected),
        cmocka_unit_test(a_pipe_keeps_packets_apart),
        cmocka_unit_test(namespaces_go_with_their_last_process),
        cmocka_unit_test(anothers_memory_is_read),
        cmocka_unit_test(requests_go_with_their_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
