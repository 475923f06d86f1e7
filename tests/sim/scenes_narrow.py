# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers that take long because of what they are carried over, or who takes them."""
from . import ops
from .build import SECOND, Client, Server
from .packet import ACK, PSH
from .scene import scene

KIB = 1024
SEGMENT_BYTES = 1448


def _reads(client, count, size, first=0):
    """Calls to READ, one on each slot: [(call, reply)]."""
    made = []
    for slot in range(first, first + count):
        client.seqs[slot] = client.seqs.get(slot, 0) + 1
        steps = (
            ops.sequence(client.session, client.seqs[slot], slot, client.server.slots),
            ops.putfh(b"file-handle-0007"),
            ops.read(client.stateid, b"\x55" * size, slot * size),
        )
        made.append((client.call_bytes(steps), client.reply_bytes(steps)))
    return made


def _ask(client, reads):
    for call, _ in reads:
        client.conn._send(0, ACK | PSH, call)
        client.net.now += 20_000
    client.conn.acknowledge(1)


def _answer(client, reply, bytes_per_s, begin=0, end=None):
    """A reply, or a part of it, as fast as the way is wide."""
    net, conn = client.net, client.conn
    for at in range(begin, end or len(reply), SEGMENT_BYTES):
        part = reply[at : min(at + SEGMENT_BYTES, end or len(reply))]
        net.now += len(part) * SECOND // bytes_per_s
        conn._send(1, ACK | PSH, part)
        conn.acknowledge(0)


@scene(None)
def reads_over_a_narrow_way(net):
    """A backup reads ahead over a way of 2.5 KB/s: sixteen calls wait, the last for 50 s, while their
    answers come one behind the other without a pause. Nobody is slow but the way."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    reads = _reads(a, 16, 8 * KIB)
    _ask(a, reads)
    for _, reply in reads:
        _answer(a, reply, 2_500)
    a.work()
    a.conn.close()


@scene("rpc-server-slow")
def reads_that_are_answered_late(net):
    """The twin: the way is as narrow, and the server thinks for 20 s before each of three answers."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    reads = _reads(a, 3, 8 * KIB)
    _ask(a, reads)
    for _, reply in reads:
        net.wait(20)
        _answer(a, reply, 2_500)
    a.work()
    a.conn.close()


@scene(None)
def client_does_not_read(net):
    """A client closes its window in the middle of an answer and opens it after 40 s: until then the
    server asks whether it may send. The answer was ready all the time."""
    srv = Server(net)
    a = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    reads = _reads(a, 1, 32 * KIB)
    _ask(a, reads)
    reply = reads[0][1]
    half = 8 * SEGMENT_BYTES
    _answer(a, reply, 100_000_000, end=half)
    for _ in range(8):
        net.packets[-1].window = 0
        net.wait(5)
        a.conn.keep_alive(1)
        a.conn.acknowledge(0)
    a.conn.acknowledge(0)
    _answer(a, reply, 100_000_000, begin=half)
    a.work()
    a.conn.close()


@scene(None)
def slots_full_over_a_narrow_way(net):
    """Four slots of 64 that were asked for are in use all the time, by reads whose answers fill the
    way: more slots would let more calls wait behind each other."""
    srv = Server(net, slots=4)
    a = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    waiting = _reads(a, 4, 2 * KIB)
    _ask(a, waiting)
    for i in range(110):
        _, reply = waiting.pop(0)
        for at in range(0, len(reply), SEGMENT_BYTES):
            net.now += SEGMENT_BYTES * SECOND // 24_000
            a.conn._send(1, ACK | PSH, reply[at : at + SEGMENT_BYTES])
            a.conn.acknowledge(0)
        waiting += _reads(a, 1, 2 * KIB, first=i % 4)
        a.conn._send(0, ACK | PSH, waiting[-1][0])
    for _, reply in waiting:
        _answer(a, reply, 24_000)
    a.work()
    a.conn.close()
