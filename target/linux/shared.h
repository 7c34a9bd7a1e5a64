/*
 * What the launcher (a libc program), the zygote and all host processes of an instance share besides the
 * kernel's own data. It stands first in .data, at MYST_DATA_BASE, so that the launcher finds it without symbols.
 */
#ifndef LINUX_SHARED_H
#define LINUX_SHARED_H

#include <myst/boot.h>
#include <myst/target.h>

#define SHARED_MAGIC 0x3153594dU /* written by the kernel's image; the launcher checks it */

#define MAX_SPACES  4096
#define BLANK_STACK 1024

#define IMAGE_BASE                                                                                 \
    0x6500c0000000UL /* the kernel's ELF file, read-only, for the symbols of a report */

enum space_state {
    SPACE_FREE = 0,
    SPACE_BLANK, /* waits for a thread to move in */
    SPACE_USED,
    SPACE_LEAVING, /* its last thread goes; the supervisor frees the slot when the host process is reaped */
};

/* An address space: a host process. */
struct target_space {
    uint32_t state;            /* atomic; enum space_state */
    int32_t host_pid;          /* constant until reaped */
    uint32_t users;            /* atomic; threads that stand in it */
    uint32_t job_word;         /* atomic; a blank sleeps on it */
    struct target_thread *job; /* the thread that moves in */
};

#define EVENT_RING 64

struct target_shared {
    uint32_t magic;
    uint32_t ended;      /* atomic; 1: exit_status is valid */
    int32_t exit_status; /* a wait(2) status */
    uint32_t panicked;   /* atomic */
    uint32_t suspend;    /* atomic; 1: the main program stopped, the supervisor should stop too */
    int32_t supervisor_pid;
    int32_t zygote_pid;
    int32_t log_file;
    int32_t window_file; /* the memfd behind the page window */
    int32_t ready_file;  /* the epoll instance behind the readiness queue */

    uint32_t service_word;   /* atomic; the service thread sleeps on it */
    uint32_t blanks_wanted;  /* atomic; how many blanks should stand ready */
    uint32_t blanks_ready;   /* atomic; waiters for a blank sleep on it */
    uint32_t blank_failures; /* atomic; counts clones that failed */
    int32_t blank_errno;

    uint32_t events[EVENT_RING]; /* written by the supervisor alone, read by the service thread */
    uint32_t event_head, event_tail; /* atomic */

    uint64_t host_vdso; /* address of the host's vDSO in the kernel's range; 0: none */
    uint64_t host_vdso_end;
    uint64_t host_clock_gettime; /* its function, 0: none */
    uint64_t vdso_ranges[8][3];  /* {from, size, to}: what the zygote moves; ends with size 0 */
    uint64_t unmap_from_rseq,
        rseq_size; /* the launcher's rseq registration, which the zygote takes back */
    uint32_t rseq_signature;

    uint64_t frame_size; /* bytes of a host signal frame from its ucontext to the stack's end */
    uint64_t xstate_size;

    uint64_t fault_seed;     /* faults.h; constant */
    uint32_t fault_interval; /* constant; one fault in so many calls; 0: none */

    struct boot_info boot;
    struct target_space spaces[MAX_SPACES];

    uint64_t report_entry; /* void (*)(void): prints the hang report */
    uint64_t report_stack; /* top of the kernel stack that the supervisor runs it on */
    uint64_t symbols_size; /* of the image at IMAGE_BASE */
};

#endif
