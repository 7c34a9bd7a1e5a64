/*
 * Contract 2: what the kernel asks of the place where it stands, and what that place asks of the kernel.
 *
 * The kernel sees a target as hostile: only kernel/host/ may call what stands here, and it checks every
 * reply (kernel/self/ includes the header for the shapes alone). Conventions:
 *   - results are a count or 0, or a negative errno; times are nanoseconds; deadlines are absolute
 *     times of TARGET_CLOCK_MONOTONIC, TARGET_FOREVER for none;
 *   - "user memory" is the memory of the program; every other pointer is kernel memory;
 *   - unless said otherwise a call does not block, and may be made with kernel locks held.
 */
#ifndef MYST_TARGET_H
#define MYST_TARGET_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- 1. User context ------------------------------------------------------------------------ */

/* The general registers of a program, in the order of ptrace(2)'s struct user_regs_struct. */
struct target_regs {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t orig_rax; /* the call's number, or -1 when the entry was no system call */
    uint64_t rip, cs, rflags, rsp, ss;
    uint64_t fs_base,
        gs_base; /* refreshed by target_bases_read(), loaded by target_bases_write() */
    uint64_t ds, es, fs, gs;
};

enum target_mode {
    TARGET_IN_KERNEL = 0, /* marks are seen before the return to the program: no signal is needed */
    TARGET_IN_USER = 1,
    TARGET_IN_HOST = 2, /* in a host call that can block */
};

struct target_space;

/*
 * The target's part of a kernel thread: the head of kernel/self's struct self, which is the head of a
 * kernel stack block of TARGET_STACK_SIZE bytes, aligned to that size.
 */
struct target_thread {
    struct target_regs regs; /* the program's registers while the thread is in the kernel */
    uint32_t pending; /* atomic; not 0: upcall_exit_work() before the return to the program */
    uint32_t mode;    /* atomic; enum target_mode */
    uint32_t wake;    /* the wait word of kernel/host/wait.h; 1: woken */
    uint32_t gone;    /* atomic; 1: no host thread stands on this stack any more */
    int32_t host_tid; /* atomic; the host thread that runs this one; 0: none */
    int32_t host_pid;
    struct target_space *space;      /* where it runs; changed only by the thread itself */
    void *sp;                        /* where a switched-out thread goes on */
    void *frame;                     /* the host's frame that holds the program's extended state */
    struct target_thread *lender;    /* the thread whose host thread this one borrows */
    uint64_t report_rip, report_rbp; /* what the thread was doing, for the hang report */
    uint32_t report;                 /* atomic; 1: asked for, 2: answered */
    uint32_t kicked; /* atomic; 1: a kick is on its way, or was taken since the mode last changed */
    struct target_thread *self; /* itself: what a call gate finds it by */
    uint32_t gated; /* 1: came in by the call gate; `frame` holds nothing of this entry */
    uint64_t start; /* atomic; the number of a start that is due, target_thread_start(); 0: none */
};

#define TARGET_STACK_SIZE  65536UL /* a kernel stack block: thread, then the stack above it */
#define TARGET_THREAD_ROOM 8192UL  /* bytes at its bottom that belong to struct self */

struct target_fault {
    uint32_t signo;   /* the Linux signal it stands for: SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP */
    int32_t code;     /* si_code as the processor's exception suggests it */
    uint64_t address; /* si_addr: the data address, or the instruction's */
    uint64_t trapno;  /* the exception's number */
    uint64_t error;   /* its error code; for page faults bit 1: write, bit 4: fetch */
};

/* ---- 2. Up-calls: the kernel implements these, the target calls them ------------------------- */

struct boot_info;

void upcall_main(const struct boot_info *boot); /* on the first thread; returns into the program */
void upcall_thread_start(void); /* on each new thread, before it enters the program */
void upcall_syscall(void);      /* number in regs.orig_rax, result to regs.rax */
/* Before upcall_syscall(): the instruction that ends at regs.rip trapped; it could be rewritten. */
void upcall_trapped(void);
void upcall_fault(const struct target_fault *fault);        /* a fault of the program */
bool upcall_kernel_fault(const struct target_fault *fault); /* at a user access: true, try again */
void upcall_exit_work(void);                                /* pending was not 0 */
int64_t upcall_service(void); /* the service thread: run timers; next deadline */
void upcall_event(int event); /* the supervisor's events, on the service thread */
void upcall_report(void);     /* the hang report */
/* A fault of the kernel itself: reports and ends the instance. */
void upcall_broken(const struct target_fault *fault, uint64_t rip, uint64_t rbp, uint64_t rsp)
    __attribute__((noreturn));

enum target_event { /* what the outside world tells the instance: upcall_event() */
                    TARGET_EVENT_SIGNAL =
                        0, /* + signal number: deliver to the main program or, from the */
                    TARGET_EVENT_TTY_SIGNAL = 64, /* terminal, to the foreground process group */
};

/* ---- 3. Kernel threads ------------------------------------------------------------------------ */

/* Copies the program's context (registers, extended state) of the calling thread to a new one. */
void target_thread_copy_context(struct target_thread *to);
/* A context with cleared registers and initial extended state, for exec. Calling thread only. */
void target_context_reset(void);
/*
 * Starts a thread in the caller's space on a new host thread. -EAGAIN, -ENOMEM.
 *
 * A host may say that it has no thread, and run it all the same, at once or an hour later. So a start has a number, and is
 * taken once: the target keeps what thread->start is when it is called; the new host thread puts 0 there in place of that
 * number before it touches anything else of the block, the stack in it included, and ends when it finds another value.
 * A target that has to undo something after an error first takes the start back, by TARGET_START_DENIED in place of the
 * number: when it cannot, the thread runs. The kernel does the same, by 0: it has the block for itself, or the thread runs.
 */
#define TARGET_START_DENIED 1
int target_thread_start(struct target_thread *thread);
/* Starts a thread in a copy (copy-on-write) of the caller's space, likewise. -EAGAIN, -ENOMEM. */
int target_space_fork(struct target_thread *thread);
/* Runs a thread on the caller's host thread; returns when that one has exited or moved away. */
void target_thread_lend(struct target_thread *thread);
/*
 * An empty space for exec; takes the caller there. Without *space the caller stays. May block. A space is known by the
 * target's own name alone; one that is not a blank which it has given out ends the instance.
 */
int target_space_blank(struct target_space **space);
void target_space_discard(struct target_space *space);
void target_thread_move(struct target_space *space);
/* Ends the calling thread. Sets thread->gone once the stack can be reused. */
void target_thread_exit(void) __attribute__((noreturn));
/* Interrupts a thread that is in the program or blocks in the host. Its pending mark is set before. */
void target_thread_kick(struct target_thread *thread);
/* Asks a thread where it is: report becomes 2 when report_rip (0: in the program) and report_rbp are valid. */
void target_thread_probe(struct target_thread *thread);
/* FS and GS base between the processor and the calling thread's regs. */
void target_bases_read(void);
void target_bases_write(void);
/* CPU time consumed by a thread that runs (user and kernel together), ns. */
int64_t target_thread_cputime(const struct target_thread *thread);
/* The same of all threads that run or ran in a thread's space. For a thread of another space, where the
 * former answers 0. */
int64_t target_space_cputime(const struct target_thread *thread);
/* Page faults so far that needed no file (minor) and that did, of the calling thread or of its whole space. */
void target_fault_counts(bool whole_space, uint64_t *minor, uint64_t *major);
/* Host scheduling of the calling thread: affinity mask of len bytes. */
int target_affinity_get(void *mask, size_t len);
/* Makes the threads of the caller's space, or with all those of every space, pass a memory barrier. */
int target_memory_barrier(bool all, bool instructions);
/* The same of a thread: where it may run from now on; goes to new threads, not along with a move. */
int target_affinity_set(const struct target_thread *thread, const void *mask, size_t len);

/*
 * The call gate: where code of the program may jump instead of making a system call, with the address to return to in RCX.
 * R11 may hold anything; all else is as for the instruction. 0: there is none. Only for threads whose GS base is 0 to the
 * program.
 */
uintptr_t target_call_gate(void);

/* The program's extended state in the standard XSAVE format, as in a Linux signal frame. */
size_t target_xstate_size(void);
void *target_xstate(struct target_thread *thread); /* of a thread that is in the kernel */
void target_xstate_reset(void); /* initial configuration of all components; the calling thread */

/* ---- 4. Address space: all on the caller's own space, page-aligned, placed by the kernel ------- */

#define TARGET_PROT_READ  1
#define TARGET_PROT_WRITE 2
#define TARGET_PROT_EXEC  4

int target_map_anon(uintptr_t addr, size_t len, int prot);
/* Kernel pages from offset of the page window on; a private mapping is copied on write. */
int target_map_pages(uintptr_t addr, size_t len, int prot, uint64_t offset, bool shared);
/* A host file, privately. */
int target_map_file(uintptr_t addr, size_t len, int prot, int file, uint64_t offset);
int target_protect(uintptr_t addr, size_t len, int prot);
int target_unmap(uintptr_t addr, size_t len);
/* Moves pages; the old range is unmapped, the new one replaced. Sizes may differ (growth is fresh). */
int target_remap(uintptr_t old, size_t old_len, uintptr_t new_addr, size_t new_len);
#define TARGET_ADVISE_DISCARD 1 /* private pages read as zero or as the file again */
int target_advise(uintptr_t addr, size_t len, int advice);
/* One byte a page: bit 0 set when resident. */
int target_resident(uintptr_t addr, size_t len, uint8_t *out);
/* How many pages of ranges of a space are in memory: pages of its own, and pages of files or shared memory. */
struct target_residence {
    uintptr_t addr; /* page-aligned, as is len */
    size_t len;
    uint64_t own, shared; /* the answer */
};
int target_space_resident(struct target_space *space, struct target_residence *ranges, size_t n);
/* Another space's memory: bytes done, short at the first page that faults. */
int64_t target_space_peek(struct target_space *space, void *to, uintptr_t from, size_t len);
int64_t target_space_poke(struct target_space *space, uintptr_t to, const void *from, size_t len);

/* ---- 5. User memory: the fault-safe primitives below mm/uaccess.h ------------------------------ */

size_t target_user_read(void *to, const void *from, size_t len);  /* bytes NOT copied */
size_t target_user_write(void *to, const void *from, size_t len); /* bytes NOT copied */
size_t target_user_zero(void *to, size_t len);                    /* bytes NOT cleared */
int64_t target_user_strlen(const void *from, size_t max);         /* max when not ended; -EFAULT */
/* Compare and exchange of an aligned word; *seen is what stood there. 0 or -EFAULT. */
int target_user_cmpxchg(uint32_t *word, uint32_t expected, uint32_t desired, uint32_t *seen);

/* ---- 6. Waiting --------------------------------------------------------------------------------- */

#define TARGET_FOREVER INT64_MAX

/* Sleeps while *word == expected. 0 (also spuriously) or -ETIMEDOUT. Kernel words, all spaces. */
int target_wait(const uint32_t *word, uint32_t expected, int64_t deadline);
/* Wakes up to n sleepers. */
void target_wake(const uint32_t *word, uint32_t n);

/* Which of `events` (poll(2)'s bits), POLLERR, POLLHUP and POLLNVAL hold for a host descriptor now. */
int target_poll(int file, int events);

/*
 * The readiness queue, one for the instance: it tells that a host descriptor has become ready, once for each time that
 * something new came (edge-triggered). Every thread of every space may take from it.
 */
struct target_ready {
    uint64_t cookie; /* as given to target_ready_add() */
    uint32_t events; /* poll(2)'s bits */
    uint32_t unused;
};
int target_ready_add(int file, uint64_t cookie); /* -EPERM: it is always ready (a regular file) */
void target_ready_remove(int file);
#define TARGET_READY_MAX 32
/*
 * Up to n (at most TARGET_READY_MAX) of what came. When there is nothing it sleeps, until the calling thread is kicked or
 * its word `wake` is 1 (-EINTR), or until the deadline (0). A deadline of 0 only looks.
 */
int target_ready_wait(struct target_ready *out, uint32_t n, int64_t deadline);

/* ---- 7. Kernel memory ---------------------------------------------------------------------------- */

/* Backs [offset, offset+len) of the page window with zeroed memory now. -ENOMEM. */
int target_pages_fill(uint64_t offset, uint64_t len);
/* Gives memory back; the range reads as zeros afterwards. */
int target_pages_drop(uint64_t offset, uint64_t len);
/*
 * The first page of [offset, offset+len) that has memory (used), or that has none. Value: its offset, or offset+len when
 * there is no such page, or the target cannot tell.
 */
uint64_t target_pages_seek(uint64_t offset, uint64_t len, bool used);

/* ---- 8. Time, entropy, the instance ---------------------------------------------------------------- */

enum target_clock {
    TARGET_CLOCK_MONOTONIC,
    TARGET_CLOCK_REALTIME,
    TARGET_CLOCK_BOOTTIME,
    TARGET_CLOCKS
};
int64_t target_clock_read(enum target_clock clock);
int64_t target_clock_resolution(enum target_clock clock);
/* Where the program may read clocks without a call: entry of clock_gettime in the target's own vDSO, or 0. */
uintptr_t target_vdso_clock_gettime(void);
int target_random(void *to, size_t len); /* all of it, or an error */
/* The kernel's own symbols: an ELF file in memory, for reports; NULL: none. */
const void *target_symbols(size_t *size);
void target_service_wake(void); /* the service thread's deadline moved forward */
void target_log(const char *text,
                size_t len); /* the instance's log: standard error of the launcher */
void target_exit(int status)
    __attribute__((noreturn));                     /* ends the instance with a wait(2) status */
void target_panic(void) __attribute__((noreturn)); /* ends it after a broken invariant */
void target_suspend(
    void); /* the main program has stopped: stop the instance, as its user sees it */

/* ---- 9. Console: the descriptors the instance was started with, by number 0..2 --------------------- */

/* These block in the host; -EINTR after a kick. No lock may be held. User or kernel memory. */
int64_t target_console_read(int console, void *to, size_t len);
int64_t target_console_write(int console, const void *from, size_t len);
int64_t target_console_seek(int console, int64_t offset, int whence); /* lseek(2) */
/* Terminal ioctls: TCGETS, TCSETS(W,F), TIOCGWINSZ, TIOCSWINSZ, TCFLSH, TCSBRK, FIONREAD, TIOCOUTQ only. */
int target_console_ioctl(int console, unsigned int request, void *arg, size_t len);

/* ---- 10. Host files ---------------------------------------------------------------------------------- */
/*
 * A file is a host descriptor. Names are single components ("" is the directory or file itself), never
 * followed when they are symbolic links.
 */
struct target_stat {
    uint64_t ino, size, blocks, rdev, dev;
    uint32_t mode, nlink, uid, gid, blksize;
    int64_t atime, mtime, ctime, btime; /* ns since the epoch */
};

#define TARGET_OPEN_READ      1
#define TARGET_OPEN_WRITE     2
#define TARGET_OPEN_CREATE    4 /* must not exist: exclusive */
#define TARGET_OPEN_PATH      8 /* for use as a directory of the other calls, or for stat */
#define TARGET_OPEN_DIRECTORY 16

int target_file_open(int dir, const char *name, int flags, unsigned int mode);
void target_file_close(int file);
int target_file_stat(int dir, const char *name, struct target_stat *out);
int64_t target_file_read(int file, void *to, size_t len, uint64_t offset);
int64_t target_file_write(int file, const void *from, size_t len, uint64_t offset);
int64_t target_file_seek(int file, uint64_t offset, int whence); /* SEEK_DATA, SEEK_HOLE only */
/* linux_dirent64 records from *cursor on (0 at first, then d_off values). Bytes; 0 at the end. */
int64_t target_file_readdir(int dir, void *to, size_t len, int64_t cursor);
int64_t target_file_readlink(int dir, const char *name, char *to, size_t len);
int target_file_truncate(int file, uint64_t size);
int target_file_allocate(int file, int mode, uint64_t offset, uint64_t len);
int target_file_sync(int file, bool data_only);
int target_file_mkdir(int dir, const char *name, unsigned int mode);
int target_file_mknod(int dir, const char *name, unsigned int mode, uint64_t rdev);
int target_file_unlink(int dir, const char *name, bool directory);
int target_file_rename(int from_dir, const char *from, int to_dir, const char *to,
                       unsigned int flags);
int target_file_link(int from_dir, const char *from, int to_dir, const char *to);
int target_file_symlink(const char *text, int dir, const char *name);
int target_file_chmod(int dir, const char *name, unsigned int mode);
int target_file_chown(int dir, const char *name, uint32_t uid, uint32_t gid);
int target_file_utimes(int dir, const char *name, int64_t atime,
                       int64_t mtime); /* INT64_MIN: leave */
struct target_statfs {
    uint64_t type, bsize, blocks, bfree, bavail, files, ffree, namelen, frsize, flags;
};
int target_file_statfs(int file, struct target_statfs *out);

/* ---- 11. Host sockets: TCP and UDP, beyond the instance ------------------------------------------------- */
/*
 * A socket is a host descriptor, closed by target_file_close(). None of these calls blocks: -EAGAIN or -EINPROGRESS,
 * and the readiness queue tells when to try again.
 */
struct target_address {
    uint16_t family; /* AF_INET, AF_INET6; 0: none */
    uint16_t port;   /* in the processor's byte order */
    uint32_t scope;  /* interface of a link-local IPv6 address, or 0 */
    uint8_t ip[16];  /* in network order; the first 4 bytes of AF_INET */
};

int target_socket_open(int family, int type); /* SOCK_STREAM: TCP; SOCK_DGRAM: UDP */
int target_socket_bind(int socket, const struct target_address *address);
int target_socket_listen(int socket, int backlog);
int target_socket_accept(int socket, struct target_address *peer); /* the new socket */
/* Family 0 dissolves the connection of a UDP socket. */
int target_socket_connect(int socket, const struct target_address *to);
int target_socket_name(int socket, bool peer, struct target_address *out);
#define TARGET_MESSAGE_PEEK 1 /* receiving: leave it there */
#define TARGET_MESSAGE_OOB  2 /* TCP's urgent data */
#define TARGET_MESSAGE_MORE 4 /* sending: more will follow */
/* Kernel memory. A datagram is sent whole; to NULL: to the peer. */
int64_t target_socket_send(int socket, const void *from, size_t len, int flags,
                           const struct target_address *to);
/* Of a datagram its whole length, which may be more than len, and who sent it; from may be NULL. */
int64_t target_socket_receive(int socket, void *to, size_t len, int flags,
                              struct target_address *from);
int target_socket_shutdown(int socket, int how); /* SHUT_ */
enum target_option { /* each is an int; times in seconds unless said otherwise */
                     TARGET_OPTION_ERROR, /* reading only: a positive errno or 0, and clears it */
                     TARGET_OPTION_REUSEADDR,
                     TARGET_OPTION_KEEPALIVE,
                     TARGET_OPTION_BROADCAST,
                     TARGET_OPTION_OOBINLINE,
                     TARGET_OPTION_LINGER, /* -1: off */
                     TARGET_OPTION_NODELAY,
                     TARGET_OPTION_CORK,
                     TARGET_OPTION_KEEPIDLE,
                     TARGET_OPTION_KEEPINTVL,
                     TARGET_OPTION_KEEPCNT,
                     TARGET_OPTION_USER_TIMEOUT, /* milliseconds */
                     TARGET_OPTION_TOS,          /* or the traffic class */
                     TARGET_OPTION_TTL,          /* or the hop limit */
                     TARGET_OPTION_V6ONLY,
                     TARGET_OPTION_MAXSEG, /* reading only */
                     TARGET_OPTION_MTU,    /* reading only: of the connection's path */
                     TARGET_OPTIONS
};
int target_socket_option(int socket, enum target_option option, bool set, int *value);
enum target_count {
    TARGET_COUNT_IN,   /* bytes to read, or of the next datagram */
    TARGET_COUNT_OUT,  /* bytes not acknowledged yet */
    TARGET_COUNT_MARK, /* 1: at the urgent mark */
};
int64_t target_socket_count(int socket, enum target_count what);

#endif
