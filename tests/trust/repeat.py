#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The same evidence gives the same bytes in every run. Prints TAP.

Usage: repeat.py PROGRAM. Tables hash with a seed that each run draws anew (base/hash.h), memory lies
elsewhere, and threads run in another order: nothing of it may show.
"""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RUNS = 3
# Many clients, servers, connections and findings; captures, logs, lists, archives; two captures of one wire.
EVIDENCE = ["samples/session-loop", "tests/cases/sim-outage-for-ten-clients", "tests/cases/sim-half-open-scan",
            "tests/cases/sim-several-servers-behind-one-address", "tests/cases/sim-ends-ring-buffers-with-a-hole",
            "tests/cases/vm-gather-collision", "tests/cases/vm-collision-containers",
            "tests/cases/vm-dump-listing-exclusive", "tests/cases/vm-traces-locks", "tests/cases/vm-listed-lock"]
COMMANDS = [["diagnose", "--json"], ["show", "summary"], ["show", "calls"]]
# 0: nothing was found, or it was shown; 1: something was found.
DONE = (0, 1)


def difference(runs):
    """Where two of the outputs part, or None."""
    for other in runs[1:]:
        if other == runs[0]:
            continue
        for number, lines in enumerate(zip(runs[0][1].splitlines(), other[1].splitlines()), 1):
            if lines[0] != lines[1]:
                return f"line {number}: {lines[0][:200]!r}, then {lines[1][:200]!r}"
        return f"status {runs[0][0]}, then {other[0]}; or one is longer"
    return None


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    failed = count = 0
    for folder in EVIDENCE:
        files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / folder).iterdir()
                       if path.name not in ("expect.json", "truth.json", "README.md"))
        for command in COMMANDS:
            runs = []
            for _ in range(RUNS):
                done = subprocess.run([program, *command, *files], cwd=ROOT, capture_output=True,
                                      stdin=subprocess.DEVNULL, timeout=120)
                runs.append((done.returncode, done.stdout, done.stderr))
            wrong = difference(runs)
            if runs[0][0] not in DONE or not (runs[0][1] or command == ["show", "calls"]):
                wrong = f"status {runs[0][0]}, {len(runs[0][1])} bytes: {runs[0][2][:200]!r}"
            count += 1
            failed += wrong is not None
            if wrong:
                print(f"# {wrong}")
            print(f"{'not ok' if wrong else 'ok'} {count} - {' '.join(command)} {folder}")
    print(f"1..{count}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
