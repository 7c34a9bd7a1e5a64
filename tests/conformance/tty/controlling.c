/* controlling.c: the controlling terminal of a session: foreground, background, keys, hangup. */
#include "../lib/terminal.h"

#include <sys/ioctl.h>
#include <termios.h>

/* Each case is a session of its own, whose leader holds both ends. */
static void new_session(void)
{
    need(setsid() > 0);
    need(terminal_open());
    signal(SIGTTOU, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    need_eq(ioctl(slave, TIOCSCTTY, 0), 0);
}

/* A group of its own in the session, with default signals. */
static pid_t start_group(int (*body)(void *), void *arg)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    need(pid >= 0);
    if (pid == 0) {
        need_eq(setpgid(0, 0), 0);
        signal(SIGTTOU, SIG_DFL);
        signal(SIGHUP, SIG_DFL);
        _exit(body(arg));
    }
    setpgid(pid, pid);
    need(wait_until(getpgid(pid) == pid));
    return pid;
}

static void kill_and_reap(pid_t pid)
{
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(child_end(pid), SIGKILL);
}

static int take_terminal(void *arg)
{
    int fd, sid = -1;

    (void)arg;
    new_session();
    fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    need(fd >= 0);
    need_eq(tcgetpgrp(slave), getpgrp());
    need_eq(tcgetpgrp(fd), getpgrp());
    need_eq(ioctl(slave, TIOCGSID, &sid), 0);
    need_eq(sid, getpid());
    need_eq(ioctl(slave, TIOCSCTTY, 0), 0); /* again: no change */
    return 0;
}

/* covers: ioctl TIOCSCTTY TIOCGPGRP TIOCGSID */
static void session_leader_takes_a_terminal(void **state)
{
    (void)state;
    child_passes(take_terminal, NULL);
}

static int no_terminal(void *arg)
{
    (void)arg;
    need(setsid() > 0);
    need_errno(open("/dev/tty", O_RDWR), ENXIO);
    return 0;
}

/* covers: setsid open ENXIO */
static void new_session_has_no_terminal(void **state)
{
    (void)state;
    child_passes(no_terminal, NULL);
}

static int open_takes(void *arg)
{
    int fd;

    need(setsid() > 0);
    master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    need(master >= 0 && unlockpt(master) == 0);
    slave = open(ptsname(master), O_RDWR | (arg ? O_NOCTTY : 0));
    need(slave >= 0);
    fd = open("/dev/tty", O_RDWR);
    need_eq(fd >= 0, arg == NULL);
    return 0;
}

/* covers: open O_NOCTTY */
static void open_by_a_leader_takes_the_terminal_unless_noctty(void **state)
{
    (void)state;
    child_passes(open_takes, NULL);
    child_passes(open_takes, (void *)1);
}

static int not_leader(void *arg)
{
    (void)arg;
    need_errno(ioctl(slave, TIOCSCTTY, 0), EPERM);
    return 0;
}

static int take_errors(void *arg)
{
    (void)arg;
    need(setsid() > 0);
    master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    need(master >= 0 && unlockpt(master) == 0);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    child_passes(not_leader, NULL);
    return 0;
}

static int steal(void *arg)
{
    (void)arg;
    need(setsid() > 0);
    need_errno(ioctl(slave, TIOCSCTTY, 0), EPERM);
    return 0;
}

static int taken_elsewhere(void *arg)
{
    (void)arg;
    new_session();
    child_passes(steal, NULL);
    return 0;
}

/* covers: ioctl TIOCSCTTY EPERM */
static void taking_is_eperm_for_others_and_for_a_taken_terminal(void **state)
{
    (void)state;
    child_passes(take_errors, NULL);
    child_passes(taken_elsewhere, NULL);
}

static int keys(void *arg)
{
    static const struct {
        const char *key;
        int sig;
    } kinds[] = {{"\003", SIGINT}, {"\034", SIGQUIT}};
    pid_t front, back;

    (void)arg;
    new_session();
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        front = start_group(sleep_forever, NULL);
        back = start_group(sleep_forever, NULL);
        need_eq(tcsetpgrp(slave, front), 0);
        need_eq(tcgetpgrp(slave), front);
        need_eq(write(master, kinds[i].key, 1), 1);
        need_eq(child_end(front) & 0x7f, kinds[i].sig);
        need_eq(waitpid(back, NULL, WNOHANG), 0);
        kill_and_reap(back);
    }
    return 0;
}

/* covers: ioctl TIOCSPGRP TIOCGPGRP VINTR VQUIT ISIG */
static void interrupt_and_quit_keys_signal_the_foreground_group(void **state)
{
    (void)state;
    child_passes(keys, NULL);
}

static int suspend_key(void *arg)
{
    pid_t front;
    int status;

    (void)arg;
    new_session();
    front = start_group(sleep_forever, NULL);
    need_eq(tcsetpgrp(slave, front), 0);
    need_eq(write(master, "\032", 1), 1);
    need_eq(waitpid(front, &status, WUNTRACED), front);
    need_eq(WSTOPSIG(status), SIGTSTP);
    kill_and_reap(front);
    return 0;
}

/* covers: ioctl VSUSP ISIG */
static void suspend_key_stops_the_foreground_group(void **state)
{
    (void)state;
    child_passes(suspend_key, NULL);
}

static int key_flushes(void *arg)
{
    struct termios mode;
    pid_t front;
    int amount = -1;

    (void)arg;
    new_session();
    front = start_group(sleep_forever, NULL);
    need_eq(tcsetpgrp(slave, front), 0);
    need_eq(write(master, "typed\n", 6), 6);
    need_eq(write(master, "\003", 1), 1);
    need_eq(child_end(front), SIGINT);
    need_eq(tcsetpgrp(slave, getpgrp()), 0);
    need_eq(ioctl(slave, FIONREAD, &amount), 0);
    need_eq(amount, 0);
    /* Without ISIG the key is a character like any other. */
    need_eq(tcgetattr(slave, &mode), 0);
    mode.c_lflag &= ~(tcflag_t)(ISIG | ICANON | ECHO);
    need_eq(tcsetattr(slave, TCSANOW, &mode), 0);
    need_eq(write(master, "\003", 1), 1);
    char got = 0;
    need_eq(read(slave, &got, 1), 1);
    need_eq(got, 3);
    return 0;
}

/* covers: ioctl FIONREAD ISIG NOFLSH */
static void interrupt_key_discards_input_and_needs_isig(void **state)
{
    (void)state;
    child_passes(key_flushes, NULL);
}

static int read_terminal(void *arg)
{
    char got;
    ssize_t count;

    if (arg) {
        signal(SIGTTIN, SIG_IGN);
    }
    count = read(slave, &got, 1);
    return count == 1 ? got : count == -1 && errno == EIO ? 77 : 78;
}

static int background_read(void *arg)
{
    pid_t pid;
    int status;

    (void)arg;
    new_session();
    pid = start_group(read_terminal, NULL);
    need_eq(waitpid(pid, &status, WUNTRACED), pid);
    need(WIFSTOPPED(status));
    need_eq(WSTOPSIG(status), SIGTTIN);
    /* Brought to the foreground and continued, the read goes on. */
    need_eq(tcsetpgrp(slave, pid), 0);
    need_eq(kill(pid, SIGCONT), 0);
    need_eq(write(master, "A\n", 2), 2);
    need_eq(child_end(pid), 'A' << 8);
    need_eq(tcsetpgrp(slave, getpgrp()), 0);
    pid = start_group(read_terminal, (void *)1);
    need_eq(child_end(pid), 77 << 8);
    return 0;
}

/* covers: read EIO */
static void background_read_stops_by_sigttin_or_is_eio_when_ignored(void **state)
{
    (void)state;
    child_passes(background_read, NULL);
}

static int write_terminal(void *arg)
{
    (void)arg;
    return write(slave, "w", 1) == 1 ? 0 : 1;
}

static int background_write(void *arg)
{
    struct termios mode;
    pid_t pid;
    int status;

    (void)arg;
    new_session();
    pid = start_group(write_terminal, NULL);
    need_eq(child_end(pid), 0);
    need_eq(tcgetattr(slave, &mode), 0);
    mode.c_lflag |= TOSTOP;
    need_eq(tcsetattr(slave, TCSANOW, &mode), 0);
    pid = start_group(write_terminal, NULL);
    need_eq(waitpid(pid, &status, WUNTRACED), pid);
    need(WIFSTOPPED(status));
    need_eq(WSTOPSIG(status), SIGTTOU);
    kill_and_reap(pid);
    return 0;
}

/* covers: write TOSTOP */
static void background_write_stops_by_sigttou_only_with_tostop(void **state)
{
    (void)state;
    child_passes(background_write, NULL);
}

static int change_terminal(void *arg)
{
    struct termios mode;

    if (arg) {
        signal(SIGTTOU, SIG_IGN);
    }
    need_eq(tcgetattr(slave, &mode), 0);
    return tcsetattr(slave, TCSANOW, &mode) == 0 ? 0 : 1;
}

static int background_change(void *arg)
{
    pid_t pid;
    int status;

    (void)arg;
    new_session();
    pid = start_group(change_terminal, NULL);
    need_eq(waitpid(pid, &status, WUNTRACED), pid);
    need(WIFSTOPPED(status));
    need_eq(WSTOPSIG(status), SIGTTOU);
    kill_and_reap(pid);
    pid = start_group(change_terminal, (void *)1);
    need_eq(child_end(pid), 0);
    return 0;
}

/* covers: ioctl TCSETS */
static void background_change_of_mode_stops_by_sigttou_unless_ignored(void **state)
{
    (void)state;
    child_passes(background_change, NULL);
}

static int group_errors(void *arg)
{
    int other = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), group = -5;

    (void)arg;
    new_session();
    need_errno(tcsetpgrp(slave, 0x3ffffffe), ESRCH);
    need_errno(ioctl(slave, TIOCSPGRP, &group), EINVAL);
    need_errno(ioctl(slave, TIOCSPGRP, BAD_PTR), EFAULT);
    need_eq(unlockpt(other), 0);
    int fd = open(ptsname(other), O_RDWR | O_NOCTTY | O_CLOEXEC);
    need_errno(tcsetpgrp(fd, getpgrp()), ENOTTY);
    need_errno(tcgetpgrp(fd), ENOTTY);
    return 0;
}

/* covers: ioctl TIOCSPGRP TIOCGPGRP ESRCH EINVAL EFAULT ENOTTY */
static void foreground_group_must_exist_on_the_own_terminal(void **state)
{
    (void)state;
    child_passes(group_errors, NULL);
}

static int owners(void *arg)
{
    int flags, ends[2];

    (void)arg;
    new_session();
    ends[0] = master;
    ends[1] = slave;
    for (int i = 0; i < 2; i++) {
        need_eq(fcntl(ends[i], F_GETOWN), 0);
        flags = fcntl(ends[i], F_GETFL);
        need_eq(fcntl(ends[i], F_SETFL, flags | O_ASYNC), 0);
        need_eq(fcntl(ends[i], F_GETOWN), i == 0 ? getpid() : -getpgrp());
    }
    need_eq(fcntl(slave, F_SETFL, 0), 0);
    need_eq(fcntl(slave, F_SETOWN, getpid()), 0); /* who is chosen stays */
    need_eq(fcntl(slave, F_SETFL, O_ASYNC), 0);
    need_eq(fcntl(slave, F_GETOWN), getpid());
    return 0;
}

/* covers: fcntl F_SETFL O_ASYNC F_GETOWN */
static void terminals_choose_whom_they_signal(void **state)
{
    (void)state;
    child_passes(owners, NULL);
}

static int lead_and_sleep(void *ready)
{
    need(setsid() > 0);
    turn_give(ready);
    return sleep_forever(NULL);
}

static int foreign_group(void *arg)
{
    struct turn ready;
    pid_t pid;

    (void)arg;
    turn_init(&ready);
    new_session();
    pid = child_start(lead_and_sleep, &ready);
    turn_await(&ready);
    need_errno(tcsetpgrp(slave, pid), EPERM);
    kill_and_reap(pid);
    return 0;
}

/* covers: ioctl TIOCSPGRP EPERM */
static void foreground_group_of_another_session_is_eperm(void **state)
{
    (void)state;
    child_passes(foreign_group, NULL);
}

static int wait_for_winch(void *ready)
{
    sigset_t set;
    int sig;

    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    sigprocmask(SIG_BLOCK, &set, NULL);
    turn_give(ready);
    need_eq(sigwait(&set, &sig), 0);
    return 0;
}

static int resize(void *arg)
{
    struct winsize size = {.ws_row = 40, .ws_col = 100};
    struct turn ready;
    pid_t pid;

    (void)arg;
    turn_init(&ready);
    new_session();
    pid = start_group(wait_for_winch, &ready);
    turn_await(&ready);
    need_eq(tcsetpgrp(slave, pid), 0);
    need_eq(ioctl(master, TIOCSWINSZ, &size), 0);
    need_eq(child_end(pid), 0);
    return 0;
}

/* covers: ioctl TIOCSWINSZ */
static void new_size_sends_sigwinch_to_the_foreground_group(void **state)
{
    (void)state;
    child_passes(resize, NULL);
}

/* The parent holds the master, the child's session has the slave. */
static int hang_up(void *arg)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct turn ready;
    pid_t pid;

    (void)arg;
    turn_init(&ready);
    need(fd >= 0 && unlockpt(fd) == 0);
    pid = child_fork();
    if (pid == 0) {
        need(setsid() > 0);
        slave = open(ptsname(fd), O_RDWR);
        need(slave >= 0);
        close(fd);
        turn_give(&ready);
        sleep_forever(NULL);
    }
    turn_await(&ready);
    close(fd);
    need_eq(child_end(pid), SIGHUP);
    return 0;
}

/* covers: close */
static void close_of_the_master_sends_sighup_to_the_leader(void **state)
{
    (void)state;
    child_passes(hang_up, NULL);
}

struct survivor {
    volatile pid_t pid;
    volatile int hung_up, done;
};

static struct survivor *survivor;

static void note_hangup(int sig)
{
    (void)sig;
    survivor->hung_up++;
}

static int survive(void *arg)
{
    (void)arg;
    signal(SIGHUP, note_hangup);
    survivor->pid = getpid();
    need(wait_until(survivor->hung_up > 0));
    /* The terminal is no longer that of the session. */
    need(wait_until(open("/dev/tty", O_RDWR) == -1 && errno == ENXIO));
    survivor->done = 1;
    return 0;
}

static int leader_leaves(void *arg)
{
    int status;
    pid_t leader;

    (void)arg;
    leader = child_fork();
    if (leader == 0) {
        pid_t pid;

        new_session();
        pid = start_group(survive, NULL);
        need(wait_until(survivor->pid == pid));
        need_eq(tcsetpgrp(slave, pid), 0);
        _exit(0);
    }
    need_eq(waitpid(leader, &status, 0), leader);
    need_eq(status, 0);
    need(wait_until(survivor->done));
    return 0;
}

/* covers: exit_group */
static void end_of_the_leader_hangs_up_the_foreground_group(void **state)
{
    (void)state;
    survivor = shared_alloc(4096);
    child_passes(leader_leaves, NULL);
}

static int give_up(void *arg)
{
    (void)arg;
    new_session();
    need_eq(ioctl(slave, TIOCNOTTY, 0), 0);
    need_errno(open("/dev/tty", O_RDWR), ENXIO);
    need_errno(ioctl(slave, TIOCNOTTY, 0), ENOTTY);
    return 0;
}

/* covers: ioctl TIOCNOTTY ENOTTY */
static void leader_gives_the_terminal_up(void **state)
{
    (void)state;
    child_passes(give_up, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session_leader_takes_a_terminal),
        cmocka_unit_test(terminals_choose_whom_they_signal),
        cmocka_unit_test(new_session_has_no_terminal),
        cmocka_unit_test(open_by_a_leader_takes_the_terminal_unless_noctty),
        cmocka_unit_test(taking_is_eperm_for_others_and_for_a_taken_terminal),
        cmocka_unit_test(interrupt_and_quit_keys_signal_the_foreground_group),
        cmocka_unit_test(suspend_key_stops_the_foreground_group),
        cmocka_unit_test(interrupt_key_discards_input_and_needs_isig),
        cmocka_unit_test(background_read_stops_by_sigttin_or_is_eio_when_ignored),
        cmocka_unit_test(background_write_stops_by_sigttou_only_with_tostop),
        cmocka_unit_test(background_change_of_mode_stops_by_sigttou_unless_ignored),
        cmocka_unit_test(foreground_group_must_exist_on_the_own_terminal),
        cmocka_unit_test(foreground_group_of_another_session_is_eperm),
        cmocka_unit_test(new_size_sends_sigwinch_to_the_foreground_group),
        cmocka_unit_test(close_of_the_master_sends_sighup_to_the_leader),
        cmocka_unit_test(end_of_the_leader_hangs_up_the_foreground_group),
        cmocka_unit_test(leader_gives_the_terminal_up),
    };

    return cmocka_run_group_tests_name("tty/controlling", tests, NULL, NULL);
}
