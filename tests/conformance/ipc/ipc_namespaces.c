/* ipc_namespaces.c: ipc_namespaces(7): objects and limits of one's own; /proc/sysvipc and /proc/sys/kernel. */
#include "../lib/check.h"

#include <sched.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

/* Objects that nobody else has, for a child that sets limits. */
static void own_namespace(void)
{
    need_root();
    if (unshare(CLONE_NEWIPC) == -1)
        skip_because("the running kernel makes no IPC namespaces");
}

static ssize_t write_text(const char *path, const char *text)
{
    int fd = must(open(path, O_WRONLY));
    ssize_t n = write(fd, text, strlen(text));
    int err = errno;

    must(close(fd));
    errno = err;
    return n;
}

/* The last line of a table of /proc/sysvipc that begins with this key. */
static bool find_line(const char *path, key_t key, char *line, size_t size)
{
    FILE *table = fopen(path, "r");
    bool found = false;

    assert_non_null(table);
    while (!found && fgets(line, (int)size, table))
        found = strtol(line, NULL, 10) == key;
    fclose(table);
    return found;
}

/* covers: unshare CLONE_NEWIPC shmget semget msgget */
static void objects_of_another_namespace_are_not_found(void **state)
{
    (void)state;
    key_t key = (key_t)(0x70000000 | (getpid() & 0xffff) << 4);
    int shm = must(shmget(key, 1, IPC_CREAT | 0600)), sem = must(semget(key, 1, IPC_CREAT | 0600)),
        msg = must(msgget(key, IPC_CREAT | 0600));

    in_child(own_namespace(); assert_errno(shmget(key, 1, 0), ENOENT);
             assert_errno(semget(key, 1, 0), ENOENT); assert_errno(msgget(key, 0), ENOENT);
             assert_returns(msgget(key, IPC_CREAT | 0600), 0));
    must(shmctl(shm, IPC_RMID, NULL));
    must(semctl(sem, 0, IPC_RMID));
    must(msgctl(msg, IPC_RMID, NULL));
}

/* covers: clone CLONE_NEWIPC shmat */
static void memory_of_a_namespace_that_ends_stays_with_who_has_it(void **state)
{
    (void)state;
    need_root();
    in_child(int id = must(shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600));
             char *memory = shmat(id, NULL, 0); memory[0] = 'm'; own_namespace();
             assert_int_equal(memory[0], 'm'); must(shmdt(memory)));
    pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWIPC | SIGCHLD, 0, 0, 0, 0);
    if (pid == 0)
        _exit(msgget(IPC_PRIVATE, 0600) == 0 ? 0 : 1);
    if (pid == -1)
        skip_because("the running kernel makes no IPC namespaces");
    assert_child_ok(pid);
}

/* covers: shmget semget msgget semop */
static void tables_show_the_objects(void **state)
{
    (void)state;
    struct message {
        long type;
        char text[8];
    } m = {.type = 1};
    char line[512];
    key_t key = (key_t)(0x71000000 | (getpid() & 0xffff) << 4);
    int shm = must(shmget(key, 12345, IPC_CREAT | 0640)),
        sem = must(semget(key, 7, IPC_CREAT | 0600)), msg = must(msgget(key, IPC_CREAT | 0600));
    int id, mode;
    unsigned long a, b;

    must(msgsnd(msg, &m, 5, 0));
    assert_true(find_line("/proc/sysvipc/shm", key, line, sizeof line));
    assert_int_equal(sscanf(line, "%*d %d %o %lu", &id, (unsigned *)&mode, &a), 3);
    assert_int_equal(id, shm);
    assert_int_equal(mode, 0640);
    assert_int_equal(a, 12345);
    assert_true(find_line("/proc/sysvipc/sem", key, line, sizeof line));
    assert_int_equal(sscanf(line, "%*d %d %*o %lu", &id, &a), 2);
    assert_int_equal(id, sem);
    assert_int_equal(a, 7);
    assert_true(find_line("/proc/sysvipc/msg", key, line, sizeof line));
    assert_int_equal(sscanf(line, "%*d %d %*o %lu %lu", &id, &a, &b), 3);
    assert_int_equal(id, msg);
    assert_int_equal(a, 5);
    assert_int_equal(b, 1);
    must(shmctl(shm, IPC_RMID, NULL));
    must(semctl(sem, 0, IPC_RMID));
    must(msgctl(msg, IPC_RMID, NULL));
    assert_false(find_line("/proc/sysvipc/shm", key, line, sizeof line));
}

/* covers: shmget ENOSPC EINVAL shmctl IPC_INFO */
static void limits_of_shared_memory_can_be_set(void **state)
{
    (void)state;
    in_child(own_namespace(); struct shminfo info; write_text("/proc/sys/kernel/shmmni", "2\n");
             int a = must(shmget(IPC_PRIVATE, 1, 0600)); must(shmget(IPC_PRIVATE, 1, 0600));
             assert_errno(shmget(IPC_PRIVATE, 1, 0600), ENOSPC); must(shmctl(a, IPC_RMID, NULL));
             must(shmctl(0, IPC_INFO, (struct shmid_ds *)&info)); assert_int_equal(info.shmmni, 2);
             write_text("/proc/sys/kernel/shmmax", "8192");
             assert_errno(shmget(IPC_PRIVATE, 8193, 0600), EINVAL);
             write_text("/proc/sys/kernel/shmall", "2");
             assert_errno(shmget(IPC_PRIVATE, 8192, 0600), ENOSPC);
             must(shmget(IPC_PRIVATE, 4096, 0600)));
}

/* covers: semget ENOSPC EINVAL semop E2BIG */
static void limits_of_semaphores_can_be_set(void **state)
{
    (void)state;
    in_child(own_namespace(); struct sembuf ops[3] = {{0}};
             assert_file_text("/proc/sys/kernel/sem", "32000\t1024000000\t500\t32000\n");
             write_text("/proc/sys/kernel/sem", "4 6 2 3\n");
             int a = must(semget(IPC_PRIVATE, 4, 0600));
             assert_errno(semget(IPC_PRIVATE, 5, 0600), EINVAL);
             assert_errno(semget(IPC_PRIVATE, 3, 0600), ENOSPC); must(semget(IPC_PRIVATE, 1, 0600));
             must(semget(IPC_PRIVATE, 1, 0600)); assert_errno(semop(a, ops, 3), E2BIG);
             must(semctl(a, 0, IPC_RMID)); must(semget(IPC_PRIVATE, 1, 0600));
             assert_errno(semget(IPC_PRIVATE, 1, 0600), ENOSPC));
}

/* covers: msgget ENOSPC msgsnd EINVAL EAGAIN */
static void limits_of_queues_can_be_set(void **state)
{
    (void)state;
    in_child(
        own_namespace(); struct {
            long type;
            char text[16];
        } m = {.type = 1};
        write_text("/proc/sys/kernel/msgmax", "10"); write_text("/proc/sys/kernel/msgmnb", "15");
        write_text("/proc/sys/kernel/msgmni", "1"); int a = must(msgget(IPC_PRIVATE, 0600));
        assert_errno(msgget(IPC_PRIVATE, 0600), ENOSPC);
        assert_errno(msgsnd(a, &m, 11, IPC_NOWAIT), EINVAL); must(msgsnd(a, &m, 10, IPC_NOWAIT));
        assert_errno(msgsnd(a, &m, 6, IPC_NOWAIT), EAGAIN));
}

/* covers: write EINVAL open EACCES */
static void limits_are_guarded(void **state)
{
    (void)state;
    in_child(own_namespace(); assert_errno(write_text("/proc/sys/kernel/msgmni", "many"), EINVAL);
             assert_errno(write_text("/proc/sys/kernel/msgmni", "-1"), EINVAL);
             assert_errno(write_text("/proc/sys/kernel/shmmni", "40000"), EINVAL);
             assert_file_text("/proc/sys/kernel/msgmni", "32000\n"); drop_privileges();
             assert_errno(open("/proc/sys/kernel/msgmni", O_WRONLY), EACCES));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_of_another_namespace_are_not_found),
        cmocka_unit_test(memory_of_a_namespace_that_ends_stays_with_who_has_it),
        cmocka_unit_test(tables_show_the_objects),
        cmocka_unit_test(limits_of_shared_memory_can_be_set),
        cmocka_unit_test(limits_of_semaphores_can_be_set),
        cmocka_unit_test(limits_of_queues_can_be_set),
        cmocka_unit_test(limits_are_guarded),
    };

    return cmocka_run_group_tests_name("ipc/ipc_namespaces", tests, NULL, NULL);
}
