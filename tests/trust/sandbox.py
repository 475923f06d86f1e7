#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tries to break out of the sandbox, from inside of the real program. Prints TAP.

Usage: sandbox.py PROGRAM BREAKOUT. breakout.c, loaded before zlib, is a decompressor that was taken over;
each attempt is made twice: with --no-sandbox it must come through, so that the test is known to be able
to fail, and in the sandbox it must not.
"""
import gzip
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SAMPLE = ROOT / "samples" / "session-loop"
KILLED = -signal.SIGSYS

# name: what the sandbox answers. The file is one that was not given, unless "input" says otherwise.
ATTEMPTS = {
    "open": "EACCES",
    "create": "EPERM",
    "write": "EPERM",
    "unlink": "EPERM",
    "rename": "EPERM",
    "socket": KILLED,
    "socketpair": KILLED,
    "execve": KILLED,
    "fork": "EPERM",
    "kill": "EPERM",
    "ptrace": KILLED,
    "execute-memory": "EPERM",
    "memory-file": "EPERM",
    "type": "EPERM",
    "thread": "EACCES",
    "other-numbers": KILLED,
    "uring": KILLED,
    "open-how": "ENOSYS",
    "own-memory": "EPERM",
    "read-own-memory": "EACCES",
    "parent-memory": "EACCES",
    "make-executable": "EPERM",
    "personality": "EPERM",
    "namespace": KILLED,
    "clone-how": "ENOSYS",
    "process-handle": "ENOSYS",
    "truncate": "EPERM",
    "mode": "EPERM",
    "link": "EPERM",
    "symlink": "EPERM",
    "directory": "EPERM",
    "list": "EACCES",
    "attribute": "EPERM",
    "limit": "EPERM",
    "debuggable": "EPERM",
    "another-filter": "EPERM",
    "shared-memory": "EPERM",
    "owner": "EPERM",
    "timer": "EPERM",
    "bpf": KILLED,
    "mount": KILLED,
    "keys": KILLED,
    "faults": KILLED,
    "other-process": KILLED,
    "other-bit": KILLED,
}
NEEDS_LANDLOCK = ("open", "thread", "read-own-memory", "parent-memory", "list")
# What some machines and containers deny anyway: there the attempt cannot be seen to work without the sandbox.
DENIED_BY_SOME = ("uring", "namespace", "personality", "attribute", "another-filter", "bpf", "mount", "keys", "faults",
                  "other-process", "limit", "process-handle", "clone-how", "open-how")


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def say(self, good, name, note="", skip=""):
        self.count += 1
        self.failed += not good
        if note and not good:
            for line in note.splitlines():
                print(f"# {line}")
        print(f"{'' if good else 'not '}ok {self.count} - {name}{' # SKIP ' + skip if skip else ''}",
              flush=True)


def run(program, *words, **env):
    return subprocess.run([program, *words], capture_output=True, cwd=ROOT, env={**os.environ, **env},
                          stdin=subprocess.DEVNULL, timeout=60)


def attempt(program, breakout, name, path, *options):
    """(exit status, what the attempt said)"""
    done = run(program, "diagnose", *options, SAMPLE / "server.pcap.gz", LD_PRELOAD=breakout,
               BREAKOUT=name, BREAKOUT_PATH=str(path))
    said = re.search(rf"^{name}: (.*)$", done.stderr.decode(), re.MULTILINE)
    return done.returncode, said[1] if said else None


def try_attempts(tap, program, breakout, scratch, layers):
    for name, want in ATTEMPTS.items():
        path = scratch / name
        if name != "create":
            path.write_text("not evidence")
        status, said = attempt(program, breakout, name, path)
        if name in NEEDS_LANDLOCK and "Landlock version" not in layers:
            tap.say(True, f"{name} is denied", skip="this kernel has no Landlock")
        elif name in ("create", "unlink", "rename", "truncate", "link", "symlink", "directory"):
            made = [p.name for p in scratch.glob(f"{name}.*")]
            same = name == "create" or (path.exists() and path.read_text() == "not evidence")
            tap.say(said == want and same and not made and path.exists() == (name != "create"), f"{name} is denied",
                    f"{status} {said}, made: {made}, the same: {same}")
        elif want == KILLED:
            # Where 32-bit calls are not compiled in, the trap itself is a fault.
            killed = status == KILLED or (name == "other-numbers" and status == -signal.SIGSEGV)
            tap.say(killed, f"{name} ends the program", f"{status} {said}")
        else:
            tap.say((status, said) == (42, want), f"{name} is denied", f"{status} {said}")
        if name != "create" and not path.exists():
            path.write_text("not evidence")
        control(tap, program, breakout, name, path)


def control(tap, program, breakout, name, path):
    """Outside of the sandbox it works: else the attempt proves nothing."""
    if name == "other-numbers":
        return  # some kernels have none
    status, said = attempt(program, breakout, name, path, "--no-sandbox")
    # /bin/true takes the place of the program, and says nothing.
    good = (status, said) == ((0, None) if name == "execve" else (42, "done"))
    denied = name in DENIED_BY_SOME and status == 42 and said in ("EPERM", "ENOSYS", "EACCES", "EOPNOTSUPP", "EINVAL")
    if denied and not good:
        tap.say(True, f"{name} works without the sandbox", skip=f"this machine denies it anyway ({said})")
        return
    tap.say(good, f"{name} works without the sandbox", f"{status} {said}")


def try_inputs(tap, program, breakout, scratch):
    """What was given can be opened again, and cannot be changed."""
    given = SAMPLE / "server.pcap.gz"
    status, said = attempt(program, breakout, "open", given)
    tap.say((status, said) == (42, "done"), "what was given can be read", f"{status} {said}")
    for name in ("write", "unlink"):
        copy = scratch / "given.gz"
        copy.write_bytes(given.read_bytes())
        done = run(program, "show", "calls", copy, LD_PRELOAD=breakout, BREAKOUT=name,
                   BREAKOUT_PATH=str(copy))
        tap.say(b"EPERM" in done.stderr and copy.read_bytes() == given.read_bytes(),
                f"{name} of what was given is denied", done.stderr.decode())


def try_commands(tap, program, breakout, scratch):
    """Every command that reads evidence is inside before it reads a byte of it."""
    given = SAMPLE / "server.pcap.gz"
    table = scratch / "table.gz"
    table.write_bytes(gzip.compress(b"100 1\n200 2\n400 4\n"))
    path = scratch / "other"
    path.write_text("not evidence")
    views = re.findall(r"^  ([a-z]+) ", run(program, "help", "show").stdout.decode(), re.MULTILINE)
    tap.say({"calls", "summary", "timeline"} <= set(views), "the views are known", str(views))
    commands = [("diagnose", given), ("diagnose", "--json", given), ("compare", given, SAMPLE / "server.pcap.gz"),
                ("compare", table), *(("show", view, given) for view in views)]
    for words in commands:
        done = run(program, *words, LD_PRELOAD=breakout, BREAKOUT="create", BREAKOUT_PATH=str(scratch / "made"))
        tap.say(b"create: EPERM" in done.stderr and not (scratch / "made").exists(),
                f"{words[0]} {words[1] if words[0] == 'show' else len(words)}: confined", done.stderr.decode())


def try_same(tap, program, scratch):
    """The same bytes with and without it, from every command that is in it."""
    commands = [("diagnose",), ("diagnose", "--json"), ("show", "calls"), ("show", "timeline"),
                ("show", "calls", "--sort=time"), ("show", "summary", "--json")]
    for words in commands:
        inside, outside = (run(program, *words, *more, SAMPLE) for more in ((), ("--no-sandbox",)))
        tap.say((inside.returncode, inside.stdout) == (outside.returncode, outside.stdout) and
                inside.stdout, f"{' '.join(words)}: the same bytes",
                f"{inside.returncode} {outside.returncode} {inside.stderr.decode()}")
    for more in ((), ("--no-sandbox",)):
        report = scratch / "report"
        report.write_text("old")
        done = run(program, "diagnose", *more, f"--output={report}", SAMPLE)
        tap.say(done.returncode == 1 and report.read_text().startswith("CAUSE"),
                f"a report takes the place of an old one {' '.join(more)}", done.stderr.decode())
    done = run(program, "show", "timeline", "--sort=time", SAMPLE, TMPDIR="/nonexistent")
    tap.say(done.returncode == 0, "without a place for temporary files, what fits needs none",
            done.stderr.decode())


def try_killed(tap, program, scratch):
    """Nothing is left of a report whose program was killed."""
    fifo = scratch / "fifo"
    os.mkfifo(fifo)
    report = scratch / "unfinished"
    process = subprocess.Popen([program, "diagnose", f"--output={report}", fifo])
    with open(fifo, "wb") as feed:
        feed.write(b"<4>[ 1.0] nfs: server a not responding, still trying\n")
        feed.flush()
        seen = wait_until(lambda: list(scratch.glob("unfinished*")))
        state = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        process.kill()
        process.wait()
    gone = wait_until(lambda: not list(scratch.glob("unfinished*")))
    tap.say(seen and gone, "a killed program leaves no unfinished report", f"{seen} {gone}")
    tap.say(re.search(r"^Seccomp:\s+2$", state, re.MULTILINE) and
            re.search(r"^NoNewPrivs:\s+1$", state, re.MULTILINE), "/proc says that it is confined",
            state)


def wait_until(holds, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    return False


def try_lacking(tap, program, breakout, scratch):
    """A kernel without a layer: it is told, and the report is the same."""
    log = scratch / "log"  # zlib is not called for text: breakout.c would end it
    log.write_text("<4>[ 1.0] nfs: server a not responding, still trying\n"
                   "<4>[ 9.0] nfs: server a OK\n")
    words = ("diagnose", log)
    whole = run(program, *words, "--no-sandbox")
    for lack, told in (("landlock", "by seccomp alone"), ("seccomp", "by Landlock alone"),
                       ("landlock seccomp", "sandbox: none")):
        done = run(program, *words, LD_PRELOAD=breakout, LACK=lack)
        tap.say(done.stderr.decode().count(told) == 1 and done.stdout == whole.stdout and
                done.returncode == whole.returncode, f"a kernel without {lack}: told, and it goes on",
                done.stderr.decode())
    tap.say(b"sandbox" not in whole.stderr, "--no-sandbox needs no word", whole.stderr.decode())


def try_inside_terminal(tap, program):
    """On a terminal, where its width and colours are asked for."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([program, "diagnose", SAMPLE], stdout=theirs, stderr=theirs,
                               stdin=subprocess.DEVNULL, env={**os.environ, "TERM": "xterm"})
    os.close(theirs)
    text = b""
    try:
        while chunk := os.read(ours, 65536):
            text += chunk
    except OSError:  # the other side is closed
        pass
    os.close(ours)
    tap.say(process.wait() == 1 and b"\x1b[" in text, "a terminal is known for one", repr(text[:200]))


def main():
    program, breakout = (pathlib.Path(arg).resolve() for arg in sys.argv[1:3])
    layers = run(program, "version").stdout.decode()
    if "a sanitizer in it" in layers:
        print("1..0 # SKIP a build with a sanitizer has no sandbox")
        return
    if ", no seccomp" in layers or "sandbox: n" in layers:
        print("1..0 # SKIP this kernel lets us load no seccomp filter: " + layers.splitlines()[-1])
        return
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        try_attempts(tap, program, str(breakout), scratch, layers)
        try_inputs(tap, program, str(breakout), scratch)
        try_commands(tap, program, str(breakout), scratch)
        try_same(tap, program, scratch)
        try_killed(tap, program, scratch)
        try_lacking(tap, program, str(breakout), scratch)
        try_inside_terminal(tap, program)
    print(f"1..{tap.count}")
    sys.exit(bool(tap.failed))


if __name__ == "__main__":
    main()
