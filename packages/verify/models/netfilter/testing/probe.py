"""Sends and captures frames inside one network namespace.

Input, one command a line:  send INTERFACE HEX | flush MILLISECONDS
Output: one line `INTERFACE HEX` for each IP packet that comes in (`local HEX` for those that the host takes for itself),
and `flushed` when nothing has come for that long.
Arguments: names of interfaces to capture on, and `local` for raw sockets of TCP, UDP and ICMP.

What was sent must have arrived when a flush ends, on a machine that has other things to do as well: this process may be
stopped for longer than any time that it waits, and so may be the thread of the kernel that carries packets on. Hence the
sockets are asked after the time has passed, and not the clock alone. And packets that are sent on one processor wait in
one queue there, first come first served: when a packet to ourselves has come back, all that were sent before it have made
one more hop.
"""
import fcntl
import os
import selectors
import socket
import struct
import sys

SOL_PACKET = 263
PACKET_IGNORE_OUTGOING = 23

selector = selectors.DefaultSelector()
outs = {}
for name in sys.argv[1:]:
    if name == 'local':
        for protocol in (socket.IPPROTO_TCP, socket.IPPROTO_UDP, socket.IPPROTO_ICMP):
            one = socket.socket(socket.AF_INET, socket.SOCK_RAW, protocol)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            selector.register(one, selectors.EVENT_READ, name)
    else:
        one = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        # What goes out takes no place of what comes in.
        one.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        one.bind((name, 0))
        outs[name] = one
        selector.register(one, selectors.EVENT_READ, name)

SIOCSIFFLAGS = 0x8914
IFF_UP = 1
# More than any packet has hops, each of which is a turn in the queue.
TURNS = 64
TURN_SECONDS = 5

echo = None
if outs:
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {processors[os.getpid() % len(processors)]})
    echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    fcntl.ioctl(echo, SIOCSIFFLAGS, struct.pack('16sh', b'lo', IFF_UP))
    echo.bind(('127.0.0.1', 0))
    echo.settimeout(TURN_SECONDS)

print('ready', flush=True)


def settle():
    for _ in range(TURNS if echo else 0):
        echo.sendto(b'x', echo.getsockname())
        echo.recv(1)


def drain(seconds):
    lines = []
    while ready := selector.select(seconds):
        for key, _ in ready:
            data = key.fileobj.recv(65536)
            if key.data == 'local':
                lines.append(f'local {data.hex()}')
            elif data[12:14] in (b'\x08\x00', b'\x86\xdd'):
                lines.append(f'{key.data} {data[14:].hex()}')
    return lines


for line in sys.stdin:
    words = line.split()
    if words[0] == 'send':
        outs[words[1]].send(bytes.fromhex(words[2]))
    else:
        settle()
        lines = drain(int(words[1]) / 1000)
        print('\n'.join(lines + ['flushed']), flush=True)
