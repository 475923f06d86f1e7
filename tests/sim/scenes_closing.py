# SPDX-License-Identifier: GPL-2.0-or-later
"""Connections that end, or begin, out of step; and credentials that a server does not take."""
from . import ops
from .build import MS, Connection
from .packet import ACK, FIN, RST, SYN
from .scene import scene
from .scenes_nlm import CLIENT, SERVER, again, call, exchange, lock_call, lock_reply, reply

NFS, GETATTR, NULL = 100003, 1, 0
AUTH_TOOWEAK = 5
HANDLE = ops.opaque(b"handle-of-a-file")


def working(net, sport, rounds=4, dport=2049):
    conn = Connection(net, CLIENT, sport, SERVER, dport).open()
    for _ in range(rounds):
        xid = net.number()
        exchange(conn, call(xid, NFS, 3, GETATTR, HANDLE), reply(xid, ops.u32(0) + bytes(84)), 0.002)
        net.wait(0.5)
    return conn


def half_close(conn):
    """The client's FIN, and the server's acknowledgement of it."""
    conn._send(0, FIN | ACK)
    conn._send(1, ACK, delay=200_000)


@scene("tcp-half-closed")
def half_closed_for_long(net):
    """The client gives a call up after a minute and closes; the server acknowledges the FIN and never
    closes its side. The client connects anew two minutes later, and sends the call again."""
    conn = working(net, 801)
    xid = net.number()
    conn.send(0, call(xid, NFS, 3, GETATTR, HANDLE))
    conn.acknowledge(1)
    net.wait(5)
    half_close(conn)
    net.wait(120)
    conn = Connection(net, CLIENT, 802, SERVER).open()
    exchange(conn, call(xid, NFS, 3, GETATTR, HANDLE), reply(xid, ops.u32(0) + bytes(84)), 0.002)
    net.wait(5)
    conn.close()


@scene(None)
def half_closed_for_a_second(net):
    """The twin: the server closes its side a second after the client did."""
    conn = working(net, 801)
    half_close(conn)
    net.wait(1)
    conn._send(1, FIN | ACK)
    conn._send(0, ACK, delay=200_000)
    net.wait(1)
    working(net, 802).close()


@scene(None)
def half_closed_and_nobody_waits(net):
    """The server never closes its side, but no call was on the connection, and the next one works."""
    conn = working(net, 801)
    half_close(conn)
    net.wait(0.2)
    working(net, 802, rounds=60).close()


def challenged(net, old, sport):
    """A SYN from the port of a connection that the server still has: a bare ACK of that, and RST."""
    conn = Connection(net, CLIENT, sport, SERVER)
    conn._send(0, SYN)
    kept, conn.seq = conn.seq, [old.seq[0], old.seq[1]]
    conn._send(1, ACK, delay=MS // 4)
    conn.seq = kept
    return conn


@scene("tcp-syn-challenged")
def challenged_without_end(net):
    """The client lost its connection and uses the port again; the server answers each SYN with an ACK
    of the old one, and the client's RSTs do not reach it (a firewall drops them)."""
    old = working(net, 801)
    net.wait(20)
    for wait in (1, 2, 4, 8, 16, 32):
        conn = challenged(net, old, 801)
        conn.seq[0] = old.seq[1]
        conn._send(0, RST, delay=MS // 2)
        net.wait(wait)


@scene(None)
def challenged_once(net):
    """The twin: the RST arrives, the server lets go of the old connection, the next SYN succeeds."""
    old = working(net, 801)
    net.wait(20)
    conn = challenged(net, old, 801)
    first = conn.seq[0]
    conn.seq[0] = old.seq[1]
    conn._send(0, RST, delay=MS // 2)
    net.wait(1)
    conn = Connection(net, CLIENT, 801, SERVER)
    conn.seq[0] = first - 1
    again(conn, 0, 0)
    conn.open()
    for _ in range(4):
        xid = net.number()
        exchange(conn, call(xid, NFS, 3, GETATTR, HANDLE), reply(xid, ops.u32(0) + bytes(84)), 0.002)
    conn.close()


def denied(xid, why=AUTH_TOOWEAK):
    body = ops.u32(xid, 1, 1, 1, why)
    return ops.u32(0x80000000 | len(body)) + body


@scene("rpc-auth-refused")
def credentials_refused(net):
    """The export wants Kerberos now; every call of the client with AUTH_SYS is denied, for a minute."""
    conn = working(net, 801)
    for _ in range(30):
        xid = net.number()
        exchange(conn, call(xid, NFS, 3, GETATTR, HANDLE), denied(xid), 0.001)
        net.wait(2)
    conn.close()


@scene(None)
def credentials_refused_once(net):
    """The twin: one call is denied, what follows is not."""
    conn = working(net, 801)
    xid = net.number()
    exchange(conn, call(xid, NFS, 3, GETATTR, HANDLE), denied(xid), 0.001)
    for _ in range(30):
        xid = net.number()
        exchange(conn, lock_call(xid), lock_reply(xid), 0.001)
        xid = net.number()
        exchange(conn, call(xid, NFS, 3, GETATTR, HANDLE), reply(xid, ops.u32(0) + bytes(84)), 0.001)
        net.wait(2)
    conn.close()
