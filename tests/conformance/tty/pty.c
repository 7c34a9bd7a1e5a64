/* pty.c: pty(7), termios(3), ioctl_tty(2): a pair of terminals and its line discipline. */
#include "../lib/terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

/* What a read of this end gives, which must be exactly the text. */
static void shows(int fd, const char *text)
{
    char got[256] = "";

    need_eq(read(fd, got, sizeof got - 1), strlen(text));
    need_eq(memcmp(got, text, strlen(text)), 0);
}

static bool readable(int fd)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    return poll(&ready, 1, 0) == 1 && (ready.revents & POLLIN);
}

static void no_echo(void)
{
    struct termios mode;

    need_eq(tcgetattr(slave, &mode), 0);
    mode.c_lflag &= ~(tcflag_t)ECHO;
    need_eq(tcsetattr(slave, TCSANOW, &mode), 0);
}

static void raw(int min, int time)
{
    struct termios mode;

    need_eq(tcgetattr(slave, &mode), 0);
    cfmakeraw(&mode);
    mode.c_cc[VMIN] = (cc_t)min;
    mode.c_cc[VTIME] = (cc_t)time;
    need_eq(tcsetattr(slave, TCSANOW, &mode), 0);
}

/* covers: ioctl TIOCGPTN */
static void both_ends_are_terminals_and_the_name_carries_the_number(void **state)
{
    char name[64];
    unsigned number = 9999;

    (void)state;
    need(isatty(master) && isatty(slave));
    need_eq(ioctl(master, TIOCGPTN, &number), 0);
    snprintf(name, sizeof name, "/dev/pts/%u", number);
    assert_string_equal(ptsname(master), name);
    assert_string_equal(ttyname(slave), name);
    need_errno(ioctl(slave, TIOCGPTN, &number), ENOTTY);
}

/* covers: ioctl TIOCSPTLCK TIOCGPTLCK open EIO */
static void locked_slave_is_eio(void **state)
{
    int other = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), locked = -1, zero = 0;

    (void)state;
    need(other >= 0);
    need_eq(ioctl(other, TIOCGPTLCK, &locked), 0);
    need_eq(locked, 1);
    need_errno(open(ptsname(other), O_RDWR | O_NOCTTY), EIO);
    need_eq(ioctl(other, TIOCSPTLCK, &zero), 0);
    int fd = open(ptsname(other), O_RDWR | O_NOCTTY | O_CLOEXEC);
    need(fd >= 0);
    close(fd);
    close(other);
}

/* covers: ioctl TIOCGPTPEER */
static void peer_is_opened_without_a_path(void **state)
{
    int fd = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);

    (void)state;
    need(fd >= 0);
    no_echo();
    type("peer\n");
    shows(fd, "peer\n");
    close(fd);
}

/* covers: ioctl TIOCGWINSZ TIOCSWINSZ */
static void window_size_is_shared_by_both_ends(void **state)
{
    struct winsize size = {1, 1, 1, 1}, set = {24, 80, 640, 480};

    (void)state;
    need_eq(ioctl(slave, TIOCGWINSZ, &size), 0);
    need(size.ws_row == 0 && size.ws_col == 0);
    need_eq(ioctl(master, TIOCSWINSZ, &set), 0);
    need_eq(ioctl(slave, TIOCGWINSZ, &size), 0);
    need_eq(memcmp(&size, &set, sizeof set), 0);
    set.ws_row = 50;
    need_eq(ioctl(slave, TIOCSWINSZ, &set), 0);
    need_eq(ioctl(master, TIOCGWINSZ, &size), 0);
    need_eq(size.ws_row, 50);
    need_errno(ioctl(slave, TIOCGWINSZ, BAD_PTR), EFAULT);
}

/* covers: ioctl TCGETS */
static void new_terminal_is_canonical_with_echo_and_signals(void **state)
{
    struct termios mode;

    (void)state;
    need_eq(tcgetattr(slave, &mode), 0);
    need_eq(mode.c_lflag & (ICANON | ECHO | ISIG | IEXTEN), ICANON | ECHO | ISIG | IEXTEN);
    need_eq(mode.c_iflag & (ICRNL | IXON), ICRNL | IXON);
    need_eq(mode.c_oflag & (OPOST | ONLCR), OPOST | ONLCR);
    need_eq(mode.c_cflag & (CSIZE | CREAD), CS8 | CREAD);
    need_eq(mode.c_cc[VINTR], 3);
    need_eq(mode.c_cc[VQUIT], 28);
    need_eq(mode.c_cc[VERASE], 127);
    need_eq(mode.c_cc[VKILL], 21);
    need_eq(mode.c_cc[VEOF], 4);
    need_eq(mode.c_cc[VSUSP], 26);
}

/* covers: ioctl TCGETS TCSETS TCSETSW TCSETSF */
static void mode_is_kept_and_shared_by_both_ends(void **state)
{
    static const int when[] = {TCSANOW, TCSADRAIN, TCSAFLUSH};
    struct termios mode, seen;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(when); i++) {
        need_eq(tcgetattr(slave, &mode), 0);
        mode.c_lflag ^= ECHO;
        mode.c_cc[VINTR] = (cc_t)('x' + i);
        need_eq(tcsetattr(slave, when[i], &mode), 0);
        need_eq(tcgetattr(master, &seen), 0);
        need_eq(seen.c_lflag, mode.c_lflag);
        need_eq(seen.c_cc[VINTR], 'x' + i);
    }
    need_errno(ioctl(slave, TCSETS, BAD_PTR), EFAULT);
}

/* covers: ioctl TCGETS TIOCGWINSZ ENOTTY */
static void other_files_are_enotty(void **state)
{
    struct winsize size;
    struct termios mode;
    int fd[2];

    (void)state;
    need_eq(pipe2(fd, O_CLOEXEC), 0);
    need_errno(tcgetattr(fd[0], &mode), ENOTTY);
    need_errno(ioctl(fd[0], TIOCGWINSZ, &size), ENOTTY);
    need_eq(isatty(fd[0]), 0);
    close(fd[0]);
    close(fd[1]);
}

/* covers: read ICANON */
static void line_is_readable_once_it_is_complete(void **state)
{
    (void)state;
    no_echo();
    type("two ");
    need(!readable(slave));
    type("words\nnext");
    need(readable(slave));
    shows(slave, "two words\n");
    need(!readable(slave));
    type("\n");
    shows(slave, "next\n");
}

/* covers: read ICANON */
static void one_read_gives_one_line_or_a_part_of_it(void **state)
{
    char got[4];

    (void)state;
    no_echo();
    type("abcdef\nsecond\n");
    need_eq(read(slave, got, 4), 4);
    need_eq(memcmp(got, "abcd", 4), 0);
    shows(slave, "ef\n");
    shows(slave, "second\n");
}

/* covers: read ICANON VERASE VKILL VWERASE */
static void erase_kill_and_word_erase_edit_the_line(void **state)
{
    (void)state;
    no_echo();
    type("abx\177c\n");
    shows(slave, "abc\n");
    type("wrong\025right\n");
    shows(slave, "right\n");
    type("one two\027three\n");
    shows(slave, "one three\n");
    type("\177\177a\n");
    shows(slave, "a\n");
}

/* covers: read ICANON VEOF */
static void end_of_file_character_pushes_or_ends(void **state)
{
    char got[8];

    (void)state;
    no_echo();
    type("part\004");
    shows(slave, "part");
    type("\004");
    need_eq(read(slave, got, sizeof got), 0);
    type("on\n");
    shows(slave, "on\n");
}

/* covers: read ICANON VLNEXT IEXTEN */
static void literal_next_quotes_a_special_character(void **state)
{
    (void)state;
    no_echo();
    type("a\026\003b\n");
    shows(slave, "a\003b\n");
}

/* covers: read ICRNL INLCR IGNCR */
static void carriage_return_becomes_newline_unless_told(void **state)
{
    struct termios mode;

    (void)state;
    no_echo();
    type("cr\r");
    shows(slave, "cr\n");
    need_eq(tcgetattr(slave, &mode), 0);
    mode.c_iflag |= IGNCR;
    need_eq(tcsetattr(slave, TCSANOW, &mode), 0);
    type("a\rb\n");
    shows(slave, "ab\n");
}

/* covers: write ECHO ECHOCTL ECHOE */
static void input_is_echoed_to_the_master(void **state)
{
    (void)state;
    type("hi\n");
    shows(master, "hi\r\n");
    shows(slave, "hi\n");
    type("x\177");
    shows(master, "x\b \b");
}

/* covers: write OPOST ONLCR */
static void output_newline_becomes_carriage_return_newline(void **state)
{
    struct termios mode;

    (void)state;
    need_eq(write(slave, "a\nb", 3), 3);
    shows(master, "a\r\nb");
    need_eq(tcgetattr(slave, &mode), 0);
    mode.c_oflag &= ~(tcflag_t)OPOST;
    need_eq(tcsetattr(slave, TCSANOW, &mode), 0);
    need_eq(write(slave, "a\nb", 3), 3);
    shows(master, "a\nb");
}

/* covers: read VMIN VTIME */
static void raw_mode_passes_every_byte_at_once(void **state)
{
    (void)state;
    raw(1, 0);
    type("\003\004\r\177");
    shows(slave, "\003\004\r\177");
    need(!readable(master));
}

/* covers: read VMIN VTIME */
static void vmin_zero_and_vtime_zero_polls(void **state)
{
    char got[8];

    (void)state;
    raw(0, 0);
    need_eq(read(slave, got, sizeof got), 0);
    type("z");
    shows(slave, "z");
}

/* covers: read VMIN VTIME */
static void vtime_alone_is_a_timeout_in_tenths(void **state)
{
    int64_t start = now_ms();
    char got[8];

    (void)state;
    raw(0, 1);
    need_eq(read(slave, got, sizeof got), 0);
    need(now_ms() - start >= 90);
}

static int type_slowly(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++) {
        nap();
        need_eq(write(master, "v", 1), 1);
    }
    return 0;
}

/* covers: read VMIN */
static void vmin_waits_for_so_many_bytes(void **state)
{
    pid_t pid;

    (void)state;
    raw(3, 0);
    pid = child_start(type_slowly, NULL);
    shows(slave, "vvv");
    need_eq(child_end(pid), 0);
}

/* covers: read EAGAIN O_NONBLOCK */
static void nonblocking_read_of_nothing_is_eagain(void **state)
{
    char got[8];

    (void)state;
    need_eq(fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK), 0);
    need_errno(read(slave, got, sizeof got), EAGAIN);
    need_eq(fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK), 0);
    need_errno(read(master, got, sizeof got), EAGAIN);
}

/* covers: ioctl FIONREAD TIOCOUTQ */
static void amounts_of_input_are_told(void **state)
{
    int amount = -1;

    (void)state;
    no_echo();
    type("12345\n");
    need(wait_until(readable(slave)));
    need_eq(ioctl(slave, FIONREAD, &amount), 0);
    need_eq(amount, 6);
    need_eq(ioctl(master, FIONREAD, &amount), 0);
    need_eq(amount, 0);
}

/* covers: ioctl TCFLSH TCIFLUSH EINVAL */
static void flush_discards_input(void **state)
{
    (void)state;
    no_echo();
    type("gone\n");
    need_eq(tcflush(slave, TCIFLUSH), 0);
    need(!readable(slave));
    need_eq(tcflush(slave, TCIOFLUSH), 0);
    need_errno(ioctl(slave, TCFLSH, 77), EINVAL);
}

/* covers: read EIO poll POLLHUP */
static void master_sees_eio_when_the_last_slave_closed(void **state)
{
    struct pollfd ready = {.fd = master, .events = POLLIN};
    char got[8];

    (void)state;
    need_eq(write(slave, "last", 4), 4);
    close(slave);
    slave = -1;
    shows(master, "last");
    need_errno(read(master, got, sizeof got), EIO);
    need_eq(poll(&ready, 1, 0), 1);
    need(ready.revents & POLLHUP);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    need(slave >= 0);
    need_eq(write(slave, "again", 5), 5);
    shows(master, "again");
}

/* covers: read write EIO poll POLLHUP close */
static void slave_is_hung_up_when_the_master_closed(void **state)
{
    struct pollfd ready = {.fd = slave, .events = POLLIN};
    struct termios mode;
    char got[8];

    (void)state;
    close(master);
    master = -1;
    need_eq(read(slave, got, sizeof got), 0);
    need_errno(write(slave, "x", 1), EIO);
    need_errno(tcgetattr(slave, &mode), EIO);
    need_eq(poll(&ready, 1, 0), 1);
    need(ready.revents & POLLHUP);
}

/* covers: ioctl TIOCPKT */
static void packet_mode_marks_data_and_flushes(void **state)
{
    int on = 1;
    char got[16];

    (void)state;
    need_eq(ioctl(master, TIOCPKT, &on), 0);
    need_eq(write(slave, "data", 4), 4);
    need_eq(read(master, got, sizeof got), 5);
    need_eq(got[0], TIOCPKT_DATA);
    need_eq(memcmp(got + 1, "data", 4), 0);
    need_eq(tcflush(slave, TCIFLUSH), 0);
    need_eq(read(master, got, sizeof got), 1);
    need(got[0] & TIOCPKT_FLUSHREAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        terminal_test(both_ends_are_terminals_and_the_name_carries_the_number),
        terminal_test(locked_slave_is_eio),
        terminal_test(peer_is_opened_without_a_path),
        terminal_test(window_size_is_shared_by_both_ends),
        terminal_test(new_terminal_is_canonical_with_echo_and_signals),
        terminal_test(mode_is_kept_and_shared_by_both_ends),
        terminal_test(other_files_are_enotty),
        terminal_test(line_is_readable_once_it_is_complete),
        terminal_test(one_read_gives_one_line_or_a_part_of_it),
        terminal_test(erase_kill_and_word_erase_edit_the_line),
        terminal_test(end_of_file_character_pushes_or_ends),
        terminal_test(literal_next_quotes_a_special_character),
        terminal_test(carriage_return_becomes_newline_unless_told),
        terminal_test(input_is_echoed_to_the_master),
        terminal_test(output_newline_becomes_carriage_return_newline),
        terminal_test(raw_mode_passes_every_byte_at_once),
        terminal_test(vmin_zero_and_vtime_zero_polls),
        terminal_test(vtime_alone_is_a_timeout_in_tenths),
        terminal_test(vmin_waits_for_so_many_bytes),
        terminal_test(nonblocking_read_of_nothing_is_eagain),
        terminal_test(amounts_of_input_are_told),
        terminal_test(flush_discards_input),
        terminal_test(master_sees_eio_when_the_last_slave_closed),
        terminal_test(slave_is_hung_up_when_the_master_closed),
        terminal_test(packet_mode_marks_data_and_flushes),
    };

    return cmocka_run_group_tests_name("tty/pty", tests, NULL, NULL);
}
