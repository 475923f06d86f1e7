#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory and time of very large captures: large.py PROGRAM STREAM [GB]. What `make bench-large` runs.

STREAM (stream.c) writes 0.1, 1, 10 ... GB into a pipe, of which PROGRAM reads. Hosts and connections are new
again and again, so caps are reached. Two kinds of it: the metadata of bench.py (replicate.py), and every incident
of tests/cases (incidents.py), which is the worst for tables and findings.
"""
import pathlib
import subprocess
import sys

from measure import Run

HERE = pathlib.Path(__file__).resolve().parent
REAL = pathlib.Path("build/bench/real-metadata.pcap")
PEAK_MB = 64
COMMANDS = {"show summary": ("show", "summary"), "diagnose": ("diagnose", "--json")}


def make_blocks(folder):
    folder.mkdir(parents=True, exist_ok=True)
    blocks = {"metadata": folder / "block-metadata.pcap", "incidents": folder / "block-incidents.pcap"}
    real = [REAL] if REAL.exists() else []
    subprocess.run([sys.executable, HERE / "replicate.py", "mixed", "1", blocks["metadata"], *real], check=True)
    subprocess.run([sys.executable, HERE / "incidents.py", blocks["incidents"]], check=True)
    return blocks


def measure(stream, block, size_gb, command, log):
    with subprocess.Popen([stream, block, str(int(size_gb * 10**9))], stdout=subprocess.PIPE) as source:
        run = Run(command, log, stdin=source.stdout)
        source.stdout.close()
    return run


def sizes(most_gb):
    size = 0.1
    while size < most_gb:
        yield size
        size *= 10
    yield most_gb


def main():
    program, stream = (pathlib.Path(arg).resolve() for arg in sys.argv[1:3])
    most_gb = float(sys.argv[3]) if len(sys.argv) > 3 else 100
    folder = pathlib.Path("build/bench").resolve()
    print(f"    {'':26}{'GB':>8}{'peak MB':>10}{'CPU s':>9}{'clock s':>9}{'MB/s':>8}")
    good = True
    for kind, block in make_blocks(folder).items():
        for name, command in COMMANDS.items():
            for size in sizes(most_gb):
                run = measure(stream, block, size, (program, *command, "--threads=2", "-"), folder / "log")
                print(f"    {kind + ', ' + name:26}{size:8g}{run.rss_mb:10.1f}{run.seconds:9.1f}{run.wall:9.1f}"
                      f"{size * 1000 / run.wall:8.0f}", flush=True)
                good &= run.rss_mb < PEAK_MB
    print(f"    below {PEAK_MB} MB: {'met' if good else 'not met'}")


if __name__ == "__main__":
    main()
