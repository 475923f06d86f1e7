# SPDX-License-Identifier: GPL-2.0-or-later
"""NFSv4 operations in XDR, each with its arguments and its result (RFC 7531, RFC 8881).

An Op knows its number, the bytes of its arguments, and the bytes of its result when it is answered
NFS4_OK; fails() gives it another status.
"""
import struct
from dataclasses import dataclass, replace

OK, PERM, NOENT = 0, 1, 2
DELAY, EXPIRED, GRACE, CLID_INUSE = 10008, 10011, 10013, 10017
STALE_CLIENTID, BADSESSION, NO_GRACE = 10022, 10052, 10033
SEQ_MISORDERED, SEQ_FALSE_RETRY = 10063, 10076
STALE_STATEID, OLD_STATEID, BAD_STATEID, STALE = 10023, 10024, 10025, 70
DENIED, CB_PATH_DOWN, DELEG_REVOKED = 10010, 10048, 10087

CB_PATH_DOWN_FLAG, RECALLABLE_REVOKED_FLAG, CB_PATH_DOWN_SESSION_FLAG = 1, 0x40, 0x200

LEASE_BIT = 10


def u32(*values):
    return struct.pack(f"!{len(values)}I", *values)


def u64(*values):
    return struct.pack(f"!{len(values)}Q", *values)


def opaque(data):
    if isinstance(data, str):
        data = data.encode()
    return u32(len(data)) + data + bytes(-len(data) % 4)


@dataclass(frozen=True)
class Op:
    number: int
    args: bytes = b""
    result: bytes = b""
    status: int = OK

    def fails(self, status, body=b""):
        return replace(self, status=status, result=body)


def impl_id(name):
    return u32(1) + opaque("example.org") + opaque(name) + u64(0) + u32(0)


def exchange_id(owner, verifier, clientid, confirmed, server_owner, impl):
    args = verifier + opaque(owner) + u32(0x101, 0) + impl_id("test client")
    flags = 0x10001 | (0x80000000 if confirmed else 0)
    result = clientid + u32(1, flags, 0) + u64(0) + opaque(server_owner) * 2 + impl_id(impl)
    return Op(42, args, result)


def create_session(clientid, seq, sessionid, machine, granted=64):
    fore, fore_granted = (u32(0, 1049620, 1049480, 7584, 8, n, 0) for n in (64, granted))
    back = u32(0, 4096, 4096, 0, 2, 16, 0)
    args = clientid + u32(seq, 3) + fore + back + u32(0x40000000, 1, 1, 0)
    args += opaque(machine) + u32(0, 0, 0)
    return Op(43, args, sessionid + u32(seq, 3) + fore_granted + back)


def sequence(sessionid, seq, slot=0, granted=64, flags=0):
    last = granted - 1
    return Op(53, sessionid + u32(seq, slot, slot, 0), sessionid + u32(seq, slot, last, last, flags))


def destroy_session(sessionid):
    return Op(44, sessionid)


def destroy_clientid(clientid):
    return Op(57, clientid)


def reclaim_complete():
    return Op(58, u32(0))


def putrootfh():
    return Op(24)


def putfh(handle):
    return Op(22, opaque(handle))


def getfh(handle):
    return Op(10, b"", opaque(handle))


def getattr_lease(seconds):
    return Op(9, u32(1, 1 << LEASE_BIT), u32(1, 1 << LEASE_BIT) + opaque(u32(seconds)))


def getattr_size(size=4096):
    return Op(9, u32(1, 1 << 4), u32(1, 1 << 4) + opaque(u64(size)))


def access():
    return Op(3, u32(0x1F), u32(0x1F, 0x1F))


def open_file(clientid, owner, name, stateid, reclaim=False):
    args = u32(0, 3, 0) + clientid + opaque(owner) + u32(0)
    args += u32(1, 0) if reclaim else u32(0) + opaque(name)
    return Op(18, args, stateid + u32(1) + u64(1, 2) + u32(4, 0, 0))


def open_fh(clientid, owner, stateid, access=1, delegation=None):
    """OPEN of the current file (CLAIM_FH); with a delegation, of this stateid for reading."""
    args = u32(0, access, 0) + clientid + opaque(owner) + u32(0, 4)
    given = u32(0)
    if delegation:
        given = u32(1) + delegation + u32(0, 0, 0, 0) + opaque("OWNER@")
    return Op(18, args, stateid + u32(1) + u64(1, 2) + u32(4, 0) + given)


def delegreturn(stateid):
    return Op(8, stateid)


def test_stateid(stateid, verdict=OK):
    return Op(55, u32(1) + stateid, u32(1, verdict))


def free_stateid(stateid):
    return Op(45, stateid)


def bind_conn(sessionid):
    return Op(41, sessionid + u32(7, 0), sessionid + u32(3, 0))


def commit():
    return Op(5, u64(0) + u32(0), b"writever")


def remove(name):
    return Op(28, opaque(name), u32(1) + u64(1, 2))


def setattr_size(stateid, size=0):
    return Op(34, stateid + u32(1, 1 << 4) + opaque(u64(size)), u32(1, 1 << 4))


def lock(stateid, lock_stateid, owner, clientid, reclaim=False):
    """LOCK of the whole file for a new owner."""
    args = u32(2, int(reclaim)) + u64(0, (1 << 64) - 1) + u32(1, 0) + stateid
    return Op(12, args + u32(0) + clientid + opaque(owner), lock_stateid)


def locku(stateid):
    return Op(14, u32(2, 0) + stateid + u64(0, (1 << 64) - 1), stateid)


def cb_sequence(sessionid, seq):
    return Op(11, sessionid + u32(seq, 0, 0, 0, 0), sessionid + u32(seq, 0, 0, 0))


def cb_recall(stateid, handle):
    return Op(4, stateid + u32(0) + opaque(handle))


def write(stateid, data, offset=0):
    args = stateid + u64(offset) + u32(2) + opaque(data)
    return Op(38, args, u32(len(data), 2) + b"writever")


def read(stateid, data, offset=0):
    return Op(25, stateid + u64(offset) + u32(len(data)), u32(1) + opaque(data))


def close(stateid):
    return Op(4, u32(0) + stateid, stateid)


def renew(clientid):
    return Op(30, clientid)


def setclientid(owner, verifier, address, clientid, confirm):
    args = verifier + opaque(owner) + u32(0x40000000) + opaque("tcp")
    args += opaque(f"{address}.180.17") + u32(1)
    return Op(35, args, clientid + confirm)


def setclientid_confirm(clientid, confirm):
    return Op(36, clientid + confirm)


ENTRY_BITS = (1 << 3 | 1 << 19, 0)  # change, filehandle


def readdir(cookie, entries, eof):
    """READDIR; entries are (cookie, name, handle)."""
    args = u64(cookie) + bytes(8) + u32(8192, 32768, 1, ENTRY_BITS[0])
    body = b""
    for at, name, handle in entries:
        values = u64(7) + opaque(handle)
        body += u32(1) + u64(at) + opaque(name) + u32(1, ENTRY_BITS[0]) + opaque(values)
    return Op(26, args, b"verifier" + body + u32(0, 1 if eof else 0))


def getattr_change(change):
    return Op(9, u32(1, 1 << 3), u32(1, 1 << 3) + opaque(u64(change)))


def lookup(name):
    return Op(15, opaque(name))
