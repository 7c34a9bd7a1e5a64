# Programs that talk over loopback: servers and clients of several languages.

# Waits until somebody listens on a port of this machine.
listening() {
    for _ in $(seq 200); do (: < /dev/tcp/127.0.0.1/$1) 2>/dev/null && return; sleep 0.05; done
    echo "nobody listens on $1"
}

#== redis: commands, a pipelined benchmark, a background save
redis-server --port 6390 --bind 127.0.0.1 ::1 --dir . --save "" --logfile redis.log &
listening 6390
redis-cli -p 6390 set greeting hello
redis-cli -p 6390 get greeting
redis-cli -h ::1 -p 6390 incr count
redis-cli -p 6390 rpush list a b c
redis-cli -p 6390 lrange list 0 -1
seq 1000 | sed 's/.*/SET key& value&/' | redis-cli -p 6390 --pipe | tail -1
redis-benchmark -p 6390 -n 2000 -P 16 -q -t set,get,lpush --csv | cut -d, -f1
redis-cli -p 6390 bgsave
for _ in $(seq 200); do
    redis-cli -p 6390 info persistence | grep -q rdb_bgsave_in_progress:0 && break
    sleep 0.05
done
redis-cli -p 6390 info persistence | tr -d '\r' | grep -E '^rdb_(last_bgsave_status|saves)'
redis-cli -p 6390 dbsize
redis-cli -p 6390 shutdown nosave
wait
redis-server --port 6390 --dir . --save "" --logfile redis.log &
listening 6390
redis-cli -p 6390 get key77
redis-cli -p 6390 shutdown nosave
wait

#== python's http.server serves curl
seq 20000 > numbers
mkdir sub && echo inner > sub/file
python3 -m http.server 8391 --bind 127.0.0.1 >log 2>&1 &
server=$!
listening 8391
curl -sS http://127.0.0.1:8391/numbers | cmp - numbers && echo same
curl -sS http://localhost:8391/sub/file
curl -sS -o /dev/null -w '%{http_code} %{size_download}\n' http://127.0.0.1:8391/absent
curl -sS -I http://127.0.0.1:8391/numbers | grep -i '^content-length'
curl -sS -H 'Range: bytes=0-9' http://127.0.0.1:8391/sub/file
curl -s --max-time 5 http://127.0.0.1:9/; echo $?
kill $server; wait $server 2>/dev/null; true

#== asyncio: echo servers, timeouts, a hundred clients
python3 - << 'END'
import asyncio
async def echo(reader, writer):
    while data := await reader.read(1000):
        writer.write(data); await writer.drain()
    writer.close()
async def ask(port, n):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    text = (f"client {n} " * 500).encode()
    writer.write(text); writer.write_eof()
    back = await reader.read(-1)
    writer.close()
    return back == text
class Udp(asyncio.DatagramProtocol):
    def connection_made(self, transport): self.transport = transport
    def datagram_received(self, data, addr): self.transport.sendto(data.upper(), addr)
class Client(asyncio.DatagramProtocol):
    def __init__(self, got): self.got = got
    def connection_made(self, transport): transport.sendto(b"over udp")
    def datagram_received(self, data, addr): self.got.set_result(data)
async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(sum(await asyncio.gather(*(ask(port, n) for n in range(100)))))
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Udp, local_addr=("127.0.0.1", 0))
    got = loop.create_future()
    await loop.create_datagram_endpoint(lambda: Client(got), remote_addr=transport.get_extra_info("sockname"))
    print(await got)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        await asyncio.wait_for(reader.read(1), 0.05)
    except asyncio.TimeoutError:
        print("timed out")
    server.close()
asyncio.run(main())
END

#== python's ssl over loopback, and IPv6
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out c.pem \
    -days 2 -subj /CN=here -addext subjectAltName=DNS:here 2>/dev/null
python3 - << 'END'
import socket, ssl, threading
server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH); server.load_cert_chain("c.pem", "k.pem")
client = ssl.create_default_context(cafile="c.pem")
listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
def serve():
    conn, _ = listener.accept()
    with server.wrap_socket(conn, server_side=True) as tls:
        tls.sendall(tls.recv(100)[::-1])
thread = threading.Thread(target=serve); thread.start()
with socket.create_connection(listener.getsockname()[:2]) as raw:
    with client.wrap_socket(raw, server_hostname="here") as tls:
        tls.sendall(b"secret"); print(tls.version(), tls.recv(100))
thread.join()
END

#== a Go program serves and asks over loopback
export HOME=$PWD GOCACHE=$PWD/cache GOFLAGS=-mod=mod GO111MODULE=off
cat > main.go << 'END'
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %d", r.Method, r.URL.Path, len(body))
	})
	go http.Serve(listener, nil)
	var wait sync.WaitGroup
	answers := make([]string, 20)
	for i := range answers {
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			r, err := http.Get(fmt.Sprintf("http://%s/path/%d", listener.Addr(), i))
			if err != nil {
				panic(err)
			}
			text, _ := io.ReadAll(r.Body)
			r.Body.Close()
			answers[i] = string(text)
		}(i)
	}
	wait.Wait()
	fmt.Println(answers)
}
END
go build -o program main.go && ./program

#== busybox's httpd, wget and nc
echo '<p>page</p>' > index.html
busybox httpd -f -p 127.0.0.1:8392 -h . &
server=$!
listening 8392
busybox wget -q -O - http://127.0.0.1:8392/
busybox wget -q -O - http://127.0.0.1:8392/none; echo $?
kill $server; wait $server 2>/dev/null; true

#== socat and nc move bytes both ways
seq 50000 > data
socat TCP-LISTEN:8393,bind=127.0.0.1,reuseaddr EXEC:'tr 0-9 a-j' &
socat - TCP:127.0.0.1:8393,retry=100,interval=0.05 < data | md5sum
wait
nc -l -k -N 127.0.0.1 8395 > back &
server=$!
listening 8395
echo told | nc -N 127.0.0.1 8395
until [ -s back ]; do sleep 0.05; done
kill $server; wait $server 2>/dev/null
cat back
nc -z 127.0.0.1 9; echo $?

#== busybox's ping reaches the machine itself by a raw socket
if [ "$(id -u)" = 0 ]; then
    busybox ping -c 2 -i 0.2 127.0.0.1 | grep -o '2 packets transmitted, 2 packets received'
    busybox ping -6 -c 1 ::1 | grep -o 'bytes from ::1: seq=0'
fi

#== ping reaches the machine itself
ping -c 2 -i 0.2 127.0.0.1 | grep -o '2 packets transmitted, 2 received'
ping -c 1 ::1 | grep -o 'bytes from ::1: icmp_seq=1'

#== netstat shows who listens and who is connected
python3 - << 'END'
import socket, subprocess
a = socket.create_server(("127.0.0.1", 8396)); b = socket.create_server(("::1", 8397), family=socket.AF_INET6)
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("127.0.0.1", 8398))
c = socket.create_connection(("127.0.0.1", 8396))
out = subprocess.run(["netstat", "-tuan"], capture_output=True, text=True).stdout
for line in sorted(out.splitlines()):
    if ":839" in line:
        words = line.split()
        print(words[0], words[1], words[2], *[w if ":839" in w or "*" in w else "(port)" for w in words[3:5]], *words[5:])
END
