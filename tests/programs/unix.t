# Programs that talk over AF_UNIX, unix(7).

#== socat connects to a path and gets an answer
socat UNIX-LISTEN:sock EXEC:'/usr/bin/tr a-z A-Z',pipes &
server=$!
until [ -S sock ]; do :; done
echo "hello over a socket" | socat -t 5 - UNIX-CONNECT:sock
wait $server
echo "server: $?"

#== socat connects to an abstract name
socat ABSTRACT-LISTEN:myst-socat-$$ SYSTEM:'cat; echo end' &
server=$!
until echo data | socat -t 5 - ABSTRACT-CONNECT:myst-socat-$$ 2>/dev/null; do :; done
wait $server
echo "server: $?"

#== socat moves a megabyte
head -c 1048576 /dev/zero | tr '\0' x > data
socat -u UNIX-LISTEN:sock CREATE:copy &
until [ -S sock ]; do :; done
socat -u OPEN:data UNIX-CONNECT:sock
wait
cmp data copy && echo same

#== python's socketserver serves over AF_UNIX
cat > serve.py <<'END'
import os, socket, socketserver, threading

class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line.upper())

class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True

with Server("sock", Echo) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for i in range(20):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect("sock")
            s.sendall(b"line %d\n" % i)
            s.shutdown(socket.SHUT_WR)
            print(s.makefile("rb").read())
    server.shutdown()
print(os.stat("sock").st_mode & 0o170000 == 0o140000)
END
/usr/bin/python3 serve.py

#== python's multiprocessing talks over AF_UNIX and passes descriptors
cat > mp.py <<'END'
import multiprocessing as mp, os
from multiprocessing.connection import Client, Listener
from multiprocessing import reduction

def child(address):
    with Client(address, authkey=b"key") as c:
        c.send({"answer": 42, "big": b"x" * 300000})
        fd = reduction.recv_handle(c)
        os.write(fd, b"written by the child\n")
        os.close(fd)
        print(c.recv())

if __name__ == "__main__":
    with Listener("sock", "AF_UNIX", authkey=b"key") as listener:
        p = mp.get_context("fork").Process(target=child, args=("sock",))
        p.start()
        with listener.accept() as c:
            got = c.recv()
            print(got["answer"], len(got["big"]))
            r, w = os.pipe()
            reduction.send_handle(c, w, p.pid)
            os.close(w)
            print(os.read(r, 100))
            c.send("bye")
            p.join()
            print(p.exitcode)
END
/usr/bin/python3 mp.py

#== python's asyncio serves and connects
cat > aio.py <<'END'
import asyncio

async def serve(reader, writer):
    while line := await reader.readline():
        writer.write(line[::-1].strip() + b"\n")
        await writer.drain()
    writer.close()

async def ask(i):
    reader, writer = await asyncio.open_unix_connection("sock")
    writer.write(b"question %d\n" % i)
    answer = await reader.readline()
    writer.close()
    return answer

async def main():
    server = await asyncio.start_unix_server(serve, "sock")
    async with server:
        print(await asyncio.gather(*(ask(i) for i in range(30))))

asyncio.run(main())
END
/usr/bin/python3 aio.py

#== python's asyncio runs programs
cat > run.py <<'END'
import asyncio

async def main():
    p = await asyncio.create_subprocess_exec("tr", "a-z", "A-Z", stdin=asyncio.subprocess.PIPE,
                                             stdout=asyncio.subprocess.PIPE)
    print(await p.communicate(b"through a pipe"), p.returncode)

asyncio.run(main())
END
/usr/bin/python3 run.py

#== ssh-agent keeps a key
ssh-keygen -q -t ed25519 -N '' -C comment -f key
eval "$(ssh-agent -s -a agent)" > /dev/null
ssh-add -q key && ssh-add -l | cut -d' ' -f1,3-
ssh-add -q -d key
ssh-add -l
echo "status: $?"
ssh-agent -k > /dev/null
ls agent 2>&1

#== git's credential cache remembers
export HOME=$PWD
git config --global credential.helper "cache --timeout=60 --socket=$PWD/dir/socket"
mkdir -m 700 dir
printf 'protocol=https\nhost=example.com\nusername=me\npassword=secret\n\n' | git credential approve
printf 'protocol=https\nhost=example.com\n\n' | git credential fill
git credential-cache --socket="$PWD/dir/socket" exit

#== redis serves over a socket and saves in the background
redis-server --port 0 --unixsocket "$PWD/redis" --dir "$PWD" --save '' --daemonize no \
    --logfile log --appendonly no &
server=$!
until [ -S redis ] && redis-cli -s redis ping 2>/dev/null; do :; done
redis-cli -s redis set key value
redis-cli -s redis get key
for i in $(seq 200); do echo "rpush list item-$i"; done | redis-cli -s redis | tail -1
redis-cli -s redis bgsave
while [ "$(redis-cli -s redis info persistence | grep -c rdb_bgsave_in_progress:1)" = 1 ]; do :; done
redis-cli -s redis info persistence | grep rdb_last_bgsave_status
ls dump.rdb
redis-cli -s redis shutdown nosave
wait $server
echo "server: $?"

#== redis-benchmark finishes
redis-server --port 0 --unixsocket "$PWD/redis" --dir "$PWD" --save '' --logfile log &
server=$!
until [ -S redis ] && redis-cli -s redis ping > /dev/null 2>&1; do :; done
redis-benchmark -s redis -q -n 2000 -c 8 -P 4 -t set,get --csv | cut -d, -f1
redis-cli -s redis shutdown nosave
wait $server
echo "server: $?"
