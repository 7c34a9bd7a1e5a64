/* readonly.c: what a read-only mount refuses (EROFS), and the other flags of mount(2) on files. */
#include "../lib/check.h"

#include <sys/mount.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

/* Mounts a tmpfs at "m", with one file of each kind in it, and then changes the mount's flags. */
static void mount_with(unsigned long flags)
{
    if (!own_mounts())
        skip_because("no right to mount");
    must(mkdir("m", 0755));
    if (mount("none", "m", "tmpfs", 0, "size=1m") != 0)
        skip_because("no right to mount");
    must(chmod("m", 0777));
    make_file("m/f", "text");
    must(chmod("m/f", 0777));
    must(mkdir("m/d", 0777));
    must(symlink("f", "m/l"));
    must(mkfifo("m/p", 0666));
    must(mknod("m/null", S_IFCHR | 0666, makedev(1, 3)));
    must(chmod("m/null", 0666));
    must(mount("none", "m", NULL, MS_REMOUNT | flags, NULL));
}

/* Runs statements in a child that has such a mount; skips the case when mounts are not allowed. */
#define with_mount(flags, ...)                                                                     \
    do {                                                                                           \
        need_root();                                                                               \
        in_child(mount_with(flags); __VA_ARGS__);                                                  \
    } while (0)

/* covers: mount MS_RDONLY openat EROFS */
static void opening_for_writing_is_refused(void **state)
{
    (void)state;
    with_mount(MS_RDONLY, assert_errno(open("m/f", O_WRONLY), EROFS);
               assert_errno(open("m/f", O_RDWR), EROFS);
               assert_errno(open("m/f", O_RDONLY | O_TRUNC), EROFS);
               assert_errno(open("m/new", O_CREAT | O_RDONLY, 0644), EROFS);
               assert_errno(open("m", O_TMPFILE | O_RDWR, 0644), EROFS);
               must(open("m/f", O_RDONLY | O_CREAT, 0644)); assert_file_text("m/f", "text"));
}

/* covers: mkdir EROFS mknod EROFS symlink EROFS link EROFS creat EROFS */
static void making_names_is_refused(void **state)
{
    (void)state;
    with_mount(MS_RDONLY, assert_errno(mkdir("m/x", 0755), EROFS);
               assert_errno(mkfifo("m/x", 0644), EROFS); assert_errno(symlink("f", "m/x"), EROFS);
               assert_errno(link("m/f", "m/x"), EROFS); assert_errno(creat("m/x", 0644), EROFS);
               assert_errno(mkdir("m/d", 0755), EEXIST));
}

/* covers: unlink EROFS rmdir EROFS rename EROFS */
static void removing_names_is_refused(void **state)
{
    (void)state;
    with_mount(MS_RDONLY, assert_errno(unlink("m/f"), EROFS); assert_errno(rmdir("m/d"), EROFS);
               assert_errno(rename("m/f", "m/x"), EROFS); assert_errno(unlink("m/none"), EROFS));
}

/* covers: chmod EROFS chown EROFS truncate EROFS utimensat EROFS setxattr EROFS */
static void changing_attributes_is_refused(void **state)
{
    (void)state;
    with_mount(MS_RDONLY, assert_errno(chmod("m/f", 0600), EROFS);
               assert_errno(chown("m/f", 1, 1), EROFS); assert_errno(truncate("m/f", 0), EROFS);
               assert_errno(utimensat(AT_FDCWD, "m/f", NULL, 0), EROFS);
               assert_errno(syscall(SYS_setxattr, "m/f", "trusted.x", "v", 1, 0), EROFS));
}

/* covers: access EROFS faccessat EROFS */
static void write_access_is_denied(void **state)
{
    (void)state;
    with_mount(MS_RDONLY, assert_errno(access("m/f", W_OK), EROFS);
               assert_errno(access("m/d", W_OK), EROFS); must(access("m/f", R_OK));
               must(access("m/p", W_OK)));
}

/* covers: openat write */
static void fifo_and_device_can_still_be_written(void **state)
{
    (void)state;
    with_mount(MS_RDONLY, must(open("m/p", O_RDWR)); int fd = must(open("m/null", O_WRONLY));
               assert_returns(write(fd, "x", 1), 1));
}

/* covers: statfs ST_RDONLY ST_NOEXEC ST_NOSUID ST_NODEV */
static void flags_show_in_statfs(void **state)
{
    (void)state;
    with_mount(MS_RDONLY | MS_NOEXEC | MS_NOSUID | MS_NODEV, struct statfs fs;
               must(statfs("m", &fs));
               assert_int_equal(fs.f_flags & (ST_RDONLY | ST_NOEXEC | ST_NOSUID | ST_NODEV),
                                ST_RDONLY | ST_NOEXEC | ST_NOSUID | ST_NODEV));
}

/* covers: mount MS_RDONLY EBUSY */
static void open_writer_keeps_the_mount_writable(void **state)
{
    (void)state;
    with_mount(0, int fd = must(open("m/f", O_WRONLY));
               assert_errno(mount("none", "m", NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
               must(close(fd)); must(mount("none", "m", NULL, MS_REMOUNT | MS_RDONLY, NULL)));
}

/* covers: mount MS_NOEXEC execve EACCES access EACCES mmap EPERM */
static void noexec_refuses_programs(void **state)
{
    (void)state;
    with_mount(MS_NOEXEC, assert_errno(execl("m/f", "f", NULL), EACCES);
               assert_errno(access("m/f", X_OK), EACCES); int fd = must(open("m/f", O_RDONLY));
               assert_errno(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0), EPERM));
}

/* covers: mount MS_NODEV openat EACCES */
static void nodev_refuses_devices(void **state)
{
    (void)state;
    with_mount(MS_NODEV, assert_errno(open("m/null", O_RDWR), EACCES); must(open("m/p", O_RDWR)));
}

/* covers: mount openat ELOOP */
static void nosymfollow_refuses_symlinks(void **state)
{
    (void)state;
    with_mount(256 /* MS_NOSYMFOLLOW */, int fd = open("m/l", O_RDONLY);
               if (fd >= 0) skip_because("the running kernel has no MS_NOSYMFOLLOW");
               assert_int_equal(errno, ELOOP); char text[4];
               assert_returns(readlink("m/l", text, 4), 1));
}

/* covers: umount2 EBUSY MNT_DETACH */
static void busy_mount_is_not_unmounted(void **state)
{
    (void)state;
    with_mount(0, int fd = must(open("m/f", O_RDONLY)); assert_errno(umount2("m", 0), EBUSY);
               must(umount2("m", MNT_DETACH)); assert_false(path_exists("m/f")); char c;
               assert_returns(read(fd, &c, 1), 1));
}

/* covers: umount2 */
static void unmounting_shows_what_was_beneath(void **state)
{
    (void)state;
    with_mount(0, must(umount2("m", 0)); assert_false(path_exists("m/f"));
               assert_errno(umount2("m", 0), EINVAL));
}

/* covers: mount MS_BIND */
static void bind_mount_shows_the_same_files(void **state)
{
    (void)state;
    with_mount(0, must(mkdir("b", 0755)); must(mount("m/d", "b", NULL, MS_BIND, NULL));
               make_file("m/d/x", "through"); assert_file_text("b/x", "through");
               assert_errno(rename("m/f", "b/f"), EXDEV); assert_errno(link("m/f", "b/f"), EXDEV);
               make_file("file", NULL); must(mount("m/f", "file", NULL, MS_BIND, NULL));
               assert_file_text("file", "text"));
}

/* covers: mount MS_MOVE */
static void mount_can_be_moved(void **state)
{
    (void)state;
    with_mount(0, must(mkdir("b", 0755)); must(mount("m", "b", NULL, MS_MOVE, NULL));
               assert_file_text("b/f", "text"); assert_false(path_exists("m/f")));
}

/* covers: rmdir EBUSY rename EBUSY */
static void mount_point_cannot_be_removed_or_renamed(void **state)
{
    (void)state;
    with_mount(0, assert_errno(rmdir("m"), EBUSY); assert_errno(rename("m", "x"), EBUSY));
}

/* covers: mount stat */
static void dot_dot_leaves_the_mount(void **state)
{
    (void)state;
    with_mount(0, struct stat here; struct stat up; struct stat in; must(stat(".", &here));
               must(stat("m/..", &up)); must(stat("m", &in));
               assert_int_equal(here.st_ino, up.st_ino); assert_int_equal(here.st_dev, up.st_dev);
               assert_true(in.st_dev != here.st_dev));
}

/* covers: mount ENOENT ENOTDIR ENODEV EINVAL EFAULT */
static void errors_of_mount(void **state)
{
    (void)state;
    with_mount(0, assert_errno(mount("none", "none", "tmpfs", 0, NULL), ENOENT);
               assert_errno(mount("none", "m/f", "tmpfs", 0, NULL), ENOTDIR);
               assert_errno(mount("none", "m", "no_such_type", 0, NULL), ENODEV);
               assert_errno(mount("none", "m/d", NULL, MS_REMOUNT, NULL), EINVAL);
               assert_errno(mount("none", BAD_PTR, "tmpfs", 0, NULL), EFAULT);
               assert_errno(mount("m/none", "m/d", NULL, MS_BIND, NULL), ENOENT));
}

/* covers: umount2 ENOENT EINVAL EFAULT */
static void errors_of_umount(void **state)
{
    (void)state;
    with_mount(0, assert_errno(umount2("none", 0), ENOENT); assert_errno(umount2("m/d", 0), EINVAL);
               assert_errno(umount2("m", 0x1000), EINVAL);
               assert_errno(umount2(BAD_PTR, 0), EFAULT);
               assert_errno(umount2("m", MNT_EXPIRE | MNT_FORCE), EINVAL));
}

/* covers: umount2 MNT_EXPIRE EAGAIN */
static void expiry_takes_two_calls(void **state)
{
    (void)state;
    with_mount(0, assert_errno(umount2("m", MNT_EXPIRE), EAGAIN); must(umount2("m", MNT_EXPIRE)));
}

/* covers: mount EPERM umount2 EPERM */
static void mounting_needs_the_right(void **state)
{
    (void)state;
    as_nobody(assert_errno(mount("none", ".", "tmpfs", 0, NULL), EPERM);
              assert_errno(umount2("/proc", 0), EPERM));
}

/* covers: fchmod EROFS fchown EROFS ftruncate EINVAL faccessat2 EROFS */
static void descriptors_of_readers_change_nothing(void **state)
{
    (void)state;
    with_mount(MS_RDONLY, int fd = must(open("m/f", O_RDONLY));
               assert_errno(fchmod(fd, 0600), EROFS); assert_errno(fchown(fd, 1, 1), EROFS);
               assert_errno(ftruncate(fd, 0), EINVAL);
               assert_errno(syscall(SYS_faccessat2, AT_FDCWD, "m/f", W_OK, 0), EROFS));
}

/* covers: mkdirat EROFS unlinkat EROFS renameat2 EROFS linkat EROFS symlinkat EROFS mknodat EROFS fchmodat EROFS fchownat EROFS */
static void at_calls_are_refused_too(void **state)
{
    (void)state;
    with_mount(MS_RDONLY, int dir = must(open("m", O_RDONLY));
               assert_errno(mkdirat(dir, "x", 0755), EROFS);
               assert_errno(unlinkat(dir, "f", 0), EROFS);
               assert_errno(unlinkat(dir, "d", AT_REMOVEDIR), EROFS);
               assert_errno(syscall(SYS_renameat2, dir, "f", dir, "x", 1), EROFS);
               assert_errno(linkat(dir, "f", dir, "x", 0), EROFS);
               assert_errno(symlinkat("f", dir, "x"), EROFS);
               assert_errno(mknodat(dir, "x", S_IFIFO | 0644, 0), EROFS);
               assert_errno(syscall(SYS_fchmodat, dir, "f", 0600), EROFS);
               assert_errno(fchownat(dir, "f", 1, 1, 0), EROFS));
}

/* covers: unlink EBUSY rename EBUSY mount MS_BIND */
static void file_that_is_a_mount_point_is_busy(void **state)
{
    (void)state;
    with_mount(0, make_file("file", NULL); must(mount("m/f", "file", NULL, MS_BIND, NULL));
               assert_errno(unlink("file"), EBUSY); make_file("new", NULL);
               assert_errno(rename("new", "file"), EBUSY);
               assert_errno(rename("file", "x"), EBUSY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(opening_for_writing_is_refused),
        tempdir_test(making_names_is_refused),
        tempdir_test(removing_names_is_refused),
        tempdir_test(changing_attributes_is_refused),
        tempdir_test(write_access_is_denied),
        tempdir_test(fifo_and_device_can_still_be_written),
        tempdir_test(flags_show_in_statfs),
        tempdir_test(open_writer_keeps_the_mount_writable),
        tempdir_test(noexec_refuses_programs),
        tempdir_test(nodev_refuses_devices),
        tempdir_test(nosymfollow_refuses_symlinks),
        tempdir_test(busy_mount_is_not_unmounted),
        tempdir_test(unmounting_shows_what_was_beneath),
        tempdir_test(bind_mount_shows_the_same_files),
        tempdir_test(mount_can_be_moved),
        tempdir_test(mount_point_cannot_be_removed_or_renamed),
        tempdir_test(dot_dot_leaves_the_mount),
        tempdir_test(errors_of_mount),
        tempdir_test(errors_of_umount),
        tempdir_test(expiry_takes_two_calls),
        tempdir_test(mounting_needs_the_right),
        tempdir_test(descriptors_of_readers_change_nothing),
        tempdir_test(at_calls_are_refused_too),
        tempdir_test(file_that_is_a_mount_point_is_busy),
    };

    return cmocka_run_group_tests_name("fs/readonly", tests, NULL, NULL);
}
