#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs gates over the tree and over their proofs, and prints TAP.

Usage: run.py [--build DIR] [--fix] [GATE...]

A gate's proof is a small tree in proofs/GATE with a file `expect`: the very lines that the gate must
print for it, and no others. So each gate is shown to fail, and to fail for nothing else.
"""
import argparse
import difflib
import importlib
import sys
from pathlib import Path

from tree import Skip, Tree

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def all_gates():
    return sorted(path.stem.removeprefix("gate_") for path in HERE.glob("gate_*.py"))


class Tap:
    def __init__(self, count):
        self.number = 0
        self.failed = False
        print(f"1..{count}")

    def result(self, name, problems, skip=None):
        self.number += 1
        for problem in problems:
            print(f"# {problem}")
        self.failed = self.failed or bool(problems)
        tail = f" # SKIP {skip}" if skip else ""
        print(f"{'not ' if problems else ''}ok {self.number} - {name}{tail}", flush=True)


def run_gate(gate, tree):
    """Its problems, and why it was skipped."""
    try:
        return list(gate.check(tree)), None
    except Skip as skip:
        return [], str(skip)


def run_proof(gate, proof, build):
    """What differs between the lines that the gate must print for its proof and those it prints."""
    if not (proof / "expect").exists():
        return [f"{proof}: there is no proof that this gate can fail"], None
    want = (proof / "expect").read_text().splitlines()
    got, skip = run_gate(gate, Tree(proof, build))
    if not want:
        return [f"{proof}/expect: expects nothing, so it proves nothing"], skip
    return list(difflib.unified_diff(want, got, "expected", "got", lineterm="")), skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gates", nargs="*", metavar="GATE", help="all, when none is given")
    parser.add_argument("--build", help="a compiled build, for gates that need one")
    parser.add_argument("--fix", action="store_true", help="mend what the gate can mend")
    arguments = parser.parse_args()
    names = arguments.gates or all_gates()
    tree = Tree(ROOT, arguments.build, arguments.fix)
    tap = Tap(2 * len(names))
    for name in names:
        gate = importlib.import_module(f"gate_{name}")
        tap.result(f"{name}: the tree", *run_gate(gate, tree))
        tap.result(f"{name}: rejects its proof",
                   *run_proof(gate, HERE / "proofs" / name, arguments.build))
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
