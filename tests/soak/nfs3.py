# SPDX-License-Identifier: GPL-2.0-or-later
"""A client of NFSv3 that does not give up, and checks what it is answered.

It sends a call again when no answer comes, and connects again when that does not help or the
connection ends, as a hard mount does; it fails after HANG_S, as nothing may take that long here.
"""
import contextlib
import random
import socket
import struct
import time

PORTMAP, NFS, MOUNT = 100000, 100003, 100005
GETATTR, SETATTR, LOOKUP, READ, WRITE, CREATE, MKDIR = 1, 2, 3, 6, 7, 8, 9
REMOVE, RENAME, READDIR = 12, 14, 16
CHANGING = {SETATTR, WRITE, CREATE, MKDIR, REMOVE, RENAME}
OK, NOENT, EXIST, JUKEBOX = 0, 2, 17, 10008
FILE_SYNC = 2
AGAIN_S, AGAIN_MAX, HANG_S = 2.0, 2, 45
# Longer than a fault keeps a call: what was sent twice has been executed twice then, or never will be.
SETTLE_S = 1.6


class Hang(Exception):
    """An answer did not come in time."""


class Wrong(Exception):
    """An answer is not what it has to be."""


def opaque(data):
    return struct.pack(">I", len(data)) + data + bytes(-len(data) % 4)


def mode(bits):
    """sattr3 with nothing else."""
    return struct.pack(">IIIIIII", 1, bits, 0, 0, 0, 0, 0)


class Reader:
    """XDR, from the front."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if self.at + count > len(self.data):
            raise Wrong(f"a reply ends after {len(self.data)} bytes")
        self.at += count
        return self.data[self.at - count : self.at]

    def u32(self):
        return struct.unpack(">I", self.take(4))[0]

    def u64(self):
        return struct.unpack(">Q", self.take(8))[0]

    def opaque(self):
        size = self.u32()
        data = self.take(size)
        self.take(-size % 4)
        return data

    def attributes(self):
        """The size, or None where there are none."""
        if not self.u32():
            return None
        return struct.unpack_from(">Q", self.take(84), 20)[0]

    def weak(self):
        if self.u32():
            self.take(24)
        return self.attributes()


class Channel:
    """Calls of one program over one connection at a time."""

    def __init__(self, port, uid, seed):
        self.port, self.sock, self.uid = port, None, uid
        self.xid = random.Random(seed).randrange(1 << 32)
        self.connections = self.again = 0
        self.data = bytearray()

    def drop(self):
        if self.sock:
            self.sock.close()
        self.sock = None
        self.data.clear()

    def connect(self):
        self.drop()
        self.sock = socket.create_connection(("127.0.0.1", self.port), AGAIN_S)
        self.connections += 1

    def record(self, until):
        """The next record, or None at the time."""
        while True:
            if len(self.data) >= 4:
                mark = struct.unpack_from(">I", self.data)[0]
                size = mark & 0x7FFFFFFF
                if not mark >> 31 or size > 1 << 22:
                    raise Wrong(f"a record mark of {mark:#x}")
                if len(self.data) >= 4 + size:
                    out = bytes(self.data[4 : 4 + size])
                    del self.data[: 4 + size]
                    return out
            left = until - time.monotonic()
            if left <= 0:
                return None
            self.sock.settimeout(left)
            try:
                got = self.sock.recv(1 << 18)
            except TimeoutError:
                return None
            if not got:
                raise ConnectionResetError
            self.data += got

    def answer(self, xid, until):
        """The results of the call, or None at the time. Replies to others come late, or twice."""
        while (record := self.record(until)) is not None:
            head = Reader(record)
            if head.u32() != xid:
                continue
            if head.u32() != 1 or head.u32() != 0:
                raise Wrong("denied")
            head.u32()
            head.opaque()
            if status := head.u32():
                raise Wrong(f"accept_stat {status}")
            return head
        return None

    def attempt(self, message, xid, hang):
        """Once, over a connection; None when another is needed."""
        if not self.sock:
            self.connect()
        for turn in range(1 + AGAIN_MAX):
            self.again += turn > 0
            self.sock.settimeout(AGAIN_S)
            self.sock.sendall(message)
            found = self.answer(xid, min(time.monotonic() + AGAIN_S, hang))
            if found:
                return found, turn
        return None

    def call(self, program, version, procedure, body):
        """(results, whether the call was sent more than once)."""
        self.xid = (self.xid + 1) & 0xFFFFFFFF
        cred = struct.pack(">II4sIII", 1, 4, b"soak", self.uid, self.uid, 0)
        message = struct.pack(">IIIIII", self.xid, 0, 2, program, version, procedure)
        message += struct.pack(">I", 1) + opaque(cred) + bytes(8) + body
        message = struct.pack(">I", 0x80000000 | len(message)) + message
        hang, twice = time.monotonic() + HANG_S, False
        while time.monotonic() < hang:
            with contextlib.suppress(OSError):
                found = self.attempt(message, self.xid, hang)
                if found:
                    twice = twice or found[1] > 0
                    if twice and program == NFS and procedure in CHANGING:
                        time.sleep(SETTLE_S)
                    return found[0], twice
            twice = True
            self.drop()
            time.sleep(0.05)
        raise Hang(f"no answer to {program}.{procedure} in {HANG_S} s")


class Client:
    """Files in a directory of its own."""

    def __init__(self, portmap, uid, seed):
        self.portmap = Channel(portmap, uid, seed)
        self.home, self.channel = None, None
        self.uid, self.seed, self.calls = uid, seed, 0

    def port(self, program):
        """What portmap says of the program's version 3 over TCP."""
        found, _ = self.portmap.call(PORTMAP, 2, 3, struct.pack(">IIII", program, 3, 6, 0))
        return found.u32()

    def mount(self, home):
        mountd = Channel(self.port(MOUNT), self.uid, self.seed + 1)
        found, _ = mountd.call(MOUNT, 3, 1, opaque(b"/"))
        if status := found.u32():
            raise Wrong(f"MNT: {status}")
        root = found.opaque()
        mountd.drop()
        self.channel = Channel(self.port(NFS), self.uid, self.seed + 2)
        self.portmap.drop()
        status, _, _ = self.ask(MKDIR, opaque(root) + opaque(home) + mode(0o755))
        if status not in (OK, EXIST):
            raise Wrong(f"MKDIR: {status}")
        self.home = self.lookup(home, root)

    def ask(self, procedure, body):
        """(status, what follows, whether it was sent more than once)."""
        sent = False
        while True:
            self.calls += 1
            found, twice = self.channel.call(NFS, 3, procedure, body)
            sent = sent or twice
            status = found.u32()
            if status != JUKEBOX:
                return status, found, sent
            sent = True
            time.sleep(0.1)

    def must(self, what, procedure, body, *also):
        """What follows the status: OK, or one of `also` for a call that may have been executed before."""
        status, found, twice = self.ask(procedure, body)
        if status != OK and not (twice and status in also):
            raise Wrong(f"{what}: status {status}")
        return found if status == OK else None

    def lookup(self, name, where=None):
        """The handle, or None when there is no such file."""
        status, found, _ = self.ask(LOOKUP, opaque(where or self.home) + opaque(name))
        if status not in (OK, NOENT):
            raise Wrong(f"LOOKUP: status {status}")
        return found.opaque() if status == OK else None

    def create(self, name):
        body = opaque(self.home) + opaque(name) + struct.pack(">I", 0) + mode(0o644)
        self.must("CREATE", CREATE, body)

    def write(self, handle, at, data):
        body = opaque(handle) + struct.pack(">QII", at, len(data), FILE_SYNC) + opaque(data)
        found = self.must("WRITE", WRITE, body)
        found.weak()
        if (count := found.u32()) != len(data):
            raise Wrong(f"WRITE: {count} of {len(data)} bytes")

    def read(self, handle, at, count):
        found = self.must("READ", READ, opaque(handle) + struct.pack(">QI", at, count))
        found.attributes()
        found.u32()
        found.u32()
        return found.opaque()

    def size(self, handle):
        found = self.must("GETATTR", GETATTR, opaque(handle))
        return struct.unpack_from(">Q", found.take(84), 20)[0]

    def truncate(self, handle, size):
        body = opaque(handle) + struct.pack(">IIIIQIII", 0, 0, 0, 1, size, 0, 0, 0)
        self.must("SETATTR", SETATTR, body)

    def remove(self, name, is_sure=True):
        """`is_sure`: it must be there."""
        status, _, twice = self.ask(REMOVE, opaque(self.home) + opaque(name))
        if status != OK and not (status == NOENT and (twice or not is_sure)):
            raise Wrong(f"REMOVE: status {status}")

    def rename(self, old, new):
        home = opaque(self.home)
        self.must("RENAME", RENAME, home + opaque(old) + home + opaque(new), NOENT)

    def names(self):
        out, cookie, verifier = [], 0, bytes(8)
        while True:
            body = opaque(self.home) + struct.pack(">Q", cookie) + verifier + struct.pack(">I", 512)
            found = self.must("READDIR", READDIR, body)
            found.attributes()
            verifier = found.take(8)
            while found.u32():
                found.u64()
                out.append(found.opaque())
                cookie = found.u64()
            if found.u32():
                return sorted(set(out) - {b".", b".."})
