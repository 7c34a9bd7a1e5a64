#!/usr/bin/python3 -B
"""Computes how far each call is there, from the results of the conformance tests.

    status.py --out kernel/syscall/status.tsv build/tests/results.json
    status.py --check                       only: do the tests cover calls that exist?

Above each case of a conformance test stands what it proves: calls, each followed by its errnos and
flags.

    /* covers: eventfd2 EFD_SEMAPHORE read EAGAIN */

NEVER_FAILS and NEVER_RETURNS stand for the errnos of a call that has none, and exclude them.

A call is `full` when at least one case proves an errno or a flag of it, every case that covers it
passed inside and did not fail natively, and it answers wrong arguments as the running kernel does
(tests/table/); else `partial`. A call that Linux has removed, or never had, is `full` when a case
shows its ENOSYS. A case that is skipped in both modes proves nothing and denies
nothing."""

import argparse
import glob
import json
import os
import re
import sys

from table import Table

COVERED_CASE = re.compile(r"/\*\s*covers:(.*?)\*/\s*static\s+void\s+(\w+)\s*\(", re.S)
COVERS = re.compile(r"/\*\s*covers:(.*?)\*/", re.S)
ERRNO = re.compile(r"E[A-Z0-9]+")
CALL = re.compile(r"_?[a-z][a-z0-9_]*")


class Coverage:
    """What the cases of tests/conformance/ claim. cases: call to a set of (test, case);
    detailed: the calls of which some case names an errno or a flag."""

    def __init__(self, calls):
        self.cases = {}
        self.detailed = set()
        self.faults = []
        self.words = {}
        for path in sorted(glob.glob("tests/conformance/*/*.c")):
            with open(path, encoding="utf-8") as file:
                text = file.read()
            test = os.path.splitext(path)[0].removeprefix("tests/conformance/")
            for match in COVERS.finditer(text):
                self._check(calls, path, text.count("\n", 0, match.start()) + 1, match.group(1))
            for words, case in COVERED_CASE.findall(text):
                self._add(test, case, words)
        for call, words in sorted(self.words.items()):
            errnos = sorted(word for word in words if ERRNO.fullmatch(word))
            if errnos and words & {"NEVER_FAILS", "NEVER_RETURNS"}:
                self.faults.append(f"covers: {call} never fails, yet {', '.join(errnos)}")

    def _check(self, calls, path, line, words):
        for word in words.replace("*", " ").split():
            if CALL.fullmatch(word) and word not in calls:
                self.faults.append(f"{path}:{line}: covers: there is no call '{word}'")

    def _add(self, test, case, words):
        call = None
        for word in words.replace("*", " ").split():
            if CALL.fullmatch(word):
                call = word
                self.cases.setdefault(call, set()).add((test, case))
            elif call:
                self.detailed.add(call)
                self.words.setdefault(call, set()).add(word)


def status_of(call, coverage, results):
    proved = False
    for test, cases in results.items():
        if test.startswith("table/") and "failed" in cases.get(call, {}).values():
            return "partial"
    for test, case in coverage.cases.get(call, ()):
        modes = results.get(test, {}).get(case, {})
        native, inside = modes.get("native"), modes.get("inside")
        if "failed" in modes.values():
            return "partial"
        if inside == "passed":
            proved = True
        elif native == "passed" or inside is None:
            return "partial"
    return "full" if proved and call in coverage.detailed else "partial"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", metavar="FILE")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("results", nargs="?", default="build/tests/results.json")
    options = parser.parse_args()

    rows = Table("kernel").rows
    coverage = Coverage({row.name for row in rows})
    if coverage.faults:
        print("\n".join(coverage.faults))
        sys.exit(1)
    if options.check:
        return
    try:
        with open(options.results, encoding="utf-8") as file:
            results = json.load(file)
    except FileNotFoundError:
        sys.exit(f"{options.results} is not there: run tests/run first")
    lines = ["# Written by `make docs` from the results of the conformance tests; do not edit."]
    for row in rows:
        status = status_of(row.name, coverage, results)
        if row.handler or (row.gone and status == "full"):
            lines.append(f"{row.name}\t{status}")
    with open(options.out, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
