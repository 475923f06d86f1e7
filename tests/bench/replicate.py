#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A large capture from the evidence: replicate.py MEGABYTES OUT (- is standard output).

A block is a healthy NFSv4.1 and 4.2 capture (A4) and as many looping ones (A1) as weigh the same,
interleaved in time, each between hosts of its own. Blocks follow each other with later stamps,
other addresses and other XIDs, until the size is reached. Checksums are right.
"""
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from sim import nfs, pcapfile  # noqa: E402
from sim.mutations import packets_of, rebuild, with_frames  # noqa: E402
from sim.stream import streams_of  # noqa: E402

CASES = pathlib.Path(__file__).resolve().parent.parent / "cases"
HEALTHY = CASES / "A4-all" / "server" / "capture.pcap.xz"
LOOPING = CASES / "A1-v42-soft" / "server" / "capture.pcap.xz"
NET_BASE = 0x0A00  # the first two octets of all addresses: 10.0 and up
ETHERNET_BYTES, IP_BYTES = 14, 20
_FIX = struct.Struct("!HH2sH2s")  # IP checksum, source, destination


def only_tcp(cap):
    packets = packets_of(cap)
    kept = [(f, p) for f, p in zip(cap.frames, packets) if p is not None]
    return rebuild(with_frames(cap, [f for f, _ in kept]), [p for _, p in kept], drop_others=True)


def before_minor_0(cap):
    """The healthy capture as far as its mounts with 4.2 and 4.1 go."""
    packets = packets_of(cap)
    streams = streams_of(packets)
    first = min(
        s.packets[0].t for s in streams for _, data in nfs.records(s)
        if data[4:8] == b"\0\0\0\0" and b"Linux NFSv4.0" in data
    )  # fmt: skip
    return with_frames(cap, [f for f in cap.frames if f.t < first])


class Template:
    """The frames of one block as pcap records, and where in them what is to be changed."""

    def __init__(self):
        healthy, looping = before_minor_0(only_tcp(pcapfile.read(HEALTHY))), only_tcp(pcapfile.read(LOOPING))
        copies = max(1, _size(healthy) // _size(looping))
        parts = [healthy] + [looping] * copies
        self.worlds = len(parts)
        frames = []
        for world, cap in enumerate(parts):
            spread = world * 1_700_000_000
            frames += _places(cap, world, spread - cap.frames[0].t)
        frames.sort(key=lambda f: f[0].t)
        last = frames[-1][0].t
        self.seconds = last // 10**9 + 1
        self.cap = parts[0]
        self._lay_out(frames)

    def _lay_out(self, frames):
        self.data, self.fixes = bytearray(), []
        for frame, world, xids in frames:
            at = len(self.data)
            self.data += pcapfile.record(self.cap, frame)
            ip = at + 16 + ETHERNET_BYTES
            tcp = ip + (self.data[ip] & 15) * 4
            (ip_sum,) = struct.unpack_from("!H", self.data, ip + 10)
            (tcp_sum,) = struct.unpack_from("!H", self.data, tcp + 16)
            words = struct.unpack_from("!HHHH", self.data, ip + 12)
            gone = words[0] + words[2]
            self.fixes.append((
                at, frame.t // 10**9, world, ip + 10, (ip_sum ^ 0xFFFF) - gone,
                bytes(self.data[ip + 14 : ip + 16]), bytes(self.data[ip + 18 : ip + 20]),
                tcp + 16, (tcp_sum ^ 0xFFFF) - gone,
                [(at + 16 + x, struct.unpack_from("!H", self.data, at + 16 + x)[0]) for x in xids],
            ))  # fmt: skip

    def block(self, number, start_s):
        """The bytes of one block: its own addresses, stamps and XIDs."""
        data = bytearray(self.data)
        pack, fix, base = struct.pack_into, _FIX.pack_into, NET_BASE + number * self.worlds
        late, turn = start_s + number * self.seconds, number * 257
        for at, sec, world, ip_at, ip_sum, src, dst, tcp_at, tcp_sum, xids in self.fixes:
            pack("<I", data, at, sec + late)
            net = base + world
            fix(data, ip_at, _unfold(ip_sum + 2 * net), net, src, net, dst)
            tcp_sum += 2 * net
            for place, old in xids:
                new = (old + turn) & 0xFFFF
                pack("!H", data, place, new)
                tcp_sum += new - old
            pack("!H", data, tcp_at, _unfold(tcp_sum))
        return data


def _unfold(total):
    """The checksum for a sum of 16-bit words that is not zero."""
    return (total % 65535 or 65535) ^ 0xFFFF


def _size(cap):
    return sum(len(f.data) + 16 for f in cap.frames)


def _places(cap, world, by_ns):
    """(frame, world, offsets of the XIDs in it) for each frame, moved in time."""
    packets = packets_of(cap)
    at = {id(p): [] for p in packets}
    for s in streams_of(packets):
        marks = {mark + 4 for mark, _ in nfs.records(s)}
        for p in s.packets:
            begin = s.offset(p.seq)
            head = ETHERNET_BYTES + IP_BYTES + 20 + len(p.options)
            at[id(p)] = [head + m - begin for m in marks if begin <= m <= begin + len(p.payload) - 4]
    for frame, p in zip(cap.frames, packets):
        yield pcapfile.Frame(frame.t + by_ns, frame.data, frame.wire), world, sorted(at[id(p)])


def main():
    size, out = float(sys.argv[1]) * 1e6, sys.argv[2]
    template, written, number = Template(), 0, 0
    start_s = 1_700_000_000
    with (sys.stdout.buffer if out == "-" else open(out, "wb")) as f:
        f.write(pcapfile.file_header(template.cap))
        while written < size:
            written += f.write(template.block(number, start_s))
            number += 1


if __name__ == "__main__":
    main()
