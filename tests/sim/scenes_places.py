# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures from unusual places, and programs that only look: scanners and the tools of administrators."""
import socket

from . import ops
from .build import Client, Connection, Server
from .ends import AT_CLIENT, AT_SERVER, Ends
from .packet import ACK, RST, SYN
from .scene import scene
from .scenes_nlm import CLIENT, GETPORT, NLM, PORTMAP, SERVER, call, exchange, reply
from .scenes_slots import interrupted_calls_counted_down, slot_out_of_step

ENDS = (AT_CLIENT, AT_SERVER)
REFUSED = "tcp-syn-refused"
MOUNT, MNT, NFS = 100005, 1, 100003
TCP_PROTOCOL = 6


def _refused_ten_times(net, ends, on_the_way):
    """Ten attempts of one client; the RST comes from a box on the way or from the server itself."""
    for i in range(10):
        conn = Connection(net, "192.0.2.31", 850 + i, "192.0.2.10")
        conn._send(0, SYN)
        if on_the_way:
            ends.missed(AT_SERVER)
        conn.seq[1] = 0
        conn._send(1, RST | ACK, delay=2_200_000)
        if on_the_way:
            ends.missed(AT_SERVER)
        net.wait(3)


def _two_clients(net):
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "web-01", sport=801).mount()
    b = Client(net, srv, "192.0.2.32", "web-02", sport=922).mount()
    for _ in range(12):
        a.work(1, 0.1)
        b.work(1, 0.1)
    return a, b


@scene(REFUSED, captures=ENDS)
def refused_on_the_way(net):
    """A firewall between the two captures rejects one client's new connections with a reset, in the server's
    name. The capture at the server shows neither the SYNs nor the RSTs; the other client works."""
    ends = Ends(net)
    a, b = _two_clients(net)
    a.conn.close()
    _refused_ten_times(net, ends, True)
    b.work(12, 0.1)


@scene(REFUSED, captures=ENDS)
def refused_at_the_server(net):
    """The same SYNs arrive at the server, and the RSTs are its own."""
    ends = Ends(net)
    a, b = _two_clients(net)
    a.conn.close()
    _refused_ten_times(net, ends, False)
    b.work(12, 0.1)


@scene(None)
def half_open_scan(net):
    """A scanner of ports sends SYNs from one port again and again, gets SYN-ACKs and answers them with RST;
    a client works."""
    srv = Server(net)
    c = Client(net, srv, "192.0.2.31", "web-01", sport=801).mount()
    scan = Connection(net, "192.0.2.99", 42049, "192.0.2.10")
    for _ in range(8):
        scan.seq[0] = net.number()
        scan._send(0, SYN)
        scan.seq[1] = net.number()
        scan._send(1, SYN | ACK, delay=100_000)
        scan._send(0, RST, delay=200_000)
        net.wait(2)
        c.work(2)


def _ask_for_ports(net, version, times=10):
    for _ in range(times):
        conn = Connection(net, CLIENT, 40000 + net.number(1), SERVER, 111).open()
        xid = net.number()
        args = ops.u32(NLM, version, TCP_PROTOCOL, 0)
        exchange(conn, call(xid, PORTMAP, 2, GETPORT, args), reply(xid, ops.u32(0)))
        conn.close()
        net.wait(2)


@scene(None)
def ports_asked_by_a_tool(net):
    """A monitor runs rpcinfo every two seconds: it asks for version 0 of the lock manager, which nobody
    registers, to learn which versions there are."""
    _ask_for_ports(net, 0)


@scene("portmap-unanswered")
def ports_asked_by_a_client(net):
    """A client asks for the lock manager that it needs, and the portmapper does not know it."""
    _ask_for_ports(net, 4)


def _mount_asked(net):
    conn = Connection(net, CLIENT, 900, SERVER, 20048).open()
    xid = net.number()
    exchange(conn, call(xid, MOUNT, 3, 0, b""), reply(xid, b""))
    conn.send(0, call(net.number(), MOUNT, 3, MNT, ops.opaque("/export")))
    conn.acknowledge(1)
    return conn


def _works_v3(net, sport, rounds, loses):
    conn = Connection(net, CLIENT, sport, SERVER).open()
    for i in range(rounds):
        xid = net.number()
        exchange(conn, call(xid, NFS, 3, 0, b""), reply(xid, b""))
        if i == 3 and loses:
            conn.send(0, call(net.number(), NFS, 3, 0, b""))
            net.packets.pop()
        net.wait(5)


@scene(None)
def answer_lost_by_the_capture(net):
    """The capture loses packets in bursts, among them the answer to a MNT call and the end of its connection:
    the client has its answer, and works on other connections."""
    _mount_asked(net)
    net.wait(0.5)
    _works_v3(net, 801, 30, True)


@scene("rpc-server-silent")
def answer_never_sent(net):
    """The same call is not answered, in a capture that lost nothing."""
    _mount_asked(net)
    net.wait(0.5)
    _works_v3(net, 801, 30, False)


def _gateway(net):
    """The capture is taken on all interfaces of a gateway that translates the clients' addresses: each
    segment stands in it twice."""
    gateway = socket.inet_aton("203.0.113.99")
    for p in list(net.packets):
        q = p.copy()
        inside, outside = (p, q) if p.dport == 2049 else (q, p)
        q.src, q.sport, q.dst, q.dport = p.src, p.sport, p.dst, p.dport
        if p.dport == 2049:
            outside.src, outside.sport = gateway, p.sport + 40000
            outside.t += 15_000
            outside.ttl -= 1
        else:
            outside.dst, outside.dport = gateway, p.dport + 40000
            inside.t += 15_000
            inside.ttl -= 1
        net.emit(q)


@scene(None)
def gateway_shows_all_twice(net):
    """A client counts down after interrupted calls, as the protocol wants it, and is accepted; at a gateway
    that translates addresses each of its calls is seen twice, once from each address."""
    interrupted_calls_counted_down(net)
    _gateway(net)


@scene("nfs4-slot-out-of-step")
def gateway_shows_slot_out_of_step(net):
    """At the same gateway a slot is truly out of step."""
    slot_out_of_step(net)
    _gateway(net)
