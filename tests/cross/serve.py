#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`nfsleuth serve` against clients of others: libnfs' tools and rpcinfo, over loopback. Prints TAP.

All traffic is captured where that is allowed: tshark must find nothing malformed in it, and
`nfsleuth diagnose` nothing to complain about.
"""
import contextlib
import hashlib
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import tshark  # noqa: E402

WAIT_S = 60
ENTRIES = 5000
TREE = """
dir  /files       mode=0777
file /files/data  size=5000000
dir  /made/of/it  mode=0755
file /made/of/it/text text=hello
link /made/link target=of/it/text
"""


class Server:
    """A server with its ports, while it runs."""

    def __init__(self, exe, *options):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen([exe, "serve", *options], stdout=subprocess.PIPE,
                                        stderr=self.log, text=True)
        self.ports = {}
        for line in self.process.stdout:
            if line == "ready\n":
                break
            name, address = line.split()
            self.ports[name] = int(address.rpartition(":")[2])

    def url(self, path, version):
        more = f"&mountport={self.ports['mount']}" if version == 3 else ""
        return f"nfs://127.0.0.1{path}?version={version}&nfsport={self.ports['nfs']}{more}"

    def end(self):
        """The exit status after SIGTERM."""
        self.process.terminate()
        return self.process.wait(WAIT_S)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def run(*argv, data=None):
    done = subprocess.run(argv, input=data, capture_output=True, timeout=WAIT_S, check=False)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace").strip()


class Capture:
    """dumpcap on loopback; `path` is None where it may not."""

    def __init__(self, folder, ports):
        self.path = self.process = None
        if not shutil.which("dumpcap"):
            return
        path = folder / "serve.pcapng"
        ports = " or ".join(f"port {port}" for port in ports)
        self.process = subprocess.Popen(
            ["dumpcap", "-q", "-i", "lo", "-B", "64", "-f", ports, "-w", str(path)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if line.startswith("File:"):
                self.path = path
                return

    def end(self):
        if self.process:
            time.sleep(0.5)
            self.process.terminate()
            self.process.wait(WAIT_S)
            self.process.stderr.close()


def names(listing):
    return sorted(line.split()[-1] for line in listing.decode().splitlines())


def check_version(server, version, folder, result):
    """Lists, reads and writes."""
    status, out, said = run("nfs-ls", server.url("/", version))
    result(status == 0 and {"big", "files", "made"} <= set(names(out)), f"v{version} lists the root",
           said)
    status, out, said = run("nfs-ls", server.url("/big", version))
    want = [f"file{i:07}" for i in range(ENTRIES)]
    result(status == 0 and names(out) == want, f"v{version} lists {ENTRIES} made-up files", said)
    status, once, said = run("nfs-cat", server.url("/files/data", version))
    result(status == 0 and len(once) == 5000000, f"v{version} reads a file", said)
    status, out, said = run("nfs-cat", server.url("/made/of/it/text", version))
    result(out == b"hello", f"v{version} reads what the description says", said)
    source = folder / "source"
    # libnfs 4.0 sends nothing when it shall write more than some 4 kB over NFSv4.
    source.write_bytes(hashlib.shake_128(b"nfsleuth").digest(3000001 if version == 3 else 1001))
    status, _, said = run("nfs-cp", str(source), server.url(f"/files/copy{version}", version))
    result(status == 0, f"v{version} writes a file", said)
    status, out, said = run("nfs-cat", server.url(f"/files/copy{version}", version))
    result(out == source.read_bytes(), f"v{version} reads back what was written", said)
    return once


def check_rpcbind(server, result):
    if not shutil.which("rpcinfo"):
        result(None, "rpcinfo is not installed")
        return
    port = server.ports["portmap"]
    for transport in "tcp", "udp":
        status, _, said = run("rpcinfo", "-a", f"127.0.0.1.{port >> 8}.{port & 255}", "-T", transport,
                              "100000", "4")
        result(status == 0, f"rpcbind answers over {transport}", said)


def check_faults(server, folder, result):
    """Faults come by the control socket and show at the client; each is told when it happens."""

    def tell(line):
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(folder / "control"))
            control.sendall(line.encode() + b"\n")
            control.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: control.recv(4096), b"")).decode()

    answer = tell("add no: when NFS3.LOOKUP do status NFS3ERR_NOENT")
    status, _, said = run("nfs-cat", server.url("/made/of/it/text", 3))
    result(status != 0 and "NOENT" in said, "a fault answers instead of the server", answer + said)
    tell("remove no")
    tell("add slow: when READ once do delay reply 1s")
    start = time.monotonic()
    status, out, said = run("nfs-cat", server.url("/made/of/it/text", 3))
    result(out == b"hello" and time.monotonic() - start > 0.9, "a fault delays a reply", said)
    tell("remove slow")
    tell("add again: when READ once do restart")
    status, out, said = run("nfs-cat", server.url("/made/of/it/text", 3))
    result(out == b"hello", "the server restarts, and the client goes on", said)


def check_capture(exe, capture, ports, result):
    if not capture.path:
        result(None, "nothing can be captured here")
        return
    argv = tshark.command(capture.path, ports, "-Y", "rpc", "-T", "fields", "-e", "frame.number",
                          "-e", "_ws.malformed")
    lines = subprocess.run(argv, capture_output=True, text=True, check=False).stdout.splitlines()
    bad = [line for line in lines if line.split("\t", 1)[1]]
    result(len(lines) > 100 and not bad, "tshark finds nothing malformed",
           f"{len(lines)} frames; {bad[:10]}")
    status, out, said = run(exe, "diagnose", str(capture.path))
    result(status == 0, "diagnose finds nothing", said + out.decode()[:500])


def main():
    exe = str(pathlib.Path(sys.argv[1]).resolve())
    count = failed = 0

    def result(holds, what, said=""):
        nonlocal count, failed
        count += 1
        failed += holds is False
        skip = f" # SKIP {what}" if holds is None else ""
        print(f"{'not ok' if holds is False else 'ok'} {count} - {what}{skip}", flush=True)
        if holds is False and said:
            print("# " + re.sub(r"\n", "\n# ", said))

    if not shutil.which("nfs-ls"):
        print("1..0 # SKIP libnfs-utils is not installed")
        return 0
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        (folder / "tree").write_text(TREE)
        server = Server(exe, f"--dir=big={ENTRIES}", f"--tree={folder}/tree",
                        f"--control={folder}/control")
        stack.callback(server.kill)
        capture = Capture(folder, server.ports.values())
        stack.callback(capture.end)
        read = {check_version(server, version, folder, result) for version in (3, 4)}
        result(len(read) == 1, "all versions read the same")
        check_rpcbind(server, result)
        check_faults(server, folder, result)
        capture.end()
        result(server.end() == 0, "SIGTERM ends it")
        if tshark.missing():
            result(None, "tshark is not installed")
        else:
            check_capture(exe, capture, set(server.ports.values()), result)
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
