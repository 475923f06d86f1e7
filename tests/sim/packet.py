# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP and UDP packets taken apart and put together again, with correct lengths and checksums.

parse() gives None for what is neither (ARP, ICMP, fragments): such frames are carried as they are.
build() makes the frame for the link type asked for. A TCP checksum that the sender's card had yet
to fill in (the sum of the pseudo header alone) stays so: it tells where a capture was taken.
"""
import struct

from .pcapfile import ETHERNET, RAW, SLL, SLL2, Frame

TCP, UDP = 6, 17
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


class Packet:
    """A TCP or UDP packet. `missing` counts payload bytes that the capture did not keep."""

    __slots__ = (
        "t", "macs", "vlan", "src", "dst", "ttl", "ident", "proto", "sport", "dport",
        "seq", "ack", "flags", "window", "options", "payload", "missing", "sum_unfilled",
    )  # fmt: skip

    def __init__(self, t, src, dst, proto, sport, dport, payload=b"", **more):
        self.t, self.src, self.dst, self.proto = t, src, dst, proto
        self.sport, self.dport, self.payload = sport, dport, payload
        self.macs = (b"\x52\x54\0\2" + dst[-2:], b"\x52\x54\0\2" + src[-2:])
        self.vlan = None
        self.ttl, self.ident, self.missing = 64, 0, 0
        self.seq = self.ack = self.flags = 0
        self.window, self.options, self.sum_unfilled = 502, b"", False
        for name, value in more.items():
            setattr(self, name, value)

    @property
    def length(self):
        """Payload bytes on the wire."""
        return len(self.payload) + self.missing

    def copy(self):
        new = Packet.__new__(Packet)
        for name in Packet.__slots__:
            setattr(new, name, getattr(self, name))
        return new


def parse(frame, linktype):
    """The TCP or UDP packet in a frame, or None."""
    link = _parse_link(frame.data, linktype)
    if link is None:
        return None
    macs, vlan, ethertype, off = link
    data = frame.data
    if ethertype == 0x0800 and len(data) >= off + 20:
        size, ident, frag, ttl, proto = struct.unpack_from("!HHHBB", data, off + 2)
        if frag & 0x3FFF:
            return None
        src, dst = data[off + 12 : off + 16], data[off + 16 : off + 20]
        l4 = off + (data[off] & 15) * 4
        end = off + size
    elif ethertype == 0x86DD and len(data) >= off + 40:
        size, proto, ttl = struct.unpack_from("!HBB", data, off + 4)
        ident, src, dst = 0, data[off + 8 : off + 24], data[off + 24 : off + 40]
        l4 = off + 40
        end = l4 + size
    else:
        return None
    need = 20 if proto == TCP else 8
    if proto not in (TCP, UDP) or len(data) < l4 + need:
        return None
    pkt = Packet(frame.t, src, dst, proto, 0, 0, macs=macs, vlan=vlan, ttl=ttl, ident=ident)
    return _parse_l4(pkt, data, l4, end)


def _parse_link(data, linktype):
    """(MAC addresses, VLAN or None, EtherType, offset of the IP header), or None."""
    if linktype == ETHERNET and len(data) >= 14:
        ethertype, off, vlan = struct.unpack_from("!H", data, 12)[0], 14, None
        if ethertype == 0x8100 and len(data) >= 18:
            vlan, ethertype = struct.unpack_from("!HH", data, 14)
            off = 18
        return (data[:6], data[6:12]), vlan, ethertype, off
    none = (bytes(6), bytes(6))
    if linktype == SLL and len(data) >= 16:
        return none, None, struct.unpack_from("!H", data, 14)[0], 16
    if linktype == SLL2 and len(data) >= 20:
        return none, None, struct.unpack_from("!H", data, 0)[0], 20
    if linktype == RAW and data:
        return none, None, {4: 0x0800, 6: 0x86DD}.get(data[0] >> 4, 0), 0
    return None


def _parse_l4(pkt, data, l4, end):
    if pkt.proto == UDP:
        pkt.sport, pkt.dport, _, check = struct.unpack_from("!HHHH", data, l4)
        body = l4 + 8
    else:
        (pkt.sport, pkt.dport, pkt.seq, pkt.ack, off, pkt.flags, pkt.window, check) = (
            struct.unpack_from("!HHIIBBHH", data, l4)
        )
        body = l4 + (off >> 4) * 4
        if body > len(data):
            return None
        pkt.options = data[l4 + 20 : body]
    pkt.payload = data[body:end]
    pkt.missing = max(0, end - body - len(pkt.payload))
    pkt.sum_unfilled = check == fold(pseudo_sum(pkt, end - l4))
    return pkt


def pseudo_sum(pkt, size):
    return int.from_bytes(pkt.src + pkt.dst, "big") + pkt.proto + size


def fold(total):
    """A sum of big-endian 16-bit words folded to 16 bits (65536 is 1 modulo 65535)."""
    return total % 65535 or (65535 if total else 0)


def checksum(data, start=0):
    if len(data) & 1:
        data += b"\0"
    return fold(int.from_bytes(data, "big") + start) ^ 0xFFFF


def build(pkt, linktype=ETHERNET):
    """The frame of a packet; bytes that the capture did not keep stay missing."""
    l4 = _build_l4(pkt)
    size = len(l4) + pkt.missing
    if len(pkt.src) == 4:
        head = struct.pack(
            "!BBHHHBBH", 0x45, 0, 20 + size, pkt.ident, 0x4000, pkt.ttl, pkt.proto, 0
        )
        head += pkt.src + pkt.dst
        head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        ethertype = 0x0800
    else:
        head = struct.pack("!IHBB", 0x60000000, size, pkt.proto, pkt.ttl) + pkt.src + pkt.dst
        ethertype = 0x86DD
    data = _build_link(pkt, linktype, ethertype) + head + l4
    return Frame(pkt.t, data, len(data) + pkt.missing)


def _build_l4(pkt):
    if pkt.proto == UDP:
        head = struct.pack("!HHHH", pkt.sport, pkt.dport, 8 + pkt.length, 0)
        at = 6
    else:
        options = pkt.options + b"\1" * (-len(pkt.options) % 4)
        words = (20 + len(options)) // 4
        head = struct.pack(
            "!HHIIBBHHH", pkt.sport, pkt.dport, pkt.seq & 0xFFFFFFFF, pkt.ack & 0xFFFFFFFF,
            words << 4, pkt.flags, pkt.window, 0, 0,
        ) + options  # fmt: skip
        at = 16
    data = head + pkt.payload
    pseudo = pseudo_sum(pkt, len(data) + pkt.missing)
    check = fold(pseudo) if pkt.sum_unfilled else checksum(data, pseudo)
    if pkt.proto == UDP and check == 0:
        check = 0xFFFF
    return data[:at] + struct.pack("!H", check) + data[at + 2 :]


def _build_link(pkt, linktype, ethertype):
    if linktype == ETHERNET:
        tag = b"" if pkt.vlan is None else struct.pack("!HH", 0x8100, pkt.vlan)
        return pkt.macs[0] + pkt.macs[1] + tag + struct.pack("!H", ethertype)
    if linktype == SLL:
        return struct.pack("!HHH", 0, 1, 6) + pkt.macs[1] + bytes(2) + struct.pack("!H", ethertype)
    if linktype == SLL2:
        return struct.pack("!HHIHBB", ethertype, 0, 2, 1, 0, 6) + pkt.macs[1] + bytes(2)
    if linktype == RAW:
        return b""
    raise ValueError(f"link type {linktype} is not known")
