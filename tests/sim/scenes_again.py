# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls that are sent again on the next connection, after the first one broke."""
from .build import Connection
from .scene import scene
from .scenes_nlm import CLIENT, SERVER, exchange, lock_call, lock_reply

NLM_PORT = 2052


def lock_on_broken_connection(net, xid):
    """A lock that was granted, then one whose connection is reset before the answer."""
    conn = Connection(net, CLIENT, 740, SERVER, NLM_PORT).open()
    exchange(conn, lock_call(xid - 1), lock_reply(xid - 1), 0.002)
    net.wait(2)
    conn.send(0, lock_call(xid))
    conn.acknowledge(1)
    net.wait(0.02)
    conn.reset()
    net.wait(0.3)


@scene(None)
def again_on_next_connection(net):
    """A connection is reset with a call on it; the client sends it again on the next: one call."""
    xid = net.number()
    lock_on_broken_connection(net, xid)
    conn = Connection(net, CLIENT, 741, SERVER, NLM_PORT).open()
    exchange(conn, lock_call(xid), lock_reply(xid), 0.004)
    net.wait(1)
    conn.close()


@scene(None)
def again_from_same_port(net):
    """The same, and the new connection uses the source port of the old one."""
    xid = net.number()
    lock_on_broken_connection(net, xid)
    conn = Connection(net, CLIENT, 740, SERVER, NLM_PORT).open()
    exchange(conn, lock_call(xid), lock_reply(xid), 0.004)
    net.wait(1)
    conn.close()


@scene(None)
def other_call_on_next_connection(net):
    """The twin: what comes on the next connection is another call with the same XID."""
    xid = net.number()
    lock_on_broken_connection(net, xid)
    conn = Connection(net, CLIENT, 741, SERVER, NLM_PORT).open()
    exchange(conn, lock_call(xid).replace(b"handle-of-a-file", b"handle-of-others"),
             lock_reply(xid), 0.004)
    net.wait(1)
    conn.close()
