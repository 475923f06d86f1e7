# SPDX-License-Identifier: GPL-2.0-or-later
"""NFSv4 conversations from scratch: hosts, TCP connections and RPC calls under a clock of its own.

A scene scripts what each side says; nothing here decides what a server would do. Frames are those
that a capture at the server's interface would hold.
"""
import hashlib
import socket
import struct
from dataclasses import dataclass, field

from . import ops
from .packet import ACK, FIN, PSH, RST, SYN, TCP, Packet, build
from .pcapfile import Capture

RTT_NS = 400_000
MS = 1_000_000
SECOND = 1_000_000_000
MSS_BYTES = 1448


class Net:
    """The clock, and the frames that the capture sees."""

    def __init__(self, start_s=1_780_000_000):
        self.now = start_s * SECOND
        self.packets = []
        self.truth = {}  # what else is true, for truth.json
        self.texts = {}  # logs and lists of the hosts: {name: text}
        self.frames = []  # what is neither TCP nor UDP, ready made
        self.recorded = None  # what the recording does to the frames, in their order
        self.ends = None  # sim.ends.Ends where two captures are to be made of it
        self._serial = 0

    def wait(self, seconds):
        self.now += round(seconds * SECOND)

    def number(self, size=4):
        """The next of a fixed row of arbitrary numbers."""
        self._serial += 1
        return int.from_bytes(hashlib.sha256(b"net%d" % self._serial).digest()[:size], "big")

    def emit(self, pkt):
        self.packets.append(pkt)

    def capture(self):
        cap = Capture()
        cap.frames = [build(p) for p in self.packets] + self.frames
        cap.frames.sort(key=lambda f: f.t)
        if self.recorded:
            cap.frames = self.recorded(cap.frames)
        return cap


class Connection:
    """A TCP connection. [0] is the client's side, [1] the server's."""

    def __init__(self, net, client, sport, server, dport=2049):
        self.net = net
        self.ends = [(socket.inet_aton(client), sport), (socket.inet_aton(server), dport)]
        self.seq = [net.number(), net.number()]

    def _send(self, side, flags, payload=b"", delay=0):
        (src, sport), (dst, dport) = self.ends[side], self.ends[1 - side]
        t = self.net.now + delay
        stamp = struct.pack("!BBBBII", 1, 1, 8, 10, t // MS & 0xFFFFFFFF, (t - RTT_NS) // MS & 0xFFFFFFFF)
        options = b"\2\4\5\xb4\4\2" + stamp[2:] + b"\1\3\3\7" if flags & SYN else stamp
        pkt = Packet(
            t, src, dst, TCP, sport, dport, payload, flags=flags, options=options,
            seq=self.seq[side], ack=self.seq[1 - side] if flags & ACK else 0,
            ident=len(self.net.packets) & 0xFFFF,
        )  # fmt: skip
        if flags & RST:
            pkt.options = b""
        self.net.emit(pkt)
        self.seq[side] = (self.seq[side] + len(payload) + bool(flags & (SYN | FIN))) & 0xFFFFFFFF

    def open(self, rtt_ns=RTT_NS):
        self._send(0, SYN)
        self._send(1, SYN | ACK, delay=rtt_ns // 4)
        self._send(0, ACK, delay=rtt_ns)
        self.net.now += rtt_ns + 50_000
        return self

    def refused(self):
        """A SYN that is answered by RST."""
        self._send(0, SYN)
        self.seq[1] = 0
        self._send(1, RST | ACK, delay=RTT_NS // 4)
        self.net.now += RTT_NS

    def send(self, side, data):
        """Data in segments, acknowledged at once by a bare ACK."""
        for at in range(0, len(data), MSS_BYTES):
            last = at + MSS_BYTES >= len(data)
            self._send(side, ACK | (PSH if last else 0), data[at : at + MSS_BYTES], delay=at // 100)
        self.net.now += RTT_NS // 2

    def acknowledge(self, side):
        self._send(side, ACK)

    def retransmit_last(self, side):
        """The last packet of a side once more."""
        src = self.ends[side]
        old = next(p for p in reversed(self.net.packets) if (p.src, p.sport) == src and p.payload)
        again = old.copy()
        again.t = self.net.now
        self.net.emit(again)

    def hold_last(self, side, seconds):
        """The last packet of a side is held back on its way: captured so much after it was made."""
        src = self.ends[side]
        held = next(p for p in reversed(self.net.packets) if (p.src, p.sport) == src and p.payload)
        held.t += round(seconds * SECOND)

    def keep_alive(self, side):
        """A probe: no data, and the number before the next byte (RFC 9293 section 3.8.4)."""
        self.seq[side] = (self.seq[side] - 1) & 0xFFFFFFFF
        self._send(side, ACK)
        self.seq[side] = (self.seq[side] + 1) & 0xFFFFFFFF

    def finish(self, side):
        """This side closes, and the other one acknowledges that and does not close."""
        self._send(side, FIN | ACK)
        self._send(1 - side, ACK, delay=RTT_NS // 2)
        self.net.now += RTT_NS

    def close(self):
        for side, delay in ((0, 0), (1, 80_000)):
            self._send(side, FIN | ACK, delay=delay)
        self._send(0, ACK, delay=RTT_NS)
        self.net.now += RTT_NS

    def reset(self, side=1):
        self._send(side, RST | ACK)
        self.net.now += RTT_NS


@dataclass
class Server:
    """What a server puts into its answers: client IDs, session IDs, names."""

    net: Net
    address: str = "192.0.2.10"
    boot_s: int = 1_779_990_000
    layout: str = "nfsd"  # or "opaque": nothing to be read from its IDs
    name: str = "files.example"
    lease_s: int = 90
    slots: int = 64  # that it grants to a session
    serial: int = 0
    salt: int = 0x5A31C0DE

    def restart(self, later_s=0):
        self.boot_s = self.net.now // SECOND + later_s
        self.serial, self.salt = 0, self.net.number()

    def clientid(self):
        self.serial += 1
        if self.layout == "nfsd":
            return struct.pack("<II", self.boot_s, (self.salt + self.serial) & 0xFFFFFFFF)
        return hashlib.sha256(b"id%d.%d" % (self.salt, self.serial)).digest()[:8]

    def sessionid(self, clientid):
        self.serial += self.layout != "nfsd"
        if self.layout == "nfsd":
            return clientid + struct.pack("<II", 1 + self.net.number() % 5000, 0)
        return hashlib.sha256(b"session%d.%d" % (self.salt, self.serial)).digest()[:16]


def callback_bytes(steps, minor, xid, ident=0):
    body = ops.u32(xid, 0, 2, 0x40000000, 1, 1, 0, 0, 0, 0)
    body += ops.u32(0, minor, ident, len(steps))
    body += b"".join(ops.u32(s.number) + s.args for s in steps)
    return ops.u32(0x80000000 | len(body)) + body


@dataclass
class Client:
    """A client instance: its names, its connection, and the state it believes to have."""

    net: Net
    server: Server
    address: str
    host: str
    minor: int = 1
    uid: int = 0
    boot_ns: int = 0
    sport: int = 801
    owner: str = ""
    conn: Connection = None
    id: bytes = bytes(8)
    session: bytes = bytes(16)
    seqs: dict = field(default_factory=dict)
    stateid: bytes = b"\0\0\0\1" + bytes(12)
    callbacks: int = 0
    _xid: int = 0

    def __post_init__(self):
        self.boot_ns = self.boot_ns or self.net.now - 3600 * SECOND - self.net.number(3)
        self.owner = self.owner or f"Linux NFSv4.{self.minor} {self.host}"
        self._xid = self.net.number()

    @property
    def verifier(self):
        return struct.pack("!Q", self.boot_ns)

    def connect(self, sport=None):
        self.sport = sport or self.sport
        self.conn = Connection(self.net, self.address, self.sport, self.server.address).open()
        return self

    # -- RPC ------------------------------------------------------------------------------------

    def call_bytes(self, steps, xid=None):
        if xid is None:
            self._xid = xid = (self._xid + 1) & 0xFFFFFFFF
        auth = ops.u32(0) + ops.opaque(self.host) + ops.u32(self.uid, self.uid, 0)
        body = ops.u32(xid, 0, 2, 100003, 4, 1, 1) + ops.opaque(auth) + ops.u32(0, 0)
        body += ops.u32(0, self.minor, len(steps))
        body += b"".join(ops.u32(s.number) + s.args for s in steps)
        return ops.u32(0x80000000 | len(body)) + body

    def reply_bytes(self, steps, xid=None):
        done = []
        for s in steps:
            done.append(ops.u32(s.number, s.status) + s.result)
            if s.status:
                break
        body = ops.u32(self._xid if xid is None else xid, 1, 0, 0, 0, 0, s.status, 0, len(done))
        body += b"".join(done)
        return ops.u32(0x80000000 | len(body)) + body

    def compound(self, *steps, answered=True, after_s=0.0):
        """One COMPOUND and its answer; true when it was answered NFS4_OK."""
        self.conn.send(0, self.call_bytes(steps))
        if not answered:
            return False
        self.net.wait(after_s)
        self.conn.send(1, self.reply_bytes(steps))
        self.conn.acknowledge(0)
        self.net.wait(0.0002)
        return all(s.status == ops.OK for s in steps)

    # -- state, minor version 1 and 2 -------------------------------------------------------------

    def exchange_id(self, status=ops.OK, confirmed=False, verifier=None):
        new = self.id if confirmed else self.server.clientid()
        step = ops.exchange_id(
            self.owner, verifier or self.verifier, new, confirmed, self.server.name, "test server"
        )
        ok = self.compound(step.fails(status) if status else step)
        if ok:
            self.id = new
        return ok

    def create_session(self, status=ops.OK):
        new = self.server.sessionid(self.id)
        step = ops.create_session(self.id, 1, new, self.host, self.server.slots)
        ok = self.compound(step.fails(status) if status else step)
        if ok:
            self.session, self.seqs = new, {}
        return ok

    def sequence(self, *steps, status=ops.OK, slot=0, flags=0, **how):
        seq = self.seqs.get(slot, 0) + 1
        if not status:
            self.seqs[slot] = seq
        first = ops.sequence(self.session, seq, slot, self.server.slots, flags)
        return self.compound(first.fails(status) if status else first, *steps, **how)

    def callback(self, *steps, answered=True, after_s=0.0):
        """What the server calls over this connection (CB_COMPOUND), and the client's answer."""
        xid, self.callbacks = self.net.number(), self.callbacks + 1
        steps = (ops.cb_sequence(self.session, self.callbacks), *steps)
        self.conn.send(1, callback_bytes(steps, self.minor, xid))
        if not answered:
            self.conn.acknowledge(0)
            return
        self.net.wait(after_s)
        self.conn.send(0, self.reply_bytes(steps, xid))
        self.conn.acknowledge(1)
        self.net.wait(0.0002)

    def destroy_session(self, status=ops.OK):
        step = ops.destroy_session(self.session)
        return self.compound(step.fails(status) if status else step)

    def reclaim_complete(self, status=ops.OK):
        step = ops.reclaim_complete()
        return self.sequence(step.fails(status) if status else step)

    def mount(self, lease=True):
        """A new client: identification, session, the root; the lease time is told or not."""
        self.connect()
        self.exchange_id()
        self.create_session()
        self.reclaim_complete()
        asked = [ops.getattr_lease(self.server.lease_s)] if lease else [ops.getattr_size()]
        self.sequence(ops.putrootfh(), ops.getfh(b"root-handle-0001"), *asked)
        return self

    def work(self, rounds=3, pause_s=0.5):
        for _ in range(rounds):
            self.sequence(ops.putfh(b"file-handle-0007"), ops.access(), ops.getattr_size())
            self.net.wait(pause_s)
        return self

    def open(self, reclaim=False, status=ops.OK):
        step = ops.open_file(self.id, "open id:1", "data.log", self.stateid, reclaim)
        return self.sequence(
            ops.putfh(b"file-handle-0007" if reclaim else b"root-handle-0001"),
            step.fails(status) if status else step, ops.getattr_size(),
        )  # fmt: skip

    def refused_call(self, status=ops.BADSESSION):
        """An ordinary call that the server refuses for want of its session."""
        return self.sequence(ops.putfh(b"file-handle-0007"), ops.getattr_size(), status=status)

    def recover(self, new_id=True):
        """The recovery ladder of Linux after BADSESSION."""
        self.destroy_session(status=ops.BADSESSION)
        if new_id:
            self.create_session(status=ops.STALE_CLIENTID)
            self.exchange_id()
        self.create_session()
        return self

    # -- state, minor version 0 -------------------------------------------------------------------

    def setclientid(self, status=ops.OK, body=b"", confirm=True):
        new, confirmation = self.server.clientid(), struct.pack("!Q", self.net.number(8))
        step = ops.setclientid(self.owner, self.verifier, self.address, new, confirmation)
        if not self.compound(step.fails(status, body) if status else step):
            return False
        self.id = new
        return not confirm or self.compound(ops.setclientid_confirm(new, confirmation))

    def renew(self, status=ops.OK):
        step = ops.renew(self.id)
        return self.compound(step.fails(status) if status else step)

    def work0(self, rounds=3, pause_s=0.5):
        for _ in range(rounds):
            self.compound(ops.putfh(b"file-handle-0007"), ops.access(), ops.getattr_size())
            self.net.wait(pause_s)
        return self

    def mount0(self, lease=True):
        self.connect()
        self.setclientid()
        asked = ops.getattr_lease(self.server.lease_s) if lease else ops.getattr_size()
        self.compound(ops.putrootfh(), ops.getfh(b"root-handle-0001"), asked)
        return self
