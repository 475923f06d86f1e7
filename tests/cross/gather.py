#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What `nfsleuth gather` prints, run by the shells that are here: its tar is evidence, and nothing
is left behind, whether it comes to its end or not. Prints TAP.

Incidents are gathered from in guests (lab/vm/cases/gather.sh); here it runs on the host that runs
the tests, so it is not told to write into the kernel's log (-q), and traces and captures nothing.

    gather.py PROGRAM                     as CI does
    gather.py PROGRAM --interrupt N       only that: N times in each shell, at random moments
"""

import argparse
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tarfile
import tempfile
import time

SHELLS = {"dash": ["dash"], "bash": ["bash", "--posix"], "busybox": ["busybox", "sh"]}
ALWAYS = {"clock-1.txt", "clock-2.txt", "clock-end.txt", "mounts.txt", "meminfo.txt"}
NO_DIRECTORY = [["-o", "relative"], ["-o", "/proc"], ["-w", "0"], ["-w", "x"], ["-Q"], ["more"]]
SECONDS = 120
HEEDED_S = 10  # two seconds on a host that does nothing else


def has(shell):
    try:
        return subprocess.run(shell + ["-c", "exit 0"], check=False).returncode == 0
    except OSError:
        return False


def children_of(group):
    """Processes of a session that still run."""
    found = []
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == group and fields[0] != "Z":
            found.append(stat.parent.name)
    return found


class Place:
    """A directory of its own with the script in it."""

    def __init__(self, exe, shell):
        self.exe, self.shell = exe, shell
        self.dir = tempfile.TemporaryDirectory(dir="/var/tmp")
        self.out = pathlib.Path(self.dir.name) / "out"
        self.out.mkdir()
        self.script = pathlib.Path(self.dir.name) / "gather.sh"
        with self.script.open("wb") as file:
            subprocess.run([exe, "gather"], stdout=file, check=True)

    def start(self, options):
        return subprocess.Popen(
            self.shell + [str(self.script), "-o", str(self.out), "-q", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def left(self):
        return sorted(path.name for path in self.out.iterdir())


def to_its_end(place):
    run = place.start(["-w", "1"])
    out, err = run.communicate(timeout=SECONDS)
    if run.returncode != 0:
        return f"exit status {run.returncode}: {err.decode()[-300:]}"
    made = out.decode().strip()
    if place.left() != [os.path.basename(made)]:
        return f"left {place.left()}, not only {made}"
    with tarfile.open(made) as tar:
        names = {os.path.basename(member.name) for member in tar if member.isfile()}
        deep = [m.name for m in tar if m.name.startswith("/") or m.name.count("/") > 1]
    if not ALWAYS <= names:
        return f"not in the tar: {sorted(ALWAYS - names)}"
    if deep:
        return f"not in one directory: {deep}"
    if os.geteuid() != 0 and "not-root.txt" not in names:
        return "not root, and the tar does not say so"
    said = subprocess.run(
        [place.exe, "diagnose", "--json", made], capture_output=True, timeout=SECONDS, check=False
    )
    if said.returncode not in (0, 1):
        return f"diagnose: exit status {said.returncode}: {said.stderr.decode()[-300:]}"
    if not json.loads(said.stdout)["evidence"]:
        return "diagnose finds no evidence in it"
    return None


def ended_by(place, run, number):
    """What a run that is sent a signal does wrong."""
    begun = time.monotonic()
    run.send_signal(number)
    try:
        run.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        run.kill()
        return "the signal was not heeded"
    if time.monotonic() - begun > HEEDED_S:
        return f"the signal was heeded after {time.monotonic() - begun:.1f} s"
    if run.returncode == 0:
        return "exit status 0"
    if place.left():
        return f"left {place.left()}"
    for _ in range(50):
        if not children_of(run.pid):
            return None
        time.sleep(0.1)
    return f"these run on: {children_of(run.pid)}"


def interrupted(place, number):
    run = place.start(["-w", "3000"])
    for _ in range(600):
        time.sleep(0.1)
        # In the pause between the readings, whose first is complete then.
        if any(path.name == "clock-1.txt" for path in place.out.glob(".*/*/*")):
            break
    time.sleep(1)
    return ended_by(place, run, number)


def interrupted_somewhen(place, times):
    """At random moments: while it reads, at the edge of a pause, in one."""
    for turn in range(times):
        delay_s = random.uniform(0.3, 6)
        number = random.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
        run = place.start(["-w", "3000"])
        for _ in range(600):
            if place.left():
                break
            time.sleep(0.01)
        time.sleep(delay_s)
        wrong = ended_by(place, run, number)
        if wrong:
            return f"turn {turn}, {number.name} after {delay_s:.3f} s: {wrong}"
    return None


def refused(place):
    for options in NO_DIRECTORY:
        run = place.start(options)
        out, err = run.communicate(timeout=SECONDS)
        if run.returncode != 2 or not err or out:
            return f"{options}: exit status {run.returncode}"
    return f"left {place.left()}" if place.left() else None


def cleans_up(place):
    """-x ends and removes what a run of ours left; a folder that another user made to look like it is let be."""
    sleeping = {}
    for pid, owner in ((99999998, None), (99999999, 65534)):
        if owner and os.geteuid() != 0:
            continue
        folder = place.out / f".nfsleuth.{pid}"
        folder.mkdir()
        sleeping[folder] = subprocess.Popen(
            ["gzip", "-c"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        (folder / "children").write_text(f"{sleeping[folder].pid}\n")
        if owner:
            os.chown(folder, owner, owner)
    run = place.start(["-x"])
    run.communicate(timeout=SECONDS)
    wrong = None
    for folder, process in sleeping.items():
        ours = folder.name.endswith("98")
        time.sleep(0.2)
        if (process.poll() is None) == ours or folder.exists() == ours:
            wrong = f"{'ours' if ours else 'of another'}: {process.poll()}, {place.left()}"
        process.kill()
        process.wait()
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--interrupt", type=int, metavar="N", help="N times in each shell")
    arguments = parser.parse_args()
    exe = str(arguments.program.resolve())
    # A shell cannot trap what was ignored when it began, as SIGHUP is below nohup.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    checks = {
        "comes to its end": to_its_end,
        "is terminated": lambda place: interrupted(place, signal.SIGTERM),
        "is hung up": lambda place: interrupted(place, signal.SIGHUP),
        "is interrupted at any moment": lambda place: interrupted_somewhen(place, 2),
        "refuses what it cannot do": refused,
        "cleans up after itself alone": cleans_up,
    }
    if arguments.interrupt:
        checks = {
            f"is interrupted {arguments.interrupt} times": lambda place: interrupted_somewhen(
                place, arguments.interrupt
            )
        }
    failed = number = 0
    for name, shell in SHELLS.items():
        for what, check in checks.items():
            number += 1
            if not has(shell):
                print(f"ok {number} - {name} {what} # SKIP no {name} here")
                continue
            place = Place(exe, shell)
            wrong = check(place)
            place.dir.cleanup()
            failed += wrong is not None
            print(f"{'not ok' if wrong else 'ok'} {number} - {name} {what}", flush=True)
            if wrong:
                print(f"# {wrong}")
    print(f"1..{number}")
    return failed != 0


sys.exit(main())
