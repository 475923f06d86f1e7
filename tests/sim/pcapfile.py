# SPDX-License-Identifier: GPL-2.0-or-later
"""Capture files: pcap and pcapng, read and written, plain or compressed with gzip or xz.

A frame is its stamp in nanoseconds since 1970, its captured bytes and its length on the wire.
Only what tests need: one interface a file; other pcapng blocks are skipped.
"""
import gzip
import lzma
import struct
from dataclasses import dataclass, field

ETHERNET, RAW, SLL, SLL2 = 1, 101, 113, 276

_US_MAGIC, _NS_MAGIC, _NG_MAGIC = 0xA1B2C3D4, 0xA1B23C4D, 0x0A0D0D0A


class Frame:
    """One captured frame: t (ns since 1970), data (captured bytes), wire (bytes on the wire)."""

    __slots__ = ("t", "data", "wire")

    def __init__(self, t, data, wire=None):
        self.t = t
        self.data = data
        self.wire = len(data) if wire is None else wire

    def copy(self):
        return Frame(self.t, self.data, self.wire)


@dataclass
class Capture:
    """A capture in memory and the form in which it is written."""

    linktype: int = ETHERNET
    frames: list = field(default_factory=list)
    snaplen: int = 262144
    form: str = "pcap"  # or "pcapng"
    nanoseconds: bool = False
    big_endian: bool = False


def open_any(path, mode="rb"):
    """Opens a file by its suffix: .gz and .xz are (de)compressed, always to the same bytes."""
    if path.endswith(".gz"):
        if "w" in mode:
            return gzip.GzipFile(path, mode, mtime=0)
        return gzip.open(path, mode)
    if path.endswith(".xz"):
        return lzma.open(path, mode)
    return open(path, mode)


def read(path):
    """Reads a whole capture; ValueError when it is none."""
    with open_any(str(path)) as f:
        data = f.read()
    if len(data) < 24:
        raise ValueError(f"{path}: no capture")
    (magic,) = struct.unpack_from("<I", data)
    if magic == _NG_MAGIC:
        return _read_pcapng(data)
    for order in "<", ">":
        (magic,) = struct.unpack_from(order + "I", data)
        if magic in (_US_MAGIC, _NS_MAGIC):
            return _read_pcap(data, order, 1 if magic == _NS_MAGIC else 1000)
    raise ValueError(f"{path}: no capture")


def _read_pcap(data, order, unit_ns):
    snaplen, linktype = struct.unpack_from(order + "II", data, 16)
    cap = Capture(linktype & 0xFFFF, [], snaplen, "pcap", unit_ns == 1, order == ">")
    head = struct.Struct(order + "IIII")
    off = 24
    while off + 16 <= len(data):
        sec, frac, incl, wire = head.unpack_from(data, off)
        off += 16
        cap.frames.append(Frame(sec * 10**9 + frac * unit_ns, data[off : off + incl], wire))
        off += incl
    return cap


def _read_pcapng(data):
    cap = Capture(form="pcapng")
    order, unit_ns, off = "<", 1000, 0
    while off + 12 <= len(data):
        if data[off : off + 4] == b"\n\r\r\n":
            order = "<" if data[off + 8 : off + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            cap.big_endian = order == ">"
        kind, total = struct.unpack_from(order + "II", data, off)
        body = data[off + 8 : off + total - 4]
        if kind == 1:
            cap.linktype, cap.snaplen = struct.unpack_from(order + "HxxI", body)
            unit_ns = _resolution(body[8:], order)
            cap.nanoseconds = unit_ns == 1
        elif kind == 6:
            _, hi, lo, incl, wire = struct.unpack_from(order + "IIIII", body)
            cap.frames.append(Frame((hi << 32 | lo) * unit_ns, body[20 : 20 + incl], wire))
        off += max(total, 12)
    return cap


def _resolution(options, order):
    """The unit of an interface's stamps in nanoseconds; only decimal ones down to 1 ns."""
    off = 0
    while off + 4 <= len(options):
        code, size = struct.unpack_from(order + "HH", options, off)
        if code == 9:
            return 10 ** (9 - options[off + 4])
        off += 4 + (size + 3) // 4 * 4
    return 1000


def write(path, cap):
    with open_any(str(path), "wb") as f:
        f.write(file_header(cap))
        for frame in cap.frames:
            f.write(record(cap, frame))


def to_bytes(cap):
    return file_header(cap) + b"".join(record(cap, f) for f in cap.frames)


def file_header(cap):
    order = ">" if cap.big_endian else "<"
    if cap.form == "pcap":
        magic = _NS_MAGIC if cap.nanoseconds else _US_MAGIC
        return struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, cap.snaplen, cap.linktype)
    section = struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)
    resolution = struct.pack(order + "HHB3xHH", 9, 1, 9 if cap.nanoseconds else 6, 0, 0)
    interface = struct.pack(order + "HHI", cap.linktype, 0, cap.snaplen) + resolution
    return _block(order, _NG_MAGIC, section) + _block(order, 1, interface)


def record(cap, frame):
    """One frame as the bytes of its record in the file."""
    order = ">" if cap.big_endian else "<"
    unit = 1 if cap.nanoseconds else 1000
    if cap.form == "pcap":
        sec, ns = divmod(frame.t, 10**9)
        head = struct.pack(order + "IIII", sec, ns // unit, len(frame.data), frame.wire)
        return head + frame.data
    stamp = frame.t // unit
    head = struct.pack(
        order + "IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF, len(frame.data), frame.wire
    )
    return _block(order, 6, head + frame.data)


def _block(order, kind, body):
    body += bytes(-len(body) % 4)
    total = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + total + body + total
