#!/usr/bin/python3 -B
"""A host directory that changes underneath, and one that is written: what programs inside see of the host's
changes, and what the host sees of theirs.

A program inside evaluates one Python expression after another, so that a test does things inside and outside
by turns. The same folder is seen twice: at /mnt/host it is mounted, where it lies it is the lower layer of the
root, under a layer in memory."""

import os
import shutil
import signal
import subprocess
import time
import unittest

from support import NOBODY, ROOT, CliTest, as_root, main

MYST = os.path.join(ROOT, "build", "myst")
MOUNT = "/mnt/host"

EVALUATE = """
import errno, mmap, os, stat, sys
def put(name, text, mode='w'):
    with open(name, mode) as file: return file.write(text)
def get(name):
    with open(name) as file: return file.read()
def each(*steps):
    return [step() for step in steps][-1]
def error(step):
    try: return step()
    except OSError as e: return errno.errorcode[e.errno]
fds = {}
print('ready', flush=True)
for line in sys.stdin:
    try:
        print(repr(eval(line)), flush=True)
    except OSError as e:
        print(repr(errno.errorcode[e.errno]), flush=True)
"""


class Inside:
    """A program inside, which says what expressions are worth; of an OSError, its name."""

    def __init__(self, test, *arguments, **options):
        self.process = subprocess.Popen(
            [*options.pop("before", ()), options.pop("binary", MYST), "exec", *arguments, "/", "/usr/bin/python3", "-S", "-c", EVALUATE],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **options)
        test.addCleanup(self.end)
        test.assertEqual(self.process.stdout.readline(), "ready\n")

    def __call__(self, expression):
        self.process.stdin.write(expression + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        return eval(answer) if answer else None

    def end(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


@unittest.skipUnless(os.access(MYST, os.X_OK), "needs myst")
class HostTest(CliTest):
    options = ""

    def setUp(self):
        super().setUp()
        self.host = self.path("host")
        os.mkdir(self.host)
        self.write("host/a", "a\n")
        self.write("host/dir/x", "x\n")
        self.write("secret", "secret\n")
        self.ask = Inside(self, f"--mount={self.host}={MOUNT}{self.options}")

    def mounted(self, expression):
        return self.ask(expression.replace("H/", MOUNT + "/"))

    def at(self, *names):
        return os.path.join(self.host, *names)

    def text(self, *names):
        with open(self.at(*names), encoding="ascii") as file:
            return file.read()


def replace(at, text):
    with open(at + ".new", "w", encoding="ascii") as file:
        file.write(text)
    os.rename(at + ".new", at)


def make_directory(at):
    os.unlink(at)
    os.mkdir(at)
    replace(os.path.join(at, "in"), "in\n")


def make_link(at, target):
    if os.path.isdir(at):
        shutil.rmtree(at)
    else:
        os.unlink(at)
    os.symlink(target, at)


class ChangedUnderneath(HostTest):
    """What was looked up is believed for a second where the host's changes matter less, so answers are waited for."""

    # What: the text of the file @ (None: there is none; a dict: a directory), what is asked first, and
    # what the host then does to @, and what becomes true.
    CHANGES = {
        "name appears": (None, ("get('@')", "ENOENT"), lambda at: replace(at, "new"), [
            ("get('@')", "new"), ("os.path.basename('@') in os.listdir('H/')", True)]),
        "name vanishes": ("text", ("get('@')", "text"), os.unlink, [
            ("get('@')", "ENOENT"), ("os.path.exists('@')", False),
            ("os.path.basename('@') in os.listdir('H/')", False)]),
        "file is replaced": ("text", ("get('@')", "text"), lambda at: replace(at, "another"), [
            ("get('@')", "another"), ("os.stat('@').st_size", 7)]),
        "file becomes a directory": ("text", ("get('@')", "text"), make_directory, [
            ("get('@')", "EISDIR"), ("get('@/in')", "in\n"), ("os.listdir('@')", ["in"])]),
        "file becomes a link": ("text", ("get('@')", "text"), lambda at: make_link(at, "a"), [
            ("get('@')", "a\n"), ("os.readlink('@')", "a"), ("get('@/in')", "ENOTDIR")]),
        "directory becomes a file": ({"x": "x"}, ("get('@/x')", "x"),
                                     lambda at: (shutil.rmtree(at), replace(at, "text")), [
            ("get('@')", "text"), ("get('@/x')", "ENOTDIR")]),
        "directory becomes a link that leads out": (
            {"passwd": "x"}, ("get('@/passwd')", "x"), lambda at: make_link(at, os.path.dirname(at) + ".out"), [
                ("get('@/passwd')", "ENOENT")]),
        "directory moves": ({"x": "x"}, ("get('@/x')", "x"), lambda at: os.rename(at, at + ".moved"), [
            ("get('@/x')", "ENOENT"), ("get('@.moved/x')", "x")]),
        "directory goes that is open": (
            {"x": "x"}, ("fds.setdefault('@', os.open('@', os.O_RDONLY)) > 0", True), shutil.rmtree, [
                ("os.listdir('@')", "ENOENT"), ("os.access('x', os.F_OK, dir_fd=fds['@'])", False),
                ("os.listdir(fds['@'])", [])]),
        "directory gets and loses names": (
            {"x": "x"}, ("os.listdir('@')", ["x"]),
            lambda at: (os.unlink(at + "/x"), replace(at + "/y", "y"), os.mkdir(at + "/z")), [
                ("sorted(os.listdir('@'))", ["y", "z"]), ("get('@/x')", "ENOENT"), ("get('@/y')", "y")]),
        "file grows": ("text", ("get('@')", "text"), lambda at: os.truncate(at, 10000), [
            ("len(get('@'))", 10000), ("os.stat('@').st_size", 10000)]),
        "file shrinks": ("t" * 10000, ("len(get('@'))", 10000), lambda at: os.truncate(at, 1), [
            ("get('@')", "t"), ("os.stat('@').st_size", 1)]),
        "open file loses its name": (
            "text", ("fds.setdefault('@', os.open('@', os.O_RDONLY)) > 0", True), os.unlink, [
                ("os.pread(fds['@'], 10, 0)", b"text"), ("os.fstat(fds['@']).st_size", 4), ("get('@')", "ENOENT")]),
        "open file is replaced": (
            "text", ("fds.setdefault('@', os.open('@', os.O_RDONLY)) > 0", True), lambda at: replace(at, "new"), [
                ("os.pread(fds['@'], 10, 0)", b"text"), ("get('@')", "new")]),
        "mode changes": ("text", ("oct(os.stat('@').st_mode & 0o7777)", "0o644"), lambda at: os.chmod(at, 0o4711), [
            ("oct(os.stat('@').st_mode & 0o7777)", "0o4711")]),
    }

    def put_before(self, at, before):
        if isinstance(before, dict):
            os.mkdir(at)
            for name, text in before.items():
                replace(os.path.join(at, name), text)
        elif before is not None:
            replace(at, before)
            os.chmod(at, 0o644)

    def ask_at(self, where, name, expression):
        return self.ask(expression.replace("@", f"{where}/{name}").replace("H/", where + "/"))

    def test_changes_are_seen(self):
        """All at once, since what is seen late is seen late together."""
        names = {what: what.replace(" ", "_") for what in self.CHANGES}
        for what, (before, _, _, _) in self.CHANGES.items():
            self.put_before(self.at(names[what]), before)
        os.mkdir(self.host + ".out")
        self.write("host.out/passwd", "outside\n")
        # Where the link leads, inside stands something else.
        self.ask(f"(os.unlink('{self.host}.out/passwd'), 0)[1]")
        for where in (MOUNT, self.host):
            for what, (_, (expression, first), _, _) in self.CHANGES.items():
                self.assertEqual(self.ask_at(where, names[what], expression), first, what)
        for what, (_, _, change, _) in self.CHANGES.items():
            change(self.at(names[what]))
        deadline = time.monotonic() + 30
        for where in (MOUNT, self.host):
            for what, (_, _, _, after) in self.CHANGES.items():
                for expression, expected in after:
                    with self.subTest(what, where=where, expression=expression):
                        while (seen := self.ask_at(where, names[what], expression)) != expected:
                            self.assertLess(time.monotonic(), deadline, seen)
                            time.sleep(0.02)

    def test_mapping_of_a_file_that_shrank(self):
        """The program dies of SIGBUS, or sees what was there; the instance lives."""
        child = "each(lambda: fds.update(p=os.fork()), lambda: fds['p'] or (m[16384], os._exit(0)))"
        for where in (MOUNT, self.host):
            self.write("host/a", "a" * 20000)
            self.ask(f"globals().update(f=os.open('{where}/a', os.O_RDONLY))")
            self.ask("globals().update(m=mmap.mmap(f, 20000, mmap.MAP_SHARED, mmap.PROT_READ))")
            self.assertEqual(self.ask("m[16384]"), ord("a"))
            self.write("host/a", "b")
            self.ask(child)
            self.assertIn(self.ask("os.waitpid(fds['p'], 0)[1]"), (0, signal.SIGBUS))
            self.assertEqual(self.ask("1 + 1"), 2)


class LayerKeeps(HostTest):
    """What the layer in memory has taken stays, whatever the host does."""

    def layered(self, expression):
        return self.ask(expression.replace("H/", self.host + "/"))

    def test_copy_is_independent(self):
        self.layered("put('H/a', 'mine', 'a')")
        self.write("host/a", "host\n")
        self.assertEqual(self.layered("get('H/a')"), "a\nmine")
        os.unlink(self.at("a"))
        self.assertEqual(self.layered("get('H/a')"), "a\nmine")
        self.assertEqual(self.layered("sorted(os.listdir('H/'))"), ["a", "dir"])

    def test_removed_name_stays_removed(self):
        self.layered("os.unlink('H/a')")
        self.write("host/a", "host\n")
        self.assertEqual(self.layered("get('H/a')"), "ENOENT")
        self.layered("os.mkdir('H/a')")
        self.assertEqual(self.layered("os.listdir('H/a')"), [])

    def test_new_directory_over_a_removed_one_is_opaque(self):
        self.layered("(os.unlink('H/dir/x'), os.rmdir('H/dir'), os.mkdir('H/dir'))")
        self.write("host/dir/late", "late\n")
        self.assertEqual(self.layered("os.listdir('H/dir')"), [])
        self.assertEqual(self.layered("get('H/dir/late')"), "ENOENT")

    def test_name_that_the_layer_has_hides_the_hosts(self):
        self.layered("put('H/new', 'mine')")
        self.write("host/new", "host\n")
        self.assertEqual(self.layered("get('H/new')"), "mine")
        self.assertEqual(self.layered("os.listdir('H/').count('new')"), 1)

    def test_moved_directory_shows_its_lower_half(self):
        self.layered("os.rename('H/dir', 'H/moved')")
        self.write("host/dir/late", "late\n")
        self.assertEqual(self.layered("get('H/moved/late')"), "late\n")
        self.assertEqual(self.layered("get('H/dir/late')"), "ENOENT")

    def test_copy_up_of_what_has_gone_fails(self):
        self.layered("os.stat('H/a').st_size")
        os.unlink(self.at("a"))
        self.assertEqual(self.layered("os.chmod('H/a', 0o600)"), "ENOENT")
        self.assertEqual(self.layered("put('H/a', 'x')"), 1)
        self.assertEqual(self.layered("get('H/a')"), "x")

    def test_reader_from_before_the_copy_sees_the_old_contents(self):
        self.layered("globals().update(f=os.open('H/a', os.O_RDONLY))")
        self.layered("put('H/a', 'new text')")
        self.assertIn(self.layered("os.pread(f, 10, 0)"), (b"a\n", b"new text"))
        self.assertEqual(self.text("a"), "a\n")

    def test_every_kind_is_copied_up(self):
        os.mkfifo(self.at("fifo"), 0o644)
        os.symlink("a", self.at("link"))
        os.link(self.at("a"), self.at("hard"))
        for name in ("fifo", "a", "dir"):
            self.assertEqual(self.layered(f"os.chmod('H/{name}', 0o700)"), None)
            self.assertEqual(self.layered(f"os.stat('H/{name}').st_mode & 0o7777"), 0o700)
        self.assertEqual(self.layered("stat.S_ISFIFO(os.stat('H/fifo').st_mode)"), True)
        self.layered("os.utime('H/link', (5, 6), follow_symlinks=False)")
        self.assertEqual(self.layered("os.lstat('H/link').st_mtime"), 6)
        self.assertEqual(self.layered("os.readlink('H/link')"), "a")
        self.assertEqual(self.layered("os.stat('H/hard').st_mode & 0o7777"), 0o700)
        self.assertEqual(os.stat(self.at("fifo")).st_mode & 0o7777, 0o644)


class WrittenThrough(HostTest):
    def test_names(self):
        self.mounted("(os.mkdir('H/new'), put('H/new/f', 'text'), os.rename('H/new/f', 'H/f'))")
        self.assertEqual((self.text("f"), os.listdir(self.at("new"))), ("text", []))
        self.mounted("(os.rename('H/f', 'H/a'), os.rmdir('H/new'), os.rename('H/dir', 'H/moved'))")
        self.assertEqual((self.text("a"), sorted(os.listdir(self.host))), ("text", ["a", "moved"]))
        self.mounted("(os.symlink('a', 'H/link'), os.link('H/a', 'H/hard'), os.mkfifo('H/fifo'))")
        self.assertEqual(os.readlink(self.at("link")), "a")
        self.assertTrue(os.path.samefile(self.at("hard"), self.at("a")))
        self.mounted("[os.unlink('H/' + name) for name in ('a', 'hard', 'link', 'fifo')]")
        self.assertEqual(os.listdir(self.host), ["moved"])
        self.assertEqual(self.mounted("os.rmdir('H/moved')"), "ENOTEMPTY")

    def test_contents(self):
        self.mounted("put('H/a', 'more', 'a')")
        self.assertEqual(self.text("a"), "a\nmore")
        self.mounted("os.truncate('H/a', 3)")
        self.assertEqual(self.text("a"), "a\nm")
        self.mounted("os.truncate('H/a', 5000)")
        self.assertEqual(os.stat(self.at("a")).st_size, 5000)
        self.mounted("globals().update(f=os.open('H/a', os.O_RDWR))")
        self.mounted("os.posix_fallocate(f, 0, 9000)")
        self.assertEqual(os.stat(self.at("a")).st_size, 9000)

    def test_attributes(self):
        self.mounted("(os.chmod('H/a', 0o600), os.utime('H/a', (1, 2)), os.chmod('H/dir', 0o711))")
        st = os.stat(self.at("a"))
        self.assertEqual((st.st_mode & 0o7777, st.st_atime, st.st_mtime), (0o600, 1, 2))
        self.assertEqual(os.stat(self.at("dir")).st_mode & 0o7777, 0o711)

    def test_shared_mapping(self):
        self.write("host/a", "a" * 8192)
        self.mounted("globals().update(f=os.open('H/a', os.O_RDWR))")
        self.mounted("globals().update(m=mmap.mmap(f, 8192))")
        self.mounted("(m.__setitem__(slice(5000, 5003), b'xyz'), m.flush())")
        self.assertEqual(self.text("a")[4999:5004], "axyza")
        self.assertEqual(self.mounted("os.pread(f, 3, 5000)"), b"xyz")
        self.mounted("(m.__setitem__(0, 65 + 25), m.close(), os.close(f))")
        self.ask.end()
        self.assertEqual(self.text("a")[0], "Z")

    def test_write_to_a_file_that_has_lost_its_name(self):
        self.mounted("globals().update(f=os.open('H/a', os.O_RDWR))")
        os.unlink(self.at("a"))
        self.assertEqual(self.mounted("os.write(f, b'still')"), 5)
        self.assertEqual(self.mounted("os.pread(f, 9, 0)"), b"still")
        self.assertEqual(os.listdir(self.host), ["dir"])

    def test_removal_of_what_the_host_has_removed(self):
        self.mounted("(os.stat('H/a').st_size, os.stat('H/dir/x').st_size)")
        os.unlink(self.at("a"))
        shutil.rmtree(self.at("dir"))
        self.assertEqual(self.mounted("os.unlink('H/a')"), "ENOENT")
        self.assertEqual(self.mounted("os.rename('H/a', 'H/b')"), "ENOENT")
        self.assertEqual(self.mounted("os.rmdir('H/dir')"), "ENOENT")
        self.assertEqual(self.mounted("put('H/dir/x', 'x')"), "ENOENT")
        self.assertEqual(self.mounted("os.chmod('H/a', 0o600)"), "ENOENT")

    def test_creation_where_the_host_was_faster(self):
        self.assertEqual(self.mounted("os.stat('H/new')"), "ENOENT")
        self.write("host/new", "host\n")
        self.assertEqual(self.mounted("os.mkdir('H/new')"), "EEXIST")
        self.assertEqual(self.mounted("os.close(os.open('H/new', os.O_CREAT | os.O_EXCL))"), "EEXIST")
        self.assertEqual(self.mounted("get('H/new')"), "host\n")

    def test_layers_do_not_mix(self):
        self.assertEqual(self.ask(f"os.rename('{MOUNT}/a', '{self.host}/b')"), "EXDEV")
        self.assertEqual(self.ask(f"os.link('{MOUNT}/a', '{self.host}/b')"), "EXDEV")
        self.assertEqual(self.ask(f"os.rename('{MOUNT}/dir', '/tmp/dir')"), "EXDEV")

    def test_link_that_the_host_puts_in_the_way_is_not_followed(self):
        self.mounted("os.stat('H/a').st_size")
        os.unlink(self.at("a"))
        os.symlink(self.path("secret"), self.at("a"))
        self.mounted("put('H/a', 'overwritten')")
        self.mounted("os.chmod('H/a', 0o777)")
        self.mounted("os.truncate('H/a', 0)")
        with open(self.path("secret"), encoding="ascii") as file:
            self.assertEqual(file.read(), "secret\n")
        self.assertNotEqual(os.stat(self.path("secret")).st_mode & 0o777, 0o777)


class ReadOnly(HostTest):
    options = ":ro"

    def test_everything_is_refused(self):
        for change in ("put('H/new', 'x')", "put('H/a', 'x')", "put('H/a', 'x', 'a')", "os.truncate('H/a', 0)",
                       "os.unlink('H/a')", "os.rmdir('H/dir')", "os.mkdir('H/new')", "os.symlink('a', 'H/new')",
                       "os.link('H/a', 'H/new')", "os.rename('H/a', 'H/new')", "os.mkfifo('H/new')",
                       "os.chmod('H/a', 0o600)", "os.chown('H/a', 0, 0)", "os.utime('H/a')",
                       "os.setxattr('H/a', 'user.x', b'1')", "os.removexattr('H/a', 'user.x')",
                       "os.open('H/a', os.O_RDWR)", "os.open('H/', os.O_TMPFILE | os.O_RDWR)",
                       "os.chmod(os.open('H/a', os.O_RDONLY), 0o600)",
                       "os.utime(os.open('H/a', os.O_RDONLY))"):
            with self.subTest(change):
                self.assertEqual(self.mounted(change), "EROFS")
        self.assertEqual(self.mounted("os.access('H/a', os.W_OK)"), False)
        self.assertEqual(self.mounted("get('H/a')"), "a\n")
        self.assertEqual(self.text("a"), "a\n")
        self.assertEqual(sorted(os.listdir(self.host)), ["a", "dir"])

    def test_shared_mapping_cannot_be_written(self):
        self.mounted("globals().update(f=os.open('H/a', os.O_RDONLY))")
        self.assertEqual(self.mounted("error(lambda: mmap.mmap(f, 2, mmap.MAP_SHARED))"), "EACCES")


@as_root
class Unreadable(HostTest):
    """For an ordinary user the host's permissions count, too."""

    def setUp(self):
        super().setUp()
        self.ask.end()
        copy = self.path("myst-copy")
        shutil.copy(MYST, copy)
        os.chmod(copy, 0o755)
        for at in (self.host, self.at("a"), self.at("dir"), self.at("dir/x")):
            os.chown(at, NOBODY, NOBODY)
        self.ask = Inside(self, f"--mount={self.host}={MOUNT}", binary=copy, user=NOBODY, group=NOBODY,
                          extra_groups=[], cwd=self.folder)

    def test_file_becomes_unreadable_and_readable_again(self):
        self.assertEqual(self.mounted("get('H/a')"), "a\n")
        os.chmod(self.at("a"), 0)
        os.chown(self.at("a"), 0, 0)
        self.assertEqual(self.mounted("get('H/a')"), "EACCES")
        self.assertEqual(self.mounted("os.stat('H/a').st_size"), 2)
        os.chmod(self.at("a"), 0o644)
        self.assertEqual(self.mounted("get('H/a')"), "a\n")

    def test_directory_becomes_unreadable(self):
        self.assertEqual(self.mounted("get('H/dir/x')"), "x\n")
        os.chown(self.at("dir"), 0, 0)
        os.chmod(self.at("dir"), 0)
        self.assertEqual(self.mounted("get('H/dir/x')"), "EACCES")
        self.assertEqual(self.mounted("os.listdir('H/dir')"), "EACCES")
        self.assertEqual(self.mounted("put('H/dir/new', 'x')"), "EACCES")
        self.assertEqual(self.mounted("os.unlink('H/dir/x')"), "EACCES")


@as_root
@unittest.skipUnless(os.access(MYST, os.X_OK), "needs myst")
class FullTest(CliTest):
    """The host's file system is a small one, in a mount namespace of its own."""

    def setUp(self):
        super().setUp()
        self.host = self.path("host")
        os.mkdir(self.host)
        small = 'mount -t tmpfs -o size=64k,nr_inodes=8 none "$0" && exec "$@"'
        self.ask = Inside(self, f"--mount={self.host}={MOUNT}",
                          before=("unshare", "--mount", "sh", "-c", small, self.host))

    def mounted(self, expression):
        return self.ask(expression.replace("H/", MOUNT + "/"))

    def test_writes_end_where_the_disk_does(self):
        self.assertEqual(self.mounted("put('H/f', 'x' * 200000)"), "ENOSPC")
        self.assertEqual(self.mounted("os.stat('H/f').st_size"), 65536)
        self.assertEqual(self.mounted("get('H/f') == 'x' * 65536"), True)
        self.assertEqual(self.mounted("put('H/g', 'x')"), "ENOSPC")
        self.assertEqual(self.mounted("os.statvfs('H/').f_bavail"), 0)
        self.assertEqual(self.mounted("put('H/f', 'changed', 'r+')"), 7)
        self.assertEqual(self.mounted("os.truncate('H/f', 4096)"), None)
        self.assertEqual(self.mounted("put('H/g', 'x')"), 1)
        self.assertEqual(self.mounted("get('H/f')[:8]"), "changedx")

    def test_space_is_reserved_whole_or_not(self):
        self.assertEqual(self.mounted("fds.update(f=os.open('H/f', os.O_RDWR | os.O_CREAT))"), None)
        self.assertEqual(self.mounted("os.posix_fallocate(fds['f'], 0, 200000)"), "ENOSPC")
        self.assertEqual(self.mounted("os.posix_fallocate(fds['f'], 0, 65536)"), None)
        self.assertEqual(self.mounted("put('H/g', 'x')"), "ENOSPC")
        self.assertEqual(self.mounted("os.pwrite(fds['f'], b'x' * 65536, 0)"), 65536)

    def test_names_run_out(self):
        self.assertEqual(self.mounted("[os.mkdir('H/d%d' % i) for i in range(20)]"), "ENOSPC")
        self.assertEqual(self.mounted("put('H/f', 'x')"), "ENOSPC")
        self.assertEqual(self.mounted("os.symlink('x', 'H/s')"), "ENOSPC")
        self.assertEqual(self.mounted("os.mkfifo('H/p')"), "ENOSPC")
        self.assertEqual(self.mounted("os.rmdir('H/d0')"), None)
        self.assertEqual(self.mounted("os.symlink('x', 'H/s')"), None)



if __name__ == "__main__":
    main()
