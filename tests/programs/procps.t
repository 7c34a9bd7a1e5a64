# What tells about processes and the machine: procps, lscpu, nproc, lsof.

#== lists processes and what they are
sleep 60 & child=$!
ps -o pid= -p $child | grep -c "^ *$child$"
ps -o comm=,args=,ni=,nlwp=,tty= -p $child
[ "$(ps -o ppid= -p $child | tr -d ' ')" = $$ ] && echo mine
pgrep -P $$ -x sleep | grep -cx $child
tr '\0' ' ' < /proc/$child/cmdline; echo
readlink /proc/$child/exe /proc/$child/root
ps -eo pid,comm | awk -v me=$$ '$1 == me { print $2 }'
kill $child; wait $child 2>/dev/null; ps -p $child > /dev/null || echo gone

#== finds a process by its name
cp /bin/sleep ./nap_of_this_test
./nap_of_this_test 60 & child=$!
until [ "$(cat /proc/$child/comm)" = nap_of_this_tes ]; do :; done
[ "$(pidof nap_of_this_test)" = $child ] && echo found
kill $child; wait $child 2>/dev/null; echo $?

#== shows memory that is really used
python3 - << 'END'
import mmap, re, subprocess, os
def rss(): return int(subprocess.run(["ps", "-o", "rss=", "-p", str(os.getpid())],
                                     capture_output=True, text=True).stdout)
before = rss()
m = mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
reserved = rss()
for i in range(0, 32 << 20, 4096): m[i] = 1
touched = rss()
print(reserved - before < 4096, 32 * 1024 - 4096 < touched - reserved < 36 * 1024)
END
pmap -x $$ | head -2 | sed "s/$$/PID/"
pmap $$ | grep -c -E 'bash|libc|stack' > /dev/null && echo maps

#== sums up the machine
free | awk '{ print $1, NF }'
free | awk '/^Mem/ { print ($2 >= $3 + $4), ($7 <= $2) }'
vmstat | awk '{ print NF }'
uptime | grep -c 'load average'
top -b -n1 -p $$ | awk -v me=$$ '$1 == me { print $NF }'
nproc; lscpu | grep -E '^(Architecture|Byte Order|CPU\(s\)|On-line)' | tr -s ' '
sysctl kernel.ostype vm.overcommit_memory | sed 's/[0-9]$/N/'

#== says which files are open
exec 7> held
lsof -p $$ 2>/dev/null | awk '$4 ~ /^(cwd|txt|7w)$/ { print $1, $4, $5, ($9 ~ /held$/) }'
ls -l /proc/$$/fd/7 | grep -c 'held$'
