#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures of one traffic from several places, given together, are not summed. Prints TAP.

The calls of client1 + client2 + server are as many as those of the server alone, for each program,
version and procedure, in whichever order the files are given; and nothing that one of the captures
holds is lost.
"""
import itertools
import json
import pathlib
import subprocess
import sys

CASES = pathlib.Path(__file__).resolve().parent.parent / "cases"
CHOSEN = ["A1-v42-soft", "A1-locks-v42", "B6-v3"]


def summary(exe, files):
    done = subprocess.run(
        [exe, "show", "summary", "--json", *map(str, files)],
        capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    if done.returncode not in (0, 1):
        raise RuntimeError(f"exit status {done.returncode}: {done.stderr.decode()[-200:]}")
    return json.loads(done.stdout)


def counts(exe, files):
    """{(program, version, procedure): (calls, replies)}"""
    return {
        (r["program"], r["version"], r["procedure"]): (r["calls"], r["replies"])
        for r in summary(exe, files)["rpc"]
    }


def ops(exe, files):
    return {o["name"]: o["calls"] for o in summary(exe, files)["nfs4_ops"]}


def files_of(case):
    return {
        host: next((CASES / case / host).glob("capture.pcap*"))
        for host in ("client1", "client2", "server")
    }


def differs(got, want, server_from):
    """What is counted otherwise; a call that the server's capture missed at its ends may be more."""
    out = []
    for key in sorted(got.keys() | want.keys(), key=str):
        a, b = got.get(key), want.get(key)
        if a != b and not (key in server_from and _one_more(a, b)):
            out.append(f"{key}: {a}, the server alone {b}")
    return out


def _one_more(a, b):
    return a is not None and b is not None and 0 <= a[0] - b[0] <= 1 and 0 <= a[1] - b[1] <= 1


def check_case(exe, case):
    """[(name, why it fails)]"""
    f = files_of(case)
    alone = counts(exe, [f["server"]])
    ends = {k for h in ("client1", "client2") for k in counts(exe, [f[h]])}
    for order in itertools.permutations(("client1", "client2", "server")):
        bad = differs(counts(exe, [f[h] for h in order]), alone, ends)
        yield f"{case} {' '.join(order)}", bad
    for host in "client1", "client2":
        bad = differs(counts(exe, [f["server"], f[host]]), alone, ends)
        yield f"{case} server {host}", bad
    both = ops(exe, [f["client1"], f["server"]])
    one = ops(exe, [f["server"]])
    bad = [f"{k}: {both[k]}, the server alone {one.get(k)}" for k in both if both[k] > one.get(k, 0) + 1]
    yield f"{case} operations", bad
    yield f"{case} the same file twice", differs(counts(exe, [f["server"]] * 2), alone, set())


def main():
    exe, count, failed = sys.argv[1], 0, 0
    for case in CHOSEN:
        for name, bad in check_case(exe, case):
            count += 1
            failed += bool(bad)
            print(f"{'not ok' if bad else 'ok'} {count} - {name}", flush=True)
            for line in bad[:5]:
                print(f"#   {line}")
    print(f"1..{count}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
