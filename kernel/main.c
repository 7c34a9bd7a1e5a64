/* kernel/main.c: starts the rooms, lowest first, and then the program. */
#include "debug/debug.h"
#include "dev/dev.h"
#include "fs/root.h"
#include "host/boot.h"
#include "host/ready.h"
#include "host/thread.h"
#include "host/xstate.h"
#include "ipc/futex.h"
#include "ipc/pipe.h"
#include "ipc/sysv.h"
#include "ipc/timerfd.h"
#include "log/log.h"
#include "mm/alloc.h"
#include "net/socket.h"
#include "rewrite/rewrite.h"
#include "security/seccomp.h"
#include "self/self.h"
#include "signal/signal.h"
#include "syscall/syscall.h"
#include "task/exec.h"
#include "task/task.h"
#include "time/vdso.h"
#include "vfs/vfs.h"

#include <myst/boot.h>

/* The instance could not be set up: neither the program's status nor the shell's for a missing one. */
#define STATUS_SETUP (125 << 8)

static void __attribute__((noreturn)) setup_failed(const char *what, int err)
{
    if (what)
        log_error("start", "%s: error %d", what, -err);
    host_exit(STATUS_SETUP);
}

static void require(const char *what, int err)
{
    if (err)
        setup_failed(what, err);
}

static int files_start(void)
{
    self()->files = files_create();
    return self()->files ? 0 : -ENOMEM;
}

/* Programs run without one too: then every clock costs a call. */
static u64 map_vdso(void)
{
    s64 where = vdso_map();

    return where < 0 ? 0 : (u64)where;
}

void upcall_main(const struct boot_info *told)
{
    const char *field;
    const struct boot_info *boot = host_boot(told, &field);

    if (!boot)
        setup_failed(field, -EINVAL);
    log_set_level(boot->verbose ? LOG_INFO : LOG_WARN);
    pages_init(boot);
    debug_start(boot);
    brief_start(boot->cpus);
    host_ready_start();
    require("extended state", host_xstate_start());
    require("tasks", task_start(boot));
    require("vDSO", vdso_start());
    exec_vdso_map = map_vdso;
    require("vfs", vfs_start());
    require("descriptors", files_start());
    signal_start(boot);
    futex_start();
    pipe_start();
    timerfd_start();
    seccomp_start();
    rewrite_start(boot);
    require("System V IPC", sysv_start());
    require("network", net_start(boot));
    require("devices", dev_start(boot));
    if (root_mount(boot))
        setup_failed(NULL, 0); /* it has said why */
    require("/dev", dev_populate());
    require("console", dev_open_console(boot));
    if (boot->strace && strace_set_filter(boot->strace))
        setup_failed("--strace names a call that does not exist", -EINVAL);
    task_run_program(boot);
}
