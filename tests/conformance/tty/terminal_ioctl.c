/* terminal_ioctl.c: ioctl_tty(2), pty(7), vhangup(2): what terminals can be asked and told, and devpts. */
/* tags: root-only */
#include "../lib/terminal.h"

#include <asm/termbits.h>
#include <dirent.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static short poll_now(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLPRI | POLLOUT};

    need(poll(&p, 1, 0) >= 0);
    return p.revents;
}

/* covers: ioctl TCGETS2 TCSETS2 TCSETSW2 TCSETSF2 BOTHER */
static void speeds_are_kept_as_numbers(void **state)
{
    struct termios2 mode;

    (void)state;
    need_eq(ioctl(slave, TCGETS2, &mode), 0);
    need_eq(mode.c_ospeed, 38400);
    need_eq(mode.c_ispeed, 38400);
    mode.c_cflag = (mode.c_cflag & ~(tcflag_t)CBAUD) | BOTHER;
    mode.c_ospeed = 12345;
    need_eq(ioctl(slave, TCSETSW2, &mode), 0);
    need_eq(ioctl(slave, TCGETS2, &mode), 0);
    need_eq(mode.c_ospeed, 12345);
    mode.c_cflag = (mode.c_cflag & ~(tcflag_t)CBAUD) | B115200;
    need_eq(ioctl(slave, TCSETSF2, &mode), 0);
    need_eq(ioctl(slave, TCGETS2, &mode), 0);
    need_eq(mode.c_ospeed, 115200);
    need_errno(ioctl(slave, TCGETS2, BAD_PTR), EFAULT);
    need_errno(ioctl(slave, TCSETS2, BAD_PTR), EFAULT);
}

/* covers: ioctl TCSETS */
static void character_size_is_fixed(void **state)
{
    struct termios2 mode;

    (void)state;
    need_eq(ioctl(slave, TCGETS2, &mode), 0);
    mode.c_cflag = B9600 | CS5 | PARENB;
    need_eq(ioctl(slave, TCSETS2, &mode), 0);
    need_eq(ioctl(slave, TCGETS2, &mode), 0);
    need_eq(mode.c_cflag, B9600 | CS8 | CREAD);
}

/* As struct termio of <asm/termios.h>, which does not go with libc's headers. */
struct old_modes {
    unsigned short c_iflag, c_oflag, c_cflag, c_lflag;
    unsigned char c_line, c_cc[8];
};

/* covers: ioctl TCGETA TCSETA TCSETAW TCSETAF */
static void old_structure_sees_the_low_flags(void **state)
{
    struct old_modes old;
    struct termios2 mode;

    (void)state;
    need_eq(ioctl(slave, TCGETA, &old), 0);
    need_eq(ioctl(slave, TCGETS2, &mode), 0);
    need_eq(old.c_lflag, mode.c_lflag & 0xffff);
    need_eq(memcmp(old.c_cc, mode.c_cc, 8), 0);
    old.c_lflag &= (unsigned short)~ECHO;
    need_eq(ioctl(slave, TCSETA, &old), 0);
    need_eq(ioctl(slave, TCSETAW, &old), 0);
    need_eq(ioctl(slave, TCSETAF, &old), 0);
    mode.c_lflag &= ~(tcflag_t)ECHO;
    struct termios2 now;
    need_eq(ioctl(slave, TCGETS2, &now), 0);
    need_eq(now.c_lflag, mode.c_lflag);
    need_errno(ioctl(slave, TCGETA, BAD_PTR), EFAULT);
    need_errno(ioctl(slave, TCSETA, BAD_PTR), EFAULT);
}

/* covers: ioctl TIOCGLCKTRMIOS TIOCSLCKTRMIOS */
static void locked_flags_do_not_change(void **state)
{
    struct termios locked = {.c_lflag = ECHO}, seen;
    struct termios2 mode;

    (void)state;
    need_eq(ioctl(slave, TIOCSLCKTRMIOS, &locked), 0);
    need_eq(ioctl(slave, TIOCGLCKTRMIOS, &seen), 0);
    need_eq(seen.c_lflag, ECHO);
    need_eq(ioctl(slave, TCGETS2, &mode), 0);
    mode.c_lflag &= ~(tcflag_t)(ECHO | ICANON);
    need_eq(ioctl(slave, TCSETS2, &mode), 0);
    need_eq(ioctl(slave, TCGETS2, &mode), 0);
    need_eq(mode.c_lflag & (ECHO | ICANON), ECHO);
}

static int no_privilege(void *arg)
{
    struct termios locked = {0};
    char c = 'x';

    (void)arg;
    need_eq(setresuid(1000, 1000, 1000), 0);
    need_errno(ioctl(slave, TIOCSLCKTRMIOS, &locked), EPERM);
    need_errno(ioctl(slave, TIOCSTI, &c), EPERM);
    need_errno(vhangup(), EPERM);
    need_errno(open(ptsname(master), O_RDWR | O_NOCTTY), EACCES);
    return 0;
}

/* covers: ioctl TIOCSLCKTRMIOS TIOCSTI EPERM vhangup EPERM open EACCES */
static void some_need_privilege(void **state)
{
    (void)state;
    child_passes(no_privilege, NULL);
}

/* covers: ioctl TIOCSTI EFAULT */
static void inserted_bytes_are_input(void **state)
{
    char got[8];

    (void)state;
    if (ioctl(slave, TIOCSTI, "q") == -1 && errno == EIO) {
        skip_because("dev.tty.legacy_tiocsti is off");
    }
    need_eq(ioctl(slave, TIOCSTI, "\n"), 0);
    need_eq(read(slave, got, sizeof got), 2);
    need_eq(memcmp(got, "q\n", 2), 0);
    need_errno(ioctl(slave, TIOCSTI, BAD_PTR), EFAULT);
}

static int open_as_user(void *arg)
{
    (void)arg;
    need_eq(fchmod(slave, 0666), 0);
    need_eq(setresuid(1000, 1000, 1000), 0);
    need_errno(open(ptsname(master), O_RDWR | O_NOCTTY), EBUSY);
    need_eq(ioctl(slave, TIOCNXCL), 0);
    need(open(ptsname(master), O_RDWR | O_NOCTTY) >= 0);
    return 0;
}

/* covers: ioctl TIOCEXCL TIOCNXCL TIOCGEXCL open EBUSY */
static void exclusive_terminal_is_ebusy_for_users(void **state)
{
    int on = -1, fd;

    (void)state;
    need_eq(ioctl(slave, TIOCEXCL), 0);
    need_eq(ioctl(slave, TIOCGEXCL, &on), 0);
    need_eq(on, 1);
    fd = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    need(fd >= 0);
    close(fd);
    child_passes(open_as_user, NULL);
}

/* covers: ioctl TIOCGETD TIOCSETD EINVAL */
static void discipline_is_that_of_terminals(void **state)
{
    int number = -1, none = 99;

    (void)state;
    need_eq(ioctl(slave, TIOCGETD, &number), 0);
    need_eq(number, 0);
    need_eq(ioctl(slave, TIOCSETD, &number), 0);
    need_errno(ioctl(slave, TIOCSETD, &none), EINVAL);
    need_errno(ioctl(slave, TIOCSETD, BAD_PTR), EFAULT);
}

/* covers: ioctl TIOCGSOFTCAR TIOCSSOFTCAR */
static void soft_carrier_is_clocal(void **state)
{
    struct termios2 mode;
    int on = 1, seen = -1;

    (void)state;
    need_eq(ioctl(slave, TIOCGSOFTCAR, &seen), 0);
    need_eq(seen, 0);
    need_eq(ioctl(slave, TIOCSSOFTCAR, &on), 0);
    need_eq(ioctl(slave, TIOCGSOFTCAR, &seen), 0);
    need_eq(seen, 1);
    need_eq(ioctl(slave, TCGETS2, &mode), 0);
    need(mode.c_cflag & CLOCAL);
}

/* covers: ioctl TIOCGDEV */
static void device_number_is_that_of_the_node(void **state)
{
    unsigned int dev = 0;
    struct stat st;

    (void)state;
    need_eq(fstat(slave, &st), 0);
    need_eq(major(st.st_rdev), 136);
    need_eq(ioctl(slave, TIOCGDEV, &dev), 0);
    need_eq(dev, st.st_rdev);
    need(S_ISCHR(st.st_mode));
    need_eq(st.st_uid, geteuid());
}

/* covers: ioctl TCSBRK TCSBRKP TIOCSBRK TIOCCBRK */
static void breaks_and_drains_return_at_once(void **state)
{
    (void)state;
    need_eq(ioctl(slave, TCSBRK, 0), 0);
    need_eq(ioctl(slave, TCSBRK, 1), 0);
    need_eq(ioctl(slave, TCSBRKP, 0), 0);
    need_eq(ioctl(slave, TIOCSBRK), 0);
    need_eq(ioctl(slave, TIOCCBRK), 0);
}

/* covers: ioctl ENOTTY TIOCMGET TIOCGPTN TIOCSPTLCK TIOCPKT TIOCGPKT TIOCSIG */
static void what_the_end_does_not_have_is_enotty(void **state)
{
    int value = 0;

    (void)state;
    need_errno(ioctl(slave, TIOCMGET, &value), ENOTTY);
    need_errno(ioctl(slave, 0x54ff, &value), ENOTTY);
    need_errno(ioctl(slave, TIOCSPTLCK, &value), ENOTTY);
    need_errno(ioctl(slave, TIOCPKT, &value), ENOTTY);
    need_errno(ioctl(slave, TIOCGPKT, &value), ENOTTY);
    need_errno(ioctl(slave, TIOCSIG, SIGINT), ENOTTY);
    need_errno(ioctl(slave, TIOCGSID, &value), ENOTTY);
    need_errno(ioctl(master, TIOCGSID, &value), ENOTTY);
    need_errno(ioctl(master, TIOCNOTTY), ENOTTY);
    need_errno(ioctl(master, TIOCPKT, BAD_PTR), EFAULT);
    need_errno(ioctl(master, TIOCSPTLCK, BAD_PTR), EFAULT);
    need_errno(ioctl(master, TIOCGPTN, BAD_PTR), EFAULT);
    need_eq(ioctl(master, TIOCGPGRP, &value), 0);
    need_eq(value, 0);
    need_errno(lseek(slave, 0, SEEK_CUR), ESPIPE);
    need_errno(pread(slave, &value, 1, 0), ESPIPE);
}

/* ---- packet mode ---- */

static int next_event(void)
{
    char got[64];
    ssize_t n;

    need(wait_until(poll_now(master) & POLLIN));
    n = read(master, got, sizeof got);
    need(n >= 1);
    need((n == 1) == (got[0] != 0));
    return got[0];
}

/* covers: ioctl TIOCPKT TIOCGPKT poll POLLPRI TIOCPKT_STOP TIOCPKT_START TIOCPKT_FLUSHREAD TIOCPKT_FLUSHWRITE */
static void packet_mode_tells_of_stops_and_flushes(void **state)
{
    int on = 1, seen = 0;

    (void)state;
    need_eq(ioctl(master, TIOCPKT, &on), 0);
    need_eq(ioctl(master, TIOCGPKT, &seen), 0);
    need_eq(seen, 1);
    need_eq(ioctl(slave, TCXONC, TCOOFF), 0);
    need_eq(poll_now(master), POLLIN | POLLPRI | POLLOUT);
    need_eq(next_event(), TIOCPKT_STOP);
    need_eq(ioctl(slave, TCXONC, TCOON), 0);
    need_eq(next_event(), TIOCPKT_START);
    need_eq(ioctl(slave, TCFLSH, TCIFLUSH), 0);
    need_eq(next_event(), TIOCPKT_FLUSHREAD);
    need_eq(ioctl(slave, TCFLSH, TCOFLUSH), 0);
    need_eq(next_event(), TIOCPKT_FLUSHWRITE);
    need_eq(ioctl(slave, TCFLSH, TCIOFLUSH), 0);
    need_eq(next_event(), TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE);
    need_eq(write(master, "\023", 1), 1);
    need_eq(next_event(), TIOCPKT_STOP);
    need_eq(write(master, "\021", 1), 1);
    need_eq(next_event(), TIOCPKT_START);
}

/* covers: ioctl TIOCPKT TIOCPKT_NOSTOP TIOCPKT_DOSTOP TIOCPKT_IOCTL */
static void packet_mode_tells_of_modes(void **state)
{
    struct termios2 mode;
    int on = 1;

    (void)state;
    need_eq(ioctl(master, TIOCPKT, &on), 0);
    need_eq(ioctl(slave, TCGETS2, &mode), 0);
    mode.c_iflag &= ~(tcflag_t)IXON;
    need_eq(ioctl(slave, TCSETS2, &mode), 0);
    need_eq(next_event(), TIOCPKT_NOSTOP);
    mode.c_iflag |= IXON;
    need_eq(ioctl(slave, TCSETS2, &mode), 0);
    need_eq(next_event(), TIOCPKT_DOSTOP);
    mode.c_lflag |= EXTPROC;
    need_eq(ioctl(slave, TCSETS2, &mode), 0);
    need_eq(next_event(), TIOCPKT_IOCTL);
}

static int be_signalled(void *arg)
{
    sigset_t set;
    int sig = 0;

    (void)arg;
    sigemptyset(&set);
    sigaddset(&set, SIGQUIT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    need(setsid() > 0);
    need_eq(ioctl(slave, TIOCSCTTY, 0), 0);
    need_eq(ioctl(master, TIOCSIG, SIGQUIT), 0);
    need_eq(sigwait(&set, &sig), 0);
    need_errno(ioctl(master, TIOCSIG, SIGTERM), EINVAL);
    need_errno(ioctl(master, TIOCSIG, 0), EINVAL);
    return 0;
}

/* covers: ioctl TIOCSIG EINVAL */
static void master_signals_the_foreground(void **state)
{
    (void)state;
    child_passes(be_signalled, NULL);
}

/* ---- hangup ---- */

static volatile sig_atomic_t hangups;

static void on_hangup(int sig)
{
    (void)sig;
    hangups++;
}

static int hang_up(void *arg)
{
    struct termios2 mode;
    char got[8];
    int fd, group = getpid();

    need(setsid() > 0);
    signal(SIGHUP, on_hangup);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    need(slave >= 0);
    need_eq(ioctl(slave, TIOCSCTTY, 0), 0);
    if (arg) {
        need_eq(vhangup(), 0);
    } else {
        need_eq(ioctl(slave, TIOCVHANGUP), 0);
    }
    need(wait_until(hangups == 1));
    need_eq(read(slave, got, sizeof got), 0);
    need_errno(write(slave, "x", 1), EIO);
    need_errno(ioctl(slave, TCGETS2, &mode), EIO);
    need_errno(ioctl(slave, TIOCSPGRP, &group), ENOTTY);
    need_eq(poll_now(slave) & (POLLHUP | POLLERR), POLLHUP | POLLERR);
    need_errno(open("/dev/tty", O_RDWR), ENXIO);
    /* The terminal itself is there, for whoever opens it anew. */
    fd = open(ptsname(master), O_RDWR | O_NOCTTY);
    need(fd >= 0);
    need_eq(write(fd, "new", 3), 3);
    need_eq(read(master, got, sizeof got), 3);
    return 0;
}

/* covers: vhangup ioctl TIOCVHANGUP TIOCSPGRP ENOTTY read write EIO poll POLLHUP POLLERR */
static void hangup_cuts_open_files_off(void **state)
{
    (void)state;
    child_passes(hang_up, NULL);
    child_passes(hang_up, (void *)1);
}

/* covers: close open EIO ENOENT readlink */
static void node_goes_with_the_master(void **state)
{
    char path[64], link[64] = "", name[64];

    (void)state;
    snprintf(name, sizeof name, "%s", ptsname(master));
    snprintf(path, sizeof path, "/proc/self/fd/%d", slave);
    need_eq(access(name, F_OK), 0);
    close(master);
    master = -1;
    need_errno(access(name, F_OK), ENOENT);
    need_errno(open(path, O_RDWR | O_NOCTTY), EIO);
    need(readlink(path, link, sizeof link - 1) > 0);
    need(strstr(link, "(deleted)") != NULL);
}

static int wait_for_input(void *ready)
{
    char c;

    turn_give(ready);
    need_errno(read(slave, &c, 1), EIO);
    need_eq(read(slave, &c, 1), 0);
    return 0;
}

/* covers: read EIO close */
static void sleeping_reader_is_woken_by_the_hangup(void **state)
{
    struct turn ready;
    pid_t pid;

    (void)state;
    turn_init(&ready);
    fcntl(master, F_SETFD, FD_CLOEXEC);
    pid = fork();
    need(pid >= 0);
    if (pid == 0) {
        close(master);
        _exit(wait_for_input(&ready));
    }
    turn_await(&ready);
    need(wait_until(task_state(pid, pid) == 'S'));
    close(master);
    master = -1;
    need_eq(child_end(pid), 0);
}

/* ---- devpts ---- */

static int own_devpts(void *arg)
{
    char dir[] = "/tmp/ptsXXXXXX", path[64], name[64];
    unsigned number = 99;
    struct stat st;
    int zero = 0, fd, peer;

    (void)arg;
    need_eq(unshare(CLONE_NEWNS), 0);
    need_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
    need(mkdtemp(dir) != NULL);
    need_errno(mount("devpts", dir, "devpts", 0, "mode=rubbish"), EINVAL);
    need_eq(mount("devpts", dir, "devpts", 0, "newinstance,ptmxmode=0666,mode=0640,uid=7,gid=8"),
            0);
    snprintf(path, sizeof path, "%s/ptmx", dir);
    need_eq(stat(path, &st), 0);
    need_eq(st.st_mode, S_IFCHR | 0666);
    fd = open(path, O_RDWR | O_NOCTTY);
    need(fd >= 0);
    need_eq(ioctl(fd, TIOCGPTN, &number), 0);
    need_eq(number, 0); /* numbers are the instance's own */
    snprintf(name, sizeof name, "%s/0", dir);
    need_eq(stat(name, &st), 0);
    need_eq(st.st_mode, S_IFCHR | 0640);
    need_eq(st.st_uid, 7);
    need_eq(st.st_gid, 8);
    need_errno(open(name, O_RDWR | O_NOCTTY), EIO);
    need_eq(ioctl(fd, TIOCSPTLCK, &zero), 0);
    peer = ioctl(fd, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    need(peer >= 0);
    need_eq(write(peer, "own", 3), 3);
    need_errno(mkdir(name, 0700), EEXIST);
    snprintf(name, sizeof name, "%s/x", dir);
    need_errno(mkdir(name, 0700), EPERM);
    snprintf(name, sizeof name, "%s/0", dir);
    need_errno(unlink(name), EPERM);
    need_eq(chmod(name, 0600), 0);
    close(peer);
    close(fd);
    need_errno(access(name, F_OK), ENOENT);
    need_eq(umount(dir), 0);
    need_eq(rmdir(dir), 0);
    return 0;
}

/* covers: mount EINVAL open ioctl TIOCGPTPEER mkdir EPERM unlink EPERM */
static void each_mount_of_devpts_has_its_own_terminals(void **state)
{
    (void)state;
    child_passes(own_devpts, NULL);
}

/* covers: getdents64 */
static void directory_lists_the_open_terminals(void **state)
{
    DIR *dir = opendir("/dev/pts");
    const char *number = strrchr(ptsname(master), '/') + 1;
    struct dirent *entry;
    bool found = false;

    (void)state;
    need(dir != NULL);
    while ((entry = readdir(dir)) != NULL) {
        found = found || (strcmp(entry->d_name, number) == 0 && entry->d_type == DT_CHR);
    }
    closedir(dir);
    need(found);
}

static int stat_tells(void *arg)
{
    char text[512], state;
    int parent, group, session, tty, foreground;
    struct stat st;
    FILE *file;

    (void)arg;
    need(setsid() > 0);
    need_eq(ioctl(slave, TIOCSCTTY, 0), 0);
    file = fopen("/proc/self/stat", "r");
    need(file != NULL && fgets(text, sizeof text, file) != NULL);
    fclose(file);
    need_eq(sscanf(strrchr(text, ')') + 2, "%c %d %d %d %d %d", &state, &parent, &group, &session,
                   &tty, &foreground),
            6);
    need_eq(fstat(slave, &st), 0);
    need_eq(tty, (int)st.st_rdev);
    need_eq(foreground, getpid());
    return 0;
}

/* covers: ioctl TIOCSCTTY */
static void proc_tells_the_terminal_of_a_process(void **state)
{
    (void)state;
    child_passes(stat_tells, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        terminal_test(speeds_are_kept_as_numbers),
        terminal_test(character_size_is_fixed),
        terminal_test(old_structure_sees_the_low_flags),
        terminal_test(locked_flags_do_not_change),
        terminal_test(some_need_privilege),
        terminal_test(inserted_bytes_are_input),
        terminal_test(exclusive_terminal_is_ebusy_for_users),
        terminal_test(discipline_is_that_of_terminals),
        terminal_test(soft_carrier_is_clocal),
        terminal_test(device_number_is_that_of_the_node),
        terminal_test(breaks_and_drains_return_at_once),
        terminal_test(what_the_end_does_not_have_is_enotty),
        terminal_test(packet_mode_tells_of_stops_and_flushes),
        terminal_test(packet_mode_tells_of_modes),
        terminal_test(master_signals_the_foreground),
        terminal_test(hangup_cuts_open_files_off),
        terminal_test(node_goes_with_the_master),
        terminal_test(sleeping_reader_is_woken_by_the_hangup),
        terminal_test(each_mount_of_devpts_has_its_own_terminals),
        terminal_test(directory_lists_the_open_terminals),
        terminal_test(proc_tells_the_terminal_of_a_process),
    };

    return cmocka_run_group_tests_name("tty/terminal_ioctl", tests, NULL, NULL);
}
