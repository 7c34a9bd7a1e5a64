# Programs on a terminal, as a person at the keyboard sees them: terminal.py makes a pair, runs a program on the
# slave, types at the master, and waits for what should appear there.
export TERM=xterm LC_ALL=C.UTF-8 HISTFILE= INPUTRC=inputrc
echo "set enable-bracketed-paste off" > inputrc
cat > terminal.py << 'END'
import fcntl, os, pty, re, select, struct, sys, termios, time

class Terminal:
    def __init__(self, *argv, rows=24, columns=80):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
            os.execvp(argv[0], argv)
        self.seen = ""

    def read(self, seconds):
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:         # EIO: nobody has the slave open any more
            return False
        self.seen += data.decode(errors="replace")
        return bool(data)

    # Waits until the pattern appears behind what was waited for before; the match.
    def until(self, pattern):
        end = time.monotonic() + 20
        while not (match := re.search(pattern, self.seen, re.S)):
            if not self.read(max(0, end - time.monotonic())):
                sys.exit(f"waited for {pattern!r}, got {self.seen!r}")
        self.seen = self.seen[match.end():]
        return match

    # Waits until a job of the shell has the keyboard, and is the program that it is to be.
    def job(self, name):
        while open(f"/proc/{os.tcgetpgrp(self.master)}/comm").read() != name + "\n":
            self.read(0.01)

    def type(self, text):
        os.write(self.master, text.encode())

    # To its end: what else it printed, and its status.
    def finish(self):
        while self.read(20):
            pass
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.master)
        return self.seen, status
END
export PYTHONPATH=. PYTHONDONTWRITEBYTECODE=1

#== stty shows and changes the modes
cat > modes << 'END'
stty -a
stty size
stty rows 30 columns 100; stty size
stty -echo -icanon min 3 time 7; stty -g
stty raw; stty -a
stty sane; stty -a
stty intr ^X erase ^H; stty -a
stty 9600; stty speed
END
python3 -c '
from terminal import *
print(*Terminal("sh", "modes").finish())'

#== script records what a program prints on a terminal
script -qec 'stty size; test -t 0 && test -t 1 && echo a terminal; exit 3' record < /dev/null
echo "status $?"
sed '1d;$d' record
script -qc 'cat' /dev/null <<< 'typed by a pipe' | tr -d '\r'

#== a shell controls its jobs by keys
python3 << 'END'
from terminal import *
t = Terminal("bash", "--norc", "--noprofile", "-i")
t.until(r"[$#] "); t.type("PS1='> '\n"); t.until("\n> ")
t.type("sleep 1000\n"); t.until("sleep 1000\r\n"); t.job("sleep"); t.type("\x1a")
print(t.until(r"\[1\]\+  Stopped +sleep 1000").group())
t.until("> "); t.type("bg\n"); print(t.until(r"\[1\]\+ sleep 1000 &").group())
t.until("> "); t.type("jobs\n"); print(t.until(r"\[1\]\+  Running +sleep 1000 &").group())
t.until("> "); t.type("fg\n"); t.until("fg\r\nsleep 1000\r\n"); t.job("sleep"); t.type("\x03"); t.until(r"\^C.*> ")
t.type("echo status $?\n"); print(t.until("status [0-9]+\r").group())
t.until("> "); t.type("cat\n"); t.until("cat\r\n"); t.job("cat"); t.type("read and"); t.type("\x15written\n\x04")
print(t.until("\r\nwritten\r\n> ").group().strip())
stopped = "while ! jobs | grep -q Stopped; do sleep 0.01; done; jobs\n"
t.type("cat > /dev/null &\n" + stopped); print(t.until(r"Stopped +cat > /dev/null").group())
t.until("> "); t.type("kill -9 %1; fg\n"); print(t.until(r"Killed").group()); t.until("> ")
t.type("stty tostop; (echo later) &\n" + stopped); print(t.until(r"Stopped +\( echo").group())
t.until("> "); t.type("fg\n"); print(t.until("\r\nlater\r\n").group().strip()); t.until("> ")
t.type("yes\n"); t.until("y\r\ny\r\ny\r\n"); t.type("\x03"); t.until(r"\^C.*> ")
t.type("echo \x1b[D\x1b[Aend\x17line\n"); t.until("> "); t.type("\x04")
print(t.finish()[1])
END

#== the end of a session hangs up what runs in it
python3 << 'END'
from terminal import *
for prefix in "", "nohup ":
    r, w = os.pipe()
    os.set_inheritable(w, True)
    t = Terminal("sh", "-c", f"trap 'echo hung up >&{w}' HUP; "
                 f"{prefix}sh -c 'echo ready $$; exec sleep 1000 {w}>&-' & wait; wait")
    os.close(w)
    if prefix:
        t.until("nohup")
        while not (line := re.match("ready ([0-9]+)\n", open("nohup.out").read())): t.read(0.01)
    else:
        line = t.until("ready ([0-9]+)\r")
    os.close(t.master)
    print(os.read(r, 100))
    os.kill(t.pid, 9)
    print(os.waitstatus_to_exitcode(os.waitpid(t.pid, 0)[1]))
    if prefix: os.kill(int(line[1]), 9)
    while os.path.exists(f"/proc/{line[1]}/exe"): time.sleep(0.01)
END
setsid sh -c 'exec < /dev/tty' 2>&1 | sed 's/.*: //'

#== a pager shows, searches and leaves
seq 1 300 > numbers
python3 << 'END'
from terminal import *
t = Terminal("less", "numbers", rows=10, columns=40)
print(t.until(r"1\r?\n2\r?\n.*9\r?\n.*numbers").group().count("\n"))
t.type(" "); t.until("18\r?\n.*:")
t.type("/250\n"); t.until("250.*258.*:")
t.type("G"); t.until(r"300.*\(END\)")
t.type("q"); print(t.finish()[1])
t = Terminal("sh", "-c", "seq 1 100 | less", rows=10, columns=40)
t.until("9\r?\n.*:"); t.type("50p"); t.until("52\r?\n.*60.*:"); t.type("q"); print(t.finish()[1])
END

#== editors write what was typed
printf 'first\nsecond\nthird\n' > text
python3 << 'END'
from terminal import *
t = Terminal("vim.tiny", "-u", "NONE", "-n", "text")
t.until("third"); t.type("ddGofourth\x1b:%s/s/S/\n:wq\n"); print(t.finish()[1])
print(open("text").read())
t = Terminal("nano", "--ignorercfiles", "text")
t.until("fourth"); t.type("typed above\r"); t.until("Modified"); t.type("\x0f"); t.until("File Name to Write"); t.type("\r")
t.until("Wrote 4 lines"); t.type("\x18"); print(t.finish()[1])
print(open("text").read())
END

#== a window that changes its size tells the program
python3 << 'END'
from terminal import *
t = Terminal("python3", "-c", """
import os, signal, sys
signal.signal(signal.SIGWINCH, lambda *_: os.write(1, str(os.get_terminal_size()).encode()))
print("ready", flush=True)
print(sys.stdin.readline())
""")
t.until("ready\r\n"); fcntl.ioctl(t.master, termios.TIOCSWINSZ, struct.pack("4H", 50, 132, 0, 0))
print(t.until("columns=132, lines=50").group()); t.type("on\n"); t.until("on\r\non"); print(t.finish()[1])
END

#== a password is read without echo
python3 << 'END'
from terminal import *
t = Terminal("python3", "-c", "import getpass; print(len(getpass.getpass('secret: ')))")
t.until("secret: "); t.type("abcdef\x7f\n"); print(*t.finish())
t = Terminal("python3", "-c", "import readline; print(input('edit: ').upper())")
t.until("edit: "); t.type("word\x01a \x05s\x7f\x02\x0b\n"); print(t.until("A WOR\r").group(), t.finish()[1])
END

#== expect drives a dialogue
cat > dialogue << 'END'
read -p 'name? ' name; read -p 'age? ' age; echo "$name is $age"; exit 4
END
expect -c '
log_user 0
set timeout 30
spawn bash dialogue
expect "name? "; send "Ada\r"
expect "age? "; send "36\r"
expect -re {Ada is (\d+)}; puts "heard $expect_out(1,string)"
expect eof
puts [lindex [wait] 3]'

#== much output comes through whole, in both directions
python3 << 'END'
from terminal import *
import hashlib
t = Terminal("sh", "-c", "stty raw; seq 1 300000")
while t.read(20): pass
print(len(t.seen), hashlib.sha256(t.seen.encode()).hexdigest(), t.finish()[1])
t = Terminal("sh", "-c", "stty raw -echo; echo ready; head -c 1000000 | sha256sum")
t.until("ready\n")
data = b"0123456789abcdef" * 62500
while data: data = data[os.write(t.master, data):]
print(*t.finish())
END

#== tmux splits a window, and types into both parts
tmux() { command tmux -L terminal.t -f /dev/null "$@"; }
tmux new-session -d -x 80 -y 24 'PS1="> " exec sh'
tmux set-option -g assume-paste-time 0     # keys that come together are keys all the same
tmux split-window -h 'PS1="+ " exec sh'
tmux list-panes -F '#{pane_index} #{pane_width}x#{pane_height}'
tmux send-keys -t 0 'until [ "$(stty size)" = "24 40" ]; do sleep 0.01; done; echo left $((6*7))' Enter
tmux send-keys -t 1 'echo right' Enter
until tmux capture-pane -p -t 0 | grep -q '^left 42' && tmux capture-pane -p -t 1 | grep -q '^right'; do
    sleep 0.01
done
tmux capture-pane -p -t 0 | grep '^left'
tmux capture-pane -p -t 1 | grep .
tmux send-keys -t 1 exit Enter
until [ "$(tmux list-panes -F '#{pane_index} #{pane_width}')" = '0 80' ]; do sleep 0.01; done
python3 << 'END'
from terminal import *
t = Terminal("tmux", "-L", "terminal.t", "attach")
t.until("left 42"); t.type("\x02d")
print("detached" in t.finish()[0])
END
tmux kill-server
