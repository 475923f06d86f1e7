#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What hostile evidence sends to a terminal: the raw bytes of every command. Prints TAP.

Usage: terminal.py PROGRAM. Owners, paths, lines of logs and names of files hold escape sequences, controls of
both kinds, marks that reorder text, and what is no UTF-8. Each command runs into a pipe and on a terminal.
Nothing may come out but UTF-8 text, line breaks, and on a terminal the colours of our own.
"""
import gzip
import json
import os
import pathlib
import pty
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SAMPLE = ROOT / "samples" / "session-loop" / "server.pcap.gz"
OWNER = b"web-01"  # in the owner of the sample's clients
# Each as long as OWNER, so that no length changes.
HOSTILE = [b"\x1b]0;x\x07", b"\x9b31mAB", b"\xe2\x80\xaeabc", b"\xc2\x9b2JAB", b"\r\n\x00\x08\x7f\t",
           b"\xff\xfe\xc3(\xf0\x9f", b"\xe2\x81\xa6\xe2\x80\x8f", b"\xd8\x9c\x1b[2J", b"</p>&'"]
LINES = [b"<4>[ 1.0] nfs: server a%s not responding, still trying", b"<4>[ 9.0] nfs: server a%s OK",
         b"<3>[ 9.5] INFO: task x%s:12 blocked for more than 120 seconds."]
VIEWS = "calls ops conns clients sessions locks dirs tasks waits timeline summary".split()

# Colours of report/layout.c, and how cmd/progress.c takes its line away.
OURS = re.compile(rb"\x1b\[(?:0|1|2|32|1;31|1;33)m|\r\x1b\[K")
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def faults(text, on_terminal):
    """Why these bytes must not reach a terminal, or None."""
    if on_terminal:
        text = OURS.sub(b"", text.replace(b"\r\n", b"\n"))
    try:
        found = CONTROLS.search(text.decode("utf-8"))
    except UnicodeDecodeError as e:
        return f"no UTF-8: {text[max(0, e.start - 30):e.end + 20]!r}"
    return f"{found[0]!r} in {text.decode()[max(0, found.start() - 40):found.end() + 20]!r}" if found else None


def run_piped(command, env, cwd):
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, stdin=subprocess.DEVNULL, timeout=120)
    return done.returncode, done.stdout, done.stderr


def run_on_terminal(command, env, cwd):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, env=env, cwd=cwd, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL)
    os.close(theirs)
    text = b""
    try:
        while chunk := os.read(ours, 65536):
            text += chunk
    except OSError:  # the other side is closed
        pass
    os.close(ours)
    return process.wait(), text, b""


def make(folder):
    """The evidence; the names of its files."""
    packets = gzip.decompress(SAMPLE.read_bytes())
    names = []
    for number, bad in enumerate(HOSTILE):
        assert len(bad) == len(OWNER)
        name = b"%d-" % number + bad.replace(b"/", b"_").replace(b"\x00", b"\x01")
        (folder / os.fsdecode(name + b".pcap")).write_bytes(packets.replace(OWNER, bad))
        (folder / os.fsdecode(name + b".log")).write_bytes(b"\n".join(l % bad for l in LINES) + b"\n")
        (folder / os.fsdecode(name + b".none")).write_bytes(bad * 3)
        names += [os.fsdecode(name + end) for end in (b".pcap", b".log", b".none")]
    archive = folder / "all.tar"
    subprocess.run(["tar", "-cf", archive, "-C", folder, *names], check=True)
    return names


def commands(names):
    captures = [n for n in names if n.endswith(".pcap")]
    for name in captures:
        yield ["diagnose", name]
        yield ["diagnose", "--json", name]
        yield ["diagnose", "--color=always", "--output", name + ".report", name]
    yield ["diagnose", *names]
    yield ["diagnose", "--json", "."]
    yield ["diagnose", "all.tar"]
    for view in VIEWS:
        for more in ([], ["--json"]):
            yield ["show", view, *more, *names]
    yield ["compare", captures[0], captures[1]]
    yield ["compare", "--json", captures[2], captures[3]]
    for name in names[:3] + names[12:15]:
        yield ["compare", name]
        yield ["explain", name]
        yield ["show", name, name]
        yield [name]
        yield ["timeouts", name]
        yield ["reproduce", name]
        yield ["serve", "--tree", name + "x"]
        yield ["diagnose", "--tz", name, names[0]]
        yield ["diagnose", name + ".missing"]
        yield ["help", name]


def check(program, command, folder, env):
    """Why it is wrong, or None."""
    for on_terminal, run in ((False, run_piped), (True, run_on_terminal)):
        status, stdout, stderr = run([program, *command], env, folder)
        if status < 0 or status > 3:
            return f"exit status {status}"
        for text in (stdout, stderr):
            wrong = faults(text, on_terminal)
            if wrong:
                return f"{'on a terminal' if on_terminal else 'piped'}: {wrong}"
        if "--json" in command and not on_terminal and status < 2:
            try:
                for line in [stdout] if command[0] != "show" else stdout.splitlines():
                    json.loads(line)
            except ValueError as e:
                if command[1:2] != ["summary"]:  # one object over many lines
                    return f"no JSON: {e}"
    return None


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    env = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    env.pop("NO_COLOR", None)
    count = failed = 0
    proof = faults(b"a\x1b[2Jb", True) and faults(b"\xe2\x80\xae", False) and faults(b"\xff", False)
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        names = make(folder)
        print(f"{'' if proof else 'not '}ok 1 - the test can fail")
        count, failed = 1, not proof
        for command in commands(names):
            wrong = check(program, command, folder, env)
            count += 1
            failed += wrong is not None
            if wrong:
                print(f"# {wrong}")
            label = " ".join(command[:3]).encode("unicode_escape", "surrogateescape").decode().replace("#", "")
            print(f"{'not ' if wrong else ''}ok {count} - {label[:100]}", flush=True)
        for report in folder.glob("*.report"):
            wrong = faults(OURS.sub(b"", report.read_bytes()), False)
            count += 1
            failed += wrong is not None
            if wrong:
                print(f"# {wrong}")
            print(f"{'not ' if wrong else ''}ok {count} - a report in a file", flush=True)
    print(f"1..{count}")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
