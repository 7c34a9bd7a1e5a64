#!/usr/bin/python3 -B
"""Roots and mounts: a directory under a layer in memory, one that is written, an archive.

The scripts run in a chroot of a copy first, on this machine's own kernel, and then inside: what they
print and how they end must be the same."""

import os
import shutil
import subprocess
import unittest

from support import NOT_STARTED, ROOT, CliTest, as_root, main

MYST = os.path.join(ROOT, "build", "myst")
BUSYBOX = "/bin/busybox"

# Number, size and links of everything, by name; of directories only names, for their sizes differ.
LISTING = """
list() { find "$1" | sort | while read -r at; do
    if [ -L "$at" ]; then echo "$at -> $(readlink "$at")"
    elif [ -d "$at" ]; then stat -c '%n %A %u' "$at"
    else stat -c '%n %A %s %h %u' "$at"; fi; done; }
"""

SCRIPTS = {
    "files are changed": """
        cd /data; echo more >> one; cat one; echo new > two; cat two
        : > three; cp big big2; echo tail >> big; cmp big big2; truncate -s 5 big2
        dd if=/dev/zero of=big bs=1 count=3 seek=7 conv=notrunc 2>/dev/null; sum big | cut -c1-6""",
    "attributes are changed": """
        cd /data; chmod 600 one; touch -d '2001-02-03 04:05:06' two dir; chmod 700 dir
        stat -c '%n %A %Y' one two dir; chmod 4755 three; stat -c %A three""",
    "names go and come back": """
        cd /data; rm one; ls; cat one; echo again > one; ls; cat one
        rm -r dir; ls; mkdir dir; ls -a dir; echo y > dir/y; ls -a dir
        rmdir dir; rm -r dir; mkdir -p dir/a/b; rm -r dir; ls; ls dir""",
    "a removed directory of many": """
        cd /data; mkdir many; i=0; while [ $i -lt 300 ]; do echo $i > many/$i; i=$((i+1)); done
        ls many | wc -l; rm many/*5; ls many | wc -l; rm -r many; ls many""",
    "names move": """
        cd /data; mv one uno; ls; cat uno; mv dir folder; ls folder folder/deep; cat folder/x
        mv folder/x x; mv x two; cat two; mkdir dir; ls dir; mv folder/deep dir/; find dir folder | sort
        mv two folder/deep; cat folder/deep; mv folder dir/; find dir | sort; mv dir/folder .; mv dir folder 2>&1""",
    "moving onto what is there": """
        cd /data; mkdir empty; mv -T empty dir; ls dir | head -2; rm -r dir; mv -T empty dir; ls -a dir
        mv two one; ls; cat one; mv -T dir one; ls""",
    "hard links stay together": """
        cd /data; ls -l hard | cut -c1-20; echo add >> one; cat hard; chmod 640 hard; stat -c '%A %h' one
        ln hard third; stat -c %h one; rm one; stat -c %h hard third; mv hard other; echo last >> third; cat other
        [ other -ef third ] && echo same; rm other; cat third; stat -c %h third""",
    "links": """
        cd /data; readlink link; cat link; ln -s nowhere link2; cat link2; rm link; ls -d link; ln -s two link; cat link
        mv link dir/; cat dir/link; ln -s ../two dir/up; cat dir/up; echo through >> dir/up; cat two""",
    "an open file outlives its name": """
        cd /data; exec 3<one 4>>two; rm one two; cat <&3; echo gone >&4; cat one two; echo back > one; cat one""",
    "a reader sees what is written later": """
        cd /data; exec 3<one; read -r first <&3; echo "$first"; echo second >> one; read -r line <&3; echo "$line" """,
    "permissions": """
        cd /data; chmod 0 one; ls -l one | cut -c1-10; chmod 1777 dir; stat -c %A dir; mkdir -m 2755 sg
        mkdir sg/sub; stat -c %A sg sg/sub; mkfifo pipe; stat -c %A pipe; umask 077; echo > tight; stat -c %A tight""",
}


def make_root(path):
    """A small system: busybox under all its names, and some files to change."""
    os.makedirs(os.path.join(path, "bin"))
    shutil.copy(BUSYBOX, os.path.join(path, "bin", "busybox"))
    for name in subprocess.check_output([BUSYBOX, "--list"], text=True).split():
        if name != "busybox":
            os.symlink("busybox", os.path.join(path, "bin", name))
    for folder in ("data/dir/deep", "tmp", "dev", "proc"):
        os.makedirs(os.path.join(path, folder))

    def put(name, text):
        with open(os.path.join(path, "data", name), "w", encoding="ascii") as file:
            file.write(text)
    put("one", "first\n")
    put("two", "2\n")
    put("three", "three\n")
    put("dir/x", "x\n")
    put("dir/deep/y", "y\n")
    put("big", "0123456789" * 100000)
    os.link(os.path.join(path, "data/one"), os.path.join(path, "data/hard"))
    os.symlink("two", os.path.join(path, "data/link"))


def contents(path):
    """All that can be seen of a tree."""
    seen = {}
    for folder, _, files in os.walk(path):
        for name in [*files, "."]:
            at = os.path.join(folder, name)
            st = os.lstat(at)
            text = os.readlink(at) if os.path.islink(at) else None
            if name != "." and not os.path.islink(at):
                with open(at, "rb") as file:
                    text = file.read()
            seen[os.path.relpath(at, path)] = (st.st_mode, st.st_nlink, st.st_mtime_ns, text)
    return seen


@unittest.skipUnless(os.access(MYST, os.X_OK) and os.access(BUSYBOX, os.X_OK), "needs myst and busybox")
class RootTest(CliTest):
    def setUp(self):
        super().setUp()
        self.root = self.path("root")
        make_root(self.root)

    def inside(self, *arguments, **options):
        return self.myst("exec", *arguments, binary=MYST, **options)

    def run_script(self, script, *arguments):
        done = self.inside(*arguments, "/bin/sh", "-c", LISTING + script + "\nlist /data")
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def run_natively(self, script):
        copy = self.path("native")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.root, copy, symlinks=True)
        os.unlink(os.path.join(copy, "data/hard"))
        os.link(os.path.join(copy, "data/one"), os.path.join(copy, "data/hard"))
        with open(os.path.join(copy, "dev/zero"), "wb") as file:
            file.write(bytes(4096))
        done = subprocess.run(["/usr/sbin/chroot", copy, "/bin/sh", "-c", LISTING + script + "\nlist /data"],
                              capture_output=True, check=False, timeout=60,
                              env={"PATH": "/bin"})
        return done.returncode, done.stdout.decode(), done.stderr.decode()


@as_root
class SameAsNative(RootTest):
    def test_layer_in_memory(self):
        before = contents(self.root)
        for name, script in SCRIPTS.items():
            with self.subTest(name):
                self.assertEqual(self.run_script(script, self.root), self.run_natively(script))
                self.assertEqual(contents(self.root), before)

    def test_written_directory(self):
        for name, script in SCRIPTS.items():
            with self.subTest(name):
                copy = self.path("written")
                shutil.rmtree(copy, ignore_errors=True)
                subprocess.run(["cp", "-a", self.root, copy], check=True)
                expected = self.run_natively(script)
                self.assertEqual(self.run_script(script, "--writable", copy), expected)

                def tree(path):
                    return {at: (seen[0], seen[1], seen[3]) for at, seen in contents(path).items()
                            if at.startswith("data")}
                if "mkfifo" not in script:
                    self.assertEqual(tree(copy), tree(self.path("native")))

    def test_archive(self):
        with open(self.path("root.cpio"), "wb") as archive:
            names = subprocess.run(["find", "."], cwd=self.root, capture_output=True, check=True)
            subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=self.root, check=True,
                           input=names.stdout, stdout=archive)
        for name, script in SCRIPTS.items():
            with self.subTest(name):
                self.assertEqual(self.run_script(script, self.path("root.cpio")), self.run_natively(script))


class Numbers(RootTest):
    """st_ino and st_dev of a file stay when it is copied into the layer in memory."""

    def test_number_stays(self):
        done = self.inside(self.root, "/bin/sh", "-c", """cd /data
            before=$(stat -c '%d %i' one two dir link); echo x >> one; chmod 600 two; mv dir d; mv d dir; mv link l; mv l link
            after=$(stat -c '%d %i' one two dir link); [ "$before" = "$after" ] || echo "$before" "$after"
            for n in one two dir link; do [ "$(ls -di $n | cut -d' ' -f1)" = "$(stat -c %i $n)" ] || echo $n; done
            ls -ai . | sort -u | wc -l; ls -a . | wc -l""")
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        entries, names = done.stdout.split()
        self.assertEqual(entries, names)


class Mounts(RootTest):
    def test_directory_is_shared_with_the_host(self):
        host = self.path("host")
        os.mkdir(host)
        self.write("host/a", "from the host\n")
        done = self.inside(f"--mount={host}=/new/place", self.root, "/bin/sh", "-c",
                           "cat /new/place/a; echo inside > /new/place/b")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"from the host\n", b""))
        with open(self.path("host/b"), encoding="ascii") as file:
            self.assertEqual(file.read(), "inside\n")
        self.assertFalse(os.path.exists(os.path.join(self.root, "new")))

    def test_what_the_host_changes_is_seen(self):
        host = self.path("host")
        os.mkdir(host)
        self.write("host/a", "1\n")
        process = subprocess.Popen(
            [MYST, "exec", f"--mount={host}=/h", self.root, "/bin/sh", "-c",
             "cat /h/a /h/new; echo ready; read -r x; cat /h/a /h/new; ls /h"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.assertEqual([process.stdout.readline() for _ in range(2)], ["1\n", "ready\n"])
        self.write("host/other", "22\n")
        os.rename(self.path("host/other"), self.path("host/a"))
        self.write("host/new", "n\n")
        out, _ = process.communicate("\n", timeout=30)
        self.assertEqual((out, process.returncode), ("22\nn\na\nnew\n", 0))

    def test_read_only(self):
        os.mkdir(self.path("host"))
        self.write("host/a", "a\n")
        done = self.inside(f"--mount={self.path('host')}=/h:ro", self.root, "/bin/sh", "-c",
                           "echo x > /h/b; echo x > /h/a; rm /h/a; mkdir /h/d; mv /h/a /h/c; chmod 0 /h/a; ls /h")
        self.assertEqual(done.stdout, b"a\n")
        self.assertEqual(done.stderr.count(b"Read-only file system"), 6, done.stderr)

    def test_other_kinds(self):
        with open(self.path("a.cpio"), "wb") as archive:
            subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=self.root, check=True,
                           input=b"data\ndata/one\n", stdout=archive)
        done = self.inside(f"--mount={self.path('a.cpio')}=/a:cpio", self.root,
                           "/bin/sh", "-c", "cat /a/data/one; echo x > /a/data/one && cat /a/data/one")
        self.assertEqual((done.stdout, done.stderr), (b"first\nx\n", b""))

    def test_target_is_a_file(self):
        os.mkdir(self.path("host"))
        done = self.inside(f"--mount={self.path('host')}=/data/one", self.root, "/bin/true")
        self.complain(NOT_STARTED, ["mount /data/one:", "Not a directory"], done)

    def test_later_mounts_stand_on_earlier_ones(self):
        os.makedirs(self.path("host/sub"))
        self.write("host2/b", "b\n")
        done = self.inside(f"--mount={self.path('host')}=/h", f"--mount={self.path('host2')}=/h/sub",
                           self.root, "/bin/cat", "/h/sub/b")
        self.assertEqual((done.stdout, done.stderr), (b"b\n", b""))

    def test_links_do_not_lead_out(self):
        self.write("secret", "secret\n")
        os.mkdir(self.path("host"))
        os.symlink("../secret", self.path("host/up"))
        os.symlink(self.path("secret"), self.path("host/absolute"))
        os.symlink(self.path("secret"), os.path.join(self.root, "absolute"))
        os.symlink("../../../../../../.." + self.path("secret"), os.path.join(self.root, "up"))
        done = self.inside(f"--mount={self.path('host')}=/h", self.root,
                           "/bin/sh", "-c", "cat /h/up; cat /h/absolute; cat /absolute; cat /up")
        self.assertEqual(done.stdout, b"")
        self.assertEqual(done.stderr.count(b"No such file or directory"), 4, done.stderr)


if __name__ == "__main__":
    main()
