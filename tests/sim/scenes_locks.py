# SPDX-License-Identifier: GPL-2.0-or-later
"""Locks that are denied, lost, moved or never brought: NLM, NSM and portmapper."""
import struct

from . import ops
from .build import Connection
from .packet import ACK, FIN, PSH, RST, SYN, UDP, Packet
from .scene import scene
from .scenes_nlm import NLM, PORTMAP, call, exchange, reply

SERVER = "192.0.2.10"
CLIENTS = {"app-01": "192.0.2.31", "app-02": "192.0.2.32"}
LOCK, UNLOCK, GRANTED_CB, GETPORT = 2, 4, 5, 3
GRANTED, DENIED, NOLOCKS, BLOCKED, GRACE = 0, 1, 2, 3, 4
NONE = None


class Client:
    """A host with its connection to the lock manager."""

    def __init__(self, net, name, port=2052, sport=745, server=SERVER):
        self.net, self.name, self.server = net, name, server
        self.address = CLIENTS[name]
        self.conn = Connection(net, self.address, sport, server, port)
        self.reopen(port, sport)

    def reopen(self, port, sport=None):
        """A new connection, from the same port unless another is told."""
        self.port, self.sport = port, sport or self.sport
        self.conn = Connection(self.net, self.address, self.sport, self.server, port)
        return self.conn.open()

    def lock_of(self, svid, length=0):
        body = ops.opaque(self.name) + ops.opaque(b"handle-of-a-file")
        body += ops.opaque(f"{svid}@{self.name}") + struct.pack("!iQQ", svid, 0, length)
        return body

    def lock(self, status, svid=1, block=True, reclaim=False, after_s=0.0005):
        """LOCK and its answer."""
        xid = self.net.number()
        exchange(self.conn, self.lock_call(xid, svid, block, reclaim), self.answer(xid, status), after_s)

    def lock_call(self, xid, svid=1, block=True, reclaim=False):
        args = ops.opaque(b"\0\0\0\7") + ops.u32(block, 1) + self.lock_of(svid)
        return call(xid, NLM, 4, LOCK, args + ops.u32(reclaim, 1))

    def answer(self, xid, status):
        return reply(xid, ops.opaque(b"\0\0\0\7") + ops.u32(status))

    def unlock(self, svid=1):
        xid = self.net.number()
        args = ops.opaque(b"\0\0\0\7") + self.lock_of(svid)
        exchange(self.conn, call(xid, NLM, 4, UNLOCK, args), self.answer(xid, GRANTED))


@scene("nlm-denied-nolocks")
def locks_denied_for_want_of_resources(net):
    """The lock manager denies each lock of a client for want of resources; its statd is dead."""
    app = Client(net, "app-01")
    for _ in range(3):
        app.lock(NOLOCKS, block=False)
        net.wait(7)


@scene(None)
def locks_denied_by_a_holder(net):
    """The twin: locks of a client are denied because another one has them."""
    holder, app = Client(net, "app-02"), Client(net, "app-01")
    holder.lock(GRANTED)
    for _ in range(3):
        app.lock(DENIED, block=False)
        net.wait(7)
    holder.unlock()
    app.lock(GRANTED)
    net.wait(1)


@scene("nlm-retransmission-denied", also=["rpc-server-slow", "rpc-retransmission"])
def lock_denied_by_its_own_retransmission(net):
    """LOCK is sent again after 10 s; the copy is denied, and the first one granted after that."""
    app = Client(net, "app-01")
    xid = net.number()
    app.conn.send(0, app.lock_call(xid, block=False))
    app.conn.acknowledge(1)
    net.wait(10)
    app.conn.send(0, app.lock_call(xid, block=False))
    app.conn.acknowledge(1)
    net.wait(0.2)
    app.conn.send(1, app.answer(xid, DENIED))
    app.conn.acknowledge(0)
    net.wait(1.5)
    app.conn.send(1, app.answer(xid, GRANTED))
    app.conn.acknowledge(0)
    net.wait(20)


@scene(None, also=["rpc-retransmission"])
def lock_denied_and_asked_again(net):
    """The twin: a lock is denied because somebody has it, asked for again later, and granted."""
    holder, app = Client(net, "app-02"), Client(net, "app-01")
    holder.lock(GRANTED)
    app.lock(DENIED, block=False)
    net.wait(3)
    holder.unlock()
    net.wait(3)
    app.lock(GRANTED, block=False)
    net.wait(20)
