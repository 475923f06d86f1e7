#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What this machine's own programs print is read: ss, netstat, nstat, rpcinfo, /proc. Prints TAP.

Every list is made here and now, so a program that changes its form fails this. How many rows a list
has, or by how much a counter rose between two readings, is counted from the text by other means. A
program that is missing, or may not be run, is skipped and told.
"""
import fcntl
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile

CASES = pathlib.Path(__file__).resolve().parent.parent / "cases"
STATES = re.compile(r"\b(ESTAB|LISTEN|SYN|FIN|TIME|CLOSE|LAST|CLOSING)")


class Skipped(Exception):
    pass


def diagnosis(exe, folder):
    done = subprocess.run(
        [exe, "diagnose", "--json", str(folder)], capture_output=True, timeout=60, check=False
    )
    if done.returncode not in (0, 1):
        raise RuntimeError(f"exit status {done.returncode}: {done.stderr.decode()[-200:]}")
    return json.loads(done.stdout)


def printed(*words):
    program = shutil.which(words[0], path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not program:
        raise Skipped(f"{words[0]} is not there")
    done = subprocess.run(
        [program, *words[1:]], capture_output=True, timeout=60, check=False,
        env={**os.environ, "LC_ALL": "C", "NSTAT_HISTORY": "/dev/null"},
    )  # fmt: skip
    if done.returncode != 0:
        raise Skipped(f"{' '.join(words)}: {done.stderr.decode().strip()[:80]}")
    return done.stdout.decode()


def records(exe, text):
    """(kind, records) of the one text."""
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "text").write_text(text)
        evidence = diagnosis(exe, folder)["evidence"]
    return evidence[0]["kind"], evidence[0]["records"]


def expect_rows(exe, text, rows):
    got = records(exe, text)
    return [] if rows and got == ("lists", rows) else [f"{got}, by the text {rows} rows"]


def sockets(exe, *words):
    """A list that has a connection, a listener, and whatever else this machine has."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()):
            text = printed(*words)
    return expect_rows(exe, text, sum(bool(STATES.search(line)) for line in text.splitlines()))


def locks(exe):
    with tempfile.TemporaryFile() as held:
        fcntl.lockf(held, fcntl.LOCK_EX)
        text = pathlib.Path("/proc/locks").read_text()
    return expect_rows(exe, text, len(text.splitlines()))


def services(exe, *words):
    """Of a rpcbind in namespaces of its own."""
    if not shutil.which("rpcbind", path="/usr/sbin:/sbin") or not shutil.which("rpcinfo"):
        raise Skipped("rpcbind or rpcinfo is not there")
    text = printed(
        "unshare", "--net", "--mount", "--pid", "--fork", "--kill-child=KILL", "sh", "-c",
        "ip link set lo up && mount -t tmpfs none /run && mkdir -p /run/rpcbind || exit; rpcbind;"
        'for i in 1 2 3 4 5 6 7 8; do sleep 0.2; "$@" 2>/dev/null && exit; done; exit 1',
        "sh", *words,
    )  # fmt: skip
    return expect_rows(exe, text, len(text.splitlines()) - 1)


def traffic():
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as a:
            b, _ = server.accept()
            for _ in range(50):
                a.sendall(b"x")
                b.recv(1)
            b.close()


def counters(exe, pattern, *words):
    """Two readings beside a client's counters: what TCP sent between them is told as it was."""
    case = CASES / "vm-counted-slow"
    with tempfile.TemporaryDirectory() as folder:
        sent = []
        for number in (1, 2):
            text = printed(*words) if words[0][0] != "/" else "".join(map(slurp, words))
            sent.append(int(re.search(pattern, text, re.M)[1]))
            (pathlib.Path(folder) / f"net-{number}").write_text(text)
            shutil.copy(case / f"client1-slow-{number}.txt", folder)
            traffic()
        told = [
            c["text"] for f in diagnosis(exe, folder)["findings"] for c in f["cites"]
            if c["text"].startswith("TCP of the host")
        ]  # fmt: skip
    want = f" {sent[1] - sent[0]} segments sent since "
    return [] if len(told) == 1 and want in told[0] else [f"{told}, by the text{want}"]


def slurp(path):
    return pathlib.Path(path).read_text()


def trace(exe):
    """A call that fails, as strace prints it."""
    if not shutil.which("strace"):
        raise Skipped("strace is not there")
    with tempfile.NamedTemporaryFile() as told:
        done = subprocess.run(
            ["strace", "-f", "-ttt", "-T", "-o", told.name, "cat", "/nonexistent/file"],
            capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        text = pathlib.Path(told.name).read_text()
    if "ENOENT" not in text:
        raise Skipped(f"strace: {done.stderr.decode().strip()[:80]}")
    kind, calls = records(exe, text)
    want = sum(
        bool(re.match(r"(\d+ +)?\d+\.\d+ \w+\(", x)) for x in text.splitlines()
    )
    return [] if (kind, calls) == ("strace", want) else [f"{kind}, {calls}, by the text {want}"]


PROC = r"^Tcp: 1 (?:-?\d+ ){9}(\d+) "
CHECKS = {
    "ss -tan": lambda exe: sockets(exe, "ss", "-tan"),
    "ss -tanoi": lambda exe: sockets(exe, "ss", "-tanoi"),
    "ss -tanoie -O": lambda exe: sockets(exe, "ss", "-tanoieO"),
    "netstat -tan": lambda exe: sockets(exe, "netstat", "-tan"),
    "netstat -tano": lambda exe: sockets(exe, "netstat", "-tano"),
    "/proc/locks": locks,
    "rpcinfo": lambda exe: services(exe, "rpcinfo", "127.0.0.1"),
    "rpcinfo -p": lambda exe: services(exe, "rpcinfo", "-p", "127.0.0.1"),
    "/proc/net/snmp": lambda exe: counters(exe, PROC, "/proc/net/snmp", "/proc/net/netstat"),
    "nstat -az": lambda exe: counters(exe, r"^TcpOutSegs +(\d+)", "nstat", "-az"),
    "netstat -s": lambda exe: counters(exe, r"^ +(\d+) segments sent? out", "netstat", "-s"),
    "strace -f -ttt -T": trace,
}


def main():
    failed = 0
    print(f"1..{len(CHECKS)}")
    for number, (name, check) in enumerate(CHECKS.items(), 1):
        try:
            bad = check(sys.argv[1])
            print(f"{'not ok' if bad else 'ok'} {number} - {name}", flush=True)
            for line in bad:
                print(f"#   {line}")
            failed += bool(bad)
        except Skipped as why:
            print(f"ok {number} - {name} # SKIP {why}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
