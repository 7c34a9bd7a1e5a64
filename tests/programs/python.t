# Python's standard library: processes, threads, files, sockets, time.

#== runs threads, locks and queues
python3 - << 'END'
import threading, queue
q, seen = queue.Queue(), []
def work():
    while (item := q.get()) is not None:
        seen.append(item * item)
threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads: t.start()
for i in range(100): q.put(i)
for _ in threads: q.put(None)
for t in threads: t.join()
print(len(seen), sum(seen))
END

#== starts processes and talks to them
python3 - << 'END'
import subprocess, os, signal
print(subprocess.run(["tr", "a-z", "A-Z"], input="quiet", text=True, capture_output=True).stdout)
p = subprocess.Popen(["sleep", "60"]); p.send_signal(signal.SIGTERM); print(p.wait())
r, w = os.pipe()
if os.fork() == 0:
    os.write(w, b"from the child"); os._exit(5)
os.close(w); print(os.read(r, 100), os.waitstatus_to_exitcode(os.wait()[1]))
try:
    subprocess.run(["nosuchprogram"])
except FileNotFoundError as error:
    print(error)
END

#== keeps a process pool busy
python3 - << 'END'
import multiprocessing
def square(n): return n * n
if __name__ == "__main__":
    with multiprocessing.Pool(2) as pool:
        print(sum(pool.map(square, range(200))))
END

#== starts processes by spawn and by forkserver, with shared memory
cat > work.py << 'END'
import multiprocessing as mp
from multiprocessing import shared_memory
def fill(name, i):
    block = shared_memory.SharedMemory(name=name)
    block.buf[i] = 100 + i
    block.close()
def add(lock, total, n):
    for _ in range(n):
        with lock: total.value += 1
if __name__ == "__main__":
    context = mp.get_context("spawn")
    block = shared_memory.SharedMemory(create=True, size=1 << 20)
    workers = [context.Process(target=fill, args=(block.name, i)) for i in range(3)]
    for w in workers: w.start()
    for w in workers: w.join()
    print([w.exitcode for w in workers], list(block.buf[0:4]))
    block.close(); block.unlink()
    fork = mp.get_context("fork")
    lock, total = fork.Lock(), fork.Value("i", 0, lock=False)
    workers = [fork.Process(target=add, args=(lock, total, 500)) for _ in range(3)]
    for w in workers: w.start()
    for w in workers: w.join()
    print(total.value)
END
python3 work.py

#== serves and asks over loopback
# needs: socket
python3 - << 'END'
import socket, threading
server = socket.create_server(("127.0.0.1", 0))
def serve():
    conn, _ = server.accept()
    with conn: conn.sendall(conn.recv(100).upper())
threading.Thread(target=serve).start()
with socket.create_connection(server.getsockname()) as s:
    s.sendall(b"over tcp"); print(s.recv(100))
a, b = socket.socketpair(); a.send(b"over unix"); print(b.recv(100))
END

#== maps files and shares memory
python3 - << 'END'
import mmap, os
with open("f", "w+b") as f:
    f.truncate(1 << 16)
    with mmap.mmap(f.fileno(), 0) as m:
        m[1000:1005] = b"hello"; m.flush()
    f.seek(1000); print(f.read(5))
m = mmap.mmap(-1, 4096)
if os.fork() == 0:
    m[0:3] = b"abc"; os._exit(0)
os.wait(); print(m[0:4])
END

#== runs an event loop
# needs: socket
python3 - << 'END'
import asyncio
async def main():
    async def after(t, v): await asyncio.sleep(t); return v
    print(await asyncio.gather(after(.02, "b"), after(.01, "a")))
    p = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1)
    print(await p.communicate(b"through cat"))
    try: await asyncio.wait_for(asyncio.sleep(60), .01)
    except asyncio.TimeoutError: print("timed out")
asyncio.run(main())
END

#== stores rows in SQLite
python3 - << 'END'
import sqlite3, os
db = sqlite3.connect("d.sqlite"); db.execute("pragma journal_mode=wal")
with db:
    db.execute("create table t (n integer primary key, s text)")
    db.executemany("insert into t (s) values (?)", [(f"row {i}",) for i in range(1000)])
print(db.execute("select count(*), max(s) from t where n % 7 = 0").fetchone())
db.close(); print(sorted(os.listdir()))
END

#== ends with the status of an uncaught error (exit 1)
python3 -c 'import os; os.open("/no/such/file", os.O_RDONLY)' 2>&1 | tail -1; exit "${PIPESTATUS[0]}"
