#!/usr/bin/python3 -B
"""Checks what a compiler does not: who includes whom, host headers in kernel/, and a few habits.

    tools/lint/check.py [FILE…]         default: every file of the project

Prints FILE:LINE: what is wrong; exit status 1 when anything is. Lines that begin with `warning:`
do not count."""

import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LINES_MAX = 600
FREESTANDING = {"stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "stdalign.h", "stdnoreturn.h",
                "limits.h", "cpuid.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)
COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
                               re.S)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")
HOST_CALL = re.compile(r"\bsyscall\s*\(")
HOST_CALL_ASM = re.compile(r'asm\b.*"[^"]*\bsyscall\b')
FIXED_SLEEP = re.compile(r"\bu?sleep\s*\(")
SLEEP_REASON = "sleeps:"


HOSTED = re.compile(r"^#if __STDC_HOSTED__\n.*?^#(?:else|endif)", re.M | re.S)  # for unit tests


def blank(match):
    """Takes text out and leaves its lines, so that numbers stay right."""
    return "\n" * match.group().count("\n")


class Rooms:
    def __init__(self, path):
        self.level = {}
        self.target_users = set()
        level = 0
        with open(path, encoding="utf-8") as file:
            for line in file:
                words = line.partition("#")[0].split()
                if words and words[0] == "target.h:":
                    self.target_users.update(words[1:])
                elif words:
                    level += 1
                    for room in words:
                        self.level[room] = level

    def of(self, path):
        """The room of a path below kernel/, with or without its ending; None when there is none."""
        stem = os.path.splitext(path)[0]
        while stem:
            if stem in self.level:
                return stem
            stem = os.path.dirname(stem)
        return None


class Checker:
    def __init__(self, rooms):
        self.rooms = rooms
        self.faults = 0

    def fault(self, path, line, text):
        self.faults += 1
        print(f"{path}:{line}: {text}")

    def check(self, path):
        try:
            with open(os.path.join(ROOT, path), encoding="utf-8") as file:
                text = file.read()
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            return
        if not path.startswith("tools/lint/"):
            self.check_unfinished(path, text)
        if path.endswith((".c", ".h", ".S")):
            lines = text.count("\n")
            if lines > LINES_MAX:
                print(f"warning: {path}: {lines} lines, more than {LINES_MAX}: one idea a file")
            if path.startswith("kernel/"):
                self.check_kernel(path, text)
            elif path.startswith("target/"):
                self.check_target(path, text)
            elif path.startswith("tests/conformance/"):
                self.check_conformance(path, text)

    def check_unfinished(self, path, text):
        for number, line in enumerate(text.splitlines(), 1):
            if path.endswith(".md") and "`" in line:
                continue        # the documents may name the words
            if match := UNFINISHED.search(line):
                self.fault(path, number, f"{match.group(1)}: a missing piece is ENOSYS or a clear "
                                         "error, not a note")

    def check_kernel(self, path, text):
        inside = path.removeprefix("kernel/")
        room = self.rooms.of(inside)
        if room is None:
            self.fault(path, 1, "no room of tools/lint/rooms holds this file")
            return
        text = HOSTED.sub(blank, text)
        for match in INCLUDE.finditer(text):
            number = text.count("\n", 0, match.start(2)) + 1
            kind, name = match.groups()
            if kind == "<":
                self.check_angle(path, number, room, name)
            else:
                self.check_quoted(path, number, room, name)
        if not inside.startswith("time/vdso/"):     # that code runs as part of the program
            self.check_host_calls(path, text)

    def check_angle(self, path, number, room, name):
        if name == "myst/target.h":
            if room not in self.rooms.target_users:
                self.fault(path, number, "only host/ may look at the target: call its functions")
        elif name not in FREESTANDING and \
                not name.startswith(("linux/", "asm/", "asm-generic/", "myst/")):
            self.fault(path, number, f"host header <{name}> in kernel/")

    def check_quoted(self, path, number, room, name):
        folder = os.path.dirname(path)
        own = os.path.exists(os.path.join(ROOT, folder, name))
        inside = os.path.relpath(os.path.join(folder, name), "kernel") if own else name
        if os.path.basename(name) == "internal.h":
            home = os.path.dirname(os.path.join("kernel", inside))
            if folder != home and not folder.startswith(home + "/"):
                self.fault(path, number, f'"{name}" belongs to {home}/ alone')
            return
        if not os.path.exists(os.path.join(ROOT, "kernel", inside)):
            return              # generated
        other = self.rooms.of(inside)
        if other is None:
            self.fault(path, number, f'"{name}" lies in no room of tools/lint/rooms')
        elif self.rooms.level[other] > self.rooms.level[room]:
            self.fault(path, number, f'{room} must not include "{name}": {other} stands above it')

    def check_host_calls(self, path, text):
        code = COMMENT_OR_STRING.sub(blank, text)
        for number, line in enumerate(code.splitlines(), 1):
            if HOST_CALL.search(line):
                self.fault(path, number, "host call in kernel/: only a target may make one")
        for number, line in enumerate(text.splitlines(), 1):
            if HOST_CALL_ASM.search(line):
                self.fault(path, number, "host call in kernel/: only a target may make one")

    def check_target(self, path, text):
        for match in INCLUDE.finditer(text):
            kind, name = match.groups()
            number = text.count("\n", 0, match.start(2)) + 1
            beside = os.path.exists(os.path.join(ROOT, os.path.dirname(path), name))
            if kind == '"' and not beside and os.path.exists(os.path.join(ROOT, "kernel", name)):
                self.fault(path, number, f'"{name}" is the kernel\'s: a target knows include/myst')

    def check_conformance(self, path, text):
        lines = text.splitlines()
        code = COMMENT_OR_STRING.sub(blank, text)
        for number, line in enumerate(code.splitlines(), 1):
            if FIXED_SLEEP.search(line) and SLEEP_REASON not in lines[number - 1]:
                self.fault(path, number, "fixed sleep: wait for what is tested, or say why in "
                                         f"/* {SLEEP_REASON} … */ on this line")


def tree():
    """Every file of the project, whether or not version control knows it."""
    for folder, folders, files in os.walk("."):
        folders[:] = [name for name in folders if name not in (".git", "build", "__pycache__")]
        for name in files:
            yield os.path.relpath(os.path.join(folder, name), ".")


def main():
    os.chdir(ROOT)
    files = sys.argv[1:] or tree()
    checker = Checker(Rooms("tools/lint/rooms"))
    for path in sorted(files):
        checker.check(path)
    sys.exit(1 if checker.faults else 0)


if __name__ == "__main__":
    main()
