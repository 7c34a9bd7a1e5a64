/*
 * mempolicy.c: set_mempolicy(2), get_mempolicy(2), mbind(2), set_mempolicy_home_node(2), migrate_pages(2),
 * move_pages(2): policies of memory, on a machine with one node.
 */
#include "../lib/child.h"

#include <linux/mempolicy.h>

#define NR_home_node 450

#define PAGE 4096ul
#define BITS 64ul /* of a mask, and one more as the calls count them */
#define RW   (PROT_READ | PROT_WRITE)

static const unsigned long none = 0, node0 = 1, node1 = 2, both = 3;

static long set(int mode, const void *mask, unsigned long bits)
{
    return SYS(SYS_set_mempolicy, mode, mask, bits);
}

static long bind_pages(void *at, unsigned long size, int mode, const void *mask, unsigned flags)
{
    return SYS(SYS_mbind, at, size, mode, mask, BITS, flags);
}

/* Skips unless there is node 0 and no other. */
static void need_one_node(void)
{
    unsigned long nodes[64] = {0};
    long got = SYS(SYS_get_mempolicy, NULL, nodes, 4096, 0, MPOL_F_MEMS_ALLOWED);

    if (got == -ENOSYS) {
        skip_because("get_mempolicy is not in the running kernel");
    }
    need_eq(got, 0);
    if (nodes[0] != 1) {
        skip_because("there are several nodes");
    }
}

/* Each case changes a policy of its own process's. */
#define alone(...)                                                                                 \
    do {                                                                                           \
        (void)state;                                                                               \
        need_one_node();                                                                           \
        in_child(__VA_ARGS__);                                                                     \
    } while (0)

static void need_policy(unsigned long addr, unsigned long flags, int mode, unsigned long mask)
{
    unsigned long told[64];
    int told_mode = -1;

    memset(told, 0xff, sizeof told);
    need_eq(SYS(SYS_get_mempolicy, &told_mode, told, 4096, addr, flags), 0);
    need_eq(told_mode, mode);
    need_eq(told[0], mask);
    for (size_t i = 1; i < ARRAY_LEN(told); i++) {
        need_eq(told[i], 0);
    }
}

static char *pages(int count)
{
    char *at = mmap(NULL, (size_t)count * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    need(at != MAP_FAILED);
    return at;
}

/* covers: set_mempolicy MPOL_BIND MPOL_INTERLEAVE MPOL_PREFERRED MPOL_LOCAL MPOL_DEFAULT get_mempolicy
 * MPOL_PREFERRED_MANY */
static void policy_of_a_thread_is_kept_and_told(void **state)
{
    alone({
        static const int modes[] = {MPOL_PREFERRED, MPOL_BIND, MPOL_INTERLEAVE};

        need_policy(0, 0, MPOL_DEFAULT, 0);
        for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
            need_eq(set(modes[i], &node0, BITS), 0);
            need_policy(0, 0, modes[i], 1);
            need_eq(set(modes[i], &both, BITS), 0); /* what is not there is left out */
            need_policy(0, 0, modes[i], 1);
        }
        need_eq(set(MPOL_PREFERRED, NULL, 0), 0); /* none in particular: the nearest */
        need_policy(0, 0, MPOL_LOCAL, 0);
        need_eq(set(MPOL_LOCAL, NULL, 0), 0);
        need_policy(0, 0, MPOL_LOCAL, 0);
        if (set(MPOL_PREFERRED_MANY, &node0, BITS) == 0) {
            need_policy(0, 0, MPOL_PREFERRED_MANY, 1);
        }
        need_eq(set(MPOL_DEFAULT, &none, BITS), 0);
        need_policy(0, 0, MPOL_DEFAULT, 0);
    });
}

/* covers: set_mempolicy MPOL_F_STATIC_NODES MPOL_F_RELATIVE_NODES MPOL_F_NUMA_BALANCING EINVAL */
static void flags_keep_the_mask_as_it_was_given(void **state)
{
    alone({
        need_eq(set(MPOL_BIND | MPOL_F_STATIC_NODES, &both, BITS), 0);
        need_policy(0, 0, MPOL_BIND | MPOL_F_STATIC_NODES, 3);
        need_eq(set(MPOL_BIND | MPOL_F_RELATIVE_NODES, &node1, BITS), 0);
        need_policy(0, 0, MPOL_BIND | MPOL_F_RELATIVE_NODES, 2);
        need_eq(set(MPOL_BIND | MPOL_F_STATIC_NODES, &node1, BITS), -EINVAL);
        need_eq(set(MPOL_BIND | MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES, &node0, BITS),
                -EINVAL);
        need_eq(set(MPOL_LOCAL | MPOL_F_STATIC_NODES, NULL, 0), -EINVAL);
        need_eq(set(MPOL_PREFERRED | MPOL_F_RELATIVE_NODES, NULL, 0), -EINVAL);
        need_eq(set(MPOL_INTERLEAVE | MPOL_F_NUMA_BALANCING, &node0, BITS), -EINVAL);
        need_policy(0, 0, MPOL_BIND | MPOL_F_RELATIVE_NODES, 2);
    });
}

/* covers: set_mempolicy EINVAL EFAULT */
static void modes_and_masks_are_checked(void **state)
{
    alone({
        static unsigned long wide[64];

        need_eq(set(-1, NULL, 0), -EINVAL);
        need_eq(set(99, &node0, BITS), -EINVAL);
        need_eq(set(MPOL_DEFAULT, &node0, BITS), -EINVAL);
        need_eq(set(MPOL_LOCAL, &node0, BITS), -EINVAL);
        need_eq(set(MPOL_BIND, &none, BITS), -EINVAL);
        need_eq(set(MPOL_BIND, NULL, BITS), -EINVAL);
        need_eq(set(MPOL_BIND, &node1, BITS), -EINVAL);
        need_eq(set(MPOL_BIND, &node0, 1), -EINVAL); /* not one bit of it */
        need_eq(set(MPOL_BIND, &node0, 2), 0);
        need_eq(set(MPOL_BIND, &node0, 0), -EINVAL);
        need_eq(set(MPOL_BIND, &node0, 8 * PAGE + 2), -EINVAL);
        need_eq(set(MPOL_BIND, BAD_PTR, BITS), -EFAULT);
        wide[0] = 1;
        need_eq(set(MPOL_BIND, wide, 4096), 0);
        wide[63] = 1; /* a node that there cannot be */
        need_eq(set(MPOL_BIND, wide, 4096), -EINVAL);
    });
}

/* covers: set_mempolicy MPOL_BIND */
static void policy_is_inherited(void **state)
{
    alone({
        need_eq(set(MPOL_BIND, &node0, BITS), 0);
        in_child(need_policy(0, 0, MPOL_BIND, 1));
        need_policy(0, 0, MPOL_BIND, 1);
    });
}

/* covers: get_mempolicy MPOL_F_NODE MPOL_F_ADDR MPOL_F_MEMS_ALLOWED */
static void nodes_of_pages_and_allowed_ones_are_told(void **state)
{
    alone({
        char *at = pages(1);
        int node = -1;

        need_policy(0, MPOL_F_MEMS_ALLOWED, 0, 1);
        need_eq(SYS(SYS_get_mempolicy, &node, NULL, 0, at, MPOL_F_NODE | MPOL_F_ADDR), 0);
        need_eq(node, 0);
        need_eq(set(MPOL_INTERLEAVE, &node0, BITS), 0);
        node = -1;
        need_eq(SYS(SYS_get_mempolicy, &node, NULL, 0, NULL, MPOL_F_NODE), 0);
        need_eq(node, 0); /* whose turn it is */
    });
}

/* covers: get_mempolicy EINVAL EFAULT */
static void questions_are_checked(void **state)
{
    alone({
        unsigned long mask[2] = {5, 5};
        int mode;

        need_eq(SYS(SYS_get_mempolicy, NULL, NULL, 0, 0, 0), 0);
        need_eq(SYS(SYS_get_mempolicy, &mode, mask, 0, 0, 0), -EINVAL);
        need_eq(SYS(SYS_get_mempolicy, &mode, mask, 1, 0, 0), 0);
        need(mask[0] == 5 && mask[1] == 5);
        need_eq(SYS(SYS_get_mempolicy, &mode, mask, 8 * PAGE + 65, 0, 0), -EINVAL);
        need_eq(SYS(SYS_get_mempolicy, &mode, NULL, 0, 0, 8), -EINVAL);
        need_eq(SYS(SYS_get_mempolicy, &mode, NULL, 0, mask, 0), -EINVAL);
        need_eq(SYS(SYS_get_mempolicy, &mode, NULL, 0, 0, MPOL_F_NODE), -EINVAL);
        need_eq(SYS(SYS_get_mempolicy, &mode, NULL, 0, mask, MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED),
                -EINVAL);
        need_eq(SYS(SYS_get_mempolicy, &mode, NULL, 0, 0, MPOL_F_NODE | MPOL_F_MEMS_ALLOWED),
                -EINVAL);
        need_eq(SYS(SYS_get_mempolicy, &mode, NULL, 0, BAD_PTR, MPOL_F_ADDR), -EFAULT);
        need_eq(SYS(SYS_get_mempolicy, BAD_PTR, NULL, 0, 0, 0), -EFAULT);
        need_eq(SYS(SYS_get_mempolicy, &mode, BAD_PTR, 1024, 0, 0), -EFAULT);
    });
}

/* covers: mbind MPOL_BIND MPOL_DEFAULT MPOL_MF_STRICT MPOL_MF_MOVE get_mempolicy MPOL_F_ADDR */
static void policy_of_pages_is_theirs_alone(void **state)
{
    alone({
        char *at = pages(4);

        at[PAGE] = 1;
        need_eq(bind_pages(at + PAGE, 2 * PAGE, MPOL_BIND, &node0, 0), 0);
        need_policy((unsigned long)at, MPOL_F_ADDR, MPOL_DEFAULT, 0);
        need_policy((unsigned long)at + PAGE, MPOL_F_ADDR, MPOL_BIND, 1);
        need_policy((unsigned long)at + 3 * PAGE - 1, MPOL_F_ADDR, MPOL_BIND, 1);
        need_policy((unsigned long)at + 3 * PAGE, MPOL_F_ADDR, MPOL_DEFAULT, 0);
        need_policy(0, 0, MPOL_DEFAULT, 0);
        need_eq(bind_pages(at, 4 * PAGE, MPOL_BIND, &node0, MPOL_MF_STRICT | MPOL_MF_MOVE), 0);
        in_child(need_policy((unsigned long)at, MPOL_F_ADDR, MPOL_BIND, 1));
        need_eq(bind_pages(at, 4 * PAGE, MPOL_DEFAULT, NULL, 0), 0);
        need_policy((unsigned long)at + PAGE, MPOL_F_ADDR, MPOL_DEFAULT, 0);
        need_eq(at[PAGE], 1);
    });
}

/* covers: mbind EINVAL EFAULT EPERM MPOL_MF_MOVE_ALL */
static void ranges_and_flags_are_checked(void **state)
{
    alone({
        char *at = pages(4);

        need_eq(bind_pages(at + 1, PAGE, MPOL_BIND, &node0, 0), -EINVAL);
        need_eq(bind_pages(at, -PAGE, MPOL_BIND, &node0, 0), -EINVAL);
        need_eq(bind_pages(at, 0, MPOL_BIND, &node0, 0), 0);
        need_eq(bind_pages(at, PAGE, MPOL_BIND, &node0, 8), -EINVAL);
        need_eq(bind_pages(at, PAGE, 99, &node0, 0), -EINVAL);
        need_eq(bind_pages(at, PAGE, MPOL_BIND, &node1, 0), -EINVAL);
        need_eq(bind_pages(at, PAGE, MPOL_BIND, NULL, 0), -EINVAL);
        need_eq(bind_pages(at, PAGE, MPOL_DEFAULT, &node0, 0), -EINVAL);
        need_eq(bind_pages(at, PAGE, MPOL_BIND, BAD_PTR, 0), -EFAULT);
        need_eq(munmap(at + PAGE, PAGE), 0);
        need_eq(bind_pages(at, 4 * PAGE, MPOL_BIND, &node0, 0), -EFAULT);
        need_eq(bind_pages(at + PAGE, PAGE, MPOL_BIND, &node0, 0), -EFAULT);
        need_policy((unsigned long)at, MPOL_F_ADDR, MPOL_DEFAULT, 0);
        need_eq(bind_pages(at, 4 * PAGE, MPOL_DEFAULT, NULL, 0), 0); /* which passes over gaps */
        as_nobody(need_eq(bind_pages(at, PAGE, MPOL_BIND, &node0, MPOL_MF_MOVE_ALL), -EPERM));
    });
}

/* covers: set_mempolicy_home_node EINVAL ENOENT EOPNOTSUPP */
static void home_node_belongs_to_some_policies(void **state)
{
    if (SYS(NR_home_node, NULL, 0, 0, 0) == -ENOSYS) {
        skip_because("set_mempolicy_home_node is not in the running kernel");
    }
    alone({
        char *at = pages(3);

        need_eq(SYS(NR_home_node, at, PAGE, 0, 0), -ENOENT);
        need_eq(bind_pages(at, PAGE, MPOL_BIND, &node0, 0), 0);
        need_eq(SYS(NR_home_node, at, PAGE, 0, 0), 0);
        need_eq(SYS(NR_home_node, at, 3 * PAGE, 0, 0), 0);
        need_eq(SYS(NR_home_node, at + PAGE, PAGE, 0, 0), -ENOENT);
        need_eq(SYS(NR_home_node, at, PAGE, 1, 0), -EINVAL);
        need_eq(SYS(NR_home_node, at, PAGE, -1, 0), -EINVAL);
        need_eq(SYS(NR_home_node, at, PAGE, 0, 1), -EINVAL);
        need_eq(SYS(NR_home_node, at + 1, PAGE, 0, 0), -EINVAL);
        need_eq(SYS(NR_home_node, at, -PAGE, 0, 0), -EINVAL);
        need_eq(SYS(NR_home_node, at, 0, 0, 0), 0);
        need_policy((unsigned long)at, MPOL_F_ADDR, MPOL_BIND, 1);
        need_eq(bind_pages(at, PAGE, MPOL_INTERLEAVE, &node0, 0), 0);
        need_eq(SYS(NR_home_node, at, PAGE, 0, 0), -EOPNOTSUPP);
    });
}

static long migrate(pid_t pid, unsigned long bits, const void *from, const void *to)
{
    return SYS(SYS_migrate_pages, pid, bits, from, to);
}

/* covers: migrate_pages EINVAL EFAULT ESRCH EPERM */
static void pages_stay_on_the_only_node(void **state)
{
    pid_t parent = getpid();

    need_root();
    alone({
        need_eq(migrate(0, BITS, &node0, &node0), 0);
        need_eq(migrate(getpid(), BITS, &node1, &node0), 0);
        need_eq(migrate(0, BITS, &none, &node0), 0);
        need_eq(migrate(0, BITS, &node0, &none), -EINVAL);
        need_eq(migrate(0, BITS, &node0, NULL), -EINVAL);
        need_eq(migrate(0, 8 * PAGE + 2, &node0, &node0), -EINVAL);
        need_eq(migrate(0, BITS, BAD_PTR, &node0), -EFAULT);
        need_eq(migrate(0, BITS, &node0, BAD_PTR), -EFAULT);
        need_eq(migrate(0x3ffffffe, BITS, &node0, &node0), -ESRCH);
        need_eq(migrate(-1, BITS, &node0, &node0), -ESRCH);
        drop_privileges();
        need_eq(migrate(0, BITS, &node0, &node0), 0);
        need_eq(migrate(0, BITS, &node0, &node1), -EPERM);
    });
    need_other_ids();
    as_nobody(need_eq(migrate(parent, BITS, &node0, &node0), -EPERM));
}

static long move(pid_t pid, unsigned long count, void *at, const int *nodes, int *status, int flags)
{
    return SYS(SYS_move_pages, pid, count, at, nodes, status, flags);
}

/* covers: move_pages MPOL_MF_MOVE MPOL_MF_MOVE_ALL */
static void places_of_pages_are_told(void **state)
{
    alone({
        char *at = pages(4);
        void *list[] = {at, at + PAGE, at + 2 * PAGE, at + 3 * PAGE + 5};
        int nodes[4] = {0};
        int status[4];

        need_eq(munmap(at + PAGE, PAGE), 0);
        at[0] = 1;
        at[3 * PAGE] = 1;
        for (int round = 0; round < 2; round++) {
            memset(status, 0x55, sizeof status);
            need_eq(move(round ? getpid() : 0, 4, list, round ? nodes : NULL, status,
                         round ? MPOL_MF_MOVE : 0),
                    0);
            need_eq(status[0], 0);
            need_eq(status[1], -EFAULT); /* nothing is mapped */
            need_eq(status[2], -ENOENT); /* and here nothing was touched yet */
            need_eq(status[3], 0);
        }
        need_eq(move(0, 0, list, nodes, status, MPOL_MF_MOVE), 0);
        if (has_capability(CAP_SYS_NICE)) {
            need_eq(move(0, 4, list, nodes, status, MPOL_MF_MOVE_ALL), 0);
        }
    });
}

/* covers: move_pages EFAULT EINVAL ENODEV EPERM ESRCH */
static void lists_of_pages_are_checked(void **state)
{
    pid_t parent = getpid();

    need_root();
    alone({
        char *at = pages(1);
        void *list[] = {at};
        int nodes[] = {0};
        int far[] = {1};
        int below[] = {-1};
        int status[1];

        at[0] = 1;
        need_eq(move(0, 1, list, nodes, status, MPOL_MF_STRICT), -EINVAL);
        need_eq(move(0, 1, list, nodes, status, 8), -EINVAL);
        need_eq(move(0, 1, list, far, status, MPOL_MF_MOVE), -ENODEV);
        need_eq(move(0, 1, list, below, status, MPOL_MF_MOVE), -ENODEV);
        need_eq(move(0, 1, BAD_PTR, nodes, status, MPOL_MF_MOVE), -EFAULT);
        need_eq(move(0, 1, list, BAD_PTR, status, MPOL_MF_MOVE), -EFAULT);
        need_eq(move(0, 1, list, nodes, BAD_PTR, MPOL_MF_MOVE), -EFAULT);
        need_eq(move(0, 1, list, NULL, BAD_PTR, MPOL_MF_MOVE), -EFAULT);
        need_eq(move(0x3ffffffe, 1, list, nodes, status, MPOL_MF_MOVE), -ESRCH);
        need_eq(move(-1, 1, list, nodes, status, MPOL_MF_MOVE), -ESRCH);
        drop_privileges();
        need_eq(move(0, 1, list, nodes, status, MPOL_MF_MOVE_ALL), -EPERM);
    });
    need_other_ids();
    as_nobody({
        void *list[] = {NULL};
        int status[1];

        need_eq(move(parent, 1, list, NULL, status, 0), -EPERM);
    });
}

static int touch_and_wait(void *arg)
{
    *(volatile char *)arg = 1;
    return sleep_forever(NULL);
}

/* covers: move_pages */
static void pages_of_another_process_are_told(void **state)
{
    char *at, *shared;
    int status[2] = {-1, -1};
    pid_t pid;

    (void)state;
    need_one_node();
    at = pages(2);
    shared = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    need(shared != MAP_FAILED);
    pid = child_start(touch_and_wait, shared);
    need(wait_until(*(volatile char *)shared == 1));
    void *list[] = {shared, at};
    if (move(pid, 2, list, NULL, status, 0) == -EPERM) {
        kill(pid, SIGKILL);
        child_end(pid);
        skip_because("no privilege to look into another process");
    }
    need_eq(status[0], 0);
    need_eq(status[1], -ENOENT);
    need_eq(kill(pid, SIGKILL), 0);
    need_eq(child_end(pid), SIGKILL);
    munmap(at, 2 * PAGE);
    munmap(shared, PAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policy_of_a_thread_is_kept_and_told),
        cmocka_unit_test(flags_keep_the_mask_as_it_was_given),
        cmocka_unit_test(modes_and_masks_are_checked),
        cmocka_unit_test(policy_is_inherited),
        cmocka_unit_test(nodes_of_pages_and_allowed_ones_are_told),
        cmocka_unit_test(questions_are_checked),
        cmocka_unit_test(policy_of_pages_is_theirs_alone),
        cmocka_unit_test(ranges_and_flags_are_checked),
        cmocka_unit_test(home_node_belongs_to_some_policies),
        cmocka_unit_test(pages_stay_on_the_only_node),
        cmocka_unit_test(places_of_pages_are_told),
        cmocka_unit_test(lists_of_pages_are_checked),
        cmocka_unit_test(pages_of_another_process_are_told),
    };

    return cmocka_run_group_tests_name("mm/mempolicy", tests, NULL, NULL);
}
