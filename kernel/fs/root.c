/* kernel/fs/root.c: builds the first tree of mounts from what the launcher says. */
#include "fs/root.h"

#include "abi/names.h"
#include "base/fmt.h"
#include "base/string.h"
#include "cred/cred.h"
#include "fs/cpio/cpio.h"
#include "fs/devpts/devpts.h"
#include "fs/hostfs/hostfs.h"
#include "fs/mqueue/mqueue.h"
#include "fs/overlay/overlay.h"
#include "fs/procfs/procfs.h"
#include "fs/sysfs/sysfs.h"
#include "fs/tmpfs/tmpfs.h"
#include "log/log.h"
#include "mm/alloc.h"
#include "self/self.h"
#include "vfs/vfs.h"

#include <linux/mount.h>
#include <linux/resource.h>
#include <myst/boot.h>

static int complain(const char *target, int err)
{
    char room[320];

    scnprintf(room, sizeof(room), "mount %s", target);
    log_error(room, "%s", errno_message(-err));
    return err;
}

static u32 flags_of(u64 ms_flags)
{
    static const struct {
        u64 from;
        u32 to;
    } map[] = {
        {MS_RDONLY, MOUNT_RDONLY},
        {MS_NOSUID, MOUNT_NOSUID},
        {MS_NODEV, MOUNT_NODEV},
        {MS_NOEXEC, MOUNT_NOEXEC},
        {MS_NOATIME, MOUNT_NOATIME},
        {MS_NODIRATIME, MOUNT_NODIRATIME},
        {MS_STRICTATIME, MOUNT_STRICTATIME},
    };
    u32 flags = 0;

    for (size_t i = 0; i < ARRAY_SIZE(map); i++)
        flags |= ms_flags & map[i].from ? map[i].to : 0;
    return flags;
}

/* A mount of a super that was just made, which is taken over. err: how that went. */
static int mount_new(int err, struct super *super, const char *source, u32 flags,
                     struct mount **out)
{
    if (err)
        return err;
    *out = mount_of_super(super, source, flags);
    super_deactivate(super);
    return *out ? 0 : -ENOMEM;
}

/* Programs cannot mount what the host has, so these have no way through the name of a type. */
static int host_mount_create(int file, bool writable, const char *source, u32 flags,
                             struct mount **out)
{
    struct super *super = NULL;
    int err = hostfs_super_create(file, writable, &super);

    return mount_new(err, super, source, flags, out);
}

static int cpio_mount_create(int file, const char *options, const char *source, u32 flags,
                             struct mount **out)
{
    struct super *super = NULL;
    int err = cpio_super_create(file, options, &super);

    return mount_new(err, super, source, flags, out);
}

/* The host's directory below, unchanged; what is written goes to memory. */
static int overlay_create(int file, const char *options, struct mount **out)
{
    struct super *lower, *super = NULL;
    int err = hostfs_super_create(file, false, &lower);

    if (err)
        return err;
    err = overlay_super_create(lower, options, &super);
    super_deactivate(lower);
    return mount_new(err, super, "overlay", 0, out);
}

static int root_create(const struct boot_info *boot, struct mount **out)
{
    char options[64];

    /* All of the instance's memory, so that programs that look find room. */
    scnprintf(options, sizeof(options), "size=%llu,nr_inodes=%llu",
              (unsigned long long)pages_limit(), (unsigned long long)(pages_limit() / PAGE_SIZE));
    if (boot->root == BOOT_ROOT_DIRECTORY && boot->root_writable)
        return host_mount_create(boot->root_file, true, "rootfs", 0, out);
    if (boot->root == BOOT_ROOT_DIRECTORY)
        return overlay_create(boot->root_file, options, out);
    return cpio_mount_create(boot->root_file, options, "rootfs", 0, out);
}

/* ---- what a program expects to find, whatever the root holds ---- */

#define GID_TTY                                                                                    \
    5 /* whose terminals programs like write(1) may write to: the group of all distributions */

struct pseudo {
    const char *type, *target;
    umode mode; /* of the mount point when it has to be made */
    u32 flags;
};

static const struct pseudo pseudos[] = {
    {"proc", "/proc", 0555, MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC},
    {"sysfs", "/sys", 0555, MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC},
    {"devtmpfs", "/dev", 0755, MOUNT_NOSUID},
    {"devpts", "/dev/pts", 0755, MOUNT_NOSUID | MOUNT_NOEXEC},
    {"tmpfs", "/dev/shm", 01777, MOUNT_NOSUID | MOUNT_NODEV},
    {"mqueue", "/dev/mqueue", 01777, MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC},
};

static int pseudo_mount(const struct pseudo *pseudo)
{
    char options[64] = "";
    int err;

    if (!fs_type_find(pseudo->type))
        return 0;
    /* tmpfs(5): half of the memory unless something else is said. */
    if (streq(pseudo->type, "tmpfs"))
        scnprintf(options, sizeof(options), "size=%llu", (unsigned long long)(pages_limit() / 2));
    else if (streq(pseudo->type, "devpts"))
        scnprintf(options, sizeof(options), "gid=%u,mode=620,ptmxmode=000", GID_TTY);
    err = vfs_mkdir(pseudo->target, pseudo->mode);
    /* A root that cannot be written may go without; a file in the way is told below. */
    if (err == -EROFS || err == -EACCES || err == -EPERM)
        err = -EEXIST;
    if (err && err != -EEXIST)
        return complain(pseudo->target, err);
    err = vfs_mount(pseudo->type, pseudo->type, pseudo->target, options, pseudo->flags);
    if (err == -ENOENT) {
        log_warn("mount", "%s: no such directory in the root, which cannot be written",
                 pseudo->target);
        return 0;
    }
    return err ? complain(pseudo->target, err) : 0;
}

/* ---- the user's own mounts ---- */

/* Makes the missing directories of a path, as mkdir -p. */
static int make_directories(const char *path)
{
    char *copy = kstrdup(path);
    int err = 0;

    if (!copy)
        return -ENOMEM;
    for (char *at = copy; *at && (!err || err == -EEXIST);) {
        char kept;

        while (*at == '/')
            at++;
        while (*at && *at != '/')
            at++;
        kept = *at;
        *at = '\0';
        err = vfs_mkdir(copy, 0755);
        *at = kept;
    }
    kfree(copy);
    return err == -EEXIST ? 0 : err;
}

static int mount_create_for(const struct boot_mount *mount, struct mount **out)
{
    u32 flags = flags_of(mount->flags);

    if (streq(mount->type, "hostfs"))
        return host_mount_create(mount->file, !(mount->flags & MS_RDONLY), mount->source, flags,
                                 out);
    if (streq(mount->type, "cpio"))
        return cpio_mount_create(mount->file, mount->options, mount->source, flags, out);
    return mount_create(mount->type, mount->source, mount->options, flags, out);
}

static int user_mount(const struct boot_mount *mount)
{
    AUTO_PATH where = {0};
    struct mount *made;
    int err = path_lookup(AT_FDCWD, mount->target, LOOKUP_FOLLOW, &where);

    if (err == -ENOENT) {
        err = make_directories(mount->target);
        if (!err)
            err = path_lookup(AT_FDCWD, mount->target, LOOKUP_FOLLOW, &where);
    }
    if (!err)
        err = mount_create_for(mount, &made);
    if (!err)
        err = mount_attach(made, &where);
    return err ? complain(mount->target, err) : 0;
}

/* ---- name servers ---- */

#define RESOLV_CONF "/etc/resolv.conf"

#define LINK_MAX_TEXT 256 /* where it leads; distributions have short ones */

/* Where a symbolic link of that name in /etc leads to, so that a directory that is missing there can be made. */
static int make_link_directory(void)
{
    AUTO_PATH link = {0};
    char text[LINK_MAX_TEXT], target[LINK_MAX_TEXT + 8], *slash;
    int n = -EINVAL;

    if (path_lookup(AT_FDCWD, RESOLV_CONF, 0, &link) == 0 && inode_is(path_inode(&link), S_IFLNK))
        n = path_readlink(&link, text, sizeof(text) - 1);
    if (n < 0)
        return make_directories("/etc");
    text[n] = '\0';
    scnprintf(target, sizeof(target), "%s%s", *text == '/' ? "" : "/etc/", text);
    slash = strrchr(target, '/');
    *slash = '\0';
    return make_directories(target);
}

static int resolv_conf_write(const char *text)
{
    struct file *file = file_open(RESOLV_CONF, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    struct iter from;
    ssize_t n;

    if (PTR_ERR(file) == -ENOENT && make_link_directory() == 0)
        file = file_open(RESOLV_CONF, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (IS_ERR(file))
        return (int)PTR_ERR(file);
    iter_init_kernel(&from, true, (void *)(uintptr_t)text, strlen(text));
    n = file_write(file, &from, NULL);
    file_put(file);
    return n < 0 ? (int)n : 0;
}

/* A directory of the host that is written to keeps its own. */
static int name_servers(const struct boot_info *boot)
{
    int err;

    if (!boot->net.resolv_conf || boot->root_writable)
        return 0;
    err = resolv_conf_write(boot->net.resolv_conf);
    return err ? complain(RESOLV_CONF, err) : 0;
}

/* The file systems that the root can be made of. */
static int types_start(const struct boot_info *boot)
{
    int err = tmpfs_start();

    if (!err)
        err = procfs_start(boot);
    if (!err)
        err = mqueue_start();
    if (!err)
        err = sysfs_start(boot);
    if (!err)
        err = devpts_start();
    return err ? err : hostfs_start(boot->rlimits[RLIMIT_NOFILE][1]);
}

static int mount_all(const struct boot_info *boot)
{
    struct mount *root;
    int err = types_start(boot);

    if (!err)
        err = root_create(boot, &root);
    if (!err)
        err = mount_as_root(root);
    if (err)
        return complain("/", err);
    self()->fs->umask = 0; /* mount points are made with the modes that they are named with */
    for (size_t i = 0; i < ARRAY_SIZE(pseudos) && !err; i++)
        err = pseudo_mount(&pseudos[i]);
    for (u32 i = 0; i < boot->nmounts && !err; i++)
        err = user_mount(&boot->mounts[i]);
    if (!err)
        err = name_servers(boot);
    self()->fs->umask = (umode)boot->umask & 0777;
    return err;
}

/* Whoever the program runs as, its tree is set up by the superuser. */
int root_mount(const struct boot_info *boot)
{
    const struct cred *caller = self()->cred;
    struct cred *superuser = cred_create(0, 0);
    int err;

    if (!superuser)
        return complain("/", -ENOMEM);
    self()->cred = superuser;
    err = mount_all(boot);
    self()->cred = caller;
    cred_put(superuser);
    return err;
}
