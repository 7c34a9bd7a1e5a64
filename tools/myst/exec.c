/* tools/myst/exec.c: `myst exec`: completes what the user said and hands it to the launcher. */
#include "cpio.h"
#include "launch.h"
#include "options.h"
#include "rootfs.h"
#include "tool.h"
#include "user.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The limits of execve(2). */
#define ARG_STRLEN_MAX (32u * 4096) /* one string with its NUL */
#define ARG_TOTAL_MIN  (32u * 4096) /* always allowed for strings and pointers together */
#define ARG_TOTAL_MAX  (6u << 20)   /* three quarters of the usual 8 MiB of stack */

/* Before the user's own settings, which go over these. */
static void default_environment(struct settings *settings)
{
    static const char *const names[] = {"PATH", "HOME", "TERM", "LANG"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        settings_host_env(settings, names[i]);
}

static int root_open(const struct settings *settings, const char *path,
                     struct launch_options *options)
{
    char reason[CPIO_ERROR_MAX];
    struct stat root, host;

    options->rootfs = path;
    options->rootfs_fd = rootfs_open(path, &options->rootfs_kind, reason, sizeof reason);
    if (options->rootfs_fd < 0) {
        complain("%s: %s", path, reason);
        return STATUS_NOT_STARTED;
    }
    if (settings->writable && options->rootfs_kind != ROOTFS_DIRECTORY) {
        complain("--writable: %s is an archive, which cannot be written", path);
        return STATUS_USAGE;
    }
    options->writable = settings->writable;
    options->rootfs_is_host = fstat(options->rootfs_fd, &root) == 0 && stat("/", &host) == 0 &&
                              root.st_dev == host.st_dev && root.st_ino == host.st_ino;
    return 0;
}

/* Opens the source and, where the user gave no type, finds it from what is there. */
static int mount_open(const struct mount_setting *setting, struct launch_mount *mount)
{
    char reason[CPIO_ERROR_MAX];
    enum rootfs_kind kind;
    struct stat st;

    *mount = (struct launch_mount){.source = setting->source ? setting->source : "none",
                                   .source_fd = -1,
                                   .target = setting->target,
                                   .type = setting->type,
                                   .flags = setting->flags,
                                   .data = setting->data};
    if (mount->type && !mount_type_has_source(mount->type))
        return 0;

    bool image =
        mount->type && strcmp(mount->type, "hostfs") != 0 && strcmp(mount->type, "cpio") != 0;
    if (image) {
        mount->source_fd = open(mount->source, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (mount->source_fd < 0 || fstat(mount->source_fd, &st) < 0) {
            complain("--mount: %s: %s", mount->source, strerror(errno));
            return STATUS_NOT_STARTED;
        }
        if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
            return 0;
        complain("--mount: %s: not an image", mount->source);
        return STATUS_NOT_STARTED;
    }

    mount->source_fd = rootfs_open(mount->source, &kind, reason, sizeof reason);
    if (mount->source_fd < 0) {
        complain("--mount: %s: %s", mount->source, reason);
        return STATUS_NOT_STARTED;
    }
    const char *found = kind == ROOTFS_DIRECTORY ? "hostfs" : "cpio";
    if (mount->type && strcmp(mount->type, found) != 0) {
        complain("--mount: %s: not what the type %s stands on", mount->source, mount->type);
        return STATUS_NOT_STARTED;
    }
    mount->type = found;
    return 0;
}

static int mounts_open(const struct settings *settings, struct launch_options *options)
{
    struct launch_mount *mounts = must_alloc(settings->mount_count * sizeof *mounts);

    options->mounts = mounts;
    options->mount_count = settings->mount_count;
    for (size_t i = 0; i < settings->mount_count; i++) {
        int status = mount_open(&settings->mounts[i], &mounts[i]);
        if (status)
            return status;
    }
    return 0;
}

static int find_cwd(const struct settings *settings, struct launch_options *options)
{
    if (settings->cwd) {
        options->cwd = settings->cwd;
        return 0;
    }
    options->cwd = "/";
    if (!options->rootfs_is_host)
        return 0;

    options->cwd = getcwd(NULL, 0);
    if (options->cwd && *options->cwd == '/')
        return 0;
    complain("the working directory: %s (give --cwd)",
             options->cwd ? "not reachable from /" : strerror(errno));
    return STATUS_NOT_STARTED;
}

static int find_hostname(const struct settings *settings, struct launch_options *options)
{
    char name[HOST_NAME_MAX + 1] = "";

    if (settings->hostname) {
        options->hostname = settings->hostname;
        return 0;
    }
    if (gethostname(name, sizeof name) < 0 || *name == '\0')
        strcpy(name, "localhost");
    options->hostname = must_strdup(name);
    return 0;
}

/* Adds the strings with their pointers to *total; false when one alone is too long. */
static bool strings_measure(char *const *strings, size_t count, size_t *total)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = strlen(strings[i]) + 1;
        if (size > ARG_STRLEN_MAX)
            return false;
        *total += size + sizeof(char *);
    }
    return true;
}

/* The configuration file and --env can make more than the host let through to us. */
static int check_argument_size(const struct launch_options *options)
{
    struct rlimit stack;
    size_t limit = ARG_TOTAL_MAX;
    size_t total = strlen(options->program) + 1;

    if (getrlimit(RLIMIT_STACK, &stack) == 0 && stack.rlim_cur / 4 < limit)
        limit = stack.rlim_cur / 4;
    if (limit < ARG_TOTAL_MIN)
        limit = ARG_TOTAL_MIN;

    if (strings_measure(options->argv, options->argc, &total) &&
        strings_measure(options->envp, options->envc, &total) && total <= limit)
        return 0;
    complain("%s: %s", options->program, strerror(E2BIG));
    return STATUS_CANNOT_EXEC;
}

static int set_program(const struct settings *settings, struct launch_options *options)
{
    static char *no_environment[] = {NULL};
    size_t argc = settings->args.count + 1;
    char **argv = must_alloc((argc + 1) * sizeof *argv);

    argv[0] = settings->program;
    for (size_t i = 0; i < settings->args.count; i++)
        argv[i + 1] = settings->args.items[i];

    options->program = settings->program;
    options->argv = argv;
    options->argc = argc;
    options->envp = settings->envp.count ? settings->envp.items : no_environment;
    options->envc = settings->envp.count;
    return check_argument_size(options);
}

/* What execve(2) passes on from the caller. */
static void set_inherited(const struct invocation *invocation, struct launch_options *options)
{
    struct sigaction action;
    uint64_t blocked = 0;

    options->closed_stdio = invocation->closed_stdio;
    options->umask = umask(0);
    umask(options->umask);
    options->nice = getpriority(PRIO_PROCESS, 0); /* of oneself it never fails: -1 is a niceness */
    for (int signal = 1; signal <= 64; signal++) {
        /* The two signals that libc keeps to itself are refused, and nobody can ignore them. */
        if (sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
            options->ignored_signals |= UINT64_C(1) << (signal - 1);
    }
    /* The kernel's own call: libc hides its two signals from the mask. */
    if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, &blocked, sizeof blocked) == 0)
        options->blocked_signals = blocked;
}

static int set_network(const char *name, const struct settings *settings,
                       struct launch_options *options)
{
    struct launch_publish *ports = must_alloc((settings->publish_count + 1) * sizeof *ports);

    if (settings->net_none && (settings->publish_count || settings->dns.count)) {
        complain("%s: --net none: there is nothing to publish to, and no name server", name);
        return STATUS_USAGE;
    }
    for (size_t i = 0; i < settings->publish_count; i++) {
        const struct publish_setting *port = &settings->publish[i];
        ports[i] = (struct launch_publish){
            .address = port->address, .host_port = port->host_port, .port = port->port};
    }
    options->net_none = settings->net_none;
    options->publish = ports;
    options->publish_count = settings->publish_count;
    options->dns = settings->dns.items;
    options->dns_count = settings->dns.count;
    return 0;
}

static void set_diagnostics(const struct settings *settings, struct launch_options *options)
{
    options->memory_size = settings->memory_size;
    options->strace = settings->strace;
    options->stats = settings->stats;
    options->fault_seed = settings->fault_seed;
    options->fault_interval = settings->fault_interval;
    options->no_patch = settings->no_patch;
    options->verbosity = settings->verbosity;
}

int cmd_exec(const struct invocation *invocation)
{
    struct settings settings = {0};
    struct command_line line = {0};
    struct launch_options options = {0};

    default_environment(&settings);
    int status = options_parse(invocation, &settings, &line);
    if (status == 0 && line.help) {
        help_subcommand(subcommand_find(invocation->argv[0]));
        return finish_output();
    }
    if (status == 0)
        status = root_open(&settings, line.rootfs, &options);
    if (status == 0)
        status = user_resolve(settings.user, &options);
    if (status == 0)
        status = mounts_open(&settings, &options);
    if (status == 0)
        status = find_cwd(&settings, &options);
    if (status == 0)
        status = find_hostname(&settings, &options);
    if (status == 0)
        status = set_network(invocation->argv[0], &settings, &options);
    if (status == 0)
        status = set_program(&settings, &options);
    if (status)
        return status;

    set_inherited(invocation, &options);
    set_diagnostics(&settings, &options);
    return launch(&options);
}
