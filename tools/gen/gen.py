#!/usr/bin/python3
"""Turns the tables of the two contracts, kernel/syscall/syscalls.tbl and kernel/host/border.tbl, into
C and Markdown.

    gen.py --out build/gen kernel       the C that the kernel, the tools and the tests compile
    gen.py --docs docs kernel           docs/syscalls.md and docs/host-boundary.md
"""

import argparse
import os
import sys

import bad_pointers
import border
import emit
import report
from table import Table, TableError


PLAUSIBLE = "tests/conformance/table/plausible.tbl"


def write(folder, files):
    os.makedirs(folder, exist_ok=True)
    for name, text in files.items():
        path = os.path.join(folder, name)
        if not os.path.exists(path) or open(path, encoding="utf-8").read() != text:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", metavar="DIR", help="write the C files to DIR")
    parser.add_argument("--docs", metavar="DIR", help="write syscalls.md to DIR")
    parser.add_argument("--plausible", metavar="FILE", default=PLAUSIBLE,
                        help="arguments for the bad-pointer test (default: %(default)s)")
    parser.add_argument("kernel", help="the kernel's folder")
    options = parser.parse_args()

    try:
        table = Table(options.kernel)
        status = report.read_status(table, os.path.join(options.kernel, "syscall", "status.tsv"))
        if options.out:
            write(options.out, {
                "syscall_proto.h": emit.prototypes(table),
                "syscall_dispatch.c": emit.dispatch(table),
                "syscall_types.h": emit.types(table),
                "syscall_decode.c": emit.decode(table),
                "syscalls_info.h": report.info(table, status),
                "border_rules.h": border.header(border.Table()),
                "bad_pointers.h": bad_pointers.header(table, options.plausible),
            })
        if options.docs:
            write(options.docs, border.Border().documents())
            write(options.docs, {"syscalls.md": report.markdown(table, status)})
    except (TableError, border.BorderError) as error:
        sys.exit(f"gen.py: {error}")


if __name__ == "__main__":
    main()
