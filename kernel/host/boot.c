/* kernel/host/boot.c: see boot.h. */
#include "host/boot.h"

#include "base/string.h"
#include "host/boot_net.h"
#include "host/border.h"
#include "host/descriptors.h"

#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <myst/boot.h>

#define CPUS_MAX        4096
#define MOUNTS_MAX      4096
#define GROUPS_MAX      65536        /* NGROUPS_MAX */
#define TEXT_MAX        (16UL << 20) /* more than execve(2) takes, which says so itself */
#define TEXTS_MAX       (6UL << 20)
#define MEMORY_LEAST    (1UL << 20)
#define MEMORY_MOST     MYST_WINDOW_SIZE
#define MINSIGSTKSZ_MAX 65536
#define UNBLOCKABLE     (1UL << (SIGKILL - 1) | 1UL << (SIGSTOP - 1))

static struct boot_info boot; /* constant after the start */

static bool ends(const char *text, size_t room)
{
    return text && strnlen(text, room) < room;
}

static bool is_text(const char *text)
{
    return ends(text, TEXT_MAX);
}

static bool is_text_or_none(const char *text)
{
    return !text || is_text(text);
}

static bool are_texts(const char *const *texts)
{
    size_t n = 0;

    if (!texts)
        return false;
    for (; texts[n]; n++)
        if (n >= TEXTS_MAX || !is_text(texts[n]))
            return false;
    return true;
}

static bool is_mode(u32 mode)
{
    u32 type = mode & S_IFMT;

    return mode <= 0177777 && (type == S_IFREG || type == S_IFDIR || type == S_IFCHR ||
                               type == S_IFBLK || type == S_IFIFO || type == S_IFSOCK);
}

static bool is_root(enum boot_root root)
{
    return root == BOOT_ROOT_DIRECTORY || root == BOOT_ROOT_CPIO;
}

static const char *check_machine(void)
{
    if (!BORDER(boot_data_pages, boot.data_pages < MYST_WINDOW_SIZE / 2))
        return "data_pages";
    if (!BORDER(boot_memory_least, boot.memory_size >= MEMORY_LEAST))
        return "memory_size";
    if (!BORDER(boot_memory_most, boot.memory_size <= MEMORY_MOST))
        boot.memory_size = MEMORY_MOST;
    if (!BORDER(boot_page_size, boot.page_size == PAGE_SIZE))
        return "page_size";
    if (!BORDER(boot_cpus, boot.cpus >= 1 && boot.cpus <= CPUS_MAX))
        boot.cpus = 1;
    if (!BORDER(boot_minsigstksz, boot.minsigstksz <= MINSIGSTKSZ_MAX))
        return "minsigstksz";
    if (!BORDER(boot_platform, ends(boot.platform, sizeof(boot.platform))))
        boot.platform[0] = '\0';
    if (!BORDER(boot_uname_machine, ends(boot.uname_machine, sizeof(boot.uname_machine))))
        boot.uname_machine[0] = '\0';
    return NULL;
}

static const char *check_program(void)
{
    if (!BORDER(boot_program, is_text(boot.program)))
        return "program";
    if (!BORDER(boot_argv, are_texts(boot.argv)))
        return "argv";
    if (!BORDER(boot_envp, are_texts(boot.envp)))
        return "envp";
    if (!BORDER(boot_cwd, is_text_or_none(boot.cwd)))
        return "cwd";
    if (!BORDER(boot_hostname, is_text_or_none(boot.hostname)))
        return "hostname";
    if (!BORDER(boot_strace, is_text_or_none(boot.strace)))
        return "strace";
    return NULL;
}

static bool are_ids(const u32 *ids, u32 n)
{
    for (u32 i = 0; i < n; i++)
        if (ids[i] == (u32)-1)
            return false;
    return true;
}

static const char *check_identity(void)
{
    if (!BORDER(boot_uid, boot.uid != (uid_t)-1))
        return "uid";
    if (!BORDER(boot_gid, boot.gid != (gid_t)-1))
        return "gid";
    if (!BORDER(boot_ngroups, boot.ngroups <= GROUPS_MAX && (boot.groups || !boot.ngroups)))
        return "ngroups";
    if (!BORDER(boot_groups, are_ids(boot.groups, boot.ngroups)))
        return "groups";
    if (!BORDER(boot_umask, boot.umask <= 0777))
        boot.umask &= 0777;
    if (!BORDER(boot_nice, boot.nice >= NICE_MIN && boot.nice <= NICE_MAX))
        boot.nice = 0;
    if (!BORDER(boot_ignored_signals, !(boot.ignored_signals & UNBLOCKABLE)))
        boot.ignored_signals &= ~UNBLOCKABLE;
    if (!BORDER(boot_blocked_signals, !(boot.blocked_signals & UNBLOCKABLE)))
        boot.blocked_signals &= ~UNBLOCKABLE;
    return NULL;
}

static const char *check_mount(const struct boot_mount *mount)
{
    if (!BORDER(boot_mount_texts, is_text(mount->target) && is_text(mount->type) &&
                                      is_text_or_none(mount->source) &&
                                      is_text_or_none(mount->options)))
        return "mounts: texts";
    if (mount->file != -1 &&
        BORDER_DESCRIPTOR(boot_mount_file, boot_mount_file_twice, mount->file) < 0)
        return "mounts: file";
    return NULL;
}

static const char *check_files(void)
{
    const char *wrong = NULL;

    if (!BORDER(boot_root, is_root(boot.root)))
        return "root";
    if (BORDER_DESCRIPTOR(boot_root_file, boot_root_file_twice, boot.root_file) < 0)
        return "root_file";
    if (!BORDER(boot_nmounts, boot.nmounts <= MOUNTS_MAX && (boot.mounts || !boot.nmounts)))
        return "nmounts";
    for (u32 i = 0; i < boot.nmounts && !wrong; i++)
        wrong = check_mount(&boot.mounts[i]);
    return wrong;
}

static void check_console(void)
{
    for (int fd = 0; fd < 3; fd++) {
        bool open = !(boot.console_closed & (1U << fd));

        if (open && !BORDER(boot_console_mode, is_mode(boot.console_mode[fd])))
            boot.console_mode[fd] = S_IFIFO | 0600;
        if (!BORDER(boot_console_access,
                    !(boot.console_access[fd] & ~(u32)(O_ACCMODE | O_APPEND)) &&
                        (boot.console_access[fd] & O_ACCMODE) != O_ACCMODE))
            boot.console_access[fd] &= O_APPEND;
    }
    if (!BORDER(boot_console_closed, boot.console_closed <= 7))
        boot.console_closed &= 7;
    if (!BORDER(boot_console_tty, !(boot.console_tty & (boot.console_closed | ~7U))))
        boot.console_tty &= ~boot.console_closed & 7;
}

static void check_limits(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(boot.rlimits); i++)
        if (!BORDER(boot_rlimits, boot.rlimits[i][0] <= boot.rlimits[i][1]))
            boot.rlimits[i][0] = boot.rlimits[i][1];
}

static const char *check_network(void)
{
    return boot_net_check(&boot.net);
}

const struct boot_info *host_boot(const struct boot_info *told, const char **field)
{
    static const char *(*const checks[])(void) = {check_machine, check_program, check_identity,
                                                  check_files, check_network};

    boot = *told;
    for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
        *field = checks[i]();
        if (*field)
            return NULL;
    }
    check_console();
    check_limits();
    return &boot;
}
