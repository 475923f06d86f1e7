# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenes for findings whose other cases have no near twin, and these twins."""
from .build import Connection
from .packet import ACK, SYN
from .scene import scene
from .scenes_identity import COLLISION, _fight, _same_host
from .scenes_nlm import CLIENT, SERVER, again, locks, syn_ack_ignored
from .scenes_timers import getattr_call, getattr_reply, lock_connection, logged, read_slowly

WAITS = (1.02, 2.05, 4.03, 8.06, 16.13, 33.3)


def worked_before(net):
    conn = Connection(net, CLIENT, 801, SERVER).open()
    for _ in range(3):
        read_slowly(net, conn, 0.02)
    conn.close()
    net.wait(30)


@scene("tcp-syn-unanswered")
def syn_unanswered(net):
    """A client unmounts and mounts again: nothing answers its SYNs for a minute."""
    worked_before(net)
    syn_ack_ignored(Connection(net, CLIENT, 801, SERVER), WAITS, answers=False)
    net.wait(3)


@scene(None)
def syn_lost_once(net):
    """The twin: one SYN is lost, the next one is answered, and the mount works."""
    worked_before(net)
    conn = Connection(net, CLIENT, 801, SERVER)
    conn._send(0, SYN)
    net.wait(1.02)
    again(conn, 0, SYN)
    conn._send(1, SYN | ACK, delay=200_000)
    conn._send(0, ACK, delay=400_000)
    net.wait(0.001)
    for _ in range(30):
        read_slowly(net, conn, 0.02)
        net.wait(2)


def working(net):
    logged(net, "e1000e 0000:00:1f.6 eno1: NIC Link is Up 1000 Mbps Full Duplex, Flow Control: None")
    net.wait(20)
    conn = Connection(net, CLIENT, 801, SERVER).open()
    for _ in range(10):
        read_slowly(net, conn, 0.02)
        net.wait(1)
    return conn


@scene(["host-link-down", "tcp-path-silent"], found=["host-link-down"], also=["tcp-path-silent"],
       texts=["dmesg.txt"])  # fmt: skip
def link_down_and_logged(net):
    """The client's log says that its link is down; what it sends meanwhile is sent again and again."""
    conn = working(net)
    logged(net, "e1000e 0000:00:1f.6 eno1: NIC Link is Down")
    net.wait(2)
    xid = net.number()
    conn.send(0, getattr_call(xid))
    for wait_s in (0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6):
        net.wait(wait_s)
        conn.retransmit_last(0)
    logged(net, "e1000e 0000:00:1f.6 eno1: NIC Link is Up 1000 Mbps Full Duplex, Flow Control: None")
    net.wait(51.2)
    conn.retransmit_last(0)
    conn.send(1, getattr_reply(xid))
    conn.acknowledge(0)
    for _ in range(5):
        read_slowly(net, conn, 0.02)
        net.wait(1)


@scene(None, texts=["dmesg.txt"])
def link_down_and_not_missed(net):
    """The twin: the log says so of a link that NFS does not use: the client is answered meanwhile."""
    conn = working(net)
    logged(net, "e1000e 0000:00:1f.6 eno1: NIC Link is Down")
    for _ in range(30):
        read_slowly(net, conn, 0.02)
        net.wait(2)
    logged(net, "e1000e 0000:00:1f.6 eno1: NIC Link is Up 1000 Mbps Full Duplex, Flow Control: None")
    for _ in range(30):
        read_slowly(net, conn, 0.02)
        net.wait(1)


@scene("tcp-path-silent", texts=["dmesg.txt"])
def link_down_beside_a_silence(net):
    """The twin: a link of the client's that NFS does not use goes down, the server falls silent for
    half a minute, and is back a minute before that link: it was reached over another one."""
    conn = working(net)
    logged(net, "e1000e 0000:00:1f.6 eno1: NIC Link is Down")
    net.wait(12)
    xid = net.number()
    conn.send(0, getattr_call(xid))
    for wait_s in (0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8):
        net.wait(wait_s)
        conn.retransmit_last(0)
    conn.send(1, getattr_reply(xid))
    conn.acknowledge(0)
    for _ in range(60):
        read_slowly(net, conn, 0.02)
        net.wait(1)
    logged(net, "e1000e 0000:00:1f.6 eno1: NIC Link is Up 1000 Mbps Full Duplex, Flow Control: None")
    net.wait(2)


@scene(None, texts=["dmesg.txt"])
def others_not_responding(net):
    """The twin of not-sent: what does not respond, says the log, are a disk and a card, and no server
    of NFS; the lock connection is idle as there."""
    conn = lock_connection(net)
    net.wait(90)
    logged(net, "ata2: SRST failed (errno=-16)")
    logged(net, "nvme nvme0: Device not ready; aborting reset, CSTS=0x1")
    logged(net, "mlx5_core 0000:3b:00.0: firmware is not responding, still trying")
    logged(net, "CIFS: VFS: \\\\192.0.2.10 has not responded in 180 seconds. Reconnecting...")
    net.wait(4)
    locks(net, conn)
    net.wait(5)


@scene(COLLISION, texts=["dmesg.txt"])
def collision_and_the_server_logs_other_things(net):
    """The twin of collision-and-the-server-complains: the same collision, and the server's log tells of
    its grace period and of a callback, of no state that is used under another client's ID."""
    a, b = _same_host(net)
    logged(net, "NFSD: starting 90-second grace period (net f0000098)")
    _fight(net, a, b)
    logged(net, "NFSD: all clients done reclaiming, ending NFSv4 grace period (net f0000098)")
    logged(net, f"receive_cb_reply: Got unrecognized reply: calldir 0x1 xpt_bc_xprt 0000 xid {a.minor}")
    net.wait(1)
