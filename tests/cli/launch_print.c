/* tests/cli/launch_print.c: a launcher that prints what it was given, as JSON, and starts nothing. */
#include "launch.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>

static json_t *strings(char *const *list, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_string(list[i]));
    if (list[count])
        json_array_append_new(array, json_string("the list is not NULL-ended"));
    return array;
}

/* What kind of file a descriptor is open on, or null when it is none. */
static json_t *open_on(int fd)
{
    struct stat st;

    if (fd < 0)
        return json_null();
    if (fd <= 2 || fstat(fd, &st) < 0 || !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
        return json_string("not a descriptor as promised");
    return json_string(S_ISDIR(st.st_mode) ? "directory" : "file");
}

static json_t *mounts(const struct launch_options *options)
{
    json_t *array = json_array();

    for (size_t i = 0; i < options->mount_count; i++) {
        const struct launch_mount *mount = &options->mounts[i];
        json_array_append_new(
            array, json_pack("{s:s, s:o, s:s, s:s, s:I, s:s}", "source", mount->source, "source_fd",
                             open_on(mount->source_fd), "target", mount->target, "type",
                             mount->type, "flags", (json_int_t)mount->flags, "data", mount->data));
    }
    return array;
}

static json_t *groups(const struct launch_options *options)
{
    json_t *array = json_array();

    for (size_t i = 0; i < options->group_count; i++)
        json_array_append_new(array, json_integer(options->groups[i]));
    return array;
}

static json_t *published(const struct launch_options *options)
{
    json_t *array = json_array();

    for (size_t i = 0; i < options->publish_count; i++) {
        const struct launch_publish *port = &options->publish[i];
        json_array_append_new(array,
                              json_pack("[s?, i, i]", port->address, port->host_port, port->port));
    }
    return array;
}

static json_t *name_servers(const struct launch_options *options)
{
    json_t *array = json_array();

    for (size_t i = 0; i < options->dns_count; i++)
        json_array_append_new(array, json_string(options->dns[i]));
    return array;
}

int launch(const struct launch_options *options)
{
    json_t *all = json_pack(
        "{s:s, s:o, s:o, s:s, s:s, s:s, s:o, s:b, s:b, s:o, s:s, s:I, s:i, s:i, s:o, s:i, s:i, s:i,"
        " s:I, s:I, s:b, s:o, s:o, s:s?, s:b, s:b, s:I, s:i, s:i}",
        "program", options->program, "argv", strings(options->argv, options->argc), "envp",
        strings(options->envp, options->envc), "cwd", options->cwd, "rootfs_kind",
        options->rootfs_kind == ROOTFS_DIRECTORY ? "directory" : "cpio", "rootfs", options->rootfs,
        "rootfs_fd", open_on(options->rootfs_fd), "rootfs_is_host", options->rootfs_is_host,
        "writable", options->writable, "mounts", mounts(options), "hostname", options->hostname,
        "memory_size", (json_int_t)options->memory_size, "uid", (int)options->uid, "gid",
        (int)options->gid, "groups", groups(options), "closed_stdio", (int)options->closed_stdio,
        "umask", (int)options->umask, "nice", options->nice, "ignored_signals",
        (json_int_t)options->ignored_signals, "blocked_signals",
        (json_int_t)options->blocked_signals, "net_none", options->net_none, "publish",
        published(options), "dns", name_servers(options), "strace", options->strace, "stats",
        options->stats, "no_patch", options->no_patch, "fault_seed",
        (json_int_t)options->fault_seed, "fault_interval", (int)options->fault_interval,
        "verbosity", options->verbosity);

    /* A test that closed standard output finds the answer in a file. */
    FILE *out = options->closed_stdio & 2 ? fopen("launched", "w") : stdout;
    if (!all || !out || json_dumpf(all, out, 0) < 0 || fflush(out) != 0)
        return 99;
    return 42;
}
