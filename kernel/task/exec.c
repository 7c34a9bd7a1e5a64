/*
 * kernel/task/exec.c: execve(2), execveat(2).
 *
 * First everything that can fail is tried while the old program could still be told: the strings are
 * copied, the files opened and read, the new credentials made, an empty space found. Then the other
 * threads end, and the caller moves into the new space. What goes wrong after that kills the process.
 */
#include "task/exec.h"

#include "abi/newer.h"
#include "base/atomic.h"
#include "base/errno.h"
#include "base/fmt.h"
#include "base/string.h"
#include "host/thread.h"
#include "mm/alloc.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "syscall_proto.h"
#include "vfs/files.h"
#include "vfs/fs_context.h"

#include <linux/fcntl.h>
#include <linux/personality.h>

#define SCRIPTS_MAX 5 /* interpreters that are scripts themselves; execve(2), ELOOP */

/* --- what is to be run ---------------------------------------------------------------------------- */

/* Opens, and denies writing: ETXTBSY goes both ways. Counted; ERR_PTR. */
static struct file *open_program(int dirfd, const char *path, int at_flags)
{
    struct file *file = file_open_exec(dirfd, path, at_flags);
    int err;

    if (IS_ERR(file))
        return file;
    err = file_deny_write(file);
    if (err) {
        file_put(file);
        return ERR_PTR(err);
    }
    return file;
}

static void close_program(struct file *file)
{
    file_allow_write(file);
    file_put(file);
}

/* The first bytes, with zeros behind a file that ends sooner. */
static int read_head(struct file *file, u8 *head)
{
    struct iter it;
    loff_t pos = 0;
    ssize_t n;

    memset(head, 0, EXEC_HEAD);
    iter_init_kernel(&it, false, head, EXEC_HEAD);
    n = file_read(file, &it, &pos);
    return n < 0 ? (int)n : 0;
}

/* execveat(2), "NOTES": a program named by a descriptor shows as /dev/fd/N or /dev/fd/N/path. */
static char *shown_path(const struct exec *exec)
{
    char number[32];
    char *text;
    size_t size;

    if (exec->dirfd == AT_FDCWD || exec->path[0] == '/')
        return kstrdup(exec->path);
    size = (size_t)scnprintf(number, sizeof number, "/dev/fd/%d", exec->dirfd) + 2 +
           strlen(exec->path);
    text = kmalloc(size);
    if (text)
        scnprintf(text, size, exec->path[0] ? "%s/%s" : "%s%s", number, exec->path);
    return text;
}

int exec_open(struct exec *exec)
{
    struct file *file = open_program(exec->dirfd, exec->path, exec->at_flags);

    if (IS_ERR(file))
        return (int)PTR_ERR(file);
    exec->named = file;
    return 0;
}

/* Follows "#!" lines to a file that is none. */
static int find_program(struct exec *exec)
{
    struct file *file = TAKE(exec->named);
    char *script = NULL;
    int err = 0;

    for (int depth = 0;; depth++) {
        char *next = NULL;

        if (IS_ERR(file)) {
            err = (int)PTR_ERR(file);
            break;
        }
        err = read_head(file, exec->head);
        if (!err && memcmp(exec->head, "#!", 2) != 0) {
            err = elf_open(&exec->program, file, exec->head);
            break;
        }
        if (!err && exec->fd_closes)
            err = -ENOENT;
        if (!err && depth == SCRIPTS_MAX)
            err = -ELOOP;
        if (!err)
            err = script_parse(exec, script ? script : exec->shown_path, &next);
        close_program(file);
        if (err)
            break;
        kfree(script);
        script = next;
        file = open_program(AT_FDCWD, script, 0);
    }
    kfree(script);
    return err;
}

static int find_interpreter(struct exec *exec)
{
    char *path = elf_interpreter(&exec->program);
    u8 head[EXEC_HEAD];
    struct file *file;
    int err;

    if (IS_ERR_OR_NULL(path))
        return (int)PTR_ERR(path);
    file = open_program(AT_FDCWD, path, 0);
    kfree(path);
    if (IS_ERR(file))
        return (int)PTR_ERR(file);
    err = read_head(file, head);
    if (err) {
        close_program(file);
        return err;
    }
    err = elf_open(&exec->interpreter, file, head);
    return err == -ENOEXEC ? -ELIBBAD : err;
}

static int prepare(struct exec *exec)
{
    int err;

    exec->shown_path = shown_path(exec);
    if (!exec->shown_path)
        return -ENOMEM;
    /* Without any argument a program would take its environment for arguments. */
    if (exec->argv.n == 0) {
        err = strings_add(&exec->argv, "", 0);
        if (err)
            return err;
    }
    err = find_program(exec);
    if (!err)
        err = find_interpreter(exec);
    if (!err)
        err = exec_credentials(exec);
    exec->stack_executable = !err && elf_wants_executable_stack(&exec->program);
    return err;
}

void exec_free(struct exec *exec)
{
    if (exec->named)
        close_program(exec->named);
    elf_close(&exec->program);
    /* Only the program itself cannot be written while it runs. */
    if (exec->interpreter.file)
        file_allow_write(exec->interpreter.file);
    elf_close(&exec->interpreter);
    strings_free(&exec->argv);
    strings_free(&exec->envp);
    kfree(exec->shown_path);
    if (exec->cred)
        cred_put(exec->cred);
}

/* --- the point of no return --------------------------------------------------------------------------- */

/* Out of the old memory; with a space, out of the old place too. */
static void enter_new_space(struct mm *mm, struct target_space *space)
{
    struct mm *old = mm_switch(mm);

    if (space) {
        task_clock_stop(task_self());
        host_thread_move(space);
        task_clock_start(task_self());
        if (task_self()->affinity_set)
            affinity_apply(task_self());
    }
    if (old)
        mm_put(old);
}

static void become(struct exec *exec)
{
    struct task *task = task_self();
    struct process *process = task->process;
    const char *name = strrchr(exec->shown_path, '/');

    signal_exec_reset(task);
    files_close_on_exec(self()->files);
    if (exec->secure || exec->cred->euid != cred_current()->euid)
        task->parent_death_signal = 0;
    if (exec->secure)
        task->personality &= ~(u32)PER_CLEAR_ON_SETID;
    task->personality &= ~(u32)READ_IMPLIES_EXEC; /* no 64-bit program is that old */
    cred_commit(TAKE(exec->cred));
    task_publish_comm(task, name ? name + 1 : exec->shown_path);

    spin_lock(&tasks_lock);
    process->dumpable = exec->dumpable;
    process->has_exec = true;
    process->exit_signal = SIGCHLD;
    spin_unlock(&tasks_lock);
    process_set_exe(process, file_get(exec->program.file));
}

static int load(struct exec *exec)
{
    struct target_regs *regs = &self()->thread.regs;
    bool dynamic = exec->interpreter.file != NULL;
    u64 sp = 0;
    int err = elf_load(&exec->program, false, dynamic);

    if (!err && dynamic)
        err = elf_load(&exec->interpreter, true, false);
    if (!err)
        err = exec_stack_build(exec, &sp);
    if (err)
        return err;

    host_context_reset();
    regs->rip = elf_entry(dynamic ? &exec->interpreter : &exec->program);
    regs->rsp = sp;
    return 0;
}

int exec_run(struct exec *exec, bool in_place)
{
    struct target_space *space = NULL;
    u32 mdwe = mm_mdwe_inherited(self()->mm);
    struct mm *mm;
    int err = prepare(exec);

    if (err)
        return err;
    mm = mm_create(!exec->secure && task_self()->personality & ADDR_NO_RANDOMIZE);
    if (!mm)
        return -ENOMEM;
    if (!in_place)
        err = host_space_blank(&space);
    if (!err)
        err = files_unshare();
    if (!err)
        err = process_single_thread();
    if (!err)
        err = signal_exec_unshare(process_self());
    if (err) {
        if (space)
            host_space_discard(space);
        mm_put(mm);
        return err;
    }

    atomic_add(&task_counts.execs, 1);
    if (task_hooks.exec)
        task_hooks.exec(process_self());
    enter_new_space(mm, space);
    process_self()->barrier_intents = 0;
    become(exec);
    err = load(exec);
    if (mdwe) /* not while it loads: the kernel may map what the program may not, a stack with code */
        mm_mdwe_set(mdwe);
    if (err && !in_place)
        process_end(SIGSEGV); /* on the way back: exec is the caller's to free */
    return err;
}

/* --- the calls ------------------------------------------------------------------------------------------ */

/* Is the program named by a descriptor that execve closes? A script's interpreter could not open it. */
static bool descriptor_closes(const struct exec *exec)
{
    struct file *file = NULL;
    bool closes = false;
    int fd = exec->dirfd;

    if (exec->path[0] == '/' || fd < 0)
        return false;
    file = files_next(self()->files, &fd, &closes);
    if (file)
        file_put(file);
    return fd == exec->dirfd && closes;
}

static long exec_user(int dirfd, const char *path, const char __user *const __user *argv,
                      const char __user *const __user *envp, int at_flags)
{
    struct exec *exec = kzalloc(sizeof *exec);
    size_t left = exec_args_limit();
    int err;

    if (!exec)
        return -ENOMEM;
    exec->dirfd = dirfd;
    exec->path = path;
    exec->at_flags = at_flags & ~AT_EXECVE_CHECK;
    exec->fd_closes = descriptor_closes(exec);
    err = exec_open(exec);
    if (!err)
        err = strings_from_user(&exec->argv, argv, &left);
    if (!err)
        err = strings_from_user(&exec->envp, envp, &left);
    /* AT_EXECVE_CHECK asks whether the file may be run, not whether it can be. */
    if (!err && !(at_flags & AT_EXECVE_CHECK))
        err = exec_run(exec, false);
    exec_free(exec);
    kfree(exec);
    return err;
}

static long exec_named(int dirfd, const char __user *pathname,
                       const char __user *const __user *argv, const char __user *const __user *envp,
                       int at_flags)
{
    char *path = kmalloc(PATH_MAX);
    ssize_t len;
    long err;

    if (!path)
        return -ENOMEM;
    len = strncpy_from_user(path, pathname, PATH_MAX);
    if (len < 0)
        err = len;
    else if (len == PATH_MAX)
        err = -ENAMETOOLONG;
    else if (len == 0 && !(at_flags & AT_EMPTY_PATH))
        err = -ENOENT;
    else
        err = exec_user(dirfd, path, argv, envp, at_flags);
    kfree(path);
    return err;
}

long sys_execve(const char __user *pathname, const char __user *const __user *argv,
                const char __user *const __user *envp)
{
    return exec_named(AT_FDCWD, pathname, argv, envp, 0);
}

long sys_execveat(int dirfd, const char __user *pathname, const char __user *const __user *argv,
                  const char __user *const __user *envp, int flags)
{
    if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_EXECVE_CHECK))
        return -EINVAL;
    return exec_named(dirfd, pathname, argv, envp, flags);
}
