# openssl: hashes, keys, and a TLS conversation over loopback.

#== hashes and encrypts
seq 10000 > f
openssl dgst -sha256 f
openssl enc -aes-256-cbc -pbkdf2 -k secret -in f -out f.enc
openssl enc -d -aes-256-cbc -pbkdf2 -k secret -in f.enc | cmp - f && echo equal

#== makes keys and signs
seq 10 > f
openssl genpkey -algorithm ed25519 -out key.pem && openssl pkey -in key.pem -pubout -out pub.pem
openssl pkeyutl -sign -rawin -inkey key.pem -in f -out sig && stat -c %s sig
openssl pkeyutl -verify -rawin -pubin -inkey pub.pem -in f -sigfile sig

#== talks TLS over loopback
# needs: socket
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out c.pem \
    -days 2 -subj /CN=here 2>/dev/null
openssl s_server -accept 127.0.0.1:8443 -key k.pem -cert c.pem -www -quiet &
server=$!
for _ in $(seq 200); do (: < /dev/tcp/127.0.0.1/8443) 2>/dev/null && break; sleep 0.05; done
printf 'GET / HTTP/1.0\r\n\r\n' |
    openssl s_client -connect 127.0.0.1:8443 -CAfile c.pem -ign_eof 2>/dev/null |
    grep -oE 'HTTP/1.0 200 ok|Verification: OK|Verify return code: 0 \(ok\)' | sort -u
kill $server; wait $server 2>/dev/null; true
