# SPDX-License-Identifier: GPL-2.0-or-later
"""Streams in which a record mark is none, and what looks like it."""
import struct

from . import ops
from .build import Connection
from .scene import scene
from .scenes_nlm import CLIENT, SERVER, call, exchange, lock_call, lock_reply, reply

NFS, NULL, AUTH_TLS = 100003, 0, 7
SERVER_HELLO = bytes.fromhex("160303007a02000076030311223344556677889900aabbccddeeff") + b"\x5a" * 100
CLIENT_HELLO = bytes.fromhex("16030102000100 01fc0303".replace(" ", "")) + b"\xa5" * 508


def working(net, sport, dport=2049):
    conn = Connection(net, CLIENT, sport, SERVER, dport).open()
    for _ in range(3):
        xid = net.number()
        exchange(conn, lock_call(xid), lock_reply(xid), 0.002)
        net.wait(0.5)
    return conn


@scene("rpc-framing-broken")
def record_mark_overwritten(net):
    """A client's stream loses its place: a mark announces 1.6 GB; the server resets, twice."""
    for sport in (740, 741):
        conn = working(net, sport, 2052)
        conn.send(0, struct.pack("!I", 0x61626364) + lock_call(net.number())[4:])
        conn.acknowledge(1)
        net.wait(0.01)
        conn.reset()
        net.wait(3)


@scene("rpc-framing-broken")
def other_protocol_answers(net):
    """Calls go to the port of NFS, and what answers them there is an SSH server."""
    for sport in (740, 741, 742):
        conn = Connection(net, CLIENT, sport, SERVER).open()
        conn.send(0, call(net.number(), NFS, 3, NULL, b""))
        conn.acknowledge(1)
        net.wait(0.01)
        conn.send(1, b"SSH-2.0-OpenSSH_9.2\r\n")
        conn.acknowledge(0)
        net.wait(0.2)
        conn.send(1, b"Invalid SSH identification string.\r\n")
        conn.close()
        net.wait(3)


@scene(None)
def health_check_of_another_kind(net):
    """A load balancer knocks at the port with HTTP and is closed out; the clients work."""
    conn = working(net, 740)
    for i in range(6):
        check = Connection(net, "192.0.2.5", 40000 + i, SERVER).open()
        check.send(0, b"GET / HTTP/1.0\r\n\r\n")
        check.acknowledge(1)
        check.reset()
        xid = net.number()
        exchange(conn, lock_call(xid), lock_reply(xid), 0.002)
        net.wait(5)
    conn.close()


@scene(None)
def rpc_with_tls(net):
    """The client asks for TLS, the server agrees (RFC 9289), and what follows is encrypted."""
    conn = Connection(net, CLIENT, 740, SERVER).open()
    xid = net.number()
    body = ops.u32(xid, 0, 2, NFS, 4, NULL, AUTH_TLS, 0, 0, 0)
    answer = ops.u32(xid, 1, 0, 0) + ops.opaque(b"STARTTLS") + ops.u32(0)
    exchange(conn, ops.u32(0x80000000 | len(body)) + body,
             ops.u32(0x80000000 | len(answer)) + answer, 0.001)
    conn.send(0, CLIENT_HELLO)
    conn.send(1, SERVER_HELLO)
    for _ in range(8):
        conn.send(0, b"\x17\x03\x03\x01\x00" + b"\x33" * 256)
        conn.send(1, b"\x17\x03\x03\x00\x80" + b"\x44" * 128)
        net.wait(1)
    conn.close()


@scene(None)
def nonsense_and_reply(net):
    """A record whose content is no message, but whose mark is right: the next one is found."""
    conn = working(net, 740)
    conn.send(0, struct.pack("!I", 0x80000040) + b"\xff" * 64)
    conn.acknowledge(1)
    for _ in range(3):
        xid = net.number()
        exchange(conn, call(xid, NFS, 3, NULL, b""), reply(xid, b""), 0.002)
    conn.close()
