#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The score can fail: wrong and silent answers, too much confidence and crashes are seen; every id has a
case and a twin. Prints TAP."""
import json
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from cases.run import TWINS as TABLE, Said, ask, compare, fault_of_pair, judge, said_by  # noqa: E402
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
    "mount-trunking-blocked", "writeback-stalled",
}  # fmt: skip


# Said by stacks together with the whole load: what tells them apart is in the unit tests, too.
WITHOUT_TWIN = {"dir-listing-rtt-bound", "dir-listing-writer-queued"}


def ids_of_pages():
    """Ids that the program looks for."""
    return {p.stem for p in (HERE.parent.parent / "src/diagnose/catalogue").glob("*.txt")}


def expectations(folder):
    """What the readings of a case expect: (ids that may be said, ids that are wanted)."""
    path = HERE / folder / "expect.json"
    may, wanted = set(), set()
    for reading in json.loads(path.read_text()) if path.is_file() else []:
        wanted |= {*filter(None, reading["headline"]), *reading.get("found", [])}
        may |= {*reading["headline"], *reading.get("found", []), *reading.get("also", [])}
    return may, wanted


def without_case():
    """Ids that no case expects, as headline or found."""
    expected = set()
    for path in HERE.glob("*/expect.json"):
        expected |= expectations(path.parent.name)[1]
    return sorted(ids_of_pages() - expected - WITHOUT_CASE)


def faults_of_twins(twins, ids, expected):
    """What is wrong with a table of twins, by id: every id has a case that wants it said, and a twin
    that does not let it be said in any of its readings."""
    faults = [f"{i}: no twin" for i in sorted(ids - set(twins))]
    for i, row in sorted(twins.items()):
        may, wanted = expected(row["case"])
        in_twin = expected(row["twin"])[0]
        if i not in ids:
            faults.append(f"{i}: no such id")
        if i not in wanted:
            faults.append(f"{i}: {row['case']} does not want it")
        if not in_twin:
            faults.append(f"{i}: there is no {row['twin']}")
        if i in in_twin:
            faults.append(f"{i}: {row['twin']} lets it be said")
        if not row["differs"]:
            faults.append(f"{i}: by what {row['twin']} differs is not told")
    return faults


ROW = {"case": "speaks", "twin": "silent", "differs": "once"}
TOLD = {
    "speaks": ({"a"}, {"a"}), "silent": ({None}, set()), "may": ({"a", None}, set()), "gone": (set(), set()),
}  # fmt: skip
TWINS = [  # a table of ids {"a"}, and what the gate says of it
    ({"a": ROW}, []),
    ({}, ["a: no twin"]),
    ({"a": ROW, "b": ROW}, ["b: no such id", "b: speaks does not want it"]),
    ({"a": {**ROW, "case": "silent"}}, ["a: silent does not want it"]),
    ({"a": {**ROW, "twin": "may"}}, ["a: may lets it be said"]),
    ({"a": {**ROW, "twin": "gone"}}, ["a: there is no gone"]),
    ({"a": {**ROW, "differs": ""}}, ["a: by what silent differs is not told"]),
]
SAYS = {"speaks": [{"a"}, set()], "silent": [set(), {"s"}], "both": [{"a"}]}
PAIRS = [
    (ROW, ""),
    ({**ROW, "case": "silent"}, "silent does not say it"),
    ({**ROW, "twin": "both"}, "both says it"),
    ({**ROW, "twin": "was not run"}, None),
]


def twin_tests():
    tests = [
        (f"table of twins: {want or 'right'}", faults_of_twins(table, {"a"}, TOLD.get) == want)
        for table, want in TWINS
    ]
    tests += [
        (f"twins that ran: {want}", fault_of_pair("a", row, SAYS) == want) for row, want in PAIRS
    ]
    faults = faults_of_twins(TABLE, ids_of_pages() - WITHOUT_CASE - WITHOUT_TWIN, expectations)
    return [*tests, (f"every id has a twin {'; '.join(faults)}".rstrip(), not faults)]


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
    tests += twin_tests()
    print(f"1..{len(tests)}")
    for i, (name, ok) in enumerate(tests, 1):
        print(f"{'ok' if ok else 'not ok'} {i} - {name}")
    sys.exit(0 if all(ok for _, ok in tests) else 1)


if __name__ == "__main__":
    main()
