# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenes about connections that are refused."""
from .build import Client, Connection, Server
from .scene import scene

REFUSED = "tcp-syn-refused"


def _refuse(net, port, times, every):
    for i in range(times):
        Connection(net, "192.0.2.31", 801 + i % 3, "192.0.2.10", port).refused()
        net.wait(every)


@scene(REFUSED)
def syn_refused(net):
    """Nothing listens on port 2049: a client tries for minutes and each SYN is answered by RST."""
    _refuse(net, 2049, 12, 10)


@scene(REFUSED)
def syn_refused_after_work(net):
    """A client works; the service is stopped and does not come back while the capture runs."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "web-01", sport=990).mount().work()
    a.conn.reset()
    net.wait(1)
    _refuse(net, 2049, 10, 10)


@scene(None)
def syn_refused_once(net):
    """One SYN is refused, the next one, a tenth of a second later, is not; nobody waited."""
    srv = Server(net)
    _refuse(net, 2049, 1, 0.1)
    Client(net, srv, "192.0.2.31", "web-01", sport=990).mount().work(8)


@scene(None)
def syn_refused_elsewhere(net):
    """A host tries ports that have nothing to do with NFS (8080, 22); NFS itself is healthy."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "web-01", sport=990).mount().work()
    _refuse(net, 8080, 8, 3)
    a.work()
    _refuse(net, 22, 8, 3)
    a.work()


@scene("tcp-path-silent")
def outage_for_ten_clients(net):
    """A server goes away while ten clients work: each sends its call again and again, and nothing
    comes back. One outage."""
    srv = Server(net)
    clients = [
        Client(net, srv, f"192.0.2.{30 + i}", f"web-{i:02}", sport=800 + i).mount().work()
        for i in range(10)
    ]
    net.wait(1)
    calls = []
    for c in clients:
        c.sequence(answered=False)
        calls.append(net.packets[-1])
    for pause in (0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2):
        net.wait(pause)
        for call in calls:
            again = call.copy()
            again.t = net.now
            net.emit(again)
    net.wait(1)
