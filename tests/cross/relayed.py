#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers behind `nfsleuth proxy` without faults, used by libnfs and by `nfsleuth probe`. Prints TAP.

relayed.py PROGRAM: `nfsleuth serve` and, where it is installed and we are root, nfs-ganesha. All that
goes over loopback is captured: each connection to the proxy must have one to the server with the very
same bytes in both directions (of portmap's answers, which the proxy rewrites, as many), files must
read as they were written, and tshark must find nothing malformed.

relayed.py --compare CAPTURE ADDRESS: only the bytes; the server is at that address, the proxy anywhere
else.
"""
import collections
import contextlib
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parent / "soak"), str(HERE.parents[1] / "lab" / "netns")]
import nfs3  # noqa: E402
import tshark  # noqa: E402
from net import CONFIG  # noqa: E402

WAIT_S, STARTUP_S = 60, 20
SPACES = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=KILL"]
PREPARE = """
ip link set lo up && mount -t tmpfs none /run || exit
mkdir -p /run/rpcbind /run/ganesha /run/recovery /run/export && chmod 777 /run/export
"""
GANESHA_TOOLS = ("unshare", "ip", "rpcbind", "ganesha.nfsd")
PORTMAP_PORT = 111


# ---- bytes of connections ----


class Stream:
    def __init__(self):
        self.server, self.sent = None, collections.defaultdict(bytearray)


def read_streams(path):
    """All TCP connections of a capture from their SYN on: where the server is, and what was sent."""
    fields = ("tcp.stream", "ip.src", "tcp.srcport", "ip.dst", "tcp.dstport", "tcp.flags.syn",
              "tcp.flags.ack", "tcp.seq", "tcp.payload")  # fmt: skip
    argv = ["tshark", "-n", "-r", str(path), "-o", "tcp.desegment_tcp_streams:FALSE", "-Y", "tcp && ip",
            "-T", "fields", *(word for name in fields for word in ("-e", name))]  # fmt: skip
    streams = collections.defaultdict(Stream)
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        number, src, sport, dst, dport, syn, ack, seq, payload = line.split("\t")
        stream, data = streams[number], bytes.fromhex(payload.replace(":", ""))
        if syn in ("1", "True") and ack in ("0", "False"):
            stream.server = (dst, int(dport))
        if not data:
            continue
        sent = stream.sent[src, int(sport)]
        at = int(seq) - 1  # relative, and the SYN has one
        sent.extend(bytes(max(0, at + len(data) - len(sent))))
        sent[at : at + len(data)] = data
    return [s for s in streams.values() if s.server]


def compare(path, is_server):
    """Pairs what went to the proxy with what went to the server: (how many, what is wrong)."""
    sides = {True: collections.defaultdict(list), False: collections.defaultdict(list)}
    for stream in read_streams(path):
        answers = bytes(stream.sent.pop(stream.server, b""))
        calls = bytes(next(iter(stream.sent.values()), b""))
        if calls:
            sides[is_server(stream.server)][calls].append((answers, stream.server))
    wrong = []
    # Who ends with a reset takes back what the proxy has not read.
    for calls in sides[True].keys() - sides[False].keys():
        longer = [more for more in sides[False].keys() - sides[True].keys() if more.startswith(calls)]
        if len(longer) == 1:
            sides[False][calls] = sides[False].pop(longer[0])
    for calls in sides[True].keys() ^ sides[False].keys():
        where = (sides[True].get(calls) or sides[False].get(calls))[0][1]
        # The server itself asks its portmap, too: for its status monitor.
        if calls in sides[False] or where[1] != PORTMAP_PORT:
            wrong.append(f"{len(calls)} bytes to {where} are on one side only")
    for calls in sides[True].keys() & sides[False].keys():
        here, there = (sorted(sides[side][calls]) for side in (False, True))
        if len(here) != len(there):
            wrong.append(f"{len(here)} connections to the proxy, {len(there)} to {there[0][1]}")
        for (got, _), (given, server) in zip(here, there):
            is_rewritten = server[1] == PORTMAP_PORT or calls[16:20] == b"\x00\x01\x86\xa0"
            # Who closes at once does not get what was on its way.
            if not (len(got) == len(given) if is_rewritten else given.startswith(got)):
                wrong.append(f"{len(given)} bytes of {server} are {len(got)} others behind the proxy")
    return sum(map(len, sides[False].values())), wrong


def compare_only(path, address):
    count, wrong = compare(path, lambda server: server[0] == address)
    print(f"{count} connections")
    print("\n".join(wrong))
    return 1 if wrong or not count else 0


# ---- servers, the proxy, and what is done through it ----


class Endpoint:
    """A program of ours that says where it listens and then "ready"."""

    def __init__(self, *argv):
        self.process = subprocess.Popen([str(word) for word in argv], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)  # fmt: skip
        self.lines = []
        for line in self.process.stdout:
            if line == "ready\n":
                break
            self.lines.append(line.split())

    def end(self):
        self.process.terminate()
        self.process.communicate(timeout=WAIT_S)
        return self.process.returncode


def port_of(address):
    return int(address.rpartition(":")[2])


class Capture:
    """dumpcap on loopback; `path` is None where it may not."""

    def __init__(self, folder):
        self.path = self.process = None
        if not shutil.which("dumpcap"):
            return
        self.process = subprocess.Popen(
            ["dumpcap", "-q", "-i", "lo", "-B", "64", "-f", "tcp", "-w", str(folder / "lo.pcapng")],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)  # fmt: skip
        for line in self.process.stderr:
            if line.startswith("File:"):
                self.path = folder / "lo.pcapng"
                return

    def end(self):
        if self.process:
            time.sleep(0.5)
            self.process.terminate()
            self.process.wait(WAIT_S)
            self.process.stderr.close()


def run(*argv):
    done = subprocess.run([str(word) for word in argv], capture_output=True, timeout=WAIT_S)
    return done.returncode, done.stdout, (done.stderr or done.stdout)[-500:].decode(errors="replace")


class Relayed:
    """One server behind the proxy."""

    def __init__(self, exe, name, export, portmap, nfs, result):
        self.exe, self.name, self.export, self.result = exe, name, export, result
        to = [f"127.0.0.1:{port}" for port in (portmap, nfs)]
        self.proxy = Endpoint(exe, "proxy", *(word for at in to for word in
                                              ("--listen=127.0.0.1:0", f"--to={at}")))  # fmt: skip
        self.portmap, self.nfs = (port_of(line[0]) for line in self.proxy.lines[:2])
        self.servers = {portmap, nfs}

    def told(self, holds, what, said=""):
        self.result(holds, f"{self.name}: {what}", said)

    def libnfs(self, folder):
        mountd = nfs3.Client(self.portmap, 0, 1).port(nfs3.MOUNT)
        for version, size in ((3, 1000003), (4, 1001)):
            # libnfs 4.0 sends nothing when it shall write more than some 4 kB over NFSv4.
            source = folder / f"source-{self.name}-{version}"
            source.write_bytes(random.Random(version).randbytes(size))
            more = f"?version={version}&nfsport={self.nfs}&mountport={mountd}&uid=0&gid=0"
            url = f"nfs://127.0.0.1{self.export}"
            status, _, said = run("nfs-cp", source, f"{url}/copy{version}{more}")
            self.told(status == 0, f"v{version}: nfs-cp writes a file", said)
            status, out, said = run("nfs-cat", f"{url}/copy{version}{more}")
            self.told(out == source.read_bytes(), f"v{version}: nfs-cat reads it", said)
            status, out, said = run("nfs-ls", f"{url}/{more}")
            self.told(status == 0 and f"copy{version}".encode() in out, f"v{version}: nfs-ls lists it", said)

    def probe(self):
        at, ports = f"127.0.0.1:{self.export}/", (f"portmap={self.portmap}", f"port={self.nfs}")
        lasts = ("for=2", "every=0.05", "hold=0.02")
        mix = "mix=getattr+access+lookup+read+write+readdir+list+statfs+touch"
        for words in (
            ("check", at, *ports), ("list", at, *ports, "processes=4"),
            ("list", at, *ports, "processes=2", "plus=1"),
            ("load", at, *ports, mix, *lasts), ("lock", at, *ports, *lasts),
            *((("session", at, ports[1], f"vers=4.{minor}", *lasts,
                "mix=renew+open+lock+getattr+lookup+write+read+list+many+unlock+close")) for minor in range(3)),
        ):  # fmt: skip
            status, out, said = run(self.exe, "probe", *words)
            quiet = words[0] in ("check", "list") or not out
            what = " ".join(word for word in words if word[:4] in ("vers", "plus"))
            self.told(status == 0 and quiet, f"probe {words[0]} {what}".rstrip(), said)

    def ports(self):
        """Where the server listens: it, and what its portmap tells."""
        status, out, _ = run("rpcinfo", "-p", "127.0.0.1")
        told = (line.split() for line in out.decode().splitlines()) if status == 0 else ()
        return self.servers | {int(w[3]) for w in told if len(w) > 3 and w[2] == "tcp"}

    def judge(self, capture, servers):
        if not capture.path:
            self.told(None, "nothing can be captured here")
            return
        count, wrong = compare(capture.path, lambda server: server[1] in servers)
        self.told(count > 20 and not wrong, "the proxy passes on what it gets, byte for byte",
                  f"{count} connections; " + "; ".join(wrong[:10]))  # fmt: skip
        ports = {stream.server[1] for stream in read_streams(capture.path)}
        argv = tshark.command(capture.path, ports, "-Y", "rpc", "-T", "fields", "-e", "frame.number",
                              "-e", "_ws.malformed")  # fmt: skip
        lines = subprocess.run(argv, capture_output=True, text=True, check=False).stdout.splitlines()
        bad = [line for line in lines if line.split("\t", 1)[1]]
        self.told(len(lines) > 200 and not bad, "tshark finds nothing malformed",
                  f"{len(lines)} frames; {bad[:10]}")  # fmt: skip

    def play(self, servers):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            os.chmod(folder, 0o755)
            capture = Capture(folder)
            self.libnfs(folder)
            self.probe()
            capture.end()
            self.told(self.proxy.end() == 0, "the proxy ends when told")
            self.judge(capture, servers)


def with_serve(exe, result):
    with tempfile.NamedTemporaryFile("w") as tree:
        tree.write("dir /data mode=0777\n")
        tree.flush()
        server = Endpoint(exe, "serve", f"--tree={tree.name}", "--grace=0")
    ports = {name: port_of(at) for name, at in server.lines}
    Relayed(exe, "serve", "/data", ports["portmap"], ports["nfs"], result).play(set(ports.values()))
    result(server.end() == 0, "serve: it ends when told")


def with_ganesha(exe, result):
    if os.environ.get("RELAYED_INSIDE") != "yes" or not all(map(shutil.which, GANESHA_TOOLS)):
        result(None, "nfs-ganesha: it is not installed, or we are not root")
        return
    pathlib.Path("/run/config").write_text(CONFIG.replace("Minor_Versions = 0", "Minor_Versions = 0, 1, 2"))
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.Popen(["rpcbind", "-f"], **quiet)
    time.sleep(0.5)
    subprocess.Popen(["ganesha.nfsd", "-F", "-f", "/run/config", "-L", "/run/log", "-p", "/run/pid"], **quiet)
    for _ in range(STARTUP_S):
        time.sleep(1)
        if run("nfs-ls", "nfs://127.0.0.1/data?version=3")[0] == 0:
            break
    else:
        result(None, "nfs-ganesha: it does not answer")
        return
    relayed = Relayed(exe, "nfs-ganesha", "/data", PORTMAP_PORT, 2049, result)
    relayed.play(relayed.ports())


def main():
    if sys.argv[1:2] == ["--compare"]:
        return compare_only(*sys.argv[2:])
    exe = os.path.abspath(sys.argv[1])
    count = failed = 0

    def result(holds, what, said=""):
        nonlocal count, failed
        count += 1
        failed += holds is False
        skip = f" # SKIP {what}" if holds is None else ""
        print(f"{'not ok' if holds is False else 'ok'} {count} - {what}{skip}", flush=True)
        if holds is False and said:
            print("# " + said.replace("\n", "\n# "), flush=True)

    if not shutil.which("nfs-ls") or tshark.missing():
        print("1..0 # SKIP libnfs-utils or tshark is not installed")
        return 0
    inside = os.environ.get("RELAYED_INSIDE")
    if not inside and os.geteuid() == 0 and shutil.which("unshare"):
        entered = subprocess.run([*SPACES, "true"], capture_output=True).returncode == 0
        if entered:
            os.environ["RELAYED_INSIDE"] = "yes"
            os.execvp(SPACES[0], [*SPACES, sys.executable, __file__, *sys.argv[1:]])
    with contextlib.suppress(OSError):
        if inside:
            subprocess.run(["sh", "-c", PREPARE], check=True)
    with_serve(exe, result)
    with_ganesha(exe, result)
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
