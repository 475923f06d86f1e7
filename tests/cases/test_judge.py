#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The score can fail: wrong and silent answers, too much confidence and crashes are seen. TAP."""
import json
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from cases.run import Said, ask, compare, judge, said_by  # noqa: E402
from cases.variants import CAUSES, SAME, Variant  # noqa: E402

READING = {"headline": ["a"], "found": ["s"], "also": ["b"], "confidence_max": "likely"}
CUT = {"headline": [None], "also_if_cut": {"a": "possible"}}
HEALTHY = {"headline": [None], "found": [], "also": []}


def said(headline, role, *causes, more=()):
    ids = {c for c, _ in causes} | set(more) | ({headline} if headline else set())
    return Said(headline, role, tuple(causes), frozenset(ids))


A = ("a", "likely")
RIGHT = said("a", "cause", A, more=["s"])
JUDGED = [
    ("right", READING, RIGHT, False),
    ("right", HEALTHY, said(None, None), False),
    ("right", READING, said("a", "cause", A, ("b", "possible"), more=["s"]), False),
    ("silent", READING, said(None, None), False),
    ("silent", READING, said("s", "symptom", more=["s"]), False),
    ("silent", READING, said("a", "cause", A), False),
    ("silent", HEALTHY, said("s", "symptom"), True),
    ("wrong", HEALTHY, said("s", "symptom"), False),
    ("wrong", HEALTHY, said("a", "cause", A), True),
    ("wrong", READING, said("a", "cause", ("a", "certain"), more=["s"]), True),
    ("wrong", READING, said("a", "cause", A, ("c", "possible"), more=["s"]), False),
    ("wrong", READING, said("b", "cause", ("b", "likely"), more=["s"]), False),
    ("right", READING, said("b", "cause", ("b", "likely"), more=["s"]), True),
    ("right", CUT, said("a", "cause", ("a", "possible")), True),
    ("wrong", CUT, said("a", "cause", ("a", "likely")), True),
    ("wrong", CUT, said("a", "cause", ("a", "possible")), False),
]
LESS_SURE = said("a", "cause", ("a", "possible"), more=["s"])
COMPARED = [
    (False, SAME, RIGHT), (True, SAME, LESS_SURE), (False, CAUSES, LESS_SURE),
    (True, CAUSES, said(None, None)),
]  # fmt: skip


def answers(script):
    """What is made of a program that is this shell script."""
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder) / "program"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return ask(str(program), [])


# Told by stacks of tasks alone: the unit tests of their rules have these.
WITHOUT_CASE = {
    "client-memory-exhausted", "getattr-flush", "gss-upcall-stuck", "idmap-slow",
    "mount-trunking-blocked", "task-hung", "writeback-stalled",
}  # fmt: skip


def without_case():
    """Ids that the program looks for and no case expects, as headline or found."""
    pages = (HERE.parent.parent / "src/diagnose/catalogue").glob("*.txt")
    expected = set()
    for path in HERE.glob("*/expect.json"):
        for reading in json.loads(path.read_text()):
            expected |= {*reading["headline"], *reading.get("found", [])}
    return sorted({p.stem for p in pages} - expected - WITHOUT_CASE)


def main():
    tests = [
        (f"{want}: {s.headline} {s.causes}", judge(r, s, silent)[0] == want)
        for want, r, s, silent in JUDGED
    ]
    tests += [
        (f"{holds}: {'differs' if differs else 'same'}",
         bool(compare(Variant("v", (), holds), RIGHT, s)) == differs)
        for differs, holds, s in COMPARED
    ]  # fmt: skip
    cause = {"id": "a", "role": "cause", "confidence": "likely"}
    tests += [
        ("a crash is seen", "exit status" in answers("kill -SEGV $$").error),
        ("a sanitizer's exit is seen", "99" in answers("exit 99").error),
        ("no JSON is seen", "no JSON" in answers("echo nothing").error),
        ("status 0 with a cause is seen", said_by({"findings": [cause], "headline": "a"}, 0).error != ""),
        ("status 1 with a cause is right", said_by({"findings": [cause], "headline": "a"}, 1).error == ""),
    ]
    missing = without_case()
    tests.append((f"every id has a case {' '.join(missing)}".rstrip(), not missing))
    print(f"1..{len(tests)}")
    for i, (name, ok) in enumerate(tests, 1):
        print(f"{'ok' if ok else 'not ok'} {i} - {name}")
    sys.exit(0 if all(ok for _, ok in tests) else 1)


if __name__ == "__main__":
    main()
