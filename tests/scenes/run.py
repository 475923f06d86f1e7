#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenes of `nfsleuth reproduce`: run.py PROGRAM [NAME...]. Prints TAP.

Each is staged and must be diagnosed as what was staged, from the evidence alone; its twin, which is
the same without the fault, must be silent. Without NAME: all of them, which takes a while. Skips
loudly where namespaces or programs are missing. `--keep DIR` leaves the evidence there; `--jobs N`
stages so many at a time: half of the processors unless told, as scenes have timers.
"""
import argparse
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

AS_STAGED, OTHERWISE, USAGE, NOT_STAGED = 0, 1, 2, 3
TIMEOUT_S = 180
TRIES = 2  # a machine that is busy with other things delays timers; what is wrong stays wrong


def list_scenes(program):
    told = subprocess.run([program, "reproduce"], capture_output=True, text=True, check=True)
    return [line.split()[0] for line in told.stdout.splitlines() if line[:1].isalnum()]


def stage(program, name, twin, folder):
    shutil.rmtree(folder, ignore_errors=True)
    argv = [program, "reproduce", name, f"--output={folder}", *(["--twin"] if twin else [])]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return OTHERWISE, f"no end after {TIMEOUT_S} s"
    lines = (done.stdout + done.stderr).strip().splitlines()
    return done.returncode, lines[-1] if lines else ""


def judge(program, name, twin, root):
    for attempt in range(TRIES):
        folder = root / (name + ("-twin" if twin else ""))
        status, last = stage(program, name, twin, folder)
        if status != OTHERWISE:
            break
    return status, last if attempt == 0 else f"{last} (tried {attempt + 1} times)"


def missing(program, name, root):
    """Why nothing can be staged here, or None."""
    status, last = stage(program, name, True, root / "look")
    return last if status == NOT_STAGED else None


def run(args, root):
    names = args.name or list_scenes(args.program)
    if not names:
        print("1..0 # SKIP there are no scenes")
        return True
    why = missing(args.program, names[0], root)
    if why and "ended" not in why:
        print(f"1..0 # SKIP {why}")
        return True
    runs = [(name, twin) for name in names for twin in (False, True)]
    print(f"1..{len(runs)}", flush=True)
    good = True
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        futures = [pool.submit(judge, args.program, *r, root) for r in runs]
        for number, (r, future) in enumerate(zip(runs, futures), 1):
            status, last = future.result()
            good &= status == AS_STAGED
            word = "ok" if status == AS_STAGED else "not ok"
            print(f"{word} {number} - {r[0]}{' (twin)' if r[1] else ''}")
            if status != AS_STAGED:
                print(f"# {last}")
            sys.stdout.flush()
    return good


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("program", type=pathlib.Path)
    ap.add_argument("name", nargs="*")
    ap.add_argument("--keep", type=pathlib.Path)
    ap.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 2) // 2))
    args = ap.parse_intermixed_args()
    args.program = args.program.resolve()
    with tempfile.TemporaryDirectory(prefix="nfsleuth-scenes-") as scratch:
        root = args.keep or pathlib.Path(scratch)
        root.mkdir(parents=True, exist_ok=True)
        good = run(args, root)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
