/*
 * tests/sequences/border.c: what else the host is asked: a sequence for each reply that the others do not need,
 * so that a host can lie in it (tests/fuzz/mock_lies.c).
 */
#include "sequence.h"

#include <linux/futex.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <termios.h>
#include <time.h>

static void make_files(void)
{
    mock_host_dir("/host", 0777);
    mock_host_file("/host/f", 0644, "12345", 5);
}

static const struct mock_options on_the_host = {.setup = make_files, .writable = true};

/* --- the host's files ---------------------------------------------------------------------------------- */

static int attributes(void *arg)
{
    mock_user f = mock_string("/host/f"), node = mock_string("/host/node");
    mock_user st = mock_room(sizeof(struct statfs));
    const struct timespec times[2] = {{1000, 1}, {2000, 2}};

    must(mock_call(__NR_statfs, f, st));
    expect(mock_get(struct statfs, st).f_bsize > 0);
    must(mock_call(__NR_chown, f, 7, 8));
    must(mock_call(__NR_utimensat, AT_FDCWD, f, mock_put(times, sizeof(times)), 0));
    st = mock_room(sizeof(struct stat));
    must(mock_call(__NR_stat, f, st));
    expect_equal(mock_get(struct stat, st).st_uid, 7);
    expect_equal(mock_get(struct stat, st).st_gid, 8);
    expect_equal(mock_get(struct stat, st).st_mtim.tv_sec, 2000);
    must(mock_call(__NR_mknod, node, S_IFIFO | 0600, 0));
    must(mock_call(__NR_unlink, node));
    return 0;
}

static void attributes_of_host_files_are_set(void **state)
{
    sequence_with(attributes, on_the_host);
}

/* --- memory ------------------------------------------------------------------------------------------------ */

#define PAGE 4096UL

static int wait_to_end(void *arg)
{
    mock_call(__NR_pause);
    return 0;
}

static int other_memory(void *arg)
{
    mock_user own = (mock_user)must(mock_call(__NR_mmap, 0, 2 * PAGE, PROT_READ | PROT_WRITE,
                                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    struct iovec here, there = {(void *)own, 5};
    mock_user vector = mock_room(2);
    long pid;

    mock_store(own, "first", 5);
    must(mock_call(__NR_mincore, own, 2 * PAGE, vector));
    expect_equal(mock_get(char, vector) & 1, 1);
    pid = must(mock_fork(wait_to_end, NULL));
    here = (struct iovec){(void *)mock_string("other"), 5};
    expect_equal(mock_call(__NR_process_vm_writev, pid, mock_put(&here, sizeof(here)), 1,
                           mock_put(&there, sizeof(there)), 1, 0),
                 5);
    here.iov_base = (void *)mock_room(5);
    expect_equal(mock_call(__NR_process_vm_readv, pid, mock_put(&here, sizeof(here)), 1,
                           mock_put(&there, sizeof(there)), 1, 0),
                 5);
    expect_equal(mock_get(char, (mock_user)here.iov_base), 'o');
    expect_equal(mock_get(char, own), 'f');
    must(mock_call(__NR_kill, pid, SIGKILL));
    expect_equal(mock_wait(pid), SIGKILL);
    must(mock_call(__NR_munmap, own, 2 * PAGE));
    return 0;
}

static void memory_of_another_process_is_reached(void **state)
{
    sequence(other_memory);
}

static uint32_t faults; /* atomic: told so far */

/* Of the first one that a write was a read, which is allowed: the host and the kernel seem to differ. */
static void tell_a_read(void *arg, enum mock_reply reply, void *value, size_t size)
{
    if (reply == MOCK_REPLY_fault_error && !__atomic_fetch_add(&faults, 1, __ATOMIC_SEQ_CST))
        memset(value, 0, size);
}

static int write_to_read_only(void *arg)
{
    mock_user own = (mock_user)must(
        mock_call(__NR_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

    mock_store(own, "x", 1);
    return 0;
}

static int unexpected_fault(void *arg)
{
    faults = 0;
    mock_reply_hook(tell_a_read, NULL);
    expect_equal(mock_wait(must(mock_fork(write_to_read_only, NULL))), SIGSEGV);
    mock_reply_hook(NULL, NULL);
    return 0;
}

static void a_fault_that_is_none_is_tried_again(void **state)
{
    sequence(unexpected_fault);
}

static void say_no(void *arg, enum mock_reply reply, void *value, size_t size)
{
    if (reply == MOCK_REPLY_thread_start_result || reply == MOCK_REPLY_space_fork_result)
        memcpy(value, &(int){-EAGAIN}, size);
}

static int end_at_once(void *arg)
{
    return 7;
}

/* Threads and processes of which the host says that it has none: each runs as usual, or never. */
static int start_denied_ones(void *arg)
{
    mock_reply_hook(say_no, NULL);
    for (int i = 0; i < 30; i++) {
        long tid = mock_thread(end_at_once, NULL), pid = mock_fork(end_at_once, NULL);

        expect(tid > 0 || tid == -EAGAIN);
        expect(pid > 0 || pid == -EAGAIN);
        expect(pid < 0 || mock_wait(pid) == 7 << 8);
    }
    mock_reply_hook(NULL, NULL);
    return 0;
}

static int denied_ones(void *arg)
{
    expect_equal(mock_wait(must(mock_fork(start_denied_ones, NULL))), 0);
    return 0;
}

static void a_thread_that_the_host_denies_runs_or_never_comes(void **state)
{
    sequence(denied_ones);
}

static int words(void *arg)
{
    mock_user word = mock_room(4);
    long zero = must(mock_call(__NR_open, mock_string("/dev/zero"), O_RDONLY));

    must(mock_call(__NR_futex, word, FUTEX_LOCK_PI, 0, 0));
    expect_equal(mock_get(int, word), mock_call(__NR_gettid));
    must(mock_call(__NR_futex, word, FUTEX_UNLOCK_PI, 0, 0));
    expect_equal(mock_call(__NR_read, zero, mock_room(10000), 10000), 10000);
    must(mock_call(__NR_close, zero));
    return 0;
}

static void words_are_exchanged_and_zeroed(void **state)
{
    sequence(words);
}

/* --- processors, clocks, the console -------------------------------------------------------------------- */

static int machine(void *arg)
{
    mock_user mask = mock_put((uint64_t[]){1}, 8), at = mock_room(16);

    must(mock_call(__NR_sched_setaffinity, 0, 8, mask));
    must(mock_call(__NR_sched_setaffinity, 0, 8, mock_put((uint64_t[]){3}, 8)));
    must(mock_call(__NR_clock_getres, CLOCK_MONOTONIC, at));
    expect_equal(mock_get(struct timespec, at).tv_nsec, 1);
    expect_equal(mock_call(__NR_lseek, 0, 0, SEEK_CUR), -ESPIPE);
    mock_call(__NR_ioctl, 0, FIONREAD, at);
    mock_call(__NR_read, 0, at, 4);
    return 0;
}

static void processors_clocks_and_the_console_answer(void **state)
{
    sequence_with(machine, (struct mock_options){.input = "some words"});
}

static int read_a_file_as_console(void *arg)
{
    mock_user at = mock_room(16), ends = mock_room(8);

    must(mock_call(__NR_pipe2, ends, 0));
    expect_equal(mock_call(__NR_lseek, 0, 0, SEEK_SET), 0);
    expect_equal(mock_call(__NR_read, 0, at, 4), 4);
    expect_equal(mock_call(__NR_lseek, 0, 0, SEEK_CUR), 4);
    /* the bytes pass through the kernel */
    expect_equal(mock_call(__NR_splice, 0, 0, mock_get(int, ends + 4), 0, 16, 0), 6);
    expect_equal(mock_call(__NR_read, mock_get(int, ends), at, 16), 6);
    expect_equal(mock_get(char, at), ' ');
    must(mock_call(__NR_close, mock_get(int, ends)));
    must(mock_call(__NR_close, mock_get(int, ends + 4)));
    return 0;
}

static void the_console_may_be_a_file(void **state)
{
    sequence_with(read_a_file_as_console,
                  (struct mock_options){.input = "some words", .console = MOCK_FILES});
}

static int use_terminal(void *arg)
{
    mock_user at = mock_room(64);

    must(mock_call(__NR_ioctl, 0, TCGETS, at));
    must(mock_call(__NR_ioctl, 0, TCSETS, at));
    must(mock_call(__NR_ioctl, 0, TIOCGWINSZ, at));
    expect_equal(mock_get(struct winsize, at).ws_col, 80);
    must(mock_call(__NR_ioctl, 0, TIOCSWINSZ, at));
    must(mock_call(__NR_ioctl, 0, FIONREAD, at));
    must(mock_call(__NR_ioctl, 0, TIOCOUTQ, at));
    must(mock_call(__NR_ioctl, 0, TCFLSH, TCIFLUSH));
    expect_equal(mock_call(__NR_write, 1, mock_string("words"), 5), 5);
    mock_call(__NR_read, 0, at, 4);
    return 0;
}

static void the_console_may_be_a_terminal(void **state)
{
    sequence_with(use_terminal,
                  (struct mock_options){.input = "some words", .console = MOCK_TERMINAL});
}

/* --- the hang report -------------------------------------------------------------------------------------- */

/* Until it was asked; with a limit, since a host that lies may ask nobody. */
static int run_the_program(void *arg)
{
    uint32_t before = *(uint32_t *)arg;

    mock_report(); /* which finds this thread in its program */
    for (int i = 0; i < 200000 && mock_report_answers() == before; i++) {
        sched_yield();
        mock_pause();
    }
    /* the report is done when it ends: what it still holds stays for ever */
    must(mock_call(__NR_nanosleep, mock_put((uint64_t[]){1, 0}, 16), 0));
    return 0;
}

static int ask_for_report(void *arg)
{
    uint32_t before = mock_report_answers();
    long pid = must(mock_fork(run_the_program, &before));

    expect_equal(mock_wait(pid), 0);
    return 0;
}

static void a_report_asks_every_thread(void **state)
{
    sequence(ask_for_report);
    if (getenv("SEQUENCE_MEMORY"))
        return; /* the last instance had no memory to start with */
    assert_true(strstr(mock_log(), "runs the program at") != NULL);
    assert_true(strstr(mock_log(), "report: end") != NULL);
}

/* --- beyond the instance ------------------------------------------------------------------------------------ */

static struct sockaddr_in beyond(uint16_t port)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(0xc0000201)};
}

static int ask_beyond(int type)
{
    int one = 1;
    struct sockaddr_in peer = beyond(7);
    mock_user name = mock_room(sizeof(peer)), len = mock_put(&(int){sizeof(peer)}, 4);
    int fd = (int)must(mock_call(__NR_socket, AF_INET, type, 0));

    must(mock_call(__NR_connect, fd, mock_put(&peer, sizeof(peer)), sizeof(peer)));
    mock_call(__NR_setsockopt, fd, IPPROTO_TCP, TCP_NODELAY, mock_put(&one, 4), 4);
    expect_equal(mock_call(__NR_sendto, fd, mock_string("question"), 8, 0, 0, 0), 8);
    mock_call(__NR_ioctl, fd, FIONREAD, mock_room(4));
    expect_equal(mock_call(__NR_recvfrom, fd, mock_room(64), 64, 0, name, len), 8);
    must(mock_call(__NR_getsockname, fd, name, len));
    mock_call(__NR_shutdown, fd, SHUT_WR);
    must(mock_call(__NR_close, fd));
    return 0;
}

static int asks_by_stream(void *arg)
{
    return ask_beyond(SOCK_STREAM);
}

static int asks_by_datagram(void *arg)
{
    return ask_beyond(SOCK_DGRAM);
}

static void others_answer_beyond_the_instance(void **state)
{
    sequence(asks_by_stream);
    sequence(asks_by_datagram);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_of_host_files_are_set),
        cmocka_unit_test(memory_of_another_process_is_reached),
        cmocka_unit_test(a_fault_that_is_none_is_tried_again),
        cmocka_unit_test(a_thread_that_the_host_denies_runs_or_never_comes),
        cmocka_unit_test(words_are_exchanged_and_zeroed),
        cmocka_unit_test(others_answer_beyond_the_instance),
        cmocka_unit_test(processors_clocks_and_the_console_answer),
        cmocka_unit_test(the_console_may_be_a_file),
        cmocka_unit_test(the_console_may_be_a_terminal),
        cmocka_unit_test(a_report_asks_every_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
