# System V IPC and shared memory as util-linux, perl and python3 use them.

#== ipcmk makes, ipcs and lsipc show, ipcrm removes
ipcmk -M 100000 | tr -d '0-9'
ipcmk -S 3 -p 0600 | tr -d '0-9'
ipcmk -Q | tr -d '0-9'
ipcs | sed 's/0x[0-9a-f]*/KEY/'
ipcs -m -i 0 | grep -E 'bytes|mode|nattch' | sed 's/[cl]pid=[0-9]*//g'
ipcs -s -i 0 | grep -vE 'otime|ctime|pid'
ipcs -l
ipcs -u
lsipc -o RESOURCE,LIMIT | grep -vE 'MQU' | head -20
ipcrm -m 0 -s 0 -q 0
ipcs
ipcrm -m 0 || echo "gone: $?"

#== ipcrm removes all of a kind
for i in 1 2 3; do ipcmk -M 10; ipcmk -S 1; done | wc -l
ipcrm --all=shm
ipcs -u | grep -E 'segments|used arrays'

#== perl's own functions for shared memory, semaphores and messages
perl -e '
use IPC::SysV qw(IPC_PRIVATE IPC_CREAT IPC_RMID IPC_STAT S_IRUSR S_IWUSR SEM_UNDO);
my $shm = shmget(IPC_PRIVATE, 4096, IPC_CREAT | S_IRUSR | S_IWUSR) // die "shmget: $!";
my $sem = semget(IPC_PRIVATE, 1, IPC_CREAT | S_IRUSR | S_IWUSR) // die "semget: $!";
if (!fork) {
    shmwrite($shm, "from the child", 0, 20) or die "shmwrite: $!";
    semop($sem, pack("s!3", 0, 1, 0)) or die "semop: $!";
    exit 0;
}
semop($sem, pack("s!3", 0, -1, 0)) or die "semop: $!";
wait;
shmread($shm, my $text, 0, 20) or die "shmread: $!";
$text =~ s/\0+$//;
print "$text, status $?\n";
my $queue = msgget(IPC_PRIVATE, IPC_CREAT | S_IRUSR | S_IWUSR) // die "msgget: $!";
msgsnd($queue, pack("l! a*", $_, "message $_"), 0) or die "msgsnd: $!" for 3, 1, 2;
msgrcv($queue, my $got, 60, -2, 0) or die "msgrcv: $!";
print join(" ", unpack("l! a*", $got)), "\n";
for ($shm) { shmctl($_, IPC_RMID, 0) or die }
semctl($sem, 0, IPC_RMID, 0) or die;
msgctl($queue, IPC_RMID, 0) or die;
print shmctl($shm, IPC_STAT, my $b = "") ? "there\n" : "gone: $!\n";'

#== perl: objects of IPC::Semaphore, IPC::Msg and IPC::SharedMem
perl -e '
use IPC::SysV qw(IPC_PRIVATE IPC_CREAT S_IRWXU);
use IPC::Semaphore; use IPC::Msg; use IPC::SharedMem;
my $sem = IPC::Semaphore->new(IPC_PRIVATE, 5, S_IRWXU | IPC_CREAT) or die;
$sem->setall((0) x 5); $sem->setval(2, 7); print join(",", $sem->getall), " ", $sem->stat->nsems, "\n";
$sem->op(2, -3, 0); print $sem->getval(2), " ", $sem->getncnt(2), " ", $sem->getzcnt(2), "\n";
my $msg = IPC::Msg->new(IPC_PRIVATE, S_IRWXU) or die;
$msg->snd(5, "hello"); print $msg->stat->qnum, " "; print $msg->rcv(my $buf, 256), " $buf\n";
my $shm = IPC::SharedMem->new(IPC_PRIVATE, 8, S_IRWXU) or die;
$shm->write(pack("A8", "abc"), 0, 8); print $shm->read(0, 3), " ", $shm->stat->nattch, "\n";
$shm->remove; $sem->remove; $msg->remove;'

#== python3: multiprocessing with shared memory, arrays, locks and a manager
cat > m.py <<'END'
import multiprocessing as mp
from multiprocessing import shared_memory

def work(name, lock, counter, queue, n):
    block = shared_memory.SharedMemory(name=name)
    for _ in range(100):
        with lock:
            counter.value += 1
    block.buf[n] = n + 1
    block.close()
    queue.put(n)

if __name__ == "__main__":
    block = shared_memory.SharedMemory(create=True, size=4096)
    lock, counter, queue = mp.Lock(), mp.Value("i", 0), mp.Queue()
    children = [mp.Process(target=work, args=(block.name, lock, counter, queue, n)) for n in range(4)]
    for child in children: child.start()
    print(sorted(queue.get() for _ in children))
    for child in children: child.join()
    print(counter.value, bytes(block.buf[:4]), [c.exitcode for c in children])
    block.close(); block.unlink()
    names = shared_memory.ShareableList([1, "two", 3.0, None])
    print(list(names)); names.shm.close(); names.shm.unlink()
END
python3 m.py
ls /dev/shm
