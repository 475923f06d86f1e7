# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenes about a server that restarts while no client holds state, and what looks like it."""
from . import ops
from .build import Client, Connection, Server
from .scene import scene

RESTART, REFUSED, GRACE = "nfs4-server-restart", "tcp-syn-refused", "nfs4-grace-wait"


def _clients(net, srv):
    """Two clients of which neither outlives the other's mount."""
    return (
        Client(net, srv, "192.0.2.31", "web-01", sport=801),
        Client(net, srv, "192.0.2.32", "web-02", sport=922),
    )


def _refuse(net, client, times=4):
    for i in range(times):
        Connection(net, client.address, client.sport + i, client.server.address).refused()
        net.wait(3)


def _visit(client, opens=0, status=ops.OK):
    client.mount().work(2)
    for _ in range(opens):
        client.open(status=status)
        client.net.wait(5)


def _refused_newcomer(net):
    """Client IDs tell no start. One client has opened a file and is gone, the other finds the port closed
    and comes again."""
    a, b = _clients(net, Server(net, layout="opaque"))
    _visit(a, 1)
    a.conn.close()
    _refuse(net, b)
    b.sport += 10
    return b


@scene(RESTART, also=[REFUSED], also_if_cut={REFUSED: "certain"})
def restart_before_newcomers(net):
    """The server is restarted after one client has gone and before another comes: only its start time,
    and the refusals, tell of it."""
    srv = Server(net)
    a, b = _clients(net, srv)
    _visit(a)
    a.conn.close()
    _refuse(net, b)
    srv.restart(-1)
    b.sport += 10
    _visit(b)


@scene(None)
def nodes_before_newcomers(net):
    """Two servers that have run for days answer at one address; each client comes to another one."""
    srv = Server(net)
    a, b = _clients(net, srv)
    _visit(a)
    a.conn.close()
    net.wait(12)
    srv.boot_s, srv.salt = srv.boot_s + 1801, 0x11AA0000
    _visit(b)


@scene(RESTART, found=[GRACE], also=[REFUSED], also_if_cut={REFUSED: "certain"})
def restart_by_its_grace(net):
    """The same with a server whose client IDs tell no start: new opens are answered GRACE now."""
    b = _refused_newcomer(net)
    _visit(b, 4, ops.GRACE)


@scene(RESTART, also=[REFUSED], also_if_cut={REFUSED: "certain"})
def restarts_before_newcomers(net):
    """Two restarts, each while nobody holds state: three start times, and the port refuses before each."""
    srv = Server(net)
    a, b = _clients(net, srv)
    _visit(a)
    a.conn.close()
    for _ in range(2):
        _refuse(net, b)
        srv.restart(-1)
        b.sport += 10
        _visit(b)
        b.conn.close()
        net.wait(60)


@scene(RESTART, found=[GRACE], also=[REFUSED], also_if_cut={REFUSED: "certain"})
def restart_by_its_grace_after_another_outage(net):
    """Its port refuses twice: long before the restart, when nobody opens anything behind it, and at it."""
    b = _refused_newcomer(net)
    _visit(b)
    b.conn.close()
    net.wait(400)
    _refuse(net, b)
    b.sport += 10
    _visit(b, 4, ops.GRACE)


@scene(REFUSED, found=[GRACE])
def outage_and_grace_of_another(net):
    """Behind the outage new opens are accepted. The grace period that comes then is no restart of this
    server: it takes over for another node."""
    b = _refused_newcomer(net)
    _visit(b, 2)
    net.wait(20)
    for _ in range(4):
        b.open(status=ops.GRACE)
        net.wait(5)


@scene(REFUSED, found=[GRACE])
def refused_and_grace_by_oneself(net):
    """A port that refuses for a moment, and a client that is answered GRACE behind it because it sends
    no RECLAIM_COMPLETE."""
    srv = Server(net, layout="opaque")
    a, b = _clients(net, srv)
    _visit(a, 1)
    _refuse(net, b)
    b.connect(b.sport + 10)
    b.exchange_id()
    b.create_session()
    for _ in range(4):
        b.open(status=ops.GRACE)
        net.wait(2)
    a.work()
