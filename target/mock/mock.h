/*
 * target/mock/mock.h: an instance of Mystikos inside a test program, on a host that is all in memory.
 *
 * What an instance is. mock_run() starts one in the calling process: the kernel's data are as freshly
 * loaded, the host's files as options->setup made them, time begins at MOCK_EPOCH and passes only when
 * every thread sleeps (then it jumps to the next deadline). It returns when the instance has ended and
 * none of its threads is left; thousands in a row are fine.
 *
 * What a program is. A function of the test: a *script*. It makes system calls by mock_call(), which
 * enters the kernel as a trap does. Its own variables are not the program's memory: what a call reads
 * or writes lies in the program's memory, reached by mock_put() and mock_get(). Scripts fork, start
 * threads, handle signals and are executed by path like other programs. A kick reaches a script at its next
 * call or mock_pause().
 *
 * What can go wrong on purpose. Every field of every reply passes through one hook, and every request for
 * memory through another:
 *
 *     static void lie(void *arg, enum mock_reply reply, void *value, size_t size)
 *     {
 *         if (reply == MOCK_REPLY_file_stat_size)
 *             *(uint64_t *)value = UINT64_MAX;
 *     }
 *     ...
 *     mock_reply_hook(lie, NULL);
 *     mock_run(&options, &result);
 *
 * The hook is called on the thread that called the target, after the mock has done what was asked and
 * before the kernel sees the answer; it may change *value, `size` bytes, in place. Fields of a failed call other
 * than its result are not offered; a result that the hook turns into an error stays a call whose effect has
 * happened, which is a lie that hosts tell, too. It runs on several threads at once when the script
 * does. It must not call the kernel. target/mock/replies.h lists the replies with their kinds
 * (mock_replies[]); hooks stay until they are set anew, and may be set at any time.
 */
#ifndef MOCK_MOCK_H
#define MOCK_MOCK_H

#include "replies.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- 1. Lies ------------------------------------------------------------------------------------ */

enum mock_reply {
#define X(call, field, kind) MOCK_REPLY_##call##_##field,
    MOCK_REPLY_TABLE(X)
#undef X
        MOCK_REPLIES
};

enum mock_kind {
    MOCK_STATUS,
    MOCK_COUNT,
    MOCK_FILE,
    MOCK_SIZE,
    MOCK_TIME,
    MOCK_NUMBER,
    MOCK_BYTES,
    MOCK_HANDLE,
    MOCK_MASK,
};

struct mock_reply_info {
    const char *call, *field;
    enum mock_kind kind;
};
extern const struct mock_reply_info mock_replies[MOCK_REPLIES];

typedef void mock_reply_func(void *arg, enum mock_reply reply, void *value, size_t size);
void mock_reply_hook(mock_reply_func *hook, void *arg); /* NULL: the truth */

/*
 * What the host is sent: data for files, sockets, the console and the log; names; addresses and other arguments in
 * memory, whole. Called as the hook above is.
 */
typedef void mock_sent_func(void *arg, const void *data, size_t size);
void mock_sent_hook(mock_sent_func *hook, void *arg); /* NULL: none */

/* ---- 2. Out of memory --------------------------------------------------------------------------- */

/*
 * A request for memory: an object (kmalloc and its kin), a run of pages, memory or threads of the host
 * (map_*, pages_fill, thread_start ...). True: it fails. `what` is a constant name of the kind. caller: where
 * the room asked, of the allocator or of kernel/host/.
 */
typedef bool mock_fail_func(void *arg, const char *what, uintptr_t caller);
void mock_fail_hook(mock_fail_func *hook, void *arg); /* NULL: none fails */

/* The hook for the usual: the nth request from now on fails (1: the next one; 0: none). */
void mock_fail_nth(uint64_t n);
uint64_t mock_requests(void); /* requests since mock_fail_nth() was called */

/* ---- 3. Instances --------------------------------------------------------------------------------- */

#define MOCK_EPOCH 1700000000000000000LL /* ns: CLOCK_REALTIME when an instance starts */

typedef int mock_script(void *arg); /* what it returns is the exit status */

enum mock_console { /* what descriptors 0 to 2 are */
                    MOCK_PIPES,
                    MOCK_TERMINAL,
                    MOCK_FILES
};

struct mock_options {
    mock_script *main; /* the main program */
    void *arg;
    void (*setup)(void);  /* makes the host's files: mock_host_*(); may be NULL */
    const char *input;    /* what can be read from descriptor 0, then the end of file; NULL: none */
    bool input_open;      /* no end of file: more comes by mock_input() */
    uint64_t seed;        /* of random bytes */
    uint64_t memory_size; /* 0: 256 MiB */
    uint32_t uid, gid;
    bool writable;      /* programs change the host's files; else they see them below an overlay */
    const char *strace; /* as --strace */
    int verbose;
    const char *mounts[4][4]; /* source (a host directory or ""), target, type, options */
    uint16_t publish[4];      /* as --publish: TCP ports that are reached from outside */
    enum mock_console console;
};

enum mock_end {
    MOCK_EXITED,   /* the main program ended; status is a wait(2) status */
    MOCK_PANICKED, /* the kernel found its own state broken */
    MOCK_HUNG,     /* every thread sleeps for ever */
};

struct mock_result {
    enum mock_end end;
    int status;
};

void mock_run(const struct mock_options *options, struct mock_result *result);

/* Tells the running instance of a signal from outside: 0 (terminal: 64) + its number. From any thread. */
void mock_event(int event);

/* Asks the running instance for its hang report, which goes to the log. From any thread, also a script's. */
void mock_report(void);
uint32_t mock_report_answers(void); /* threads that have told it that they run their program */

/* More input for descriptor 0 of the running instance. From any thread, also a script's. */
void mock_input(const char *text);

/* What the programs of the last instance wrote to descriptors 1 and 2, and its log; ended by a zero. */
const char *mock_output(void);
const char *mock_log(void);

/* What the kernel has in use. Inside an instance, by a script; caches are emptied first. */
struct mock_usage {
    uint64_t objects, bytes; /* of kmalloc and slabs */
    uint64_t runs;           /* of pages, other than kernel stacks */
    uint64_t host_files;     /* descriptors of the host that are open */
    uint64_t host_pages;     /* of all programs */
    uint64_t number;         /* objects made so far */
};
void mock_usage(struct mock_usage *out);
/* Prints the objects that were made since `before` and still are, by who made them. */
void mock_usage_print(const struct mock_usage *before);

/* ---- 4. For scripts -------------------------------------------------------------------------------- */

/* A system call: its result, -errno for errors. */
long mock_call6(long nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                uint64_t a5);
#define MOCK_CALL_(nr, a0, a1, a2, a3, a4, a5, ...)                                                \
    mock_call6(nr, (uint64_t)(a0), (uint64_t)(a1), (uint64_t)(a2), (uint64_t)(a3), (uint64_t)(a4), \
               (uint64_t)(a5))
#define mock_call(...) MOCK_CALL_(__VA_ARGS__, 0, 0, 0, 0, 0, 0)

/* Takes what is pending, as an interrupted program does. */
void mock_pause(void);

typedef uint64_t mock_user; /* an address in the program's memory */

/* One without arguments by the instruction that stands at `site`, which traps. */
long mock_trap(mock_user site, long nr);

/*
 * The program's own loads and stores: a bad address raises its signal, and when that does not end the program
 * the access is tried again after the handler.
 */
void mock_load(void *to, mock_user from, size_t size);
void mock_store(mock_user to, const void *from, size_t size);

/* Memory of the program from a ring of 64 KiB a thread: good until as much has been put after it. */
mock_user mock_put(const void *data, size_t size);
mock_user mock_string(const char *text);
mock_user mock_room(size_t size); /* zeroed */
/* What stands there: a value of a type. */
#define mock_get(type, at)                                                                         \
    ({                                                                                             \
        type value_;                                                                               \
        mock_load(&value_, at, sizeof value_);                                                     \
        value_;                                                                                    \
    })
/* An array of strings, ended by NULL, as execve(2) takes it. */
mock_user mock_strings(const char *const *strings);

/* A child that runs the script in a copy of the caller's memory (vfork: in the same); number or -errno. */
long mock_fork(mock_script *child, void *arg);
long mock_vfork(mock_script *child, void *arg);
/* clone(2) with these flags; the child runs the script. tid_words: as parent_tid and child_tid. */
long mock_clone(uint64_t flags, mock_script *child, void *arg, mock_user parent_tid,
                mock_user child_tid);
/* What the next thread runs that the caller makes by mock_call(), of whatever kind; its return ends that alone. */
void mock_child(mock_script *child, void *arg);
/* A thread of the caller's process. */
long mock_thread(mock_script *script, void *arg);
/* waitpid(2): the status, or -errno. */
long mock_wait(long pid);

/* A handler: a function of the test, which gets the addresses of siginfo_t and ucontext_t. */
typedef void mock_handler(int signo, mock_user info, mock_user context);
long mock_handle(int signo, mock_handler *handler, uint64_t flags);
/* The same as a number, for a struct sigaction of the script's own; RIP leads to no others. */
uint64_t mock_handler_address(mock_handler *handler);

/* ---- 5. The host's files: from setup, or from outside while an instance runs ------------------------ */

/* Missing directories on the way are made. */
void mock_host_dir(const char *path, unsigned int mode);
void mock_host_file(const char *path, unsigned int mode, const void *data, size_t size);
void mock_host_link(const char *path, const char *text);
/* An executable ELF file: the script is its code. */
void mock_host_program(const char *path, mock_script *script, void *arg);
/* The same as bytes, for scripts that write programs themselves; constant. */
#define MOCK_IMAGE_SIZE 4096
const void *mock_image(mock_script *script, void *arg);

/* ---- 6. The host's network: target/mock/socket.c says who is there ---------------------------------- */

/* Somebody connects to a published port, and has sent a text: 0 or -errno. From any thread, also a script's. */
int mock_host_connect(uint16_t port, const char *text);

#endif
