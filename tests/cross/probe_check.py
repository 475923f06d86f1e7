#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`nfsleuth probe check` and `list` of `nfsleuth serve`, through `nfsleuth proxy` where something goes wrong. Prints TAP.

A sound server has no step that fails; each fault is found at the layer where it was made to happen,
and nowhere before. `probe_check.py PROGRAM`.
"""
import fcntl
import json
import pathlib
import socket
import subprocess
import sys
import tempfile

import tap

WAIT_S = 20
NO_ANSWER = "connected, but no answer to the call"


class Endpoint:
    """A program that says "ready"; its lines before that are kept."""

    def __init__(self, *argv):
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.lines = []
        for line in self.process.stdout:
            if line == "ready\n":
                return
            self.lines.append(line.split())
        raise AssertionError(f"{argv[1]} is not ready: status {self.process.wait()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate(timeout=WAIT_S)


class Stage:
    """The server, and the proxy in front of its portmap; MOUNT and NFS go through it by themselves."""

    def __init__(self, program, *faults):
        self.program = program
        self.server = Endpoint(program, "serve")
        ports = {name: at for name, at in self.server.lines}
        words = [word for fault in faults for word in ("--fault", fault)]
        self.folder = tempfile.TemporaryDirectory()
        self.control = str(pathlib.Path(self.folder.name) / "control")
        self.proxy = Endpoint(program, "proxy", "--to", ports["portmap"], "--control", self.control, *words)
        self.words = ["127.0.0.1", "portmap=" + self.proxy.lines[0][0].rsplit(":", 1)[1], "timeo=5", "vers=3"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.proxy.__exit__()
        self.server.__exit__()
        self.folder.cleanup()

    def check(self):
        done = subprocess.run([self.program, "probe", "check", "--json", *self.words],
                              capture_output=True, text=True, timeout=WAIT_S)  # fmt: skip
        return done.returncode, json.loads(done.stdout)

    def ask(self, line):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(WAIT_S)
            sock.connect(self.control)
            sock.sendall(line.encode() + b"\n")
            assert sock.recv(4096) == b"ok\n", line


def steps(report, outcome):
    return [(s["layer"], s["step"]) for s in report["steps"] if s["outcome"] == outcome]


def stop(program, fault):
    with Stage(program, fault) as s:
        status, report = s.check()
    failed = [s for s in report["steps"] if s["outcome"] == "failed"]
    assert status == 1 and failed, report
    return failed[0]["layer"], failed[0]["step"], failed[0]["detail"]


def test_a_sound_server(program):
    with Stage(program) as s:
        status, report = s.check()
    assert status == 0 and report["stops_at"] is None, report
    assert not steps(report, "failed"), report
    want = [("rpcbind", "DUMP"), ("MOUNT", "MNT"), ("NFSv3", "NULL"), ("NFSv3", "GETATTR")]
    assert set(want) <= set(steps(report, "ok")), report


def test_where_it_stops(program):
    for fault, want in (
        ("when DUMP do drop reply", ("rpcbind", "DUMP", NO_ANSWER)),
        ("when MOUNT.NULL do drop call", ("MOUNT", "NULL", NO_ANSWER)),
        ("when MOUNT.NULL do answer SYSTEM_ERR", ("MOUNT", "NULL", "SYSTEM_ERR")),
        ("when NFS3.NULL do close", ("NFSv3", "NULL", "the server closed the connection")),
        ("when NFS3.NULL do reset", ("NFSv3", "NULL", "Connection reset by peer")),
        ("when NFS3.GETATTR do answer NFS3ERR_STALE", ("NFSv3", "GETATTR", "/: NFS3ERR_STALE")),
        ("when NFS3.NULL do xid", ("NFSv3", "NULL", NO_ANSWER)),
    ):
        assert stop(program, fault) == want, (fault, stop(program, fault))


def test_a_step_that_is_slow_takes_its_time(program):
    with Stage(program, "when MOUNT.MNT do delay 300ms") as s:
        status, report = s.check()
    took = {(s["layer"], s["step"]): s["took_us"] for s in report["steps"]}
    assert status == 0 and 290000 < took["MOUNT", "MNT"] < 500000, report


def test_nothing_listens(program):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        done = subprocess.run([program, "probe", "check", "127.0.0.1", f"port={port}", "vers=4"],
                              capture_output=True, text=True, timeout=WAIT_S)  # fmt: skip
    assert done.returncode == 1, done
    assert done.stdout.endswith("127.0.0.1: stops at NFS connect: connection refused\n"), done.stdout


def test_a_listing_is_counted(program):
    server = Endpoint(program, "serve", "--dir", "big=5000")
    with server:
        ports = dict(server.lines)
        words = ["127.0.0.1", "portmap=" + ports["portmap"].rsplit(":", 1)[1], "dir=big", "processes=4"]
        for plus in ("plus=0", "plus=1"):
            done = subprocess.run([program, "probe", "list", "--json", *words, plus],
                                  capture_output=True, text=True, timeout=WAIT_S)  # fmt: skip
            assert done.returncode == 0, done.stderr
            runs = json.loads(done.stdout)["runs"]
            alone = runs[0]["entries"]
            assert 5000 <= alone <= 5002, runs  # with . and ..
            assert [(r["lock"], r["processes"]) for r in runs] == [
                (lock, n) for n in (1, 2, 4) for lock in ("shared", "exclusive")], runs
            assert all(r["entries"] == alone * r["processes"] for r in runs), runs
            assert all(r["calls"] == runs[0]["calls"] * r["processes"] for r in runs), runs


def test_a_listing_behind_slow_replies_grows_where_it_must(program):
    """With 20 ms for each page, exclusive time grows with the processes and shared time does not."""
    with Stage(program, "when READDIR do delay 20ms") as s:
        done = subprocess.run([program, "probe", "list", "--json", *s.words, "processes=8"],
                              capture_output=True, text=True, timeout=WAIT_S)  # fmt: skip
    report = json.loads(done.stdout)
    assert report["exponent"]["exclusive"] > 0.8, report
    assert report["exponent"]["shared"] < 0.4, report


def test_sessions_of_nfs4(program):
    """Each minor version by itself: set up, looked through, taken down."""
    faults = ("when CREATE_SESSION minor 2 do answer NFS4ERR_NOSPC; "
              "when SEQUENCE minor 1 do answer NFS4ERR_BADSESSION")  # fmt: skip
    with Endpoint(program, "serve") as server:
        nfs = dict(server.lines)["nfs"]
        with Endpoint(program, "proxy", "--to", nfs, "--fault", faults) as proxy:
            for port, stop, failed in (
                (nfs.rsplit(":", 1)[1], None, []),
                (proxy.lines[0][0].rsplit(":", 1)[1], "NFSv4.1",
                 [("NFSv4.1", "SEQUENCE: NFS4ERR_BADSESSION"), ("NFSv4.2", "CREATE_SESSION: NFS4ERR_NOSPC")]),
            ):  # fmt: skip
                done = subprocess.run([program, "probe", "check", "--json", "127.0.0.1", "vers=4", f"port={port}"],
                                      capture_output=True, text=True, timeout=WAIT_S)  # fmt: skip
                report = json.loads(done.stdout)
                assert report["stops_at"] == stop and done.returncode == (stop is not None), report
                got = [(s["layer"], s["detail"]) for s in report["steps"] if s["outcome"] == "failed"]
                assert got == failed, got
                assert ("NFSv4.0", "PUTROOTFH GETATTR") in steps(report, "ok"), report


def test_watch_tells_what_changes(program):
    with Stage(program) as s:
        watch = subprocess.Popen([program, "probe", "check", "--watch", *s.words, "every=0.05", "for=3"],
                                 stdout=subprocess.PIPE, text=True)  # fmt: skip
        while "all that it offers answers" not in watch.stdout.readline():
            pass
        s.ask("add gone: when NFS3.NULL do answer PROC_UNAVAIL")
        assert "stops at NFSv3 NULL" in watch.stdout.readline()
        s.ask("remove gone")
        assert " answers again; behind a failure of " in watch.stdout.readline()
        assert watch.communicate(timeout=WAIT_S)[0] == "", "something that did not change"
        assert watch.returncode == 0, watch.returncode


def test_server_over_ipv6(program):
    server = Endpoint(program, "serve", "--quiet", "--listen=[::1]:0", "--dir=big=300")
    try:
        ports = {name: where.rsplit(":", 1)[1] for name, where in server.lines}
        words = ["[::1]:/", f"portmap={ports['portmap']}", f"port={ports['nfs']}"]
        done = subprocess.run([program, "probe", "check", "--json", *words],
                              capture_output=True, text=True, timeout=WAIT_S)  # fmt: skip
        report = json.loads(done.stdout)
        assert report["stops_at"] is None and ("NLM", "NULL") in steps(report, "ok"), report
        done = subprocess.run([program, "probe", "list", "--json", *words, "dir=big", "processes=1"],
                              capture_output=True, text=True, timeout=WAIT_S)  # fmt: skip
        assert '"entries": 302' in done.stdout or '"entries":302' in done.stdout, done
    finally:
        server.process.terminate()
        server.process.wait(WAIT_S)
        server.process.stdout.close()


def test_lock_of_a_path(program):
    with tempfile.NamedTemporaryFile() as file:
        command = [program, "probe", "lock", file.name, "hold=0.1", "every=0.1"]
        done = subprocess.run([*command, "for=1"], capture_output=True, text=True, timeout=WAIT_S)
        lines = [line.split(maxsplit=1)[1] for line in done.stdout.splitlines()]
        assert done.returncode == 0 and lines[0].startswith("open: took "), done
        assert lines[1].startswith("lock: took ") and lines[2].startswith("unlock: took "), done
        # Another has it: twenty times as fast.
        fcntl.lockf(file, fcntl.LOCK_EX)
        done = subprocess.run([*command, "--speed=20", "for=12"], capture_output=True, text=True, timeout=WAIT_S)
        assert "lock: waits for 5." in done.stdout and "lock: took" not in done.stdout, done
    done = subprocess.run([program, "probe", "load", "/srv"], capture_output=True, text=True, timeout=WAIT_S)
    assert done.returncode == 2 and "is for 'probe lock'" in done.stderr, done


if __name__ == "__main__":
    tap.run(globals(), sys.argv[1])
