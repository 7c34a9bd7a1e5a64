/* target/linux/launch/boot.c: the launch options and the host's facts as struct boot_info, in kernel memory. */
#include "arena.h"
#include "image.h"
#include "network.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

static const char *const *arena_strings(struct arena *arena, char *const *v, size_t n)
{
    const char **out = arena_get(arena, (n + 1) * sizeof(*out));

    for (size_t i = 0; i < n; i++)
        out[i] = arena_string(arena, v[i]);
    out[n] = NULL;
    return out;
}

static void fill_mounts(struct arena *arena, struct boot_info *boot,
                        const struct launch_options *options)
{
    struct boot_mount *mounts = arena_get(arena, (options->mount_count + 1) * sizeof(*mounts));

    for (size_t i = 0; i < options->mount_count; i++) {
        const struct launch_mount *m = &options->mounts[i];
        mounts[i] = (struct boot_mount){
            .source = arena_string(arena, m->source),
            .target = arena_string(arena, m->target),
            .type = arena_string(arena, m->type),
            .options = arena_string(arena, m->data),
            .flags = m->flags,
            .file = m->source_fd,
        };
    }
    boot->mounts = mounts;
    boot->nmounts = (uint32_t)options->mount_count;
}

static void fill_console(struct boot_info *boot, const struct launch_options *options)
{
    boot->console_closed = options->closed_stdio;
    for (int fd = 0; fd < 3; fd++) {
        struct stat st;
        int flags = fcntl(fd, F_GETFL);

        if (fstat(fd, &st) == 0)
            boot->console_mode[fd] = st.st_mode;
        boot->console_access[fd] = flags < 0 ? 0 : (uint32_t)flags & (O_ACCMODE | O_APPEND);
        if (isatty(fd))
            boot->console_tty |= 1U << fd;
    }
}

static void fill_machine(struct boot_info *boot, const struct launch_options *options)
{
    struct utsname uts;
    struct sysinfo info;
    const char *platform = (const char *)getauxval(AT_PLATFORM);

    boot->page_size = 4096;
    boot->cpus = (uint32_t)get_nprocs();
    boot->hwcap = getauxval(AT_HWCAP);
    boot->hwcap2 = getauxval(AT_HWCAP2);
    boot->minsigstksz = (uint32_t)getauxval(AT_MINSIGSTKSZ);
    if (!boot->minsigstksz)
        boot->minsigstksz = 2048;
    snprintf(boot->platform, sizeof(boot->platform), "%s", platform ? platform : "x86_64");
    if (uname(&uts) == 0)
        snprintf(boot->uname_machine, sizeof(boot->uname_machine), "%.15s", uts.machine);
    boot->memory_size = options->memory_size;
    if (!boot->memory_size && sysinfo(&info) == 0)
        boot->memory_size = (uint64_t)info.totalram * info.mem_unit;
    for (int i = 0; i < RLIM_NLIMITS && i < 16; i++) {
        struct rlimit limit;
        if (getrlimit(i, &limit) == 0) {
            boot->rlimits[i][0] = limit.rlim_cur;
            boot->rlimits[i][1] = limit.rlim_max;
        }
    }
}

/*
 * The instance's processes share one table of the host's descriptors, which holds what all programs have open.
 * It may be as large as the host lets it be; the programs' own limits are those that fill_machine() has seen.
 */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int image_fill_boot(struct target_shared *shared, const struct launch_options *options)
{
    struct boot_info *boot = &shared->boot;
    struct arena arena = {boot->data_pages};
    uint32_t *groups = arena_get(&arena, (options->group_count + 1) * sizeof(*groups));

    for (size_t i = 0; i < options->group_count; i++)
        groups[i] = options->groups[i];
    boot->groups = groups;
    boot->ngroups = (uint32_t)options->group_count;
    boot->uid = options->uid;
    boot->gid = options->gid;
    boot->program = arena_string(&arena, options->program);
    boot->argv = arena_strings(&arena, options->argv, options->argc);
    boot->envp = arena_strings(&arena, options->envp, options->envc);
    boot->cwd = arena_string(&arena, options->cwd);
    boot->hostname = arena_string(&arena, options->hostname);
    boot->umask = options->umask;
    boot->nice = options->nice;
    boot->ignored_signals = options->ignored_signals;
    boot->blocked_signals = options->blocked_signals;
    boot->root = options->rootfs_kind == ROOTFS_CPIO ? BOOT_ROOT_CPIO : BOOT_ROOT_DIRECTORY;
    boot->root_file = options->rootfs_fd;
    boot->root_writable = options->writable;
    boot->strace = arena_string(&arena, options->strace);
    boot->stats = options->stats;
    boot->no_patch = options->no_patch;
    boot->verbose = options->verbosity;
    fill_mounts(&arena, boot, options);
    fill_console(boot, options);
    fill_machine(boot, options);
    if (network_fill(&arena, &boot->net, options) < 0)
        return -1;
    raise_descriptors();
    /* what the allocator may use begins on a page of its own */
    boot->data_pages = (arena.next + 4095) & ~4095UL;
    return 0;
}
