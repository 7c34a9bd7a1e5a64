"""The groups of tests: what belongs to each, and how one test of it runs."""

import glob
import os
import re
import subprocess
import time

from calls import absent, covered, later, why_absent
from cmocka import FAILED, PASSED, SKIPPED, CmockaOutput
from process import INSIDE, NATIVE, ROOT, run
from tags import read_tags

TRAP = "trap"               # inside, with every call trapping
TIMEOUT, SLOW_TIMEOUT = 60, 300
GATE_TIMEOUT = 900
GATE_SKIPPED = 77


class Result:
    """One line of the report: a test in one mode. cases: (name, PASSED/FAILED/SKIPPED, detail)."""

    def __init__(self, test, mode, cases, seconds=0.0):
        self.test = test
        self.mode = mode
        self.cases = cases
        self.seconds = seconds

    def count(self, status):
        return sum(1 for case in self.cases if case[1] == status)


class Test:
    group = ""
    modes = (NATIVE,)
    limit = None            # seconds, instead of what a test's tags say

    def __init__(self, source):
        self.source = source
        self.name = os.path.splitext(os.path.relpath(source, os.path.join(ROOT, "tests")))[0]
        self.tags = read_tags(source)

    @property
    def timeout(self):
        return Test.limit or (SLOW_TIMEOUT if "slow" in self.tags else TIMEOUT)

    def run(self, modes):
        """Yields a Result for each mode that is asked for and that the test has."""
        for mode in self.modes:
            if mode not in modes:
                continue
            reason = self.why_not(mode)
            if reason:
                yield Result(self, mode, [("", SKIPPED, reason)])
            else:
                yield self.run_in(mode)

    def why_not(self, mode):
        if "root-only" in self.tags and os.geteuid() != 0:
            return "needs root"
        if mode == NATIVE:
            return self.tags.get("no-native")
        return self.tags.get("no-inside")

    def run_in(self, mode):
        raise NotImplementedError


class CmockaTest(Test):
    """A cmocka program: every case counts as a test."""

    def __init__(self, source):
        super().__init__(source)
        self.native_cases = {}
        self.binary = os.path.join(ROOT, "build", "tests", self.name)

    def run_in(self, mode):
        if not os.access(self.binary, os.X_OK):
            return Result(self, mode, [("", FAILED, "not built: make tests")])
        where = NATIVE if mode == NATIVE else INSIDE
        outcome = run(where, [self.binary], self.timeout, merged=True, trap=mode == TRAP)
        output = CmockaOutput(outcome.stdout, outcome.status, outcome.ended)
        cases = [(name, status, "\n".join(output.details.get(name, ())))
                 for name, status in output.cases.items()]
        if mode == NATIVE:
            self.native_cases = output.cases
        else:
            cases = self._set_aside(cases)
        cases += [(name, FAILED, "not reached") for name, status in self.native_cases.items()
                  if name not in output.cases]
        if output.broken:
            cases.append(("", FAILED, output.broken))
        return Result(self, mode, cases, outcome.seconds)


    def _set_aside(self, cases):
        """A case that needs a call whose row says that it is not there is no failure: it is skipped
        with the call's name, and counts as soon as the row has a handler. Likewise one above which a
        comment says `not yet inside: WHAT`, for what has no row; it is still run."""
        covers, reasons = covered(self.source), later(self.source)
        for i, (name, status, detail) in enumerate(cases):
            if status != FAILED:
                continue
            call = why_absent(covers.get(name, ()), detail)
            if name in reasons:
                cases[i] = (name, SKIPPED, f"not yet: {reasons[name]}")
            elif call:
                cases[i] = (name, SKIPPED, f"{call} is not there yet")
        return cases


class UnitTest(CmockaTest):
    group = "unit"


class SequenceTest(CmockaTest):
    """A cmocka program that runs scripts of system calls on the mock target, once for each sanitizer."""

    group = "sequences"
    FLAVOURS = ("asan", "tsan")

    def __init__(self, source, flavour):
        super().__init__(source)
        name = os.path.basename(self.name)
        self.name = f"sequences/{flavour}/{name}"
        self.binary = os.path.join(ROOT, "build", "mock", flavour, "sequences", name)


class ConformanceTest(CmockaTest):
    group = "conformance"
    modes = (NATIVE, INSIDE, TRAP)


class ProgramTest(Test):
    """A NAME.t script: each case runs natively and inside, and must do the same."""

    group = "programs"
    modes = (INSIDE, TRAP)
    CASE = re.compile(r"^#== (.+?)(?: \(exit (\d+)\))?$", re.M)
    NEEDS = re.compile(r"^# needs: (.+)$", re.M)

    def __init__(self, source):
        super().__init__(source)
        with open(source, encoding="utf-8") as file:
            parts = self.CASE.split(file.read())
        self.prologue = parts[0]
        self.cases = list(zip(parts[1::3], (int(code or 0) for code in parts[2::3]), parts[3::3]))

    def run(self, modes):
        if INSIDE not in modes and TRAP not in modes and NATIVE in modes:
            yield self.run_in(NATIVE)
        yield from super().run(modes)

    def run_in(self, mode):
        start = time.monotonic()
        cases = []
        for name, status, text in self.cases:
            missing = [call for words in self.NEEDS.findall(text) for call in words.split()
                       if call in absent()]
            if missing and mode != NATIVE:
                cases.append((name, SKIPPED, f"{missing[0]} is not there yet"))
                continue
            complaint = compare_script(self.prologue + text, self.timeout, status,
                                       [] if mode == NATIVE else [mode])
            cases.append((name, FAILED if complaint else PASSED, complaint))
        if not cases:
            cases.append(("", FAILED, "no case: lines '#== name' begin one"))
        return Result(self, mode, cases, time.monotonic() - start)


def compare_script(script, timeout=TIMEOUT, expected=None, modes=(INSIDE,)):
    """Runs a bash script natively and then in the modes given; returns what differs, or "".
    expected: the exit status that the native run must have, or None."""
    native = run(NATIVE, ["/bin/bash", "-c", script], timeout)
    if native.timed_out:
        return f"native run {native.ended}"
    if expected is not None and native.status != expected:
        return f"native run {native.ended}, expected {expected}\n{native.stdout}{native.stderr}"
    for mode in modes:
        inside = run(INSIDE, ["/bin/bash", "-c", script], timeout, trap=mode == TRAP)
        differences = [f"inside: {inside.ended}; native: {native.ended}"] \
            if inside.status != native.status or inside.timed_out else []
        for name in ("stdout", "stderr"):
            differences += _differing_lines(name, getattr(native, name), getattr(inside, name))
        if differences:
            return "\n".join(differences)
    return ""


def _differing_lines(name, native, inside, context=12):
    if native == inside:
        return []
    ours, theirs = inside.splitlines(True), native.splitlines(True)
    first = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b),
                 min(len(ours), len(theirs)))
    lines = [f"{name} differs from line {first + 1}:"]
    lines += [f"  native: {line!r}" for line in theirs[first:first + context // 2]] or \
        ["  native: (ends)"]
    lines += [f"  inside: {line!r}" for line in ours[first:first + context]] or ["  inside: (ends)"]
    return lines


class CommandLineTest(Test):
    """An executable Python script that prints the lines of a cmocka program."""

    group = "cli"

    def run_in(self, mode):
        start = time.monotonic()
        try:
            done = subprocess.run([self.source], cwd=ROOT, stdin=subprocess.DEVNULL, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=self.timeout, check=False, errors="replace")
            status, text = done.returncode, done.stdout
            ended = f"exited with {status}"
        except subprocess.TimeoutExpired as error:
            status, text = 1, (error.stdout or b"").decode("utf-8", "replace")
            ended = f"timed out after {self.timeout} s"
        output = CmockaOutput(text, status, ended)
        cases = [(name, verdict, "\n".join(output.details.get(name, ())))
                 for name, verdict in output.cases.items()]
        if output.broken:
            cases.append(("", FAILED, output.broken))
        return Result(self, mode, cases, time.monotonic() - start)


class TableTest(Test):
    """What the calls of one room answer when one argument is wrong, natively and inside. Every call
    that has a handler is a case."""

    group = "table"
    modes = (INSIDE,)
    SOURCE = os.path.join(ROOT, "tests", "table", "arguments.c")
    BINARY = os.path.join(ROOT, "build", "tests", "table", "arguments")
    ROW = re.compile(r"^\d+\s+\+\s+(\w+)", re.M)
    # Answers that depend on the file system or the machine below: a file inside is bounded by 8 TiB,
    # and device number 1 belongs to nothing.
    APART = ("truncate length=huge", "ftruncate length=huge", "lseek offset=huge",
             "fallocate len=huge", "ustat dev=1")

    def __init__(self, room, calls):
        super().__init__(self.SOURCE)
        self.name = f"table/{room}"
        self.calls = calls

    def run_in(self, mode):
        answers, seconds, outcome = {}, 0.0, None
        for where in (NATIVE, INSIDE):
            outcome = run(where, [self.BINARY, *self.calls], Test.limit or SLOW_TIMEOUT)
            seconds += outcome.seconds
            answers[where] = dict(line.rsplit(": ", 1) for line in outcome.stdout.splitlines()
                                  if ": " in line)
        cases = [self._judge(call, answers[NATIVE], answers[INSIDE]) for call in self.calls]
        if outcome.status != 0:
            cases.append(("", FAILED, f"{outcome.ended}\n{outcome.stderr}"))
        return Result(self, mode, cases, seconds)

    @staticmethod
    def _judge(call, native, inside):
        asked = [key for key in native if key.startswith(f"{call} ")]
        if not asked:
            return (call, SKIPPED, "tests/table/arguments.c leaves it out")
        if native[f"{call} plain"] == "ENOSYS":
            return (call, SKIPPED, "the running kernel does not have it")
        if "socket" in absent():        # then there is none to pass
            asked = [key for key in asked if not key.endswith("=socket")]
        asked = [key for key in asked if key not in TableTest.APART]
        if os.geteuid() != 0:   # natively in a user namespace, where other ids do not exist
            asked = [key for key in asked
                     if (native[key], inside.get(key)) != ("EINVAL", "EPERM")]
        wrong = [f"{key.partition(' ')[2]}: {native[key]} natively, "
                 f"{inside.get(key, 'not reached')} inside"
                 for key in asked if native[key] != inside.get(key)]
        return (call, FAILED if wrong else PASSED, "\n".join(wrong))

    @classmethod
    def by_room(cls):
        tests = []
        for path in sorted(glob.glob(os.path.join(ROOT, "kernel", "*", "*.tbl"))):
            with open(path, encoding="ascii") as file:
                calls = cls.ROW.findall(file.read())
            if calls:
                room = os.path.splitext(os.path.basename(path))[0]
                tests.append(cls(room, calls))
        return tests


class GateTest(Test):
    """An executable whose exit status is the verdict; 77 skips, its last line is the reason."""

    group = "gates"

    def run_in(self, mode):
        start = time.monotonic()
        try:
            done = subprocess.run([self.source], cwd=ROOT, stdin=subprocess.DEVNULL, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=GATE_TIMEOUT, check=False, errors="replace")
            status, text = done.returncode, done.stdout
        except subprocess.TimeoutExpired:
            status, text = 1, f"timed out after {GATE_TIMEOUT} s"
        verdict = {0: PASSED, GATE_SKIPPED: SKIPPED}.get(status, FAILED)
        lines = text.strip().splitlines() or [f"exited with {status}"]
        detail = lines[-1] if verdict == SKIPPED else "\n".join(lines[-40:])
        return Result(self, mode, [("", verdict, detail)], time.monotonic() - start)


def _sources(*patterns):
    found = (glob.glob(os.path.join(ROOT, "tests", pattern)) for pattern in patterns)
    return sorted(path for paths in found for path in paths)


def discover():
    tests = [UnitTest(path) for path in _sources("unit/*.c")]
    tests += [SequenceTest(path, flavour) for path in _sources("sequences/*.c")
              for flavour in SequenceTest.FLAVOURS]
    tests += [ConformanceTest(path) for path in _sources("conformance/*/*.c")
              if "/lib/" not in path]
    tests += TableTest.by_room()
    tests += [ProgramTest(path) for path in _sources("programs/*.t")]
    tests += [CommandLineTest(path) for path in _sources("cli/*.py") if os.access(path, os.X_OK)]
    tests += [GateTest(path) for path in _sources("gates/*") if os.access(path, os.X_OK)]
    return tests
