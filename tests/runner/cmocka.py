"""Reads what a cmocka program prints, also when it dies half-way."""

import re

LINE = re.compile(r"^\[ *(==========|RUN|OK|FAILED|SKIPPED|REASON) *\] ?(.*)$")
RUNNING = re.compile(r"Running (\d+) test")

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


class CmockaOutput:
    """cases: name to PASSED, FAILED or SKIPPED, in order; details: name to the lines that the case
    printed; broken: why the run as a whole is a failure, or None."""

    def __init__(self, text, status, ended):
        self.cases = {}
        self.details = {}
        self.broken = None
        self.announced = 0
        running = self._read_lines(text)
        if running is not None:
            self.cases[running] = FAILED
            self.details[running].append(f"did not end: {ended}")
        self._judge(text, status, ended)

    def _read_lines(self, text):
        running = None
        lines = []
        for line in text.splitlines():
            match = LINE.match(line)
            kind, rest = match.groups() if match else ("", "")
            if kind == "==========" and (count := RUNNING.match(rest)):
                self.announced += int(count.group(1))
            elif kind == "RUN":
                if running is not None:         # its fixture failed
                    self.cases[running] = FAILED
                running, lines = rest, []
                self.details[running] = lines
            elif kind in ("OK", "FAILED", "SKIPPED") and running is not None and rest == running:
                self.cases[running] = {"OK": PASSED, "SKIPPED": SKIPPED}.get(kind, FAILED)
                running = None
            elif kind == "REASON" and running is not None:
                lines.append(rest.removeprefix(f"{running}: "))
            elif line.strip():
                lines.append(line)
        return running

    def _judge(self, text, status, ended):
        failed = sum(1 for result in self.cases.values() if result == FAILED)
        if self.announced == 0:
            tail = text.strip().splitlines()[-8:]
            self.broken = "\n".join([f"no case was run: {ended}", *tail])
        elif len(self.cases) < self.announced and not failed:
            self.broken = f"{len(self.cases)} of {self.announced} cases were run: {ended}"
        elif status != 0 and not failed:
            said = [line for lines in self.details.values() for line in lines]
            self.broken = "\n".join([f"every case passed, but the program {ended}", *said])
