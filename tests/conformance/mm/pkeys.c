/* pkeys.c: pkey_alloc(2), pkey_free(2), pkey_mprotect(2): with protection keys, and without. */
#include "../lib/child.h"

#define PAGE 4096ul
#define RW   (PROT_READ | PROT_WRITE)
#define KEYS 16 /* pkeys(7): of which the first is always in use */

static bool keys_exist(void)
{
    long key = SYS(SYS_pkey_alloc, 0, 0);

    if (key == -ENOSYS) {
        skip_because("pkey_alloc is not in the running kernel");
    }
    if (key > 0) {
        need_eq(SYS(SYS_pkey_free, key), 0);
    }
    return key > 0;
}

static char *pages(int count)
{
    char *at = mmap(NULL, (size_t)count * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    need(at != MAP_FAILED);
    return at;
}

/* covers: pkey_alloc EINVAL PKEY_DISABLE_ACCESS PKEY_DISABLE_WRITE */
static void flags_and_unknown_rights_are_einval(void **state)
{
    (void)state;
    keys_exist();
    need_eq(SYS(SYS_pkey_alloc, 1, 0), -EINVAL);
    need_eq(SYS(SYS_pkey_alloc, 0, 4), -EINVAL);
    need_eq(SYS(SYS_pkey_alloc, 0, ~0ul), -EINVAL);
}

/* covers: pkey_alloc ENOSPC EINVAL PKEY_DISABLE_WRITE */
static void keys_come_to_an_end(void **state)
{
    bool exist = keys_exist();

    (void)state;
    in_child({
        bool used[KEYS] = {false};
        int count = 0;
        long key;

        while ((key = SYS(SYS_pkey_alloc, 0, PKEY_DISABLE_WRITE)) > 0) {
            need(key < KEYS && !used[key]);
            used[key] = true;
            count++;
        }
        /* without them: ENOSPC, or EINVAL from Linux 6.12 on */
        need(key == -ENOSPC || (!exist && key == -EINVAL));
        need(exist ? count > 0 : count == 0);
    });
}

/* covers: pkey_free EINVAL */
static void only_a_key_that_was_given_out_can_be_freed(void **state)
{
    bool exist = keys_exist();

    (void)state;
    need_eq(SYS(SYS_pkey_free, -1), -EINVAL);
    need_eq(SYS(SYS_pkey_free, KEYS), -EINVAL);
    need_eq(SYS(SYS_pkey_free, 15), -EINVAL);
    if (exist) {
        long key = SYS(SYS_pkey_alloc, 0, 0);

        need(key > 0);
        need_eq(SYS(SYS_pkey_free, key), 0);
        need_eq(SYS(SYS_pkey_free, key), -EINVAL);
    } else {
        need_eq(SYS(SYS_pkey_free, 1), -EINVAL);
    }
}

/* covers: pkey_mprotect */
static void key_of_minus_one_is_mprotect(void **state)
{
    char *at = pages(2);
    int ends[2];

    (void)state;
    keys_exist();
    need_eq(pipe(ends), 0);
    need_eq(SYS(SYS_pkey_mprotect, at, PAGE, PROT_READ, -1), 0);
    need_eq(write(ends[1], "ab", 2), 2);
    need_errno(read(ends[0], at, 1), EFAULT);
    need_eq(SYS(SYS_pkey_mprotect, at, PAGE, RW, -1), 0);
    need_eq(read(ends[0], at, 1), 1);
    close(ends[0]);
    close(ends[1]);
    munmap(at, 2 * PAGE);
}

/* covers: pkey_mprotect EINVAL */
static void key_that_was_not_given_out_is_einval(void **state)
{
    char *at = pages(1);

    (void)state;
    keys_exist();
    need_eq(SYS(SYS_pkey_mprotect, at, PAGE, PROT_READ, -2), -EINVAL);
    need_eq(SYS(SYS_pkey_mprotect, at, PAGE, PROT_READ, 15), -EINVAL);
    need_eq(SYS(SYS_pkey_mprotect, at, PAGE, PROT_READ, KEYS), -EINVAL);
    at[0] = 1; /* nothing has changed */
    munmap(at, PAGE);
}

/* covers: pkey_mprotect EINVAL ENOMEM EACCES */
static void range_and_rights_are_checked_as_by_mprotect(void **state)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    char *at = pages(3), *shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

    (void)state;
    keys_exist();
    need(shared != MAP_FAILED);
    need_eq(SYS(SYS_pkey_mprotect, at + 1, PAGE, PROT_READ, -1), -EINVAL);
    need_eq(SYS(SYS_pkey_mprotect, at, PAGE, 0x100, -1), -EINVAL);
    need_eq(SYS(SYS_pkey_mprotect, at, PAGE, PROT_GROWSUP | PROT_GROWSDOWN, -1), -EINVAL);
    need_eq(SYS(SYS_pkey_mprotect, at, -PAGE, PROT_READ, -1), -ENOMEM);
    need_eq(SYS(SYS_pkey_mprotect, at, 0, PROT_READ, 15), 0);
    need_eq(munmap(at + PAGE, PAGE), 0);
    need_eq(SYS(SYS_pkey_mprotect, at, 3 * PAGE, PROT_READ, -1), -ENOMEM);
    need_eq(SYS(SYS_pkey_mprotect, shared, PAGE, RW, -1), -EACCES);
    munmap(at, PAGE);
    munmap(at + 2 * PAGE, PAGE);
    munmap(shared, PAGE);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_and_unknown_rights_are_einval),
        cmocka_unit_test(keys_come_to_an_end),
        cmocka_unit_test(only_a_key_that_was_given_out_can_be_freed),
        cmocka_unit_test(key_of_minus_one_is_mprotect),
        cmocka_unit_test(key_that_was_not_given_out_is_einval),
        cmocka_unit_test(range_and_rights_are_checked_as_by_mprotect),
    };

    return cmocka_run_group_tests_name("mm/pkeys", tests, NULL, NULL);
}
