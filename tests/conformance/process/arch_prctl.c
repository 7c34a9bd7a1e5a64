/* arch_prctl.c: arch_prctl(2), set_tid_address(2), personality(2), getpid(2) and its kin. */
#include "../lib/child.h"

#include <asm/prctl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/personality.h>

static unsigned long fs_base(void)
{
    unsigned long base = 0;

    need_eq(SYS(SYS_arch_prctl, ARCH_GET_FS, &base), 0);
    return base;
}

/* covers: arch_prctl ARCH_GET_FS */
static void fs_base_points_to_the_thread_block(void **state)
{
    unsigned long self;

    (void)state;
    /* The first word of the thread block is its own address, see the ABI's TLS variant II. */
    __asm__ volatile("mov %%fs:0, %0" : "=r"(self));
    need_eq(fs_base(), self);
}

static int set_fs(void *arg)
{
    static unsigned long block[64];
    unsigned long before = fs_base(), seen, word;

    (void)arg;
    block[0] = 0x1234567890abcdef;
    /* Without a C call between: libc lives on the old base. */
    long err = SYS(SYS_arch_prctl, ARCH_SET_FS, block);
    __asm__ volatile("mov %%fs:0, %0" : "=r"(word));
    SYS(SYS_arch_prctl, ARCH_GET_FS, &seen);
    SYS(SYS_arch_prctl, ARCH_SET_FS, before);
    need_eq(err, 0);
    need_eq(word, 0x1234567890abcdef);
    need_eq(seen, (unsigned long)block);
    need_eq(fs_base(), before);
    return 0;
}

/* covers: arch_prctl ARCH_SET_FS ARCH_GET_FS */
static void fs_base_can_be_set(void **state)
{
    (void)state;
    child_passes(set_fs, NULL);
}

static int set_gs(void *arg)
{
    static unsigned long block[64];
    unsigned long seen = 1, word = 0;
    pid_t pid;

    (void)arg;
    need_eq(SYS(SYS_arch_prctl, ARCH_GET_GS, &seen), 0);
    need_eq(seen, 0);
    block[3] = 0xfeedface;
    need_eq(SYS(SYS_arch_prctl, ARCH_SET_GS, block), 0);
    __asm__ volatile("mov %%gs:24, %0" : "=r"(word));
    need_eq(word, 0xfeedface);
    need_eq(SYS(SYS_arch_prctl, ARCH_GET_GS, &seen), 0);
    need_eq(seen, (unsigned long)block);
    SYS(SYS_sched_yield);
    __asm__ volatile("mov %%gs:24, %0" : "=r"(word));
    need_eq(word, 0xfeedface);
    pid = fork();
    if (pid == 0) {
        word = 0;
        __asm__ volatile("mov %%gs:24, %0" : "=r"(word));
        _exit(word == 0xfeedface ? 0 : 1);
    }
    need_eq(child_end(pid), 0);
    return 0;
}

/* covers: arch_prctl ARCH_SET_GS ARCH_GET_GS */
static void gs_base_can_be_set_and_is_inherited(void **state)
{
    (void)state;
    child_passes(set_gs, NULL);
}

/* covers: arch_prctl EPERM EFAULT EINVAL */
static void arch_prctl_checks_its_arguments(void **state)
{
    (void)state;
    need_eq(SYS(SYS_arch_prctl, ARCH_SET_FS, 0xffff800000000000UL), -EPERM);
    need_eq(SYS(SYS_arch_prctl, ARCH_SET_GS, 0xffff800000000000UL), -EPERM);
    need_eq(SYS(SYS_arch_prctl, ARCH_GET_FS, BAD_PTR), -EFAULT);
    need_eq(SYS(SYS_arch_prctl, 0x1234, 0), -EINVAL);
}

static void *own_base(void *arg)
{
    *(unsigned long *)arg = fs_base();
    return NULL;
}

/* covers: arch_prctl ARCH_GET_FS */
static void every_thread_has_its_own_base(void **state)
{
    unsigned long other = 0;
    pthread_t thread;

    (void)state;
    need_eq(pthread_create(&thread, NULL, own_base, &other), 0);
    need_eq(pthread_join(thread, NULL), 0);
    need(other != 0 && other != fs_base());
}

/* covers: set_tid_address NEVER_FAILS gettid NEVER_FAILS */
static void set_tid_address_returns_the_tid(void **state)
{
    pid_t pid;

    (void)state;
    pid = child_fork();
    if (pid == 0) {
        static int word;

        need_eq(SYS(SYS_set_tid_address, &word), SYS(SYS_gettid));
        need_eq(SYS(SYS_set_tid_address, NULL), SYS(SYS_gettid));
        _exit(0);
    }
    need_eq(child_end(pid), 0);
}

static volatile int cleared = 1;

static void *choose_word(void *arg)
{
    (void)arg;
    SYS(SYS_set_tid_address, &cleared);
    SYS(SYS_exit, 0);
    return NULL;
}

static int word_of_thread(void *arg)
{
    pthread_t thread;

    (void)arg;
    need_eq(pthread_create(&thread, NULL, choose_word, NULL), 0);
    while (cleared == 1) {
        SYS(SYS_futex, &cleared, FUTEX_WAIT, 1, &(struct timespec){.tv_sec = 20}, NULL, 0);
    }
    need_eq(cleared, 0);
    return 0;
}

/* covers: set_tid_address NEVER_FAILS exit futex */
static void word_of_set_tid_address_is_cleared_and_woken_at_the_end(void **state)
{
    (void)state;
    child_passes(word_of_thread, NULL);
}

static int change_personality(void *arg)
{
    long before = SYS(SYS_personality, 0xffffffff);
    pid_t pid;

    (void)arg;
    need(before >= 0);
    need_eq(SYS(SYS_personality, ADDR_NO_RANDOMIZE), before);
    need_eq(SYS(SYS_personality, 0xffffffff), ADDR_NO_RANDOMIZE);
    pid = fork();
    if (pid == 0) {
        _exit(SYS(SYS_personality, 0xffffffff) == ADDR_NO_RANDOMIZE ? 0 : 1);
    }
    need_eq(child_end(pid), 0);
    return 0;
}

/* covers: personality */
static void personality_is_read_set_and_inherited(void **state)
{
    (void)state;
    child_passes(change_personality, NULL);
}

/* covers: getpid gettid getppid */
static void numbers_of_process_thread_and_parent(void **state)
{
    pid_t self = (pid_t)SYS(SYS_getpid);
    pid_t pid;

    (void)state;
    need(self > 0);
    need_eq(SYS(SYS_gettid), self);
    need_eq(getpid(), self);
    pid = child_fork();
    if (pid == 0) {
        need_eq(SYS(SYS_getppid), self);
        _exit(0);
    }
    need_eq(child_end(pid), 0);
}

/* covers: getppid */
static void parent_outside_the_namespace_is_zero(void **state)
{
    (void)state;
    if (getpid() != 1) {
        skip_because("not process 1 of a namespace");
    }
    need_eq(SYS(SYS_getppid), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fs_base_points_to_the_thread_block),
        cmocka_unit_test(fs_base_can_be_set),
        cmocka_unit_test(gs_base_can_be_set_and_is_inherited),
        cmocka_unit_test(arch_prctl_checks_its_arguments),
        cmocka_unit_test(every_thread_has_its_own_base),
        cmocka_unit_test(set_tid_address_returns_the_tid),
        cmocka_unit_test(word_of_set_tid_address_is_cleared_and_woken_at_the_end),
        cmocka_unit_test(personality_is_read_set_and_inherited),
        cmocka_unit_test(numbers_of_process_thread_and_parent),
        cmocka_unit_test(parent_outside_the_namespace_is_zero),
    };

    return cmocka_run_group_tests_name("process/arch_prctl", tests, NULL, NULL);
}
