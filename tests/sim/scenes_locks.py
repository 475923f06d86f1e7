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


@scene(None, found=["nlm-blocked"])
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


@scene("rpc-server-silent", found=["rpc-retransmission"])
def lock_answer_dropped_while_others_get_theirs(net):
    """The lock manager drops its answer to one LOCK, as Linux does while a cluster file system has
    it pending; another client's locks are granted all the time."""
    work = nfs(net, "app-01")
    app, other = Client(net, "app-01"), Client(net, "app-02", sport=746)
    ask = app.lock_call(net.number())
    for pause in (10, 20, 30) * 2:
        app.conn.send(0, ask)
        app.conn.acknowledge(1)
        net.wait(pause)
        null(net, work)
        other.lock(GRANTED, svid=6)
        other.unlock(6)


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


# --- a lock manager that moves or restarts ---

STATD, NOTIFY = 100024, 6


def getport(net, name, port, program=NLM, sport=None):
    """A client asks the server's portmapper, and is told."""
    conn = Connection(net, CLIENTS[name], sport or 40000 + net.number(1), SERVER, 111).open()
    xid = net.number()
    ask = call(xid, PORTMAP, 2, GETPORT, ops.u32(program, 4, 6, 0))
    exchange(conn, ask, reply(xid, ops.u32(port)))
    conn.close()


def nfs(net, name, sport=690):
    """A connection to NFS, with a call of NFSv3 on it."""
    conn = Connection(net, CLIENTS[name], sport, SERVER, 2049).open()
    null(net, conn)
    return conn


def null(net, conn):
    xid = net.number()
    exchange(conn, call(xid, 100003, 3, 0, b""), reply(xid, b""))


def datagram(net, src, sport, dst, dport, payload):
    import socket

    net.emit(Packet(net.now, socket.inet_aton(src), socket.inet_aton(dst), UDP, sport, dport, payload))
    net.wait(0.0005)


def sm_notify(net, src, dst, name, state, answered=True):
    """SM_NOTIFY over UDP, and its empty answer."""
    xid = net.number()
    args = ops.opaque(name) + ops.u32(state)
    datagram(net, src, 862, dst, 662, call(xid, STATD, 1, NOTIFY, args)[4:])
    if answered:
        datagram(net, dst, 662, src, 862, reply(xid, b"")[4:])


def refused(net, client, port, sport=None):
    Connection(net, client.address, sport or client.sport, SERVER, port).refused()


@scene("nlm-port-changed", also=["tcp-syn-refused"], also_if_cut={"tcp-syn-unanswered": "likely"})
def lock_manager_at_another_port(net):
    """The lock manager comes back at another port; a client tries the old one for a minute, then
    asks the portmapper and is told the new one. NFS goes on meanwhile."""
    work = nfs(net, "app-01")
    getport(net, "app-01", 2052)
    app = Client(net, "app-01")
    app.lock(GRANTED)
    app.unlock()
    net.wait(20)
    app.conn.close()
    net.wait(100)
    for _ in range(20):
        refused(net, app, 2052)
        net.wait(3)
        null(net, work)
    getport(net, "app-01", 3063)
    app.reopen(3063)
    app.lock(GRANTED)
    net.wait(10)
    null(net, work)


@scene(None)
def lock_manager_at_another_port_in_time(net):
    """The twin: the client asks the portmapper before it calls, and is told the new port."""
    work = nfs(net, "app-01")
    getport(net, "app-01", 2052)
    app = Client(net, "app-01")
    app.lock(GRANTED)
    app.unlock()
    net.wait(20)
    app.conn.close()
    net.wait(100)
    getport(net, "app-01", 3063)
    app.reopen(3063)
    app.lock(GRANTED)
    net.wait(10)
    null(net, work)


def held_and_closed(net):
    """Two clients of the lock manager; the first holds the lock, and both connections are closed."""
    holder, app = Client(net, "app-01"), Client(net, "app-02", sport=746)
    holder.lock(GRANTED)
    net.wait(30)
    for client in (holder, app):
        client.conn.close()
    net.wait(3)
    return holder, app


def restart(net, notified):
    """Two clients; the first holds the lock, the lock manager restarts elsewhere, the second asks
    for the lock until it is granted or the first has it again."""
    work = nfs(net, "app-01"), nfs(net, "app-02")
    getport(net, "app-01", 2052)
    holder, app = held_and_closed(net)
    if notified:
        sm_notify(net, SERVER, holder.address, "files.example", 5)
        net.wait(1)
        getport(net, "app-01", 3063)
        holder.reopen(3063)
        holder.lock(GRANTED, reclaim=True)
    getport(net, "app-02", 3063)
    app.reopen(3063)
    for _ in range(9):
        app.lock(GRACE)
        net.wait(5)
        null(net, work[0])
        null(net, work[1])
    app.lock(BLOCKED if notified else GRANTED)
    net.wait(20)
    return holder


@scene("nlm-server-restart", found=["nlm-grace"])
def lock_manager_restarted(net):
    """The lock manager restarts, the holder of a lock is told and takes it back."""
    restart(net, True)


@scene("nsm-notify-lost", found=["nlm-grace"], also=["nlm-server-restart"],
       also_if_cut={"portmap-unanswered": "likely"})  # fmt: skip
def lock_manager_restarted_unnoticed(net):
    """The lock manager restarts and nobody is told: the lock of one client goes to another one."""
    holder = restart(net, False)
    getport(net, "app-01", 3063)
    holder.reopen(3063)
    holder.unlock()
    net.wait(2)


def take_over(net, answer):
    """The holder of a lock is told of a restart, and asks for what it held."""
    nfs(net, "app-01"), nfs(net, "app-02")
    holder, app = held_and_closed(net)
    app.reopen(2052)
    app.lock(GRANTED, svid=2)
    net.wait(20)
    sm_notify(net, SERVER, holder.address, "files.example", 5)
    net.wait(1)
    holder.reopen(2052)
    holder.lock(answer, block=False, reclaim=True)
    net.wait(20)
    app.unlock(svid=2)
    net.wait(10)


@scene("nlm-server-restart", found=["nlm-locks-out-of-step"], also=["nsm-notify-lost"])
def lock_reclaimed_at_the_other_node(net):
    """An address moves to another node, which gives a lock to somebody else; then its old holder is
    told, and its reclaim is denied."""
    take_over(net, DENIED)


@scene("nlm-server-restart", found=["nlm-locks-out-of-step"], also=["nsm-notify-lost"])
def lock_reclaimed_too_late(net):
    """The client is told after the grace period: a Linux lock manager answers a reclaim then with
    DENIED_GRACE_PERIOD."""
    take_over(net, GRACE)


@scene(None)
def lock_client_restarted(net):
    """The twin: a client restarts and says so to the server; its lock is free and goes to another."""
    nfs(net, "app-01"), nfs(net, "app-02")
    holder, app = Client(net, "app-01"), Client(net, "app-02", sport=746)
    holder.lock(GRANTED)
    net.wait(30)
    app.lock(BLOCKED)
    sm_notify(net, holder.address, SERVER, "app-01", 7)
    net.wait(0.5)
    callback(net, app)
    net.wait(20)


# --- callbacks ---


def callback(net, client, answered=True):
    """NLM_GRANTED on a connection of the server's."""
    conn = Connection(net, SERVER, 834, client.address, 45855).open()
    xid = net.number()
    args = ops.opaque(b"\0\0\0\7") + ops.u32(1) + client.lock_of(1)
    conn.send(0, call(xid, NLM, 4, GRANTED_CB, args))
    conn.acknowledge(1)
    if answered:
        conn.send(1, client.answer(xid, GRANTED))
        conn.acknowledge(0)
    return conn


def contend(net):
    """One client holds a lock for 10 s, the other one waits for it."""
    nfs(net, "app-01"), nfs(net, "app-02")
    holder, app = Client(net, "app-01"), Client(net, "app-02", sport=746)
    holder.lock(GRANTED)
    net.wait(5)
    app.lock(BLOCKED)
    net.wait(10)
    holder.unlock()
    net.wait(0.002)
    return app


@scene("nlm-granted-lost", also=["tcp-syn-unanswered"])
def lock_granted_and_not_told(net):
    """The server cannot connect to the lock manager of the client that waits: its SYNs are dropped
    there. The client gets the lock when it asks again after 30 s."""
    xid = net.number()
    asked = Connection(net, SERVER, 41000, CLIENTS["app-02"], 111).open()
    exchange(asked, call(xid, PORTMAP, 2, GETPORT, ops.u32(NLM, 4, 6, 0)), reply(xid, ops.u32(45855)))
    asked.close()
    app = contend(net)
    conn = Connection(net, SERVER, 834, app.address, 45855)
    conn._send(0, SYN)
    for seconds in (1, 2, 4, 8):
        net.wait(seconds)
        conn.seq[0] -= 1
        conn._send(0, SYN)
    net.wait(5)
    app.lock(GRANTED)
    net.wait(20)


@scene("nlm-granted-lost", also=["rpc-server-silent", "rpc-retransmission"])
def lock_granted_and_not_taken(net):
    """The server's callback is acknowledged by TCP and not answered; the client gets the lock when
    it asks again."""
    app = contend(net)
    callback(net, app, answered=False)
    net.wait(20)
    app.lock(GRANTED)
    net.wait(20)


@scene(None, found=["nlm-blocked"])
def lock_granted_and_told(net):
    """The twin: the server's callback brings the lock."""
    app = contend(net)
    callback(net, app)
    net.wait(20)
    app.unlock()
    net.wait(20)
