"""Starts one test program, natively or inside, waits for it, and leaves nothing behind."""

import os
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MYST = os.path.join(ROOT, "build", "myst")
ISOLATE = os.path.join(ROOT, "build", "tests", "isolate")
REPORT_SECONDS = 3          # what a hung instance gets to print its report
OUTPUT_MAX = 4 << 20        # of a test's output, what is read

NATIVE, INSIDE = "native", "inside"

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root" if os.geteuid() == 0 else os.environ.get("HOME", "/"),
    "TERM": "dumb",
    "LANG": "C.UTF-8",
    "TEST_PROGRAMS": os.path.join(ROOT, "build", "tests", "programs"),   # built by make tests
}


class Outcome:
    """status: exit status (128+n after signal n); stdout and stderr: text, in one when merged;
    timed_out; seconds."""

    def __init__(self, status, stdout, stderr, timed_out, seconds):
        self.status = status
        self.stdout = stdout
        self.stderr = stderr
        self.timed_out = timed_out
        self.seconds = seconds

    @property
    def ended(self):
        if self.timed_out:
            return f"timed out after {self.seconds:.0f} s"
        if self.status > 128:
            number = self.status - 128
            try:
                return f"died of {signal.Signals(number).name}"
            except ValueError:
                pass
        return f"exited with {self.status}"


def command_for(mode, arguments, trap=False):
    if mode == NATIVE:
        return [ISOLATE, *arguments]
    return [MYST, "exec", "--host-env", "TEST_PROGRAMS", *(["--no-patch"] if trap else []), "/",
            *arguments]


def _read(file):
    file.seek(0)
    return file.read(OUTPUT_MAX).decode("utf-8", "replace")


def _signal_group(group, number):
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass


def _end_hung(process, mode):
    """A hung instance first gets the chance to say where it hangs."""
    if mode == INSIDE:
        process.send_signal(signal.SIGQUIT)
        try:
            process.wait(REPORT_SECONDS)
        except subprocess.TimeoutExpired:
            pass
    else:
        _signal_group(process.pid, signal.SIGTERM)
        time.sleep(0.2)


def usual_signals():
    """What the caller ignores (nohup, a job in the background) is no matter of the tests, nor of what
    they start. SIGPIPE is Python's own business."""
    for signo in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}:
        if signal.getsignal(signo) == signal.SIG_IGN:
            signal.signal(signo, signal.default_int_handler if signo == signal.SIGINT
                          else signal.SIG_DFL)


def run(mode, arguments, timeout, merged=False, trap=False):
    """Runs a program in an empty current folder. merged: standard error goes where output goes."""
    scratch = tempfile.mkdtemp(prefix="myst-test-")
    os.chmod(scratch, 0o755)
    start = time.monotonic()
    timed_out = False
    try:
        with tempfile.TemporaryFile(buffering=0) as out, tempfile.TemporaryFile(buffering=0) as err:
            process = subprocess.Popen(
                command_for(mode, arguments, trap), stdin=subprocess.DEVNULL, stdout=out,
                stderr=out if merged else err, cwd=scratch, env=ENVIRONMENT,
                start_new_session=True)
            try:
                process.wait(timeout)
                seconds = time.monotonic() - start
            except subprocess.TimeoutExpired:
                timed_out = True
                seconds = time.monotonic() - start
                _end_hung(process, mode)
            finally:
                _signal_group(process.pid, signal.SIGKILL)
                process.wait()
            status = process.returncode
            return Outcome(128 - status if status < 0 else status, _read(out), _read(err),
                           timed_out, seconds)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
