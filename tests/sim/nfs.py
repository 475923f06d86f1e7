# SPDX-License-Identifier: GPL-2.0-or-later
"""Just enough of RPC and NFSv4 to find who speaks: owners, verifiers, machine names, client IDs.

Fields are given as places in their TCP stream, so that they can be rewritten there. Only the first
operation of a COMPOUND is looked at: all that name a client come first.
"""
import struct
from dataclasses import dataclass, field

NFS_PROGRAM = 100003
OP_RENEW, OP_SETCLIENTID, OP_SETCLIENTID_CONFIRM = 30, 35, 36
OP_EXCHANGE_ID, OP_CREATE_SESSION, OP_DESTROY_SESSION = 42, 43, 44
OP_SEQUENCE, OP_DESTROY_CLIENTID = 53, 57


class Short(Exception):
    """The message ends before the field."""


class Reader:
    """Reads XDR from bytes; Short at the end."""

    def __init__(self, data, pos=0):
        self.data, self.pos = data, pos

    def fixed(self, size):
        if size > len(self.data) - self.pos:
            raise Short
        self.pos += size
        return self.data[self.pos - size : self.pos]

    def u32(self):
        return struct.unpack("!I", self.fixed(4))[0]

    def opaque(self):
        size = self.u32()
        data = self.fixed(size)
        self.fixed(-size % 4)
        return data


@dataclass
class Place:
    """A field in a stream: an opaque (length, bytes, padding) or fixed bytes."""

    stream: object
    offset: int  # of the length word, or of the fixed bytes
    value: bytes
    mark: int  # offset of the record mark; the record is one fragment
    cred_len: int = 0  # of the credential that a machine name is in


@dataclass
class Names:
    """What identifies clients and servers in a capture."""

    owners: list = field(default_factory=list)  # Place
    verifiers: list = field(default_factory=list)  # Place; boot verifiers of clients
    machines: list = field(default_factory=list)  # Place; AUTH_SYS machine names
    clientids: set = field(default_factory=set)  # 8 bytes
    sessionids: set = field(default_factory=set)  # 16 bytes
    xids: list = field(default_factory=list)  # Place


def records(stream):
    """RPC records of a stream as (offset of the mark, bytes after the mark; cut at a gap)."""
    starts = stream.starts()
    for run_off, data in stream.runs():
        at = 0
        while at + 4 <= len(data):
            if run_off + at != 0 and not _plausible(data, at):
                later = sorted(s - run_off for s in starts if at < s - run_off < len(data))
                at = next((s for s in later if _plausible(data, s)), len(data))
                continue
            size = struct.unpack_from("!I", data, at)[0] & 0x7FFFFFFF
            yield run_off + at, data[at + 4 : at + 4 + size]
            at += 4 + size


def _plausible(data, at):
    if len(data) - at < 12:
        return False
    mark, _, kind = struct.unpack_from("!III", data, at)
    if not mark & 0x80000000 or not 20 <= mark & 0x7FFFFFFF <= 1 << 22 or kind > 1:
        return False
    return kind == 1 or data[at + 12 : at + 16] in (b"\0\0\0\2", b"")


def find_names(streams):
    """The Names in all streams."""
    names, calls = Names(), {}
    for s in streams:
        for mark, data in records(s):
            try:
                _look(names, calls, s, mark, data)
            except Short:
                pass
    for s in streams:
        for mark, data in records(s):
            try:
                _look_reply(names, calls, s, data)
            except Short:
                pass
    return names


def _look(names, calls, s, mark, data):
    r = Reader(data)
    xid = r.fixed(4)
    names.xids.append(Place(s, mark + 4, xid, mark))
    if r.u32() != 0:
        return
    _, program, version, procedure, flavor = (r.u32() for _ in range(5))
    cred_at = r.pos
    cred_len = len(r.opaque())
    verifier_at = r.pos
    if flavor == 1:
        cred = Reader(data, cred_at + 8)
        at = mark + 4 + cred.pos
        names.machines.append(Place(s, at, cred.opaque(), mark, cred_len))
    r.pos = verifier_at + 4
    r.opaque()
    if (program, version, procedure) == (NFS_PROGRAM, 4, 1):
        _look_compound(names, calls, s, mark, data, r, xid)


def _look_compound(names, calls, s, mark, data, r, xid):
    r.opaque()
    r.u32()
    if r.u32() == 0:
        return
    op = r.u32()
    calls[s.key, xid] = op
    at = mark + 4 + r.pos
    if op in (OP_EXCHANGE_ID, OP_SETCLIENTID):
        names.verifiers.append(Place(s, at, r.fixed(8), mark))
        names.owners.append(Place(s, at + 8, r.opaque(), mark))
    elif op in (OP_RENEW, OP_SETCLIENTID_CONFIRM, OP_CREATE_SESSION, OP_DESTROY_CLIENTID):
        names.clientids.add(r.fixed(8))
    elif op in (OP_SEQUENCE, OP_DESTROY_SESSION):
        names.sessionids.add(r.fixed(16))


def _look_reply(names, calls, s, data):
    r = Reader(data)
    xid = r.fixed(4)
    back = (s.key[2], s.key[3], s.key[0], s.key[1])
    op = calls.get((back, xid))
    if op is None or r.u32() != 1 or r.u32() != 0:
        return
    r.u32()
    r.opaque()
    if r.u32() != 0 or r.u32() != 0:  # accepted, NFS4_OK
        return
    r.opaque()
    r.fixed(12)  # operations, opcode, status
    if op in (OP_EXCHANGE_ID, OP_SETCLIENTID):
        names.clientids.add(r.fixed(8))
    elif op == OP_CREATE_SESSION:
        names.sessionids.add(r.fixed(16))


def edit_opaque(place, new):
    """Replaces an opaque field; a change of length changes the record mark, too."""
    old_len = 4 + (len(place.value) + 3) // 4 * 4
    packed = struct.pack("!I", len(new)) + new + bytes(-len(new) % 4)
    place.stream.edit(place.offset, old_len, packed)
    return place.mark, len(packed) - old_len


def edit_marks(stream, growth):
    """Writes new record marks for {offset of the mark: growth in bytes}."""
    for run_off, data in stream.runs():
        for mark, delta in growth.items():
            at = mark - run_off
            if delta and 0 <= at <= len(data) - 4:
                (old,) = struct.unpack_from("!I", data, at)
                stream.edit(mark, 4, struct.pack("!I", old + delta))
