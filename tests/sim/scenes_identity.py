# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenes about who a client is: owners, verifiers, principals, addresses."""
from . import ops
from .build import SECOND, Client, Server
from .scene import pair, scene
from .scenes_timers import logged

COLLISION, IN_USE = "nfs4-client-owner-collision", "nfs4-clientid-in-use"


def _same_host(net, minors=(1, 1), address="192.0.2.32", **server):
    srv = Server(net, **server)
    a = Client(net, srv, "192.0.2.31", "app", minor=minors[0], sport=801)
    b = Client(net, srv, address, "app", minor=minors[1], sport=922)
    b.boot_ns = a.boot_ns + 300 * SECOND
    return a, b


def _fight(net, a, b, rounds=6):
    """Each client's recovery throws the other one out."""
    a.mount().work()
    b.mount().work()
    for _ in range(rounds):
        for client in a, b:
            client.refused_call()
            client.recover().reclaim_complete()
            client.work(2, 0.1)
            net.wait(0.2)


@scene(COLLISION, found=["nfs4-session-reset-loop"])
def collision_nat(net):
    """Two machines with one host name behind one address (NAT) take the client ID from each other;
    two boot verifiers alternate."""
    a, b = _same_host(net, address="192.0.2.31")
    _fight(net, a, b)


@scene(COLLISION, found=["nfs4-clientid-mismatch"], texts=["dmesg.txt"])
def collision_and_the_server_complains(net):
    """Two machines with one host name; the server's log tells that one tests states of the other's
    client ID."""
    a, b = _same_host(net)
    _fight(net, a, b)
    for _ in range(2):
        logged(net, f"NFSD: client {a.address} testing state ID with incorrect client ID")
        net.wait(1)


@scene(COLLISION)
def collision_other_server(net):
    """Two machines with one host name, a server that is no Linux nfsd: its IDs tell nothing."""
    a, b = _same_host(net, layout="opaque")
    _fight(net, a, b)


@scene(COLLISION)
def collision_v40(net):
    """Two machines present one nfs_client_id4.id by SETCLIENTID (4.0), again and again; each makes
    the server forget the other."""
    a, b = _same_host(net, minors=(0, 0))
    for c in a, b:
        c.owner = "Linux NFSv4.0 app"
        c.mount0().work0()
    for _ in range(6):
        for c in a, b:
            c.renew(status=ops.EXPIRED)
            c.setclientid()
            c.work0(2, 0.1)
            net.wait(1)


@scene([None, COLLISION], confidence_max="possible")
def replaced_machine(net):
    """A machine was taken out of service and another with its host name took its place: the owner
    comes back with another verifier from another address, once; the first is never seen again."""
    a, b = _same_host(net)
    a.mount().work()
    a.conn.close()
    net.wait(30)
    b.mount().work(10)


@scene(None)
def same_host_other_minor(net):
    """One host name, one client on 4.1 and one on 4.2: the minor version is part of the owner, so
    they are two clients and nothing is wrong."""
    a, b = _same_host(net, minors=(1, 2))
    a.mount().work()
    b.mount().work()
    a.work(6)
    b.work(6)


@scene(None)
def client_reboot(net):
    """One machine reboots twice: the same owner with a later verifier each time."""
    srv = Server(net)
    c = Client(net, srv, "192.0.2.31", "web-01")
    for sport in 801, 913, 777:
        c.sport = sport
        c.mount().work()
        net.wait(70)
        c.boot_ns = net.now - 3 * SECOND


@scene(None)
def purge_verifier(net):
    """A client purges its lease: EXCHANGE_ID with the verifier ff..ff, then with its own again."""
    srv = Server(net)
    c = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    for _ in range(2):
        c.exchange_id(verifier=b"\xff" * 8)
        c.create_session()
        c.exchange_id()
        c.create_session()
        c.reclaim_complete()
        c.work()


@scene(None)
def multi_homed(net):
    """One client with two addresses (one verifier) uses one session over both."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "web-01", sport=801).mount().work()
    b = Client(net, srv, "198.51.100.31", "web-01", sport=922, boot_ns=a.boot_ns).connect()
    b.id, b.session = a.id, a.session
    b.exchange_id(confirmed=True)
    for _ in range(5):
        b.seqs = a.seqs
        b.work(1, 0.1)
        a.seqs = b.seqs
        a.work(1, 0.1)


@scene(None)
def nat(net):
    """Two clients with different names behind one address."""
    srv, a, b = pair(net)
    b.address = a.address
    a.mount().work()
    b.mount().work()
    a.work(5)
    b.work(5)


@scene(None)
def exchange_id_sent_again(net):
    """The answer to EXCHANGE_ID is lost with the connection; the client connects again and sends
    the same call once more, under the same XID."""
    srv = Server(net)
    c = Client(net, srv, "192.0.2.31", "web-01").connect()
    step = ops.exchange_id(c.owner, c.verifier, srv.clientid(), False, srv.name, "test server")
    c.compound(step, answered=False)
    net.wait(0.3)
    c.conn.retransmit_last(0)
    net.wait(5)
    c.conn.reset(0)
    c.connect()
    again = c.call_bytes([step], xid=c._xid)
    c.conn.send(0, again)
    c.conn.send(1, c.reply_bytes([step]))
    c.id = step.result[:8]
    c.create_session()
    c.reclaim_complete()
    c.work(8)


@scene(IN_USE)
def clientid_in_use_v41(net):
    """The same machine comes back with another principal (another uid): EXCHANGE_ID is answered
    CLID_INUSE until the administrator gives up; the first mount goes on working."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "web-01", sport=801).mount().work()
    b = Client(net, srv, "192.0.2.31", "web-01", sport=922, uid=1500, boot_ns=a.boot_ns).connect()
    for _ in range(5):
        b.exchange_id(status=ops.CLID_INUSE)
        a.work(2)
        net.wait(3)


@scene(IN_USE, also=[COLLISION])
def clientid_in_use_two_hosts(net):
    """Another machine with the same host name and another principal is refused with CLID_INUSE;
    the first one keeps its state."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "app", sport=801).mount().work()
    b = Client(net, srv, "192.0.2.32", "app", sport=922, uid=1500).connect()
    for _ in range(5):
        b.exchange_id(status=ops.CLID_INUSE)
        a.work(2)
        net.wait(3)


@scene(IN_USE)
def clientid_confirmed_from_another_address(net):
    """An address translation gives each connection of a client another address: a Linux nfsd takes
    EXCHANGE_ID from one and refuses CREATE_SESSION from the other."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "web-01", sport=801).mount().work()
    b = Client(net, srv, "192.0.2.32", "web-02", sport=922).connect()
    c = Client(net, srv, "192.0.2.33", "web-02", sport=923, boot_ns=b.boot_ns).connect()
    for _ in range(5):
        b.exchange_id()
        c.id = b.id
        c.create_session(status=ops.CLID_INUSE)
        a.work(2)
        net.wait(3)


@scene(IN_USE)
def clientid_in_use_v40(net):
    """SETCLIENTID (4.0) is answered CLID_INUSE, with the address that holds the client ID."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "web-01", minor=0, sport=801).mount0().work0()
    b = Client(net, srv, "192.0.2.31", "web-01", minor=0, sport=922, uid=1500, boot_ns=a.boot_ns)
    b.connect()
    for _ in range(5):
        b.setclientid(ops.CLID_INUSE, ops.opaque("tcp") + ops.opaque("192.0.2.31.180.17"))
        a.work0(2)
        net.wait(3)
