/* ldisc.c: termios(3), ioctl_tty(2): the flags of the line discipline, one by one, on a pseudo-terminal. */
#include "../lib/terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static void print(const char *text)
{
    need_eq(write(slave, text, strlen(text)), strlen(text));
}

/* Reads until so much has come as the text is long, which must be the text. */
static void shows(int fd, const char *text)
{
    char got[256] = "";
    size_t len = 0;

    while (len < strlen(text)) {
        ssize_t n = read(fd, got + len, sizeof got - 1 - len);

        need(n > 0);
        len += (size_t)n;
    }
    got[len] = '\0';
    assert_string_equal(got, text);
}

static bool ready(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};

    return poll(&p, 1, 0) == 1 && (p.revents & events);
}

static void change(tcflag_t *flags, tcflag_t on, tcflag_t off, struct termios *mode)
{
    *flags = (*flags & ~off) | on;
    need_eq(tcsetattr(slave, TCSANOW, mode), 0);
}

static void input(tcflag_t on, tcflag_t off)
{
    struct termios mode;

    need_eq(tcgetattr(slave, &mode), 0);
    change(&mode.c_iflag, on, off, &mode);
}

static void output(tcflag_t on, tcflag_t off)
{
    struct termios mode;

    need_eq(tcgetattr(slave, &mode), 0);
    change(&mode.c_oflag, on, off, &mode);
}

static void local(tcflag_t on, tcflag_t off)
{
    struct termios mode;

    need_eq(tcgetattr(slave, &mode), 0);
    change(&mode.c_lflag, on, off, &mode);
}

static void key(int which, cc_t c)
{
    struct termios mode;

    need_eq(tcgetattr(slave, &mode), 0);
    mode.c_cc[which] = c;
    need_eq(tcsetattr(slave, TCSANOW, &mode), 0);
}

/* ---- input ---- */

/* covers: read INLCR IGNCR ICRNL */
static void newline_becomes_carriage_return_by_inlcr(void **state)
{
    (void)state;
    local(0, ECHO | ICANON);
    input(INLCR, ICRNL);
    type("a\nb\r");
    shows(slave, "a\rb\r");
    input(IGNCR, INLCR);
    type("a\rb\n");
    shows(slave, "ab\n");
}

/* covers: read ISTRIP */
static void eighth_bit_is_stripped_by_istrip(void **state)
{
    (void)state;
    local(0, ECHO);
    input(ISTRIP, 0);
    type("\xe1\n");
    shows(slave, "a\n");
}

/* covers: read IUCLC */
static void upper_case_becomes_lower_by_iuclc(void **state)
{
    (void)state;
    local(0, ECHO);
    input(IUCLC, 0);
    type("ABc\n");
    shows(slave, "abc\n");
}

/* covers: read PARMRK */
static void byte_255_is_doubled_by_parmrk(void **state)
{
    (void)state;
    local(0, ECHO);
    input(PARMRK, 0);
    type("\xff\n");
    shows(slave, "\xff\xff\n");
}

/* covers: read IUTF8 VERASE */
static void erase_takes_a_whole_character_with_iutf8(void **state)
{
    (void)state;
    local(0, ECHO);
    type("a\xc3\xa4\177\n");
    shows(slave, "a\xc3\n");
    input(IUTF8, 0);
    type("a\xc3\xa4\177\n");
    shows(slave, "a\n");
}

/* ---- flow control ---- */

/* covers: write IXON VSTOP VSTART EAGAIN */
static void stop_key_stops_output_until_the_start_key(void **state)
{
    (void)state;
    need_eq(fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK), 0);
    type("\023");
    need(wait_until(!ready(slave, POLLOUT)));
    need_errno(write(slave, "x", 1), EAGAIN);
    type("\021");
    need(wait_until(ready(slave, POLLOUT)));
    print("x");
    shows(master, "x");
}

/* covers: write IXON IXANY */
static void any_key_starts_output_with_ixany(void **state)
{
    (void)state;
    input(IXANY, 0);
    local(0, ECHO);
    type("\023");
    need(wait_until(!ready(slave, POLLOUT)));
    type("k\n");
    need(wait_until(ready(slave, POLLOUT)));
    shows(slave, "k\n");
}

/* covers: ioctl TCSETS IXON */
static void output_goes_on_when_flow_control_is_switched_off(void **state)
{
    (void)state;
    type("\023");
    need(wait_until(!ready(slave, POLLOUT)));
    input(0, IXON);
    need(ready(slave, POLLOUT));
    local(0, ECHO);
    type("\023\n");
    shows(slave, "\023\n");
}

/* covers: ioctl TCXONC TCOOFF TCOON TCIOFF TCION EINVAL */
static void flow_is_controlled_by_calls(void **state)
{
    (void)state;
    need_eq(tcflow(slave, TCOOFF), 0);
    need(!ready(slave, POLLOUT));
    local(0, ECHO);
    type("\021\n"); /* no key undoes that */
    shows(slave, "\n");
    need(!ready(slave, POLLOUT));
    need_eq(tcflow(slave, TCOON), 0);
    need(ready(slave, POLLOUT));
    need_eq(tcflow(slave, TCIOFF), 0);
    shows(master, "\023");
    need_eq(tcflow(slave, TCION), 0);
    shows(master, "\021");
    need_errno(ioctl(slave, TCXONC, 17), EINVAL);
}

/* covers: read ECHO IXON */
static void echo_waits_while_output_is_stopped(void **state)
{
    (void)state;
    type("\023ab\n");
    shows(slave, "ab\n");
    need(!ready(master, POLLIN));
    type("\021");
    shows(master, "ab\r\n");
}

/* ---- lines ---- */

/* covers: read VEOL VEOL2 IEXTEN */
static void other_characters_end_lines_too(void **state)
{
    (void)state;
    local(0, ECHO);
    key(VEOL, '#');
    key(VEOL2, '%');
    type("a#b%c\n");
    shows(slave, "a#");
    shows(slave, "b%");
    shows(slave, "c\n");
    local(0, IEXTEN);
    type("b%c\n");
    shows(slave, "b%c\n");
}

/* covers: read ICANON */
static void line_is_cut_at_4096_bytes_with_its_end(void **state)
{
    char text[5001], got[8192];

    (void)state;
    local(0, ECHO);
    memset(text, 'l', 5000);
    text[5000] = '\n';
    need_eq(write(master, text, 5001), 5001);
    need_eq(read(slave, got, sizeof got), 4096);
    need_eq(got[4094], 'l');
    need_eq(got[4095], '\n');
    type("next\n");
    shows(slave, "next\n");
}

/* covers: ioctl TCSETS ICANON */
static void half_a_line_is_readable_when_canonical_mode_ends(void **state)
{
    char got[8];

    (void)state;
    local(0, ECHO);
    type("half");
    need(wait_until(({
        int n = 0;
        local(0, ICANON);
        need_eq(ioctl(slave, FIONREAD, &n), 0);
        n == 4;
    })));
    need_eq(read(slave, got, sizeof got), 4);
    type("raw");
    need(wait_until(ready(slave, POLLIN)));
    need(wait_until(({
        int n = 0;
        need_eq(ioctl(slave, FIONREAD, &n), 0);
        n == 3;
    })));
    local(ICANON, 0);
    need_eq(read(slave, got, sizeof got), 3); /* what is there counts as a line */
}

/* covers: read ISIG NOFLSH */
static void signal_key_keeps_input_with_noflsh(void **state)
{
    (void)state;
    local(NOFLSH, ECHO);
    type("kept\003 on\n");
    shows(slave, "kept on\n");
    local(0, NOFLSH);
    type("lost\003on\n");
    shows(slave, "on\n");
}

/* covers: read EXTPROC */
static void extproc_leaves_all_to_the_other_end(void **state)
{
    (void)state;
    local(EXTPROC, ICANON);
    type("a\177\003\r");
    shows(slave, "a\177\003\r");
    need(!ready(master, POLLIN));
}

/* ---- echo ---- */

/* covers: read ECHO ECHOCTL */
static void control_characters_are_echoed_with_a_caret(void **state)
{
    (void)state;
    type("a\001\t\n");
    shows(master, "a^A\t\r\n");
    shows(slave, "a\001\t\n");
    local(0, ECHOCTL);
    type("a\001\n");
    shows(master, "a\001\r\n");
}

/* covers: read ECHONL */
static void echonl_echoes_the_newline_alone(void **state)
{
    (void)state;
    local(ECHONL, ECHO);
    type("secret\n");
    shows(master, "\r\n");
    shows(slave, "secret\n");
}

/* covers: read ECHOE VERASE VWERASE */
static void erasing_rubs_out_what_was_echoed(void **state)
{
    (void)state;
    type("a\001\177x yz\027\n");
    shows(master, "a^A\b \b\b \bx yz\b \b\b \b\r\n");
    shows(slave, "ax \n");
    local(0, ECHOE);
    type("ab\177\n");
    shows(master, "ab^?\r\n");
    shows(slave, "a\n");
}

/* covers: read ECHOE VERASE */
static void erasing_a_tab_goes_back_to_where_it_began(void **state)
{
    (void)state;
    type("ab\t\177\n");
    shows(master, "ab\t\b\b\b\b\b\b\r\n");
    print("12345");
    shows(master, "12345");
    type("\t\177\n");
    shows(master, "\t\b\b\b\r\n");
}

/* covers: read ECHOK ECHOKE VKILL */
static void killing_a_line_erases_it_or_begins_another(void **state)
{
    (void)state;
    type("ab\025\n");
    shows(master, "ab\b \b\b \b\r\n");
    local(0, ECHOKE);
    type("ab\025c\n");
    shows(master, "ab^U\r\nc\r\n");
    shows(slave, "\n");
    shows(slave, "c\n");
}

/* covers: read ECHOPRT */
static void echoprt_prints_what_is_erased(void **state)
{
    (void)state;
    local(ECHOPRT, 0);
    type("abc\177\177d\n");
    shows(master, "abc\\cb/d\r\n");
    shows(slave, "ad\n");
}

/* covers: read VREPRINT VLNEXT */
static void reprint_shows_the_line_again_and_quoting_a_caret(void **state)
{
    (void)state;
    type("ab\022");
    shows(master, "ab^R\r\nab");
    type("\026\003\n");
    shows(master, "^\b^C\r\n");
    shows(slave, "ab\003\n");
}

/* ---- output ---- */

/* covers: write OLCUC */
static void lower_case_becomes_upper_by_olcuc(void **state)
{
    (void)state;
    output(OLCUC, 0);
    print("abC\n");
    shows(master, "ABC\r\n");
}

/* covers: write OCRNL ONOCR ONLRET */
static void carriage_returns_become_newlines_or_nothing(void **state)
{
    (void)state;
    output(OCRNL, ONLCR);
    print("a\r");
    shows(master, "a\n");
    output(ONOCR, OCRNL | ONLCR);
    print("\rb\r\rc");
    shows(master, "\rb\rc");
    output(ONLRET, 0);
    print("\n\rd");
    shows(master, "\nd");
}

/* covers: write TABDLY XTABS */
static void tabs_become_spaces_by_xtabs(void **state)
{
    (void)state;
    output(XTABS, 0);
    print("ab\tc\b\b\td\n\te");
    shows(master, "ab      c\b\b d\r\n        e");
}

/* ---- VMIN and VTIME ---- */

static void raw(cc_t min, cc_t tenths)
{
    struct termios mode;

    need_eq(tcgetattr(slave, &mode), 0);
    cfmakeraw(&mode);
    mode.c_cc[VMIN] = min;
    mode.c_cc[VTIME] = tenths;
    need_eq(tcsetattr(slave, TCSANOW, &mode), 0);
}

/* covers: read VMIN VTIME */
static void timer_between_bytes_ends_a_read_that_began(void **state)
{
    char got[8];

    (void)state;
    raw(5, 1);
    type("ab");
    need_eq(read(slave, got, sizeof got), 2);
}

/* covers: poll VMIN */
static void poll_waits_for_vmin_bytes(void **state)
{
    (void)state;
    raw(3, 0);
    type("ab");
    need(!ready(slave, POLLIN));
    type("c");
    need(wait_until(ready(slave, POLLIN)));
    shows(slave, "abc");
}

/* covers: read VMIN VTIME O_NONBLOCK EAGAIN */
static void nonblocking_read_without_timer_is_zero_else_eagain(void **state)
{
    char got[8];

    (void)state;
    need_eq(fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK), 0);
    raw(0, 0);
    need_eq(read(slave, got, sizeof got), 0);
    raw(0, 50);
    need_errno(read(slave, got, sizeof got), EAGAIN);
    raw(3, 0);
    need_errno(read(slave, got, sizeof got), EAGAIN);
}

/* ---- much at once ---- */

static int drain(void *arg)
{
    char got[4096];
    size_t left = (size_t)(intptr_t)arg;
    unsigned char expected = 0;

    while (left > 0) {
        ssize_t n = read(master, got, sizeof got);

        need(n > 0);
        for (ssize_t i = 0; i < n; i++) {
            need_eq((unsigned char)got[i], expected);
            expected = (unsigned char)(expected + 1);
        }
        left -= (size_t)n;
    }
    return 0;
}

/* covers: write read */
static void writer_waits_for_room_and_nothing_is_lost(void **state)
{
    static char text[256 * 1024];
    pid_t pid;

    (void)state;
    raw(1, 0);
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)i;
    }
    pid = child_start(drain, (void *)(intptr_t)sizeof text);
    need_eq(write(slave, text, sizeof text), sizeof text);
    need_eq(child_end(pid), 0);
}

static int interrupted_write(void *arg)
{
    static char text[1 << 20];

    (void)arg;
    signal(SIGALRM, SIG_IGN);
    need_eq(fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK), 0);
    ssize_t n = write(slave, text, sizeof text);
    need(n > 0 && n < (ssize_t)sizeof text);
    /* Linux moves what was written on its own time, and may so make room for more. */
    while (write(slave, text, sizeof text) > 0)
        ;
    need_eq(errno, EAGAIN);
    return 0;
}

/* covers: write EAGAIN O_NONBLOCK poll POLLOUT */
static void nonblocking_writer_gets_what_there_is_room_for(void **state)
{
    (void)state;
    child_passes(interrupted_write, NULL);
}

/* covers: read EFAULT write */
static void bad_pointers_are_efault(void **state)
{
    (void)state;
    type("x\n");
    need(wait_until(ready(slave, POLLIN)));
    need_errno(read(slave, BAD_PTR, 1), EFAULT);
    need_errno(write(slave, BAD_PTR, 1), EFAULT);
    need_errno(write(master, BAD_PTR, 1), EFAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        terminal_test(newline_becomes_carriage_return_by_inlcr),
        terminal_test(eighth_bit_is_stripped_by_istrip),
        terminal_test(upper_case_becomes_lower_by_iuclc),
        terminal_test(byte_255_is_doubled_by_parmrk),
        terminal_test(erase_takes_a_whole_character_with_iutf8),
        terminal_test(stop_key_stops_output_until_the_start_key),
        terminal_test(any_key_starts_output_with_ixany),
        terminal_test(output_goes_on_when_flow_control_is_switched_off),
        terminal_test(flow_is_controlled_by_calls),
        terminal_test(echo_waits_while_output_is_stopped),
        terminal_test(other_characters_end_lines_too),
        terminal_test(line_is_cut_at_4096_bytes_with_its_end),
        terminal_test(half_a_line_is_readable_when_canonical_mode_ends),
        terminal_test(signal_key_keeps_input_with_noflsh),
        terminal_test(extproc_leaves_all_to_the_other_end),
        terminal_test(control_characters_are_echoed_with_a_caret),
        terminal_test(echonl_echoes_the_newline_alone),
        terminal_test(erasing_rubs_out_what_was_echoed),
        terminal_test(erasing_a_tab_goes_back_to_where_it_began),
        terminal_test(killing_a_line_erases_it_or_begins_another),
        terminal_test(echoprt_prints_what_is_erased),
        terminal_test(reprint_shows_the_line_again_and_quoting_a_caret),
        terminal_test(lower_case_becomes_upper_by_olcuc),
        terminal_test(carriage_returns_become_newlines_or_nothing),
        terminal_test(tabs_become_spaces_by_xtabs),
        terminal_test(timer_between_bytes_ends_a_read_that_began),
        terminal_test(poll_waits_for_vmin_bytes),
        terminal_test(nonblocking_read_without_timer_is_zero_else_eagain),
        terminal_test(writer_waits_for_room_and_nothing_is_lost),
        terminal_test(nonblocking_writer_gets_what_there_is_room_for),
        terminal_test(bad_pointers_are_efault),
    };

    return cmocka_run_group_tests_name("tty/ldisc", tests, NULL, NULL);
}
