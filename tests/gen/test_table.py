"""Contract 1's own tests: the table agrees with Linux's headers, and what follows from it compiles.

    python3 -m unittest discover -s tests/gen
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools", "gen"))

from table import Table, TableError         # noqa: E402

GENERATOR = os.path.join(ROOT, "tools", "gen", "gen.py")
UNISTD = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"

# How many arguments the kernel takes, from section 2 of the manual (where the C library's wrapper
# differs, its notes on the raw call), and for the newest calls from Linux's headers.
ARGUMENTS = {
    0: """
        rt_sigreturn sched_yield pause getpid fork vfork getuid getgid geteuid getegid getppid
        getpgrp setsid munlockall vhangup sync getpmsg putpmsg afs_syscall tuxcall security gettid
        epoll_ctl_old epoll_wait_old restart_syscall vserver inotify_init uretprobe uprobe
    """,
    1: """
        close brk pipe dup alarm exit uname shmdt fsync fdatasync chdir fchdir rmdir unlink umask
        sysinfo times setuid setgid getpgid setfsuid setfsgid getsid uselib personality
        sched_getscheduler sched_get_priority_max sched_get_priority_min mlockall _sysctl adjtimex
        chroot acct swapoff iopl get_kernel_syms time set_thread_area io_destroy get_thread_area
        epoll_create set_tid_address timer_getoverrun timer_delete exit_group mq_unlink unshare
        eventfd epoll_create1 inotify_init1 syncfs userfaultfd pkey_free memfd_secret
    """,
    2: """
        stat fstat lstat munmap access dup2 nanosleep getitimer shutdown listen kill msgget flock
        truncate ftruncate getcwd rename mkdir creat link symlink chmod fchmod gettimeofday
        getrlimit getrusage setpgid setreuid setregid getgroups setgroups capget capset
        rt_sigpending rt_sigsuspend sigaltstack utime ustat statfs fstatfs getpriority
        sched_setparam sched_getparam sched_rr_get_interval mlock munlock pivot_root arch_prctl
        setrlimit settimeofday umount2 swapon sethostname setdomainname create_module
        delete_module removexattr lremovexattr fremovexattr tkill io_setup timer_gettime
        clock_settime clock_gettime clock_getres utimes mq_notify ioprio_get inotify_rm_watch
        set_robust_list timerfd_create timerfd_gettime eventfd2 pipe2 fanotify_init clock_adjtime
        setns memfd_create pkey_alloc io_uring_setup fsopen pidfd_open clone3
        landlock_restrict_self process_mrelease
    """,
    3: """
        read write open poll lseek mprotect ioctl readv writev msync mincore madvise shmget shmat
        shmctl setitimer socket connect accept sendmsg recvmsg bind getsockname getpeername execve
        semget semop msgctl fcntl getdents readlink chown fchown lchown syslog setresuid getresuid
        setresgid getresgid rt_sigqueueinfo mknod sysfs setpriority sched_setscheduler modify_ldt
        ioperm init_module nfsservctl readahead listxattr llistxattr flistxattr sched_setaffinity
        sched_getaffinity io_submit io_cancel lookup_dcookie getdents64 timer_create tgkill
        set_mempolicy mq_getsetattr ioprio_set inotify_add_watch mkdirat futimesat unlinkat
        symlinkat fchmodat faccessat get_robust_list signalfd dup3 open_by_handle_at getcpu
        finit_module sched_setattr seccomp getrandom bpf membarrier mlock2 open_tree fsmount
        fspick close_range pidfd_getfd landlock_create_ruleset map_shadow_stack lsm_list_modules
        mseal
    """,
    4: """
        rt_sigaction rt_sigprocmask pread64 pwrite64 sendfile socketpair wait4 semctl msgsnd
        ptrace rt_sigtimedwait reboot quotactl getxattr lgetxattr fgetxattr semtimedop fadvise64
        timer_settime clock_nanosleep epoll_wait epoll_ctl mq_open kexec_load request_key
        migrate_pages openat mknodat newfstatat renameat readlinkat tee sync_file_range vmsplice
        utimensat fallocate timerfd_settime accept4 signalfd4 rt_tgsigqueueinfo prlimit64 sendmmsg
        sched_getattr pkey_mprotect rseq pidfd_send_signal io_uring_register openat2 faccessat2
        quotactl_fd landlock_add_rule set_mempolicy_home_node cachestat fchmodat2 futex_wake
        futex_requeue statmount listmount lsm_get_self_attr lsm_set_self_attr removexattrat listns
    """,
    5: """
        select mremap setsockopt getsockopt clone msgrcv prctl mount query_module setxattr
        lsetxattr fsetxattr io_getevents remap_file_pages get_mempolicy mq_timedsend
        mq_timedreceive waitid add_key keyctl fchownat linkat ppoll preadv pwritev perf_event_open
        recvmmsg fanotify_mark name_to_handle_at kcmp renameat2 kexec_file_load execveat statx
        move_mount fsconfig process_madvise mount_setattr futex_waitv listxattrat open_tree_attr
        file_getattr file_setattr
    """,
    6: """
        mmap sendto recvfrom futex mbind pselect6 splice move_pages epoll_pwait process_vm_readv
        process_vm_writev copy_file_range preadv2 pwritev2 io_pgetevents io_uring_enter
        epoll_pwait2 futex_wait setxattrat getxattrat
    """,
}

# Linux numbers new calls alike on all architectures since 424.
HOLE = range(337, 424)


def table_of(**files):
    """A Table from texts: syscalls is syscall/syscalls.tbl, other names are rooms."""
    with tempfile.TemporaryDirectory() as kernel:
        for room, text in files.items():
            name = "syscall/syscalls.tbl" if room == "syscalls" else f"{room}/{room}.tbl"
            path = os.path.join(kernel, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="ascii") as file:
                file.write(text)
        return Table(kernel)


class Rows(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rows = Table(os.path.join(ROOT, "kernel")).rows

    def test_each_number_has_one_row(self):
        numbers = [row.nr for row in self.rows]
        expected = [nr for nr in range(max(numbers) + 1) if nr not in HOLE]
        self.assertEqual(numbers, expected)

    def test_names_and_numbers_are_those_of_the_headers(self):
        with open(UNISTD, encoding="ascii") as file:
            headers = dict(re.findall(r"#define __NR_(\w+) (\d+)", file.read()))
        ours = {row.name: str(row.nr) for row in self.rows}
        self.assertGreater(len(headers), 300)
        self.assertEqual({name: ours.get(name) for name in headers}, headers)

    def test_argument_counts(self):
        expected = {name: count for count, names in ARGUMENTS.items() for name in names.split()}
        self.assertEqual({row.name: len(row.args) for row in self.rows}, expected)


class Syntax(unittest.TestCase):
    def refuses(self, text, why):
        with self.assertRaisesRegex(TableError, why):
            table_of(syscalls=text)

    def test_a_row(self):
        table = table_of(syscalls="include ipc/ipc.tbl\n",
                         ipc="290 + eventfd2 initval:u32\n    flags:set(A|B) -> fd ; a note # no\n")
        row = table.rows[0]
        self.assertEqual((row.nr, row.name, row.room, row.result), (290, "eventfd2", "ipc", "fd"))
        self.assertEqual((row.handler, row.note), ("sys_eventfd2", "a note"))
        self.assertEqual([arg.c_type for arg in row.args], ["unsigned int", "int"])
        self.assertEqual(table.sets["eventfd2_flags"].items, [("A", None), ("B", None)])

    def test_a_handler_of_another_name(self):
        row = table_of(syscalls="1 + stat a:path b:out(stat) -> err = sys_newstat\n").rows[0]
        self.assertEqual(row.handler, "sys_newstat")
        self.assertEqual([arg.c_type for arg in row.args],
                         ["const char __user *", "struct stat __user *"])

    def test_lengths(self):
        row = table_of(syscalls="1 f a:in(bytes,n) b:out(i32,2) c:in(open_how,sizeof:n) "
                                "d:out(bytes,sizeof:*e)? e:inout(i32) n:size -> err\n").rows[0]
        lengths = [(arg.length.elements, arg.length.deref, arg.length.arg, arg.length.fixed)
                   for arg in row.args[:4]]
        self.assertEqual(lengths, [(True, False, "n", 0), (True, False, "", 2),
                                   (False, False, "n", 0), (False, True, "e", 0)])
        self.assertEqual([arg.nullable for arg in row.args], [False] * 3 + [True] + [False] * 2)

    def test_no_mark_means_no_handler(self):
        self.assertEqual(table_of(syscalls="1 f -> err\n").rows[0].handler, "")

    def test_mistakes_are_refused(self):
        self.refuses("1 f -> err\n1 g -> err\n", "1 stands at .*:1 already")
        self.refuses("1 f -> err\n2 f -> err\n", "f stands at .*:1 already")
        self.refuses("1 f a:flags(x) -> err\n", "unknown kind")
        self.refuses("1 f a:set(nosuch) -> err\n", "no set nosuch")
        self.refuses("1 f a:i32? -> err\n", "only pointers")
        self.refuses("1 f a:in(bytes,len) -> err\n", "no argument len")
        self.refuses("1 f a:i32 a:i32 -> err\n", "two arguments of one name")
        self.refuses("1 f -> nothing\n", "unknown result")
        self.refuses("1 f a:i32\n", "not `NR")
        self.refuses("1 f -> err = sys_g\n", "not marked")
        self.refuses("1 f a:i32 b:i32 c:i32 d:i32 e:i32 f:i32 g:i32 -> err\n", "more than six")
        self.refuses("rows 1 f -> err\n", "neither a row")
        self.refuses("set a B\nset a C\n", "defined at")


class GeneratedCode(unittest.TestCase):
    """With every row marked, as if each call had its handler."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.kernel = os.path.join(cls.folder.name, "kernel")
        cls.out = os.path.join(cls.folder.name, "gen")
        shutil.copytree(os.path.join(ROOT, "kernel"), cls.kernel)
        for folder, _, names in os.walk(cls.kernel):
            for name in names:
                if name.endswith(".tbl"):
                    cls.mark_all(os.path.join(folder, name))
        subprocess.run([sys.executable, "-B", GENERATOR, "--out", cls.out, "--docs", cls.out,
                        cls.kernel], check=True, cwd=ROOT)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @staticmethod
    def mark_all(path):
        with open(path, encoding="ascii") as file:
            text = file.read()
        with open(path, "w", encoding="ascii") as file:
            file.write(re.sub(r"^(\d+)\s+(?:\+\s+)?", r"\1 + ", text, flags=re.M))

    def compile(self, compiler, *flags):
        headers = subprocess.run([compiler, "-print-file-name=include"], check=True, text=True,
                                 stdout=subprocess.PIPE).stdout.strip()
        for name in ("syscall_dispatch.c", "syscall_decode.c"):
            subprocess.run([compiler, "-std=gnu11", "-ffreestanding", "-nostdinc", "-fsyntax-only",
                            "-Wall", "-Wextra", "-Werror", *flags, "-isystem", headers,
                            "-isystem", "/usr/include", "-isystem", "/usr/include/x86_64-linux-gnu",
                            "-I" + os.path.join(ROOT, "include"), "-I" + self.kernel,
                            "-I" + self.out, os.path.join(self.out, name)], check=True)

    def test_gcc_compiles_it(self):
        self.compile("gcc")

    def test_clang_compiles_it_and_keeps_user_pointers_apart(self):
        if not shutil.which("clang"):
            self.skipTest("no clang")
        self.compile("clang", "-D__CHECK_USER__")

    def test_every_call_has_its_thunk_and_is_partial(self):
        with open(os.path.join(self.out, "syscall_dispatch.c"), encoding="ascii") as file:
            thunks = re.findall(r"\[\d+\] = thunk_(\w+),", file.read())
        with open(os.path.join(self.out, "syscalls.md"), encoding="ascii") as file:
            docs = file.read()
        names = [row.name for row in Table(self.kernel).rows]
        self.assertEqual(thunks, names)
        self.assertIn(f"{len(names)} calls: ", docs)
        self.assertIn("do not edit", docs.splitlines()[0])


if __name__ == "__main__":
    unittest.main()
