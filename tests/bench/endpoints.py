#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The endpoints beside others on loopback: serve and nfs-ganesha, probe list and nfs-ls, proxy and socat.

endpoints.py PROGRAM [--runs N] [--seconds S] [--entries N] [--idle N]. Medians of interleaved runs;
read ratios, not seconds. It runs in namespaces of its own (root), so that rpcbind and nfs-ganesha are
its own and end with it. Without them it says so and measures nothing. Never fails for being slow.
"""
import argparse
import contextlib
import json
import os
import pathlib
import resource
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent / "lab" / "netns"), str(HERE.parent / "soak")]
import nfs3  # noqa: E402
from net import CONFIG  # noqa: E402

TOOLS = ("unshare", "ip", "rpcbind", "ganesha.nfsd", "nfs-ls", "socat")
SPACES = ["unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=KILL"]
PREPARE = """
ip link set lo up && mount -t tmpfs none /run || exit
mkdir -p /run/rpcbind /run/ganesha /run/recovery /run/export/big
"""
GANESHA, OUTSTANDING, STARTUP_S, MADE = 2049, 64, 20, 1000000
PAIRS = 3000  # calls that are made one by one, in a run


def start(*argv, wait_ready=False):
    process = subprocess.Popen([str(word) for word in argv], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE if wait_ready else subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, text=True)  # fmt: skip
    found = {}
    while wait_ready and (line := process.stdout.readline()) not in ("ready\n", ""):
        name, address = line.split()
        found[name] = int(address.rpartition(":")[2])
    return process, found


def rss_mb(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line) / 1024


def seconds_of(*argv):
    begin = time.monotonic()
    done = subprocess.run([str(word) for word in argv], capture_output=True, check=True)
    return time.monotonic() - begin, done.stdout


class Getattr:
    """Calls of GETATTR for a server's root, whose replies all have the same size."""

    def __init__(self, portmap, export, port):
        client = nfs3.Client(portmap, 0, 1)
        mountd = nfs3.Channel(client.port(nfs3.MOUNT), 0, 1)
        found, _ = mountd.call(nfs3.MOUNT, 3, 1, nfs3.opaque(export))
        if found.u32():
            raise RuntimeError("MNT was refused")
        cred = struct.pack(">II4sIII", 1, 4, b"host", 0, 0, 0)
        head = struct.pack(">IIIIIII", 0x5EED, 0, 2, nfs3.NFS, 3, nfs3.GETATTR, 1)
        call = head + nfs3.opaque(cred) + bytes(8) + nfs3.opaque(found.opaque())
        self.call = struct.pack(">I", 0x80000000 | len(call)) + call
        self.port = port

    def connect(self, port=None):
        sock = socket.create_connection(("127.0.0.1", port or self.port), 10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(self.call)
        reply = sock.recv(4096)
        if reply[8:32] != struct.pack(">IIIIII", 1, 0, 0, 0, 0, 0):
            raise RuntimeError("GETATTR was refused")
        self.reply_bytes = len(reply)
        return sock

    def rate(self, seconds):
        """Calls a second, with OUTSTANDING of them unanswered at all times."""
        with self.connect() as sock:
            block, came, left = self.call * OUTSTANDING, 0, 0
            begin = time.monotonic()
            sock.sendall(block)
            while (now := time.monotonic()) < begin + seconds:
                left += len(sock.recv(1 << 16))
                answered, left = divmod(left, self.reply_bytes)
                came += answered
                sock.sendall(block[: answered * len(self.call)])
        return came / (now - begin)

    def latency_us(self, port):
        """The median of calls that are made one by one."""
        times = []
        with self.connect(port) as sock:
            for _ in range(PAIRS):
                begin = time.perf_counter()
                sock.sendall(self.call)
                sock.recv(4096)
                times.append(time.perf_counter() - begin)
        return statistics.median(times) * 1e6


class Bench:
    def __init__(self, args, stack):
        self.args, self.stack, self.values = args, stack, {}
        self.serve, self.ports = self.run("serve", f"--dir=big={MADE}", "--quiet")
        self.proxy, routes = self.run("proxy", "--quiet", "--listen=127.0.0.1:0",
                                      f"--to=127.0.0.1:{self.ports['nfs']}")  # fmt: skip
        # A line of it has both addresses.
        self.proxy_port = next(int(name.rpartition(":")[2]) for name in routes)

    def run(self, *words):
        process, found = start(self.args.exe, *words, wait_ready=True)
        self.stack.callback(process.kill)
        return process, found

    def start_ganesha(self):
        """False when it does not answer."""
        for i in range(self.args.entries):
            pathlib.Path(f"/run/export/big/file{i:07}").touch()
        pathlib.Path("/run/config").write_text(CONFIG)
        start("rpcbind", "-f")
        time.sleep(0.5)
        start("ganesha.nfsd", "-F", "-f", "/run/config", "-L", "/run/log", "-p", "/run/pid")
        for _ in range(STARTUP_S):
            time.sleep(1)
            url = "nfs://127.0.0.1/data?version=3"
            if subprocess.run(["nfs-ls", url], capture_output=True).returncode == 0:
                return True
        return False

    def note(self, name, value):
        self.values.setdefault(name, []).append(value)
        print(f"# {name}: {value:.0f}", flush=True)

    def probe_list(self, name, where, plus, *words):
        """Entries a second of the whole command, its two listings with one process."""
        took, said = seconds_of(self.args.exe, "probe", "list", where, "dir=big", "processes=1",
                                f"plus={plus}", "--json", *words)  # fmt: skip
        self.note(name, sum(row["entries"] for row in json.loads(said)["runs"]) / took)

    def listings(self):
        took, said = seconds_of("nfs-ls", "nfs://127.0.0.1/data/big?version=3")
        self.note("ganesha, nfs-ls", said.count(b"\n") / took)
        for plus, name in enumerate(("READDIR", "READDIRPLUS")):
            self.probe_list(f"ganesha, probe list, {name}", "127.0.0.1:/data", plus)
            self.probe_list(f"serve, probe list, {name}", "127.0.0.1:/", plus,
                            f"portmap={self.ports['portmap']}")  # fmt: skip

    def getattrs(self):
        for name, load in self.loads.items():
            self.note(f"{name}, GETATTR", load.rate(self.args.seconds))

    def latencies(self):
        load = self.loads["serve"]
        for name, port in (("direct", load.port), ("proxy", self.proxy_port), ("socat", self.socat)):
            self.note(f"{name}, us", load.latency_us(port))

    def start_socat(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.socat = free.getsockname()[1]
        start("socat", f"TCP-LISTEN:{self.socat},bind=127.0.0.1,fork,reuseaddr,nodelay",
              f"TCP:127.0.0.1:{self.ports['nfs']},nodelay")  # fmt: skip
        time.sleep(0.5)

    def idle(self, name, process, port):
        """The resident set with many connections that have been used once."""
        before = rss_mb(process)
        with contextlib.ExitStack() as stack:
            for _ in range(self.args.idle[name]):
                stack.enter_context(self.loads["serve"].connect(port))
            self.note(f"{name}, MB", rss_mb(process))
        print(f"# before: {before:.0f} MB")

    def measure(self):
        self.loads = {"serve": Getattr(self.ports["portmap"], b"/", self.ports["nfs"]),
                      "ganesha": Getattr(111, b"/data", GANESHA)}  # fmt: skip
        self.start_socat()
        for _ in range(self.args.runs):
            self.listings()
            self.getattrs()
            self.latencies()
        self.idle("serve", self.serve, self.ports["nfs"])
        self.idle("proxy", self.proxy, self.proxy_port)

    def median(self, name):
        return statistics.median(self.values[name])

    def say(self):
        print(f"\n{'median':50}{'':>10}")
        for name in self.values:
            unit = "" if name.endswith(("us", "MB")) else " a second"
            print(f"{name + unit:50}{self.median(name):10.0f}")
        print(f"\n{'ratio':50}{'ratio':>10}{'target':>8}")
        ls, direct = "ganesha, nfs-ls", self.median("direct, us")
        rows = [(f"serve, probe list, {kind} / {ls}", 10) for kind in ("READDIR", "READDIRPLUS")]
        rows += [(f"ganesha, probe list, {kind} / {ls}", 1) for kind in ("READDIR", "READDIRPLUS")]
        for text, target in [*rows, ("serve, GETATTR / ganesha, GETATTR", 2)]:
            this, that = text.split(" / ")
            say(text, self.median(this) / self.median(that), target, at_least=True)
        added = [self.median(f"{name}, us") - direct for name in ("proxy", "socat")]
        say("latency added by proxy / by socat", added[0] / max(added[1], 1e-3), 2)
        for name, count in self.args.idle.items():
            say(f"{name} with {count} idle connections, MB", self.median(f"{name}, MB"), 200)


def say(text, value, target, at_least=False):
    met = value >= target if at_least else value <= target
    print(f"{text:50}{value:10.2f}{target:8}  {'met' if met else 'not met'}")


def inside(args):
    subprocess.run(["sh", "-c", PREPARE], check=True)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(most, 2 * args.idle + 1000)  # the proxy has two of each
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
        most = wanted
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    args.idle = {"serve": min(args.idle, most - 100), "proxy": min(args.idle, most // 2 - 50)}
    with contextlib.ExitStack() as stack:
        bench = Bench(args, stack)
        if not bench.start_ganesha():
            print("# nfs-ganesha does not answer: the endpoints are not measured")
            return
        bench.measure()
        bench.say()


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("exe", type=os.path.abspath)
    ap.add_argument("--runs", type=int, default=3)
    ap.add_argument("--seconds", type=float, default=3, help="of a run of GETATTR")
    ap.add_argument("--entries", type=int, default=100000, help="of nfs-ganesha's directory")
    ap.add_argument("--idle", type=int, default=10000, help="connections")
    ap.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    args = ap.parse_args()
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if args.inside:
        inside(args)
    elif missing or os.geteuid() != 0:
        why = f"{', '.join(missing)} missing" if missing else "needs root"
        print(f"# the endpoints are not measured: {why}")
    else:
        sys.exit(subprocess.run([*SPACES, sys.executable, *sys.argv, "--inside"]).returncode)


if __name__ == "__main__":
    main()
