#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Evidence that is made to exhaust whoever reads it. Prints TAP.

Usage: adversarial.py PROGRAM [--scale N]. Each is made here, as large as a test can afford (N times as large
by hand), and diagnosed beside a harmless one of its size: peak memory stays under 256 MB, the time within
TIMES that of the harmless one, the exit status is one of a report, and what no table had room for is told.
"""
import argparse
import gzip
import lzma
import os
import pathlib
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time

import hostile
from wire import ACK, ATTRIBUTES, CLIENT, FIN, GETATTR, PSH, SYN, call, harmless, pcap, record, reply, talk, tcp

MEMORY_MB = 256
# Of a harmless one's time: of two, the slower. Both are short here, so what a start needs is added.
TIMES = 3
START_S = 0.5
SECONDS_MAX = 120
MB = 1 << 20


def short_connections(count):
    """Harmless too: each connection is opened, asks once, is answered and is closed."""
    asked, told = record(call(1, body=GETATTR)), record(reply(1, ATTRIBUTES))
    for number in range(count // 7):
        client, port = struct.pack("!I", 0x0A000000 + number // 60000), 1000 + number % 60000
        yield tcp(client, port, 0, SYN)
        yield tcp(client, port, 0, SYN | ACK, back=True, ack=1)
        yield tcp(client, port, 1, PSH, asked, ack=1)
        yield tcp(client, port, 1, PSH, told, back=True, ack=1 + len(asked))
        yield tcp(client, port, 1 + len(asked), ACK | FIN, ack=1 + len(told))
        yield tcp(client, port, 1 + len(told), ACK | FIN, back=True, ack=2 + len(asked))
        yield tcp(client, port, 2 + len(asked), ACK, ack=2 + len(told))


def half_open(count):
    for number in range(count):
        yield tcp(struct.pack("!I", 0x0A000000 + number // 60000), 1000 + number % 60000, 0, SYN)


def without_replies(count):
    return talk(record(call(xid, body=GETATTR)) for xid in range(count))


def many_connections_without_replies(count):
    for number in range(count // 2):
        client, port = struct.pack("!I", 0x0A000000 + number // 60000), 1000 + number % 60000
        yield tcp(client, port, 0, SYN)
        yield tcp(client, port, 1, PSH, record(call(number, body=GETATTR)), ack=1)


def holes(count):
    """Every second segment is missing."""
    payload = record(call(1, body=GETATTR)) * 4
    for number in range(count):
        yield tcp(CLIENT, 700, 1 + number * 2 * len(payload), PSH, payload, ack=1)


def backwards(count):
    """Segments in the wrong order, so that none can be delivered but the last."""
    payload = record(call(1, body=GETATTR))
    yield tcp(CLIENT, 700, 0, SYN)
    for number in reversed(range(count)):
        yield tcp(CLIENT, 700, 1 + number * len(payload), PSH, payload, ack=1)


def huge_records(count):
    """Each connection announces a record of 2 GB, the most that a mark can, and begins it."""
    for number in range(count):
        yield tcp(struct.pack("!I", 0x0A000000 + number // 60000), 1000 + number % 60000, 1, PSH,
                  record(call(number, body=bytes(200)), 0x7FFFFFFF), ack=1)


def fragments(count):
    """A message of fragments that never ends."""
    first = struct.pack("!I", 44) + call(1) + bytes(4)
    return talk([first] + [struct.pack("!I", 64) + bytes(64)] * count)


def compounds(count):
    """Calls of thousands of operations."""
    operations = 15000
    body = struct.pack("!III", 0, 2, operations) + struct.pack("!I", 24) * operations  # PUTROOTFH
    big = record(call(1, body=body, version=4))
    for number in range(max(1, count // (len(big) // 1400))):
        yield from talk((big[at:at + 1400] for at in range(0, len(big), 1400)), port=1000 + number % 60000)


def handles(count):
    """Calls without replies, of as many file handles as a call is known by, all at their maximum."""
    for number in range(count):
        body = struct.pack("!III", 0, 2, 250)
        body += b"".join(struct.pack("!II", 22, 128) + struct.pack("!II", number, at) + bytes(120) for at in range(250))
        message = record(call(number, body=body, version=4))
        yield from talk((message[at:at + 8000] for at in range(0, len(message), 8000)), port=1000 + number % 60000)


def half_records(count):
    """Each connection sends most of a record and leaves it at that."""
    part = record(call(1, 3, bytes(60000), 4), 0x10000)
    for number in range(count):
        client = struct.pack("!I", 0x0A000000 + number)
        yield from talk((part[at:at + 15000] for at in range(0, len(part), 15000)), client=client)


def owners(count):
    """EXCHANGE_ID with owners as long as may be, each another one."""
    for number in range(count // 2):
        owner = struct.pack("!I", number) + b"o" * 1020
        body = struct.pack("!IIII", 0, 1, 1, 42) + struct.pack("!Q", number) + struct.pack("!I", 1024) + owner
        body += struct.pack("!III", 0, 0, 0)
        client = struct.pack("!I", 0x0A000000 + number)
        yield tcp(client, 700, 0, SYN)
        yield tcp(client, 700, 1, PSH, record(call(number, body=body, version=4)), ack=1)


def names(count):
    """LOOKUP of names as long as may be, in directories that are all different."""
    def one(xid):
        handle = struct.pack("!I", 64) + struct.pack("!QQ", xid, xid) + bytes(48)
        return record(call(xid, 3, handle + struct.pack("!I", 255) + b"n" * 255 + b"\0"))
    return talk(one(xid) for xid in range(count))


WIRE = {
    "half-open connections": (half_open, 400_000),
    "calls without replies": (without_replies, 400_000),
    "connections with a call each": (many_connections_without_replies, 300_000),
    "a hole at every segment": (holes, 200_000),
    "a stream backwards": (backwards, 200_000),
    "records of 2 GB announced": (huge_records, 100_000),
    "fragments without end": (fragments, 200_000),
    "compounds of thousands of operations": (compounds, 20_000),
    "owners at their maximum": (owners, 80_000),
    "handles at their maximum": (handles, 3_000),
    "records that are never complete": (half_records, 2_000),
    "names at their maximum": (names, 100_000),
}

WIRE |= hostile.WIRE

TOLD = ("half-open connections", "calls without replies", "connections with a call each", "owners at their maximum",
        "UDP from ever other ports", "sessions without end", "waits for locks without end", "directories without end")


def lying_blocks(path, size):
    """pcapng: blocks whose inner lengths, interfaces and options are not true."""
    section = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    interface = struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20)
    packet = struct.pack("<IIIIIIIII", 6, 36, 77, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF, 0, 36)
    option = struct.pack("<IIHHIHHI", 1, 24, 1, 0, 0, 9, 0xFFFF, 24)
    with open(path, "wb") as f:
        f.write(section)
        while f.tell() < size:
            f.write((interface + packet + option + section) * 500)


def lying_length(path, size):
    """pcapng: a block of 4 GB is announced at once."""
    lying_blocks(path, size)
    with open(path, "r+b") as f:
        f.seek(28)
        f.write(struct.pack("<II", 6, 0xFFFFFFFC))


def packed_zeros(path, size, opener):
    with opener(path) as f:
        for _ in range(size // MB):
            f.write(bytes(MB))


def packed_capture(path, size, opener):
    """A bomb with the head of a capture: one packet again and again."""
    frame = tcp(CLIENT, 700, 1, PSH, record(call(1, body=GETATTR)), ack=1)
    block = (struct.pack("<IIII", 1_780_000_000, 0, len(frame), len(frame)) + frame) * 4000
    with opener(path) as f:
        f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for _ in range(size // len(block)):
            f.write(block)


class Zstd:
    def __init__(self, path):
        self.process = subprocess.Popen(["zstd", "-q", "-1", "-f", "-o", path], stdin=subprocess.PIPE)

    def __enter__(self):
        return self.process.stdin

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


OPENERS = {".gz": lambda p: gzip.open(p, "wb", 1), ".xz": lambda p: lzma.open(p, "wb", preset=0), ".zst": Zstd}


def harmless_log(path, size):
    line = b"<6>[%5d.0] usb 1-1: new high-speed USB device number 2 using xhci_hcd, as on each day\n"
    with open(path, "wb") as f:
        f.write(b"<4>[ 1.0] nfs: server a not responding, still trying\n")
        for number in range(size // len(line)):
            f.write(line % (number // 100))


def long_line(path, size):
    with open(path, "wb") as f:
        f.write(b"<4>[ 1.0] nfs: server a not responding, still trying\n<4>[ 2.0] nfs: server ")
        for _ in range(size // MB):
            f.write(b"x" * MB)
        f.write(b" not responding, still trying\n")


def many_servers(path, size):
    with open(path, "wb") as f:
        number = 0
        while f.tell() < size:
            f.write(b"<4>[%5d.%06d] nfs: server host-%d.example not responding, still trying\n" %
                    (number // 1000, number % 1000, number))
            number += 1


def many_tasks(path, size):
    with open(path, "wb") as f:
        number = 1
        while f.tell() < size:
            f.write(b"<3>[%5d.0] INFO: task t%d:%d blocked for more than 120 seconds.\n"
                    b"<6>[%5d.0] Call Trace:\n<6>[%5d.0]  rpc_wait_bit_killable+0x11/0x70 [sunrpc]\n" %
                    (number // 100, number, number, number // 100, number // 100))
            number += 1


TEXTS = {"a line without end": long_line, "a server in every line": many_servers, "a task in every line": many_tasks}


def measure(command):
    """(status, seconds of CPU, peak MB, output)"""
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU,
                                                                         (SECONDS_MAX, SECONDS_MAX)))
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        return process.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, out.read().decode()


class Judge:
    def __init__(self, program, wanted):
        self.program, self.wanted = program, wanted
        self.count = self.failed = 0
        self.paces = {}  # kind: seconds a byte of the harmless one

    def harmless(self, kind, path):
        _, seconds, _, _ = measure([self.program, "diagnose", path])
        pace = seconds / max(1, size_of(path))
        self.paces[kind] = max(pace, self.paces.get(kind, 0))

    def case(self, name, kind, path, plain_bytes=None):
        status, seconds, peak, said = measure([self.program, "diagnose", path])
        allowed = TIMES * self.paces[kind] * (plain_bytes or size_of(path)) + START_S
        good = status in (0, 1, 3) and peak < MEMORY_MB and seconds <= allowed
        self.count += 1
        self.failed += not good
        if not good:
            print("# " + "\n# ".join(said.splitlines()[:12]))
        print(f"# {seconds:.2f} s of {allowed:.2f} s, {peak:.0f} MB, status {status}")
        print(f"{'' if good else 'not '}ok {self.count} - {name}", flush=True)
        return said

    def told(self, name, said):
        """What found no room is counted in the report."""
        good = "There was more than is kept" in " ".join(said.split())
        self.count += 1
        self.failed += not good
        print(f"{'' if good else 'not '}ok {self.count} - {name}: the report says what was given up", flush=True)


def size_of(path):
    return sum(p.stat().st_size for p in path.rglob("*")) if path.is_dir() else path.stat().st_size


def run_wire(judge, folder, scale):
    path = folder / "wire.pcap"
    pcap(path, harmless(200_000 * scale))
    judge.harmless("wire", path)
    pcap(path, short_connections(200_000 * scale))
    judge.harmless("wire", path)
    pcap(path, hostile.lookups(100_000 * scale))
    judge.harmless("datagrams", path)
    for name, (make, count) in WIRE.items():
        if judge.wanted not in name:
            continue
        pcap(path, make(count * scale))
        said = judge.case(name, "datagrams" if name in hostile.DATAGRAMS else "wire", path)
        if name in TOLD:
            judge.told(name, said)
    for make in (lying_blocks, lying_length):
        make(path, 20 * MB * scale)
        judge.case(make.__doc__.splitlines()[0].rstrip("."), "wire", path)
    path.unlink()


def run_packed(judge, folder, scale):
    path = folder / "plain.pcap"
    pcap(path, harmless(200_000 * scale))
    judge.harmless("packed", path)
    path.unlink()
    for end, opener in OPENERS.items():
        if end == ".zst" and not shutil.which("zstd"):
            continue
        for make in (packed_zeros, packed_capture):
            path, plain = folder / f"bomb{end}", 200 * MB * scale
            make(path, plain, opener)
            judge.case(f"{make.__name__.replace('_', ' ')}, {end}: {path.stat().st_size >> 10} KB that are "
                       f"{plain >> 20} MB", "packed", path, plain)
            path.unlink()


def run_texts(judge, folder, scale):
    path = folder / "text.log"
    size = 90 * MB * scale  # as many as tables hold cost the same in a log of any size: of a small one, most of its time
    harmless_log(path, size)
    judge.harmless("text", path)
    for name, make in TEXTS.items():
        make(path, size)
        judge.case(name, "text", path)
    path.unlink()


def run_files(judge, folder, scale):
    many = folder / "many"
    for kind, content in (("harmless", 20), ("log", 20)):
        shutil.rmtree(many, ignore_errors=True)
        many.mkdir()
        for number in range(3000 * scale):
            text = f"<4>[ {number}.0] nfs: server a not responding, still trying\n" if kind == "log" else "a note\n"
            (many / f"{number}").write_text(text * content)
        if kind == "harmless":
            judge.harmless("files", many)
        else:
            judge.case("thousands of small logs", "files", many)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--scale", type=int, default=1)
    parser.add_argument("--only", choices=["wire", "packed", "texts", "files"])
    parser.add_argument("--case", default="", help="those of the wire with this in their name")
    args = parser.parse_args()
    judge = Judge(args.program.resolve(), args.case)
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        for name, run in (("wire", run_wire), ("packed", run_packed), ("texts", run_texts), ("files", run_files)):
            if args.only in (None, name):
                run(judge, folder, args.scale)
    print(f"1..{judge.count}")
    sys.exit(bool(judge.failed))


if __name__ == "__main__":
    main()
