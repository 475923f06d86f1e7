#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the program prints, to the letter. Prints TAP.

A case is a folder:

    cmd        a line for the shell; nfsleuth is in its PATH, $T is an empty directory, the current
               directory is the top of the tree
    status     the exit status
    stdout     what it must print; likewise stderr (missing: nothing)
    terminal   if there: runs on a terminal of that many columns, both outputs together in stdout
    json       if there: the name of a schema in schema.py that stdout must meet

How many kinds of faults are looked for is written as N: a new rule changes no case of its own.

`run.py --update PROGRAM [CASE...]` writes what the program prints now: for people, who then read
`git diff`.
"""
import argparse
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import tempfile
import fcntl
import termios

import schema

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OUTPUTS = ("status", "stdout", "stderr")
# What a kernel does not offer is told, and is no matter of the case.
SANDBOX = re.compile(rb"^nfsleuth: sandbox: .*\n", re.MULTILINE)
RULES = re.compile(rb"Looked for: \d+ kinds\b")


def environment(program, scratch):
    env = dict(os.environ, T=scratch, TERM="xterm", LC_ALL="C.UTF-8", TZ="UTC",
               PATH=f"{program.parent}:{os.environ['PATH']}")
    for name in ("NO_COLOR", "COLUMNS", "LINES", "PAGER"):
        env.pop(name, None)
    return env


def run_plain(command, env):
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, env=env, capture_output=True,
                          stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def run_on_terminal(command, env, columns):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    process = subprocess.Popen(["sh", "-c", command], cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
                               stdout=theirs, stderr=theirs)
    os.close(theirs)
    chunks = []
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not chunk:
            break
        chunks.append(chunk)
    os.close(ours)
    return process.wait(), b"".join(chunks).replace(b"\r\n", b"\n"), b""


def run_case(case, program):
    """What the case gives: {name of the file: bytes}."""
    command = (case / "cmd").read_text()
    with tempfile.TemporaryDirectory() as scratch:
        env = environment(program, scratch)
        if (case / "terminal").exists():
            columns = int((case / "terminal").read_text())
            status, stdout, stderr = run_on_terminal(command, env, columns)
        else:
            status, stdout, stderr = run_plain(command, env)
        status = f"{status}\n".encode()
        stderr = SANDBOX.sub(b"", stderr)
        return {name: RULES.sub(b"Looked for: N kinds", got.replace(scratch.encode(), b"$T"))
                for name, got in zip(OUTPUTS, (status, stdout, stderr))}


def first_difference(name, want, got):
    want_lines, got_lines = want.splitlines(), got.splitlines()
    for number in range(max(len(want_lines), len(got_lines)) + 1):
        w = want_lines[number:number + 1]
        g = got_lines[number:number + 1]
        if w != g:
            yield f"{name}:{number + 1}: want {w[0] if w else 'no such line'}"
            yield f"{name}:{number + 1}: got  {g[0] if g else 'no such line'}"
            return
    yield f"{name}: differs in the end of its last line"


def check_case(case, got):
    """Lines that say what is wrong with it."""
    for name in OUTPUTS:
        path = case / name
        want = path.read_bytes() if path.exists() else b""
        if want != got[name]:
            yield from first_difference(name, want.decode(errors="replace"),
                                        got[name].decode(errors="replace"))
    if (case / "json").exists():
        yield from schema.check((case / "json").read_text().strip(), got["stdout"])


def update_case(case, got):
    for name in OUTPUTS:
        if got[name] or name == "status":
            (case / name).write_bytes(got[name])
        else:
            (case / name).unlink(missing_ok=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--update", action="store_true", help="write what the program prints now")
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("cases", nargs="*", help="names of cases; all")
    args = parser.parse_args()
    program = args.program.resolve()
    cases = sorted(path.parent for path in HERE.glob("*/cmd")
                   if not args.cases or path.parent.name in args.cases)
    print(f"1..{len(cases)}")
    failed = 0
    for number, case in enumerate(cases, 1):
        got = run_case(case, program)
        if args.update:
            update_case(case, got)
        problems = list(check_case(case, got))
        failed += bool(problems)
        for problem in problems:
            print(f"# {problem}")
        print(f"{'not ' if problems else ''}ok {number} - {case.name}", flush=True)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
