/* filter.c: SO_ATTACH_FILTER and its kin, socket(7): programs of the classic packet filter. */
#include "loopback.h"

#include <linux/filter.h>
#include <net/if_arp.h>

#ifndef SO_GET_FILTER
#define SO_GET_FILTER SO_ATTACH_FILTER
#endif

#define LD(mode, k)       BPF_STMT(BPF_LD | (mode), k)
#define RETURN(k)         BPF_STMT(BPF_RET | BPF_K, k)
#define RETURN_A          BPF_STMT(BPF_RET | BPF_A, 0)
#define ALU(op, k)        BPF_STMT(BPF_ALU | (op) | BPF_K, k)
#define ALU_X(op)         BPF_STMT(BPF_ALU | (op) | BPF_X, 0)
#define FACT(which)       LD(BPF_W | BPF_ABS, (unsigned)(SKF_AD_OFF + (which)))
#define IF(op, k, jt, jf) BPF_JUMP(BPF_JMP | (op) | BPF_K, k, jt, jf)

static int attach(int fd, const struct sock_filter *code, size_t n)
{
    struct sock_fprog program = {.len = (unsigned short)n,
                                 .filter = (struct sock_filter *)(uintptr_t)code};

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

#define ATTACH(fd, ...)                                                                            \
    ({                                                                                             \
        const struct sock_filter code_[] = {__VA_ARGS__};                                          \
        attach(fd, code_, ARRAY_LEN(code_));                                                       \
    })

static void datagram_pair(int fds[2])
{
    must(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds));
}

/* How many bytes of the text come through; -1: none does. */
static int comes_through(int fds[2], const char *text)
{
    char seen[256];
    ssize_t n;

    assert_returns(send(fds[0], text, strlen(text), 0), strlen(text));
    n = recv(fds[1], seen, sizeof seen, MSG_DONTWAIT);
    if (n < 0)
        assert_int_equal(errno, EAGAIN);
    else
        assert_memory_equal(seen, text, (size_t)n);
    return (int)n;
}

/* covers: setsockopt SO_ATTACH_FILTER SO_DETACH_FILTER ENOENT */
static void filter_chooses_and_cuts(void **state)
{
    (void)state;
    int fds[2];

    datagram_pair(fds);
    assert_errno(setsockopt(fds[1], SOL_SOCKET, SO_DETACH_FILTER, &fds[0], 4), ENOENT);
    must(ATTACH(fds[1], LD(BPF_B | BPF_ABS, 0), IF(BPF_JEQ, 'y', 0, 1), RETURN(~0u),
                IF(BPF_JEQ, 'c', 0, 1), RETURN(3), RETURN(0)));
    assert_int_equal(comes_through(fds, "yes, all"), 8);
    assert_int_equal(comes_through(fds, "cut"), 3);
    assert_int_equal(comes_through(fds, "cut here"), 3);
    assert_int_equal(comes_through(fds, "no"), -1);
    must(setsockopt(fds[1], SOL_SOCKET, SO_DETACH_FILTER, &fds[0], 4));
    assert_int_equal(comes_through(fds, "no"), 2);
    close_both(fds);
}

/* covers: setsockopt SO_ATTACH_FILTER */
static void instructions_compute(void **state)
{
    (void)state;
    static const struct {
        struct sock_filter code[8];
        int expected; /* of the 20 bytes of the text */
    } rows[] = {
        {{LD(BPF_IMM, 5), ALU(BPF_ADD, 3), RETURN_A}, 8},
        {{LD(BPF_IMM, 5), ALU(BPF_SUB, 3), RETURN_A}, 2},
        {{LD(BPF_IMM, 5), ALU(BPF_MUL, 3), RETURN_A}, 15},
        {{LD(BPF_IMM, 17), ALU(BPF_DIV, 3), RETURN_A}, 5},
        {{LD(BPF_IMM, 17), ALU(BPF_MOD, 5), RETURN_A}, 2},
        {{LD(BPF_IMM, 13), ALU(BPF_AND, 7), RETURN_A}, 5},
        {{LD(BPF_IMM, 9), ALU(BPF_OR, 6), RETURN_A}, 15},
        {{LD(BPF_IMM, 9), ALU(BPF_XOR, 15), RETURN_A}, 6},
        {{LD(BPF_IMM, 3), ALU(BPF_LSH, 2), RETURN_A}, 12},
        {{LD(BPF_IMM, 64), ALU(BPF_RSH, 3), RETURN_A}, 8},
        {{LD(BPF_IMM, (unsigned)-7), ALU(BPF_NEG, 0), RETURN_A}, 7},
        {{LD(BPF_W | BPF_LEN, 0), ALU(BPF_SUB, 4), RETURN_A}, 16},
        {{BPF_STMT(BPF_LDX | BPF_IMM, 4), LD(BPF_IMM, 3), ALU_X(BPF_ADD), RETURN_A}, 7},
        {{BPF_STMT(BPF_LDX | BPF_W | BPF_LEN, 0), BPF_STMT(BPF_MISC | BPF_TXA, 0), RETURN_A}, 20},
        {{LD(BPF_IMM, 6), BPF_STMT(BPF_MISC | BPF_TAX, 0), ALU_X(BPF_ADD), RETURN_A}, 12},
        {{LD(BPF_IMM, 11), BPF_STMT(BPF_ST, 15), LD(BPF_IMM, 0), LD(BPF_MEM, 15), RETURN_A}, 11},
        {{BPF_STMT(BPF_LDX | BPF_IMM, 9), BPF_STMT(BPF_STX, 0), BPF_STMT(BPF_LDX | BPF_MEM, 0),
          BPF_STMT(BPF_MISC | BPF_TXA, 0), RETURN_A},
         9},
        {{LD(BPF_H | BPF_ABS, 0), IF(BPF_JEQ, '0' << 8 | '1', 0, 1), RETURN(10), RETURN(1)}, 10},
        {{LD(BPF_W | BPF_ABS, 16), IF(BPF_JEQ, 0x36373839, 0, 1), RETURN(10), RETURN(1)}, 10},
        {{BPF_STMT(BPF_LDX | BPF_IMM, 3), LD(BPF_B | BPF_IND, 2), ALU(BPF_SUB, '0'), RETURN_A}, 5},
        {{BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 3), BPF_STMT(BPF_MISC | BPF_TXA, 0), RETURN_A}, 12},
        {{LD(BPF_IMM, 5), IF(BPF_JGT, 5, 0, 1), RETURN(1), IF(BPF_JGE, 5, 0, 1), RETURN(2),
          RETURN(3)},
         2},
        {{LD(BPF_IMM, 5), IF(BPF_JSET, 4, 1, 0), RETURN(1), BPF_STMT(BPF_JMP | BPF_JA, 1),
          RETURN(2), RETURN(4)},
         4},
        /* what ends a program: a load behind the end, a division by zero */
        {{LD(BPF_B | BPF_ABS, 20), RETURN(9)}, -1},
        {{LD(BPF_W | BPF_ABS, 17), RETURN(9)}, -1},
        {{LD(BPF_IMM, 8), BPF_STMT(BPF_LDX | BPF_IMM, 0), ALU_X(BPF_DIV), RETURN(9)}, -1},
        {{LD(BPF_IMM, 8), BPF_STMT(BPF_LDX | BPF_IMM, 0), ALU_X(BPF_MOD), RETURN(9)}, -1},
    };
    int fds[2];

    datagram_pair(fds);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t n = ARRAY_LEN(rows[i].code);

        while (BPF_CLASS(rows[i].code[n - 1].code) != BPF_RET)
            n--;
        must(attach(fds[1], rows[i].code, n));
        int seen = comes_through(fds, "01234567890123456789");
        if (seen != rows[i].expected)
            fail_msg("program %zu: %d bytes, not %d", i, seen, rows[i].expected);
    }
    close_both(fds);
}

/* covers: setsockopt SO_ATTACH_FILTER EINVAL EFAULT */
static void bad_programs_are_refused(void **state)
{
    (void)state;
    static struct sock_filter many[BPF_MAXINSNS + 1];
    struct sock_fprog program = {.len = 1, .filter = BAD_PTR};
    int fds[2], fd;

    datagram_pair(fds);
    fd = fds[1];
    assert_errno(attach(fd, many, 0), EINVAL);
    assert_errno(attach(fd, NULL, 1), EINVAL);
    assert_errno(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), EFAULT);
    assert_errno(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, 8), EINVAL);
    assert_errno(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, 17), EINVAL);
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = (struct sock_filter)RETURN(1);
    must(attach(fd, many, BPF_MAXINSNS));
    assert_errno(attach(fd, many, BPF_MAXINSNS + 1), EINVAL);
    assert_errno(ATTACH(fd, LD(BPF_IMM, 1)), EINVAL); /* does not return */
    assert_errno(ATTACH(fd, BPF_STMT(BPF_RET | BPF_X, 0)), EINVAL);
    assert_errno(ATTACH(fd, BPF_STMT(0xffff, 0), RETURN(1)), EINVAL);
    assert_errno(ATTACH(fd, BPF_STMT(BPF_ALU | 0xf0, 1), RETURN(1)), EINVAL);
    assert_errno(ATTACH(fd, ALU(BPF_DIV, 0), RETURN(1)), EINVAL);
    assert_errno(ATTACH(fd, ALU(BPF_MOD, 0), RETURN(1)), EINVAL);
    assert_errno(ATTACH(fd, ALU(BPF_LSH, 32), RETURN(1)), EINVAL);
    assert_errno(ATTACH(fd, ALU(BPF_RSH, 32), RETURN(1)), EINVAL);
    assert_errno(ATTACH(fd, BPF_STMT(BPF_ST, 16), RETURN(1)), EINVAL);
    assert_errno(ATTACH(fd, LD(BPF_MEM, 16), RETURN(1)), EINVAL);
    assert_errno(ATTACH(fd, BPF_STMT(BPF_JMP | BPF_JA, 1), RETURN(1)), EINVAL);
    assert_errno(ATTACH(fd, BPF_STMT(BPF_JMP | BPF_JA, ~0u), RETURN(1)), EINVAL);
    assert_errno(ATTACH(fd, IF(BPF_JEQ, 0, 1, 0), RETURN(1)), EINVAL);
    assert_errno(ATTACH(fd, IF(BPF_JEQ, 0, 0, 1), RETURN(1)), EINVAL);
    assert_errno(ATTACH(fd, FACT(1), RETURN(1)), EINVAL);
    assert_errno(ATTACH(fd, FACT(SKF_AD_MAX), RETURN(1)), EINVAL);
    /* a word that was not stored on one of the ways */
    assert_errno(ATTACH(fd, LD(BPF_MEM, 0), RETURN_A), EINVAL);
    assert_errno(ATTACH(fd, IF(BPF_JEQ, 0, 0, 1), BPF_STMT(BPF_ST, 0), LD(BPF_MEM, 0), RETURN_A),
                 EINVAL);
    must(ATTACH(fd, IF(BPF_JEQ, 0, 0, 2), BPF_STMT(BPF_ST, 0), BPF_STMT(BPF_JMP | BPF_JA, 1),
                BPF_STMT(BPF_ST, 0), LD(BPF_MEM, 0), RETURN(2)));
    assert_int_equal(comes_through(fds, "text"), 2);
    close_both(fds);
}

/* covers: setsockopt SO_LOCK_FILTER SO_ATTACH_FILTER EPERM SO_DETACH_FILTER getsockopt SO_LOCK_FILTER */
static void locked_filter_stays(void **state)
{
    (void)state;
    int fds[2];

    datagram_pair(fds);
    must(ATTACH(fds[1], RETURN(1)));
    assert_int_equal(get_int(fds[1], SOL_SOCKET, SO_LOCK_FILTER), 0);
    must(set_int(fds[1], SOL_SOCKET, SO_LOCK_FILTER, 1));
    assert_int_equal(get_int(fds[1], SOL_SOCKET, SO_LOCK_FILTER), 1);
    assert_errno(ATTACH(fds[1], RETURN(2)), EPERM);
    assert_errno(setsockopt(fds[1], SOL_SOCKET, SO_DETACH_FILTER, &fds[0], 4), EPERM);
    assert_errno(set_int(fds[1], SOL_SOCKET, SO_LOCK_FILTER, 0), EPERM);
    assert_int_equal(comes_through(fds, "text"), 1);
    close_both(fds);
}

/* covers: getsockopt SO_GET_FILTER EINVAL EFAULT */
static void filter_can_be_read_back(void **state)
{
    (void)state;
    struct sock_filter seen[3] = {{0}};
    socklen_t n = 0;
    int fds[2];

    datagram_pair(fds);
    must(getsockopt(fds[1], SOL_SOCKET, SO_GET_FILTER, seen, &n));
    assert_int_equal(n, 0);
    must(ATTACH(fds[1], LD(BPF_IMM, 7), RETURN_A));
    must(getsockopt(fds[1], SOL_SOCKET, SO_GET_FILTER, NULL, &n));
    assert_int_equal(n, 2);
    n = 1;
    assert_errno(getsockopt(fds[1], SOL_SOCKET, SO_GET_FILTER, seen, &n), EINVAL);
    n = 3;
    assert_errno(getsockopt(fds[1], SOL_SOCKET, SO_GET_FILTER, BAD_PTR, &n), EFAULT);
    must(getsockopt(fds[1], SOL_SOCKET, SO_GET_FILTER, seen, &n));
    assert_int_equal(n, 2);
    assert_int_equal(seen[0].k, 7);
    assert_int_equal(seen[1].code, BPF_RET | BPF_A);
    close_both(fds);
}

/* covers: setsockopt SO_ATTACH_BPF EBADF EINVAL */
static void only_programs_are_attached_by_descriptor(void **state)
{
    (void)state;
    int fds[2], none = -1;

    datagram_pair(fds);
    assert_errno(setsockopt(fds[1], SOL_SOCKET, SO_ATTACH_BPF, &none, sizeof none), EBADF);
    assert_errno(setsockopt(fds[1], SOL_SOCKET, SO_ATTACH_BPF, &fds[0], sizeof none), EINVAL);
    close_both(fds);
}

/* covers: setsockopt SO_ATTACH_FILTER recvfrom */
static void udp_filter_sees_headers(void **state)
{
    (void)state;
    in_port_t port, other;
    int fds[2] = {udp_bound(&other), udp_bound(&port)};

    must(try_connect4(fds[0], INADDR_LOOPBACK, port));
    /* its own header first: the ports, then the length */
    must(ATTACH(fds[1], LD(BPF_H | BPF_ABS, 2), IF(BPF_JEQ, port, 0, 3), LD(BPF_H | BPF_ABS, 4),
                IF(BPF_JEQ, 8 + 4, 0, 1), RETURN(8 + 2), RETURN(0)));
    assert_int_equal(comes_through(fds, "text"), 2);
    assert_int_equal(comes_through(fds, "another"), -1);
    /* no less than the header stays */
    must(ATTACH(fds[1], RETURN(1)));
    assert_int_equal(comes_through(fds, "text"), 0);
    must(ATTACH(fds[1], LD(BPF_B | BPF_ABS, 8), IF(BPF_JEQ, 't', 0, 1), RETURN(100), RETURN(0)));
    assert_int_equal(comes_through(fds, "text"), 4);
    /* the header of IP: its version and length, and the protocol */
    must(ATTACH(fds[1], LD(BPF_B | BPF_ABS, (unsigned)SKF_NET_OFF), IF(BPF_JEQ, 0x45, 0, 3),
                LD(BPF_B | BPF_ABS, (unsigned)SKF_NET_OFF + 9), IF(BPF_JEQ, IPPROTO_UDP, 0, 1),
                RETURN(100), RETURN(0)));
    assert_int_equal(comes_through(fds, "text"), 4);
    must(ATTACH(fds[1], LD(BPF_W | BPF_ABS, (unsigned)SKF_NET_OFF + 16),
                IF(BPF_JEQ, INADDR_LOOPBACK, 0, 1), RETURN(100), RETURN(0)));
    assert_int_equal(comes_through(fds, "text"), 4);
    close_both(fds);
}

/* covers: setsockopt SO_ATTACH_FILTER getsockopt SO_BPF_EXTENSIONS */
static void facts_about_a_packet_can_be_loaded(void **state)
{
    (void)state;
    static const struct {
        int which;
        unsigned value;
    } rows[] = {{SKF_AD_PROTOCOL, 0x0800}, {SKF_AD_PKTTYPE, 0},
                {SKF_AD_IFINDEX, 1},       {SKF_AD_HATYPE, ARPHRD_LOOPBACK},
                {SKF_AD_MARK, 0},          {SKF_AD_VLAN_TAG_PRESENT, 0}};
    in_port_t port, other;
    int fds[2] = {udp_bound(&other), udp_bound(&port)};

    must(try_connect4(fds[0], INADDR_LOOPBACK, port));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        must(ATTACH(fds[1], FACT(rows[i].which), IF(BPF_JEQ, rows[i].value, 0, 1), RETURN(100),
                    RETURN(0)));
        if (comes_through(fds, "text") != 4)
            fail_msg("fact %d", rows[i].which);
    }
    must(ATTACH(fds[1], LD(BPF_IMM, 12), BPF_STMT(BPF_LDX | BPF_IMM, 5), FACT(SKF_AD_ALU_XOR_X),
                IF(BPF_JEQ, 9, 0, 1), RETURN(100), RETURN(0)));
    assert_int_equal(comes_through(fds, "text"), 4);
    must(ATTACH(fds[1], FACT(SKF_AD_RANDOM), RETURN(100)));
    assert_int_equal(comes_through(fds, "text"), 4);
    assert_int_equal(get_int(fds[0], SOL_SOCKET, SO_BPF_EXTENSIONS), SKF_AD_MAX);
    close_both(fds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filter_chooses_and_cuts),
        cmocka_unit_test(instructions_compute),
        cmocka_unit_test(bad_programs_are_refused),
        cmocka_unit_test(locked_filter_stays),
        cmocka_unit_test(filter_can_be_read_back),
        cmocka_unit_test(only_programs_are_attached_by_descriptor),
        cmocka_unit_test(udp_filter_sees_headers),
        cmocka_unit_test(facts_about_a_packet_can_be_loaded),
    };

    return cmocka_run_group_tests_name("net/filter", tests, NULL, NULL);
}
