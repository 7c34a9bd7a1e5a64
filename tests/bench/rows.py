"""What is measured: a row for each figure, in groups, with the ratio that is aimed at.

A row times one thing on one side: row.measure(inside) gives nanoseconds. Three kinds: a single operation
(tests/bench/micro), a command that a process of the same kernel starts and times (the start of an
instance is not in it), a whole run as a person waits for it (it is)."""

import os
import re
import socket
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MYST = os.path.join(ROOT, "build", "myst")
BUILD = os.path.join(ROOT, "build", "tests", "bench")
MICRO, TIMED = os.path.join(BUILD, "micro"), os.path.join(BUILD, "timed")
TIMEOUT = 180
PUBLISHED, NATIVE_PORT, INNER_PORT = 6401, 6400, 6399


class Failed(Exception):
    pass


def prefix(inside, *options):
    return [MYST, "exec", *options, "/"] if inside else []


def output(command):
    """Standard output and standard error of a command that succeeds."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=TIMEOUT, check=False,
                              cwd=tempfile.gettempdir())
    except subprocess.TimeoutExpired as error:
        raise Failed(f"not over after {TIMEOUT} s") from error
    if done.returncode != 0:
        raise Failed(f"exit status {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout, done.stderr


class Micro:
    """An operation of tests/bench/micro."""

    rounds = 5

    def __init__(self, name, goal=None):
        self.name, self.goal = name, goal

    def measure(self, inside):
        return float(output([*prefix(inside), MICRO, self.name])[0].split()[1])


class Command:
    """A command of the shell; `setup` is run before each and not timed; counted: calls are shown."""

    rounds = 3

    def __init__(self, name, command, goal=None, setup=None, count=3, counted=False):
        self.name, self.goal, self.counted = name, goal, counted
        self.words = [str(count), command, *([setup] if setup else [])]
        self.command = command

    def measure(self, inside):
        return float(output([*prefix(inside), TIMED, *self.words])[0])

    def calls(self):
        """How many calls it makes inside."""
        log = output([*prefix(True, "--stats"), "/bin/bash", "-c", self.command])[1]
        found = re.search(r"(\d+) calls of the program", log)
        return int(found.group(1)) if found else 0


class Whole:
    """A program from the command line to its end, against the same natively."""

    rounds = 15

    def __init__(self, name, command, goal=None):
        self.name, self.goal, self.command = name, goal, command

    def measure(self, inside):
        start = time.monotonic()
        output([*prefix(inside), *self.command])
        return (time.monotonic() - start) * 1e9


def redis_request(text):
    """redis-benchmark --csv: "GET","requests a second",...; the time of one request."""
    return 1e9 / float(text.strip().splitlines()[-1].split(",")[1].strip('"'))


class Redis:
    """Server and client on one kernel."""

    rounds = 3
    SCRIPT = """
    redis-server --port {port} --save '' --logfile /dev/null &
    until redis-cli -p {port} ping >/dev/null 2>&1; do sleep 0.05; done
    redis-benchmark -p {port} --csv {options} | tail -1
    redis-cli -p {port} shutdown nosave
    """

    def __init__(self, name, options, goal=None):
        self.name, self.goal, self.options = name, goal, options

    def measure(self, inside):
        script = self.SCRIPT.format(port=INNER_PORT, options=self.options)
        return redis_request(output([*prefix(inside), "/bin/bash", "-c", script])[0])


class RedisOutside:
    """A server that a client of the host's reaches; inside, through a published port."""

    rounds = 3

    def __init__(self, name, options, goal=None):
        self.name, self.goal, self.options = name, goal, options.split()

    def measure(self, inside):
        port = PUBLISHED if inside else NATIVE_PORT
        words = ["redis-server", "--port", str(INNER_PORT if inside else port), "--save", "",
                 "--protected-mode", "no", "--logfile", "/dev/null"]
        command = [*prefix(inside, "--publish", f"127.0.0.1:{port}:{INNER_PORT}"), "/usr/bin/env", *words]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, cwd=tempfile.gettempdir()) as server:
            try:
                self._wait_for(port)
                return redis_request(output(["redis-benchmark", "-p", str(port), "--csv",
                                             *self.options])[0])
            finally:
                server.terminate()

    @staticmethod
    def _wait_for(port):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            try:
                with socket.create_connection(("127.0.0.1", port), 1) as peer:
                    peer.sendall(b"PING\r\n")
                    if peer.recv(64).startswith(b"+PONG"):
                        return
            except OSError:
                pass
            time.sleep(0.05)
        raise Failed("the server does not answer")


SHM = "/dev/shm/bench-files"
FIFTY_FILES = f"""
rm -rf {SHM}; mkdir {SHM}; cd {SHM}
for i in $(seq 50); do echo "int f$i(int x) {{ return x * $i; }}" > f$i.c; done
echo 'int main(void) {{ return 0; }}' > main.c
echo 'all: $(patsubst %.c,%.o,$(wildcard *.c)); gcc -o all *.o' > Makefile
"""
ONE_TRANSACTION = ("BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
                   " INSERT INTO t SELECT i, i * 7 FROM n; COMMIT;")
NEW_DATABASE = f"rm -f {SHM}.db*; sqlite3 {SHM}.db 'CREATE TABLE t(a, b)'"
XZ_INPUT = f"[ -f {SHM}.xz-input ] || cat /usr/bin/[a-f]* | head -c 6M > {SHM}.xz-input"

GROUPS = {
    "calls": [
        Micro("getppid", 0.1), Micro("clock_gettime", 1.15), Micro("read_1_zero", 0.3),
        Micro("write_1_null", 0.3), Micro("pipe_write_read_1", 0.3),
    ],
    "files": [
        Micro("pread_1", 0.3), Micro("pread_64k"), Micro("open_close", 0.5), Micro("stat_depth_1", 0.2),
        Micro("stat_depth_10", 0.2), Micro("create_unlink", 0.5), Micro("getdents_1000"),
    ],
    "talks": [
        Micro("pipe_round_trip", 0.8), Micro("unix_round_trip", 0.8), Micro("tcp_round_trip", 0.6),
        Micro("pipe_64k", 0.8), Micro("unix_64k", 0.8), Micro("tcp_64k", 0.6),
    ],
    "waits": [
        Micro("poll_10"), Micro("poll_1000"), Micro("epoll_10", 0.4), Micro("epoll_10000", 0.4),
        Micro("condvar_round_trip", 1.0), Micro("mutex_2_threads", 1.1), Micro("mutex_4_threads", 1.1),
        Micro("mutex_8_threads", 1.1), Micro("mutex_16_threads", 1.1), Micro("mutex_32_threads", 1.1),
    ],
    "tasks": [
        Micro("signal_self", 0.2), Micro("thread_create_join", 1.2), Micro("fork_exit_wait", 1.3),
        Micro("fork_1g_resident", 1.3), Micro("spawn_static", 1.1), Micro("spawn_dynamic", 1.1),
        Command("shell_500_true", "for i in $(seq 500); do /bin/true; done", 1.1),
    ],
    "memory": [Micro("mmap_munmap_64k", 1.1), Micro("page_fault", 1.1)],
    "programs": [
        Whole("start_true", ["/bin/true"], 3),
        Command("python_start", "python3 -c 'import json, re, threading'", 1.2, count=10),
        Command("tar_2000", "tar -cf - $(find /usr/share -type f | head -2000) 2>/dev/null | wc -c", 1.1,
                counted=True),
        Command("find_usr", "find /usr -xdev -type f -size +1k | wc -l", 1.1, counted=True),
        Command("make_50", f"make -s -j2 -C {SHM}", 1.1, setup=FIFTY_FILES, count=1),
        Command("sqlite_1_transaction", f"sqlite3 {SHM}.db '{ONE_TRANSACTION}'", 1.1, setup=NEW_DATABASE),
        Command("sqlite_300_transactions",
                f"for i in $(seq 300); do echo \"INSERT INTO t VALUES($i, $i);\"; done | sqlite3 {SHM}.db",
                1.1, setup=NEW_DATABASE),
        Redis("redis_one_by_one", "-n 30000 -t get", 0.8),
        Redis("redis_pipelined", "-n 200000 -P 16 -t get", 0.8),
        RedisOutside("redis_outside", "-n 30000 -t get", 1.2),
        RedisOutside("redis_outside_pipelined", "-n 200000 -P 16 -t get", 1.2),
    ],
    "compute": [
        Command("python_compute", "python3 -c 'print(sum(i * i for i in range(10000000)))'", 1.02),
        Command("xz", f"xz -6 -T1 -c {SHM}.xz-input", 1.02, setup=XZ_INPUT, count=1),
    ],
}
