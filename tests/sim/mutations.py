# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes of a capture that must not change its diagnosis, or may only make it less certain.

Each mutation takes a Capture and returns a new one. What replaces a value depends on the seed and
the old value alone: the captures of one case, mutated one by one, still fit together.
"""
import hashlib
import random
import re
import struct

from . import nfs
from .packet import SYN, TCP, build, checksum, parse
from .pcapfile import ETHERNET, RAW, SLL, SLL2, Capture, Frame
from .stream import replace_bytes, streams_of

REGISTRY = {}


def mutation(func):
    """Registers a mutation for the command line under its name with dashes."""
    REGISTRY[func.__name__.replace("_", "-")] = func
    return func


def seeded(seed, what, old, size):
    """Bytes that stand for `old`: the same for the same seed, whatever the capture."""
    return hashlib.blake2b(old, digest_size=size, key=f"{seed}/{what}".encode()).digest()


def with_frames(cap, frames, **changes):
    """A capture like another one with other frames."""
    new = Capture(**{**cap.__dict__, **changes})
    new.frames = frames
    return new


def packets_of(cap):
    """A Packet (or None) for each frame."""
    return [parse(f, cap.linktype) for f in cap.frames]


def rebuild(cap, packets, drop_others=False, other=None):
    """The capture with the packets put in place of its frames; frames without one stay as are."""
    frames = []
    for frame, pkt in zip(cap.frames, packets):
        if pkt is not None:
            frames.append(build(pkt, cap.linktype))
        else:
            kept = other(frame) if other else None
            if kept is not None or not drop_others:
                frames.append(kept or frame)
    return with_frames(cap, frames)


def edit_packets(cap, change, drop_others=False, other=None):
    packets = packets_of(cap)
    for p in packets:
        if p is not None:
            change(p)
    return rebuild(cap, packets, drop_others, other)


# -- who is who ----------------------------------------------------------------------------------


@mutation
def addresses(cap, seed=1):
    """other IPv4 addresses and MAC addresses"""

    def new_ip(old):
        low = seeded(seed, "ip", old, 2)
        return b"\x0a" + bytes([7 + seed % 200]) + low if len(old) == 4 else old[:8] + seeded(seed, "ip", old, 8)

    def new_mac(old):
        return old if old in (b"\0" * 6, b"\xff" * 6) else b"\x02\x16\x3e" + seeded(seed, "mac", old, 3)

    def change(p):
        p.src, p.dst = new_ip(p.src), new_ip(p.dst)
        p.macs = tuple(new_mac(m) for m in p.macs)

    def change_arp(frame):
        """ARP over Ethernet (RFC 826): who asks for whom is evidence too. None for anything else."""
        d = frame.data
        if cap.linktype != ETHERNET or len(d) < 42 or d[12:20] != bytes.fromhex("0806000108000604"):
            return None
        head = new_mac(d[:6]) + new_mac(d[6:12]) + d[12:22]
        hosts = new_mac(d[22:28]) + new_ip(d[28:32]) + new_mac(d[32:38]) + new_ip(d[38:42])
        return Frame(frame.t, head + hosts + d[42:], frame.wire)

    return edit_packets(cap, change, drop_others=True, other=change_arp)


@mutation
def ports(cap, seed=1):
    """other client ports (still reserved ones); well-known ports stay"""
    known = {111, 2049, 20049, 3049}

    def new_port(addr, port):
        if port in known or port > 1023:
            return port
        table = list(range(665, 1024))
        random.Random(f"{seed}/{addr.hex()}").shuffle(table)
        return table[port % len(table)]

    return edit_packets(cap, lambda p: _set_ports(p, new_port(p.src, p.sport), new_port(p.dst, p.dport)))


def _set_ports(p, sport, dport):
    p.sport, p.dport = sport, dport


@mutation
def server_port(cap, port=20049):
    """the server listens on another port than 2049"""
    return edit_packets(cap, lambda p: _set_ports(p, *(port if x == 2049 else x for x in (p.sport, p.dport))))


@mutation
def ipv6(cap):
    """IPv4 turned into IPv6"""
    prefix = bytes.fromhex("20010db8000000420000000000000000")[:12]

    def change(p):
        if len(p.src) == 4:
            p.src, p.dst = prefix + p.src, prefix + p.dst

    return edit_packets(cap, change, drop_others=True)


@mutation
def owners(cap, seed=1, longer=0):
    """other host names in client owners and AUTH_SYS; longer: by so many characters"""
    return rename(cap, lambda host: new_host(host, seed, longer))


@mutation
def same_owner_host(cap, host="app"):
    """all clients get one host name (in their owners and in AUTH_SYS)"""
    return rename(cap, lambda old: host.encode())


def new_host(host, seed=1, longer=0):
    """Another host name for one; the length changes by `longer` alone."""
    letters = b"abcdefghijkmnpqrstuvwxyz23456789"
    size = max(1, len(host) + longer)
    raw = hashlib.shake_128(f"{seed}/host/".encode() + host).digest(size)
    return bytes(letters[b % (23 if i == 0 else 31)] for i, b in enumerate(raw))


def rename(cap, to_new):
    """Renames the hosts in owners and machine names by a function from old to new names."""
    packets = packets_of(cap)
    streams = streams_of(packets)
    names = nfs.find_names(streams)
    hosts = {p.value for p in names.machines}
    growth = {}
    for place in names.machines:
        _edit_grow(growth, place, to_new(place.value))
        _edit_credential(place, to_new(place.value))
    for place in names.owners:
        _edit_grow(growth, place, rename_owner(place.value, hosts, to_new))
    for stream, marks in growth.items():
        nfs.edit_marks(stream, marks)
    apply_edits(streams)
    return rebuild(cap, packets)


def rename_owner(owner, hosts, to_new):
    """A client owner with the host name in it changed: "Linux NFSv4.2 HOST", "... HOST/SERVER"."""
    for host in sorted(hosts, key=len, reverse=True):
        if re.search(rb"(^|[ /])" + re.escape(host) + rb"($|[ /])", owner):
            return owner.replace(host, to_new(host), 1)
    found = re.match(rb"(Linux NFSv4\.\d )([^/]+)(.*)", owner, re.S)
    return found[1] + to_new(found[2]) + found[3] if found else owner


def _edit_grow(growth, place, new):
    if new != place.value:
        mark, delta = nfs.edit_opaque(place, new)
        marks = growth.setdefault(place.stream, {})
        marks[mark] = marks.get(mark, 0) + delta


def _edit_credential(place, new):
    """The length of the AUTH_SYS credential, which stands two words before the machine name."""
    grown = (len(new) + 3) // 4 * 4 - (len(place.value) + 3) // 4 * 4
    if grown:
        place.stream.edit(place.offset - 8, 4, struct.pack("!I", place.cred_len + grown))


def apply_edits(streams):
    for s in streams:
        s.apply()


@mutation
def verifiers(cap, seed=1):
    """other boot verifiers of the clients (some minutes earlier each)"""

    def new(old):
        if old == b"\xff" * 8:
            return old
        back = 60 + int.from_bytes(seeded(seed, "verifier", old, 2), "big") % 3600
        return struct.pack("!Q", (int.from_bytes(old, "big") - back * 10**9) % (1 << 64))

    return _edit_verifiers(cap, new)


def _edit_verifiers(cap, new):
    packets = packets_of(cap)
    streams = streams_of(packets)
    for place in nfs.find_names(streams).verifiers:
        place.stream.edit(place.offset, 8, new(place.value))
    apply_edits(streams)
    return rebuild(cap, packets)


@mutation
def xids(cap, seed=1):
    """other transaction IDs"""
    packets = packets_of(cap)
    streams = streams_of(packets)
    mask = int.from_bytes(seeded(seed, "xid", b"", 4), "big")
    for place in nfs.find_names(streams).xids:
        new = int.from_bytes(place.value, "big") ^ mask
        place.stream.edit(place.offset, 4, struct.pack("!I", new))
    apply_edits(streams)
    return rebuild(cap, packets)


# -- the server ----------------------------------------------------------------------------------


def replace_ids(cap, new_clientid, new_sessionid=None):
    """Replaces client IDs wherever they are (session IDs and state IDs of nfsd begin with them)."""
    packets = packets_of(cap)
    streams = streams_of(packets)
    names = nfs.find_names(streams)
    ids = names.clientids | {s[:8] for s in names.sessionids}
    table = {old: new_clientid(old) for old in ids if any(old)}
    if new_sessionid is not None:
        table.update({old: new_sessionid(old) for old in names.sessionids})
    if table:
        longest = sorted(table, key=lambda old: (-len(old), old))
        replace_bytes(streams, re.compile(b"|".join(map(re.escape, longest)), re.S), table)
        apply_edits(streams)
    return rebuild(cap, packets)


@mutation
def clientids(cap, seed=1):
    """other counters in the client IDs of Linux nfsd, the boot time kept"""
    step = int.from_bytes(seeded(seed, "clientid", b"", 2), "big")

    def new(old):
        boot, counter = struct.unpack("<II", old)
        return struct.pack("<II", boot, (counter + step) & 0xFFFFFFFF)

    return replace_ids(cap, new)


@mutation
def other_server(cap, seed=1):
    """client and session IDs as no Linux nfsd makes them: no boot time can be read"""
    return replace_ids(
        cap,
        lambda old: seeded(seed, "clientid", old, 8),
        lambda old: seeded(seed, "sessionid", old, 16),
    )


@mutation
def clock(cap, seconds=-200000, embedded=1):
    """other stamps; embedded: the boot times in verifiers and client IDs move, too"""
    frames = [Frame(f.t + seconds * 10**9, f.data, f.wire) for f in cap.frames]
    cap = with_frames(cap, frames)
    if not embedded:
        return cap

    def new_id(old):
        boot, counter = struct.unpack("<II", old)
        return struct.pack("<II", (boot + seconds) & 0xFFFFFFFF, counter)

    def new_verifier(old):
        if old == b"\xff" * 8:
            return old
        return struct.pack("!Q", (int.from_bytes(old, "big") + seconds * 10**9) % (1 << 64))

    return _edit_verifiers(replace_ids(cap, new_id), new_verifier)


# -- what the capture kept -----------------------------------------------------------------------


@mutation
def snap(cap, size=96):
    """a snap length"""
    frames = [Frame(f.t, f.data[:size], f.wire) for f in cap.frames]
    return with_frames(cap, frames, snaplen=size)


@mutation
def loss(cap, percent=2, seed=1):
    """frames that the capture lost, at random"""
    rng = random.Random(seed)
    return with_frames(cap, [f for f in cap.frames if rng.random() * 100 >= percent])


@mutation
def sample(cap, every=10, first=0):
    """one packet of so many, as a switch that samples hands them on"""
    return with_frames(cap, cap.frames[first::every])


@mutation
def copies(cap, ms=2):
    """each frame once more, so many milliseconds later, as two mirrors of one way give them"""
    later = [Frame(f.t + ms * 1_000_000, f.data, f.wire) for f in cap.frames]
    return with_frames(cap, sorted([*cap.frames, *later], key=lambda f: f.t))


@mutation
def reorder(cap, percent=5, seed=1):
    """frames that change places with the next one, at random, where they are close together"""
    # Moved by seconds, a reply would truly be late in the evidence: another incident.
    near_ns = 100_000_000
    rng, frames = random.Random(seed), [f.copy() for f in cap.frames]
    for i in range(len(frames) - 1):
        a, b = frames[i], frames[i + 1]
        if rng.random() * 100 < percent and b.t - a.t < near_ns:
            a.t, b.t = b.t, a.t
            frames[i], frames[i + 1] = b, a
    return with_frames(cap, frames)


@mutation
def duplicate(cap, percent=5, seed=1):
    """frames captured twice, at random"""
    rng, frames = random.Random(seed), []
    for f in cap.frames:
        frames.append(f)
        if rng.random() * 100 < percent:
            frames.append(Frame(f.t + 1000, f.data, f.wire))
    frames.sort(key=lambda f: f.t)
    return with_frames(cap, frames)


@mutation
def one_direction(cap, which="calls", port=2049):
    """only one direction: calls (to the server's port) or replies"""

    def keep(frame):
        p = parse(frame, cap.linktype)
        return p is None or (p.dport == port) == (which == "calls")

    return with_frames(cap, [f for f in cap.frames if keep(f)])


@mutation
def cut(cap, start=0, end=0):
    """so many percent of the frames missing at the start and at the end"""
    n = len(cap.frames)
    return with_frames(cap, cap.frames[n * start // 100 : n - n * end // 100])


@mutation
def no_syn(cap):
    """the handshakes are missing: the capture joins connections in the middle"""
    packets = packets_of(cap)
    keep = [f for f, p in zip(cap.frames, packets) if p is None or p.proto != TCP or not p.flags & SYN]
    return with_frames(cap, keep)


@mutation
def resegment(cap, size=100):
    """TCP data cut into segments of so many bytes"""
    frames = []
    for frame, p in zip(cap.frames, packets_of(cap)):
        if p is None or p.proto != TCP or p.missing or len(p.payload) <= size:
            frames.append(frame)
            continue
        for at in range(0, len(p.payload), size):
            part = p.copy()
            part.payload = p.payload[at : at + size]
            part.seq = (p.seq + at) & 0xFFFFFFFF
            part.t = p.t + at
            frames.append(build(part, cap.linktype))
    return with_frames(cap, frames)


# -- the form of the file ------------------------------------------------------------------------


LINKS = {"ethernet": ETHERNET, "vlan": ETHERNET, "sll": SLL, "sll2": SLL2, "raw": RAW}

# What stands between the outer IPv4 header, of this protocol, and the inner Ethernet or IP.
TUNNELS = {
    "vxlan": (17, 4789, b"\x08\0\0\0\0\0\x2a\0", True),
    "geneve": (17, 6081, b"\x01\0\x65\x58\0\0\x2a\0\x01\x02\x03\0", True),
    "gre": (47, 0, b"\x20\0\x08\0\0\0\0\x07", False),
    "erspan": (47, 0, b"\x10\0\x88\xbe\0\0\0\1\x10\x01\0\1\0\0\0\0", True),
    "ipip": (4, 0, b"", False),
}


@mutation
def link(cap, kind="sll"):
    """another link type: ethernet, vlan, sll, sll2, raw, or a tunnel in IPv4 over Ethernet: vxlan, geneve,
    gre, erspan, ipip; frames that are neither TCP nor UDP go"""
    frames = []
    for p in packets_of(cap):
        if p is not None:
            p.vlan = 42 if kind == "vlan" else None
            frames.append(build(p, LINKS.get(kind, ETHERNET)))
            if kind in TUNNELS:
                frames[-1] = wrap(frames[-1], *TUNNELS[kind])
    return with_frames(cap, frames, linktype=LINKS.get(kind, ETHERNET))


def wrap(frame, proto, port, head, bridged):
    """The frame of Ethernet in a tunnel between two other hosts."""
    inner, wire = frame.data, frame.wire
    if not bridged:
        if inner[12:14] == b"\x86\xdd":
            head = head.replace(b"\x08\0", b"\x86\xdd")
            proto = 41 if proto == 4 else proto
        inner, wire = inner[14:], wire - 14
    size = wire + len(head)
    if proto == 17:
        head = struct.pack("!HHHH", 50000, port, 8 + size, 0) + head
        size += 8
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + size, 0, 0x4000, 63, proto, 0,
                     b"\xc6\x33\x64\x07", b"\xc6\x33\x64\x08")  # fmt: skip
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    data = b"\x02\0\0\0\0\x08\x02\0\0\0\0\x07\x08\0" + ip + head + inner
    return Frame(frame.t, data, len(data) + wire - len(inner))


@mutation
def pcapng(cap, big_endian=0):
    """written as pcapng"""
    return with_frames(cap, cap.frames, form="pcapng", big_endian=bool(big_endian))


@mutation
def big_endian(cap):
    """written by a big-endian machine"""
    return with_frames(cap, cap.frames, big_endian=True)


@mutation
def nanoseconds(cap):
    """stamps in nanoseconds"""
    return with_frames(cap, cap.frames, nanoseconds=True)
