# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenes about answers that come late: made late, or made in time and held back on their way."""
from . import ops
from .build import Client, Server
from .ends import AT_CLIENT, AT_SERVER, Ends
from .scene import scene

STEPS = (ops.putfh(b"file-handle-0007"), ops.access(), ops.getattr_size())


def _client(net):
    return Client(net, Server(net), "192.0.2.31", "web-01", sport=990).mount().work()


def _call(c, slot):
    """The steps of a call on this slot, which is sent and not acknowledged yet."""
    c.seqs[slot] = c.seqs.get(slot, 0) + 1
    steps = (ops.sequence(c.session, c.seqs[slot], slot), *STEPS)
    c.conn.send(0, c.call_bytes(steps))
    return steps, c._xid


def _held_answers(net, seconds, hold=None):
    """Every answer leaves at once and is held back; the bare ACKs of the server are not."""
    c = _client(net)
    hold = hold or c.conn.hold_last
    for _ in range(4):
        steps, xid = _call(c, 0)
        net.wait(0.002)
        c.conn.send(1, c.reply_bytes(steps, xid))
        hold(1, seconds)
        net.wait(0.2)
        c.conn.acknowledge(1)
        net.wait(seconds)
        c.conn.acknowledge(0)
    c.work()


@scene("tcp-delivery-delayed")
def delivery_delayed(net):
    """A queue holds the server's answers back for 24 s, but not its bare acknowledgements. They
    show by their numbers and timestamps that each answer had been sent at once."""
    _held_answers(net, 24)


@scene(None)
def delivery_delayed_little(net):
    """The twin: the same, for 2 s. A slow path, and nobody complains."""
    _held_answers(net, 2)


@scene("tcp-delivery-delayed")
def delivery_overtaken(net):
    """One answer of two is held back for 20 s: the other one overtakes it and waits for it."""
    c = _client(net)
    first, xid = _call(c, 0)
    net.wait(0.002)
    c.conn.send(1, c.reply_bytes(first, xid))
    c.conn.hold_last(1, 20)
    net.wait(1)
    second, xid = _call(c, 1)
    net.wait(0.002)
    c.conn.send(1, c.reply_bytes(second, xid))
    net.wait(25)
    c.conn.acknowledge(0)
    c.work()


@scene("rpc-server-slow")
def delivery_in_time_made_late(net):
    """The twin: the server acknowledges each call at once and answers it 24 s later; what it says
    meanwhile still has the number before the answer."""
    c = _client(net)
    for _ in range(4):
        steps, xid = _call(c, 0)
        net.wait(0.2)
        c.conn.acknowledge(1)
        net.wait(20)
        c.conn.acknowledge(1)  # to a probe
        net.wait(4)
        c.conn.send(1, c.reply_bytes(steps, xid))
        c.conn.acknowledge(0)
        net.wait(0.3)
    c.work()


ENDS = (AT_CLIENT, AT_SERVER)


@scene("tcp-delivery-delayed", captures=ENDS)
def delivery_delayed_between(net):
    """The server's capture shows each answer at once, the client's shows it 24 s later: it waits between
    the two."""
    ends = Ends(net)
    _held_answers(net, 24, ends.hold)


@scene("tcp-delivery-delayed", captures=ENDS)
def delivery_delayed_before(net):
    """Both captures show each answer 24 s after it was made: it waits below TCP of the server."""
    ends = Ends(net)
    _held_answers(net, 24, lambda side, s: ends.hold(side, s, at_sender=True))


@scene("tcp-delivery-delayed", captures=ENDS)
def delivery_delayed_on_the_way_there(net):
    """Calls wait for 12 s between the client's capture and the server's, which speaks: it shows more
    clients, and answers at once."""
    ends, srv = Ends(net), Server(net)
    a = Client(net, srv, "192.0.2.31", "web-01", sport=990).mount().work()
    _held_calls(net, ends, a, 12)
    others = Client(net, srv, "192.0.2.32", "web-02", sport=991).mount()
    ends.seen_by_server_only.add("192.0.2.32")
    others.work()
    a.work()


def _held_calls(net, ends, c, seconds):
    for _ in range(4):
        steps, xid = _call(c, 0)
        ends.hold(0, seconds)
        net.wait(seconds + 0.002)
        c.conn.send(1, c.reply_bytes(steps, xid))
        c.conn.acknowledge(0)
        net.wait(0.2)


@scene(None, captures=ENDS)
def delivery_delayed_little_between(net):
    """The twin: the same between two captures, for 2 s."""
    ends = Ends(net)
    _held_answers(net, 2, ends.hold)


@scene(None, captures=ENDS)
def delivery_in_time_clock_set(net):
    """The twin: nothing waits; the server's clock is set 24 s ahead in between."""
    ends = Ends(net)
    c = _client(net)
    c.work(4)
    ends.set_clock(24)
    c.work(4)
