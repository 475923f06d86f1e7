#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Builds and tests everything, and counts honestly.

What counts as one: each build (it compiles without a warning), each subtest of a test that speaks
TAP, each other test, each fuzz target, and each thing that holds of the package. Subtests named "extra ..." stand on evidence that not everybody has: those
that pass are counted by themselves. The last line is `N passed, N failed, N skipped`; exit 1 on a
failure.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Builds in order, and how `meson test` selects the suites that run in them. The second is clang's, with
# sanitizers: a third without them would tell no more.
BUILDS = [
    ("gcc", []),
    ("fuzz", ["--no-suite", "lint", "--no-suite", "cross"]),
]
FAST = [("gcc", ["--suite", "unit"])]
# Tests that wait leave room for one more.
TESTS_AT_ONCE = (os.cpu_count() or 1) + 1
# Each target's minute is one on the clock, from one seed: a change is judged by what it does, not by luck.
FUZZ_SECONDS = 60
FUZZ_SEED = 1
FUZZ_AT_ONCE = 2 * (os.cpu_count() or 1)

# What needs no `meson test`, behind the builds: it prints TAP.
COMMANDS = [
    ("fuzz targets", ["tools/fuzz.sh", "--seed", str(FUZZ_SEED), "--jobs", str(FUZZ_AT_ONCE), str(FUZZ_SECONDS)]),
    ("package", ["tests/package/check.sh"]),
]

TAP_LINE = re.compile(r"^(not )?ok\b\s*\d*\s*(?:-\s*)?([^#]*)(?:#\s*(.*))?")
SKIP = re.compile(r"skip\b", re.IGNORECASE)


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = self.extra = 0
        self.failures = []
        self.skips = []

    def fail(self, name, why):
        self.failed += 1
        self.failures.append((name, why))

    def skip(self, name, why):
        self.skipped += 1
        self.skips.append((name, why))


@dataclass
class Subtest:
    name: str
    passed: bool
    reason: str  # what stands behind "#" on its line: why it is skipped or failed
    notes: list  # the lines of diagnostics before it and after it

    @property
    def skipped(self):
        return SKIP.match(self.reason)

    def why(self):
        return "\n".join(filter(None, [self.reason, *self.notes]))


def read_tap(stdout):
    """
    The subtests. TAP does not say whether diagnostics stand before or behind the line that they are
    about, and programs do both: those between two lines belong to both, so that none is lost.
    """
    subtests, between = [], []
    for line in stdout.splitlines():
        found = TAP_LINE.match(line)
        if found:
            subtests.append(Subtest(found[2].strip(), not found[1], found[3] or "", between))
            between = []
        elif line.startswith("#"):
            between.append(line)
            if subtests:
                subtests[-1].notes.append(line)
    return subtests


def count_tap(name, record, tally):
    failed_before = tally.failed
    subtests = read_tap(record.get("stdout", ""))
    for sub in subtests:
        if sub.skipped:
            tally.skip(f"{name}: {sub.name}", sub.reason)
        elif sub.passed and sub.name.startswith("extra "):
            tally.extra += 1
        elif sub.passed:
            tally.passed += 1
        else:
            tally.fail(f"{name}: {sub.name}", sub.why())
    if not subtests and record.get("stdout", "").startswith("1..0"):
        tally.skip(name, record["stdout"].strip())
    elif not subtests and record["result"] in ("OK", "SKIP"):
        tally.fail(name, "it ran no subtest")  # meson takes silence for a skip
    elif record["result"] not in ("OK", "SKIP") and tally.failed == failed_before:
        tally.fail(name, outcome(record))


def outcome(record):
    text = record.get("stdout", "") + "\n" + record.get("stderr", "")
    last = "\n".join(text.strip().splitlines()[-30:])
    return f"{record['result'].lower()}, exit status {record.get('returncode')}\n{last}"


def count_plain(name, record, tally):
    if record["result"] == "OK":
        tally.passed += 1
    elif record["result"] == "SKIP":
        tally.skip(name, record.get("stdout", "").strip()[-200:])
    else:
        tally.fail(name, outcome(record))


def protocols(build_dir):
    """Which tests speak TAP: meson's log does not say it."""
    listed = subprocess.run(["meson", "introspect", "--tests", build_dir], check=True,
                            capture_output=True, text=True).stdout
    return {test["name"]: test["protocol"] for test in json.loads(listed)}


def compile_build(build, tally):
    done = subprocess.run(["tools/build.sh", build, "all"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 0:
        tally.passed += 1
        return True
    wanted = re.compile(r"error|warning|FAILED|undefined reference", re.IGNORECASE)
    lines = [line for line in (done.stdout + done.stderr).splitlines() if wanted.search(line)]
    tally.fail(f"{build}: build", "\n".join(lines[:40]) or done.stdout[-3000:] + done.stderr[-3000:])
    return False


def test_build(build, select, tally):
    build_dir = ROOT / "build" / build
    log = build_dir / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    ran = subprocess.run(["meson", "test", "-C", build_dir, "--no-rebuild",
                          "--num-processes", str(TESTS_AT_ONCE), *select], capture_output=True, text=True)
    speaks = protocols(build_dir)
    if not log.exists():
        tally.fail(f"{build}: meson test", ran.stdout[-2000:] + ran.stderr[-2000:])
        return
    for line in log.read_text().splitlines():
        record = json.loads(line)
        name = record["name"].split(" / ")[-1]
        count = count_tap if speaks.get(name) == "tap" else count_plain
        count(f"{build}: {name}", record, tally)


def run_build(build, select, tally):
    if compile_build(build, tally):
        test_build(build, select, tally)


def run_command(name, command, tally):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    count_tap(name, {"result": "FAIL" if done.returncode else "OK", "returncode": done.returncode,
                     "stdout": done.stdout, "stderr": done.stderr}, tally)


def timed(name, tally, work, *args):
    start = time.monotonic()
    before = (tally.passed, tally.failed, tally.skipped)
    work(name, *args, tally)
    passed, failed, skipped = (now - then for now, then in
                               zip((tally.passed, tally.failed, tally.skipped), before))
    print(f"{name}: {passed} passed, {failed} failed, {skipped} skipped in "
          f"{time.monotonic() - start:.0f} s", flush=True)


def report(tally):
    for name, why in tally.skips:
        print(f"SKIPPED {name}: {why}")
    for name, why in tally.failures:
        print(f"FAILED {name}")
        for line in why.splitlines():
            print(f"    {line}")
    if tally.extra:
        print(f"{tally.extra} extra passed, on evidence outside the repository")
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fast", action="store_true", help="the unit tests alone, with gcc")
    arguments = parser.parse_args()
    tally = Tally()
    for build, select in FAST if arguments.fast else BUILDS:
        timed(build, tally, run_build, select)
    for name, command in [] if arguments.fast else COMMANDS:
        timed(name, tally, run_command, command)
    report(tally)
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
