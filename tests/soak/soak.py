#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Mixed load on `nfsleuth serve` through `nfsleuth proxy`, while faults fire by chance. Prints TAP.

soak.py PROGRAM [--seconds S] [--seed N]. Clients of our own (nfs3.py) write, read, truncate, rename,
remove and list files, connect anew, and compare all answers with what they did; libnfs copies files
and compares them; the tasks of `nfsleuth probe` lock, list and keep sessions; somebody sends what is
no call, or none that makes sense. Both endpoints must
live until they are told to end, leak nothing (when built with a sanitizer), and not grow. The seed
makes the load and the chances the same again, not the times at which they meet.
"""
import argparse
import collections
import contextlib
import os
import pathlib
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import nfs3

CLIENTS, FILES, FILE_BYTES_MAX = 3, 12, 200000
CLIENT_UID, LIBNFS_UID, PROBE_UID, LIST_UID = 1001, 2001, 3001, 4001
WAIT_S = 60
# How much the resident set may grow between the first third and the end. The sanitizer's own part
# is the size of its quarantine, which is kept small.
GROWTH_MB = 24
SANITIZER = ":quarantine_size_mb=8:malloc_context_size=8"

# Faults between client and server, of the messages of: all; clients that send again and check what
# they get; tasks of the probe, whose answers nobody checks. What keeps a call keeps it for less than
# nfs3.SETTLE_S: a call that was sent again and executed much later would be a wrong answer of NFSv3
# itself.
PROXY_FAULTS = """
when any chance 1% do delay reply 20ms
when uid 1001 chance 0.5% do delay call 300ms
when uid 1001 chance 0.4% do drop reply
when uid 1001 chance 0.3% do drop call
when uid 1001 chance 0.5% do duplicate reply 2
when uid 1001 chance 0.3% do close call
when uid 1001 chance 0.3% do reset reply
when uid 1001 chance 0.2% do reorder reply
when uid 1001 chance 0.2% do xid reply
when uid 1001 chance 0.2% do stop reading for 200ms
when uid 1001 chance 0.2% do stop writing for 300ms
when uid 2001 chance 1% do delay call 50ms
when uid 2001 chance 1% do duplicate reply
when uid 3001 chance 1% do drop reply
when uid 3001 chance 1% do corrupt reply status
when uid 3001 chance 0.5% do corrupt reply mark
when uid 3001 chance 1% do corrupt call handle
when uid 3001 chance 0.5% do cut reply at 30
when uid 3001 chance 0.5% do cut call at 60
when uid 3001 chance 1% do duplicate call
when uid 3001 chance 1% do reset call
when uid 4001 chance 1% do duplicate reply
when uid 4001 chance 0.5% do close call
when connect chance 3% do refuse
when connect chance 3% do delay 200ms
"""
# Faults of the server, with its state.
SERVE_FAULTS = """
when uid 1001 chance 0.5% do answer NFS3ERR_JUKEBOX
when uid 1001 chance 0.2% do drop reply
when uid 1001 chance 0.2% do close reply
when SEQUENCE uid 3001 chance 0.5% do answer NFS4ERR_BADSESSION
when SEQUENCE uid 3001 chance 0.5% do forget session
when SEQUENCE uid 3001 chance 0.5% do forget client
when NFS4.WRITE chance 1% do forget lock
when NFS4.WRITE chance 1% do forget stateid
when SEQUENCE uid 3001 chance 0.5% do fill slots for 500ms
when NLM.LOCK chance 5% do freeze nlm for 500ms
when NFS4.OPEN chance 2% do revoke
when NFS4.OPEN chance 2% do recall
when WRITE uid 1001 chance 0.5% do change verifier
when WRITE uid 1001 chance 0.5% do restart
"""


class Endpoint:
    """A program that runs, with its addresses, what it says, and its memory."""

    def __init__(self, folder, name, argv):
        self.name = name
        self.said, self.complained = folder / f"{name}.out", folder / f"{name}.err"
        ready, write = os.pipe()
        env = {**os.environ, "ASAN_OPTIONS": os.environ["ASAN_OPTIONS"] + SANITIZER}
        with open(self.said, "wb") as out, open(self.complained, "wb") as err:
            self.process = subprocess.Popen([*argv, "--ready-fd", str(write)], stdout=out, stderr=err,
                                            pass_fds=[write], env=env)  # fmt: skip
        os.close(write)
        self.addresses = {}
        with os.fdopen(ready) as lines:
            for line in lines:
                if line == "ready\n":
                    break
                name, address = line.split()
                self.addresses[name] = address

    def rss_mb(self):
        with contextlib.suppress(OSError, StopIteration):
            status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
            return next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line) / 1024
        return 0.0

    def end(self):
        """The exit status after SIGTERM; None when it does not end."""
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            return self.process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None

    def complaints(self):
        return self.complained.read_text(errors="replace")[-4000:]


class Files:
    """What a client knows of its files, and one step of its work."""

    def __init__(self, client, rng):
        self.client, self.rng, self.files = client, rng, {}
        self.steps = [self.write] * 6 + [self.read] * 6 + [
            self.truncate, self.rename, self.remove, self.list, self.reconnect]  # fmt: skip

    def some(self):
        if len(self.files) < FILES and self.rng.random() < 0.3 or not self.files:
            name = b"file-%06d" % self.rng.randrange(1000000)
            self.client.create(name)
            # A name that was there already keeps what it had.
            self.files.setdefault(name, bytearray())
            return name
        return self.rng.choice(sorted(self.files))

    def handle(self, name):
        found = self.client.lookup(name)
        if not found:
            raise nfs3.Wrong(f"{name.decode()} is gone")
        return found

    def write(self):
        name = self.some()
        at = self.rng.randrange(FILE_BYTES_MAX // 2)
        data = self.rng.randbytes(self.rng.choice((1, 100, 4096, 65536)))
        content = self.files[name]
        content.extend(bytes(max(0, at + len(data) - len(content))))
        content[at : at + len(data)] = data
        self.client.write(self.handle(name), at, data)

    def read(self):
        name = self.some()
        content, handle = self.files[name], self.handle(name)
        if (size := self.client.size(handle)) != len(content):
            raise nfs3.Wrong(f"{name.decode()} has {size} bytes, not {len(content)}")
        at = self.rng.randrange(len(content) + 1)
        count = self.rng.choice((10, 4096, 65536))
        got = self.client.read(handle, at, count)
        if got != content[at : at + count]:
            raise nfs3.Wrong(f"{name.decode()} reads otherwise at {at}, {count} bytes")

    def truncate(self):
        name = self.some()
        size = self.rng.randrange(FILE_BYTES_MAX)
        content = self.files[name]
        del content[size:]
        content.extend(bytes(size - len(content)))
        self.client.truncate(self.handle(name), size)

    def rename(self):
        old, new = self.some(), b"moved-%06d" % self.rng.randrange(1000000)
        self.client.rename(old, new)
        self.files[new] = self.files.pop(old)

    def remove(self):
        name = self.some()
        self.client.remove(name)
        del self.files[name]

    def list(self):
        if (names := self.client.names()) != sorted(self.files):
            raise nfs3.Wrong(f"{len(names)} names are listed, of {len(self.files)}")

    def reconnect(self):
        self.client.channel.drop()

    def all(self):
        """Every byte, at the end."""
        self.list()
        for name, content in self.files.items():
            handle = self.handle(name)
            for at in range(0, len(content) + 1, 65536):
                if self.client.read(handle, at, 65536) != content[at : at + 65536]:
                    raise nfs3.Wrong(f"{name.decode()} ends otherwise at {at}")


class Soak:
    def __init__(self, exe, seconds, seed, folder):
        self.exe, self.seed, self.folder = exe, seed, folder
        self.until = time.monotonic() + seconds
        self.stop = threading.Event()
        self.failures, self.counts, self.given_up = [], collections.Counter(), {}

    def over(self):
        return self.stop.is_set() or time.monotonic() >= self.until

    def start(self, stack):
        (self.folder / "serve.faults").write_text(SERVE_FAULTS)
        (self.folder / "tree").write_text("dir /copies mode=0777\n")
        (self.folder / "proxy.faults").write_text(PROXY_FAULTS)
        common = ["--seed", str(self.seed)]
        self.serve = Endpoint(self.folder, "serve", [
            self.exe, "serve", "--script", self.folder / "serve.faults", "--lease", "5", "--grace", "1",
            "--tree", self.folder / "tree", "--dir", "made=20000", *common])  # fmt: skip
        stack.callback(self.serve.end)
        to = [self.serve.addresses[name] for name in ("portmap", "nfs")]
        listen = ["--listen", "127.0.0.1:0"]
        self.proxy = Endpoint(self.folder, "proxy", [
            self.exe, "proxy", "--script", self.folder / "proxy.faults", *listen, "--to", to[0],
            *listen, "--to", to[1], *common])  # fmt: skip
        stack.callback(self.proxy.end)
        at = [int(address.rpartition(":")[2]) for address in self.proxy.addresses]
        self.portmap, self.nfs = at[:2]

    def guarded(self, what, work, *args):
        """A failure of a thread ends the soak."""
        try:
            work(*args)
        except Exception as e:  # whatever goes wrong in it is the soak's failure
            where = traceback.extract_tb(e.__traceback__)[-1]
            self.failures.append(f"{what}: {type(e).__name__}: {e} ({where.name}:{where.lineno})")
            self.stop.set()

    def check(self, number):
        rng = random.Random(self.seed * 100 + number)
        client = nfs3.Client(self.portmap, CLIENT_UID, rng.randrange(1 << 30))
        client.mount(b"client-%d" % number)
        files = Files(client, rng)
        while not self.over():
            rng.choice(files.steps)()
        files.all()
        self.counts["calls checked"] += client.calls
        self.counts["connections of their clients"] += client.channel.connections
        self.counts["calls sent again"] += client.channel.again

    def copy(self):
        """libnfs, which makes new files only."""
        rng, version = random.Random(self.seed), 3
        cleaner = nfs3.Client(self.portmap, LIBNFS_UID, self.seed)
        cleaner.mount(b"copies")
        mountd = cleaner.port(nfs3.MOUNT)
        source = self.folder / "source"
        while not self.over():
            # libnfs 4.0 sends nothing when it shall write more than some 4 kB over NFSv4.
            source.write_bytes(rng.randbytes(rng.randrange(1, 400000 if version == 3 else 2000)))
            cleaner.remove(b"copy", is_sure=False)
            url = (f"nfs://127.0.0.1/copies/copy?version={version}&nfsport={self.nfs}"
                   f"&mountport={mountd}&uid={LIBNFS_UID}&gid={LIBNFS_UID}")  # fmt: skip
            runs = [subprocess.run(argv, capture_output=True, timeout=WAIT_S)
                    for argv in (["nfs-cp", source, url], ["nfs-cat", url])]  # fmt: skip
            if any(run.returncode for run in runs):
                # It does not try again to connect when that was refused.
                said = b"; ".join(run.stderr.strip() for run in runs).decode(errors="replace")
                self.given_up.setdefault(said[:200], version)
                self.counts["copies that libnfs gave up"] += 1
                time.sleep(0.1)
            elif runs[1].stdout != source.read_bytes():
                raise nfs3.Wrong(f"a copy over NFSv{version} reads otherwise")
            else:
                self.counts["copies compared"] += 1
            version = 7 - version

    def noise(self):
        """Connections to any port with bytes on them, records that do not end, calls of random arguments."""
        rng, programs = random.Random(self.seed + 5), (100000, 100003, 100005, 100021, 100024, 0x40000000)
        ports = [int(address.rpartition(":")[2])
                 for address in (*self.serve.addresses.values(), *self.proxy.addresses)]  # fmt: skip

        def message():
            body = rng.randbytes(rng.randrange(300))
            if rng.random() < 0.2:
                return body
            version, procedure = rng.randrange(6), rng.randrange(26)
            if rng.random() < 0.4:  # a COMPOUND of a few operations
                version, procedure = 4, 1
                head = struct.pack(">III", 0, rng.randrange(3), rng.randrange(1, 4))
                body = head + struct.pack(">I", rng.randrange(3, 72)) + body
            program = 100003 if version == 4 and procedure == 1 else rng.choice(programs)
            call = struct.pack(">IIIIII", rng.randrange(1 << 32), 0, 2, program, version, procedure)
            call += bytes(16) + body
            size = rng.choice((len(call),) * 6 + (len(call) + 9, 0x7FFFFFFF))
            return struct.pack(">I", (rng.random() < 0.95) << 31 | size) + call

        while not self.over():
            with contextlib.suppress(OSError):
                with socket.create_connection(("127.0.0.1", rng.choice(ports)), 1) as sock:
                    sock.settimeout(0.02)
                    for _ in range(rng.randrange(1, 6)):
                        sock.sendall(message())
                    self.counts["connections of noise"] += 1
                    sock.recv(1 << 16)
            time.sleep(0.01)

    def probe(self, *words):
        """A task of the probe for some seconds, again and again; it may complain, not fail."""
        while not self.over():
            left = max(1.0, min(10.0, self.until - time.monotonic()))
            # A listing sends nothing again: what is dropped would end it after a minute.
            uid = LIST_UID if words[0] == "list" else PROBE_UID
            argv = [self.exe, "probe", words[0], "127.0.0.1", f"uid={uid}", f"for={left:.1f}",
                    "every=0.01", "hold=0.01", "timeo=10", *words[1:]]  # fmt: skip
            run = subprocess.run(argv, capture_output=True, timeout=WAIT_S)
            if run.returncode not in (0, 2) or b"Sanitizer" in run.stderr:
                raise nfs3.Wrong(f"probe {words[0]}: {run.returncode}: {run.stderr[-3000:].decode()}")
            self.counts[f"runs of probe {words[0]}"] += 1
            time.sleep(0.05)

    def tasks(self):
        portmap, port = f"portmap={self.portmap}", f"port={self.nfs}"
        out = [(f"client {i}", self.check, i) for i in range(CLIENTS)]
        out.append(("noise", self.noise))
        if shutil.which("nfs-cp"):
            out.append(("libnfs", self.copy))
        else:
            print("# nfs-cp is not installed: nothing is copied by libnfs")
        for words in (
            ("load", portmap, "mix=getattr+access+lookup+read+write+readdir+list+touch"),
            ("lock", portmap), ("list", portmap, "dir=made", "processes=4"),
            ("session", port, "vers=4.0", "owner=zero", "file=zero"),
            ("session", port, "vers=4.1", "owner=one", "file=one"),
            ("session", port, "vers=4.2", "owner=two", "file=two", "access=read"),
        ):  # fmt: skip
            out.append((f"probe {' '.join(words)}", self.probe, *words))
        return out

    def watch(self, threads):
        """Waits for all of them; the resident sets at a third of the time and at the end."""
        begin, marks = time.monotonic(), [{}, {}]
        middle = begin + (self.until - begin) / 3
        late = self.until + nfs3.HANG_S + 2 * WAIT_S
        while any(t.is_alive() for t in threads) and time.monotonic() < late:
            now = time.monotonic()
            for e in (self.serve, self.proxy):
                if e.process.poll() is not None:
                    self.failures.append(f"{e.name} ended by itself")
                    return marks
                if now < self.until:
                    marks[now >= middle][e.name] = e.rss_mb()
            if self.stop.is_set() and now < late - nfs3.HANG_S:
                late = now + nfs3.HANG_S
            time.sleep(0.25)
        self.failures += [f"{t.name} does not end" for t in threads if t.is_alive()]
        return marks

    def run(self):
        threads = [threading.Thread(target=self.guarded, args=task, name=task[0], daemon=True)
                   for task in self.tasks()]  # fmt: skip
        for t in threads:
            t.start()
        return self.watch(threads)


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("exe", type=os.path.abspath)
    ap.add_argument("--seconds", type=float, default=15)
    ap.add_argument("--seed", type=int, default=1)
    args = ap.parse_args()
    os.environ.setdefault("ASAN_OPTIONS", "exitcode=99:detect_leaks=1")
    os.environ.setdefault("UBSAN_OPTIONS", "exitcode=99:halt_on_error=1:print_stacktrace=1")
    count = bad = 0

    def result(holds, what, said=""):
        nonlocal count, bad
        count, bad = count + 1, bad + (not holds)
        print(f"{'ok' if holds else 'not ok'} {count} - {what}", flush=True)
        if not holds and said:
            print("# " + str(said).replace("\n", "\n# "), flush=True)

    print(f"# seed {args.seed}, {args.seconds:g} s", flush=True)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        soak = Soak(args.exe, args.seconds, args.seed, pathlib.Path(name))
        soak.start(stack)
        marks = soak.run()
        for what, number in sorted(soak.counts.items()):
            print(f"# {number} {what}")
        for said, version in list(soak.given_up.items())[:3]:
            print(f"# given up, NFSv{version}: {said}".replace("\n", "; "))
        result(not soak.failures, "no wrong answer and no hang", "\n".join(soak.failures))
        result(soak.counts["calls checked"] > 50 or soak.failures, "there was a load", soak.counts)
        for e in (soak.proxy, soak.serve):
            status = e.end()
            fired = sum(1 for _ in open(e.said, "rb"))
            print(f"# {e.name}: {fired} lines of faults")
            result(status == 0, f"{e.name} ends when told, and left nothing", f"{status}\n{e.complaints()}")
            before, after = (mark.get(e.name, 0.0) for mark in marks)
            print(f"# {e.name}: {before:.1f} MB at a third of the time, {after:.1f} MB at the end")
            result(after - before < GROWTH_MB, f"{e.name} does not grow", f"{after - before:.1f} MB")
    print(f"1..{count}")
    sys.exit(bad != 0)


if __name__ == "__main__":
    main()
