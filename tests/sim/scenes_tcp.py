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
