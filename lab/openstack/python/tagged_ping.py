"""Asks for an echo in frames that carry a VLAN, as the guest of a trunk does whose kernel has no 802.1Q.

usage: tagged_ping.py DEVICE VLAN MAC FROM TO
"""
import socket
import struct
import sys
import time

WAIT_SECONDS = 1
ARP, IPV4 = 0x0806, 0x0800


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def answer(link, kind, holds):
    """The first frame of this kind that came in, or None. The kernel takes its tag away before it shows it."""
    end = time.monotonic() + WAIT_SECONDS
    while (left := end - time.monotonic()) > 0:
        link.settimeout(left)
        try:
            frame = link.recv(2048)
        except TimeoutError:
            return None
        if frame[12:14] == struct.pack("!H", kind) and holds(frame[14:]):
            return frame
    return None


def main(device, vlan, mac, source, target):
    own, here, there = bytes.fromhex(mac.replace(":", "")), socket.inet_aton(source), socket.inet_aton(target)
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    link.bind((device, 0))

    def send(to, kind, payload):
        link.send(to + own + struct.pack("!HHH", 0x8100, int(vlan), kind) + payload)

    send(b"\xff" * 6, ARP, struct.pack("!HHBBH", 1, IPV4, 6, 4, 1) + own + here + b"\0" * 6 + there)
    reply = answer(link, ARP, lambda arp: arp[6:8] == b"\0\2" and arp[14:18] == there)
    if reply is None:
        return "nobody has the address"
    echo = struct.pack("!BBHHH", 8, 0, 0, 1, 1)
    echo = echo[:2] + struct.pack("!H", checksum(echo)) + echo[4:]
    head = struct.pack("!BBHHHBBH", 0x45, 0, 28, 1, 0, 64, 1, 0) + here + there
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    send(reply[6:12], IPV4, head + echo)
    if answer(link, IPV4, lambda ip: ip[12:16] == there and ip[9] == 1 and ip[20] == 0) is None:
        return "no echo"
    return None


sys.exit(main(*sys.argv[1:]))
