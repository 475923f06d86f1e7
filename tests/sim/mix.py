# SPDX-License-Identifier: GPL-2.0-or-later
"""Larger captures from small ones: the same traffic again and again, healthy clients mixed in."""
import functools
import heapq
import struct

from . import mutations as m
from . import nfs
from .packet import parse
from .pcapfile import Frame, read
from .stream import streams_of

NFS_PORT = 2049
OTHER_SERVER = bytes([203, 0, 113, 10])


def server_of(cap):
    """The address that most TCP packets to port 2049 go to, or None."""
    count = {}
    for p in m.packets_of(cap):
        if p is not None and p.dport == NFS_PORT:
            count[p.dst] = count.get(p.dst, 0) + 1
    return max(sorted(count), key=count.get) if count else None


def boot_time_of(cap):
    """The boot time in the client IDs of a Linux nfsd: the commonest first four bytes, or None."""
    names = nfs.find_names(streams_of(m.packets_of(cap)))
    count = {}
    for i in names.clientids | {s[:8] for s in names.sessionids}:
        count[i[:4]] = count.get(i[:4], 0) + 1
    return max(sorted(count), key=count.get) if count else None


def span(cap):
    """Nanoseconds from the first frame to the latest."""
    return max(f.t for f in cap.frames) - cap.frames[0].t if cap.frames else 0


@m.mutation
def repeat(cap, times=100, gap=200, worlds=0, period=0):
    """the same traffic so many times, `gap` seconds apart: new ports, XIDs and client IDs; worlds:
    each time between other hosts; period: nanoseconds from one to the next instead of `gap`, for
    captures that were taken at once"""
    if not cap.frames:
        return cap
    period = period or span(cap) + gap * 10**9
    frames = []
    for i in range(times):
        new = shifted(cap, i, i * period)
        frames += (m.addresses(new, seed=i) if worlds and i else new).frames
    return m.with_frames(cap, frames)


def shifted(cap, i, by_ns):
    """The i-th repetition: later, from other client ports, with other XIDs and client IDs."""
    if i == 0:
        return cap
    packets = m.packets_of(cap)
    streams = streams_of(packets)
    names = nfs.find_names(streams)
    for place in names.xids:
        new = int.from_bytes(place.value, "big") + i * 0x01000193 & 0xFFFFFFFF
        place.stream.edit(place.offset, 4, struct.pack("!I", new))
    m.apply_edits(streams)
    for p in packets:
        if p is not None:
            p.t += by_ns
            p.sport, p.dport = _port(p.sport, i), _port(p.dport, i)
    kept = [(f, p) for f, p in zip(cap.frames, packets) if p is not None]
    new = m.with_frames(cap, [f for f, _ in kept])
    new = m.rebuild(new, [p for _, p in kept])
    if not _of_nfsd(names):
        return new
    step = 2 * len(names.clientids) + 16

    def new_id(old):
        boot, counter = struct.unpack("<II", old)
        return struct.pack("<II", boot, (counter + i * step) & 0xFFFFFFFF)

    return m.replace_ids(new, new_id)


def _of_nfsd(names):
    """Whether session IDs begin with client IDs, as those of Linux nfsd do (or none is seen)."""
    return not names.sessionids or any(s[:8] in names.clientids for s in names.sessionids)


def _port(port, i):
    """Client ports move within the reserved ones or the high ones; servers' ports stay."""
    if port in (111, NFS_PORT, 20049, 3049):
        return port
    low, high = (665, 1024) if port < 1024 else (32768, 61000)
    return low + (port - low + 101 * i) % (high - low)


def merge(cap, others):
    """Several captures as one, in the order of their stamps; all have the link type of `cap`."""
    key = lambda f: f.t
    return m.with_frames(cap, list(heapq.merge(cap.frames, *(o.frames for o in others), key=key)))


@m.mutation
def healthy(cap, source, clients=10, seed=1, same_server=1):
    """healthy clients of the capture `source` mixed in: other addresses, names and
    verifiers, at the same server or at another one"""
    server, boot = server_of(cap), boot_time_of(cap)
    if not same_server or server is None:
        server, boot = OTHER_SERVER, None
    begin, end = cap.frames[0].t, cap.frames[-1].t
    others = []
    for i in range((clients + 1) // 2):
        pair = _healthy_pair(source, seed * 1000 + i, server, boot, i)
        late = begin + i * 50_000_000 - pair.frames[0].t
        frames = [Frame(f.t + late, f.data, f.wire) for f in pair.frames if f.t + late <= end]
        others.append(m.with_frames(cap, frames))
    return merge(cap, others)


@functools.lru_cache(maxsize=32)  # the same ones are wanted again and again; not to be changed
def _healthy_pair(source, seed, server, boot, i):
    """The healthy capture with its two clients turned into two others, at this server."""
    return _move_server(_other_clients(read(source), seed), server, boot, i)


def _other_clients(base, seed):
    server = server_of(base)
    new = m.xids(m.verifiers(m.owners(base, seed=seed), seed=seed), seed=seed)

    def change(p):
        for side in "src", "dst":
            addr = getattr(p, side)
            if addr != server:
                setattr(p, side, b"\x0a\x63" + m.seeded(seed, "ip", addr, 2))

    return m.edit_packets(new, change, drop_others=True)


def _move_server(cap, server, boot, i):
    """The traffic as if it went to another server, with its boot time, in its own ID range."""
    old = server_of(cap)

    def change(p):
        p.src = server if p.src == old else p.src
        p.dst = server if p.dst == old else p.dst

    def new_id(old_id):
        counter = struct.unpack("<I", old_id[4:])[0]
        return (boot or old_id[:4]) + struct.pack("<I", (counter + 0x10000 * (i + 1)) & 0xFFFFFFFF)

    cap = m.edit_packets(cap, change)
    return m.replace_ids(cap, new_id)


@m.mutation
def without_client(cap, keep=1):
    """only so many clients (addresses that talk to port 2049), the first by address"""
    seen = sorted({p.src for p in m.packets_of(cap) if p is not None and p.dport == NFS_PORT})
    gone = set(seen[keep:])

    def stays(frame):
        p = parse(frame, cap.linktype)
        return p is None or not {p.src, p.dst} & gone

    return m.with_frames(cap, [f for f in cap.frames if stays(f)])
