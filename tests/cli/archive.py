#!/usr/bin/python3 -B
"""mkcpio and excpio against cpio(1), both ways."""

import os
import shutil
import socket
import stat
import subprocess
import unittest

from support import CliTest, FAILED, MYST, as_root, main

has_cpio = unittest.skipIf(shutil.which("cpio") is None, "needs the package cpio")


def listing(root):
    """What a tree is: type, mode, owner, times, contents and links, by name."""
    names = ["."]
    for folder, folders, files in os.walk(root):
        names += [os.path.relpath(os.path.join(folder, name), root) for name in folders + files]
    found, first_name = {}, {}
    for name in sorted(names):
        path = os.path.join(root, name)
        st = os.lstat(path)
        what = [st.st_mode, st.st_uid, st.st_gid, int(st.st_mtime)]
        if stat.S_ISREG(st.st_mode):
            with open(path, "rb") as file:
                what.append(file.read())
        if stat.S_ISLNK(st.st_mode):
            what.append(os.readlink(path))
        elif not stat.S_ISDIR(st.st_mode):
            what.append(first_name.setdefault(st.st_ino, name))
        if stat.S_ISCHR(st.st_mode) or stat.S_ISBLK(st.st_mode):
            what.append(st.st_rdev)
        found[name] = tuple(what)
    return found


class ArchiveTest(CliTest):
    def make_tree(self):
        """Every kind of file that an ordinary user can make."""
        for size in (0, 1, 2, 3, 4, 5, 65535, 65536, 65537, 300000):
            self.write(f"t/sizes/{size}", os.urandom(size))
        self.write("t/modes/closed", "secret")
        self.write("t/modes/setuid", "x")
        self.write("t/names/with space", "1")
        self.write("t/names/with\nnewline", "2")
        self.write("t/names/b\xe4h".encode("latin-1").decode("utf-8", "surrogateescape"), "3")
        self.write("t/names/" + "n" * 255, "4")
        self.write("t/z", "last")
        self.write("t/links/one", "linked")
        os.link(self.path("t/links/one"), self.path("t/links/two"))
        os.link(self.path("t/links/one"), self.path("t/another"))
        self.write("t/links/empty", "")
        os.link(self.path("t/links/empty"), self.path("t/links/empty2"))
        os.symlink("one", self.path("t/links/symbolic"))
        os.symlink("/no/where/" + "x" * 3000, self.path("t/links/dangling"))
        os.mkfifo(self.path("t/fifo"))
        server = socket.socket(socket.AF_UNIX)
        here = os.open(self.path("t"), os.O_PATH)
        server.bind(f"/proc/self/fd/{here}/socket")
        server.close()
        os.close(here)
        os.chmod(self.path("t/modes/setuid"), 0o4755)
        os.mkdir(self.path("t/sticky"))
        os.chmod(self.path("t/sticky"), 0o1777)
        os.mkdir(self.path("t/readonly"))
        self.write("t/readonly/file", "x")
        os.chmod(self.path("t/modes/closed"), 0o400)
        os.chmod(self.path("t/readonly"), 0o555)
        for name, when in (("z", 0), ("links/one", 2**31), ("sticky", 1e9), ("readonly", 12345)):
            os.utime(self.path("t", name), (when, when))
        return self.path("t")

    def cpio(self, *arguments, cwd, data=b""):
        done = subprocess.run(["cpio", "--quiet", *arguments], cwd=cwd, input=data, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done.stdout

    def names_for_cpio(self, root):
        return b"\0".join(os.fsencode(name) for name in listing(root)) + b"\0"


class RoundTrip(ArchiveTest):
    def test_with_itself(self):
        tree = self.make_tree()
        self.succeed("mkcpio", tree, "a.cpio")
        self.succeed("excpio", "a.cpio", "out")
        self.assertEqual(listing(self.path("out")), listing(tree))

    def test_through_pipes(self):
        tree = self.make_tree()
        data = self.succeed("mkcpio", tree, "-").stdout
        self.write("a.cpio", data)
        with open(self.path("a.cpio"), "rb") as file, \
                subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE) as cat:
            self.succeed("excpio", "-", "out", stdin=cat.stdout)
        self.assertEqual(listing(self.path("out")), listing(tree))

    def test_same_tree_same_bytes(self):
        tree = self.make_tree()
        first = self.succeed("mkcpio", tree, "-").stdout
        self.write("a.cpio", first)
        self.succeed("excpio", "a.cpio", "out")
        self.assertEqual(self.succeed("mkcpio", "out", "-").stdout, first)

    def test_twice_into_the_same_folder(self):
        tree = self.make_tree()
        self.succeed("mkcpio", tree, "a.cpio")
        self.succeed("excpio", "a.cpio", "out")
        os.chmod(self.path("out/readonly"), 0o755)
        self.succeed("excpio", "a.cpio", "out")
        self.assertEqual(listing(self.path("out")), listing(tree))

    @as_root
    def test_owners_and_devices(self):
        self.write("t/file", "x")
        os.chown(self.path("t/file"), 1000, 2000)
        os.symlink("x", self.path("t/link"))
        os.lchown(self.path("t/link"), 3000, 4000)
        os.mknod(self.path("t/null"), stat.S_IFCHR | 0o666, os.makedev(1, 3))
        os.mknod(self.path("t/disk"), stat.S_IFBLK | 0o660, os.makedev(259, 70000))
        self.succeed("mkcpio", "t", "a.cpio")
        self.succeed("excpio", "a.cpio", "out")
        self.assertEqual(listing(self.path("out")), listing(self.path("t")))

    @as_root
    def test_as_an_ordinary_user(self):
        self.write("t/d/x", "data")
        os.chmod(self.path("t/d/x"), 0o640)
        self.succeed("mkcpio", "t", "a.cpio")
        os.mkdir(self.path("own"))
        os.chmod(self.path("own"), 0o777)
        done = self.as_nobody("excpio", "a.cpio", "own/out")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        st = os.stat(self.path("own/out/d/x"))
        self.assertEqual((st.st_uid, stat.S_IMODE(st.st_mode)), (65534, 0o640))

    @as_root
    def test_devices_need_root(self):
        self.write("t/a", "")
        os.mknod(self.path("t/null"), stat.S_IFCHR | 0o666, os.makedev(1, 3))
        self.succeed("mkcpio", "t", "a.cpio")
        os.mkdir(self.path("own"))
        os.chmod(self.path("own"), 0o777)
        self.complain(FAILED, ["null", "device", "not permitted"],
                      self.as_nobody("excpio", "a.cpio", "own/out"))


@has_cpio
class WithCpio(ArchiveTest):
    def test_cpio_reads_ours(self):
        tree = self.make_tree()
        self.succeed("mkcpio", tree, "a.cpio")
        os.mkdir(self.path("out"))
        with open(self.path("a.cpio"), "rb") as file:
            self.cpio("-idm", cwd=self.path("out"), data=file.read())
        got, expected = listing(self.path("out")), listing(tree)
        if os.geteuid() != 0:
            got.pop("modes/setuid"), expected.pop("modes/setuid")
        # cpio creates a file inside after it has set the time of these two.
        for name in (".", "readonly"):
            got.pop(name), expected.pop(name)
        self.assertEqual(got, expected)

    def test_we_read_cpios(self):
        tree = self.make_tree()
        for form in ("newc", "crc"):
            data = self.cpio("-0o", "-H", form, cwd=tree, data=self.names_for_cpio(tree))
            self.write(f"{form}.cpio", data)
            self.succeed("excpio", f"{form}.cpio", form)
            self.assertEqual(listing(self.path(form)), listing(tree))

    def test_without_folders_of_their_own(self):
        self.write("t/a/b/c", "x")
        self.write("a.cpio", self.cpio("-o", "-H", "newc", cwd=self.path("t"), data=b"./a/b/c\n"))
        self.succeed("excpio", "a.cpio", "out")
        with open(self.path("out/a/b/c"), encoding="ascii") as file:
            self.assertEqual(file.read(), "x")

    @as_root
    def test_folders_after_their_contents(self):
        """find -depth lists them so; modes that shut an ordinary user out must come last."""
        self.write("t/a/b/c", "x")
        for name in ("t/a/b", "t/a", "t"):
            os.chmod(self.path(name), 0o400)
        self.write("a.cpio", self.cpio("-o", "-H", "newc", cwd=self.path("t"),
                                       data=b"a/b/c\na/b\na\n.\n"))
        os.mkdir(self.path("own"))
        os.chmod(self.path("own"), 0o777)
        done = self.as_nobody("excpio", "a.cpio", "own/out")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        for name in ("", "a", "a/b"):
            self.assertEqual(stat.S_IMODE(os.stat(self.path("own/out", name)).st_mode), 0o400)

    def test_bytes_are_cpios(self):
        """cpio --reproducible counts inodes and hides devices as we do."""
        for name in ("b", "a/y", "a/x", "c/d/e"):
            self.write(f"t/{name}", name * 100)
        os.symlink("a", self.path("t/s"))
        ours = self.succeed("mkcpio", "t", "-").stdout
        names = subprocess.run(["cpio", "--quiet", "-t", "--null"], input=ours, check=True,
                               stdout=subprocess.PIPE).stdout
        theirs = self.cpio("-0o", "-H", "newc", "--reproducible", cwd=self.path("t"), data=names)
        self.assertEqual(self.without_inodes(ours), self.without_inodes(theirs))

    @staticmethod
    def without_inodes(data):
        """The archive with inode and link count of each header blanked: cpio may count from 0, and
        a folder's link count is that of its file system."""
        data, at = bytearray(data), 0
        while data[at:at + 6] == b"070701":
            size, name_size = (int(data[at + field:at + field + 8], 16) for field in (54, 94))
            data[at + 6:at + 14] = data[at + 38:at + 46] = b"-" * 8
            at += 110 + name_size
            at += -at % 4 + size
            at += -at % 4
        return bytes(data)

    def test_size_is_a_multiple_of_a_block(self):
        self.write("t/x", "x")
        self.assertEqual(len(self.succeed("mkcpio", "t", "-").stdout) % 512, 0)


class MakeErrors(ArchiveTest):
    def test_missing_folder(self):
        self.refused(FAILED, ["nothing", "No such file"], "mkcpio", "nothing", "a.cpio")
        self.assertFalse(os.path.exists(self.path("a.cpio")))

    def test_folder_is_a_file(self):
        self.write("file", "")
        self.refused(FAILED, ["file", "Not a directory"], "mkcpio", "file", "a.cpio")

    def test_output_cannot_be_made(self):
        os.mkdir(self.path("t"))
        self.refused(FAILED, ["no/a.cpio", "No such file"], "mkcpio", "t", "no/a.cpio")
        self.refused(FAILED, ["Is a directory"], "mkcpio", "t", "t")

    def test_archive_inside_the_tree_is_left_out(self):
        self.write("t/x", "x")
        self.succeed("mkcpio", "t", "t/a.cpio")
        self.succeed("excpio", "t/a.cpio", "out")
        self.assertEqual(os.listdir(self.path("out")), ["x"])

    @as_root
    def test_unreadable_file_leaves_no_archive(self):
        self.write("t/a", "x")
        self.write("t/closed", "x")
        os.chmod(self.path("t/closed"), 0o600)
        os.mkdir(self.path("own"))
        os.chmod(self.path("own"), 0o777)
        self.complain(FAILED, ["t/closed", "Permission denied"],
                      self.as_nobody("mkcpio", "t", "own/a.cpio"))
        self.assertEqual(os.listdir(self.path("own")), [])

    @as_root
    def test_unreadable_folder(self):
        os.makedirs(self.path("t/closed"), 0o700)
        os.chmod(self.path("t"), 0o755)
        self.complain(FAILED, ["t/closed", "Permission denied"], self.as_nobody("mkcpio", "t", "-"))

    def test_too_large_for_the_format(self):
        self.write("t/big", "")
        os.truncate(self.path("t/big"), 1 << 32)
        self.refused(FAILED, ["t/big", "4 GiB"], "mkcpio", "t", "a.cpio")

    def test_name_longer_than_a_path(self):
        os.mkdir(self.path("t"))
        here = os.open(self.path("t"), os.O_RDONLY)
        for _ in range(21):
            os.mkdir("n" * 200, dir_fd=here)
            deeper = os.open("n" * 200, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = deeper
        os.close(here)
        self.refused(FAILED, ["File name too long"], "mkcpio", "t", "a.cpio")
        subprocess.run(["rm", "-rf", self.path("t")], check=True)

    def test_file_that_is_shorter_than_it_says(self):
        """Files of /proc and /sys promise sizes that they do not keep."""
        folder = "/sys/kernel/mm/transparent_hugepage"
        if not os.path.isdir(folder):
            self.skipTest("needs /sys")
        self.refused(FAILED, [folder, "shorter"], "mkcpio", folder, "a.cpio")

    def test_file_that_grows_while_it_is_read(self):
        self.grow_or_shrink("longer", lambda file: os.write(file, b"x"))

    def test_file_that_shrinks_while_it_is_read(self):
        self.grow_or_shrink("shorter", lambda file: os.ftruncate(file, 1 << 20))

    def grow_or_shrink(self, word, change):
        """The pipe is full before the end of the file, so that mkcpio stands still in it."""
        path = self.write("t/file", bytes(2 << 20))
        file = os.open(path, os.O_WRONLY | os.O_APPEND)
        self.addCleanup(os.close, file)
        with subprocess.Popen([MYST, "mkcpio", self.path("t"), "-"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            process.stdout.read(1)
            change(file)
            process.stdout.read()
            error = process.stderr.read().decode()
        self.assertEqual(process.returncode, FAILED)
        self.assertIn(f"t/file: the file became {word}", error)


if __name__ == "__main__":
    main()
