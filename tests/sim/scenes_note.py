# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenes of a user's note with the client's log beside the capture: what complained, and when."""
from .build import SECOND, Connection
from .scene import scene
from .scenes_nlm import (CLIENT, NLM_DENIED_NOLOCKS, SERVER, getport, icmp_host_unreachable, lock_call,
                         lock_reply, syn_ack_ignored)  # fmt: skip
from .scenes_timers import logged

STILL = f"lockd: server {SERVER} not responding, still trying"


def logged_after(net, start, seconds, text):
    """A line of the client's log, so long after `start`."""
    now = net.now
    net.now = start + round(seconds * SECOND)
    logged(net, text)
    net.now = now


@scene("tcp-synack-unacknowledged", found=["rpc-not-responding"], also=["portmap-unanswered"],
       confidence_max="likely", texts=["dmesg.txt"])  # fmt: skip
def incident2_synack_ignored_complaint(net):
    """19 June with its log: the client's SYNs to port 111 are answered, it takes no notice, and lockd
    complains 64 s after the first one."""
    getport(net, 33290)
    net.wait(30)
    start = net.now
    conn = Connection(net, CLIENT, 33306, SERVER, 111)
    syn_ack_ignored(conn, (1.02, 2.05, 4.03, 8.06, 16.13, 33.3))
    logged_after(net, start, 64.3, STILL)
    net.wait(3)


@scene(["net-unreachable", "tcp-syn-unanswered"], found=["tcp-syn-unanswered", "rpc-not-responding"],
       also=["rpc-server-slow", "nlm-denied-nolocks"], texts=["dmesg.txt"])  # fmt: skip
def incident2_link_down_complaint(net):
    """27 June with its log: the server's interface is down for 75 s, lockd complains after 61 s; the
    call gets through then, is sent again after 42 s, and answered late: DENIED_NOLOCKS."""
    getport(net, 33290)
    net.wait(2)
    start = net.now
    for waits in ((1.06, 2.05), (1.0, 2.0), (1.0, 2.0), (1.0, 2.0), (1.0, 2.0)):
        conn = Connection(net, CLIENT, 740, SERVER, 2052)
        syn_ack_ignored(conn, waits, answers=False)
        net.wait(7.1)
        icmp_host_unreachable(net, net.packets[-1])
        net.wait(3)
    logged_after(net, start, 61.3, STILL)
    net.wait(start / SECOND + 75.75 - net.now / SECOND)
    conn = Connection(net, CLIENT, 740, SERVER, 2052).open()
    xid = net.number()
    conn.send(0, lock_call(xid))
    conn.acknowledge(1)
    net.wait(41.98)
    conn.send(0, lock_call(xid))
    conn.acknowledge(1)
    net.wait(18.2)
    conn.send(1, lock_reply(xid, NLM_DENIED_NOLOCKS))
    conn.acknowledge(0)
    logged(net, f"lockd: server {SERVER} OK")
    net.wait(1)
