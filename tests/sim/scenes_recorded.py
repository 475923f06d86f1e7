# SPDX-License-Identifier: GPL-2.0-or-later
"""What is of the recording alone: its clock, its mirrors, and where it begins."""
from . import ops
from .build import MS, SECOND, Connection
from .scene import pair, scene
from .scenes_framing import NFS, working
from .scenes_lease import _idle, _lose
from .scenes_nlm import CLIENT, SERVER, call, exchange, reply

PORTMAP, GETPORT = 100000, 3


@scene(None)
def lease_expired_while_the_clock_was_set_back(net):
    """The silence of a lapsed lease, in which the clock of the capture is set back by an hour: how
    long it was the stamps do not tell, and the server's timestamps cannot, as nothing of it came."""
    srv, a, b = pair(net)
    a.mount().work()
    b.mount().work()
    net.wait(200)
    at = net.now
    _lose(net, a)
    b.sequence()

    def set_back(frames):
        for f in frames:
            f.t -= 3600 * SECOND if f.t >= at else 0
        return frames

    net.recorded = set_back


@scene(None)
def mirrored_on_both_sides_of_a_router(net):
    """A mirror shows each segment before and behind a router, 2 ms apart: of short connections, as
    those to the portmapper, the copy of the beginning comes after the end."""
    conn = working(net, 740, 2052)
    for sport in (41200, 41201, 41202):
        ask = Connection(net, CLIENT, sport, SERVER, 111).open(rtt_ns=200_000)
        xid = net.number()
        exchange(ask, call(xid, PORTMAP, 2, GETPORT, ops.u32(NFS, 3, 6, 0)),
                 reply(xid, ops.u32(2049)), 0.0001)
        ask.close()
        net.wait(1)
    conn.close()

    def twice(frames):
        later = [f.copy() for f in frames]
        for f in later:
            f.t += 2 * MS
        return sorted(frames + later, key=lambda f: f.t)

    net.recorded = twice


@scene(None)
def tls_is_joined(net):
    """RPC with TLS (RFC 9289) in a capture that begins when the server agrees: the client's question
    is not in it."""
    conn = Connection(net, CLIENT, 740, SERVER)
    answer = ops.u32(net.number(), 1, 0, 0) + ops.opaque(b"STARTTLS") + ops.u32(0)
    conn.send(1, ops.u32(0x80000000 | len(answer)) + answer)
    conn.acknowledge(0)
    for _ in range(8):
        conn.send(0, b"\x17\x03\x03\x01\x00" + b"\x33" * 256)
        conn.send(1, b"\x17\x03\x03\x00\x80" + b"\x44" * 128)
        net.wait(1)
    conn.close()


@scene(None)
def dropped_when_the_clock_was_set_ahead(net):
    """The clock of the capture is set ahead by an hour between two calls, and the server has dropped
    the client meanwhile: by its own timestamps after a second, by the stamps long after the lease."""
    srv, a, b = pair(net)
    a.mount().work(8)
    b.mount().work(8)
    a.work(8)
    net.wait(1)
    at = net.now
    _lose(net, a)
    b.work()

    def set_ahead(frames):
        for f in frames:
            f.t += 3600 * SECOND if f.t >= at else 0
        return frames

    net.recorded = set_ahead
