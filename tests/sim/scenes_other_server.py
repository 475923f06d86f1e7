# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenes about state that a server lost whose client IDs tell nothing: it is no Linux nfsd."""
from . import ops
from .build import Client, Server
from .scene import pair, scene
from .scenes_lease import ADMIN, LEASE, LOOP, _idle, _lose

OPAQUE = {"layout": "opaque"}


def _both_at_work(net, a, b):
    for _ in range(3):
        a.work(2, 10)
        b.work(2, 10)


@scene(ADMIN, confidence_max="likely")
def other_server_drops_one(net):
    """The server drops one of two clients while both are at work on connections that stay up; the
    other one keeps its session."""
    srv, a, b = pair(net, **OPAQUE)
    a.mount().work()
    b.mount().work()
    _both_at_work(net, a, b)
    _lose(net, a)
    b.work()
    a.work()


@scene([None, LOOP])
def other_server_drops_both(net):
    """The twin: the other one loses its client ID as well. That may be a restart, with nothing to be
    reclaimed."""
    srv, a, b = pair(net, **OPAQUE)
    a.mount().work()
    b.mount().work()
    _both_at_work(net, a, b)
    _lose(net, a)
    _lose(net, b)
    b.work()
    a.work()


@scene([None, LOOP])
def other_server_drops_one_on_a_new_connection(net):
    """The twin: one of two clients loses its client ID when it connects anew: behind the address may
    stand another server."""
    srv, a, b = pair(net, **OPAQUE)
    a.mount().work()
    b.mount().work()
    _both_at_work(net, a, b)
    a.conn.reset()
    a.connect(a.sport + 1)
    _lose(net, a)
    b.work()
    a.work()


@scene(LEASE, confidence_max="likely")
def other_server_lease_expired(net):
    """One client is silent for 200 s with a lease of 90 s that it was told; the other one renews all
    the time, and keeps its session."""
    srv, a, b = pair(net, **OPAQUE)
    a.mount().work()
    b.mount().work()
    _idle(net, [b], 200)
    _lose(net, a)
    b.work()


@scene(None)
def other_server_silent_but_kept(net):
    """The twin: the server keeps the session all the same."""
    srv, a, b = pair(net, **OPAQUE)
    a.mount().work()
    b.mount().work()
    _idle(net, [b], 200)
    a.work(6)
    b.work()


def _pair_v40(net):
    srv = Server(net, **OPAQUE)
    both = [Client(net, srv, f"192.0.2.{31 + i}", f"web-0{i}", minor=0, sport=801 + i) for i in (0, 1)]
    for c in both:
        c.mount0().work0()
    for c in both:
        c.renew()
    return both


def _renewing(net, c, seconds, every=60):
    while seconds > 0:
        net.wait(min(every, seconds))
        seconds -= every
        c.renew()


def _stale_v40(c):
    c.renew(status=ops.STALE_CLIENTID)
    c.setclientid()
    c.work0()


@scene(LEASE, confidence_max="likely")
def other_server_lease_expired_v40(net):
    """A 4.0 client is silent for 200 s with a lease of 90 s; its RENEW is answered STALE_CLIENTID as
    the server has forgotten it, and the other one's goes on."""
    a, b = _pair_v40(net)
    _renewing(net, b, 200)
    _stale_v40(a)
    _renewing(net, b, 60)


@scene([None, LOOP])
def other_server_restarts_v40(net):
    """The twin: the other one's RENEW is answered STALE_CLIENTID as well: the server has restarted."""
    a, b = _pair_v40(net)
    _renewing(net, b, 180)
    for c in a, b:
        c.conn.reset()
    net.wait(20)
    for c in a, b:
        c.connect(c.sport + 100)
        _stale_v40(c)
    _renewing(net, b, 60)


@scene("tcp-path-silent", also=[LEASE])
def other_server_away_for_long(net):
    """A client tries in vain for 170 s to reach its server; its client ID is gone then. The lease of
    90 s ran out, or the server had restarted: nothing was held, and nothing tells."""
    srv = Server(net, **OPAQUE)
    a = Client(net, srv, "192.0.2.31", "web-01", sport=801).mount().work()
    net.wait(10)
    a.sequence(answered=False)
    for pause in (0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2):
        net.wait(pause)
        a.conn.retransmit_last(0)
    net.wait(60)
    a.conn.reset(0)
    a.connect(930)
    _lose(net, a)
    a.work()
