/* tools/myst/settings.h: what the command line and the configuration file say, value by value.
 *
 * Both speak through the same setters. A setter returns 0, or -1 with the reason in
 * settings->reason, to which the caller adds where the value stood. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct list {
    char **items; /* NULL-ended once it is not empty */
    size_t count;
};

struct mount_setting {
    char *source;
    char *target;
    char *type;          /* NULL: by what the source is */
    unsigned long flags; /* MS_* */
    char *data;          /* the remaining options, comma separated; never NULL */
};

struct publish_setting {
    char *address; /* numeric; NULL: all of the host's */
    uint16_t host_port, port;
};

struct settings {
    char *program;        /* NULL: not said */
    struct list args;     /* without argv[0] */
    struct list envp;     /* "KEY=VALUE", no key twice */
    char *cwd;            /* NULL: not said */
    char *hostname;       /* NULL: not said */
    char *user;           /* USER[:GROUP] as written; NULL: not said */
    char *strace;         /* NULL: off */
    uint64_t memory_size; /* 0: not said */
    struct mount_setting *mounts;
    size_t mount_count;
    bool net_none;
    struct list dns; /* numeric addresses */
    struct publish_setting *publish;
    size_t publish_count;
    bool writable;
    bool stats;
    bool no_patch;
    uint64_t fault_seed;
    uint32_t fault_interval; /* 0: no faults */
    int verbosity;

    char reason[512]; /* why the last setter said no */
};

void list_append(struct list *list, const char *text);
void list_clear(struct list *list);

int settings_refuse(struct settings *settings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "KEY=VALUE": replaces an earlier value of KEY. */
int settings_env(struct settings *settings, const char *text);
/* The caller's variable of that name; no change when it has none. */
int settings_host_env(struct settings *settings, const char *name);
int settings_program(struct settings *settings, const char *path);
int settings_cwd(struct settings *settings, const char *path);
int settings_hostname(struct settings *settings, const char *name);
int settings_user(struct settings *settings, const char *text);
int settings_memory_size(struct settings *settings, const char *text);
/* "none" or "host" */
int settings_net(struct settings *settings, const char *text);
int settings_dns(struct settings *settings, const char *address);
/* "[ADDRESS:]PORT[:PORT]" */
int settings_publish(struct settings *settings, const char *text);
/* A decimal number; returns what stands behind it, NULL when there is none or it is larger than max. */
const char *number_read(const char *text, uint64_t max, uint64_t *value);
/* "SEED[:INTERVAL]" */
int settings_host_faults(struct settings *settings, const char *text);
int settings_strace(struct settings *settings, const char *filter);
/* "SRC=DST[:TYPE][,OPTION...]". */
int settings_mount(struct settings *settings, const char *text);

/* The parts of a mount, for a caller that has them one by one; mount_begin adds an empty one. */
struct mount_setting *settings_mount_begin(struct settings *settings);
int settings_mount_source(struct settings *settings, struct mount_setting *mount, const char *path);
int settings_mount_target(struct settings *settings, struct mount_setting *mount, const char *path);
int settings_mount_type(struct settings *settings, struct mount_setting *mount, const char *type);
int settings_mount_option(struct settings *settings, struct mount_setting *mount,
                          const char *option);

/* Does a mount of this type stand on a host file or directory? */
bool mount_type_has_source(const char *type);

/* syscalls.c: is this the name of a system call? */
bool syscall_name_known(const char *name, size_t length);
