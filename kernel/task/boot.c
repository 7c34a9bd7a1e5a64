/* kernel/task/boot.c: the first program, from what the launcher asks for. */
#include "abi/names.h"
#include "base/errno.h"
#include "base/string.h"
#include "host/thread.h"
#include "log/log.h"
#include "mm/alloc.h"
#include "task/exec.h"
#include "vfs/fs_context.h"
#include "vfs/path.h"

#include <linux/fcntl.h>
#include <myst/boot.h>

#define PATH_DEFAULT      "/usr/local/bin:/usr/bin:/bin" /* when the environment names none */
#define STATUS_NO_PROGRAM 127                            /* as shells have it */
#define STATUS_NO_EXEC    126

static void __attribute__((noreturn)) give_up(const char *what, int err)
{
    log_error(what, "%s", errno_message(-err));
    host_exit((err == -ENOENT ? STATUS_NO_PROGRAM : STATUS_NO_EXEC) << 8);
}

static const char *search_path(const struct boot_info *boot)
{
    for (const char *const *env = boot->envp; *env; env++) {
        if (str_has_prefix(*env, "PATH="))
            return *env + strlen("PATH=");
    }
    return PATH_DEFAULT;
}

/* An element of PATH and the name, into out. An empty element is the working directory. */
static bool join(const char *dir, size_t len, const char *name, char *out)
{
    size_t name_len = strlen(name);

    if (len + 1 + name_len + 1 > PATH_MAX)
        return false;
    memcpy(out, dir, len);
    if (len > 0)
        out[len++] = '/';
    memcpy(out + len, name, name_len + 1);
    return true;
}

/* execvp(3)'s search: the first that can be executed; else what stood in the way. */
static int find(const struct boot_info *boot, char *out)
{
    const char *at = search_path(boot);
    int err = -ENOENT;

    if (strchr(boot->program, '/'))
        return strlcpy(out, boot->program, PATH_MAX) < PATH_MAX ? 0 : -ENAMETOOLONG;
    if (!*boot->program)
        return -ENOENT;
    for (;;) {
        const char *end = strchr(at, ':');
        size_t len = end ? (size_t)(end - at) : strlen(at);

        if (join(at, len, boot->program, out)) {
            struct file *file = file_open_exec(AT_FDCWD, out, 0);

            if (!IS_ERR(file)) {
                file_put(file);
                return 0;
            }
            if (PTR_ERR(file) == -EACCES)
                err = -EACCES;
        }
        if (!end)
            return err;
        at = end + 1;
    }
}

static void enter_directory(const char *name)
{
    AUTO_PATH path = {0};
    int err = path_lookup(AT_FDCWD, name, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);

    if (!err)
        err = inode_permission(path_inode(&path), MAY_EXEC);
    if (err)
        give_up(name, err);
    fs_set_cwd(self()->fs, &path);
}

void task_run_program(const struct boot_info *boot)
{
    struct exec *exec = kzalloc(sizeof *exec);
    char *path = kmalloc(PATH_MAX);
    int err;

    if (!exec || !path)
        give_up(boot->program, -ENOMEM);
    exec_stack_start(boot);
    if (boot->cwd)
        enter_directory(boot->cwd);
    err = find(boot, path);
    if (err)
        give_up(boot->program, err);

    exec->dirfd = AT_FDCWD;
    exec->path = path;
    err = exec_open(exec);
    if (!err)
        err = strings_from_kernel(&exec->argv, boot->argv);
    if (!err)
        err = strings_from_kernel(&exec->envp, boot->envp);
    if (!err && exec->argv.len + exec->envp.len > exec_args_limit())
        err = -E2BIG;
    if (!err)
        err = exec_run(exec, true);
    if (err)
        give_up(boot->program, err);
    exec_free(exec);
    kfree(exec);
    kfree(path);
}
