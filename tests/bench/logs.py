#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Speed on kernel logs and other texts of a host, compared with wc and grep.

logs.py PROGRAM [--lines N] [--runs N] [--dir DIR]. The texts are made here (log_forms.py), the same
each time: a message about NFS once in a thousand lines. First two logs of a million lines, then the
other forms at a fifth of that, then a directory of many small files that are none of our business.
CPU time is that of one thread, the median of interleaved runs. Fails when the program reads another
number of lines than were written, never for being slow.
"""
import argparse
import json
import os
import pathlib
import statistics
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]
import log_forms  # noqa: E402
from measure import Run  # noqa: E402

LONG = ["dmesg", "syslog"]
TARGET_S = 1.0  # for a million lines of these
TARGET_RATIO = 10  # of the slowest form to the fastest, per byte
SMALL_FILES = 5000
NO_EVIDENCE = 3  # the exit status; where there should be some, the lines are counted


def made(path, write, lines):
    """Writes the text unless it is there; how many lines of it the program has to read."""
    count = path.with_suffix(".count")
    if not count.exists():
        with open(path, "w", encoding="ascii", newline="") as out:
            read = write(out, lines)
        count.write_text(str(read))
    return int(count.read_text())


def medians(commands, runs, log):
    """The median CPU time of each command, and the output of its first run."""
    done = {name: [] for name in commands}
    for _ in range(runs):
        for name, argv in commands.items():
            done[name].append(Run(argv, log, ok=(0, 1, NO_EVIDENCE)))
    return {name: (statistics.median(r.seconds for r in each), each[0].output) for name, each in done.items()}


def verdict(value, target):
    return "met" if value <= target else "not met"


class Bench:
    def __init__(self, args):
        self.args = args
        self.log = args.dir / "output"
        self.bad = False
        self.per_byte = {}

    def diagnose(self, path):
        return [self.args.exe, "diagnose", "--json", "--threads=1", path]

    def text(self, form, lines, beside=None):
        """One row for the program, and one for each command beside it."""
        name = form.lower().replace("/", "").replace(",", "").replace(" ", "-")
        path = self.args.dir / f"{name}-{lines}.txt"
        wanted = made(path, log_forms.FORMS[form], lines)
        size = path.stat().st_size
        commands = {"diagnose": self.diagnose(path)}
        commands.update({key: [str(path) if word == "FILE" else word for word in argv] for key, argv in (beside or {}).items()})
        result = medians(commands, self.args.runs, self.log)
        for key, (seconds, _) in result.items():
            print(f"{f'{form}, {key}':44}{lines:9}{seconds:9.2f}{size / 1e6 / max(seconds, 1e-3):8.0f}")
        self.per_byte[form] = result["diagnose"][0] * 1e9 / size
        told = result["diagnose"][1]
        evidence = json.loads(told)["evidence"] if told else []
        read = evidence[0]["records"] if evidence else 0
        if read != wanted and form not in log_forms.NOBODYS:
            print(f"{form}: {read} lines of {wanted}")
            self.bad = True
        return result["diagnose"][0]

    def small_files(self):
        directory = self.args.dir / f"small-{SMALL_FILES}"
        size = log_forms.small_files(directory, SMALL_FILES)
        commands = {
            "diagnose": self.diagnose(directory),
            "grep -r -c": ["grep", "-r", "-c", "-i", "nfs: server .* not responding", directory],
        }
        for key, (seconds, _) in medians(commands, self.args.runs, self.log).items():
            row = f"{SMALL_FILES} small files, {key}"
            print(f"{row:44}{'':9}{seconds:9.2f}{size / 1e6 / max(seconds, 1e-3):8.0f}")


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("exe", type=os.path.abspath)
    ap.add_argument("--lines", type=int, default=1000000)
    ap.add_argument("--runs", type=int, default=3)
    ap.add_argument("--dir", type=pathlib.Path, default=HERE.parent.parent / "build" / "bench")
    args = ap.parse_args()
    args.dir = args.dir.resolve()
    args.dir.mkdir(parents=True, exist_ok=True)
    bench = Bench(args)
    print(f"{'CPU time':44}{'lines':>9}{'seconds':>9}{'MB/s':>8}")
    beside = {
        "cat | wc -c": ["sh", "-c", 'cat "$1" | wc -c', "sh", "FILE"],
        "wc -l": ["wc", "-l", "FILE"],
        "grep -c -i": ["grep", "-c", "-i", "nfs: server .* not responding", "FILE"],
    }
    seconds = {form: bench.text(form, args.lines, beside) for form in LONG}
    for form in log_forms.FORMS:
        if form not in LONG:
            bench.text(form, args.lines // 5)
    bench.small_files()
    print(f"\n{'':44}{'measured':>9}{'target':>9}")
    for form in LONG:
        row, value = f"seconds for a million lines of {form}", seconds[form] * 1e6 / args.lines
        print(f"{row:44}{value:9.2f}{TARGET_S:9.2f}  {verdict(value, TARGET_S)}")
    slow, fast = (pick(bench.per_byte, key=bench.per_byte.get) for pick in (max, min))
    ratio = bench.per_byte[slow] / bench.per_byte[fast]
    print(f"{'slowest form / fastest, per byte':44}{ratio:9.1f}{TARGET_RATIO:9.1f}  {verdict(ratio, TARGET_RATIO)}")
    print(f"slowest: {slow}; fastest: {fast}")
    sys.exit(1 if bench.bad else 0)


if __name__ == "__main__":
    main()
