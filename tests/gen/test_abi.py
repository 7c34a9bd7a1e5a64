"""kernel/abi/ against the C library's headers: what both name has one value."""

import os
import re
import subprocess
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

LIBC_HEADERS = """fcntl.h sched.h signal.h unistd.h sys/eventfd.h sys/mman.h sys/mount.h sys/pidfd.h
sys/shm.h sys/signalfd.h sys/socket.h sys/stat.h sys/swap.h sys/uio.h netinet/in.h
netinet/tcp.h""".split()

# libc counts signal 0 too.
EXEMPT = {"_NSIG"}


def constants(name):
    """Names and values of a header's macros."""
    with open(os.path.join(ROOT, "kernel", "abi", name), encoding="ascii") as file:
        return re.findall(r"^#define +([A-Z_]\w*) +(\S.*?)(?: */\*.*)?$", file.read(), re.M)


class Constants(unittest.TestCase):
    def compare(self, name):
        lines = [f"#include <{header}>" for header in LIBC_HEADERS]
        checked = []
        for macro, value in constants(name):
            if macro in EXEMPT:
                continue
            checked.append(macro)
            lines += [f"#ifdef {macro}",
                      f"_Static_assert((unsigned long)({macro}) == (unsigned long)({value}), "
                      f'"{macro}");', "#endif"]
        done = subprocess.run(["gcc", "-D_GNU_SOURCE", "-fsyntax-only", "-xc", "-"],
                              input="\n".join(lines) + "\n", text=True, check=False,
                              stderr=subprocess.PIPE)
        self.assertEqual(done.stderr, "")
        self.assertGreater(len(checked), 30)

    def test_unexported(self):
        self.compare("unexported.h")

    def test_newer(self):
        self.compare("newer.h")

    def test_the_headers_compile_alone_and_together(self):
        for text in ('#include "abi/newer.h"\n', '#include "abi/unexported.h"\n',
                     '#include "abi/newer.h"\n#include "abi/unexported.h"\n'):
            subprocess.run(["gcc", "-fsyntax-only", "-Wall", "-Werror", "-xc", "-",
                            "-I" + os.path.join(ROOT, "kernel")], input=text, text=True,
                           check=True)


if __name__ == "__main__":
    unittest.main()
