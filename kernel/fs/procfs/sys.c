/* kernel/fs/procfs/sys.c: /proc/sys, proc(5): what is told there, and the names that can be set. */
#include "base/atomic.h"
#include "base/errno.h"
#include "base/fmt.h"
#include "base/parse.h"
#include "base/string.h"
#include "cred/cred.h"
#include "fs/procfs/internal.h"
#include "fs/pseudo/table.h"
#include "host/host.h"
#include "mm/mm.h"
#include "self/self.h"
#include "task/namespaces.h"

#include <linux/capability.h>
#include <linux/limits.h>

/* Numbers that are what they are in this kernel. */
NUMBER(pid_max, PID_LIMIT)
NUMBER(cap_last_cap, CAP_LAST_CAP)
NUMBER(threads_max, PID_LIMIT)
NUMBER(ngroups_max, NGROUPS_MAX)
NUMBER(overflow_id, 65534)
NUMBER(entropy, 256)
NUMBER(file_max, INT64_MAX)
NUMBER(nr_open, 1048576)
NUMBER(pipe_max_size, 1048576)
NUMBER(overcommit, 0)
NUMBER(max_map_count, MM_MAX_MAPS)
NUMBER(mmap_min_addr, MM_MIN_ADDRESS)
NUMBER(inotify_events, INOTIFY_EVENTS_MAX)
NUMBER(zero, 0)
NUMBER(one, 1)
NUMBER(two, 2)
NUMBER(overcommit_ratio, 50)
TEXT(core_pattern, "core")
TEXT(arch, "x86_64")
TEXT(printk, "0\t4\t1\t7")

/* Open files of all tables are not counted as one: proc(5)'s middle number is 0 since Linux 2.6. */
static int show_file_nr(const struct subject *s, struct text *out)
{
    text_print(out, "0\t0\t%lld\n", (long long)INT64_MAX);
    return 0;
}

static int show_uts(struct text *out, size_t member)
{
    struct new_utsname uts;

    namespaces_uts(&uts);
    text_print(out, "%s\n", (const char *)&uts + member);
    return 0;
}

#define UTS(member)                                                                                \
    static int show_##member(const struct subject *s, struct text *out)                            \
    {                                                                                              \
        return show_uts(out, offsetof(struct new_utsname, member));                                \
    }
UTS(nodename)
UTS(domainname)
UTS(release)
UTS(sysname)
UTS(version)

static ssize_t store_hostname(const struct subject *s, char *text, size_t len)
{
    char *end = strchr(text, '\n');
    int err;

    if (!cred_capable(self()->cred, CAP_SYS_ADMIN))
        return -EPERM;
    if (end)
        *end = '\0';
    err = namespaces_set_nodename(text);
    return err ? err : (ssize_t)len;
}

/* proc(5), drop_caches: a set. 1: the page cache, of which nothing can go here; 2: names and inodes; 4: a quieter log. */
static u32 drop_caches; /* atomic; as last written */

static int show_drop_caches(const struct subject *s, struct text *out)
{
    text_print(out, "%u\n", READ_ONCE(drop_caches));
    return 0;
}

static ssize_t store_drop_caches(const struct subject *s, char *text, size_t len)
{
    u64 value;
    long n = parse_u64(text, len, 10, &value);

    if (n <= 0 || value < 1 || value > 7)
        return -EINVAL;
    WRITE_ONCE(drop_caches, (u32)value);
    if (value & 2)
        dentry_prune_all();
    return (ssize_t)len;
}

/* A random UUID of version 4 (RFC 4122). */
static int uuid_make(u8 id[16])
{
    int err = random_bytes(id, 16);

    id[6] = (u8)((id[6] & 0x0f) | 0x40);
    id[8] = (u8)((id[8] & 0x3f) | 0x80);
    return err;
}

static void uuid_print(struct text *out, const u8 id[16])
{
    for (int i = 0; i < 16; i++)
        text_print(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", id[i]);
    text_print(out, "\n");
}

static int show_uuid(const struct subject *s, struct text *out)
{
    u8 id[16];
    int err = uuid_make(id);

    if (!err)
        uuid_print(out, id);
    return err;
}

/* One for the life of the instance, made by the first reader. */
static int show_boot_id(const struct subject *s, struct text *out)
{
    static struct {
        struct spinlock lock; /* class OBJECT */
        bool made;
        u8 id[16];
    } boot = {.lock = SPINLOCK(OBJECT)};
    u8 id[16];
    int err = uuid_make(id);

    if (err)
        return err;
    spin_lock(&boot.lock);
    if (!boot.made)
        memcpy(boot.id, id, sizeof(id));
    boot.made = true;
    memcpy(id, boot.id, sizeof(id));
    spin_unlock(&boot.lock);
    uuid_print(out, id);
    return 0;
}

static const struct pseudo_entry random_entries[] = {
    VALUE("boot_id", show_boot_id),
    VALUE("entropy_avail", show_entropy),
    VALUE("poolsize", show_entropy),
    VALUE("uuid", show_uuid),
    {0},
};
static const struct pseudo_dir random_dir = {.entries = random_entries};

static const struct pseudo_entry kernel_entries[] = {
    VALUE("arch", show_arch),
    VALUE("cap_last_cap", show_cap_last_cap),
    VALUE("core_pattern", show_core_pattern),
    VALUE("core_uses_pid", show_zero),
    VALUE("domainname", show_domainname),
    {.name = "hostname", .mode = S_IFREG | 0644, .show = show_nodename, .store = store_hostname},
    NUMBERS("msgmax", proc_msgmax),
    NUMBERS("msgmnb", proc_msgmnb),
    NUMBERS("msgmni", proc_msgmni),
    VALUE("ngroups_max", show_ngroups_max),
    VALUE("osrelease", show_release),
    VALUE("ostype", show_sysname),
    VALUE("overflowgid", show_overflow_id),
    VALUE("overflowuid", show_overflow_id),
    VALUE("pid_max", show_pid_max),
    VALUE("printk", show_printk),
    FOLDER("random", random_dir),
    VALUE("randomize_va_space", show_two),
    NUMBERS("sem", proc_sem),
    NUMBERS("shmall", proc_shmall),
    NUMBERS("shmmax", proc_shmmax),
    NUMBERS("shmmni", proc_shmmni),
    VALUE("tainted", show_zero),
    VALUE("threads-max", show_threads_max),
    VALUE("version", show_version),
    {0},
};
static const struct pseudo_dir kernel_dir = {.entries = kernel_entries};

static const struct pseudo_entry inotify_entries[] = {
    VALUE("max_queued_events", show_inotify_events), {0}};
static const struct pseudo_dir inotify_dir = {.entries = inotify_entries};

static const struct pseudo_entry fs_entries[] = {
    NUMBERS("aio-max-nr", proc_aio_max),
    VALUE("aio-nr", proc_show_aio_nr),
    VALUE("file-max", show_file_max),
    VALUE("file-nr", show_file_nr),
    FOLDER("inotify", inotify_dir),
    FOLDER("mqueue", proc_mqueue_dir),
    VALUE("nr_open", show_nr_open),
    VALUE("overflowgid", show_overflow_id),
    VALUE("overflowuid", show_overflow_id),
    VALUE("pipe-max-size", show_pipe_max_size),
    VALUE("protected_symlinks", show_one),
    VALUE("suid_dumpable", show_zero),
    {0},
};
static const struct pseudo_dir fs_dir = {.entries = fs_entries};

static const struct pseudo_entry vm_entries[] = {
    {.name = "drop_caches",
     .mode = S_IFREG | 0200,
     .show = show_drop_caches,
     .store = store_drop_caches},
    VALUE("max_map_count", show_max_map_count),
    VALUE("mmap_min_addr", show_mmap_min_addr),
    VALUE("nr_hugepages", show_zero),
    VALUE("overcommit_memory", show_overcommit),
    VALUE("overcommit_ratio", show_overcommit_ratio),
    VALUE("swappiness", show_zero),
    {0},
};
static const struct pseudo_dir vm_dir = {.entries = vm_entries};

static const struct pseudo_entry sys_entries[] = {FOLDER("fs", fs_dir),
                                                  FOLDER("kernel", kernel_dir),
                                                  FOLDER("net", proc_sys_net_dir),
                                                  FOLDER("vm", vm_dir),
                                                  {0}};
const struct pseudo_dir proc_sys_dir = {.entries = sys_entries};
