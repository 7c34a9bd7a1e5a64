#!/usr/bin/python3 -B
"""A name server for tests: `dns.py ADDRESS` answers questions for mystikos.test with 198.51.100.2."""

import socket
import struct
import sys

NAME = b"\x08mystikos\x04test\x00"
ADDRESS = socket.inet_aton("198.51.100.2")
NXDOMAIN = 3


def answer(question):
    ident, flags, count = struct.unpack("!HHH", question[:6])
    end = question.index(b"\x00", 12) + 5
    name, kind = question[12:end - 4], struct.unpack("!H", question[end - 4:end - 2])[0]
    known = count == 1 and name.lower() == NAME
    records = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + ADDRESS if known and kind == 1 else b""
    head = struct.pack("!HHHHHH", ident, 0x8180 | (flags & 0x100) | (0 if known else NXDOMAIN), 1,
                       1 if records else 0, 0, 0)
    return head + question[12:end] + records


def main():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((sys.argv[1], 53))
    print("ready", flush=True)
    while True:
        question, peer = sock.recvfrom(4096)
        sock.sendto(answer(question), peer)


main()
