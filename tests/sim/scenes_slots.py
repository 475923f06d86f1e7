# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenes about the slots of a session: out of step, taken for repetitions, too few."""
from . import ops
from .build import Client, Server
from .scene import scene

STEP, RETRY, FEW = "nfs4-slot-out-of-step", "nfs4-false-retry", "nfs4-slots-exhausted"


def _probe(c, slot, number, status=ops.OK):
    """A lone SEQUENCE under this number."""
    step = ops.sequence(c.session, number, slot, c.server.slots)
    return c.compound(step.fails(status) if status else step)


def _start(c, slot):
    """A call on this slot, without its answer."""
    c.seqs[slot] = c.seqs.get(slot, 0) + 1
    steps = [
        ops.sequence(c.session, c.seqs[slot], slot, c.server.slots),
        ops.putfh(b"file-handle-0007"), ops.access(), ops.getattr_size(),
    ]  # fmt: skip
    c.conn.send(0, c.call_bytes(steps))
    return steps, c._xid


def _answer(c, call):
    steps, xid = call
    c.conn.send(1, c.reply_bytes(steps, xid=xid))


@scene(STEP)
def slot_out_of_step(net):
    """A server was taken over by its other node with the sessions but not all of their slots: what
    the client sends on slot 0 is answered SEQ_MISORDERED every 15 s, slot 1 works."""
    srv = Server(net)
    c = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    c.sequence(ops.putfh(b"file-handle-0007"), ops.getattr_size(), slot=1)
    for _ in range(6):
        c.sequence(ops.putfh(b"file-handle-0007"), status=ops.SEQ_MISORDERED)
        for _ in range(3):
            net.wait(5)
            c.sequence(ops.putfh(b"file-handle-0007"), ops.getattr_size(), slot=1)


@scene(None)
def interrupted_calls_counted_down(net):
    """A program was killed with twelve calls in work that never reached the server. The client
    counts down with lone SEQUENCEs, slowly, until the server takes one; that is the protocol."""
    srv = Server(net)
    c = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    taken = c.seqs[0]
    for number in range(taken + 12, taken + 1, -1):
        _probe(c, 0, number, ops.SEQ_MISORDERED)
        net.wait(4)
    _probe(c, 0, taken + 1)
    c.seqs[0] = taken + 1
    c.work(5)


@scene(None)
def misordered_once_and_again(net):
    """A call is answered SEQ_MISORDERED as the one before it is still in work; 15 s later it is
    taken."""
    srv = Server(net)
    c = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    for _ in range(2):
        c.sequence(ops.putfh(b"file-handle-0007"), status=ops.SEQ_MISORDERED)
        net.wait(15)
        c.work(2)


@scene(RETRY)
def false_retries(net):
    """An old client uses the number of each interrupted call again: the server has it already, with
    other operations."""
    srv = Server(net)
    c = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    for _ in range(8):
        c.work(1)
        c.seqs[0] -= 1
        c.sequence(ops.putfh(b"file-handle-0009"), status=ops.SEQ_FALSE_RETRY)
        net.wait(5)
        c.seqs[0] += 1


@scene(None)
def false_retry_once(net):
    """A program is killed once, and the number of its call used again: the client takes the next
    one."""
    srv = Server(net)
    c = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    c.seqs[0] -= 1
    c.sequence(ops.putfh(b"file-handle-0009"), status=ops.SEQ_FALSE_RETRY)
    c.seqs[0] += 1
    c.work(20, 2)


def _crowd(net, think_s, slots):
    """Three calls in work at any time for 15 s; each next one comes after think_s."""
    srv = Server(net, slots=slots)
    c = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    pending = []
    for slot in range(3):
        pending.append(_start(c, slot))
        net.wait(0.03)
    for k in range(180):
        net.wait(0.08 - think_s)
        _answer(c, pending.pop(0))
        net.wait(think_s)
        pending.append(_start(c, k % 3))
    for call in pending:
        _answer(c, call)


@scene(FEW, confidence_max="likely")
def slots_too_few(net):
    """The client asked for 64 slots and got three; all are in use, and the next call begins at
    once where one becomes free."""
    _crowd(net, 0, slots=3)


@scene(None)
def slots_as_many_as_programs(net):
    """Three slots, and three programs that think for a while between their calls: nobody waits."""
    _crowd(net, 0.02, slots=3)


@scene(None)
def slots_enough(net):
    """The same load with all the slots that the client asked for."""
    _crowd(net, 0, slots=64)


def _put_off(net, times):
    """A call on slot 1 gets no answer for a minute while the others do. The client connects anew,
    sends it again, and is answered DELAY."""
    srv = Server(net)
    c = Client(net, srv, "192.0.2.31", "web-01").mount().work()
    steps, xid = _start(c, 1)
    c.conn.acknowledge(1)
    for _ in range(20):
        c.work(1, 3)
    c.conn.close()
    c.connect(sport=888)
    again = c.call_bytes(steps, xid)
    for _ in range(times):
        c.conn.send(0, again)
        c.conn.send(1, c.reply_bytes([steps[0].fails(ops.DELAY), *steps[1:]], xid))
        c.conn.acknowledge(0)
        c.work(1, 5)
        again = c.call_bytes(steps)
        xid = c._xid
    c.conn.send(0, again)
    return c, (steps, xid)


@scene("nfs4-delay-loop", also=["rpc-server-silent"])
def slot_put_off_after_a_dropped_call(net):
    """A server drops a call without giving its slot free: what comes on this slot is answered DELAY
    for ever."""
    _put_off(net, 30)


@scene(["rpc-server-silent", None])
def slot_put_off_until_its_call_is_done(net):
    """The twin: the server is at the call for a minute and a half, as its answer to the copy on the
    next connection shows. Its slot is no fault of its own."""
    c, call = _put_off(net, 8)
    _answer(c, call)
    c.conn.acknowledge(0)
    c.work(4, 5)
