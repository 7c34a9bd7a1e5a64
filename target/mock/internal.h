/* target/mock/internal.h: the files of this folder to each other. */
#ifndef MOCK_INTERNAL_H
#define MOCK_INTERNAL_H

#include "mock.h"

#include <errno.h>
#include <myst/boot.h>
#include <myst/target.h>
#include <pthread.h>
#include <setjmp.h>

#define PAGE 4096UL

/* Programs' addresses and the kernel's never have the same number: see the layout in myst/boot.h. */
static inline bool is_user(const void *p)
{
    return (uintptr_t)p < MYST_USER_END &&
           ((uintptr_t)p < MYST_RANGE_START || (uintptr_t)p >= MYST_RANGE_END);
}

/*
 * memcpy() that no sanitizer looks at: for memory that programs share, which they may race for, and for
 * the kernel's data between two instances.
 */
static inline void copy_unwatched(void *to, const void *from, size_t n)
{
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(n) : : "memory");
}

/* ---- hooks.c */

void reply_offer(enum mock_reply reply, void *value, size_t size);

/* The fields of a reply, in the order in which a call gives them; RESULT ends a function. */
#define OFFER(call, field, value)       reply_offer(MOCK_REPLY_##call##_##field, &(value), sizeof(value))
#define OFFER_BYTES(call, field, at, n) reply_offer(MOCK_REPLY_##call##_##field, at, n)
#define RESULT(call, value)                                                                        \
    do {                                                                                           \
        typeof(value) result_ = (value);                                                           \
        OFFER(call, result, result_);                                                              \
        return result_;                                                                            \
    } while (0)

/* A fault, as the kernel is told of it. */
struct target_fault fault_told(struct target_fault fault);

/* What the host gets of the kernel's or a program's memory. */
void sent_show(const void *data, size_t size);

bool request_fails(const char *what, const void *caller);

/*
 * In a function of the target: where the function of kernel/host/ that called it was called. Both keep their
 * frame pointers.
 */
#define ASKER (((void **)*(void **)__builtin_frame_address(0))[1])

/* ---- thread.c: host threads */

struct script {
    mock_script *run;
    void *arg;
    bool whole_process; /* its return ends the process, not the thread alone */
};

/* A host thread. It carries one kernel thread. */
struct carrier {
    struct target_thread *thread;
    uint64_t
        start; /* the number of the start that brings it there; 0: it is expected in any case */
    pthread_t id;
    struct target_space *space; /* where it begins */
    void (*run)(void);          /* what it is for */
    struct script first;        /* what a new thread of a program runs */
    struct script child;        /* what the next thread that it makes will run */
    uint32_t *lender_word;      /* set and woken when this thread ends or moves; NULL: none */
    jmp_buf end;                /* the thread's or the instance's end */
    jmp_buf program;            /* exec: another program begins */
    mock_user ring;             /* mock_put()'s memory, in the space of that number; 0: none yet */
    uint64_t ring_space;
    size_t ring_used;
};

extern __thread struct carrier *carrier;

void thread_first_start(struct target_space *space);
void thread_service_start(void);
/* Ends the calling host thread when its instance is over. */
void leave_if_over(void);
void leave(void) __attribute__((noreturn));

/* ---- instance.c */

struct instance {
    const struct mock_options *options;
    struct boot_info boot;
    struct mock_result result; /* under sched.lock */
    uint32_t over;             /* atomic; 1: every thread leaves at its next step into the mock */
};
extern struct instance instance;

void instance_end(enum mock_end end, int status);

/* ---- wait.c: sleeping, and time */

void sched_reset(void);
void sched_thread_starts(void); /* by the one that makes it */
void sched_thread_ends(void);
void sched_all_ended(void); /* waits for that */
void sched_wake_all(void);
/*
 * Sleeps until the host has what is waited for: 0. -EINTR after a kick, -ETIMEDOUT. ready() is called with a lock of
 * the sleepers held; whoever makes it true calls sched_event() afterwards.
 */
int sched_host_wait(bool (*ready)(void *arg), void *arg, int64_t deadline);
void sched_event(void);
int64_t sched_now(void);
/* As target_wait(), and nobody lies. */
int sched_wait(const uint32_t *word, uint32_t expected, int64_t deadline);
void service_run(void); /* the service thread, until the instance ends */

/* ---- space.c, user.c: programs' memory */

struct target_space *space_new(void);
void space_enter(struct target_space *space, struct target_thread *thread);
void space_join(struct target_space *space); /* one user more */
void space_leave(struct target_space *space);
struct target_space *space_copy(struct target_space *from);
void spaces_reset(void);
uint64_t space_number(const struct target_space *space);
/* One for exec. Whoever goes there, or gives it back, takes it by name; false: it is no blank. */
struct target_space *space_blank_new(void);
bool space_blank_take(struct target_space *space);
bool space_is_known(const struct target_space *space);
uint64_t spaces_pages(void);

enum access { ACCESS_READ, ACCESS_WRITE };
/*
 * Bytes done from addr on, up to n, in or out of `buffer`; short at the first page that faults, which *fault
 * describes.
 */
size_t space_access(struct target_space *space, enum access access, uintptr_t addr, void *buffer,
                    size_t n, struct target_fault *fault);
/* 0 or -EFAULT; *expected becomes what stood there. */
int space_cmpxchg(struct target_space *space, uintptr_t addr, uint32_t *expected, uint32_t desired,
                  struct target_fault *fault);
/* The same for a buffer of either kind, without faults: for what the host itself reads and writes. */
size_t any_read(void *to, const void *from, size_t n);
size_t any_write(void *to, const void *from, size_t n);

/* ---- file.c */

void files_reset(void);
int files_open_path(const char *path); /* for options->mounts */
uint64_t files_open_count(void);
bool file_is_open(int file);
/* What a mapping of a file stands on. */
struct node;
struct node *file_node_get(int file);
void node_put(struct node *node);
struct node *node_get(struct node *node);
/* A page of it; false: it lies behind the end. */
bool node_page(struct node *node, uint64_t offset, void *to);

/* ---- console.c */

struct text { /* ended by a zero that len does not count */
    char *at;
    size_t len, room;
};

void console_reset(void);
int console_ready(int console); /* poll(2)'s bits that hold */

/* ---- ready.c */

void ready_reset(void);
void ready_news(int file); /* something new holds for a descriptor */

/* ---- socket.c: the host's network */

void sockets_reset(void);
int socket_publish(uint16_t port); /* a socket that is bound to it */
bool socket_close(int file);       /* false: it is none */
int socket_ready(int file);        /* poll bits; POLLNVAL: it is none */
uint64_t sockets_open_count(void);

/* ---- program.c */

void programs_reset(void);
/* On a thread that upcall_main() has prepared; on one that the kernel has made. */
void program_run(void) __attribute__((noreturn));
void program_run_child(void) __attribute__((noreturn));

/* ---- heap.c */

void heap_reset(void);
void heap_usage(struct mock_usage *out);

#endif
