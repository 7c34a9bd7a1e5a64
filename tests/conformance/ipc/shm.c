/* shm.c: System V shared memory: shmget(2), shmat(2), shmdt(2), shmctl(2). */
#include "../lib/check.h"

#include <sys/ipc.h>
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
    };

    return cmocka_run_group_tests_name("ipc/shm", tests, NULL, NULL);
}
