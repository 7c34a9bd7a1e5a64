/* sysinfo.c: sysinfo(2), getcpu(2), sched_yield(2): facts about the machine. */
#include "../lib/check.h"

#include <sched.h>
#include <sys/sysinfo.h>

/* covers: sysinfo */
static void memory_figures_are_consistent(void **state)
{
    (void)state;
    struct sysinfo info;

    must(syscall(SYS_sysinfo, &info));
    assert_true(info.mem_unit >= 1);
    assert_true(info.totalram > 0);
    assert_true(info.freeram <= info.totalram);
    assert_true(info.freeswap <= info.totalswap);
    assert_true((uint64_t)info.totalram * info.mem_unit >= 16 << 20);
    assert_true(info.procs >= 1);
}

/* covers: sysinfo */
static void total_memory_is_that_of_proc(void **state)
{
    (void)state;
    struct sysinfo info;
    char line[128];
    unsigned long kib = 0;

    must(sysinfo(&info));
    FILE *file = fopen("/proc/meminfo", "re");
    assert_non_null(file);
    while (kib == 0 && fgets(line, sizeof line, file))
        sscanf(line, "MemTotal: %lu", &kib);
    fclose(file);
    assert_int_equal((uint64_t)info.totalram * info.mem_unit / 1024, kib);
}

/* covers: sysinfo */
static void uptime_is_that_of_the_boot_clock(void **state)
{
    (void)state;
    struct sysinfo info;
    struct timespec before, after;

    must(clock_gettime(CLOCK_BOOTTIME, &before));
    must(sysinfo(&info));
    must(clock_gettime(CLOCK_BOOTTIME, &after));
    assert_true(info.uptime >= before.tv_sec && info.uptime <= after.tv_sec + 1);
}

/* covers: sysinfo EFAULT */
static void bad_address_faults(void **state)
{
    (void)state;
    assert_errno(syscall(SYS_sysinfo, BAD_PTR), EFAULT);
}

/* covers: getcpu sched_getaffinity */
static void cpu_is_one_of_the_affinity_mask(void **state)
{
    (void)state;
    unsigned cpu = 9999, node = 9999;
    cpu_set_t set;

    must(sched_getaffinity(0, sizeof set, &set));
    must(syscall(SYS_getcpu, &cpu, &node, NULL));
    assert_true(CPU_ISSET(cpu, &set));
    assert_true(node < 1024);
    assert_true(CPU_ISSET(sched_getcpu(), &set));
}

/* covers: getcpu */
static void results_of_getcpu_may_be_left_out(void **state)
{
    (void)state;
    unsigned cpu;

    must(syscall(SYS_getcpu, &cpu, NULL, NULL));
    must(syscall(SYS_getcpu, NULL, NULL, NULL));
}

/* covers: getcpu EFAULT */
static void getcpu_to_bad_address_faults(void **state)
{
    (void)state;
    unsigned cpu;

    assert_errno(syscall(SYS_getcpu, BAD_PTR, NULL, NULL), EFAULT);
    assert_errno(syscall(SYS_getcpu, &cpu, BAD_PTR, NULL), EFAULT);
}

/* covers: sched_yield NEVER_FAILS */
static void yield_succeeds(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        assert_returns(syscall(SYS_sched_yield), 0);
}

/* covers: sched_yield NEVER_FAILS */
static void yield_lets_another_process_run(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    pid_t pid = child_fork();

    if (pid == 0) {
        gate_open(gate);
        _exit(0);
    }
    int64_t end = now_ms() + PATIENCE_MS;
    while (!gate->tid && now_ms() < end)
        must(syscall(SYS_sched_yield));
    assert_true(gate->tid != 0);
    assert_child_ok(pid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_figures_are_consistent),
        cmocka_unit_test(total_memory_is_that_of_proc),
        cmocka_unit_test(uptime_is_that_of_the_boot_clock),
        cmocka_unit_test(bad_address_faults),
        cmocka_unit_test(cpu_is_one_of_the_affinity_mask),
        cmocka_unit_test(results_of_getcpu_may_be_left_out),
        cmocka_unit_test(getcpu_to_bad_address_faults),
        cmocka_unit_test(yield_succeeds),
        cmocka_unit_test(yield_lets_another_process_run),
    };

    return cmocka_run_group_tests_name("misc/sysinfo", tests, NULL, NULL);
}
