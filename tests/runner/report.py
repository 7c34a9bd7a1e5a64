"""Prints results as they come, the summary at the end, and keeps build/tests/results.json."""

import json
import os
import threading

from cmocka import FAILED, PASSED, SKIPPED
from process import ROOT

RESULTS = os.path.join(ROOT, "build", "tests", "results.json")
SLOWEST = 20
DETAIL_LINES = 60       # a hang report of a few threads fits


class Report:
    def __init__(self, verbose):
        self.verbose = verbose
        self.lock = threading.Lock()
        self.results = []           # under lock, as is what is printed

    def add(self, result):
        with self.lock:
            self.results.append(result)
            self._print(result)

    def _print(self, result):
        passed, failed, skipped = (result.count(s) for s in (PASSED, FAILED, SKIPPED))
        verdict = "FAIL" if failed else "skip" if skipped and not passed else "ok"
        counts = [f"{passed} passed"] if passed else []
        counts += [f"{failed} failed"] if failed else []
        counts += [f"{skipped} skipped"] if skipped else []
        print(f"{verdict:4} {result.seconds:7.2f} s  {result.test.name} ({result.mode}): "
              f"{', '.join(counts)}", flush=True)
        for name, status, detail in result.cases:
            if status == PASSED and not self.verbose:
                continue
            word = {PASSED: "ok", FAILED: "FAILED", SKIPPED: "skipped"}[status]
            lines = detail.splitlines() if status != PASSED else []
            if status == SKIPPED or len(lines) == 1:
                print(f"                {word} {name or 'test'}: {'; '.join(lines)}")
                continue
            print(f"                {word} {name or 'test'}")
            for line in lines[:DETAIL_LINES]:
                print(f"                    {line}")
            if len(lines) > DETAIL_LINES:
                print(f"                    … {len(lines) - DETAIL_LINES} more lines")

    def finish(self):
        """Prints the summary; true when nothing failed."""
        slowest = sorted(self.results, key=lambda result: -result.seconds)[:SLOWEST]
        if len(self.results) > 1:
            print("\nSlowest:")
            for result in slowest:
                print(f"  {result.seconds:7.2f} s  {result.test.name} ({result.mode})")
        failures = [(result, case) for result in self.results for case in result.cases
                    if case[1] == FAILED]
        if failures:
            print("\nFailed:")
            for result, case in failures:
                print(f"  {result.test.name} ({result.mode}){' ' if case[0] else ''}{case[0]}")
        passed, failed, skipped = (sum(result.count(status) for result in self.results)
                                   for status in (PASSED, FAILED, SKIPPED))
        tail = f", {skipped} skipped" if skipped else ""
        print(f"\n{passed} passed, {failed} failed{tail}")
        return not failed

    def save(self):
        """Brings the results of this run into the file that the table of calls is computed from:
        FAMILY/CALL (or table/ROOM) to case to mode to passed, failed or skipped. A test that ran in a mode
        replaces all that was known of it in that mode."""
        try:
            with open(RESULTS, encoding="utf-8") as file:
                known = json.load(file)
        except (FileNotFoundError, ValueError):
            known = {}
        for result in self.results:
            if result.test.group not in ("conformance", "table"):
                continue
            cases = known.setdefault(result.test.name.removeprefix("conformance/"), {})
            for modes in cases.values():
                modes.pop(result.mode, None)
            for name, status, _ in result.cases:
                cases.setdefault(name, {})[result.mode] = status
            for name in [name for name, modes in cases.items() if not modes]:
                del cases[name]
        os.makedirs(os.path.dirname(RESULTS), exist_ok=True)
        with open(RESULTS + ".new", "w", encoding="utf-8") as file:
            json.dump(known, file, indent=1, sort_keys=True)
        os.rename(RESULTS + ".new", RESULTS)
