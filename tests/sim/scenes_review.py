# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenes that look like an incident of NFSv4 state and are another one, or none."""
import struct

from . import ops
from .build import SECOND, Client, Connection, Server
from .scene import pair, scene

COLLISION, LEASE, RESTART = "nfs4-client-owner-collision", "nfs4-lease-expired", "nfs4-server-restart"
ADMIN, LOOP, GRACE = "nfs4-client-expired", "nfs4-session-reset-loop", "nfs4-grace-wait"
SESSION_ONLY, IN_USE = "nfs4-session-only-lost", "nfs4-clientid-in-use"
NOBODY = [ADMIN, LOOP, None]
SEQ_MISORDERED, CB_PATH_DOWN = 10063, 10048


def _unseen(net, play):
    """Plays what the capture does not show."""
    seen = len(net.packets)
    play()
    del net.packets[seen:]


def _lose(net, c):
    c.refused_call()
    c.recover().reclaim_complete()
    c.work(2)


def _fight(net, a, b, rounds=6):
    a.mount().work()
    b.mount().work()
    for _ in range(rounds):
        for client in a, b:
            _lose(net, client)
            net.wait(0.2)


@scene(NOBODY)
def renewals_not_captured(net):
    """The capture lacks 200 s in which a client renewed its lease of 90 s all the time; then an
    administrator expires it."""
    srv, a, b = pair(net)
    a.mount().work()
    _unseen(net, lambda: a.work(10, 20))
    _lose(net, a)


@scene(NOBODY, also_if_cut={LEASE: "likely"})
def renewed_on_other_connection(net):
    """A client with two connections renews on the one that the capture does not show."""
    srv, a, b = pair(net)
    a.mount().work()
    b.address, b.host, b.owner, b.boot_ns = "198.51.100.31", a.host, a.owner, a.boot_ns
    b.connect()
    b.id, b.session, b.seqs = a.id, a.session, a.seqs
    _unseen(net, lambda: b.work(10, 20))
    _lose(net, a)


@scene(NOBODY, also_if_cut={"nfs4-client-expired": "certain"})
def reboot_not_captured_whole(net):
    """A client crashes and comes back; the capture lacks its CREATE_SESSION. Later an administrator
    expires it, once: nobody collides."""
    srv = Server(net)
    c = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    net.wait(60)
    c.boot_ns = net.now - 20 * SECOND
    c.sport = 911
    c.connect()
    c.exchange_id()
    _unseen(net, c.create_session)
    c.reclaim_complete()
    c.work(5)
    _lose(net, c)
    c.work(5)


@scene(None)
def unmounted_in_flight(net):
    """An automounter unmounts again and again while a call is under way on a second connection: it
    is answered BADSESSION, as the client destroyed the session itself."""
    srv = Server(net)
    c = Client(net, srv, "192.0.2.31", "web-01")
    for _ in range(5):
        c.mount().work()
        second = Connection(net, c.address, 933, srv.address).open()
        call = [ops.sequence(c.session, 9, 3).fails(ops.BADSESSION)]
        sent, xid = c.call_bytes(call), c._xid
        second.send(0, sent)
        step = ops.destroy_session(c.session)
        c.conn.send(0, c.call_bytes([step]))
        second.send(1, c.reply_bytes(call, xid=xid))
        c.conn.send(1, c.reply_bytes([step]))
        c.compound(ops.destroy_clientid(c.id))
        c.conn.close()
        second.close()
        net.wait(40)


@scene(None)
def mounted_again_later(net):
    """A client unmounts, and mounts again an hour later; its first CREATE_SESSION comes too late
    for the client ID that it was just given and is repeated: no state was lost."""
    srv = Server(net)
    c = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    c.destroy_session()
    c.compound(ops.destroy_clientid(c.id))
    c.conn.close()
    net.wait(3600)
    c.connect(922)
    c.exchange_id()
    c.create_session(status=ops.STALE_CLIENTID)
    c.exchange_id()
    c.create_session()
    c.reclaim_complete()
    c.work()


@scene([SESSION_ONLY, LOOP, None], also_if_cut={COLLISION: "possible", LEASE: "likely"})
def introduced_without_need(net):
    """The server drops sessions, the client's CREATE_SESSION is answered SEQ_MISORDERED, and its
    EXCHANGE_ID gives it back the client ID that it had: that was never lost."""
    srv = Server(net)
    c = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    for pause in 1, 1, 200, 1:
        net.wait(pause)
        c.refused_call()
        c.destroy_session(status=ops.BADSESSION)
        c.create_session(status=SEQ_MISORDERED)
        c.exchange_id(confirmed=True)
        c.create_session()
        c.work()


@scene([*NOBODY, "nfs4-backchannel-down"], also_if_cut={"nfs4-backchannel-down": "certain"})
def renewed_while_callbacks_fail(net):
    """A 4.0 client behind a packet filter: RENEW is answered CB_PATH_DOWN, which renews the lease.
    After 200 s an administrator expires it."""
    srv = Server(net)
    c = Client(net, srv, "192.0.2.31", "web-01", minor=0).mount0().work0()
    for _ in range(4):
        net.wait(50)
        c.renew(status=CB_PATH_DOWN)
    c.renew(status=ops.EXPIRED)
    c.setclientid()
    c.work0()


@scene([LEASE, None], confidence_max="possible")
def lease_of_two_minutes_not_told(net):
    """The capture does not tell the lease, which is 120 s (a FreeBSD server); the client was silent
    for 100 s when an administrator expired it."""
    srv, a, b = pair(net, layout="opaque", lease_s=120)
    a.mount(lease=False).work()
    net.wait(100)
    _lose(net, a)


@scene([None, LOOP], also_if_cut={RESTART: "certain", COLLISION: "likely"})
def several_servers_behind_one_address(net):
    """A load balancer sends each new connection to one of two servers, which do not share their
    clients: the client loses its state each time, and no server restarts."""
    srv = Server(net)
    c = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    boots = [(srv.boot_s, srv.salt), (srv.boot_s - 86400, 0x11AA0000)]
    for i in range(1, 6):
        c.conn.reset()
        srv.boot_s, srv.salt = boots[i % 2]
        net.wait(5)
        c.connect(801 + i)
        _lose(net, c)


@scene(RESTART)
def failover_to_running_server(net):
    """The address moves to a node whose NFS service was started days before; clients reclaim."""
    srv, a, b = pair(net)
    for c in a, b:
        c.mount().work()
        c.open()
        c.conn.reset()
    srv.boot_s, srv.salt = srv.boot_s - 200_000, 0x22BB0000
    net.wait(4)
    for c in a, b:
        c.connect(c.sport + 1)
        c.refused_call()
        c.recover()
        c.open(reclaim=True)
        c.reclaim_complete()
        c.work()


@scene([ADMIN, LOOP])
def admin_expired_on_busy_server(net):
    """An administrator expires a client once an hour, while other hosts that the client's own
    capture does not show mount all the time: the server's numbers go on for innocent reasons."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    for k in range(5):
        for _ in range(60):
            net.wait(60)
            a.sequence()
        srv.serial += 3 + k * k % 7
        _lose(net, a)


@scene([ADMIN, LOOP], also_if_cut={COLLISION: "likely"})
def admin_expired_beside_mounts(net):
    """The same, a minute apart, with the other hosts in sight: everybody is accounted for."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    for k in range(5):
        other = Client(net, srv, f"192.0.2.{40 + k}", f"batch-{k}", sport=901 + k)
        a.work(3, 10)
        other.mount().work()
        a.work(3, 10)
        _lose(net, a)


@scene([LOOP, None])
def server_drops_everybody(net):
    """A server that is no Linux nfsd drops three clients of different names again and again while
    their connections stay up: that is no collision of names."""
    srv = Server(net, layout="opaque")
    cs = [Client(net, srv, f"192.0.2.{40 + k}", f"batch-{k}", sport=901 + k) for k in range(3)]
    for c in cs:
        c.mount().work()
    for _ in range(4):
        net.wait(20)
        for c in cs:
            _lose(net, c)


@scene(COLLISION)
def collision_reclaims_accepted(net):
    """Two machines with one host name at a server that accepts reclaims at any time: no restart."""
    srv = Server(net, layout="opaque")
    a = Client(net, srv, "192.0.2.31", "app", sport=801).mount().work()
    b = Client(net, srv, "192.0.2.32", "app", sport=922).mount().work()
    for _ in range(5):
        for c in a, b:
            c.refused_call()
            c.recover()
            c.open(reclaim=True)
            c.reclaim_complete()
            c.work(2, 0.1)


@scene([COLLISION, RESTART], found=[COLLISION], also_if_cut={RESTART: "certain"})
def restart_amid_collision(net):
    """Two machines with one host name; the server restarts in between, and it goes on."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "app", sport=801)
    b = Client(net, srv, "192.0.2.32", "app", sport=922)
    _fight(net, a, b, 3)
    srv.restart()
    for c in a, b:
        c.conn.reset()
        c.connect(c.sport + 1)
    for _ in range(3):
        for c in a, b:
            _lose(net, c)


class Ganesha(Server):
    """Client IDs of nfs-ganesha: start time and counter as one number; the session ID has it in the
    byte order of the machine."""

    def clientid(self):
        self.serial += 1
        return struct.pack(">II", self.boot_s, self.serial)

    def sessionid(self, clientid):
        return clientid[::-1] + struct.pack("<Q", self.net.number() % 5000)


def _ganesha(net):
    srv = Ganesha(net)
    return (
        srv,
        Client(net, srv, "192.0.2.31", "web-01", sport=801),
        Client(net, srv, "192.0.2.32", "web-02", sport=922),
    )


@scene(COLLISION)
def collision_ganesha(net):
    """Two machines with one host name at nfs-ganesha."""
    srv, a, b = _ganesha(net)
    b.host, b.owner = a.host, a.owner
    _fight(net, a, b)


@scene(LEASE)
def lease_expired_many(net):
    """A switch is down for 200 s: forty clients lose their leases, one after the other as they come
    back. That is one incident."""
    srv = Server(net)
    cs = [Client(net, srv, f"192.0.2.{100 + k}", f"node-{k}", sport=701 + k) for k in range(40)]
    for c in cs:
        c.mount().work(1, 0.01)
    net.wait(200)
    for c in cs:
        _lose(net, c)
        net.wait(0.3)


@scene(IN_USE, also=[ADMIN])
def in_use_beside_expiry(net):
    """Another machine with the same host name and another principal is refused; the first one is
    expired once by the administrator. The server never took one for the other."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "app", sport=801).mount().work()
    b = Client(net, srv, "192.0.2.32", "app", sport=922, uid=1500).connect()
    b.exchange_id(status=ops.CLID_INUSE)
    b.conn.close()
    a.work(5)
    _lose(net, a)


@scene(None, also_if_cut={"nfs4-clientid-in-use": "likely"})
def in_use_then_other_name(net):
    """An old 4.0 client is answered CLID_INUSE twice, counts its uniquifier up, and is accepted."""
    srv = Server(net)
    c = Client(net, srv, "192.0.2.31", "web-01", minor=0).connect()
    c.owner = "192.0.2.31/192.0.2.10 tcp UNIX 0"
    body = ops.opaque("tcp") + ops.opaque("192.0.2.31.180.17")
    for _ in range(2):
        c.setclientid(ops.CLID_INUSE, body)
        net.wait(91)
    c.owner = "192.0.2.31/192.0.2.10 tcp UNIX 1"
    c.setclientid()
    c.work0(8)


@scene(COLLISION)
def collision_at_two_addresses(net):
    """Two machines with one host name mount one server by two of its addresses."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "app", sport=801)
    b = Client(net, srv, "192.0.2.32", "app", sport=922)
    a.mount().work()
    srv.address = "198.51.100.10"
    b.mount().work()
    for _ in range(6):
        for c in a, b:
            _lose(net, c)


@scene([None, COLLISION], confidence_max="likely")
def snapshot_reverted(net):
    """A virtual machine reboots and is then put back to a snapshot of before: the old instance
    comes back once."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "app", sport=801).mount().work()
    b = Client(net, srv, "192.0.2.31", "app", sport=922, boot_ns=net.now - SECOND).mount().work(5)
    b.conn.close()
    a.connect(933)
    _lose(net, a)
    a.work(5)


@scene([None, LEASE, LOOP], also_if_cut={COLLISION: "possible"}, confidence_max="likely")
def refused_at_the_end(net):
    """A client is silent for 200 s and refused; there the capture ends. Whether the lease ran out
    or the server restarted is not in it."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    net.wait(200)
    a.refused_call()


@scene(None)
def crashed_three_times(net):
    """A client crashes three times and comes back from the same port, while others work."""
    srv, a, b = pair(net)
    b.mount().work()
    for _ in range(4):
        a.mount().work()
        net.wait(50)
        b.work(2)
        a.boot_ns = net.now - SECOND


@scene(RESTART, also_if_cut={RESTART: "certain"})
def restart_at_two_addresses(net):
    """A server with two addresses restarts: the clients of both come back. One restart."""
    srv, a, b = pair(net)
    a.mount().work()
    srv.address = "198.51.100.10"
    b.mount().work()
    for c in a, b:
        c.conn.reset()
    net.wait(3)
    srv.restart()
    for c, address in (a, "192.0.2.10"), (b, "198.51.100.10"):
        srv.address = address
        c.connect(c.sport + 1)
        _lose(net, c)
