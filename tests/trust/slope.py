#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory does not grow with the size of the input, nor time faster than it. Prints TAP.

Usage: slope.py PROGRAM STREAM [MB ...]. STREAM (tests/bench/stream.c) sends ever new hosts with every incident
of tests/cases (incidents.py) through a pipe: 50, 100, 200 and 400 MB, or what is given. Connections and all
that is kept of them come and go for all of that time, so each table gets full.
"""
import pathlib
import resource
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "bench"))
from measure import Run  # noqa: E402

SIZES_MB = (50, 100, 200, 400)
PEAK_MB = 64
FLAT_MB = 12  # from half of the largest size on
PACE = 1.5  # seconds a byte, of what of the half
TRIES = 3  # what else the machine does only adds to the seconds: the fewest of some runs in turn count
COMMANDS = (("diagnose", "--threads=2", "-"), ("show", "summary", "--threads=2", "-"),
            ("show", "timeline", "--threads=2", "-"))


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def say(self, good, what):
        self.count += 1
        self.failed += not good
        print(f"{'' if good else 'not '}ok {self.count} - {what}", flush=True)


def measure(stream, block, size_mb, command, log):
    with subprocess.Popen([stream, block, str(size_mb * 10**6)], stdout=subprocess.PIPE) as source:
        run = Run(command, log, stdin=source.stdout)
        source.stdout.close()
    return run


def pace(half, full, measure_again):
    """Seconds a byte of the larger run, in those of the smaller: measured again where they seem too many."""
    seconds = [run.seconds / size for size, run in (half, full)]
    for _ in range(TRIES - 1):
        if seconds[1] < PACE * seconds[0]:
            break
        seconds = [min(least, measure_again(size).seconds / size)
                   for least, (size, _) in zip(seconds, (half, full))]
    return seconds[1] / seconds[0]


def judge(tap, name, runs, measure_again):
    """runs: (MB, what it cost), the largest last."""
    (half_mb, half), (full_mb, full) = runs[-2:]
    for size, run in runs:
        tap.say(run.rss_mb < PEAK_MB, f"{name}, {size} MB: {run.rss_mb:.1f} MB of {PEAK_MB}, {run.seconds:.2f} s")
    tap.say(full.rss_mb - half.rss_mb < FLAT_MB, f"{name}: from {half_mb} to {full_mb} MB less than {FLAT_MB} MB")
    took = pace(runs[-2], runs[-1], measure_again)
    tap.say(took < PACE, f"{name}: a byte takes {took:.2f} of what it took of the half")


def main():
    program, stream = (pathlib.Path(arg).resolve() for arg in sys.argv[1:3])
    sizes = [int(arg) for arg in sys.argv[3:]] or SIZES_MB
    tap = Tap()
    resource.setrlimit(resource.RLIMIT_CPU, (600, 600))
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        block = folder / "block.pcap"
        subprocess.run([sys.executable, HERE.parent / "bench" / "incidents.py", block], check=True)
        for command in COMMANDS:
            # What the timeline adds to diagnose is small: two sizes tell.
            wanted = sizes[-2:] if "timeline" in command else sizes

            def run(size, command=command):
                return measure(stream, block, size, (program, *command), folder / "log")

            judge(tap, " ".join(command[:-2]), [(size, run(size)) for size in wanted], run)
    print(f"1..{tap.count}")
    sys.exit(bool(tap.failed))


if __name__ == "__main__":
    main()
