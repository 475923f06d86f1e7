# SPDX-License-Identifier: GPL-2.0-or-later
"""Two captures of what a scene plays: one at the client, one at the server, each as it would be there.

A scene marks packets that only one of the two shows; times, addresses and sizes are made from the rest.
"""
import socket
import struct

from .build import ACK, MS, SECOND, Connection
from .packet import PSH, build
from .pcapfile import Capture

AT_CLIENT, AT_SERVER = "client.pcap", "server.pcap"


class Ends:
    """How the two captures differ. `delay_s`: from one to the other; `drift_ppm`: of the server's clock."""

    def __init__(self, net, delay_s=0.001, offset_s=3.5, drift_ppm=0.0):
        self.net, self.delay = net, round(delay_s * SECOND)
        self.offset, self.drift = round(offset_s * SECOND), drift_ppm / 1e6
        self.only = {}  # id(packet): the one file that shows it
        self.held = {}  # id(packet): (ns, at_sender): held back between the two captures, or at its sender
        self.translated = {}  # address at the client: (address, what is added to its ports) at the server
        self.seen_by_server_only = set()  # addresses of clients
        self.steps = []  # (time, ns): the server's clock is set then
        self.holes = {}  # file: [(from, to)] in seconds from the start: the capture was not running
        self.gone = set()  # files of a ring buffer that are not there any more
        self.cut_bytes = None  # the server's capture shows larger segments cut to this
        self.rings = {}  # file: [ends of its parts in seconds from the start], a ring buffer's files
        self.until = {}  # file: seconds from the start at which the capture is stopped
        self.start = net.now
        net.ends = self

    def lost(self):
        """The last packet does not arrive at the other end."""
        last = self.net.packets[-1]
        self.only[id(last)] = AT_SERVER if last.sport == 2049 else AT_CLIENT

    def missed(self, by):
        """The last packet arrives, and one capture does not have it."""
        self.only[id(self.net.packets[-1])] = AT_CLIENT if by == AT_SERVER else AT_SERVER

    def hold(self, side, seconds, at_sender=False):
        """The last packet with data of this side is held back: between the two captures, or below TCP of
        its sender, so that both show it late."""
        held = next(p for p in reversed(self.net.packets) if (p.sport == 2049) == bool(side) and p.payload)
        self.held[id(held)] = (round(seconds * SECOND), at_sender)

    def set_clock(self, seconds):
        """The server's clock is set ahead by so much."""
        self.steps.append((self.net.now, round(seconds * SECOND)))

    def again(self, packet):
        """The packet once more, now: a new transmission of it."""
        new = packet.copy()
        new.t, new.ident = self.net.now, len(self.net.packets) & 0xFFFF
        now = struct.pack("!I", new.t // MS & 0xFFFFFFFF)
        at = new.options.find(b"\x08\x0a")
        new.options = new.options[: at + 2] + now + new.options[at + 6 :]
        self.net.emit(new)
        return new

    def _translate(self, p):
        for addr, port in ("src", "sport"), ("dst", "dport"):
            to = self.translated.get(socket.inet_ntoa(getattr(p, addr)))
            if to:
                setattr(p, addr, socket.inet_aton(to[0]))
                setattr(p, port, getattr(p, port) + to[1])

    def _pieces(self, p):
        size = self.cut_bytes
        if not size or len(p.payload) <= size:
            return [p]
        out = []
        for at in range(0, len(p.payload), size):
            q = p.copy()
            q.payload = p.payload[at : at + size]
            q.seq = (p.seq + at) & 0xFFFFFFFF
            q.t += at
            q.ident = (p.ident + at // size) & 0xFFFF
            last = at + size >= len(p.payload)
            q.flags = p.flags if last else p.flags & ~PSH
            out.append(q)
        return out

    def _show(self, name):
        out = []
        for packet in self.net.packets:
            if self.only.get(id(packet), name) != name:
                continue
            hosts = {socket.inet_ntoa(packet.src), socket.inet_ntoa(packet.dst)}
            if name == AT_CLIENT and hosts & self.seen_by_server_only:
                continue
            p = packet.copy()
            here = AT_SERVER if packet.sport == 2049 else AT_CLIENT
            held, at_sender = self.held.get(id(packet), (0, False))
            p.t += 0 if here == name else self.delay
            p.t += held if at_sender or here != name else 0
            if name == AT_SERVER:
                p.t += sum(ns for at, ns in self.steps if p.t >= at)
                p.t += self.offset + round((p.t - self.start) * self.drift)
                self._translate(p)
            out += self._pieces(p) if name == AT_SERVER else [p]
        return sorted(out, key=lambda p: p.t)

    def captures(self):
        """{name: capture}"""
        out = {}
        for name in AT_CLIENT, AT_SERVER:
            packets = self._show(name)
            if name in self.until:
                stop = self.start + round(self.until[name] * SECOND)
                packets = [p for p in packets if p.t <= stop + (self.offset if name == AT_SERVER else 0)]
            ahead = self.offset if name == AT_SERVER else 0
            for hole in self.holes.get(name, ()):
                begin, end = (self.start + round(s * SECOND) + ahead for s in hole)
                packets = [p for p in packets if not begin < p.t <= end]
            parts = self.rings.get(name)
            if not parts:
                out[name] = _capture(packets)
                continue
            begin = None
            for i, part in enumerate([*parts, None]):
                end = None if part is None else self.start + round(part * SECOND) + ahead
                chosen = [
                    p for p in packets if (begin is None or p.t > begin) and (end is None or p.t <= end)
                ]
                out[name.replace(".pcap", f"-{i}.pcap")] = _capture(chosen)
                begin = end
        return {name: capture for name, capture in out.items() if name not in self.gone}


def _capture(packets):
    cap = Capture()
    cap.frames = [build(p) for p in packets]
    return cap


class Big(Connection):
    """A connection whose sender leaves the cutting of segments to its network card."""

    def send(self, side, data):
        self._send(side, ACK | PSH, data)
        self.net.now += 200_000
