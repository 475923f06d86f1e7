#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Logs that count from boot, joined with captures: is the boot where it was, within what is stated?

    clocks.py PROGRAM [FOLDER...]

In each folder with a dmesg.txt that has captures or a uname.txt beside it, the log is read with the
captures alone, and with uname.txt (date and uptime) alone. The truth is told by what was not given:
dmesg-iso.txt, whose dates util-linux makes of the boot's time cut to whole seconds, and uname.txt;
or by "boot" in truth.json: that must be found, and nothing where it is empty.

What is no log that counts from boot is left out. More folders of evidence may be given.
"""
import glob
import json
import lzma
import os
import re
import subprocess
import sys
from datetime import datetime, timezone

NS = 10**9
CUT_NS = NS  # of dmesg-iso.txt
TAKEN_APART_NS = NS  # date and uptime of uname.txt


def diagnose(program, files):
    done = subprocess.run([program, "diagnose", "--json", *files], capture_output=True, text=True)
    return json.loads(done.stdout)["evidence"]


def lines_of(path):
    opener = lzma.open if path.endswith(".xz") else open
    with opener(path, "rt", encoding="utf-8", errors="replace") as f:
        return f.read().split("\n")


def in_folder(folder, name):
    """The file of that name, packed or not; None: there is none."""
    found = glob.glob(os.path.join(folder, name)) + glob.glob(os.path.join(folder, name + ".xz"))
    return found[0] if found else None


def since_boot(log):
    """{text: nanoseconds since boot}, by the first line with the text, in order."""
    since = {}
    for line in lines_of(log):
        m = re.match(r"\[ *(\d+)\.(\d{6})\] (.*)", line)
        if m:
            since.setdefault(m.group(3), int(m.group(1)) * NS + int(m.group(2)) * 1000)
    return since


def stamp_ns(text):
    """RFC 3339 with a comma or point and up to nine digits, in UTC."""
    m = re.match(r"(\d+-\d+-\d+T\d+:\d+:\d+)[.,](\d+)", text)
    whole = datetime.fromisoformat(m.group(1)).replace(tzinfo=timezone.utc)
    return int(whole.timestamp()) * NS + int(m.group(2).ljust(9, "0")[:9])


def boot_of_log(program, log, others):
    """The boot by the first line's time in UTC, and how exact; None: the log was not joined."""
    since = next(iter(since_boot(log).values()))
    for e in diagnose(program, [log, *others]):
        if e["path"] == log and e["clock"] == "utc":
            return stamp_ns(e["first"]) - since, e["clock_error_ns"]
    return None


def staged(folder):
    """The boot in truth.json; "": the log must stay apart; None: it does not say."""
    path = os.path.join(folder, "truth.json")
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as f:
        return json.load(f).get("boot")


def truths(folder):
    """(what it is, boot, how exact) of what the folder tells of the boot."""
    if staged(folder):
        yield "truth.json", stamp_ns(staged(folder)), NS // 1000
    iso, uname = in_folder(folder, "dmesg-iso.txt"), in_folder(folder, "uname.txt")
    if iso:
        since = since_boot(in_folder(folder, "dmesg.txt"))
        for line in lines_of(iso):
            at, _, text = line.partition(" ")
            if since.get(text):
                # cut: the boot was up to a second later
                yield "dmesg-iso.txt", stamp_ns(at) - since[text] + CUT_NS // 2, CUT_NS // 2
                break
    if uname:
        lines = lines_of(uname)
        up = int(float(lines[2].split()[0]) * 100) * NS // 100
        yield "uname.txt", stamp_ns(lines[1]) - up, TAKEN_APART_NS


def check(program, folder, ways, told):
    """Compares each way with each truth; adds to `told` how often a way told the boot."""
    log, bad = in_folder(folder, "dmesg.txt"), []
    known = list(truths(folder))
    for way, others in ways.items():
        found = boot_of_log(program, log, others) if others else None
        if others and staged(folder) is not None and bool(found) != bool(staged(folder)):
            bad.append(f"{folder}: by the {way} the boot is {'told' if found else 'not told'}")
        if not found:
            continue
        told[way] = told.get(way, 0) + 1
        for name, boot, error in known:
            apart = abs(found[0] - boot)
            if apart > error + found[1]:
                bad.append(f"{folder}: by the {way} the boot is {apart / NS:.3f} s off {name}'s")
    return bad


def main():
    program = sys.argv[1]
    roots = sys.argv[2:] or [os.path.dirname(os.path.abspath(__file__))]
    bad, told, folders = [], {}, 0
    for root in roots:
        for log in sorted(glob.glob(os.path.join(root, "**", "dmesg.txt*"), recursive=True)):
            folder = os.path.dirname(log)
            uname = in_folder(folder, "uname.txt")
            captures = sorted(glob.glob(os.path.join(folder, "*.pcap*")))
            ways = {"captures": captures}
            if not since_boot(log):
                continue
            if uname:
                ways["uptime"] = [uname]
            folders += 1
            bad += check(program, folder, ways, told)
    for line in bad:
        print("not ok -", line)
    ways = ", ".join(f"{n} by the {way}" for way, n in sorted(told.items()))
    print(f"# {folders} logs; boots that were told: {ways or 'none'}")
    print("1..1")
    print("not ok" if bad or not told.get("captures") else "ok", "- boots of logs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
