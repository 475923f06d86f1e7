#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Speed on a kernel log of a million lines, compared with cat and grep.

logs.py PROGRAM [--lines N] [--runs N] [--dir DIR]. The log is made here, the same each time: what a
busy host writes, a message about NFS once in a thousand lines. CPU time is that of one thread, the
median of interleaved runs. Fails when the program reads another number of lines than were written,
never for being slow.
"""
import argparse
import json
import os
import pathlib
import random
import statistics
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]
from measure import Run  # noqa: E402

TARGET_S = 1.0  # for a million lines
MESSAGES = [
    "usb 1-1: new high-speed USB device number 4 using xhci_hcd",
    'audit: type=1400 audit(1700000000.123:456): apparmor="DENIED" operation="open" name="/proc/1/cmdline" pid=1234',
    "EXT4-fs (sda1): mounted filesystem with ordered data mode. Opts: (null)",
    "[BLOCK] IN=eth0 OUT= MAC=02:00:00:00:00:01 SRC=192.0.2.7 DST=192.0.2.8 LEN=40 TTL=240 PROTO=TCP SPT=43210 DPT=22 SYN",
]
RARE = ["nfs: server filer not responding, still trying", "nfs: server filer OK"]
FORMS = {
    "dmesg": lambda s, text: f"[{s:12.6f}] {text}\n",
    "syslog": lambda s, text: f"Mar {1 + int(s) // 86400:2} {int(s) // 3600 % 24:02}:{int(s) // 60 % 60:02}:"
    f"{int(s) % 60:02} host kernel: [{s:12.6f}] {text}\n",
}


def write(path, form, lines):
    chance = random.Random(1)
    with open(path, "w", encoding="ascii") as out:
        for i in range(lines):
            text = RARE[i // 1000 % 2] if i % 1000 == 999 else chance.choice(MESSAGES)
            out.write(FORMS[form](i * 1.25, text))


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("exe", type=os.path.abspath)
    ap.add_argument("--lines", type=int, default=1000000)
    ap.add_argument("--runs", type=int, default=3)
    ap.add_argument("--dir", type=pathlib.Path, default=HERE.parent.parent / "build" / "bench")
    args = ap.parse_args()
    args.dir = args.dir.resolve()
    args.dir.mkdir(parents=True, exist_ok=True)
    bad = False
    print(f"{'CPU time':40}{'seconds':>9}{'MB/s':>8}")
    for form in FORMS:
        path = args.dir / f"{form}-{args.lines}.log"
        if not path.exists():
            write(path, form, args.lines)
        commands = {
            "diagnose": [args.exe, "diagnose", "--json", "--threads=1", path],
            "cat | wc": ["sh", "-c", 'cat "$1" | wc', "sh", path],
            "grep -c": ["grep", "-c", "-i", "nfs: server .* not responding", path],
        }
        runs = {name: [] for name in commands}
        for _ in range(args.runs):
            for name, argv in commands.items():
                runs[name].append(Run(argv, args.dir / "output"))
        for name, each in runs.items():
            seconds = statistics.median(r.seconds for r in each)
            met = ""
            if name == "diagnose":
                met = "  met" if seconds <= TARGET_S * args.lines / 1e6 else "  not met"
            print(f"{f'log, {form}, {name}':40}{seconds:9.2f}{path.stat().st_size / 1e6 / seconds:8.0f}{met}")
        read = json.loads(runs["diagnose"][0].output)["evidence"][0]["records"]
        if read != args.lines:
            print(f"{form}: {read} lines of {args.lines}")
            bad = True
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
