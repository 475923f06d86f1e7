#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A large capture from small ones: replicate.py KIND MEGABYTES OUT [REAL] (- is standard output).

KIND is mixed: the capture REAL, if there is one, and a quarter of its size or more from the
evidence: NFSv4.1 and 4.2 (A4, healthy, and as much of A1, looping) and NLM (B6), all interleaved
in time, each between hosts of its own. Or alone: only REAL. Such a block is written again, with
later stamps and other addresses, until the size is reached. Where the lower address of a packet
gains what the higher one loses, its checksums stay right. Or ports: only the TCP of REAL, with later
stamps and higher ports of its client; the hosts stay the same.
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
LOCKING = CASES / "B6-v3" / "server" / "capture.pcap.xz"
LOW_NET, HIGH_NET = 0x0A00, 0x7800  # first two octets of the lower and of the higher address
NETS_MAX = (HIGH_NET - LOW_NET) // 2
PORTS_STEP = 1024  # clients have reserved ports
START_S, SPREAD_NS = 1_700_000_000, 1_700_000_000
IP_AT, TCP, UDP = 16 + 14, 6, 17  # offset of the IP header in a pcap record; protocols
_NETS = struct.Struct("!HHHH")
_SECONDS = struct.Struct("<I")
_WORD = struct.Struct("!H")


def before_minor_0(cap):
    """The healthy capture as far as its mounts with 4.2 and 4.1 go."""
    packets = packets_of(cap)
    kept = [(f, p) for f, p in zip(cap.frames, packets) if p is not None]
    cap = rebuild(with_frames(cap, [f for f, _ in kept]), [p for _, p in kept], drop_others=True)
    first = min(
        s.packets[0].t for s in streams_of(packets_of(cap)) for _, data in nfs.records(s)
        if data[4:8] == b"\0\0\0\0" and b"Linux NFSv4.0" in data
    )  # fmt: skip
    return with_frames(cap, [f for f in cap.frames if f.t < first])


def evidence(at_least):
    """Captures of the evidence that weigh at least so many bytes."""
    healthy, looping, locking = before_minor_0(pcapfile.read(HEALTHY)), *map(pcapfile.read, (LOOPING, LOCKING))
    once = [healthy, locking] + [looping] * max(1, _size(healthy) // _size(looping))
    return once * (at_least // sum(map(_size, once)) + 1)


def _size(cap):
    return sum(len(f.data) + 16 for f in cap.frames)


class Block:
    """Records of a pcap file, and where in them are the stamps and addresses to be changed."""

    def __init__(self, captures):
        self.worlds = len(captures)
        self.header = pcapfile.file_header(pcapfile.Capture())
        frames = [
            (f.t - cap.frames[0].t + world * SPREAD_NS, world, f.data, f.wire)
            for world, cap in enumerate(captures) for f in cap.frames if is_plain(f.data)
        ]  # fmt: skip
        frames.sort(key=lambda f: f[0])
        self.seconds = frames[-1][0] // 10**9 + 1
        self.data, self.rows = bytearray(), []
        for t, world, data, wire in frames:
            sec, ns = divmod(t, 10**9)
            self.rows.append((len(self.data), sec, *_places(data, world)))
            self.data += struct.pack("<IIII", 0, ns // 1000, len(data), wire) + data
            _move(self.data, self.rows[-1])

    def write(self, out, number):
        """Writes the block with addresses and stamps of its own."""
        data, stamp, nets = self.data, _SECONDS.pack_into, _NETS.pack_into
        late, more = START_S + number * self.seconds, number * self.worlds
        if more + self.worlds > NETS_MAX:
            raise SystemExit(f"replicate.py: no more than {NETS_MAX} networks")
        for at, sec, sign, src, src_host, dst, dst_host in self.rows:
            stamp(data, at, sec + late)
            by = more * sign
            nets(data, at + IP_AT + 12, src + by, src_host, dst - by, dst_host)
        return out.write(data)


class PortsBlock:
    """The same, where a replica is more connections of the same hosts, from other ports of the client."""

    def __init__(self, cap):
        self.header = pcapfile.file_header(pcapfile.Capture())
        frames = [f for f in cap.frames if is_plain(f.data) and f.data[23] == TCP and len(f.data) >= _tcp_at(f.data) + 20]
        servers = {_target(f.data) for f in frames if f.data[_tcp_at(f.data) + 13] & 0x12 == 2}  # of a SYN
        self.seconds = (frames[-1].t - frames[0].t) // 10**9 + 1
        self.data, self.rows = bytearray(), []
        for f in frames:
            sec, ns = divmod(f.t - frames[0].t, 10**9)
            at, tcp = len(self.data), len(self.data) + 16 + _tcp_at(f.data)
            self.data += struct.pack("<IIII", 0, ns // 1000, len(f.data), f.wire) + f.data
            port_at, sum_at = tcp if _target(f.data) in servers else tcp + 2, tcp + 16
            self.rows.append((at, sec, port_at, self._word(port_at), sum_at, self._word(sum_at)))
        if max(row[3] for row in self.rows) >= PORTS_STEP:
            raise SystemExit("replicate.py: ports: the client's ports must be reserved ones")

    def _word(self, at):
        return _WORD.unpack_from(self.data, at)[0]

    def write(self, out, number):
        data, stamp, word = self.data, _SECONDS.pack_into, _WORD.pack_into
        late, more = START_S + number * self.seconds, number * PORTS_STEP
        if more + PORTS_STEP > 65536:
            raise SystemExit("replicate.py: no ports are left")
        for at, sec, port_at, port, sum_at, old_sum in self.rows:
            stamp(data, at, sec + late)
            word(data, port_at, port + more)
            word(data, sum_at, _summed(old_sum, more))
        return out.write(data)


def _tcp_at(data):
    return 14 + (data[14] & 15) * 4


def _target(data):
    """Address and port that a packet goes to."""
    return data[30:34] + data[_tcp_at(data) + 2 : _tcp_at(data) + 4]


def _summed(old_sum, by):
    """The Internet checksum of data that grew by so much in one of its words."""
    return (((old_sum ^ 0xFFFF) + by) % 65535 or 65535) ^ 0xFFFF


def is_plain(data):
    """An unfragmented IPv4 packet of TCP or UDP."""
    return (
        len(data) > 34 and data[12:14] == b"\x08\0" and data[23] in (TCP, UDP)
        and not (data[20] & 0x3F or data[21])
    )  # fmt: skip


def _places(data, world):
    """(sign, source net, source host, destination net, destination host) of a packet in block 0."""
    _, src_host, _, dst_host = _NETS.unpack_from(data, IP_AT - 16 + 12)
    low, high = LOW_NET + world, HIGH_NET - world
    if data[26:30] < data[30:34]:
        return 1, low, src_host, high, dst_host
    return -1, high, src_host, low, dst_host


def _move(data, row):
    """Gives the last packet of data its first addresses, and mends its checksums."""
    ip, nets = row[0] + IP_AT, row[3:]
    old = _NETS.unpack_from(data, ip + 12)
    by = nets[0] + nets[2] - old[0] - old[2]
    _NETS.pack_into(data, ip + 12, *nets)
    transport = ip + (data[ip] & 15) * 4
    is_tcp = data[ip + 9] == TCP
    for at in (ip + 10, transport + (16 if is_tcp else 6)):
        if at + 2 > len(data):
            continue
        (old_sum,) = struct.unpack_from("!H", data, at)
        if old_sum or is_tcp:  # UDP has 0 for none
            _WORD.pack_into(data, at, _summed(old_sum, by))


def captures(kind, real):
    own = [pcapfile.read(real)] if real else []
    return own if kind == "alone" else own + evidence(_size(own[0]) // 4 if own else 0)


def main():
    kind, size, out, real = sys.argv[1], float(sys.argv[2]) * 1e6, sys.argv[3], (sys.argv[4:] or [None])[0]
    block = PortsBlock(pcapfile.read(real)) if kind == "ports" else Block(captures(kind, real))
    written, number = 0, 0
    with (sys.stdout.buffer if out == "-" else open(out, "wb")) as f:
        f.write(block.header)
        while written < size:
            written += block.write(f, number)
            number += 1


if __name__ == "__main__":
    main()
