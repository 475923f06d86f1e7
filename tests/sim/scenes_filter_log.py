# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenes with what a packet filter writes into the kernel's log."""
from .build import Connection
from .packet import SYN
from .scene import scene
from .scenes_nlm import CLIENT, SERVER, again
from .scenes_timers import logged, read_slowly
from .scenes_twins import WAITS

FILTER, UNANSWERED = "host-filter-drop", "tcp-syn-unanswered"
MAC = "MAC=52:54:00:12:34:56:52:54:00:65:43:21:08:00"


def log_packet(net, prefix, sport, dport=2049, src=CLIENT, dst=SERVER, flags="SYN"):
    """As nf_log_syslog writes a TCP packet that comes in."""
    logged(
        net, f"{prefix}IN=eth0 OUT= {MAC} SRC={src} DST={dst} LEN=60 TOS=0x00 PREC=0x00 TTL=64 "
        f"ID={net.number(2)} DF PROTO=TCP SPT={sport} DPT={dport} WINDOW=64240 RES=0x00 {flags} URGP=0"
    )  # fmt: skip


def works(net, sport, prefix=""):
    """A connection that is made and carries NFS; the rule may log its SYN."""
    if prefix:
        log_packet(net, prefix, sport)
    conn = Connection(net, CLIENT, sport, SERVER).open()
    for _ in range(3):
        read_slowly(net, conn, 0.02)
    conn.close()
    net.wait(30)


def in_vain(net, sport, each):
    """SYNs for a minute; `each` is done after each of them."""
    conn = Connection(net, CLIENT, sport, SERVER)
    conn._send(0, SYN)
    each()
    for seconds in WAITS:
        net.wait(seconds)
        again(conn, 0, SYN)
        each()
    net.wait(3)


@scene(FILTER, also=[UNANSWERED], confidence_max="likely", texts=["dmesg.txt"])
def filter_logs_what_it_drops(net):
    """ufw on the server drops the client's SYNs and logs some of them: "[UFW BLOCK]"."""
    works(net, 801)
    in_vain(net, 802, lambda: log_packet(net, "[UFW BLOCK] ", 802))


@scene(UNANSWERED, texts=["dmesg.txt"])
def filter_logs_each_new_connection(net):
    """The twin: a rule logs each SYN to the port, those that are answered as well; who drops them later
    is not in the log."""
    works(net, 801, "nfs-new: ")
    in_vain(net, 802, lambda: log_packet(net, "nfs-new: ", 802))


@scene(UNANSWERED, texts=["dmesg.txt"], also_if_cut={FILTER: "likely"})
def filter_logs_in_words_that_mislead(net):
    """The twin: the rule's words speak of dropping, and a connection is made by a SYN behind them."""
    works(net, 801, "DROPTEST: ")
    in_vain(net, 802, lambda: log_packet(net, "DROPTEST: ", 802))


@scene(UNANSWERED, texts=["dmesg.txt"])
def filter_logs_what_it_drops_of_others(net):
    """The twin: meanwhile ufw blocks what others send, and what the client sends to another port."""

    def others():
        log_packet(net, "[UFW BLOCK] ", 40000, 22)
        log_packet(net, "[UFW BLOCK] ", 2049, 802, src="198.51.100.9", flags="ACK FIN")
        log_packet(net, "[UFW BLOCK] ", 41000, src="198.51.100.9")

    works(net, 801)
    in_vain(net, 802, others)


@scene([FILTER, UNANSWERED], found=[FILTER], also=[UNANSWERED], confidence_max="likely",
       texts=["dmesg.txt"])  # fmt: skip
def conntrack_table_full(net):
    """The server's table of connections is full: SYNs are dropped, and its log says so."""
    works(net, 801)
    in_vain(net, 802, lambda: logged(net, "nf_conntrack: nf_conntrack: table full, dropping packet"))


@scene(UNANSWERED, texts=["dmesg.txt"])
def conntrack_table_full_before(net):
    """The twin: that was minutes before, and all worked."""
    logged(net, "nf_conntrack: nf_conntrack: table full, dropping packet")
    net.wait(200)
    works(net, 801)
    in_vain(net, 802, lambda: None)


@scene(UNANSWERED, texts=["dmesg.txt"])
def filter_logs_without_a_word_of_dropping(net):
    """The twin: the rule's words say nothing of what becomes of what it logs, and nothing else does."""
    works(net, 801)
    in_vain(net, 802, lambda: log_packet(net, "nfs-in: ", 802))
