/* program.c: runs programs and collects what they print. */
#include "program.h"

#include <limits.h>
#include <sys/auxv.h>

static char path_of_self[PATH_MAX];

/* Before the first chdir(): the path may be relative. */
__attribute__((constructor)) static void remember_path(void)
{
    const char *path = (const char *)getauxval(AT_EXECFN);

    if (!path || !realpath(path, path_of_self)) {
        path_of_self[0] = 0;
    }
}

const char *self_path(void)
{
    need(path_of_self[0] == '/');
    return path_of_self;
}

int program_role(const struct role *roles, int argc, char **argv)
{
    if (argc < 2 || argv[1][0] != '@') {
        return -1;
    }
    for (; roles->name; roles++) {
        if (strncmp(argv[1], roles->name, strlen(roles->name)) == 0) {
            return roles->main(argc, argv);
        }
    }
    dprintf(STDERR_FILENO, "unknown role %s\n", argv[1]);
    return CHILD_FAILED;
}

void run_body(struct run *run, int (*body)(void *), void *arg)
{
    int out[2];
    pid_t pid;

    need_eq(pipe2(out, O_CLOEXEC), 0);
    fflush(NULL);
    pid = fork();
    need(pid >= 0);
    if (pid == 0) {
        need_eq(dup2(out[1], STDOUT_FILENO), STDOUT_FILENO);
        _exit(body(arg));
    }
    close(out[1]);
    run->length = 0;
    while (run->length < sizeof run->out - 1) {
        ssize_t got = read(out[0], run->out + run->length, sizeof run->out - 1 - run->length);

        need(got >= 0);
        if (got == 0) {
            break;
        }
        run->length += (size_t)got;
    }
    run->out[run->length] = 0;
    close(out[0]);
    run->status = child_end(pid);
}

struct command {
    const char *path;
    char *const *argv;
    char *const *envp;
};

static int exec_command(void *arg)
{
    struct command *command = arg;

    execve(command->path, command->argv, command->envp);
    dprintf(STDERR_FILENO, "execve of %s: %s\n", command->path, strerror(errno));
    return 127;
}

void run_program(struct run *run, const char *path, char *const argv[], char *const envp[])
{
    struct command command = {path, argv, envp};

    run_body(run, exec_command, &command);
}

long exec_result(long nr, long a, long b, long c, long d, long e)
{
    int out[2];
    long result = 0;
    pid_t pid;

    need_eq(pipe2(out, O_CLOEXEC), 0);
    fflush(NULL);
    pid = fork();
    need(pid >= 0);
    if (pid == 0) {
        result = sys_raw(nr, a, b, c, d, e, 0);
        need_eq(write(out[1], &result, sizeof result), sizeof result);
        _exit(0);
    }
    close(out[1]);
    need(read(out[0], &result, sizeof result) >= 0);
    close(out[0]);
    child_end(pid);
    return result;
}

void make_program(const char *path, const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

    need(fd >= 0);
    need_eq(write(fd, bytes, size), size);
    need_eq(fchmod(fd, 0755), 0);
    need_eq(close(fd), 0);
}

void copy_self(const char *path, mode_t mode)
{
    static char block[65536];
    int in = open(self_path(), O_RDONLY | O_CLOEXEC);
    int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    ssize_t got;

    need(in >= 0 && out >= 0);
    while ((got = read(in, block, sizeof block)) > 0) {
        need_eq(write(out, block, (size_t)got), got);
    }
    need_eq(got, 0);
    need_eq(fchmod(out, mode), 0);
    close(in);
    need_eq(close(out), 0);
}
