"""gdb commands that print what the kernel knows: tasks, vmas PID, files PID, stack TID, host-pid TID.

Every host process of an instance maps the kernel's memory, so it does not matter which of them gdb
stopped. `make gdb` loads this file."""

import gdb

LIST_MAX = 100000       # a list that is longer is broken
STACK_SIZE = 65536      # TARGET_STACK_SIZE of include/myst/target.h
STACK_ROOM = 8192       # TARGET_THREAD_ROOM: struct self, below the stack proper


def kernel(expression):
    return gdb.parse_and_eval(expression)


def type_of(name):
    return gdb.lookup_type(name)


def container_of(pointer, struct, member):
    """The structure whose member (a path like "a.b" is not needed) lies at the pointer."""
    kind = type_of(f"struct {struct}")
    offset = next(field.bitpos // 8 for field in kind.fields() if field.name == member)
    return (pointer.cast(type_of("char").pointer()) - offset).cast(kind.pointer())


def each_in_list(head, struct, member):
    first = head.address
    at, count = head["next"], 0
    while at != first and count < LIST_MAX:
        yield container_of(at, struct, member)
        at, count = at["next"], count + 1


def each_in_tree(tree, struct, member):
    """In order, without recursion."""
    above, node = [], tree["root"]
    while above or node != 0:
        while node != 0:
            above.append(node)
            node = node["left"]
        node = above.pop()
        yield container_of(node, struct, member)
        node = node["right"]


def text(chars):
    try:
        return chars.string(errors="replace")
    except gdb.MemoryError:
        return "?"


def processes():
    return each_in_list(kernel("all_processes"), "process", "all")


def threads(process):
    return each_in_list(process["threads"], "task", "process_link")


def thread_by_number(number):
    """A thread by its id, or the first of a process by its."""
    for process in processes():
        for task in threads(process):
            if number in (int(task["tid"]), int(process["pid"])):
                return task
    raise gdb.GdbError(f"no task {number}")


def only_number(argument):
    try:
        return int(argument, 0)
    except ValueError as error:
        raise gdb.GdbError("a process or thread id is wanted (see `tasks`)") from error


def call_name(self_block):
    number = int(self_block["current_nr"])
    if number < 0:
        return "in the program"
    name = kernel(f"syscall_rows[{number}].name")
    return text(name) if name != 0 else f"call {number}"


class Tasks(gdb.Command):
    """tasks: every process and its threads, what they do, and what they hold."""

    def __init__(self):
        super().__init__("tasks", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        states = {0: "", 1: " zombie", 2: " reaped"}
        for process in processes():
            parent = process["parent"]
            above = int(parent["pid"]) if parent != 0 else 0
            print(f"process {int(process['pid'])} parent {above}"
                  f"{states.get(int(process['state']), ' ?')}")
            for task in threads(process):
                self.show(task)

    @staticmethod
    def show(task):
        block = task["self"]
        if block == 0:
            return
        line = f"    thread {int(task['tid'])} {text(task['comm'])}" \
               f" (host {int(block['thread']['host_tid'])}): {call_name(block)}"
        if block["waiting_for"] != 0:
            name = text(block["waiting_name"]) if block["waiting_name"] != 0 else ""
            line += f", waits for {name or block['waiting_for'].format_string(symbols=True)}"
        for i in range(int(block["nheld"])):
            held = block["held"][i]
            line += f", holds {held['lock'].format_string(symbols=True)}"
        print(line)


class Vmas(gdb.Command):
    """vmas PID: the mappings of a process."""

    FLAGS = ((1, "r"), (2, "w"), (4, "x"), (8, "s"))

    def __init__(self):
        super().__init__("vmas", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        mm = thread_by_number(only_number(argument))["self"]["mm"]
        if mm == 0:
            raise gdb.GdbError("it has no address space")
        for vma in each_in_tree(mm["vmas"], "vma", "node"):
            flags = int(vma["flags"])
            letters = "".join(letter if flags & bit else "-" for bit, letter in self.FLAGS)
            at = vma["at"]
            print(f"{int(vma['start']):012x}-{int(vma['end']):012x} {letters} "
                  f"{str(at['kind']).removeprefix('VMA_').lower():8} {int(at['offset']):#x}"
                  f"{' ' + text(at['name']) if at['name'] != 0 else ''}")


def path_text(dentry):
    names = []
    while dentry != 0 and dentry["parent"] != dentry and len(names) < 100:
        name = dentry["name"]
        names.append(name["text"].string(length=int(name["len"]), errors="replace"))
        dentry = dentry["parent"]
    return "/" + "/".join(reversed(names))


class Files(gdb.Command):
    """files PID: the open files of a process. Names are within their file systems."""

    def __init__(self):
        super().__init__("files", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        files = thread_by_number(only_number(argument))["self"]["files"]
        if files == 0:
            raise gdb.GdbError("it has no table of descriptors")
        for fd in range(int(files["max"])):
            file = files["slots"][fd]
            if file == 0:
                continue
            ops = file["ops"].format_string(symbols=True).partition("<")[2].rstrip(">")
            dentry = file["path"]["dentry"]
            name = path_text(dentry) if dentry != 0 else ""
            print(f"{fd:4} {ops:24} flags {int(file['flags']):#o} pos {int(file['pos'])} {name}")


class Stack(gdb.Command):
    """stack TID: the calls on a thread's kernel stack, found by its chain of frame pointers. The
    first lines may be left over from calls that are past; `bt` in the thread's host process is exact."""

    def __init__(self):
        super().__init__("stack", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        block = thread_by_number(only_number(argument))["self"]
        base = int(block)
        words = gdb.selected_inferior().read_memory(base, STACK_SIZE).cast("Q")
        for name in self.longest_chain(base, words):
            print(f"    {name}")

    @staticmethod
    def longest_chain(base, words):
        """A frame is a pointer to a higher frame of the block, and above it a return address."""
        chains = {}
        for index in range(len(words) - 2, STACK_ROOM // 8 - 1, -1):
            upper, back = words[index], words[index + 1]
            symbol = Stack.symbol(back)
            if not symbol:
                continue
            above = (upper - base) // 8
            tail = chains.get(above, []) if index < above < len(words) else []
            chains[index] = [symbol] + tail
        return max(chains.values(), key=len, default=[])

    @staticmethod
    def symbol(address):
        block = gdb.block_for_pc(address) if address >> 40 == 0x62 else None
        while block and not block.function:
            block = block.superblock
        if not block:
            return None
        where = gdb.find_pc_line(address)
        place = f" at {where.symtab.filename}:{where.line}" if where.symtab else ""
        return f"{address:#x} {block.function.name}{place}"


class HostPid(gdb.Command):
    """host-pid TID: the host process that a thread runs in."""

    def __init__(self):
        super().__init__("host-pid", gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        print(int(thread_by_number(only_number(argument))["self"]["thread"]["host_pid"]))


for command in (Tasks, Vmas, Files, Stack, HostPid):
    command()
gdb.execute("set pagination off")
gdb.execute("set print symbol on")
for signal in ("SIGSYS", "SIGURG"):      # a call that traps, and the kick
    gdb.execute(f"handle {signal} nostop noprint pass", to_string=True)
