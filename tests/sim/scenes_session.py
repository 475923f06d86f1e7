# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenes about sessions, their slots, and who took a client's state away."""
import struct

from .build import SECOND, Client, Server
from .scene import pair, scene

COLLISION, LEASE = "nfs4-client-owner-collision", "nfs4-lease-expired"
ADMIN, LOOP = "nfs4-client-expired", "nfs4-session-reset-loop"


class Nfsd(Server):
    """Numbers its sessions one after the other, as nfsd does."""

    made = 4711

    def sessionid(self, clientid):
        self.made += 1
        return clientid + struct.pack("<II", self.made, 0)


class Refusable(Client):
    """A client whose server gives no number to a session that it refuses to make."""

    def create_session(self, status=0):
        made = self.server.made
        ok = super().create_session(status)
        if not ok:
            self.server.made = made
        return ok


def _unseen(net, play):
    """Plays what the capture does not show."""
    seen = len(net.packets)
    play()
    del net.packets[seen:]


def _lose(net, c):
    c.refused_call()
    c.recover().reclaim_complete()
    c.work(2)


def _pause(net, seconds):
    """The machine stands still, and the clock of its capture with it: what comes later is stamped
    as if no time had passed. To be called with what is played afterwards."""
    before = len(net.packets)
    net.wait(seconds)

    def wake():
        for p in net.packets[before:]:
            p.t -= seconds * SECOND

    return wake


@scene(ADMIN, also_if_cut={COLLISION: "possible", LEASE: "likely"})
def expired_by_administrator(net):
    """An administrator expires one of two clients while both are at work; nobody else is there."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    for _ in range(3):
        a.work(2, 10)
        b.work(2, 10)
    _lose(net, a)
    b.work()


@scene(LEASE, also_if_cut={ADMIN: "likely"}, confidence_max="likely")
def paused_with_its_capture(net):
    """A virtual machine that captures is paused for 200 s with a lease of 90 s. Its stamps show
    nothing of that, the server's TCP timestamps do."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "web-01").mount().work(10, 0.5)
    wake = _pause(net, 200)
    _lose(net, a)
    a.work()
    wake()


@scene([ADMIN, LOOP, None], also_if_cut={COLLISION: "possible"})
def expired_among_unseen_mounts(net):
    """An administrator expires a client every few seconds, while other hosts mount that its own
    capture does not show: the server's numbers go on for innocent reasons."""
    srv = Nfsd(net)
    a = Refusable(net, srv, "192.0.2.31", "web-01").mount().work()
    for k in range(6):
        other = Refusable(net, srv, f"192.0.2.{50 + k}", f"batch-{k}", sport=901 + k)
        _unseen(net, lambda other=other: (other.connect(), other.exchange_id(), other.mount()))
        a.work(2)
        _lose(net, a)


@scene(COLLISION, confidence_max="likely")
def collision_seen_by_one(net):
    """Two machines with one host name; the capture shows only one of them."""
    srv = Nfsd(net)
    a = Refusable(net, srv, "192.0.2.31", "app", sport=801).mount().work()
    b = Refusable(net, srv, "192.0.2.32", "app", sport=922)
    _unseen(net, lambda: b.mount().work())
    for _ in range(6):
        _lose(net, a)
        net.wait(0.2)
        _unseen(net, lambda: _lose(net, b))
        net.wait(0.2)
