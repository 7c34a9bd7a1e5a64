/* ping.c: echo sockets, icmp(7): SOCK_DGRAM of IPPROTO_ICMP. */
#include "loopback.h"

#include <netinet/ip_icmp.h>

/* In a namespace of its own nobody may at first. */
static int echo_socket(void)
{
    int file = open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY);

    if (file < 0 || write(file, "0 2147483647", 12) != 12)
        skip_because("ping_group_range cannot be set");
    must(close(file));
    loopback_needed();
    return must(socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
}

/* covers: socket sendto recvfrom */
static void request_is_answered(void **state)
{
    (void)state;
    struct {
        struct icmphdr header;
        char text[8];
    } request = {{.type = ICMP_ECHO, .un.echo.sequence = 5}, "payload"}, answer;
    struct sockaddr_in to = v4(INADDR_LOOPBACK, 0), from;
    socklen_t size = sizeof from;
    int fd = echo_socket();

    assert_returns(sendto(fd, &request, sizeof request, 0, (struct sockaddr *)&to, sizeof to), 16);
    assert_returns(recvfrom(fd, &answer, sizeof answer, 0, (struct sockaddr *)&from, &size), 16);
    assert_int_equal(answer.header.type, ICMP_ECHOREPLY);
    assert_int_equal(answer.header.un.echo.sequence, 5);
    assert_int_equal(ntohs(answer.header.un.echo.id), port_of(fd));
    assert_string_equal(answer.text, "payload");
    assert_int_equal(from.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    assert_int_equal(from.sin_port, 0);
    must(close(fd));
}

/* covers: sendto EINVAL */
static void only_requests_are_sent(void **state)
{
    (void)state;
    struct icmphdr header = {.type = ICMP_ECHOREPLY};
    struct sockaddr_in to = v4(INADDR_LOOPBACK, 0);
    int fd = echo_socket();

    assert_errno(sendto(fd, &header, sizeof header, 0, (struct sockaddr *)&to, sizeof to), EINVAL);
    header.type = ICMP_ECHO;
    assert_errno(sendto(fd, &header, 4, 0, (struct sockaddr *)&to, sizeof to), EINVAL);
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_is_answered),
        cmocka_unit_test(only_requests_are_sent),
    };

    return cmocka_run_group_tests_name("net/ping", tests, NULL, NULL);
}
