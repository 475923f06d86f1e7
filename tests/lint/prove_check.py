#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Proves that tools/check.py counts what fails: it is fed records as meson writes them. Prints TAP."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "tools"))
import check  # noqa: E402

# what it is, protocol, meson's result, what the test printed, (passed, failed, skipped)
CASES = [
    ("all pass", "tap", "OK", "1..2\nok 1 - a\nok 2 - b\n", (2, 0, 0)),
    ("one fails", "tap", "FAIL", "1..2\nok 1 - a\n# why\nnot ok 2 - b\n", (1, 1, 0)),
    ("one is skipped", "tap", "OK", "1..2\nok 1 - a\nok 2 - b # SKIP no tshark\n", (1, 0, 1)),
    ("it crashes between subtests", "tap", "ERROR", "1..3\nok 1 - a\n", (1, 1, 0)),
    ("all pass but it exits with 99", "tap", "ERROR", "1..1\nok 1 - a\n", (1, 1, 0)),
    ("it fails and exits with 1", "tap", "ERROR", "1..1\nnot ok 1 - a\n", (0, 1, 0)),
    ("it says nothing at all", "tap", "SKIP", "", (0, 1, 0)),
    ("it is skipped as a whole", "tap", "SKIP", "1..0 # SKIP no tshark\n", (0, 0, 1)),
    ("its only subtest is skipped", "tap", "SKIP", "1..1\nok 1 - a # SKIP why\n", (0, 0, 1)),
    ("it takes too long", "tap", "TIMEOUT", "1..2\nok 1 - a\n", (1, 1, 0)),
    ("evidence from elsewhere is extra", "tap", "OK", "1..2\nok 1 - a\nok 2 - extra b[0]\n", (1, 0, 0)),
    ("and fails as all do", "tap", "FAIL", "1..1\nnot ok 1 - extra b[0]\n", (0, 1, 0)),
    ("a plain test passes", "exitcode", "OK", "ok or not ok\n", (1, 0, 0)),
    ("a plain test fails", "exitcode", "FAIL", "", (0, 1, 0)),
    ("a plain test is skipped", "exitcode", "SKIP", "no tshark\n", (0, 0, 1)),
]

# What must be told of a failure, wherever the test says it.
TELLING = """1..3
ok 1 - a
# before
not ok 2 - b # reason
# behind
ok 3 - c
# of c
"""
TOLD = [("test: b", "reason\n# before\n# behind")]


def prove_reasons(number):
    tally = check.Tally()
    check.count_tap("test", {"result": "FAIL", "stdout": TELLING}, tally)
    if tally.failures != TOLD:
        print(f"# told {tally.failures}, not {TOLD}")
    print(f"{'ok' if tally.failures == TOLD else 'not ok'} {number} - all reasons are told")
    return tally.failures != TOLD


def main():
    failed = False
    print(f"1..{len(CASES) + 1}")
    for number, (what, protocol, result, stdout, want) in enumerate(CASES, 1):
        tally = check.Tally()
        record = {"result": result, "stdout": stdout, "stderr": "", "returncode": 0}
        count = check.count_tap if protocol == "tap" else check.count_plain
        count("test", record, tally)
        got = (tally.passed, tally.failed, tally.skipped)
        if got != want:
            failed = True
            print(f"# counted {got}, not {want}")
        print(f"{'ok' if got == want else 'not ok'} {number} - {what}")
    failed |= prove_reasons(len(CASES) + 1)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
