"""Sends and captures frames inside one network namespace.

Input, one command a line:  send INTERFACE HEX | flush MILLISECONDS
Output: one line `INTERFACE HEX` for each IP packet that comes in (`local HEX` for those that the host takes for itself),
and `flushed` when nothing has come for that long.
Arguments: names of interfaces to capture on, and `local` for raw sockets of TCP, UDP and ICMP.
"""
import selectors
import socket
import sys
import time

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
        one.bind((name, 0))
        outs[name] = one
        selector.register(one, selectors.EVENT_READ, name)

print('ready', flush=True)
PACKET_OUTGOING = 4


def drain(seconds):
    last = time.monotonic()
    lines = []
    while time.monotonic() - last < seconds:
        for key, _ in selector.select(seconds):
            data, address = key.fileobj.recvfrom(65536)
            if key.data == 'local':
                lines.append(f'local {data.hex()}')
            elif address[2] != PACKET_OUTGOING and data[12:14] in (b'\x08\x00', b'\x86\xdd'):
                lines.append(f'{key.data} {data[14:].hex()}')
            else:
                continue
            last = time.monotonic()
    return lines


for line in sys.stdin:
    words = line.split()
    if words[0] == 'send':
        outs[words[1]].send(bytes.fromhex(words[2]))
    else:
        lines = drain(int(words[1]) / 1000)
        print('\n'.join(lines + ['flushed']), flush=True)
