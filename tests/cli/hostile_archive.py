#!/usr/bin/python3 -B
"""Archives that lie: each is one line of complaint, and nothing outside the folder is touched."""

import os
import random
import stat
import subprocess

from support import CliTest, FAILED, NOT_STARTED, main

REG, DIR, LNK, CHR, FIFO = stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO


def header(mode=REG | 0o644, size=0, name_size=2, ino=1, nlink=1, check=0, magic=b"070701",
           mtime=1, rdev=(0, 0)):
    numbers = (ino, mode, 0, 0, nlink, mtime, size, 0, 0, *rdev, name_size, check)
    return magic + b"".join(b"%08X" % number for number in numbers)


def pad(data):
    return data + bytes(-len(data) % 4)


def entry(name, data=b"", mode=REG | 0o644, **fields):
    fields = {"size": len(data), "name_size": len(name) + 1, **fields}
    return pad(pad(header(mode, **fields) + name + b"\0") + data)


TRAILER = entry(b"TRAILER!!!", mode=0)


def archive(*entries):
    return b"".join(entries) + TRAILER


class HostileTest(CliTest):
    def setUp(self):
        super().setUp()
        self.write("outside/victim", "untouched")
        os.chmod(self.path("outside"), 0o711)

    def tearDown(self):
        self.assertEqual(os.listdir(self.path("outside")), ["victim"])
        with open(self.path("outside/victim"), encoding="ascii") as file:
            self.assertEqual(file.read(), "untouched")
        self.assertEqual(stat.S_IMODE(os.stat(self.path("outside")).st_mode), 0o711)
        self.assertLessEqual(set(os.listdir(self.folder)), {"outside", "in", "a.cpio"})

    def refuse(self, words, data):
        """From a file and from a pipe alike, and as a root file system."""
        self.write("a.cpio", data)
        self.refused(FAILED, ["a.cpio", *words], "excpio", "a.cpio", "in")
        subprocess.run(["rm", "-rf", self.path("in")], check=True)
        with open(self.path("a.cpio"), "rb") as file, \
                subprocess.Popen(["cat"], stdin=file, stdout=subprocess.PIPE) as cat:
            done = self.myst("excpio", "-", "in", stdin=cat.stdout)
            cat.stdout.close()
        self.complain(FAILED, ["standard input"], done)

    def refuse_everywhere(self, words, data):
        self.refuse(words, data)
        self.refused(NOT_STARTED, ["a.cpio", *words], "exec", "a.cpio", "p")


class Names(HostileTest):
    def test_absolute(self):
        self.refuse_everywhere(["absolute"], archive(
            entry(self.path("outside/new").encode(), b"x")))

    def test_dot_dot(self):
        for name in (b"..", b"../outside/new", b"a/../../outside/new", b"./../outside/new",
                     b"a/..", b"a//..//x"):
            self.refuse_everywhere(["'..'"], archive(entry(name, b"x")))

    def test_names_with_dots_are_names(self):
        self.write("a.cpio", archive(entry(b"..a/...", b"x"), entry(b".//./b", b"y")))
        self.succeed("excpio", "a.cpio", "in")
        self.assertEqual(sorted(os.listdir(self.path("in"))), ["..a", "b"])

    def test_empty(self):
        self.refuse_everywhere(["no name"], archive(entry(b"", b"x")))
        self.refuse_everywhere(["no name"], archive(header(name_size=0)))

    def test_nul_inside(self):
        self.refuse_everywhere(["name"], archive(entry(b"a\0b", b"x")))

    def test_without_nul(self):
        self.refuse_everywhere(["name"], archive(pad(header(name_size=4) + b"abcd")))

    def test_too_long(self):
        self.refuse_everywhere(["4095"], archive(entry(b"n/" * 2048 + b"n", b"x")))
        self.refuse_everywhere(["4095"], archive(header(name_size=0xffffffff)))

    def test_component_too_long(self):
        self.refuse(["File name too long"], archive(entry(b"n" * 256, b"x")))
        self.refuse(["File name too long"], archive(entry(b"n" * 256 + b"/x", b"x")))

    def test_file_in_the_place_of_the_root(self):
        self.refuse(["."], archive(entry(b".", b"x")))

    def test_control_characters_stay_on_one_line(self):
        self.refuse(["a??b"], archive(entry(b"a\n\x1bb", b"", mode=0)))


class Links(HostileTest):
    def test_file_through_a_symbolic_link(self):
        for target in (b"../outside", self.path("outside").encode()):
            self.refuse(["Not a directory"], archive(
                entry(b"link", target, mode=LNK | 0o777), entry(b"link/new", b"x")))

    def test_folder_through_a_symbolic_link(self):
        self.refuse(["link/new"], archive(entry(b"link", b"../outside", mode=LNK | 0o777),
                                          entry(b"link/new", mode=DIR | 0o777)))

    def test_folder_in_the_place_of_a_symbolic_link(self):
        self.refuse(["link", "File exists"], archive(
            entry(b"link", b"../outside", mode=LNK | 0o777), entry(b"link", mode=DIR | 0o777)))

    def test_file_in_the_place_of_a_symbolic_link_replaces_it(self):
        self.write("a.cpio", archive(
            entry(b"link", b"../outside/victim", mode=LNK | 0o777), entry(b"link", b"new")))
        self.succeed("excpio", "a.cpio", "in")
        self.assertFalse(os.path.islink(self.path("in/link")))

    def test_data_through_a_hard_linked_symbolic_link(self):
        self.refuse(["b"], archive(
            entry(b"a", b"", mode=FIFO | 0o666, ino=5, nlink=2),
            entry(b"a", b"../outside/victim", mode=LNK | 0o777),
            entry(b"b", b"overwritten", ino=5, nlink=2)))

    def test_hard_link_through_a_symbolic_link(self):
        self.refuse(["b"], archive(
            entry(b"d", mode=DIR | 0o755), entry(b"d/victim", b"", ino=5, nlink=2),
            entry(b"e/x", b""),
            entry(b"d/victim", b"../../outside/victim", mode=LNK | 0o777),
            entry(b"b", b"overwritten", ino=5, nlink=2)))

    def test_links_that_were_there_before(self):
        os.mkdir(self.path("in"))
        os.symlink("../outside", self.path("in/link"))
        os.symlink("../outside/victim", self.path("in/file"))
        self.write("a.cpio", archive(entry(b"file", b"new"), entry(b"link/new", b"x")))
        self.refused(FAILED, ["link/new", "Not a directory"], "excpio", "a.cpio", "in")

    def test_hard_links_that_were_there_before(self):
        os.mkdir(self.path("in"))
        os.link(self.path("outside/victim"), self.path("in/file"))
        self.write("a.cpio", archive(entry(b"file", b"new", mode=REG | 0o600)))
        self.succeed("excpio", "a.cpio", "in")

    def test_target(self):
        self.refuse_everywhere(["link", "0 bytes"], archive(entry(b"link", mode=LNK | 0o777)))
        self.refuse_everywhere(["link", "4096 bytes"], archive(
            entry(b"link", b"x" * 4096, mode=LNK | 0o777)))
        self.refuse(["link", "NUL"], archive(entry(b"link", b"a\0b", mode=LNK | 0o777)))


class Forms(HostileTest):
    def test_bad_magic(self):
        for magic in (b"070707", b"070703", b"\xc7\x71\0\0\0\0", b"070 01"):
            self.refuse_everywhere(["not a cpio archive", "byte 0"],
                                   archive(entry(b"x", b"x", magic=magic)))

    def test_bad_magic_later(self):
        self.refuse_everywhere(["not a cpio archive", "byte 116"],
                               archive(entry(b"a", b"1234"), b"garbage" * 30))

    def test_bad_digits(self):
        good = archive(entry(b"x", b"x"))
        for digit in b"gG x+-\0\xff":
            for at in (6, 13, 54, 61, 102, 109):
                self.refuse_everywhere(["hexadecimal"], good[:at] + bytes([digit]) + good[at + 1:])

    def test_lower_case_digits_are_fine(self):
        data = entry(b"x", b"y" * 0xabc)
        self.write("a.cpio", archive(data[:6] + data[6:110].lower() + data[110:]))
        self.succeed("excpio", "a.cpio", "in")
        self.assertEqual(os.path.getsize(self.path("in/x")), 0xabc)

    def test_sizes_past_the_end(self):
        for size in (5, 1000, 0x7fffffff, 0xffffffff):
            self.refuse_everywhere(["x", "end"], entry(b"x", b"y", size=size))
        self.refuse_everywhere(["end"], entry(b"a", b"b") + entry(
            b"x", size=0xfffffff0) + TRAILER)

    def test_size_past_the_end_of_a_file_creates_nothing(self):
        self.write("a.cpio", entry(b"x", b"y", size=1 << 30))
        self.refused(FAILED, ["end"], "excpio", "a.cpio", "in")
        self.assertEqual(os.listdir(self.path("in")), [])

    def test_cut_anywhere(self):
        whole = archive(entry(b"d", mode=DIR | 0o755), entry(b"d/x", b"data"),
                        entry(b"l", b"d/x", mode=LNK | 0o777))
        self.assertEqual(len(whole) % 4, 0)
        for length in range(0, len(whole) - len(TRAILER) + 120):
            self.write("a.cpio", whole[:length])
            self.refused(FAILED, ["end"], "excpio", "a.cpio", "in")

    def test_no_trailer(self):
        self.refuse_everywhere(["trailer"], entry(b"x", b"y"))
        self.refuse_everywhere(["trailer"], b"")

    def test_what_follows_the_trailer_is_not_read(self):
        self.write("a.cpio", archive(entry(b"x", b"y")) + entry(b"z", b"y") + b"garbage")
        self.succeed("excpio", "a.cpio", "in")
        self.assertEqual(os.listdir(self.path("in")), ["x"])

    def test_types_that_do_not_exist(self):
        for mode in (0, 0o777, 0o030000, 0o110000, 0o150000, 0o170000, 0xffffffff):
            self.refuse_everywhere(["type"], archive(entry(b"x", mode=mode)))

    def test_data_where_none_can_be(self):
        for mode in (DIR, CHR, FIFO):
            self.refuse_everywhere(["x", "data"], archive(entry(b"x", b"data", mode=mode)))

    def test_checksum(self):
        good = entry(b"x", b"\x01\xff", magic=b"070702", check=0x100)
        self.write("a.cpio", archive(good))
        self.succeed("excpio", "a.cpio", "in")
        self.refuse(["checksum"], archive(entry(b"x", b"\x01\xff", magic=b"070702", check=0x101)))

    def test_file_in_the_place_of_a_folder(self):
        self.refuse(["d", "replace"], archive(entry(b"d", mode=DIR | 0o755), entry(b"d", b"x")))

    def test_folder_in_the_place_of_a_file(self):
        self.refuse(["f/x", "Not a directory"], archive(entry(b"f", b"x"), entry(b"f/x", b"y")))
        self.refuse(["f", "exists"], archive(entry(b"f", b"x"), entry(b"f", mode=DIR | 0o755)))

    def test_the_last_entry_of_a_folder_holds(self):
        self.write("a.cpio", archive(entry(b"d", mode=DIR | 0o700), entry(b"d", mode=DIR | 0o750)))
        self.succeed("excpio", "a.cpio", "in")
        self.assertEqual(stat.S_IMODE(os.stat(self.path("in/d")).st_mode), 0o750)

    def test_missing_archive(self):
        self.refused(FAILED, ["nothing", "No such file"], "excpio", "nothing", "in")
        self.assertFalse(os.path.exists(self.path("in")))

    def test_archive_is_a_folder(self):
        self.refused(FAILED, ["Is a directory"], "excpio", "outside", "in")

    def test_target_is_a_file(self):
        self.write("a.cpio", archive(entry(b"x", b"y")))
        self.write("in", "file")
        self.refused(FAILED, ["in", "Not a directory"], "excpio", "a.cpio", "in")


class Mutations(HostileTest):
    """Archives that were right before a few bytes changed: unpacked, or one line, never more."""

    COUNT = 300

    def setUp(self):
        super().setUp()
        self.good = archive(
            entry(b".", mode=DIR | 0o755), entry(b"d", mode=DIR | 0o755),
            entry(b"d/one", b"", ino=5, nlink=2), entry(b"d/two", b"linked" * 20, ino=5, nlink=2),
            entry(b"link", b"d/one", mode=LNK | 0o777), entry(b"fifo", mode=FIFO | 0o600),
            entry(b"sum", b"\x01\xff", magic=b"070702", check=0x100))

    def mutated(self, source):
        data = bytearray(self.good)
        for _ in range(source.choice((1, 1, 2, 4))):
            at = source.randrange(len(data))
            kind = source.randrange(4)
            if kind == 0:
                data[at] = source.randrange(256)
            elif kind == 1:
                data[at:at + 8] = source.choice((b"FFFFFFFF", b"00000000", b"80000000",
                                                 b"0000A1FF", b"00000002"))
            elif kind == 2:
                del data[at:at + source.randrange(1, 9)]
            else:
                start = source.randrange(len(data))
                data[at:at] = data[start:start + source.randrange(1, 130)]
        return bytes(data)

    def test_none_escapes_or_crashes(self):
        source = random.Random(20)
        for number in range(self.COUNT):
            with self.subTest(number=number):
                self.write("a.cpio", self.mutated(source))
                done = self.myst("excpio", "a.cpio", "in")
                if done.returncode != 0 or done.stderr:
                    self.complain(FAILED, ["a.cpio"], done)
                subprocess.run(["rm", "-rf", self.path("in")], check=True)
                self.assertLessEqual(set(os.listdir(self.folder)), {"outside", "in", "a.cpio"})


if __name__ == "__main__":
    main()
