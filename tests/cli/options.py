#!/usr/bin/python3 -B
"""The options of `myst exec`: what each one makes, its defaults, and every way to get it wrong."""

import json
import os
import resource
import signal

from support import (CliTest, ENVIRONMENT, LAUNCHED, NOBODY, NOT_STARTED, USAGE, as_root, main)

RDONLY, NOSUID, NODEV, NOEXEC, NOATIME = 1, 2, 4, 8, 1024
CANNOT_EXEC = 126


class Subcommands(CliTest):
    def test_none(self):
        self.refused(USAGE, ["a subcommand is missing", "myst help"])

    def test_unknown(self):
        self.refused(USAGE, ["'exce'"], "exce", "/", "true")

    def test_unknown_prints_one_line(self):
        self.refused(USAGE, ["a?b"], "a\nb")

    def test_help_forms_agree(self):
        text = self.succeed("help").stdout
        for name in (b"exec-linux", b"mkcpio", b"excpio", b"syscalls", b"version"):
            self.assertIn(name, text)
        self.assertEqual(self.succeed("--help").stdout, text)
        self.assertEqual(self.succeed("-h").stdout, text)

    def test_help_names_every_option(self):
        text = self.succeed("exec", "--help").stdout.decode()
        self.assertEqual(self.succeed("help", "exec").stdout.decode(), text)
        for name in ("--writable", "--mount", "--env", "--host-env", "--cwd", "--hostname",
                     "--user", "--memory-size", "--config", "--strace", "--stats", "--no-patch",
                     "--host-faults", "--net", "--publish", "--dns"):
            self.assertIn(f"  {name}", text)

    def test_help_of_unknown(self):
        self.refused(USAGE, ["'nothing'"], "help", "nothing")

    def test_version_forms_agree(self):
        text = self.succeed("version").stdout
        self.assertRegex(text, rb"^myst \d+\.\d+\.\d+\n$")
        self.assertEqual(self.succeed("--version").stdout, text)

    def test_operands_are_counted(self):
        self.refused(USAGE, ["mkcpio", "missing"], "mkcpio", "dir")
        self.refused(USAGE, ["excpio", "too many"], "excpio", "a", "b", "c")
        self.refused(USAGE, ["syscalls", "too many"], "syscalls", "a")
        self.refused(USAGE, ["syscalls", "--all"], "syscalls", "--all")

    def test_syscalls_lists_the_table(self):
        lines = self.succeed("syscalls").stdout.decode().splitlines()
        rows = [line.split() for line in lines if not line.startswith("#")]
        names = {int(row[0]): row[1] for row in rows}
        self.assertEqual((names[0], names[60], names[290]), ("read", "exit", "eventfd2"))
        self.assertLessEqual({row[2] for row in rows}, {"none", "partial", "full"})
        self.assertTrue(lines[0].startswith(f"# {len(rows)} calls: "))


class Defaults(CliTest):
    def test_everything(self):
        got = self.launched("/", "prog", "-x", "--env", "A=B", "")
        self.assertEqual(got["program"], "prog")
        self.assertEqual(got["argv"], ["prog", "-x", "--env", "A=B", ""])
        self.assertEqual(sorted(got["envp"]),
                         sorted(f"{key}={value}" for key, value in ENVIRONMENT.items()))
        self.assertEqual(got["hostname"], os.uname().nodename)
        self.assertEqual((got["rootfs"], got["rootfs_kind"], got["rootfs_fd"]),
                         ("/", "directory", "directory"))
        self.assertEqual((got["memory_size"], got["mounts"], got["strace"], got["closed_stdio"]),
                         (0, [], None, 0))
        self.assertEqual([got[key] for key in ("writable", "stats", "no_patch", "verbosity")],
                         [False, False, False, 0])

    def test_exec_linux_is_the_same(self):
        done = self.myst("exec-linux", "/", "prog")
        same = self.myst("exec", "/", "prog")
        self.assertEqual((done.returncode, done.stdout), (LAUNCHED, same.stdout))

    def test_ids_are_the_callers(self):
        got = self.launched("/", "p")
        self.assertEqual((got["uid"], got["gid"], sorted(got["groups"])),
                         (os.getuid(), os.getgid(), sorted(os.getgroups())))

    @as_root
    def test_ids_of_an_ordinary_caller(self):
        done = self.as_nobody("exec", "/", "p", group=12, extra_groups=[7, 99])
        got = json.loads(done.stdout)
        self.assertEqual((got["uid"], got["gid"], sorted(got["groups"])), (NOBODY, 12, [7, 99]))

    def test_cwd_is_the_callers_in_the_hosts_root(self):
        for root in ("/", "//", "/."):
            got = self.launched(root, "p")
            self.assertEqual((got["cwd"], got["rootfs_is_host"]),
                             (os.path.realpath(self.folder), True))

    def test_cwd_is_root_elsewhere(self):
        os.mkdir(self.path("root"))
        got = self.launched("root", "p")
        self.assertEqual((got["cwd"], got["rootfs_is_host"]), ("/", False))

    def test_environment_of_the_caller_stays_outside(self):
        got = self.launched("/", "p", env={"HOME": "/h", "SECRET": "1"})
        self.assertEqual(got["envp"], ["HOME=/h"])

    def test_inherited_signals_umask_and_niceness(self):
        nice = os.nice(0)
        def prepare():
            os.nice(3)
            os.umask(0o027)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
        got = self.launched("/", "p", preexec_fn=prepare, restore_signals=True)
        self.assertEqual(got["umask"], 0o027)
        self.assertEqual(got["nice"], min(nice + 3, 19))
        self.assertEqual(got["ignored_signals"], 1 << (signal.SIGHUP - 1))
        self.assertEqual(got["blocked_signals"], 1 << (signal.SIGUSR1 - 1))


class Options(CliTest):
    def test_both_forms_of_a_value(self):
        for words in (["--cwd", "/x"], ["--cwd=/x"]):
            self.assertEqual(self.launched(*words, "/", "p")["cwd"], "/x")

    def test_double_dash_ends_the_options(self):
        os.mkdir(self.path("-r"))
        self.assertEqual(self.launched("--stats", "--", "-r", "-p")["argv"], ["-p"])

    def test_flags(self):
        got = self.launched("--writable", "--stats", "--no-patch", "-v", "-v", "/", "p")
        self.assertEqual([got[key] for key in ("writable", "stats", "no_patch", "verbosity")],
                         [True, True, True, 2])

    def test_host_faults(self):
        for text, expected in (("7", (7, 100)), ("7:20", (7, 20)), ("0:1", (0, 1))):
            got = self.launched("--host-faults", text, "/", "p")
            self.assertEqual((got["fault_seed"], got["fault_interval"]), expected)
        self.assertEqual(self.launched("/", "p")["fault_interval"], 0)

    def test_network(self):
        got = self.launched("/", "p")
        self.assertEqual([got[key] for key in ("net_none", "publish", "dns")], [False, [], []])
        got = self.launched("--publish", "80", "--publish=8080:80", "--publish", "127.0.0.1:1:2",
                            "--publish", "[::1]:3", "--net", "host", "--dns", "192.0.2.1",
                            "--dns=2001:db8::1", "/", "p")
        self.assertEqual(got["publish"], [[None, 80, 80], [None, 8080, 80], ["127.0.0.1", 1, 2],
                                          ["::1", 3, 3]])
        self.assertEqual(got["dns"], ["192.0.2.1", "2001:db8::1"])
        self.assertTrue(self.launched("--net=none", "/", "p")["net_none"])

    def test_later_wins(self):
        self.assertEqual(self.launched("--cwd=/a", "--cwd=/b", "/", "p")["cwd"], "/b")

    def test_env_goes_over_the_callers(self):
        got = self.launched("--env", "PATH=/mine", "--env", "A=1", "--env=A=2=3", "--env=E=", "/",
                            "p", env={"PATH": "/theirs"})
        self.assertEqual(got["envp"], ["PATH=/mine", "A=2=3", "E="])

    def test_host_env(self):
        got = self.launched("--host-env", "A", "--host-env=UNSET", "/", "p", env={"A": "x y"})
        self.assertEqual(got["envp"], ["A=x y"])

    def test_hostname(self):
        self.assertEqual(self.launched("--hostname", "h" * 64, "/", "p")["hostname"], "h" * 64)

    def test_memory_size(self):
        for text, size in (("1", 1), ("4096", 4096), ("3k", 3 << 10), ("64m", 64 << 20),
                           ("2G", 2 << 30), ("17179869183g", 17179869183 << 30)):
            got = self.launched("--memory-size", text, "/", "p")["memory_size"]
            self.assertEqual(got % (1 << 64), size)

    def test_strace(self):
        self.assertEqual(self.launched("--strace", "/", "p")["strace"], "")
        self.assertEqual(self.launched("--strace=read,!write", "/", "p")["strace"], "read,!write")

    def test_user_numbers(self):
        for text, ids in (("1000:5", (1000, 5)), ("0:0", (0, 0)), ("4294967294:7", (-2, 7))):
            got = self.launched("--user", text, "/", "p")
            self.assertEqual((got["uid"], got["gid"], got["groups"]), (*ids, []))


class Mounts(CliTest):
    def mounts(self, *texts):
        words = [word for text in texts for word in ("--mount", text)]
        return self.launched(*words, "/", "p")["mounts"]

    def test_directory(self):
        self.assertEqual(self.mounts("/usr=/mnt"), [
            {"source": "/usr", "source_fd": "directory", "target": "/mnt", "type": "hostfs",
             "flags": 0, "data": ""}])

    def test_flags_and_type(self):
        got = self.mounts("/usr=/a:ro,nosuid,nodev,noexec,noatime", "/usr=/b:hostfs,ro,rw")
        self.assertEqual([(mount["target"], mount["flags"]) for mount in got],
                         [("/a", RDONLY | NOSUID | NODEV | NOEXEC | NOATIME), ("/b", 0)])

    def test_tmpfs_has_no_source(self):
        got = self.mounts("none=/t:tmpfs,size=4m,mode=700,nodev")[0]
        self.assertEqual((got["source_fd"], got["flags"], got["data"]),
                         (None, NODEV, "size=4m,mode=700"))

    def test_archive(self):
        os.mkdir(self.path("d"))
        self.succeed("mkcpio", "d", "a.cpio")
        got = self.mounts("a.cpio=/a")[0]
        self.assertEqual((got["source_fd"], got["type"]), ("file", "cpio"))

    def test_image(self):
        self.write("image", bytes(4096))
        got = self.mounts("image=/a:ext4,ro")[0]
        self.assertEqual((got["source_fd"], got["type"], got["flags"]), ("file", "ext4", RDONLY))

    def test_wrong_words(self):
        for text, words in (("", ["SRC=DST"]), ("/usr", ["'/usr'"]), ("=/x", ["SRC=DST"]),
                            ("/usr=", ["SRC=DST"]), ("/usr=x", ["'x'", "absolute"]),
                            ("/usr=/x:", ["''"]), ("/usr=/x:rw,xyz", ["'xyz'"]),
                            ("/usr=/x:ntfs", ["'ntfs'"]), ("/usr=/x:=3", ["'=3'"])):
            self.refused(USAGE, ["--mount", *words], "exec", "--mount", text, "/", "p")

    def test_wrong_sources(self):
        self.write("text", "hello")
        os.mkfifo(self.path("fifo"))
        for text, words in (("/nothing=/x", ["/nothing", "No such file"]),
                            ("text=/x", ["text", "archive"]), ("fifo=/x", ["neither"]),
                            ("/usr=/x:cpio", ["/usr", "cpio"]), ("/usr=/x:ext4", ["image"]),
                            ("fifo=/x:erofs", ["image"])):
            self.refused(NOT_STARTED, ["--mount", *words], "exec", "--mount", text, "/", "p")


class WrongOptions(CliTest):
    def refuse_option(self, words, *arguments):
        self.refused(USAGE, ["exec", *words], "exec", *arguments)

    def test_missing_operands(self):
        self.refuse_option(["ROOTFS is missing"])
        self.refuse_option(["ROOTFS is missing"], "--stats")
        self.refuse_option(["PROGRAM is missing"], "/")
        self.refuse_option(["program", "empty"], "/", "")

    def test_without_value(self):
        for name in ("--mount", "--env", "--host-env", "--cwd", "--hostname", "--user",
                     "--memory-size", "--config", "--host-faults", "--net", "--publish", "--dns"):
            self.refuse_option([f"{name} needs a value"], name)

    def test_with_a_value_too_many(self):
        for name in ("--writable", "--stats", "--no-patch", "--help"):
            self.refuse_option([f"{name} takes no value"], f"{name}=1", "/", "p")

    def test_unknown(self):
        for name in ("--envx", "--en", "-x", "-vv", "---", "-"):
            self.refuse_option([name], name, "/", "p")

    def test_env(self):
        for text in ("A", "", "=x"):
            self.refuse_option(["--env", f"'{text}'"], "--env", text, "/", "p")
        for text in ("A=1", ""):
            self.refuse_option(["--host-env", f"'{text}'"], "--host-env", text, "/", "p")

    def test_cwd(self):
        for text in ("", "x", "./x"):
            self.refuse_option(["--cwd", "absolute"], "--cwd", text, "/", "p")

    def test_hostname(self):
        self.refuse_option(["--hostname", "empty"], "--hostname", "", "/", "p")
        self.refuse_option(["--hostname", "64"], "--hostname", "h" * 65, "/", "p")

    def test_memory_size(self):
        for text in ("", "k", "1x", "1kk", "-1", "+1", " 1", "0x10", "1.5g"):
            self.refuse_option(["--memory-size", "not a size"], "--memory-size", text, "/", "p")
        for text in ("18446744073709551616", "17179869184g"):
            self.refuse_option(["--memory-size", "too large"], "--memory-size", text, "/", "p")
        self.refuse_option(["--memory-size", "0"], "--memory-size", "0", "/", "p")

    def test_host_faults(self):
        for text in ("", "x", "-1", "7:", "7:0", "7:x", "7:20:1", ":5", "7 ", "1" * 30,
                     "7:5000000000"):
            self.refuse_option(["--host-faults", "two numbers"], "--host-faults", text, "/", "p")

    def test_network(self):
        for text in ("", "all", "hosts"):
            self.refuse_option(["--net", "none or host"], "--net", text, "/", "p")
        for text in ("", "x", "0", "65536", "80:", ":80", "80:0", "80:1:2", "[::1]80", "::1:80",
                     "256.1.1.1:80", "[127.0.0.1", "1.2.3.4:", "-1", "80 "):
            self.refuse_option(["--publish", "[ADDRESS:]PORT[:PORT]"], "--publish", text, "/", "p")
        for text in ("", "localhost", "1.2.3", "::1%lo"):
            self.refuse_option(["--dns", "not an IP address"], "--dns", text, "/", "p")
        four = [word for n in range(4) for word in ("--dns", f"192.0.2.{n}")]
        self.refuse_option(["--dns", "3 name servers"], *four, "/", "p")
        self.refuse_option(["--net none"], "--net", "none", "--publish", "80", "/", "p")
        self.refuse_option(["--net none"], "--net", "none", "--dns", "192.0.2.1", "/", "p")

    def test_user(self):
        for text in ("", ":", ":1", "1:", "1:2:3"):
            self.refuse_option_of_user(text, "USER[:GROUP]")
        for text in ("4294967295", "99999999999999999999", "1:4294967295"):
            self.refuse_option_of_user(text, "no valid id")

    def refuse_option_of_user(self, text, word):
        self.refused(USAGE, ["--user", word], "exec", "--user", text, "/", "p")

    def test_strace(self):
        for text, word in (("reed", "'reed'"), ("read,!wryte", "'wryte'"), ("read,", "empty"),
                           (",", "empty"), ("!", "empty")):
            self.refuse_option(["--strace", word], f"--strace={text}", "/", "p")

    def test_writable_archive(self):
        os.mkdir(self.path("d"))
        self.succeed("mkcpio", "d", "a.cpio")
        self.refused(USAGE, ["--writable", "a.cpio"], "exec", "--writable", "a.cpio", "p")


class RootFileSystem(CliTest):
    def test_missing(self):
        self.refused(NOT_STARTED, ["nothing", "No such file"], "exec", "nothing", "p")
        self.refused(NOT_STARTED, ["No such file"], "exec", "", "p")

    def test_neither_directory_nor_archive(self):
        self.write("text", "#!/bin/sh\n" + "x" * 200)
        self.refused(NOT_STARTED, ["text", "not a cpio archive"], "exec", "text", "p")
        self.refused(NOT_STARTED, ["/dev/null", "neither"], "exec", "/dev/null", "p")

    def test_fifo_does_not_block(self):
        os.mkfifo(self.path("fifo"))
        self.refused(NOT_STARTED, ["fifo", "neither"], "exec", "fifo", "p")

    def test_empty_file(self):
        self.write("empty", "")
        self.refused(NOT_STARTED, ["empty", "trailer"], "exec", "empty", "p")

    def test_archive(self):
        self.write("d/x", "x")
        self.succeed("mkcpio", "d", "a.cpio")
        got = self.launched("a.cpio", "/x")
        self.assertEqual((got["rootfs_kind"], got["rootfs_fd"], got["cwd"]), ("cpio", "file", "/"))

    def test_truncated_archive(self):
        self.write("d/x", "x" * 1000)
        self.succeed("mkcpio", "d", "a.cpio")
        with open(self.path("a.cpio"), "rb") as file:
            data = file.read()
        self.write("cut", data[:600])
        self.refused(NOT_STARTED, ["cut", "end"], "exec", "cut", "p")

    @as_root
    def test_unreadable(self):
        os.mkdir(self.path("closed"), 0o700)
        self.write("file", "x")
        os.chmod(self.path("file"), 0o600)
        for name in ("closed", "file"):
            self.complain(NOT_STARTED, [name, "Permission denied"],
                          self.as_nobody("exec", name, "p"))

    def test_no_descriptor_left(self):
        def take_all():
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
        self.refused(NOT_STARTED, ["/", "Too many open files"], "exec", "/", "p",
                     preexec_fn=take_all)

    def test_deleted_working_directory(self):
        os.mkdir(self.path("gone"))
        def leave():
            os.chdir(self.path("gone"))
            os.rmdir(self.path("gone"))
        try:
            self.refused(NOT_STARTED, ["working directory", "No such file", "--cwd"], "exec", "/",
                         "p", preexec_fn=leave)
        finally:
            os.makedirs(self.path("gone"), exist_ok=True)
        self.assertEqual(self.launched("--cwd", "/", "/", "p", preexec_fn=leave)["cwd"], "/")


class Users(CliTest):
    def setUp(self):
        super().setUp()
        self.write("r/etc/passwd", "root:x:0:0::/:/bin/sh\nbroken\nann:x:1001:2001:Ann:/:/bin/sh\n"
                                   "odd:x:-1:3:::\n\n")
        self.write("r/etc/group", "wheel:x:10:root,ann\nann:x:2001:\nstaff:x:50:bob,ann,eve\n"
                                  "annex:x:51:anna\nbad:x:y:ann\n")

    def ids(self, root, user):
        got = self.launched("--user", user, root, "p")
        return got["uid"], got["gid"], got["groups"]

    def test_name(self):
        self.assertEqual(self.ids("r", "ann"), (1001, 2001, [2001, 10, 50]))
        self.assertEqual(self.ids("r", "root"), (0, 0, [0, 10]))

    def test_listed_number(self):
        self.assertEqual(self.ids("r", "1001"), (1001, 2001, [2001, 10, 50]))

    def test_number_without_entry(self):
        self.assertEqual(self.ids("r", "77"), (77, 77, []))

    def test_group(self):
        self.assertEqual(self.ids("r", "ann:staff"), (1001, 50, []))
        self.assertEqual(self.ids("r", "77:wheel"), (77, 10, []))
        self.assertEqual(self.ids("r", "ann:4"), (1001, 4, []))

    def test_in_an_archive(self):
        self.succeed("mkcpio", "r", "r.cpio")
        self.assertEqual(self.ids("r.cpio", "ann"), (1001, 2001, [2001, 10, 50]))

    def test_unknown(self):
        for user, word in (("bob", "'bob'"), ("odd", "'odd'"), ("ann:bob", "'bob'"),
                           ("ann:bad", "'bad'")):
            self.refused(USAGE, ["--user", word], "exec", "--user", user, "r", "p")
        os.mkdir(self.path("bare"))
        self.refused(USAGE, ["--user", "'ann'"], "exec", "--user", "ann", "bare", "p")

    def test_link_out_of_the_root_is_not_followed(self):
        os.remove(self.path("r/etc/passwd"))
        self.write("passwd", "outer:x:5:5:::\n")
        os.symlink("../../passwd", self.path("r/etc/passwd"))
        self.refused(USAGE, ["'outer'"], "exec", "--user", "outer", "r", "p")
        self.write("r/passwd", "inner:x:6:6:::\n")
        self.assertEqual(self.ids("r", "inner"), (6, 6, [6]))


class ArgumentSize(CliTest):
    """execve(2): 128 KiB a string; a quarter of the stack limit, at most 6 MiB, together."""

    def refuse(self, parameters):
        self.write("c.json", '{"ApplicationPath": "prog", "ApplicationParameters": [%s]}'
                   % ",".join(f'"{text}"' for text in parameters))
        self.refused(CANNOT_EXEC, ["prog", "Argument list too long"], "exec", "--config", "c.json",
                     "/", preexec_fn=self.small_stack)

    @staticmethod
    def small_stack():
        resource.setrlimit(resource.RLIMIT_STACK, (1 << 20, 1 << 20))

    def test_one_string(self):
        self.refuse(["x" * 131072])

    def test_all_together(self):
        self.refuse(["x" * 1000] * 300)

    def test_pointers_count(self):
        self.refuse(["x"] * 30000)

    def test_just_below(self):
        self.write("c.json", '{"ApplicationPath": "prog", "ApplicationParameters": ["%s"]}'
                   % ("x" * 131071))
        done = self.myst("exec", "--config", "c.json", "/", preexec_fn=self.small_stack)
        self.assertEqual(done.returncode, LAUNCHED)


if __name__ == "__main__":
    main()
