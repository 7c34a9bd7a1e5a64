# tags: trap
# bash itself: jobs, traps, redirections, substitutions.

#== runs pipelines and reports each status
true | false | exit 3 | cat
echo "${PIPESTATUS[@]}"
set -o pipefail
false | true
echo $?

#== waits for background jobs in the order asked
for n in 3 1 2; do (exit $n) & pids+=($!); done
for pid in "${pids[@]}"; do wait $pid; echo $?; done

#== runs traps on signals and at the end (exit 7)
trap 'echo got USR1' USR1
trap 'echo leaving with $?' EXIT
kill -USR1 $$
{ (kill -TERM $BASHPID); } 2>/dev/null
echo child ended with $?
exit 7

#== redirects, duplicates and closes descriptors (exit 1)
exec 5> log
echo to five >&5
echo both >&5 2>&1
exec 5>&-
cat log
{ echo out; echo err >&2; } 2>&1 | sort
cat <<< "here string"
cat << END
here document $((6 * 7))
END
: >&5

#== reads through process substitution and coprocesses
diff <(seq 3) <(seq 4)
coproc UP { tr a-z A-Z; }
echo hello >&"${UP[1]}"
exec 3<&"${UP[0]}" # bash forgets its number when the coprocess ends
eval "exec ${UP[1]}>&-"
cat <&3
wait

#== matches files and patterns
touch b.c a.c a.h 'with space.c'
printf '<%s>' *.c; echo
shopt -s extglob nullglob
printf '<%s>' !(*.c) nothing*; echo
[[ alpha-42 =~ ^([a-z]+)-([0-9]+)$ ]] && echo "${BASH_REMATCH[2]} ${BASH_REMATCH[1]}"

#== computes with arrays and functions
fib() { (( $1 < 2 )) && echo $1 || echo $(( $(fib $(($1 - 1))) + $(fib $(($1 - 2))) )); }
fib 9
declare -A ages=([ann]=30 [bob]=25)
for name in "${!ages[@]}"; do echo "$name ${ages[$name]}"; done | sort
text=banana; echo "${text//a/o} ${text^^} ${#text} ${text:1:3}"

#== goes on after a program that is not there (exit 127)
nosuchprogram --help

#== execs in place
exec -a other bash -c 'echo "$0"; [ $$ -eq $PPID ] || echo another parent'

#== limits what its children may use
ulimit -n 20
ulimit -n
(exec 19</dev/null && echo nineteen; exec 20</dev/null) 2>&1 | sed 's/.*: //'

#== reads a line at a time from a pipe
seq 3 | while read -r n; do echo "n=$n"; done
printf 'a b c' | { read -r x y; echo "$x|$y"; }
read -r -t 0.1 never < <(exec sleep 5); echo $(( $? > 128 ))
