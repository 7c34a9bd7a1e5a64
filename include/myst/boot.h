/*
 * What the launcher hands to the kernel: the memory map of an instance and the settings of one run.
 * It stands in kernel memory; all pointers are kernel addresses. Constant once the kernel runs.
 */
#ifndef MYST_BOOT_H
#define MYST_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The kernel's address range, the same in every host process. It lies outside of what PIE programs, mmap and stacks use,
 * and above AddressSanitizer's heap, which ends a little above 0x640000000000.
 *   TEXT    text and constants, from the launcher's own file
 *   DATA    .data and .bss: the first bytes of the page window's file
 *   HOST    the host's vDSO and its data
 *   WINDOW  every page of kernel memory and page cache, by its offset
 */
#ifndef MYST_MOCK_LAYOUT
#define MYST_RANGE_START 0x650000000000UL
#define MYST_RANGE_END   0x700000000000UL
#define MYST_TEXT_BASE   0x650000000000UL
#define MYST_DATA_BASE   0x650040000000UL
#define MYST_HOST_BASE   0x650080000000UL
#define MYST_WINDOW_BASE 0x660000000000UL
#define MYST_WINDOW_SIZE 0x080000000000UL /* 8 TiB of offsets; sparse */

/* Between these lie the kernel's objects. */
#define MYST_OBJECTS_START MYST_DATA_BASE
#define MYST_OBJECTS_END   MYST_RANGE_END

/* Program addresses lie below this. */
#define MYST_USER_END 0x7ffffffff000UL
#else
/*
 * The mock target keeps programs' memory beside its own, under numbers that no address of its process has.
 * Its window lies where the sanitizer has room: ThreadSanitizer in the lowest 512 GiB only.
 */
#ifdef __SANITIZE_THREAD__
#define MYST_RANGE_START 0x001000000000UL
#else
#define MYST_RANGE_START 0x420000000000UL
#endif
#define MYST_WINDOW_SIZE 0x004000000000UL
#define MYST_RANGE_END   (MYST_RANGE_START + MYST_WINDOW_SIZE)
#define MYST_WINDOW_BASE MYST_RANGE_START
#define MYST_DATA_BASE   MYST_RANGE_START
#define MYST_TEXT_BASE   MYST_RANGE_START /* no symbols */
#define MYST_HOST_BASE   MYST_RANGE_START
#define MYST_USER_END    0x400000000000UL

#define MYST_OBJECTS_START                                                                         \
    0x000000001000UL /* in the heap of the process, its data, and the window */
#define MYST_OBJECTS_END 0x800000000000UL
#endif

struct boot_mount {
    const char *source; /* as the user wrote it */
    const char *target;
    const char *type; /* "hostfs", "cpio", "tmpfs", ... */
    const char *options;
    uint64_t flags; /* MS_RDONLY and so on */
    int file;       /* host descriptor of the source, or -1 */
};

/* What the launcher saw of the host's network, and what the user wants of it. */
struct boot_address {
    uint32_t interface;   /* its index */
    uint8_t family;       /* AF_INET, AF_INET6 */
    uint8_t prefix;       /* bits */
    uint8_t scope;        /* RT_SCOPE_ */
    uint8_t ip[16];       /* network order; the first 4 bytes of AF_INET */
    uint8_t broadcast[4]; /* of AF_INET; 0: none */
};

struct boot_interface { /* loopback is not among them: the instance has its own */
    char name[16];
    uint32_t index, flags, mtu; /* flags: IFF_ */
    uint32_t queue;             /* packets that may wait to be sent: netdevice(7), ifr_qlen */
    uint16_t type;              /* ARPHRD_ */
    uint8_t mac[6];
    uint8_t gateway4[4]; /* of the default route that leaves here; 0: none */
    uint8_t gateway6[16];
};

struct boot_publish {
    int file;           /* host descriptor: a TCP socket, bound */
    uint16_t host_port; /* for messages */
    uint16_t port;      /* inside */
    uint8_t family;     /* of the host's socket */
};

struct boot_net {
    bool outside; /* may the instance reach what lies beyond it? */
    const struct boot_interface *interfaces;
    const struct boot_address *addresses;
    const struct boot_publish *publish;
    const struct boot_address *resolvers; /* name servers of /etc/resolv.conf */
    uint32_t ninterfaces, naddresses, npublish, nresolvers;
    const char *resolv_conf; /* NULL: what the root file system has stands */
};

#define NICE_MIN (-20) /* setpriority(2) */
#define NICE_MAX 19

enum boot_root { BOOT_ROOT_DIRECTORY, BOOT_ROOT_CPIO };

struct boot_info {
    /* memory */
    uint64_t data_pages;  /* offsets below this many bytes belong to .data and .bss */
    uint64_t memory_size; /* bytes the instance may use in all */
    uint32_t page_size, cpus;
    uint64_t hwcap, hwcap2;
    uint32_t minsigstksz;
    char platform[16];
    /* what to run */
    const char *program;
    const char *const *argv;
    const char *const *envp;
    const char *cwd;
    const char *hostname;
    uint32_t uid, gid;
    const uint32_t *groups;
    uint32_t ngroups;
    uint32_t umask;
    int32_t nice; /* NICE_MIN to NICE_MAX: the most urgent to the least */
    uint64_t ignored_signals,
        blocked_signals; /* bit n-1: signal n, as the launcher inherited them */
    /* the root file system */
    enum boot_root root;
    int root_file; /* host descriptor of the directory or the archive */
    int root_writable;
    const struct boot_mount *mounts;
    uint32_t nmounts;
    /* console: bit n set when descriptor n was closed; what each is, S_IFMT bits; terminal or not */
    uint32_t console_closed;
    uint32_t console_mode[3];
    uint32_t console_tty;       /* bit n: a terminal */
    uint32_t console_access[3]; /* O_ACCMODE and O_APPEND bits */
    struct boot_net net;
    /* limits: {soft, hard} by RLIMIT_ number, of the launcher */
    uint64_t rlimits[16][2];
    /* debugging */
    const char *strace; /* NULL: off; "": all; else the filter */
    int stats, verbose;
    int no_patch; /* every call traps: no call site is rewritten */
    char uname_machine[16];
};

#endif
