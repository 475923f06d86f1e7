# SPDX-License-Identifier: GPL-2.0-or-later
"""The client's own timers: too short for the server, or run out before a call was sent."""
import datetime

from . import ops
from .build import SECOND, Connection
from .scene import scene
from .scenes_nlm import CLIENT, SERVER, call, getport, lock_call, lock_reply, locks, reply

NFS, GETATTR = 100003, 1
NLM_PORT = 2052


def mounted(net, options):
    """The client tells its mount."""
    net.texts["nfsstat-m.txt"] = (
        f"/mnt/data from {SERVER}:/data\n"
        f" Flags:\trw,relatime,vers=3,rsize=65536,wsize=65536,{options},sec=sys,"
        f"mountaddr={SERVER},mountvers=3,mountproto=tcp,local_lock=none,addr={SERVER}\n"
    )


def logged(net, text):
    """A line in the client's kernel log, now."""
    at = datetime.datetime.fromtimestamp(net.now / SECOND, datetime.timezone.utc)
    stamp = at.strftime("%Y-%m-%dT%H:%M:%S,%f+00:00")
    net.texts["dmesg.txt"] = net.texts.get("dmesg.txt", "") + f"{stamp} {text}\n"


def getattr_call(xid):
    return call(xid, NFS, 3, GETATTR, ops.opaque(b"handle-of-a-file"))


def getattr_reply(xid):
    attributes = ops.u32(1, 0o644, 1, 0, 0) + bytes(64)
    return reply(xid, ops.u32(0) + attributes)


def read_slowly(net, conn, answer_s, timer_s=None):
    """GETATTR, answered after a while; the timer sends it again before, and it is answered twice."""
    xid = net.number()
    conn.send(0, getattr_call(xid))
    conn.acknowledge(1)
    again = timer_s is not None and timer_s < answer_s
    if again:
        net.wait(timer_s)
        conn.send(0, getattr_call(xid))
        conn.acknowledge(1)
    net.wait(answer_s - (timer_s if again else 0))
    for _ in range(1 + again):
        conn.send(1, getattr_reply(xid))
        conn.acknowledge(0)


def work(net, answers, timer_s):
    conn = Connection(net, CLIENT, 801, SERVER).open()
    for i in range(60):
        read_slowly(net, conn, answers[i % len(answers)], timer_s)
        net.wait(0.8)


@scene("rpc-timeout-too-small", texts=["nfsstat-m.txt"])
def timeout_too_small(net):
    """timeo=15: a server that takes 1.8 s for every third answer gets these calls twice."""
    mounted(net, "hard,proto=tcp,timeo=15,retrans=2")
    work(net, (0.02, 1.8, 0.3), 1.55)


@scene("rpc-timeout-too-small", found=["rpc-retransmission"], confidence_max="likely")
def timeout_too_small_not_told(net):
    """The same, and nobody tells the mount's options: the wire alone shows the timer."""
    work(net, (0.02, 2.9, 0.3), 2.52)


@scene(None, texts=["nfsstat-m.txt"])
def timeout_large_enough(net):
    """The twin: the same server and the default timeo: slow answers, and nothing is sent again."""
    mounted(net, "hard,proto=tcp,timeo=600,retrans=2")
    work(net, (0.02, 1.8, 0.3), 60)


@scene([None, "rpc-retransmission"], texts=["nfsstat-m.txt"])
def timeout_small_server_hung_once(net):
    """The twin: timeo=15, and a good server that hung for 2 s, once, while twelve calls waited."""
    mounted(net, "hard,proto=tcp,timeo=15,retrans=2")
    conn = Connection(net, CLIENT, 801, SERVER).open()
    for _ in range(30):
        read_slowly(net, conn, 0.02)
        net.wait(1)
    xids = [net.number() for _ in range(12)]
    for round_s in (1.55, 0.5):
        for xid in xids:
            conn.send(0, getattr_call(xid))
        conn.acknowledge(1)
        net.wait(round_s)
        if round_s < 1:
            break
    for xid in xids:
        conn.send(1, getattr_reply(xid))
    conn.acknowledge(0)
    for _ in range(30):
        read_slowly(net, conn, 0.02)
        net.wait(1)


def lock_connection(net):
    """The port is asked for, and a lock is taken and given: all is well with the connection."""
    getport(net, 33290)
    conn = Connection(net, CLIENT, 811, SERVER, NLM_PORT).open()
    locks(net, conn)
    return conn


@scene("rpc-not-sent", found=["rpc-not-responding"], confidence_max="likely", texts=["dmesg.txt"])
def not_sent(net):
    """lockd complains of a lock that waited inside of the client: its connection is idle and open."""
    conn = lock_connection(net)
    net.wait(90)
    logged(net, f"lockd: server {SERVER} not responding, still trying")
    net.wait(4)
    locks(net, conn)
    logged(net, f"lockd: server {SERVER} OK")
    net.wait(5)


@scene("rpc-server-slow", found=["rpc-not-responding"], confidence_max="likely", texts=["dmesg.txt"])
def not_sent_but_waiting(net):
    """The twin: the lock call is on the wire, acknowledged by TCP, and answered after 66 s."""
    conn = lock_connection(net)
    net.wait(20)
    xid = net.number()
    for wait_s in (10.1, 20.2, 30.1):
        conn.send(0, lock_call(xid))
        conn.acknowledge(1)
        net.wait(wait_s)
    logged(net, f"lockd: server {SERVER} not responding, still trying")
    net.wait(6)
    conn.send(1, lock_reply(xid))
    conn.acknowledge(0)
    logged(net, f"lockd: server {SERVER} OK")
    net.wait(5)


@scene("rpc-not-responding", texts=["dmesg.txt"])
def not_sent_not_captured(net):
    """The twin: the capture begins half a minute before the complaint: it cannot show the call."""
    conn = lock_connection(net)
    net.wait(30)
    logged(net, f"lockd: server {SERVER} not responding, still trying")
    net.wait(4)
    locks(net, conn)
    logged(net, f"lockd: server {SERVER} OK")
    net.wait(5)


def asked_in_vain(net):
    """A GETATTR is answered, the next one is acknowledged by TCP and not answered."""
    conn = Connection(net, CLIENT, 801, SERVER).open()
    read_slowly(net, conn, 0.02)
    net.wait(3)
    conn.send(0, getattr_call(net.number()))
    conn.acknowledge(1)
    return conn


@scene("rpc-server-silent")
def silent_until_killed(net):
    """The program is killed after 75 s of waiting; the server closes then, too, without an answer."""
    conn = asked_in_vain(net)
    net.wait(75)
    conn.finish(0)
    net.wait(1)
    conn.finish(1)


@scene("rpc-server-silent")
def silent_until_reset(net):
    """The client gives up after 130 s with a RST; its keep-alives were answered."""
    conn = asked_in_vain(net)
    for _ in range(2):
        net.wait(60)
        conn.keep_alive(0)
        conn.acknowledge(1)
    net.wait(10)
    conn.reset(0)


@scene(None)
def silent_and_closed_soon(net):
    """The twin: the client closes after 8 s without an answer, which is no long wait."""
    conn = asked_in_vain(net)
    net.wait(8)
    conn.finish(0)
    conn.finish(1)
    net.wait(90)


@scene(None)
def silent_and_closed_by_server(net):
    """The twin: it is the server that closes the connection, after 75 s; the call is not sent again."""
    conn = asked_in_vain(net)
    net.wait(75)
    conn.finish(1)
    conn.finish(0)
    net.wait(2)


@scene(None)
def silent_and_perhaps_gone(net):
    """The twin: three keep-alives of the client get no answer, and it gives up: is the host there?"""
    conn = asked_in_vain(net)
    for _ in range(3):
        net.wait(60)
        conn.keep_alive(0)
    net.wait(60)
    conn.reset(0)
