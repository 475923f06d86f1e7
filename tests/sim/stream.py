# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP streams of a capture: their bytes in order, and edits of them written back to the packets.

An edit may change the length: sequence numbers, acknowledgements and SACK edges of the connection
are then moved, and every copy of a segment (retransmissions too) gets its part of the new bytes.
"""
import bisect
import struct

from .packet import ACK, SYN, TCP


class Stream:
    """One direction of one connection. Offsets are relative to the first sequence number seen."""

    def __init__(self, key):
        self.key = key  # (src, sport, dst, dport)
        self.packets = []
        self.base = None
        self.peer = None
        self.from_start = False
        self.edits = []  # (offset, old length, new bytes)

    def offset(self, seq):
        """A sequence number as a signed offset."""
        return ((seq - self.base + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)

    def add(self, pkt):
        if self.base is None or (pkt.flags & SYN and not self.from_start):
            self.base = (pkt.seq + (1 if pkt.flags & SYN else 0)) & 0xFFFFFFFF
            self.from_start = bool(pkt.flags & SYN)
        self.packets.append(pkt)

    def runs(self):
        """Stretches without a gap: [(offset, bytes)], in order."""
        out = []
        parts = sorted(
            ((self.offset(p.seq), p.payload) for p in self.packets if p.payload and not p.flags & SYN),
            key=lambda part: (part[0], -len(part[1])),
        )
        for off, data in parts:
            if out and off <= out[-1][0] + len(out[-1][1]):
                fresh = out[-1][0] + len(out[-1][1]) - off
                if fresh < len(data):
                    out[-1][1].extend(data[fresh:])
            else:
                out.append((off, bytearray(data)))
        return [(off, bytes(data)) for off, data in out]

    def starts(self):
        """Offsets at which segments begin: where a record may begin after a gap."""
        return {self.offset(p.seq) for p in self.packets if p.payload}

    def edit(self, off, old_len, new):
        self.edits.append((off, old_len, new))

    def apply(self):
        """Writes the edits into the packets of this direction; edits must not overlap."""
        if not self.edits:
            return
        self.edits.sort(key=lambda e: e[0])
        moved = _Map(self.edits)
        new_runs = [(moved(off), self._edited(off, data)) for off, data in self.runs()]
        firsts = [off for off, _ in new_runs]
        for p in self.packets:
            if p.flags & SYN:
                continue
            off = self.offset(p.seq)
            begin, end = moved(off), moved(off + len(p.payload))
            if p.payload:
                run_off, run = new_runs[bisect.bisect_right(firsts, begin) - 1]
                p.payload = run[begin - run_off : end - run_off]
            p.seq = (self.base + begin) & 0xFFFFFFFF
        if self.peer is not None and any(len(new) != old for _, old, new in self.edits):
            for p in self.peer.packets:
                self._move_acks(p, moved)
        self.edits = []

    def _edited(self, run_off, data):
        out, at = [], 0
        for off, old, new in self.edits:
            pos = off - run_off
            if 0 <= pos and pos + old <= len(data):
                out += [data[at:pos], new]
                at = pos + old
        return b"".join(out) + data[at:]

    def _move_acks(self, p, moved):
        if p.flags & ACK:
            p.ack = (self.base + moved(self.offset(p.ack))) & 0xFFFFFFFF
        options, at = bytearray(p.options), 0
        while at < len(options) and options[at]:
            size = 1 if options[at] == 1 else (options[at + 1] if at + 1 < len(options) else 0)
            if size == 0:
                break
            if options[at] == 5:
                for edge in range(at + 2, at + size - 3, 4):
                    (seq,) = struct.unpack_from("!I", options, edge)
                    seq = (self.base + moved(self.offset(seq))) & 0xFFFFFFFF
                    struct.pack_into("!I", options, edge, seq)
            at += size
        p.options = bytes(options)


class _Map:
    """Old offsets to new ones."""

    def __init__(self, edits):
        self.starts = [off for off, _, _ in edits]
        self.edits = edits
        self.deltas, total = [], 0
        for _, old, new in edits:
            self.deltas.append(total)
            total += len(new) - old

    def __call__(self, off):
        i = bisect.bisect_right(self.starts, off) - 1
        if i < 0:
            return off
        start, old, new = self.edits[i]
        if off < start + old:
            return start + self.deltas[i] + min(off - start, len(new))
        return off + self.deltas[i] + len(new) - old


def streams_of(packets):
    """All TCP streams among packets (None and UDP are skipped), both directions linked as peers.

    A SYN with a new sequence number on a known pair of ports begins a new connection.
    """
    live, syns, out = {}, {}, []
    for p in packets:
        if p is None or p.proto != TCP:
            continue
        key, back = (p.src, p.sport, p.dst, p.dport), (p.dst, p.dport, p.src, p.sport)
        if p.flags & SYN and not p.flags & ACK:
            if syns.get(key) not in (None, p.seq) or (key not in syns and key in live):
                live.pop(key, None)
                live.pop(back, None)
            syns[key] = p.seq
        if key not in live:
            live[key] = Stream(key)
            out.append(live[key])
            if back in live:
                live[key].peer, live[back].peer = live[back], live[key]
        live[key].add(p)
    return out


def replace_bytes(streams, pattern, table):
    """Replaces same-length byte strings wherever the compiled pattern finds them in the streams."""
    for s in streams:
        taken = sorted((off, off + old) for off, old, _ in s.edits)
        for run_off, data in s.runs():
            for hit in pattern.finditer(data):
                begin, end = run_off + hit.start(), run_off + hit.end()
                i = bisect.bisect_right(taken, (begin, 1 << 62))
                clash = (i and taken[i - 1][1] > begin) or (i < len(taken) and taken[i][0] < end)
                if not clash and table[hit.group()] != hit.group():
                    s.edit(begin, end - begin, table[hit.group()])
