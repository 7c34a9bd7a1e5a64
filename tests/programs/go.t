# A Go program, built once by tests/programs/go/: goroutines, timers, garbage, signals, files, other programs.
# tags: trap

#== runs goroutines, programs and signal handlers
"$TEST_PROGRAMS/work"

#== ends by a panic (exit 2)
"$TEST_PROGRAMS/work" panic 2>&1 | sed -E 's/0x[0-9a-f]+/ADDRESS/g; s/\+ADDRESS//; /^exit status/d' | head -3
exit "${PIPESTATUS[0]}"

#== serves and asks over HTTP on loopback
# needs: socket
"$TEST_PROGRAMS/work" http
