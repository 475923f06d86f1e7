#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Speed and memory, compared with tshark, on traffic replicated from the evidence.

bench.py PROGRAM [--megabytes 300] [--runs 3] [--dir DIR]. CPU time is user and system time, the
median of interleaved runs. tshark runs `-q -z rpc,programs` with the options with which it decodes
all of it; its counts are compared with those of `show summary`. Memory is the peak resident set,
pages of files included, at one and at ten times the size (the latter through a pipe).
Fails when a count differs or a program ends badly, never for being slow.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from cross import tshark  # noqa: E402

TIMES_TARGET, RSS_TARGET_MB = 10, 64


@dataclass
class Run:
    seconds: float  # user and system
    rss_mb: float
    output: bytes


def measure(argv, log, stdin=None, ok=(0, 1)):
    """Runs a program to its end; RuntimeError when it ends badly."""
    with open(log, "w+b") as out:
        proc = subprocess.Popen(argv, stdin=stdin, stdout=out, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(proc.pid, 0)
        proc.returncode = code = os.waitstatus_to_exitcode(status)
        out.seek(0)
        output = out.read()
    if code not in ok:
        raise RuntimeError(f"{' '.join(map(str, argv[:4]))}: exit status {code}")
    return Run(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output)


def streamed(argv, megabytes, log):
    """Runs a program on a capture that is made while it reads."""
    make = [sys.executable, HERE / "replicate.py", str(megabytes), "-"]
    with subprocess.Popen(make, stdout=subprocess.PIPE) as maker:
        run = measure(argv, log, stdin=maker.stdout)
        maker.stdout.close()
    if maker.returncode:
        raise RuntimeError(f"replicate.py: exit status {maker.returncode}")
    return run


def tshark_argv(capture):
    return tshark.command(capture, [2049], "-q", "-z", "rpc,programs")


def programs(output):
    """{(program, version): replies} of tshark's table."""
    out = {}
    for line in output.decode().splitlines():
        hit = re.match(r"^(\S.*?)\s+(\d+)\s+(\d+)\s+\d+\.\d+", line)
        if hit:
            out[hit[1].strip(), int(hit[2])] = int(hit[3])
    return out


def procedures(capture, program, version, log):
    """{procedure: replies} of one program, by tshark."""
    argv = tshark.command(capture, [2049], "-q", "-z", f"rpc,srt,{program},{version}")
    out = {}
    for line in measure(argv, log).output.decode().splitlines():
        hit = re.match(r"^\s*(\d+)\s+\S+\s+(\d+)\s+\d+\.\d+", line)
        if hit:
            out[int(hit[1])] = int(hit[2])
    return out


def count_mismatches(capture, summary, table, log):
    """Replies of each program, version and procedure, ours against tshark's."""
    ours = {}
    for r in json.loads(summary)["rpc"]:
        key = (r["program"], r["version"])
        ours.setdefault(key, {})[r["procedure"]] = r["replies"]
    for (program, version), mine in sorted(ours.items()):
        mine = {p: n for p, n in mine.items() if n}
        theirs = procedures(capture, program, version, log)
        if mine != theirs:
            yield f"program {program} version {version}: replies {mine}, tshark {theirs}"
    total, theirs = sum(sum(p.values()) for p in ours.values()), sum(table.values())
    if total != theirs:
        yield f"all replies: {total}, tshark {theirs}"


def interleaved(commands, runs, log):
    """{name: [Run]}: one run of each in turn."""
    out = {name: [] for name in commands}
    for i in range(runs):
        for name, argv in commands.items():
            out[name].append(measure(argv, log))
            print(f"# run {i + 1}: {name} {out[name][-1].seconds:.2f} s", flush=True)
    return out


def say_speed(results, size):
    medians = {name: statistics.median(r.seconds for r in runs) for name, runs in results.items()}
    peak = {name: max(r.rss_mb for r in runs) for name, runs in results.items()}
    base = medians.get("tshark")
    print(f"\n{'CPU time, ' + format(size / 1e6, '.0f') + ' MB':34}{'seconds':>9}{'MB/s':>8}{'ratio':>8}{'peak MB':>9}")
    for name, seconds in medians.items():
        ratio = f"{base / seconds:.1f}x" if base else "-"
        met = ""
        if base and name != "tshark":
            met = f"  target {TIMES_TARGET}x: {'met' if base / seconds >= TIMES_TARGET else 'not met'}"
        print(f"{name:34}{seconds:9.2f}{size / 1e6 / seconds:8.0f}{ratio:>8}{peak[name]:9.1f}{met}")
    return peak


def say_memory(rows):
    print(f"\n{'peak memory':34}{'MB':>9}")
    for name, rss in rows:
        met = "met" if rss < RSS_TARGET_MB else "not met"
        print(f"{name:34}{rss:9.1f}  target {RSS_TARGET_MB} MB: {met}")


def bench(args, log):
    capture = args.dir / f"bench-{args.megabytes}.pcap"
    if not capture.exists():
        subprocess.run(
            [sys.executable, HERE / "replicate.py", str(args.megabytes), capture], check=True
        )
    size = capture.stat().st_size
    commands = {
        "show summary": [args.exe, "show", "summary", "--json", capture],
        "diagnose": [args.exe, "diagnose", "--json", capture],
    }
    with_tshark = shutil.which("tshark") is not None
    if with_tshark:
        commands["tshark"] = tshark_argv(capture)
    else:
        print("# tshark is not installed: nothing to compare with")
    results = interleaved(commands, args.runs, log)
    peak = say_speed(results, size)
    rows = [(f"{name}, 1x", peak[name]) for name in ("show summary", "diagnose")]
    for name in () if args.no_ten else ("summary", "diagnose"):
        verb = ["show", "summary"] if name == "summary" else ["diagnose"]
        run = streamed([args.exe, *verb, "--json", "-"], 10 * args.megabytes, log)
        rows.append((f"{' '.join(verb)}, 10x through a pipe", run.rss_mb))
    say_memory(rows)
    if not with_tshark:
        return 0
    table = programs(results["tshark"][0].output)
    bad = list(count_mismatches(capture, results["show summary"][0].output, table, log))
    print(f"\ncounts: {'differ' if bad else f'equal to those of tshark ({sum(table.values())} replies)'}")
    for line in bad:
        print(f"  {line}")
    return 1 if bad else 0


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("exe", type=os.path.abspath)
    ap.add_argument("--megabytes", type=int, default=300)
    ap.add_argument("--runs", type=int, default=3)
    ap.add_argument("--dir", type=pathlib.Path, default=HERE.parent.parent / "build" / "bench")
    ap.add_argument("--no-ten", action="store_true", help="without the run at ten times the size")
    args = ap.parse_args()
    args.dir.mkdir(parents=True, exist_ok=True)
    sys.exit(bench(args, args.dir / "output"))


if __name__ == "__main__":
    main()
