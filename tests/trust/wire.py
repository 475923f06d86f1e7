#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets for hostile captures: what adversarial.py and views.py have in common."""
import struct

CLIENT, SERVER = b"\xc0\x00\x02\x15", b"\xc0\x00\x02\x0a"
FIN, SYN, ACK, PSH = 1, 2, 16, 24
ETHERNET = b"\2\0\0\0\0\1\2\0\0\0\0\2"


def pcap(path, frames):
    with open(path, "wb", 1 << 20) as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for number, frame in enumerate(frames):
            f.write(struct.pack("<IIII", 1_780_000_000 + number // 20000, number % 20000 * 50, len(frame),
                                len(frame)) + frame)


def ipv4(payload, proto, source=CLIENT, target=SERVER, ident=1, fragment=0x4000):
    """A packet; fragment: flags and the offset in eights of bytes."""
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ident & 0xFFFF, fragment, 64, proto, 0, source,
                       target)
    return ETHERNET + b"\x08\0" + head + payload


def between(client, port, back, server_port):
    """Addresses of IP, and the ports, of a packet between a client and the server."""
    return ((SERVER, client), (server_port, port)) if back else ((client, SERVER), (port, server_port))


def tcp(client, port, seq, flags, payload=b"", back=False, ack=0):
    """A segment between a client and port 2049 of the server."""
    hosts, ports = between(client, port, back, 2049)
    head = struct.pack("!HHIIBBHHH", *ports, seq & 0xFFFFFFFF, ack, 0x50, flags, 512, 0, 0)
    return ipv4(head + payload, 6, *hosts)


def udp(client, port, payload, back=False, server_port=2049):
    """A datagram between a client and the server."""
    hosts, ports = between(client, port, back, server_port)
    return ipv4(struct.pack("!HHHH", *ports, 8 + len(payload), 0) + payload, 17, *hosts)


def client_of(number):
    """Ever new hosts and ports."""
    return struct.pack("!I", 0x0A000000 + number // 60000), 1000 + number % 60000


def record(body, length=None):
    return struct.pack("!I", 0x80000000 | (len(body) if length is None else length)) + body


def call(xid, procedure=1, body=b"", version=3, program=100003):
    """A call with AUTH_NONE, of NFS if nothing else is said."""
    return struct.pack("!IIIIII", xid, 0, 2, program, version, procedure) + bytes(16) + body


def reply(xid, body):
    return struct.pack("!IIIIII", xid, 1, 0, 0, 0, 0) + body


GETATTR = struct.pack("!I", 32) + bytes(range(32))
ATTRIBUTES = bytes(4) + struct.pack("!II", 1, 0o644) + bytes(76)


def talk(payloads, client=CLIENT, port=700):
    """A connection that carries these records of the client's."""
    yield tcp(client, port, 0, SYN)
    seq = 1
    for payload in payloads:
        yield tcp(client, port, seq, PSH, payload, ack=1)
        seq += len(payload)


def dialogue(messages, client=CLIENT, port=700):
    """A connection that carries these records: (from the server, record)."""
    yield tcp(client, port, 0, SYN)
    yield tcp(client, port, 0, SYN | ACK, back=True, ack=1)
    seq = [1, 1]
    for back, payload in messages:
        for at in range(0, len(payload), 8000):
            part = payload[at:at + 8000]
            yield tcp(client, port, seq[back], PSH | ACK, part, back=back, ack=seq[not back] & 0xFFFFFFFF)
            seq[back] += len(part)


def harmless(count):
    """Calls with their replies."""
    yield tcp(CLIENT, 700, 0, SYN)
    yield tcp(CLIENT, 700, 0, SYN | ACK, back=True, ack=1)
    there, here = 1, 1
    for xid in range(count // 2):
        asked, told = record(call(xid, body=GETATTR)), record(reply(xid, ATTRIBUTES))
        yield tcp(CLIENT, 700, there, PSH, asked, ack=here)
        there += len(asked)
        yield tcp(CLIENT, 700, here, PSH, told, back=True, ack=there & 0xFFFFFFFF)
        here += len(told)
