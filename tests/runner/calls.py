"""Which calls the kernel does not have yet, by its own table, and which cases depend on them."""

import functools
import glob
import os
import re

from process import ROOT

ROW = re.compile(r"^\d+\s+(\+\s+)?(\w+)", re.M)
COVERED = re.compile(r"/\*\s*covers:\s*([^*]*)\*/\s*(?:/\*.*?\*/\s*)?static void (\w+)\(", re.S)
REFUSED = re.compile(r"(?:(?:syscall|SYS)\(SYS_(\w+)|(\w+)\().*(?:failed with ENOSYS|: -38 )")
LATER = re.compile(r"/\*\s*not yet inside:\s*([^*]*?)\s*\*/\s*(?:/\*.*?\*/\s*)?static void (\w+)\(", re.S)


@functools.cache
def absent():
    """The calls whose row has no handler: each answers ENOSYS."""
    names = {}
    for path in glob.glob(os.path.join(ROOT, "kernel", "*", "*.tbl")):
        with open(path, encoding="ascii") as file:
            for handler, name in ROW.findall(file.read()):
                names[name] = bool(handler)
    return frozenset(name for name, handler in names.items() if not handler)


def covered(source):
    """Case to the calls that its comment names."""
    with open(source, encoding="utf-8") as file:
        return {case: words.replace(",", " ").split() for words, case in COVERED.findall(file.read())}


def later(source):
    """Case to what it needs that is no call of its own: a comment above it says so."""
    with open(source, encoding="utf-8") as file:
        return {case: reason for reason, case in LATER.findall(file.read())}


def why_absent(covers, detail):
    """The absent call that a failed case needs, or None: one that it covers, or one that said so."""
    for name in covers:
        if name in absent():
            return name
    for by_number, by_name in REFUSED.findall(detail):
        if (by_number or by_name) in absent():
            return by_number or by_name
    return None
