# SPDX-License-Identifier: GPL-2.0-or-later
"""The packet lists of the second founding incident, rebuilt: lockd waits for TCP, three times.

Addresses are others; what follows what, and when, is as in the lists.
"""
import socket
import struct

from . import ops
from .build import Connection
from .packet import ACK, FIN, RST, SYN, checksum
from .pcapfile import Frame
from .scene import scene

CLIENT, SERVER = "192.0.2.124", "192.0.2.62"
PORTMAP, NLM = 100000, 100021
NLM_LOCK, GETPORT = 2, 3
NLM_DENIED_NOLOCKS, NLM_GRANTED = 2, 0
FAST = 250_000  # the way there, in ns


def call(xid, program, version, procedure, args, stamp=0):
    auth = ops.u32(stamp) + ops.opaque("app-01") + ops.u32(0, 0, 0)
    body = ops.u32(xid, 0, 2, program, version, procedure, 1) + ops.opaque(auth) + ops.u32(0, 0)
    body += args
    return ops.u32(0x80000000 | len(body)) + body


def reply(xid, results):
    body = ops.u32(xid, 1, 0, 0, 0, 0) + results
    return ops.u32(0x80000000 | len(body)) + body


def lock_call(xid):
    lock = ops.opaque("app-01") + ops.opaque(b"handle-of-a-file") + ops.opaque(b"6@app-01")
    args = ops.opaque(b"\0\0\0\7") + ops.u32(0, 1) + lock + struct.pack("!iQQ", 6, 0, 100)
    return call(xid, NLM, 4, NLM_LOCK, args + ops.u32(0, 1))


def lock_reply(xid, status=NLM_GRANTED):
    return reply(xid, ops.opaque(b"\0\0\0\7") + ops.u32(status))


def exchange(conn, data, answer, after_s=0.0):
    """A call, acknowledged at once, and its reply."""
    conn.send(0, data)
    conn.acknowledge(1)
    conn.net.wait(after_s)
    conn.send(1, answer)
    conn.acknowledge(0)
    conn.net.wait(0.0005)


def again(conn, side, flags, delay=0):
    """A segment of the handshake or a FIN once more: the numbers do not move on."""
    kept = list(conn.seq)
    conn.seq[side] -= 1 if flags & (SYN | FIN) else 0
    conn._send(side, flags, delay=delay)
    conn.seq = kept


def syn_ack_ignored(conn, waits, answers=True):
    """SYN and SYN-ACK, and both again after each of the waits."""
    conn._send(0, SYN)
    if answers:
        conn._send(1, SYN | ACK, delay=FAST)
    for seconds in waits:
        conn.net.wait(seconds)
        again(conn, 0, SYN)
        if answers:
            again(conn, 1, SYN | ACK, delay=FAST)


def ask_port(net, conn):
    xid = net.number()
    exchange(conn, call(xid, PORTMAP, 2, GETPORT, ops.u32(NLM, 4, 6, 0)), reply(xid, ops.u32(2052)))
    conn.close()


def getport(net, sport):
    """The port of lockd is asked for, and told."""
    conn = Connection(net, CLIENT, sport, SERVER, 111).open()
    ask_port(net, conn)


def locks(net, conn, status=NLM_GRANTED, after_s=0.04):
    xid = net.number()
    exchange(conn, lock_call(xid), lock_reply(xid, status), after_s)


def icmp_host_unreachable(net, quoted):
    """The client tells itself that it finds no way to the host of this packet."""
    me = socket.inet_aton(CLIENT)
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 60, 7, 0x4000, 64, 6, 0, me, quoted.dst)
    tcp = struct.pack("!HHIIBBHI", quoted.sport, quoted.dport, quoted.seq, 0, 0x50, SYN, 502, 0)
    icmp = struct.pack("!BBHI", 3, 1, 0, 0) + head + tcp
    icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0xC0, 20 + len(icmp), 9, 0, 64, 1, 0, me, me)
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    net.frames.append(Frame(net.now, bytes(12) + b"\x08\0" + ip + icmp, 34 + len(icmp)))


@scene("tcp-synack-unacknowledged", also=["portmap-unanswered"], confidence_max="likely",
       also_if_cut={"tcp-syn-unanswered": "likely"})  # fmt: skip
def incident2_synack_ignored(net):
    """19 June: the client's SYNs to port 111 are answered, and it takes no notice for a minute."""
    getport(net, 33290)
    net.wait(30)
    conn = Connection(net, CLIENT, 33306, SERVER, 111)
    syn_ack_ignored(conn, (1.02, 2.05, 4.03, 8.06, 16.13, 33.3))
    net.wait(3)


@scene(None)
def incident2_synack_taken(net):
    """The twin: one SYN-ACK is lost, the next one is taken."""
    getport(net, 33290)
    net.wait(30)
    conn = Connection(net, CLIENT, 33306, SERVER, 111)
    syn_ack_ignored(conn, (1.02,))
    net.wait(0.001)
    conn._send(0, ACK)
    ask_port(net, conn)
    net.wait(60)


@scene("tcp-fin-unanswered", confidence_max="likely", also=["tcp-path-silent"])
def incident2_fin_unanswered_port_reused(net):
    """22 June: the client's FIN is sent again for three minutes, nothing comes back; then the same
    port is used again, and the lock call that waited gets through."""
    conn = Connection(net, CLIENT, 871, SERVER, 2052).open()
    locks(net, conn)
    net.wait(61)
    conn.seq[0] -= 1  # a keep-alive, and its answer
    conn._send(0, ACK)
    conn.seq[0] += 1
    conn._send(1, ACK, delay=FAST)
    net.wait(240)
    conn._send(0, FIN | ACK)
    for seconds in (0.22, 0.22, 0.44, 0.9, 1.8, 3.5, 7.1, 14.2, 28.3, 57):
        net.wait(seconds)
        again(conn, 0, FIN | ACK)
    net.wait(71.68)
    conn = Connection(net, CLIENT, 871, SERVER, 2052).open()
    locks(net, conn)
    net.wait(5)


@scene(None)
def incident2_fin_answered_port_reused(net):
    """The twin: an idle connection is closed, one FIN is lost, the port is used again later."""
    conn = Connection(net, CLIENT, 871, SERVER, 2052).open()
    locks(net, conn)
    net.wait(300)
    conn._send(0, FIN | ACK)
    net.wait(0.22)
    again(conn, 0, FIN | ACK)
    conn._send(1, FIN | ACK, delay=FAST)
    conn._send(0, ACK, delay=2 * FAST)
    net.wait(120)
    conn = Connection(net, CLIENT, 871, SERVER, 2052).open()
    locks(net, conn)
    net.wait(5)


@scene(["net-unreachable", "tcp-syn-unanswered"], found=["tcp-syn-unanswered"],
       also=["rpc-server-slow", "nlm-denied-nolocks"])  # fmt: skip
def incident2_link_down_icmp(net):
    """27 June: the server's interface is down for 75 s. SYNs bring nothing but ICMP from the client
    itself; then the call gets through, is sent again, and answered late: DENIED_NOLOCKS."""
    getport(net, 33290)
    net.wait(2)
    for waits in ((1.06, 2.05), (1.0, 2.0), (1.0, 2.0), (1.0, 2.0), (1.0, 2.0)):
        conn = Connection(net, CLIENT, 740, SERVER, 2052)
        syn_ack_ignored(conn, waits, answers=False)
        net.wait(7.1)
        icmp_host_unreachable(net, net.packets[-1])
        net.wait(3)
    conn = Connection(net, CLIENT, 740, SERVER, 2052).open()
    xid = net.number()
    conn.send(0, lock_call(xid))
    conn.acknowledge(1)
    net.wait(41.98)
    conn.send(0, lock_call(xid))
    conn.acknowledge(1)
    net.wait(18.2)
    conn.send(1, lock_reply(xid, NLM_DENIED_NOLOCKS))
    conn.acknowledge(0)
    net.wait(1)


@scene(None)
def incident2_link_down_unnoticed(net):
    """The twin: ICMP about a port that nobody waits for any more; locks are granted."""
    getport(net, 33290)
    conn = Connection(net, CLIENT, 740, SERVER, 2052).open()
    locks(net, conn)
    net.wait(60)
    stray = Connection(net, CLIENT, 741, SERVER, 2052)
    stray._send(0, SYN)
    icmp_host_unreachable(net, net.packets[-1])
    stray._send(0, RST)
    net.wait(20)
    locks(net, conn)
    net.wait(60)


