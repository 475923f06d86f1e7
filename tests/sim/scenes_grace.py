# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenes about what clients wait for at the server: grace, another scope, steps put off."""
from . import ops
from .build import SECOND, Client, Server
from .scene import pair, scene

GRACE, LONG, RESTART = "nfs4-grace-wait", "nfs4-grace-too-long", "nfs4-server-restart"
SCOPE, STUCK, LOOP = "nfs4-server-scope-changed", "nfs4-state-manager-stuck", "nfs4-session-reset-loop"


def _mount_without_reclaim_complete(c):
    c.connect()
    c.exchange_id()
    c.create_session()
    c.sequence(ops.putrootfh(), ops.getfh(b"root-handle-0001"), ops.getattr_lease(c.server.lease_s))


def _lose(c):
    c.refused_call()
    c.recover()
    c.reclaim_complete()
    c.work(2)


@scene(LONG, found=[GRACE], also_if_cut={LONG: "certain"})
def grace_without_reclaim_complete(net):
    """A client never sends RECLAIM_COMPLETE: its opens are answered GRACE for a minute, while those
    of another client succeed."""
    srv, a, b = pair(net)
    b.mount().work()
    _mount_without_reclaim_complete(a)
    for _ in range(8):
        a.open(status=ops.GRACE)
        net.wait(4)
        b.open()
        net.wait(4)


@scene(GRACE)
def grace_until_reclaim_complete(net):
    """A client sends RECLAIM_COMPLETE only 20 s after its mount; then its open succeeds."""
    srv, a, b = pair(net)
    b.mount().work()
    _mount_without_reclaim_complete(a)
    for _ in range(4):
        a.open(status=ops.GRACE)
        b.open()
        net.wait(5)
    a.reclaim_complete()
    for _ in range(3):
        a.open()
        net.wait(5)


@scene(LONG, found=[GRACE], confidence_max="likely")
def grace_without_end(net):
    """A server with a lease of 90 s answers GRACE for five minutes, to everybody; it does not
    restart."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    for _ in range(21):
        a.open(status=ops.GRACE)
        b.open(status=ops.GRACE)
        net.wait(15)


@scene(GRACE)
def grace_to_its_end(net):
    """A server with a lease of 90 s answers GRACE for 90 s, to everybody."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    for _ in range(7):
        a.open(status=ops.GRACE)
        b.open(status=ops.GRACE)
        net.wait(15)
    a.open()
    b.open()


def _fail_over(net, name):
    srv, a, b = pair(net)
    for c in a, b:
        c.mount().work()
        c.open()
        c.conn.reset()
    net.wait(4)
    srv.restart(-2)
    srv.name = name or srv.name
    for c in a, b:
        c.connect(c.sport + 1)
        _lose(c)


@scene(SCOPE, also=[RESTART], also_if_cut={RESTART: "certain"})
def scope_of_the_other_node(net):
    """The address moves to the other node of a cluster, which names itself after itself: clients
    take it for another server and reclaim nothing."""
    _fail_over(net, "node-b.example")


@scene(RESTART, also_if_cut={RESTART: "certain"})
def scope_stays(net):
    """The address moves to the other node of a cluster, which has the same name."""
    _fail_over(net, None)


@scene([None, LOOP], also_if_cut={RESTART: "certain", SCOPE: "certain", "nfs4-client-owner-collision": "likely"})
def scopes_in_turn(net):
    """Two servers with names of their own answer at one address in turn, as a load balancer has
    it."""
    srv = Server(net)
    c = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    nodes = [(srv.boot_s, srv.salt, "node-a"), (srv.boot_s - 86400, 0x11AA0000, "node-b")]
    for i in range(1, 6):
        c.conn.reset()
        srv.boot_s, srv.salt, srv.name = nodes[i % 2]
        net.wait(5)
        c.connect(801 + i)
        _lose(c)


def _mount_put_off(net, tries):
    srv, a, b = pair(net)
    b.mount().work()
    a.connect()
    for _ in range(tries):
        a.exchange_id(status=ops.DELAY)
        net.wait(1)
        b.work(1, 1)
    a.exchange_id()
    a.create_session()
    a.reclaim_complete()
    a.work()


@scene(STUCK)
def mount_put_off(net):
    """A server that is full answers the EXCHANGE_ID of a new client DELAY for a minute and a half,
    and works for another."""
    _mount_put_off(net, 45)


@scene(None)
def mount_put_off_briefly(net):
    """The same for ten seconds."""
    _mount_put_off(net, 5)


def _set_ahead(net, at):
    """The clock of the capture is set ahead by an hour."""

    def recorded(frames):
        for f in frames:
            f.t += 3600 * SECOND if f.t >= at else 0
        return frames

    net.recorded = recorded


@scene(GRACE)
def grace_in_which_the_clock_was_set_ahead(net):
    """A server answers GRACE for less than a lease; the clock of the capture is set ahead in it."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    for i in range(5):
        a.open(status=ops.GRACE)
        b.open(status=ops.GRACE)
        net.wait(15)
        at = net.now if i == 1 else at if i else 0
    a.open()
    b.open()
    _set_ahead(net, at)


@scene(None)
def mount_put_off_when_the_clock_was_set_ahead(net):
    """A server answers the EXCHANGE_ID of a new client DELAY for ten seconds, in which the clock of
    the capture is set ahead."""
    at = net.now
    _mount_put_off(net, 5)
    _set_ahead(net, at + 6 * SECOND)
