# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenes about losing state: leases, restarts, sessions, administrators."""
from . import ops
from .build import Client, Server
from .scene import pair, scene

LEASE, RESTART, ADMIN = "nfs4-lease-expired", "nfs4-server-restart", "nfs4-client-expired"
LOOP, GRACE = "nfs4-session-reset-loop", "nfs4-grace-wait"
COLLISION, SESSION_ONLY = "nfs4-client-owner-collision", "nfs4-session-only-lost"


def _idle(net, clients, seconds, every=60):
    """Clients that only renew their leases."""
    left = seconds
    while left > 0:
        net.wait(min(every, left))
        left -= every
        for c in clients:
            c.sequence()


def _lose(net, c):
    """Refused, recovered with a new client ID, at work again."""
    c.refused_call()
    c.recover()
    c.reclaim_complete()
    c.work()


@scene(LEASE)
def lease_expired_told(net):
    """One client is silent for 200 s with a lease of 90 s that it was told (a paused machine); then
    its session is gone. Another client went on renewing all the time."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    _idle(net, [b], 200)
    _lose(net, a)
    b.work()


@scene([LEASE, None], confidence_max="likely")
def lease_expired_not_told(net):
    """The same silence, but the lease time is nowhere in the capture: only the usual one can be
    assumed."""
    srv, a, b = pair(net)
    a.mount(lease=False).work()
    b.mount(lease=False).work()
    _idle(net, [b], 200)
    _lose(net, a)
    b.work()


@scene("tcp-path-silent", also=[LEASE])
def answered_by_nobody_for_longer_than_the_lease(net):
    """A server whose client IDs tell no start is gone for 200 s: a client's call, 30 s after its
    last one, goes unanswered, and on a new connection its session is unknown. It held nothing, so
    nothing is reclaimed: a restart and a lapsed lease look the same."""
    srv = Server(net, layout="opaque")
    a = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    net.wait(30)
    a.sequence(ops.putfh(b"file-handle-0007"), ops.getattr_size(), answered=False)
    for _ in range(5):
        net.wait(10)
        a.conn.retransmit_last(0)
    net.wait(120)
    a.conn.reset(side=0)
    a.connect(a.sport + 1)
    _lose(net, a)


@scene(LEASE)
def refused_where_it_was_renewed(net):
    """The server's client IDs tell no start, but the call that finds the session gone, after 200 s
    of silence, goes over the connection of the last renewal: no restart leaves that open."""
    srv = Server(net, layout="opaque")
    a = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    net.wait(200)
    _lose(net, a)


@scene(LEASE)
def lease_expired_v40(net):
    """A 4.0 client is silent for 200 s with a lease of 90 s that it was told; RENEW is then
    answered EXPIRED."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "web-01", minor=0).mount0().work0()
    net.wait(200)
    a.renew(status=ops.EXPIRED)
    a.setclientid()
    a.work0()


@scene([ADMIN, LOOP, None], also_if_cut={ADMIN: "certain"})
def lost_within_lease(net):
    """The state is lost after 60 s of silence with a lease of 90 s that the client was told: that
    was no expired lease."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    net.wait(60)
    _lose(net, a)
    b.work()


@scene([ADMIN, LOOP, None], also_if_cut={LEASE: "likely"})
def lost_within_long_lease(net):
    """The state is lost after 200 s of silence, but the lease is 600 s: that was no expired
    lease."""
    srv, a, b = pair(net, lease_s=600)
    a.mount().work()
    b.mount().work()
    net.wait(200)
    _lose(net, a)
    b.work()


@scene(None)
def silent_but_kept(net):
    """A client is silent for 200 s with a lease of 90 s; the server keeps its state all the same
    (a courteous server) and everything goes on."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    _idle(net, [b], 200)
    a.work(6)
    b.work()


@scene([ADMIN, LOOP], also_if_cut={COLLISION: "possible"})
def admin_expired(net):
    """An administrator expires the only client four times while it works: no silence, no other
    client, no restart."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    for _ in range(4):
        a.work(6)
        a.refused_call()
        a.recover().reclaim_complete()
    a.work(6)


@scene(SESSION_ONLY)
def session_only_lost(net):
    """The session is lost again and again, the client ID is not: CREATE_SESSION succeeds without
    EXCHANGE_ID each time."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    for _ in range(8):
        a.refused_call()
        a.recover(new_id=False)
        a.work(2)
        b.work(1)


@scene(None)
def session_lost_once(net):
    """The session is lost once and made again without EXCHANGE_ID; nothing repeats."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    a.refused_call()
    a.recover(new_id=False)
    a.work(10)
    b.work(3)


def _restart(net, srv, clients):
    """The server goes away for 2 s; each client connects again, reclaims and waits out the grace."""
    for c in clients:
        c.conn.reset()
    net.wait(2)
    srv.restart()
    for c in clients:
        net.wait(0.2)
        c.connect(c.sport + 1)
        c.refused_call()
        c.recover()
        c.open(reclaim=True)
        c.reclaim_complete()
    for _ in range(3):
        for c in clients:
            c.open(status=ops.GRACE)
        net.wait(5)
    for c in clients:
        c.open()
        c.work()


@scene(RESTART)
def restart(net):
    """A Linux server restarts; two clients reclaim; its client IDs show another boot time."""
    srv, a, b = pair(net)
    for c in a, b:
        c.mount().work()
        c.open()
    _restart(net, srv, [a, b])


@scene(RESTART)
def restart_other_server(net):
    """A server that is no Linux nfsd restarts: no boot time to be read, but all its clients lose
    everything at once, reclaims are accepted, and new opens meet GRACE."""
    srv, a, b = pair(net, layout="opaque")
    for c in a, b:
        c.mount().work()
        c.open()
    _restart(net, srv, [a, b])


@scene([GRACE, RESTART, None], confidence_max="likely")
def grace_only(net):
    """The capture begins after the restart: two clients mount and meet GRACE until the grace period
    ends."""
    srv, a, b = pair(net)
    for c in a, b:
        c.mount()
    for _ in range(4):
        for c in a, b:
            c.open(status=ops.GRACE)
        net.wait(5)
    for c in a, b:
        c.open()
        c.work()


@scene(None)
def reconnected_in_time(net):
    """The connection is reset and made again within the lease: the session is still good."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    a.conn.reset()
    net.wait(20)
    a.connect(931)
    a.work(6)
    b.work()


@scene(None)
def denied_and_delayed(net):
    """Ordinary refusals in healthy traffic: DELAY, NOENT, NO_GRACE on a reclaim."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    for _ in range(6):
        a.open(status=ops.DELAY)
        b.sequence(ops.putfh(b"root-handle-0001"), ops.Op(15, ops.opaque("none")).fails(ops.NOENT))
        net.wait(0.2)
    a.open(reclaim=True, status=ops.NO_GRACE)
    a.open()
    a.work()
    b.work()
