#!/usr/bin/python3 -B
"""Standard descriptors that are closed, full, or gone when myst starts."""

import json
import os

from support import CliTest, FAILED, LAUNCHED, USAGE, main


def closing(*descriptors):
    def close():
        for descriptor in descriptors:
            os.close(descriptor)
    return close


class Closed(CliTest):
    def closed_mask(self, *descriptors):
        """launch_print answers in a file when it has no output."""
        done = self.myst("exec", "--mount=/usr=/x", "/", "p", preexec_fn=closing(*descriptors))
        self.assertEqual(done.returncode, LAUNCHED)
        text = done.stdout
        if 1 in descriptors:
            with open(self.path("launched"), "rb") as file:
                text = file.read()
        got = json.loads(text)
        self.assertEqual((got["rootfs_fd"], got["mounts"][0]["source_fd"]),
                         ("directory", "directory"))
        return got["closed_stdio"]

    def test_every_combination_is_remembered(self):
        for mask in range(8):
            descriptors = [fd for fd in range(3) if mask & 1 << fd]
            self.assertEqual(self.closed_mask(*descriptors), mask)

    def test_output_is_an_error(self):
        for command in (["syscalls"], ["help"], ["version"], ["exec", "--help"], ["help", "exec"]):
            self.refused(FAILED, ["standard output", "Bad file descriptor"], *command,
                         preexec_fn=closing(1))

    def test_archive_to_closed_output(self):
        os.mkdir(self.path("d"))
        self.refused(FAILED, ["standard output", "Bad file descriptor"], "mkcpio", "d", "-",
                     preexec_fn=closing(1))

    def test_archive_from_closed_input(self):
        self.refused(FAILED, ["standard input", "Bad file descriptor"], "excpio", "-", "d",
                     preexec_fn=closing(0))

    def test_message_without_standard_error_lands_nowhere(self):
        os.mkdir(self.path("d"))
        done = self.myst("mkcpio", "d", "d/x/out", preexec_fn=closing(2))
        self.assertEqual((done.returncode, done.stdout, done.stderr), (FAILED, b"", b""))
        done = self.myst("exec", "--bad", preexec_fn=closing(0, 1, 2))
        self.assertEqual(done.returncode, USAGE)


class Full(CliTest):
    def test_output(self):
        with open("/dev/full", "wb") as full:
            for command in (["syscalls"], ["help"], ["version"], ["exec", "--help"]):
                self.refused(FAILED, ["standard output", "No space left"], *command, stdout=full)

    def test_archive(self):
        self.write("d/x", os.urandom(300000))
        self.refused(FAILED, ["/dev/full", "No space left"], "mkcpio", "d", "/dev/full")
        self.assertTrue(os.path.exists("/dev/full"))
        with open("/dev/full", "wb") as full:
            self.refused(FAILED, ["standard output", "No space left"], "mkcpio", "d", "-",
                         stdout=full)

    def test_reader_is_gone(self):
        read_end, write_end = os.pipe()
        os.close(read_end)
        with os.fdopen(write_end, "wb") as output:
            done = self.myst("syscalls", stdout=output, restore_signals=True)
        self.assertEqual((done.returncode, done.stderr), (-13, b""))


if __name__ == "__main__":
    main()
