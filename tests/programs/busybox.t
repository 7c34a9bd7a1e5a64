# tags: trap
# A static program that is many programs.

#== runs its applets
busybox echo hello
busybox seq 3 | busybox tac | busybox nl
busybox sh -c 'for i in 1 2; do echo $i | busybox wc -c; done; exit 4'; echo $?
busybox mkdir -p a/b && busybox touch a/b/c && busybox find a | busybox sort
busybox printf '%s\n' b a | busybox sort | busybox md5sum
busybox vi --help 2>&1 | busybox head -1 | busybox grep -c BusyBox

#== serves its files over HTTP on loopback
# needs: socket
mkdir www && echo 'a page' > www/index.html
busybox httpd -f -p 127.0.0.1:8099 -h www &
for _ in $(busybox seq 200); do
    busybox wget -q -O page http://127.0.0.1:8099/index.html 2>/dev/null && break
    busybox usleep 20000
done
cat page
busybox wget -q -O - http://127.0.0.1:8099/nothing 2>&1 | grep -o '404 Not Found'
kill $!; wait $! 2>/dev/null; echo "ended $?"

#== packs and unpacks
mkdir t && seq 1000 > t/f
busybox tar czf t.tgz t && busybox rm -r t && busybox tar xzf t.tgz && busybox tail -1 t/f
