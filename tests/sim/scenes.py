#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The cases sim-* of tests/cases, made from scenes: --update writes them, --check compares (TAP)."""
import argparse
import importlib
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from sim import pcapfile  # noqa: E402
from sim.scene import SCENES  # noqa: E402

# Each file of scenes enters its own into SCENES; in the order of their names, so that none depends
# on who was imported first.
for path in sorted(pathlib.Path(__file__).resolve().parent.glob("scenes_*.py")):
    importlib.import_module(f"sim.{path.stem}")

CASES = pathlib.Path(__file__).resolve().parent.parent / "cases"


def files_of(scene):
    """The files of a scene's case: {name: bytes}."""
    captures, texts = scene.files()
    truth = {"scenario": scene.name, "root_cause": scene.truth, "made_by": "tests/sim", **scene.told}
    return {
        **{name: pcapfile.to_bytes(capture) for name, capture in captures.items()},
        **{name: text.encode() for name, text in texts.items()},
        "expect.json": _json(scene.expect()),
        "truth.json": _json(truth),
    }


def _json(value):
    return (json.dumps(value, indent=1) + "\n").encode()


def update():
    for scene in SCENES.values():
        folder = CASES / f"sim-{scene.name}"
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files_of(scene).items():
            (folder / name).write_bytes(data)


def check():
    """TAP: each committed case is what its scene makes."""
    print(f"1..{len(SCENES)}")
    failed = 0
    for i, scene in enumerate(SCENES.values(), 1):
        folder = CASES / f"sim-{scene.name}"
        bad = [
            name for name, data in files_of(scene).items()
            if not (folder / name).is_file() or (folder / name).read_bytes() != data
        ]  # fmt: skip
        failed += bool(bad)
        print(f"{'not ok' if bad else 'ok'} {i} - sim-{scene.name} {' '.join(bad)}".rstrip())
    return 1 if failed else 0


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--update", action="store_true", help="write the cases")
    ap.add_argument("--check", action="store_true", help="compare them (TAP)")
    args = ap.parse_args()
    if args.update:
        update()
    if args.check:
        sys.exit(check())


if __name__ == "__main__":
    main()
