"""Reads the system-call table: kernel/syscall/syscalls.tbl and the ROOM.tbl files it includes.

The syntax is explained at the head of syscalls.tbl. This module turns it into Row, Arg, Set and
checks everything that can be checked without a compiler; errors name file and line.
"""

import os
import re
from dataclasses import dataclass, field


class TableError(Exception):
    pass


# Kinds of plain numbers: C type of the handler's parameter, cast in the thunk (when it differs).
SCALARS = {
    "i32": "int",
    "u32": "unsigned int",
    "long": "long",
    "ulong": "unsigned long",
    "u64": "u64",
    "s64": "s64",
    "size": "size_t",
    "loff": "loff_t",
    "hex": "unsigned long",
    "hex32": "unsigned int",
    "fd": "int",
    "dirfd": "int",
    "mode": "unsigned int",
    "dev": "unsigned int",
    "pid": "int",
    "uid": "unsigned int",
    "gid": "unsigned int",
    "signal": "int",
    "addr": "unsigned long",
}
CASTS = {"mode": "u16"}

# Kinds of pointers that need no direction.
POINTERS = {
    "path": "const char __user *",
    "string": "const char __user *",
    "strings": "const char __user *const __user *",
    "ptr": "void __user *",
}

# What in(), out(), inout() may point to besides `struct NAME`.
POINTEES = {
    "bytes": "void",
    "i32": "int",
    "u32": "unsigned int",
    "long": "long",
    "ulong": "unsigned long",
    "u64": "u64",
    "s64": "s64",
    "size": "size_t",
    "loff": "loff_t",
    "u16": "u16",
    "pid": "int",
    "uid": "unsigned int",
    "gid": "unsigned int",
    "fd": "int",
    "addr": "unsigned long",
    "ptr": "void __user *",
    "string": "const char __user *",
    "wstatus": "int",
    "word": "u32",              # shared with other threads: its value says nothing
    "sigset": "sigset_t",
    "stack": "stack_t",
    "fdset": "unsigned long",
    "bpf_attr": "union bpf_attr",
}

RESULTS = {"err", "fd", "i32", "u32", "long", "size", "count", "pid", "uid", "gid", "addr", "mode", "hex",
           "signal", "none"}
DIRECTIONS = ("in", "out", "inout")


@dataclass
class Length:
    """How long an array is: `elements` counts elements, else bytes."""
    elements: bool
    deref: bool = False         # the length is stored where the argument points to
    arg: str = ""               # name of the argument, or
    fixed: int = 0              # a fixed number

    @property
    def present(self):
        return bool(self.arg or self.fixed)


@dataclass
class Arg:
    name: str
    kind: str                   # a key of SCALARS or POINTERS, "set", "enum", or "mem"
    nullable: bool = False
    what: str = ""              # set/enum: name of the Set; mem: the pointee
    base: str = "i32"           # set/enum: the plain number beneath
    direction: str = ""         # mem: in, out, inout
    length: Length = field(default_factory=lambda: Length(True))

    @property
    def pointer(self):
        return self.kind in POINTERS or self.kind == "mem"

    @property
    def written(self):
        """True when the call stores through this argument."""
        return self.kind == "mem" and self.direction != "in"

    @property
    def c_type(self):
        if self.kind in SCALARS:
            return SCALARS[self.kind]
        if self.kind in ("set", "enum"):
            return SCALARS[self.base]
        if self.kind in POINTERS:
            return POINTERS[self.kind]
        const = "const " if self.direction == "in" else ""
        if self.what in ("ptr", "string"):      # an array of pointers
            const = "const " if self.direction == "in" else ""
            return POINTEES[self.what] + const + "__user *"
        return const + POINTEES.get(self.what, "struct " + self.what) + " __user *"

    @property
    def cast(self):
        return CASTS.get(self.kind, self.c_type)


@dataclass
class Set:
    """A set of flags, or of the values of an enumeration: (name, name of the mask or None)."""
    name: str
    items: list
    where: str
    is_enum: bool


@dataclass
class Row:
    nr: int
    name: str
    args: list
    result: str
    handler: str                # C name of the handler, "" without
    note: str
    room: str
    where: str

    @property
    def gone(self):
        """Linux itself answers ENOSYS, and always will."""
        return not self.handler and self.note.startswith(("removed ", "never "))

    @property
    def structs(self):
        return [a.what for a in self.args if a.kind == "mem" and a.what not in POINTEES]


class Table:
    def __init__(self, kernel):
        self.kernel = kernel
        self.rows = []
        self.sets = {}
        self.headers = []
        self.rooms = []
        self._read(os.path.join("syscall", "syscalls.tbl"))
        self.rows.sort(key=lambda row: row.nr)
        self._check()

    def _read(self, path):
        room = path.split(os.sep)[0]
        for where, line in _logical_lines(os.path.join(self.kernel, path), path):
            word, _, rest = line.partition(" ")
            rest = rest.strip()
            if word == "include":
                self._read(rest)
            elif word == "header":
                if rest not in self.headers:
                    self.headers.append(rest)
            elif word in ("set", "enum"):
                self._define(where, word, rest)
            elif word.isdigit():
                self.rows.append(self._row(where, line, room))
                if room not in self.rooms:
                    self.rooms.append(room)
            else:
                raise TableError(f"{where}: neither a row nor include, header, set, enum: {line}")

    def _define(self, where, word, rest):
        name, *items = rest.split()
        if name in self.sets:
            raise TableError(f"{where}: {name} is defined at {self.sets[name].where} already")
        if not items:
            raise TableError(f"{where}: {name} has no members")
        pairs = []
        for item in items:
            mask, slash, value = item.rpartition("/")
            pairs.append((value, mask if slash else None))
        self.sets[name] = Set(name, pairs, where, word == "enum")

    def _row(self, where, line, room):
        match = re.fullmatch(r"(\d+)\s+(\+\s+)?(\w+)\s*(.*?)\s*->\s*(\w+)"
                             r"(?:\s+=\s*(\w+))?(?:\s+;\s*(.*))?", line)
        if not match:
            raise TableError(f"{where}: not `NR [+] NAME ARGS -> RESULT [= handler] [; note]`")
        nr, mark, name, args, result, handler, note = match.groups()
        if result not in RESULTS:
            raise TableError(f"{where}: unknown result {result}")
        parsed = [self._arg(where, name, text) for text in args.split()]
        if len(parsed) > 6:
            raise TableError(f"{where}: more than six arguments")
        names = [arg.name for arg in parsed]
        if len(set(names)) != len(names):
            raise TableError(f"{where}: two arguments of one name")
        for arg in parsed:
            if arg.length.arg and arg.length.arg not in names:
                raise TableError(f"{where}: {arg.name}: no argument {arg.length.arg}")
        if handler and not mark:
            raise TableError(f"{where}: a handler is named but the row is not marked with +")
        handler = (handler or "sys_" + name) if mark else ""
        return Row(int(nr), name, parsed, result, handler, note or "", room, where)

    def _arg(self, where, call, text):
        match = re.fullmatch(r"(\w+):(\w+)(?:\((.*)\))?(\?)?", text)
        if not match:
            raise TableError(f"{where}: not an argument: {text}")
        name, kind, inner, nullable = match.groups()
        arg = Arg(name, kind, bool(nullable))
        if kind in DIRECTIONS:
            arg.kind, arg.direction = "mem", kind
            arg.what, _, length = (inner or "").partition(",")
            if not arg.what:
                raise TableError(f"{where}: {text}: points to what?")
            arg.length = _length(where, length)
        elif kind in ("set", "enum"):
            members, _, base = (inner or "").partition(",")
            arg.base = base or "i32"
            if arg.base not in SCALARS:
                raise TableError(f"{where}: {text}: unknown number {arg.base}")
            if members[:1].isupper() or "|" in members:
                arg.what = f"{call}_{name}"
                self._define(where, kind, arg.what + " " + members.replace("|", " "))
            else:
                arg.what = members
        elif inner is not None or kind not in SCALARS and kind not in POINTERS:
            raise TableError(f"{where}: unknown kind in {text}")
        if arg.nullable and not arg.pointer:
            raise TableError(f"{where}: {text}: only pointers can be null")
        return arg

    def _check(self):
        seen = {}
        for row in self.rows:
            for key in (row.nr, row.name):
                if key in seen:
                    raise TableError(f"{row.where}: {key} stands at {seen[key]} already")
                seen[key] = row.where
            for arg in row.args:
                if arg.kind in ("set", "enum"):
                    known = self.sets.get(arg.what)
                    if known is None or known.is_enum != (arg.kind == "enum"):
                        raise TableError(f"{row.where}: {arg.name}: no {arg.kind} {arg.what}")

    def with_handler(self):
        return [row for row in self.rows if row.handler]

    @property
    def limit(self):
        return self.rows[-1].nr + 1


def _length(where, text):
    if not text:
        return Length(True)
    elements = not text.startswith("sizeof:")
    text = text if elements else text[len("sizeof:"):]
    if text.isdigit():
        return Length(elements, fixed=int(text))
    deref = text.startswith("*")
    name = text[1:] if deref else text
    if not re.fullmatch(r"\w+", name):
        raise TableError(f"{where}: not a length: {text}")
    return Length(elements, deref, arg=name)


def _logical_lines(full, path):
    """Lines without comments; an indented line continues the one before."""
    pending = None
    with open(full, encoding="ascii") as file:
        for number, raw in enumerate(file, 1):
            line = raw.split("#", 1)[0].rstrip()
            if not line:
                continue
            if line[0] in " \t":
                if pending is None:
                    raise TableError(f"{path}:{number}: continues nothing")
                pending = (pending[0], pending[1] + " " + line.strip())
                continue
            if pending:
                yield pending
            pending = (f"{path}:{number}", line)
    if pending:
        yield pending
