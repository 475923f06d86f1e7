# SPDX-License-Identifier: GPL-2.0-or-later
"""Logs that count from boot beside a capture: what joins them, and logs that must stay apart."""
import datetime

from . import ops
from .build import SECOND, Client, Connection, Server
from .scene import pair, scene
from .scenes_lease import RESTART, _restart
from .scenes_nlm import CLIENT, GETPORT, NLM, PORTMAP, SERVER, call, exchange, reply, syn_ack_ignored

LOADED = "Key type id_resolver registered"
LINK = "e1000e 0000:00:1f.6 eno1: NIC Link is"
UP = f"{LINK} Up 1000 Mbps Full Duplex, Flow Control: None"
STARTED = "NFSD: starting 90-second grace period (net f0000000)"


class BootLog:
    """A kernel log of a host that booted so many seconds ago; `told`: whether that can be known."""

    def __init__(self, net, up_s, told=True):
        self.net, self.boot = net, net.now - round(up_s * SECOND)
        at = datetime.datetime.fromtimestamp(self.boot / SECOND, datetime.timezone.utc)
        net.truth["boot"] = at.isoformat(timespec="milliseconds") if told else ""
        net.texts["dmesg.txt"] = ""

    def write(self, text, later_s=0.0):
        us = (self.net.now - self.boot) // 1000 + round(later_s * 1e6)
        self.net.texts["dmesg.txt"] += f"[{us // 10**6:5d}.{us % 10**6:06d}] {text}\n"


def mounted(net, log):
    """A client whose NFS was loaded for this mount; its log has the line of NFSv4."""
    srv = Server(net)
    log.write(UP, -30)
    log.write(LOADED, -0.4)
    client = Client(net, srv, "192.0.2.31", "web-01", boot_ns=net.now - 700_000_000)
    return client.mount().work(30, 1)


def unplugged(client, log, shift_s=0.0):
    """The link goes for 40 s, while a call waits; the log has it so much earlier or later."""
    net = client.net
    log.write(f"{LINK} Down", shift_s)
    net.wait(2)
    client.sequence(ops.putfh(b"file-handle-0007"), ops.getattr_size(), answered=False)
    for wait_s in (0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8):
        net.wait(wait_s)
        client.conn.retransmit_last(0)
    net.wait(12)
    log.write(UP, shift_s)
    net.wait(13.6)
    client.conn.retransmit_last(0)
    client.conn.send(1, client.reply_bytes((ops.sequence(client.session, 1, 0, 64, 0),)))
    client.conn.acknowledge(0)
    client.work(10, 1)


LINK_DOWN = {"found": ["host-link-down"], "also": ["tcp-path-silent"], "texts": ["dmesg.txt"]}


@scene(["host-link-down", "tcp-path-silent"], **LINK_DOWN)
def boot_log_of_a_first_mount(net):
    """The link of a client is down for 40 s. Its log counts from boot: that it loads NFSv4 for the mount
    tells when that was."""
    log = BootLog(net, 5000)
    unplugged(mounted(net, log), log)


@scene("tcp-path-silent", texts=["dmesg.txt"])
def boot_log_of_another_host(net):
    """The twin: the same lines, in the log of a host that has another name than the client."""
    log = BootLog(net, 5000, told=False)
    log.write("systemd[1]: Hostname set to <db-09>.", -4990)
    unplugged(mounted(net, log), log)


@scene("tcp-path-silent", texts=["dmesg.txt"])
def boot_log_of_a_link_that_was_not_its_own(net):
    """The twin: by its line of NFSv4 the log's link is down while the client is answered: the log is
    another host's."""
    log = BootLog(net, 5000, told=False)
    unplugged(mounted(net, log), log, shift_s=-25)


def two_mounted(net, log):
    client = mounted(net, log)
    other = Client(net, client.server, "192.0.2.32", "web-02", boot_ns=net.now - 600_000_000, sport=922)
    other.mount().work(3, 1)
    return client


@scene(["host-link-down", "tcp-path-silent"], **LINK_DOWN)
def boot_log_of_one_of_two_clients(net):
    """Two clients mount for the first time: only one of them is silent as long after its mount as the
    log has its link down."""
    log = BootLog(net, 5000)
    unplugged(two_mounted(net, log), log)


@scene("tcp-path-silent", texts=["dmesg.txt"])
def boot_log_of_either_of_two_clients(net):
    """The twin: neither of them is silent then."""
    log = BootLog(net, 5000, told=False)
    unplugged(two_mounted(net, log), log, shift_s=-25)


@scene(RESTART, texts=["dmesg.txt"])
def boot_log_of_a_server(net):
    """A server restarts its nfsd. Its log counts from boot and has both starts, as far apart as its
    client IDs tell."""
    log = BootLog(net, 5000)
    srv, a, b = pair(net)
    srv.boot_s = (net.now - 3000 * SECOND) // SECOND
    log.write(STARTED, srv.boot_s - net.now / SECOND + 0.6)
    for client in (a, b):
        client.mount().open()
    a.work(3)
    log.write(STARTED, 0.6)
    _restart(net, srv, [a, b])


@scene(RESTART, texts=["dmesg.txt"])
def boot_log_of_a_server_that_started_once(net):
    """The twin: the log has one start, and the capture shows two: it may be of either, or of another
    server."""
    log = BootLog(net, 5000, told=False)
    log.write(STARTED, -700)
    srv, a, b = pair(net)
    srv.boot_s = (net.now - 3000 * SECOND) // SECOND
    for client in (a, b):
        client.mount().open()
    a.work(3)
    _restart(net, srv, [a, b])


def ask_port(net, stamp):
    """An older client: its credentials are stamped with its jiffies, in seconds."""
    conn = Connection(net, CLIENT, 33290, SERVER, 111).open()
    xid = net.number()
    question = call(xid, PORTMAP, 2, GETPORT, ops.u32(NLM, 4, 6, 0), stamp)
    exchange(conn, question, reply(xid, ops.u32(2052)))
    conn.close()


def lock_not_had(net, up_s, stamped_up_s, told):
    log = BootLog(net, up_s, told)
    ask_port(net, 2**32 // 1000 - 300 + stamped_up_s)
    net.wait(30)
    start = net.now
    conn = Connection(net, CLIENT, 33306, SERVER, 111)
    syn_ack_ignored(conn, (1.02, 2.05, 4.03, 8.06, 16.13, 33.3))
    log.write(f"lockd: server {SERVER} not responding, still trying", (start - net.now) / SECOND + 61.3)
    net.wait(3)


@scene("tcp-synack-unacknowledged", found=["rpc-not-responding"], also=["portmap-unanswered"],
       confidence_max="likely", texts=["dmesg.txt"])  # fmt: skip
def boot_log_of_a_client_that_tells_its_uptime(net):
    """A lock waits for TCP, and the log has a complaint without an end: the uptime in the client's
    credentials tells that it is of this wait."""
    lock_not_had(net, 86_000, 86_000, True)


@scene("tcp-synack-unacknowledged", found=["rpc-not-responding"], also=["portmap-unanswered"],
       confidence_max="likely", texts=["dmesg.txt"])  # fmt: skip
def boot_log_of_a_client_with_another_uptime(net):
    """The twin: by its uptime the client complained at another time: it is another host's log, or of
    another boot."""
    lock_not_had(net, 86_000, 80_000, False)
