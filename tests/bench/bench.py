#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Speed and memory, compared with tshark, nfstrace and cat.

bench.py PROGRAM [--metadata MB] [--data MB] [--runs N] [--dir DIR] [--no-ten]. The captures are made
from real traffic (traffic.py) and evidence (replicate.py), once. CPU time is user and system time
of one thread, the median of interleaved runs; of two threads the time on the clock is compared.
Memory is the peak resident set, pages of files included, at one and at ten times the size (the
latter through a pipe). tshark runs with the options with which it decodes all of it. Fails when a
count differs from tshark's or a program ends badly, never for being slow.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
import counts  # noqa: E402
import traffic  # noqa: E402
from cross import tshark  # noqa: E402
from measure import Run  # noqa: E402

RSS_TARGET_MB = 64
BREAKDOWN = "/usr/lib/nfstrace/libbreakdown.so"
TWO = "show summary, two threads"
# Kind of capture: its traffic, how it is replicated, what is measured on it. nfstrace has one pair of hosts:
# it aborts (0.4.3, map::at) where sessions do not sort alike by each of their addresses and ports.
KINDS = {
    "metadata": ("metadata", "mixed", ["show summary", TWO, "diagnose", "tshark"]),
    "one pair": ("metadata", "ports", ["show summary", "nfstrace"]),
    "data": ("data", "alone", ["show summary", "diagnose", "cat | wc"]),
}
TEN = ("metadata", "data")  # also at ten times the size
BAR = 50  # columns of the longest bar of a chart
# Kind, this one, and that: this takes at most so many times the CPU time of that.
TARGETS = [
    ("metadata", "show summary", "tshark", 1 / 25),
    ("metadata", "diagnose", "tshark", 1 / 15),
    ("one pair", "show summary", "nfstrace", 1 / 10),
    ("data", "show summary", "cat | wc", 2),
]
WALL_TARGET = 0.65  # of two threads, by the time of one


class Bench:
    def __init__(self, args):
        self.args, self.log = args, args.dir / "output"
        self.megabytes = {"metadata": args.metadata, "data": args.data}
        self.real, self.sizes, self.medians, self.memory, self.bad = {}, {}, {}, [], []
        self.walls = {}

    def real_traffic(self, kind):
        """The capture of real traffic, or None when none can be made here."""
        path = self.args.dir / f"real-{kind}.pcap"
        if not path.exists():
            try:
                print(f"# making real traffic: {kind}", flush=True)
                traffic.capture(kind, path)
            except traffic.Unavailable as e:
                print(f"# no real traffic here: {e}; only evidence is replicated")
                return None
        return path

    def replicate(self, kind, times, out):
        traffic_kind, how, _ = KINDS[kind]
        real = [self.real[traffic_kind]] if self.real[traffic_kind] else []
        size = times * self.megabytes[traffic_kind]
        return [sys.executable, HERE / "replicate.py", how, str(size), out, *real]

    def capture(self, kind):
        """The capture to measure with, or None when there is no traffic of that kind."""
        traffic_kind, how, _ = KINDS[kind]
        if traffic_kind not in self.real:
            self.real[traffic_kind] = self.real_traffic(traffic_kind)
        if how != "mixed" and not self.real[traffic_kind]:
            return None
        origin = how if self.real[traffic_kind] else "evidence"
        path = self.args.dir / f"{traffic_kind}-{origin}-{self.megabytes[traffic_kind]}.pcap"
        if not path.exists():
            part = path.with_suffix(".part")
            subprocess.run(self.replicate(kind, 1, part), check=True)
            os.replace(part, path)
        return path

    def own(self, name, *capture, threads=1):
        return [self.args.exe, *name.split(), "--json", f"--threads={threads}", *capture]

    def commands(self, kind, capture):
        every = {
            "show summary": self.own("show summary", capture),
            TWO: self.own("show summary", capture, threads=2),
            "diagnose": self.own("diagnose", capture),
            "tshark": tshark.command(capture, [2049], "-q", "-z", "rpc,programs"),
            "nfstrace": ["nfstrace", "--mode=stat", "-v", "0", "-I", capture, "-a", BREAKDOWN],
            "cat | wc": ["sh", "-c", 'cat "$1" | wc -c', "sh", capture],
        }
        return {name: every[name] for name in KINDS[kind][2] if shutil.which(every[name][0])}

    def run(self, name, argv):
        """The run, or None when another program ended badly: that is no failure of ours."""
        try:
            return Run(argv, self.log)
        except RuntimeError as e:
            if argv[0] == self.args.exe:
                raise
            print(f"# {name} ended badly, and is left out: {e}", flush=True)
            return None

    def measure(self, kind, capture):
        commands = self.commands(kind, capture)
        runs = {name: [] for name in commands}
        self.sizes[kind] = capture.stat().st_size / 1e6
        for i in range(self.args.runs):
            for name, argv in commands.items():
                run = self.run(name, argv)
                if run:
                    runs[name].append(run)
                    print(f"# {kind}, run {i + 1}: {name} {run.seconds:.2f} s", flush=True)
            for left in self.args.dir.glob("breakdown_*.dat"):  # nfstrace's
                left.unlink()
        for name, each in runs.items():
            if not each:
                continue
            self.medians[kind, name] = statistics.median(r.seconds for r in each)
            self.walls[kind, name] = statistics.median(r.wall for r in each)
            if name in ("show summary", "diagnose") and kind in TEN:
                self.memory.append((f"{kind}, {name}, 1x", max(r.rss_mb for r in each)))
        if runs.get(TWO) and runs[TWO][0].output != runs["show summary"][0].output:
            self.bad.append(f"{kind}: the output of two threads is another")
            print(self.bad[-1])
        return runs["show summary"][0].output

    def compare_counts(self, kind, capture, summary):
        if not shutil.which("tshark"):
            print("# tshark is not installed: nothing to compare with")
            return
        total, lines = counts.differences(capture, summary, self.log)
        self.bad += lines
        print(f"counts, {kind}: {'differ' if lines else f'equal to those of tshark ({total} replies)'}")
        for line in lines:
            print(f"  {line}")

    def ten_times(self, kind):
        for name in ("show summary", "diagnose"):
            make = self.replicate(kind, 10, "-")
            with subprocess.Popen(make, stdout=subprocess.PIPE) as maker:
                run = Run(self.own(name, "-"), self.log, stdin=maker.stdout)
                maker.stdout.close()
            if maker.returncode:
                raise RuntimeError(f"replicate.py: exit status {maker.returncode}")
            self.memory.append((f"{kind}, {name}, 10x through a pipe", run.rss_mb))

    def say(self):
        print(f"\n{'CPU time':40}{'seconds':>9}{'MB/s':>8}")
        for (kind, name), seconds in self.medians.items():
            print(f"{kind + ', ' + name:40}{seconds:9.2f}{self.sizes[kind] / seconds:8.0f}")
        self._chart()
        print(f"\n{'ratio of CPU time':40}{'ratio':>9}{'target':>8}")
        for kind, this, that, most in TARGETS:
            if (kind, this) in self.medians and (kind, that) in self.medians:
                self._say_ratio(kind, this, that, most)
        one, two = (self.walls.get(("metadata", name)) for name in ("show summary", TWO))
        if one and two:
            print(f"\n{'time on the clock':40}{'ratio':>9}{'target':>8}")
            met = _met(two <= WALL_TARGET * one)
            print(f"{'metadata, two threads / one':40}{two / one:9.2f}{WALL_TARGET:8.2f}  {met}")
        print(f"\n{'peak memory':40}{'MB':>9}{'target':>8}")
        for name, rss in self.memory:
            print(f"{name:40}{rss:9.1f}{RSS_TARGET_MB:8}  {_met(rss < RSS_TARGET_MB)}")

    def _chart(self):
        """Bars of the speed, each capture by its fastest."""
        one = {key: seconds for key, seconds in self.medians.items() if key[1] != TWO}
        speeds = {key: self.sizes[key[0]] / seconds for key, seconds in one.items()}
        print(f"\n{'MB/s of one thread':40}")
        for (kind, name), speed in speeds.items():
            most = max(other for (of, _), other in speeds.items() if of == kind)
            print(f"{kind + ', ' + name:24}{speed:7.0f} {'#' * max(1, round(BAR * speed / most))}")

    def _say_ratio(self, kind, this, that, most):
        ratio, target = self.medians[kind, this] / self.medians[kind, that], most
        met = ratio <= most
        if most < 1:  # said the other way round: so many times as fast
            this, that, ratio, target = that, this, 1 / ratio, 1 / most
        print(f"{f'{kind}, {this} / {that}':40}{ratio:9.2f}{target:8.1f}  {_met(met)}")


def _met(met):
    return "met" if met else "not met"


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("exe", type=os.path.abspath)
    ap.add_argument("--metadata", type=int, default=1000, metavar="MB")
    ap.add_argument("--data", type=int, default=1000, metavar="MB")
    ap.add_argument("--runs", type=int, default=3)
    ap.add_argument("--dir", type=pathlib.Path, default=HERE.parent.parent / "build" / "bench")
    ap.add_argument("--no-ten", action="store_true", help="without the runs at ten times the size")
    args = ap.parse_args()
    args.dir = args.dir.resolve()
    args.dir.mkdir(parents=True, exist_ok=True)
    bench = Bench(args)
    for kind in KINDS:
        capture = bench.capture(kind)
        if capture:
            bench.compare_counts(kind, capture, bench.measure(kind, capture))
            if kind in TEN and not args.no_ten:
                bench.ten_times(kind)
    bench.say()
    sys.exit(1 if bench.bad else 0)


if __name__ == "__main__":
    main()
