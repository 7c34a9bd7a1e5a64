/* tools/myst/main.c: finds the subcommand and runs it. */
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char exec_details[] =
    "ROOTFS is a directory or a cpio archive (newc). Writes to a directory go to a layer in "
    "memory\n"
    "unless --writable is given. PROGRAM without a slash is looked up in PATH, inside ROOTFS.\n"
    "\n"
    "  --writable             let the program write to the directory ROOTFS\n"
    "  --mount SRC=DST[:TYPE][,OPTION...]\n"
    "                         mount the host's SRC at DST; options: ro rw nosuid nodev noexec "
    "noatime\n"
    "  --env KEY=VALUE        set a variable of the program's environment\n"
    "  --host-env NAME        pass the caller's variable NAME (PATH, HOME, TERM, LANG always are)\n"
    "  --cwd DIR              start in DIR (default: the caller's if ROOTFS is /, else /)\n"
    "  --hostname NAME        the host name that the program sees\n"
    "  --user USER[:GROUP]    numbers, or names of ROOTFS's etc/passwd and etc/group\n"
    "                         (default: the caller's ids; capabilities only for uid 0)\n"
    "  --net none|host        may the program reach what the host reaches? (default: host)\n"
    "  --publish [ADDRESS:]PORT[:PORT]\n"
    "                         connections to the host's PORT (at ADDRESS) go to the PORT inside\n"
    "  --dns ADDRESS          a name server, up to three (default: the host's)\n"
    "  --memory-size SIZE     most memory the instance may use, in bytes or with k, m, g\n"
    "  --config FILE          JSON settings (docs/config.md); options override them\n"
    "  --strace[=FILTER]      print system calls; FILTER: names with commas, !name leaves one out\n"
    "  --stats                print figures at the end\n"
    "  --no-patch             do not rewrite call sites: every system call traps\n"
    "  --host-faults SEED[:INTERVAL]\n"
    "                         let the host fail now and then, one call in INTERVAL (100); a seed "
    "repeats\n"
    "                         them, -v names them\n"
    "  -v                     say more; may be repeated\n"
    "  --help                 print this\n"
    "\n"
    "The exit status is the program's, 128+n after signal n, 127 if PROGRAM is not found, 126 if "
    "it\n"
    "cannot be executed, 125 if myst itself failed, 2 for wrong usage.\n";

const struct subcommand subcommands[] = {
    {"exec", "[OPTIONS] ROOTFS [PROGRAM [ARGS...]]", "run a program on the default target",
     exec_details, cmd_exec},
    {"exec-linux", "[OPTIONS] ROOTFS [PROGRAM [ARGS...]]",
     "run a program as processes of this host", exec_details, cmd_exec},
    {"mkcpio", "DIR FILE", "make a cpio archive (newc) of a directory",
     "The archive holds what DIR holds, sorted by name. FILE - is standard output.\n", cmd_mkcpio},
    {"excpio", "FILE DIR", "unpack a cpio archive (newc) into a directory",
     "DIR is made if missing. FILE - is standard input. Nothing outside DIR is touched: absolute\n"
     "names, '..', and paths through symbolic links are errors.\n",
     cmd_excpio},
    {"syscalls", "", "list the system calls and how far each is there",
     "A line has number, name, status and room. The status is full when every errno and flag that\n"
     "the call's conformance test names passes, partial when it is answered, none when it is not\n"
     "there yet: the program gets ENOSYS.\n",
     cmd_syscalls},
    {"help", "[SUBCOMMAND]", "explain myst or one subcommand", NULL, cmd_help},
    {"version", "", "print the version", NULL, cmd_version},
    {NULL, NULL, NULL, NULL, NULL},
};

const struct subcommand *subcommand_find(const char *name)
{
    for (const struct subcommand *command = subcommands; command->name; command++) {
        if (strcmp(command->name, name) == 0)
            return command;
    }
    return NULL;
}

/* Occupies those of descriptors 0 to 2 that are closed, so that no file of ours lands there and no
 * message goes into it. The stand-ins are open the wrong way round: use of them fails with EBADF as
 * it would have on the closed one. Returns the mask of those that were closed. */
static unsigned reserve_stdio(void)
{
    unsigned closed = 0;

    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
            continue;
        closed |= 1u << fd;
        int null = open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
        if (null != fd) {
            complain("/dev/null: %s", null < 0 ? strerror(errno) : "unexpected descriptor");
            exit(STATUS_NOT_STARTED);
        }
    }
    return closed;
}

int main(int argc, char **argv)
{
    unsigned closed = reserve_stdio();

    if (argc < 2) {
        complain("a subcommand is missing (see 'myst help')");
        return STATUS_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    else if (strcmp(name, "--version") == 0)
        name = "version";

    const struct subcommand *command = subcommand_find(name);
    if (!command) {
        complain("there is no subcommand '%s' (see 'myst help')", name);
        return STATUS_USAGE;
    }
    argv[1] = (char *)command->name;
    struct invocation invocation = {.argc = argc - 1, .argv = argv + 1, .closed_stdio = closed};
    return command->run(&invocation);
}
