/* mount_tree.c: mount(2)'s binds and moves, umount2(2), pivot_root(2), mount_namespaces(7). */
#include "../lib/check.h"

#include <limits.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

/* Runs statements in a child whose mounts are its own, in a tmpfs at "m" that is its working directory. */
#define in_mounts(...)                                                                             \
    do {                                                                                           \
        need_root();                                                                               \
        in_child({                                                                                 \
            if (!own_mounts())                                                                     \
                skip_because("no right to mount");                                                 \
            must(mkdir("m", 0755));                                                                \
            if (mount("none", "m", "tmpfs", 0, "size=1m,mode=755") != 0)                           \
                skip_because("no right to mount");                                                 \
            must(chdir("m"));                                                                      \
            must(mkdir("a", 0755));                                                                \
            must(mkdir("b", 0755));                                                                \
            make_file("a/f", "text");                                                              \
            __VA_ARGS__;                                                                           \
        });                                                                                        \
    } while (0)

/* covers: mount MS_BIND */
static void bind_shows_the_same_folder_twice(void **state)
{
    (void)state;
    in_mounts(must(mount("a", "b", NULL, MS_BIND, NULL)); assert_file_text("b/f", "text");
              make_file("b/new", "both"); assert_file_text("a/new", "both");
              assert_errno(link("a/f", "b/other"), EXDEV);
              assert_errno(rename("a/f", "b/other"), EXDEV); must(umount2("b", 0));
              assert_errno(access("b/f", F_OK), ENOENT));
}

/* Whether a line of /proc/self/mountinfo shows this part of a file system at a place that ends so. */
static bool told(const char *root, const char *place)
{
    FILE *file = fopen("/proc/self/mountinfo", "r");
    char line[4096], shown[256], at[PATH_MAX];
    bool found = false;

    check(file != NULL);
    while (!found && fgets(line, sizeof line, file)) {
        if (sscanf(line, "%*d %*d %*s %255s %4095s", shown, at) != 2)
            continue;
        size_t len = strlen(at), end = strlen(place);
        found = strcmp(shown, root) == 0 && len >= end && strcmp(at + len - end, place) == 0;
    }
    fclose(file);
    return found;
}

/* covers: mount MS_BIND */
static void mountinfo_tells_what_part_a_bind_shows(void **state)
{
    (void)state;
    in_mounts(must(mkdir("a/deep", 0755)); must(mount("a/deep", "b", NULL, MS_BIND, NULL));
              assert_true(told("/a/deep", "/m/b")); assert_true(told("/", "/m")));
}

/* covers: mount MS_BIND */
static void bind_of_a_file_covers_a_file(void **state)
{
    (void)state;
    in_mounts(make_file("b/g", "covered"); must(mount("a/f", "b/g", NULL, MS_BIND, NULL));
              assert_file_text("b/g", "text"); assert_errno(unlink("b/g"), EBUSY);
              assert_errno(mount("a", "b/g", NULL, MS_BIND, NULL), ENOTDIR);
              must(umount2("b/g", 0)); assert_file_text("b/g", "covered"));
}

/* covers: mount MS_BIND MS_REMOUNT MS_RDONLY EROFS */
static void bind_can_be_read_only_alone(void **state)
{
    (void)state;
    in_mounts(must(mount("a", "b", NULL, MS_BIND, NULL));
              must(mount(NULL, "b", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
              assert_errno(open("b/new", O_CREAT | O_WRONLY, 0644), EROFS); make_file("a/new", "x");
              assert_file_text("b/new", "x"));
}

/* covers: mount MS_REC MS_BIND umount2 EBUSY */
static void recursive_bind_takes_what_is_inside(void **state)
{
    (void)state;
    in_mounts(must(mkdir("a/in", 0755)); must(mount("none", "a/in", "tmpfs", 0, NULL));
              make_file("a/in/deep", "down"); must(mount("a", "b", NULL, MS_BIND, NULL));
              assert_errno(access("b/in/deep", F_OK), ENOENT); must(umount2("b", 0));
              must(mount("a", "b", NULL, MS_BIND | MS_REC, NULL));
              assert_file_text("b/in/deep", "down"); assert_errno(umount2("b", 0), EBUSY);
              must(umount2("b/in", 0)); must(umount2("b", 0));
              assert_file_text("a/in/deep", "down"));
}

/* covers: mount MS_MOVE EINVAL ELOOP */
static void move_takes_a_mount_elsewhere(void **state)
{
    (void)state;
    in_mounts(must(mount("none", "a", "tmpfs", 0, NULL)); must(mkdir("a/in", 0755));
              make_file("a/g", "moved");
              assert_errno(mount("a/in", "b", NULL, MS_MOVE, NULL), EINVAL);
              assert_errno(mount("a", "a/in", NULL, MS_MOVE, NULL), ELOOP);
              must(mount("a", "b", NULL, MS_MOVE, NULL)); assert_file_text("b/g", "moved");
              assert_file_text("a/f", "text"));
}

/* covers: umount2 MNT_DETACH EBUSY EINVAL */
static void busy_mount_can_be_detached(void **state)
{
    (void)state;
    in_mounts(must(mount("none", "b", "tmpfs", 0, NULL)); make_file("b/f", "kept");
              int fd = must(open("b/f", O_RDONLY)); char text[8];
              assert_errno(umount2("b", 0), EBUSY); must(umount2("b", MNT_DETACH));
              assert_errno(access("b/f", F_OK), ENOENT);
              assert_returns(read(fd, text, sizeof text), 4); must(close(fd));
              assert_errno(umount2("b", 0), EINVAL));
}

/* covers: umount2 MNT_EXPIRE EAGAIN EINVAL */
static void unused_mount_expires_the_second_time(void **state)
{
    (void)state;
    in_mounts(must(mount("none", "b", "tmpfs", 0, NULL));
              assert_errno(umount2("b", MNT_EXPIRE), EAGAIN); must(umount2("b", MNT_EXPIRE));
              assert_errno(umount2("b", MNT_EXPIRE | MNT_DETACH), EINVAL));
}

/* covers: mount ENODEV ENOENT ENOTDIR EINVAL */
static void arguments_are_checked(void **state)
{
    (void)state;
    in_mounts(assert_errno(mount("none", "b", "nosuchtype", 0, NULL), ENODEV);
              assert_errno(mount("none", "none", "tmpfs", 0, NULL), ENOENT);
              assert_errno(mount("none", "a/f", "tmpfs", 0, NULL), ENOTDIR);
              assert_errno(mount("none", "b", "tmpfs", 0, "nosuchoption=1"), EINVAL);
              assert_errno(mount("a", "a", NULL, MS_REMOUNT, NULL), EINVAL));
}

/* covers: mount EPERM umount2 EPERM pivot_root EPERM */
static void ordinary_users_may_not(void **state)
{
    (void)state;
    as_nobody(assert_errno(mount("none", "/", "tmpfs", 0, NULL), EPERM);
              assert_errno(umount2("/", 0), EPERM);
              assert_errno(syscall(SYS_pivot_root, "/", "/"), EPERM));
}

/* covers: unshare CLONE_NEWNS CLONE_NEWUTS */
static void namespace_keeps_its_mounts_and_names_to_itself(void **state)
{
    (void)state;
    in_mounts(struct utsname before; struct utsname after; must(uname(&before));
              pid_t pid = child_fork(); if (pid == 0) {
                  must(unshare(CLONE_NEWNS | CLONE_NEWUTS));
                  must(mount("none", "b", "tmpfs", 0, NULL));
                  make_file("b/mine", "x");
                  must(sethostname("inner", 5));
                  _exit(0);
              } assert_child_ok(pid);
              assert_errno(access("b/mine", F_OK), ENOENT); must(uname(&after));
              assert_string_equal(before.nodename, after.nodename));
}

/* A child that has mounted at b in a namespace of its own, until its pipe is closed. */
static pid_t mounts_elsewhere(int *end)
{
    int told[2], over[2];
    char c;
    pid_t pid;

    must(pipe(told));
    must(pipe(over));
    pid = child_fork();
    if (pid == 0) {
        must(close(over[1]));
        must(unshare(CLONE_NEWNS));
        must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
        must(mount("none", "b", "tmpfs", 0, NULL));
        make_file("b/mine", "x");
        assert_returns(write(told[1], "m", 1), 1);
        assert_returns(read(over[0], &c, 1), 0);
        /* What it was mounted on is gone, and the mount with it. */
        assert_errno(access("b/mine", F_OK), ENOENT);
        _exit(0);
    }
    must(close(over[0]));
    assert_returns(read(told[0], &c, 1), 1);
    *end = over[1];
    return pid;
}

/* covers: rmdir mount */
static void mount_of_another_namespace_keeps_no_folder(void **state)
{
    (void)state;
    in_mounts(int end; pid_t pid = mounts_elsewhere(&end); must(rmdir("b")); must(close(end));
              assert_child_ok(pid));
}

/* covers: rename mount */
static void mount_of_another_namespace_hinders_no_rename(void **state)
{
    (void)state;
    in_mounts(int end; pid_t pid = mounts_elsewhere(&end); must(mkdir("c", 0755));
              must(rename("c", "b")); must(close(end)); assert_child_ok(pid));
}

/* covers: pivot_root EBUSY EINVAL */
static void pivot_exchanges_the_root(void **state)
{
    (void)state;
    in_mounts(must(mount("none", "b", "tmpfs", 0, NULL)); must(mkdir("b/old", 0755));
              make_file("b/me", "new root");
              assert_errno(syscall(SYS_pivot_root, "b", "a"), EINVAL);
              assert_errno(syscall(SYS_pivot_root, "a", "a"), EINVAL);
              assert_errno(syscall(SYS_pivot_root, "/", "/"), EBUSY); must(chdir("b"));
              must(syscall(SYS_pivot_root, ".", "old")); assert_file_text("/me", "new root");
              must(access("/old/etc/passwd", F_OK)); assert_errno(umount2("/old", 0), EBUSY);
              must(umount2("/old", MNT_DETACH)); assert_errno(access("/old/etc", F_OK), ENOENT));
}

/* covers: mount MS_SHARED MS_UNBINDABLE EINVAL */
static void mount_can_be_shared_or_kept_from_binding(void **state)
{
    (void)state;
    in_mounts(must(mkdir("p", 0755)); must(mkdir("q", 0755));
              must(mount("p", "p", NULL, MS_BIND, NULL));
              if (mount(NULL, "p", NULL, MS_SHARED, NULL) < 0)
                  skip_because("propagation of mounts is not there yet");
              must(mount(NULL, "p", NULL, MS_UNBINDABLE, NULL));
              assert_errno(mount("p", "q", NULL, MS_BIND, NULL), EINVAL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(bind_shows_the_same_folder_twice),
        tempdir_test(mountinfo_tells_what_part_a_bind_shows),
        tempdir_test(bind_of_a_file_covers_a_file),
        tempdir_test(bind_can_be_read_only_alone),
        tempdir_test(recursive_bind_takes_what_is_inside),
        tempdir_test(move_takes_a_mount_elsewhere),
        tempdir_test(busy_mount_can_be_detached),
        tempdir_test(unused_mount_expires_the_second_time),
        tempdir_test(arguments_are_checked),
        tempdir_test(ordinary_users_may_not),
        tempdir_test(namespace_keeps_its_mounts_and_names_to_itself),
        tempdir_test(mount_of_another_namespace_keeps_no_folder),
        tempdir_test(mount_of_another_namespace_hinders_no_rename),
        tempdir_test(pivot_exchanges_the_root),
        tempdir_test(mount_can_be_shared_or_kept_from_binding),
    };

    return cmocka_run_group_tests_name("fs/mount_tree", tests, NULL, NULL);
}
