/* tools/myst/launch.h: what the command line hands to a target's launcher.
 *
 * The tool has checked and completed every field: the launcher needs no getenv, no getcwd, and no
 * default of its own unless a comment says so. Strings end with NUL, stay valid until launch()
 * returns, and are never NULL unless a comment allows it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum rootfs_kind {
    ROOTFS_DIRECTORY, /* a host directory: the lower layer, or the root itself when writable */
    ROOTFS_CPIO,      /* a newc cpio archive, to be unpacked into a tmpfs */
};

struct launch_mount {
    const char *source;  /* host path as the user wrote it; free text when source_fd is -1 */
    int source_fd;       /* open on source, O_RDONLY and close-on-exec; -1: type takes no source */
    const char *target;  /* absolute path inside */
    const char *type;    /* one of mount_types in settings.c: "hostfs", "cpio", "tmpfs" … */
    unsigned long flags; /* MS_RDONLY, MS_NOSUID … of mount(2); default 0, which is writable */
    const char *data;    /* the other options, comma separated, as mount(2) takes them; may be "" */
};

/* A TCP port of the host whose connections go to a port inside. */
struct launch_publish {
    const char *address;      /* of the host, numeric; NULL: all */
    uint16_t host_port, port; /* 1 to 65535 */
};

struct launch_options {
    /* The program. */
    const char *program; /* path inside; without a slash, to be looked up in PATH of envp, inside */
    char **argv;         /* NULL-ended; argv[0] is program; sizes are checked against E2BIG */
    size_t argc;         /* strings in argv, at least 1 */
    char **envp;         /* NULL-ended "KEY=VALUE", no key twice */
    size_t envc;         /* strings in envp */
    const char
        *cwd; /* absolute path inside; default: the caller's when the root is "/", else "/" */

    /* The root file system. */
    enum rootfs_kind rootfs_kind;
    const char *rootfs;  /* host path as the user wrote it, for messages */
    int rootfs_fd;       /* open on it, O_RDONLY and close-on-exec, at offset 0 */
    bool rootfs_is_host; /* the directory is the host's own "/" */
    bool writable;       /* writes go to the directory; default: to an upper layer in memory.
                              * Never set for an archive */
    const struct launch_mount *mounts; /* in the order in which they are to be mounted */
    size_t mount_count;

    /* The machine as the program sees it. */
    const char *hostname; /* 1 to 64 bytes; default: the host's */
    uint64_t memory_size; /* bytes that the instance may use; 0 (default): the launcher chooses */

    /* The network beyond the instance. */
    bool net_none; /* there is none; default: connections outwards are the host's */
    const struct launch_publish *publish; /* empty when net_none */
    size_t publish_count;
    char *const *dns; /* numeric addresses of name servers, at most 3; default: the host's own */
    size_t dns_count;

    /* Who the program is. All capabilities when uid is 0, none otherwise. */
    uid_t uid;           /* real, effective, saved and file-system id; default: the caller's */
    gid_t gid;           /* likewise */
    const gid_t *groups; /* supplementary groups; default: the caller's */
    size_t group_count;

    /* What a program inherits over execve(2) from its caller. */
    unsigned closed_stdio; /* bit n: descriptor n (0, 1, 2) was closed when myst started. A stand-in
                               * is open there now; the program must see it closed */
    mode_t umask;          /* the caller's */
    int nice;              /* likewise, -20 to 19 */
    uint64_t ignored_signals; /* bit n-1: signal n was ignored when myst started */
    uint64_t blocked_signals; /* bit n-1: signal n was blocked when myst started */

    /* Diagnostics. */
    const char *strace;      /* NULL: off; "": every call; else names separated by commas, "!name"
                         * leaves one out. All names are calls of the table */
    bool stats;              /* print figures on standard error at the end */
    uint64_t fault_seed;     /* injected failures of the host: which */
    uint32_t fault_interval; /* one in so many calls of the host; 0: none */
    bool no_patch;           /* never rewrite call sites: every call traps */
    int verbosity;           /* times -v was given; 0: quiet */
};

/* Runs the program and returns the exit status for myst itself: the program's, 128+n after signal n,
 * 126 when it cannot be executed, 127 when it is not there, 125 when the launcher failed. Everything
 * but the first two has printed one line on standard error. */
int launch(const struct launch_options *options);
