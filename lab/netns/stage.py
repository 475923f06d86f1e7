#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Stages incidents of the network with a real server and real TCP: stage.py OUT [CASE...]

Each case becomes a folder OUT/ns-CASE with a capture from each side, truth.json and expect.json.
Without CASE: lists them. nfs-ganesha serves, libnfs works, nft drops; see net.py.
"""
import datetime
import json
import pathlib
import signal
import subprocess
import sys
import time

from net import EXPORT, SERVER, Dump, Net, Unavailable, check_tools

HERE = pathlib.Path(__file__).resolve().parent
CASES = {}


def case(truth, *readings, router=False, version=3, kind=""):
    """A case: what happened, for people, and (files, headline, found, also, most) readings."""

    def add(function):
        name = function.__name__.replace("_", "-")
        CASES[name] = (function, truth, readings, router, version, kind)
        return function

    return add


def reading(files, *headline, found=(), also=(), most=None, cut=None):
    r = {"files": files, "headline": list(headline), "found": list(found), "also": list(also), "issue": 1}
    return r | ({"confidence_max": most} if most else {}) | ({"also_if_cut": cut} if cut else {})


BOTH, CLIENT_SIDE, SERVER_SIDE = ["*.pcap.xz"], ["client.pcap.xz"], ["server.pcap.xz"]
PATH = ("tcp-path-silent", "tcp-syn-unanswered")


class Stage:
    """The net, the clock of the story, and what was done when."""

    def __init__(self, net, version, kind):
        self.net, self.version, self.kind, self.events = net, version, kind, []

    def note(self, what):
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
        self.events.append({"at": now.replace("+00:00", "Z"), "what": what})

    def work(self, seconds):
        self.note(f"a client works for {seconds} s")
        argv = [sys.executable, HERE / "client.py", SERVER, EXPORT, self.version, seconds]
        return self.net.start("client", *argv, *filter(None, [self.kind]))

    def drop(self, side, rule, chain="forward"):
        self.note(f"{side}: nft {chain}: {rule}")
        self.net.nft(side, rule, chain)

    def heal(self, side):
        self.note(f"{side}: nft rules are gone")
        self.net.nft_flush(side)


@case("none: everything works over NFSv3", *(reading(f, None) for f in (BOTH, CLIENT_SIDE, SERVER_SIDE)))
def healthy_v3(s):
    s.work(12)
    time.sleep(13)


@case("none: everything works over NFSv4.0",
      *(reading(f, None) for f in (BOTH, CLIENT_SIDE, SERVER_SIDE)), version=4)
def healthy_v4(s):
    s.work(12)
    time.sleep(13)


@case("the server process is stopped (SIGSTOP) and never goes on; its kernel acknowledges",
      *(reading(f, "rpc-server-silent") for f in (BOTH, CLIENT_SIDE, SERVER_SIDE)))
def server_stopped(s):
    s.work(85)
    time.sleep(6)
    s.note("SIGSTOP to the server")
    s.net.tell_server(signal.SIGSTOP)
    time.sleep(70)
    s.work(6)
    time.sleep(8)


@case("the server process stands still for 25 s (SIGSTOP, SIGCONT)",
      *(reading(f, "rpc-server-slow") for f in (BOTH, CLIENT_SIDE, SERVER_SIDE)))
def server_paused(s):
    s.work(45)
    time.sleep(6)
    s.note("SIGSTOP to the server")
    s.net.tell_server(signal.SIGSTOP)
    time.sleep(25)
    s.note("SIGCONT to the server")
    s.net.tell_server(signal.SIGCONT)
    time.sleep(12)


@case("a router drops all packets of the mount for 40 s",
      *(reading(f, *PATH, also=PATH) for f in (BOTH, CLIENT_SIDE)), reading(SERVER_SIDE, None), router=True)
def path_silent(s):
    s.work(70)
    time.sleep(6)
    s.drop("router", "tcp dport 2049 drop")
    s.drop("router", "tcp sport 2049 drop")
    time.sleep(40)
    s.heal("router")
    time.sleep(24)


@case("a router drops further connection attempts of the client",
      *(reading(f, "tcp-syn-unanswered", also=["portmap-unanswered"]) for f in (BOTH, CLIENT_SIDE)),
      reading(SERVER_SIDE, None), router=True)
def syn_dropped(s):
    s.work(50)
    time.sleep(6)
    s.drop("router", "tcp flags & (syn|ack) == syn drop")
    s.work(38)
    time.sleep(40)


@case("the client's own packet filter drops the server's SYN-ACKs",
      reading(BOTH, "tcp-synack-unacknowledged", "host-filter-drop"),
      reading(CLIENT_SIDE, "tcp-synack-unacknowledged", "host-filter-drop"),
      reading(SERVER_SIDE, "tcp-synack-unacknowledged"))
def synack_dropped_at_client(s):
    s.drop("client", "tcp flags & (syn|ack) == syn|ack drop", "input")
    s.work(40)
    time.sleep(42)


@case("a router drops the SYN-ACKs of further connections",
      reading(BOTH, "tcp-synack-unacknowledged", "tcp-syn-unanswered",
              also=["tcp-synack-unacknowledged", "tcp-syn-unanswered", "portmap-unanswered"]),
      reading(CLIENT_SIDE, "tcp-syn-unanswered", also=["portmap-unanswered"]),
      reading(SERVER_SIDE, "tcp-synack-unacknowledged", also=["portmap-unanswered"]),
      router=True)
def synack_lost(s):
    s.work(50)
    time.sleep(6)
    s.drop("router", "tcp flags & (syn|ack) == syn|ack drop")
    s.work(38)
    time.sleep(40)


@case("a router drops all packets above 1000 bytes and says nothing; reads hang",
      *(reading(f, "tcp-large-segments-lost") for f in (BOTH, SERVER_SIDE)), reading(CLIENT_SIDE, None),
      router=True, kind="read")
def mtu_black_hole(s):
    s.drop("router", "ip length > 1000 drop")
    s.work(50)
    time.sleep(52)


@case("a router drops all packets above 1000 bytes, and network cards do the cutting; writes hang",
      *(reading(f, "tcp-large-segments-lost", cut={"tcp-path-silent": "likely"}) for f in (BOTH, CLIENT_SIDE)),
      reading(SERVER_SIDE, None), router=True, kind="write")
def mtu_black_hole_offload(s):
    for side in "client", "server":
        s.net.do(side, "ethtool", "-K", "wire", "gro", "on", "gso", "on", "tso", "on", "tx", "on", "rx", "on")
    s.drop("router", "ip length > 1000 drop")
    s.work(60)
    time.sleep(62)


@case("a router loses one packet in eight",
      *(reading(f, "tcp-loss") for f in (BOTH, CLIENT_SIDE, SERVER_SIDE)), router=True, kind="read")
def loss(s):
    s.drop("router", "numgen random mod 8 == 0 drop")
    s.work(60)
    time.sleep(62)


@case("a firewall on the way rejects packets to port 2049 with ICMP host prohibited",
      *(reading(f, "net-unreachable", *PATH, also=PATH) for f in (BOTH, CLIENT_SIDE)), router=True)
def icmp_prohibited(s):
    s.work(50)
    time.sleep(6)
    s.drop("router", "tcp dport 2049 reject with icmp type admin-prohibited")
    time.sleep(45)


@case("the server's interface goes down for 40 s; the router says host unreachable",
      reading(BOTH, "net-unreachable", *PATH, also=["net-unreachable", *PATH]),
      reading(CLIENT_SIDE, "net-unreachable", *PATH, also=["net-unreachable", *PATH]), router=True)
def server_unplugged(s):
    s.work(80)
    time.sleep(6)
    s.note("the server's link goes down")
    s.net.do("server", "ip", "link", "set", "wire", "down")
    time.sleep(40)
    s.net.do("server", "ip", "link", "set", "wire", "up")
    s.net.do("server", "ip", "route", "add", "default", "via", "10.77.0.254")
    s.note("the server's link is up")
    time.sleep(30)


@case("a firewall drops packets to the portmapper; a second mount of NFSv3 hangs",
      *(reading(f, "tcp-syn-unanswered", "portmap-unanswered",
                also=["portmap-unanswered", "tcp-syn-unanswered"]) for f in (BOTH, CLIENT_SIDE)),
      reading(SERVER_SIDE, None), router=True)
def portmap_filtered(s):
    s.work(50)
    time.sleep(6)
    s.drop("router", "tcp dport 111 drop")
    s.work(38)
    time.sleep(40)


@case("a firewall on the way rejects packets to port 2049 with a TCP reset, in the server's name, for 30 s",
      *(reading(f, "tcp-syn-refused") for f in (BOTH, CLIENT_SIDE)), reading(SERVER_SIDE, None), router=True)
def reset_between(s):
    s.work(70)
    time.sleep(5)
    s.drop("router", "tcp dport 2049 reject with tcp reset")
    time.sleep(30)
    s.heal("router")
    time.sleep(20)


# Accepts nobody, and has room for two.
DEAF = "import socket, time; s = socket.create_server(('', 2049), backlog=1); time.sleep(200)"
NULL_CALLS = """
import socket, struct, threading, time
def ask(xid):
    try:
        s = socket.create_connection((%r, 2049), 300)
        call = struct.pack("!10I", xid, 0, 2, 100003, 3, 0, 0, 0, 0, 0)
        s.sendall(struct.pack("!I", 0x80000000 | len(call)) + call)
        s.recv(100)
    except OSError:
        pass
for i in range(6):
    threading.Thread(target=ask, args=(77 + i,)).start()
    time.sleep(1)
"""


@case("the program at port 2049 stands still: it answers nobody and accepts nobody, and its queue is full",
      *(reading(f, "rpc-server-silent", also=["tcp-syn-unanswered"]) for f in (BOTH, CLIENT_SIDE, SERVER_SIDE)))
def listener_full(s):
    s.net.tell_server(signal.SIGKILL)
    time.sleep(1)
    s.net.start("server", sys.executable, "-c", DEAF)
    time.sleep(0.5)
    s.note("six clients call, one a second")
    s.net.start("client", sys.executable, "-c", NULL_CALLS % SERVER)
    time.sleep(75)


def pack(folder):
    for path in folder.glob("*.pcap"):
        subprocess.run(["xz", "-9e", "-f", path], check=True)


def stage(name, out):
    function, truth, readings, router, version, kind = CASES[name]
    folder = out / f"ns-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    with Net(router) as net:
        s = Stage(net, version, kind)
        with Dump(net, "client", folder / "client.pcap"), Dump(net, "server", folder / "server.pcap"):
            function(s)
    pack(folder)
    facts = {"case": name, "truth": truth, "server": "nfs-ganesha, NFSv3 and NFSv4.0", "client": "libnfs",
             "kernel": subprocess.run(["uname", "-r"], capture_output=True, text=True).stdout.split("-")[0],
             "events": s.events}  # fmt: skip
    (folder / "truth.json").write_text(json.dumps(facts, indent=1) + "\n")
    (folder / "expect.json").write_text(json.dumps(list(readings), indent=1) + "\n")


def main():
    if len(sys.argv) < 3:
        print("\n".join(f"{name:28} {c[1]}" for name, c in CASES.items()))
        return
    try:
        check_tools()
        for name in sys.argv[2:]:
            stage(name, pathlib.Path(sys.argv[1]))
    except Unavailable as e:
        sys.exit(f"stage: {e}")


if __name__ == "__main__":
    main()
