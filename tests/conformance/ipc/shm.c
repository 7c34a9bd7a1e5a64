/* shm.c: System V shared memory: shmget(2), shmat(2), shmdt(2), shmctl(2). */
#include "../lib/check.h"

#include <sys/ipc.h>
#include <sys/resource.h>
#include <sys/shm.h>

enum { PAGE = 4096 };

/* The numbers live in the IPC namespace until removed, so every case removes its own. */
static int new_segment(size_t size)
{
    return (int)must(syscall(SYS_shmget, IPC_PRIVATE, size, IPC_CREAT | 0600));
}

static void remove_segment(int id)
{
    must(shmctl(id, IPC_RMID, NULL));
}

static struct shmid_ds stat_of(int id)
{
    struct shmid_ds ds;

    must(shmctl(id, IPC_STAT, &ds));
    return ds;
}

/* A key that no other run uses. */
static key_t some_key(void)
{
    return (key_t)(0x6d000000 | (getpid() & 0xffff) << 4);
}

/* covers: shmget shmat shmdt */
static void memory_is_zeroed_and_shared(void **state)
{
    (void)state;
    int id = new_segment(PAGE);
    char *memory = shmat(id, NULL, 0);

    assert_ptr_not_equal(memory, (void *)-1);
    assert_int_equal(memory[0], 0);
    assert_int_equal(memory[PAGE - 1], 0);
    in_child(char *mine = shmat(id, NULL, 0); assert_ptr_not_equal(mine, (void *)-1); mine[5] = 'x';
             must(shmdt(mine)));
    assert_int_equal(memory[5], 'x');
    must(shmdt(memory));
    remove_segment(id);
}

/* covers: shmat fork */
static void child_inherits_the_attachment(void **state)
{
    (void)state;
    int id = new_segment(PAGE);
    char *memory = shmat(id, NULL, 0);

    in_child(memory[0] = 'c');
    assert_int_equal(memory[0], 'c');
    assert_int_equal(stat_of(id).shm_nattch, 1);
    must(shmdt(memory));
    remove_segment(id);
}

/* covers: shmctl IPC_STAT */
static void status_is_told(void **state)
{
    (void)state;
    int id = new_segment(5000);
    struct shmid_ds ds = stat_of(id);

    assert_int_equal(ds.shm_segsz, 5000);
    assert_int_equal(ds.shm_perm.mode & 0777, 0600);
    assert_int_equal(ds.shm_perm.uid, geteuid());
    assert_int_equal(ds.shm_cpid, getpid());
    assert_int_equal(ds.shm_nattch, 0);
    assert_int_equal(ds.shm_atime, 0);
    assert_true(ds.shm_ctime > 0);
    void *memory = shmat(id, NULL, 0);
    ds = stat_of(id);
    assert_int_equal(ds.shm_nattch, 1);
    assert_int_equal(ds.shm_lpid, getpid());
    assert_true(ds.shm_atime > 0);
    must(shmdt(memory));
    assert_int_equal(stat_of(id).shm_nattch, 0);
    remove_segment(id);
}

/* covers: shmget IPC_CREAT IPC_EXCL EEXIST ENOENT */
static void key_finds_the_segment(void **state)
{
    (void)state;
    key_t key = some_key();

    assert_errno(shmget(key, PAGE, 0600), ENOENT);
    int id = must(shmget(key, PAGE, IPC_CREAT | IPC_EXCL | 0600));
    assert_returns(shmget(key, PAGE, 0600), id);
    assert_returns(shmget(key, 0, IPC_CREAT | 0600), id);
    assert_errno(shmget(key, PAGE, IPC_CREAT | IPC_EXCL | 0600), EEXIST);
    assert_errno(shmget(key, 2 * PAGE, 0600), EINVAL);
    remove_segment(id);
    assert_errno(shmget(key, PAGE, 0600), ENOENT);
}

/* covers: shmget EINVAL */
static void size_must_be_valid(void **state)
{
    (void)state;
    assert_errno(syscall(SYS_shmget, IPC_PRIVATE, 0ul, 0600), EINVAL);
    assert_errno(syscall(SYS_shmget, IPC_PRIVATE, -1ul, 0600), EINVAL);
}

/* covers: shmctl IPC_RMID */
static void removed_segment_lives_until_the_last_detach(void **state)
{
    (void)state;
    int id = new_segment(PAGE);
    char *memory = shmat(id, NULL, 0);

    remove_segment(id);
    memory[0] = 'x';
    assert_int_equal(stat_of(id).shm_perm.mode & 01000, 01000); /* SHM_DEST */
    must(shmdt(memory));
    struct shmid_ds ds;
    errno = 0;
    assert_int_equal(shmctl(id, IPC_STAT, &ds), -1);
    assert_true(errno == EINVAL || errno == EIDRM);
}

/* covers: shmat SHM_RND EINVAL */
static void address_may_be_chosen(void **state)
{
    (void)state;
    char *hole = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int id = new_segment(PAGE);

    must(munmap(hole, 4 * PAGE));
    assert_ptr_equal(shmat(id, hole, 0), hole);
    must(shmdt(hole));
    assert_errno(shmat(id, hole + 5, 0), EINVAL);
    assert_ptr_equal(shmat(id, hole + 5, SHM_RND), hole);
    must(shmdt(hole));
    remove_segment(id);
}

/* covers: shmat SHM_REMAP EINVAL */
static void occupied_address_needs_the_remap_flag(void **state)
{
    (void)state;
    char *taken = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int id = new_segment(PAGE);

    taken[0] = 'm';
    assert_errno(shmat(id, taken, 0), EINVAL);
    assert_errno(shmat(id, NULL, SHM_REMAP), EINVAL);
    assert_ptr_equal(shmat(id, taken, SHM_REMAP), taken);
    assert_int_equal(taken[0], 0);
    must(shmdt(taken));
    remove_segment(id);
}

/* covers: shmat SHM_RDONLY */
static void read_only_attachment_cannot_be_written(void **state)
{
    (void)state;
    int id = new_segment(PAGE);
    volatile char *memory = shmat(id, NULL, SHM_RDONLY);
    pid_t pid = child_fork();

    if (pid == 0) {
        memory[0] = 1;
        _exit(0);
    }
    assert_killed_by(child_wait(pid), SIGSEGV);
    must(shmdt((void *)memory));
    remove_segment(id);
}

/* covers: shmdt EINVAL */
static void detaching_elsewhere_is_refused(void **state)
{
    (void)state;
    int id = new_segment(2 * PAGE);
    char *memory = shmat(id, NULL, 0);

    assert_errno(shmdt(memory + PAGE), EINVAL);
    assert_errno(shmdt(memory + 1), EINVAL);
    must(shmdt(memory));
    assert_errno(shmdt(memory), EINVAL);
    remove_segment(id);
}

/* covers: shmat EINVAL shmctl EINVAL */
static void unknown_number_is_refused(void **state)
{
    (void)state;
    struct shmid_ds ds;
    int id = new_segment(PAGE);

    remove_segment(id);
    errno = 0;
    assert_ptr_equal(shmat(id, NULL, 0), (void *)-1);
    assert_true(errno == EINVAL || errno == EIDRM);
    assert_errno(shmat(-1, NULL, 0), EINVAL);
    assert_errno(shmctl(-1, IPC_STAT, &ds), EINVAL);
    id = new_segment(PAGE);
    assert_errno(shmctl(id, 77, &ds), EINVAL);
    remove_segment(id);
}

/* covers: shmctl EFAULT */
static void bad_address_faults(void **state)
{
    (void)state;
    int id = new_segment(PAGE);

    assert_errno(shmctl(id, IPC_STAT, BAD_PTR), EFAULT);
    assert_errno(shmctl(id, IPC_SET, BAD_PTR), EFAULT);
    remove_segment(id);
}

/* covers: shmctl IPC_SET */
static void owner_and_mode_can_be_set(void **state)
{
    (void)state;
    int id = new_segment(PAGE);
    struct shmid_ds ds = stat_of(id);

    ds.shm_perm.mode = 0444;
    must(shmctl(id, IPC_SET, &ds));
    assert_int_equal(stat_of(id).shm_perm.mode & 0777, 0444);
    remove_segment(id);
}

/* covers: shmat EACCES shmget EACCES shmctl EPERM EACCES */
static void mode_is_respected(void **state)
{
    (void)state;
    need_root();
    key_t key = some_key();
    int id = must(shmget(key, PAGE, IPC_CREAT | 0600));
    as_nobody(struct shmid_ds ds; assert_errno(shmat(id, NULL, 0), EACCES);
              assert_errno(shmctl(id, IPC_STAT, &ds), EACCES);
              assert_errno(shmctl(id, IPC_RMID, NULL), EPERM);
              assert_errno(shmget(key, PAGE, 0600), EACCES));
    remove_segment(id);
}

/* covers: shmat exit_group */
static void exec_and_exit_detach(void **state)
{
    (void)state;
    int id = new_segment(PAGE);

    in_child(assert_ptr_not_equal(shmat(id, NULL, 0), (void *)-1));
    assert_int_equal(stat_of(id).shm_nattch, 0);
    remove_segment(id);
}

/* covers: shmat execve */
static void exec_detaches_while_the_process_lives(void **state)
{
    (void)state;
    int id = new_segment(PAGE), fds[2];

    must(pipe(fds));
    pid_t pid = child_fork();
    if (pid == 0) {
        assert_ptr_not_equal(shmat(id, NULL, 0), (void *)-1);
        must(dup2(fds[0], 0));
        must(close(fds[1]));
        execl("/bin/cat", "cat", NULL);
        _exit(1);
    }
    must(close(fds[0]));
    assert_eventually(stat_of(id).shm_atime > 0);
    assert_eventually(stat_of(id).shm_nattch == 0);
    assert_returns(waitpid(pid, NULL, WNOHANG), 0);
    must(close(fds[1]));
    assert_child_ok(pid);
    remove_segment(id);
}

/* covers: shmat fork shmctl IPC_STAT */
static void each_process_counts(void **state)
{
    (void)state;
    struct gate *gate = gate_new();
    int id = new_segment(PAGE);
    void *memory = shmat(id, NULL, 0);
    pid_t pid = child_fork();

    if (pid == 0) {
        gate_open(gate);
        pause();
    }
    gate_wait(gate);
    assert_int_equal(stat_of(id).shm_nattch, 2);
    child_kill(pid);
    assert_int_equal(stat_of(id).shm_nattch, 1);
    must(shmdt(memory));
    remove_segment(id);
}

/* covers: shmdt mprotect munmap */
static void parts_of_an_attachment_are_detached_together(void **state)
{
    (void)state;
    int id = new_segment(4 * PAGE);
    char *memory = shmat(id, NULL, 0);

    must(mprotect(memory + PAGE, PAGE, PROT_READ));
    assert_int_equal(stat_of(id).shm_nattch, 3);
    must(munmap(memory + PAGE, PAGE));
    assert_int_equal(stat_of(id).shm_nattch, 2);
    assert_errno(shmdt(memory + 2 * PAGE), EINVAL);
    must(munmap(memory, PAGE));
    must(shmdt(memory)); /* the rest is still known by where it began */
    assert_int_equal(stat_of(id).shm_nattch, 0);
    remove_segment(id);
}

/* covers: shmat shmdt mremap */
static void one_segment_may_be_attached_twice(void **state)
{
    (void)state;
    int id = new_segment(PAGE);
    char *a = shmat(id, NULL, 0), *b = shmat(id, NULL, SHM_RDONLY);

    assert_ptr_not_equal(a, b);
    a[7] = 7;
    assert_int_equal(b[7], 7);
    assert_int_equal(stat_of(id).shm_nattch, 2);
    must(shmdt(a));
    assert_int_equal(b[7], 7);
    must(shmdt(b));
    remove_segment(id);
}

/* covers: shmat SHM_RDONLY mprotect EACCES */
static void read_only_attachment_stays_read_only(void **state)
{
    (void)state;
    int id = new_segment(PAGE);
    void *memory = shmat(id, NULL, SHM_RDONLY);

    assert_errno(mprotect(memory, PAGE, PROT_READ | PROT_WRITE), EACCES);
    must(shmdt(memory));
    remove_segment(id);
}

/* covers: shmat SHM_EXEC EACCES */
static void code_in_a_segment_runs(void **state)
{
    (void)state;
    static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov $42,%eax; ret */
    int id = (int)must(syscall(SYS_shmget, IPC_PRIVATE, PAGE, IPC_CREAT | 0700));
    unsigned char *memory = shmat(id, NULL, SHM_EXEC);
    int (*function)(void);

    assert_ptr_not_equal(memory, (void *)-1);
    memcpy(memory, code, sizeof code);
    memcpy(&function, &memory, sizeof function);
    assert_int_equal(function(), 42);
    must(shmdt(memory));
    remove_segment(id);
    id = new_segment(PAGE);
    as_nobody(int own = new_segment(PAGE); assert_errno(shmat(own, NULL, SHM_EXEC), EACCES);
              remove_segment(own));
    remove_segment(id);
}

/* covers: shmctl IPC_RMID shmat */
static void removed_segment_is_attached_by_its_number(void **state)
{
    (void)state;
    key_t key = some_key();
    int id = must(shmget(key, PAGE, IPC_CREAT | 0600));
    char *memory = shmat(id, NULL, 0);

    remove_segment(id);
    assert_int_equal(stat_of(id).shm_perm.__key, IPC_PRIVATE);
    int other = must(shmget(key, PAGE, IPC_CREAT | IPC_EXCL | 0600)); /* the key is free */
    assert_int_not_equal(other, id);
    char *again = shmat(id, NULL, 0);
    assert_ptr_not_equal(again, (void *)-1);
    must(shmdt(memory));
    assert_int_equal(stat_of(id).shm_nattch, 1);
    must(shmdt(again));
    assert_errno(shmat(id, NULL, 0), EINVAL);
    remove_segment(other);
}

/* covers: shmat EINVAL ENOMEM */
static void bad_addresses_are_refused(void **state)
{
    (void)state;
    int id = new_segment(PAGE);

    assert_errno(shmat(id, (void *)0x7ffffffff000ul, 0), ENOMEM);
    assert_errno(shmat(id, (void *)5, SHM_RND | SHM_REMAP), EINVAL);
    assert_errno(shmdt((void *)0x123), EINVAL);
    remove_segment(id);
}

/* covers: shmctl SHM_LOCK SHM_UNLOCK EPERM */
static void locking_is_shown(void **state)
{
    (void)state;
    need_root();
    int id = new_segment(PAGE);

    must(shmctl(id, SHM_LOCK, NULL));
    assert_int_equal(stat_of(id).shm_perm.mode & SHM_LOCKED, SHM_LOCKED);
    must(shmctl(id, SHM_LOCK, NULL));
    must(shmctl(id, SHM_UNLOCK, NULL));
    assert_int_equal(stat_of(id).shm_perm.mode & SHM_LOCKED, 0);
    as_nobody(assert_errno(shmctl(id, SHM_LOCK, NULL), EPERM);
              assert_errno(shmctl(id, SHM_UNLOCK, NULL), EPERM));
    remove_segment(id);
}

/* covers: shmctl SHM_LOCK EPERM ENOMEM */
static void locking_has_a_limit(void **state)
{
    (void)state;
    as_nobody(struct rlimit two = {2 * PAGE, 2 * PAGE}, none = {0, 0};
              int a = new_segment(PAGE), b = new_segment(2 * PAGE);
              must(setrlimit(RLIMIT_MEMLOCK, &two)); must(shmctl(a, SHM_LOCK, NULL));
              assert_errno(shmctl(b, SHM_LOCK, NULL), ENOMEM); must(shmctl(a, SHM_UNLOCK, NULL));
              must(shmctl(b, SHM_LOCK, NULL)); must(setrlimit(RLIMIT_MEMLOCK, &none));
              assert_errno(shmctl(a, SHM_LOCK, NULL), EPERM); remove_segment(a); remove_segment(b));
}

/* covers: shmctl IPC_SET EPERM */
static void only_the_owner_changes_a_segment(void **state)
{
    (void)state;
    need_root();
    int id = new_segment(PAGE);
    struct shmid_ds ds = stat_of(id);

    as_nobody(assert_errno(shmctl(id, IPC_SET, &ds), EPERM));
    ds.shm_perm.uid = NOBODY;
    ds.shm_perm.gid = NOBODY;
    must(shmctl(id, IPC_SET, &ds));
    ds = stat_of(id);
    assert_int_equal(ds.shm_perm.uid, NOBODY);
    assert_int_equal(ds.shm_perm.cuid, 0);
    ds.shm_perm.uid = (uid_t)-1;
    assert_errno(shmctl(id, IPC_SET, &ds), EINVAL);
    as_nobody(void *memory = shmat(id, NULL, 0); assert_ptr_not_equal(memory, (void *)-1);
              must(shmdt(memory)); remove_segment(id));
}

/* covers: shmctl SHM_STAT SHM_STAT_ANY SHM_INFO IPC_INFO EINVAL EACCES EFAULT */
static void segments_are_found_by_index(void **state)
{
    (void)state;
    struct shmid_ds ds;
    struct shm_info info;
    struct shminfo limits;
    int id = new_segment(PAGE + 1), index = id % 32768;

    assert_returns(shmctl(index, SHM_STAT, &ds), id);
    assert_int_equal(ds.shm_segsz, PAGE + 1);
    assert_returns(shmctl(index, SHM_STAT_ANY, &ds), id);
    assert_true(shmctl(0, SHM_INFO, (struct shmid_ds *)&info) >= index);
    assert_true(info.used_ids >= 1);
    assert_true(info.shm_tot >= 2);
    assert_true(shmctl(0, IPC_INFO, (struct shmid_ds *)&limits) >= index);
    assert_int_equal(limits.shmmin, 1);
    assert_true(limits.shmmni > 0);
    assert_errno(shmctl(32767, SHM_STAT, &ds), EINVAL);
    assert_errno(shmctl(0, SHM_INFO, BAD_PTR), EFAULT);
    assert_errno(shmctl(0, IPC_INFO, BAD_PTR), EFAULT);
    assert_errno(shmctl(id, -1, &ds), EINVAL);
    if (geteuid() == 0)
        as_nobody(assert_errno(shmctl(index, SHM_STAT, &ds), EACCES);
                  assert_returns(shmctl(index, SHM_STAT_ANY, &ds), id));
    remove_segment(id);
}

/* covers: shmget SHM_HUGETLB EINVAL ENOMEM EPERM */
static void huge_pages_of_impossible_sizes_are_refused(void **state)
{
    (void)state;
    errno = 0;
    assert_int_equal(shmget(IPC_PRIVATE, PAGE, IPC_CREAT | SHM_HUGETLB | 5 << 26 | 0600), -1);
    assert_int_equal(errno, EINVAL);
}

/* covers: shmget SHM_NORESERVE */
static void large_segment_costs_what_is_touched(void **state)
{
    (void)state;
    size_t size = 1ul << 36;
    int id = must(shmget(IPC_PRIVATE, size, IPC_CREAT | SHM_NORESERVE | 0600));
    char *memory = shmat(id, NULL, 0);

    assert_ptr_not_equal(memory, (void *)-1);
    memory[size - 1] = 1;
    assert_int_equal(memory[size / 2], 0);
    must(shmdt(memory));
    remove_segment(id);
}

/* covers: shmat */
static void maps_show_the_key(void **state)
{
    (void)state;
    char line[256], wanted[32];
    key_t key = some_key();
    int id = must(shmget(key, PAGE, IPC_CREAT | 0600));
    void *memory = shmat(id, NULL, 0);
    FILE *maps = fopen("/proc/self/maps", "r");
    bool found = false;

    assert_non_null(maps);
    snprintf(wanted, sizeof wanted, "/SYSV%08x (deleted)", (unsigned)key);
    while (fgets(line, sizeof line, maps))
        found |= strtoul(line, NULL, 16) == (uintptr_t)memory && strstr(line, wanted) &&
                 strstr(line, " rw-s ");
    fclose(maps);
    assert_true(found);
    must(shmdt(memory));
    remove_segment(id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_shared),
        cmocka_unit_test(child_inherits_the_attachment),
        cmocka_unit_test(status_is_told),
        cmocka_unit_test(key_finds_the_segment),
        cmocka_unit_test(size_must_be_valid),
        cmocka_unit_test(removed_segment_lives_until_the_last_detach),
        cmocka_unit_test(address_may_be_chosen),
        cmocka_unit_test(occupied_address_needs_the_remap_flag),
        cmocka_unit_test(read_only_attachment_cannot_be_written),
        cmocka_unit_test(detaching_elsewhere_is_refused),
        cmocka_unit_test(unknown_number_is_refused),
        cmocka_unit_test(bad_address_faults),
        cmocka_unit_test(owner_and_mode_can_be_set),
        cmocka_unit_test(mode_is_respected),
        cmocka_unit_test(exec_and_exit_detach),
        cmocka_unit_test(exec_detaches_while_the_process_lives),
        cmocka_unit_test(each_process_counts),
        cmocka_unit_test(parts_of_an_attachment_are_detached_together),
        cmocka_unit_test(one_segment_may_be_attached_twice),
        cmocka_unit_test(read_only_attachment_stays_read_only),
        cmocka_unit_test(code_in_a_segment_runs),
        cmocka_unit_test(removed_segment_is_attached_by_its_number),
        cmocka_unit_test(bad_addresses_are_refused),
        cmocka_unit_test(locking_is_shown),
        cmocka_unit_test(locking_has_a_limit),
        cmocka_unit_test(only_the_owner_changes_a_segment),
        cmocka_unit_test(segments_are_found_by_index),
        cmocka_unit_test(huge_pages_of_impossible_sizes_are_refused),
        cmocka_unit_test(large_segment_costs_what_is_touched),
        cmocka_unit_test(maps_show_the_key),
    };

    return cmocka_run_group_tests_name("ipc/shm", tests, NULL, NULL);
}
