#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Evidence that is made to exhaust, through each view and command that reads evidence. Prints TAP.

Usage: views.py PROGRAM [--scale N] [--each]. A part of each hostile capture (adversarial.py, hostile.py), one behind
the other, and hostile logs, in each view of `show` as text and as JSON, sorted, filtered and compared: under 256 MB
and TIMES the time that the same command takes for a harmless capture, per byte. --each: each capture by itself, whole.
"""
import argparse
import itertools
import pathlib
import resource
import sys
import tempfile

import adversarial
import hostile
from wire import harmless, pcap

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
from measure import Run  # noqa: E402

VIEWS = ("calls", "ops", "conns", "clients", "sessions", "locks", "dirs", "tasks", "waits", "timeline", "summary", "unknown")
COMMANDS = [("show", view, *form) for view in VIEWS for form in ((), ("--json",))]
COMMANDS += [
    ("diagnose", "--json"),
    ("show", "calls", "--sort=time"),
    ("show", "ops", "--sort=time", "--json"),
    ("show", "calls", "--program=NFS", "--host=10.0.0.1"),
    ("show", "timeline", "--status=NFS4ERR_BAD_STATEID"),
]
TEXT_COMMANDS = [c for c in COMMANDS if c[1] in ("tasks", "waits", "timeline", "unknown", "--json")]
SHARE = 60  # of each capture's packets, one in so many
TEXT_MB = 3


class Judge:
    def __init__(self, program):
        self.program = program
        self.count = self.failed = 0
        self.paces = {}  # (kind, command): seconds a byte of the harmless one

    def run(self, command, paths):
        return Run((self.program, *command, *paths), pathlib.Path("/dev/null"), ok=(0, 1, 3))

    def harmless(self, kind, commands, path):
        for command in commands:
            pace = self.run(command, [path]).seconds / adversarial.size_of(path)
            self.paces[kind, command] = max(pace, self.paces.get((kind, command), 0))

    def case(self, name, kind, command, paths):
        allowed = adversarial.START_S + adversarial.TIMES * self.paces[kind, command] * sum(
            adversarial.size_of(path) for path in paths)
        self.count += 1
        try:
            run = self.run(command, paths)
            good = run.rss_mb < adversarial.MEMORY_MB and run.seconds <= allowed
            print(f"# {run.seconds:.2f} s of {allowed:.2f} s, {run.rss_mb:.0f} MB")
        except RuntimeError as problem:
            good = False
            print(f"# {problem}")
        self.failed += not good
        print(f"{'' if good else 'not '}ok {self.count} - {' '.join(command)}: {name}", flush=True)


def peaceful(share):
    """Harmless ones, one behind the other."""
    return itertools.chain(harmless(200_000 // share), adversarial.short_connections(200_000 // share),
                           hostile.lookups(100_000 // share))


def run_wire(judge, folder, scale, each):
    calm, path = folder / "calm.pcap", folder / "wire.pcap"
    pcap(calm, peaceful(max(1, SHARE // 10 // scale)))
    judge.harmless("wire", COMMANDS, calm)
    for name, (make, count) in adversarial.WIRE.items() if each else ():
        pcap(path, make(count * scale))
        for command in COMMANDS:
            judge.case(name, "wire", command, [path])
    if not each:
        pcap(path, itertools.chain.from_iterable(make(count * scale // SHARE) for make, count in adversarial.WIRE.values()))
        for command in COMMANDS:
            judge.case("all hostile captures, a part of each", "wire", command, [path])
    judge.paces["wire", ("compare",)] = judge.paces["wire", ("show", "summary")]
    judge.case("with a harmless one", "wire", ("compare",), [path, calm])


def run_texts(judge, folder, scale):
    calm, logs = folder / "calm.log", folder / "logs"
    logs.mkdir()
    size = TEXT_MB * scale * adversarial.MB
    adversarial.harmless_log(calm, size)
    judge.harmless("text", TEXT_COMMANDS, calm)
    for number, make in enumerate(adversarial.TEXTS.values()):
        make(logs / f"{number}.log", size)
    for command in TEXT_COMMANDS:
        judge.case("hostile logs", "text", command, [logs])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--scale", type=int, default=1)
    parser.add_argument("--each", action="store_true")
    args = parser.parse_args()
    judge = Judge(args.program.resolve())
    resource.setrlimit(resource.RLIMIT_CPU, (600, 600))
    with tempfile.TemporaryDirectory() as scratch:
        run_wire(judge, pathlib.Path(scratch), args.scale, args.each)
        run_texts(judge, pathlib.Path(scratch), args.scale)
    print(f"1..{judge.count}")
    sys.exit(bool(judge.failed))


if __name__ == "__main__":
    main()
