"""What the tests of the command line share: a myst whose launcher prints what it was given."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MYST = os.environ.get("MYST", os.path.join(ROOT, "build", "tests", "cli", "myst"))
LAUNCHED = 42               # the status of launch_print.c
USAGE, NOT_STARTED, FAILED = 2, 125, 1
NOBODY = 65534

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "TERM": "dumb",
               "LANG": "C.UTF-8"}

as_root = unittest.skipIf(os.geteuid() != 0, "needs root")


class CliTest(unittest.TestCase):
    """Each test stands in an empty folder of its own, self.folder."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="myst-cli-")
        os.chmod(self.folder, 0o755)
        self.addCleanup(self.remove_folder)

    def remove_folder(self):
        subprocess.run(["chmod", "-R", "u+rwx", self.folder], check=False,
                       stderr=subprocess.DEVNULL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, data):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "wb") as file:
            file.write(data if isinstance(data, bytes) else data.encode())
        return self.path(name)

    def myst(self, *arguments, binary=MYST, **options):
        options.setdefault("env", ENVIRONMENT)
        options.setdefault("cwd", self.folder)
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.PIPE)
        return subprocess.run([binary, *arguments], stderr=subprocess.PIPE, timeout=60,
                              check=False, **options)

    def as_nobody(self, *arguments, **options):
        """Runs a copy, since the build folder may be closed to others."""
        copy = self.path("myst-copy")
        if not os.path.exists(copy):
            shutil.copy(MYST, copy)
            os.chmod(copy, 0o755)
        options = {"user": NOBODY, "group": NOBODY, "extra_groups": [], **options}
        return self.myst(*arguments, binary=copy, **options)

    def succeed(self, *arguments, **options):
        done = self.myst(*arguments, **options)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return done

    def launched(self, *arguments, **options):
        """The launch_options that `myst exec ARGUMENTS` makes."""
        done = self.myst("exec", *arguments, **options)
        self.assertEqual((done.returncode, done.stderr), (LAUNCHED, b""))
        return json.loads(done.stdout)

    def complain(self, status, words, done):
        """It ended with this status and exactly one line, which has all the words."""
        text = done.stderr.decode("utf-8", "replace")
        self.assertEqual(done.returncode, status, text)
        self.assertTrue(text.startswith("myst: ") and text.endswith("\n"), text)
        self.assertEqual(text.count("\n"), 1, text)
        for word in words:
            self.assertIn(word, text)

    def refused(self, status, words, *arguments, **options):
        self.complain(status, words, self.myst(*arguments, **options))


class LineResult(unittest.TestResult):
    """Prints what the runner reads: the lines of a cmocka program."""

    def _line(self, kind, test, text=""):
        if text:
            print(text)
        print(f"[ {kind} ] {test.id().split('.', 1)[1]}", flush=True)

    def startTest(self, test):
        super().startTest(test)
        self._line("RUN", test)
        self.failed_part = False

    def stopTest(self, test):
        super().stopTest(test)
        if self.failed_part:
            self._line("FAILED", test)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            print(self._exc_info_to_string(err, subtest))
            self.failed_part = True

    def addSuccess(self, test):
        super().addSuccess(test)
        self._line("OK", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._line("SKIPPED", test, reason)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._line("FAILED", test, self._exc_info_to_string(err, test))

    def addError(self, test, err):
        super().addError(test, err)
        self._line("FAILED", test, self._exc_info_to_string(err, test))


def main():
    """Runs the tests of the script, or those that its arguments name (Class or Class.test)."""
    script = sys.modules["__main__"]
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromNames(sys.argv[1:], script) if sys.argv[1:] else \
        loader.loadTestsFromModule(script)
    print(f"[==========] Running {suite.countTestCases()} test(s).")
    result = LineResult()
    suite.run(result)
    sys.exit(not result.wasSuccessful())
