#!/usr/bin/python3
"""Turns contract 1, kernel/syscall/syscalls.tbl, into C and Markdown.

    gen.py --out build/gen kernel       the C files that the kernel and the tools compile
    gen.py --docs docs kernel           docs/syscalls.md
"""

import argparse
import os
import sys

import emit
import report
from table import Table, TableError


def write_if_changed(path, text):
    """Leaves an unchanged file alone, so that make rebuilds nothing for it."""
    try:
        with open(path, encoding="ascii") as file:
            if file.read() == text:
                return
    except FileNotFoundError:
        pass
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", metavar="DIR", help="write the C files to DIR")
    parser.add_argument("--docs", metavar="DIR", help="write syscalls.md to DIR")
    parser.add_argument("kernel", help="the kernel's folder")
    options = parser.parse_args()

    try:
        table = Table(options.kernel)
        status = report.read_status(table, os.path.join(options.kernel, "syscall", "status.tsv"))
    except TableError as error:
        sys.exit(f"gen.py: {error}")

    if options.out:
        os.makedirs(options.out, exist_ok=True)
        for name, text in (
            ("syscall_proto.h", emit.prototypes(table)),
            ("syscall_dispatch.c", emit.dispatch(table)),
            ("syscall_types.h", emit.types(table)),
            ("syscall_decode.c", emit.decode(table)),
            ("syscalls_info.h", report.info(table, status)),
        ):
            write_if_changed(os.path.join(options.out, name), text)
    if options.docs:
        os.makedirs(options.docs, exist_ok=True)
        write_if_changed(os.path.join(options.docs, "syscalls.md"), report.markdown(table, status))


if __name__ == "__main__":
    main()
