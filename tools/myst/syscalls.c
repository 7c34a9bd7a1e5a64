/* tools/myst/syscalls.c: `myst syscalls`: the system-call table as a list. */
#include "settings.h"
#include "syscalls_info.h"
#include "tool.h"

#include <stdio.h>
#include <string.h>

#define CALLS (sizeof syscalls_info / sizeof *syscalls_info)

bool syscall_name_known(const char *name, size_t length)
{
    for (size_t i = 0; i < CALLS; i++) {
        if (strncmp(syscalls_info[i].name, name, length) == 0 &&
            syscalls_info[i].name[length] == '\0')
            return true;
    }
    return false;
}

static size_t count_status(const char *status)
{
    size_t count = 0;

    for (size_t i = 0; i < CALLS; i++)
        count += strcmp(syscalls_info[i].status, status) == 0;
    return count;
}

int cmd_syscalls(const struct invocation *invocation)
{
    int operands;
    int status = take_operands(invocation, 0, 0, &operands);
    if (status >= 0)
        return status;

    printf("# %zu calls: %zu full, %zu partial, %zu none\n", CALLS, count_status("full"),
           count_status("partial"), count_status("none"));
    for (size_t i = 0; i < CALLS; i++) {
        const struct syscall_info *call = &syscalls_info[i];
        printf("%3d  %-24s %-8s %s%s%s\n", call->nr, call->name, call->status, call->room,
               *call->note ? "  " : "", call->note);
    }
    return finish_output();
}
