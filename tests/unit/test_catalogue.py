#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""tools/catalogue.py takes a good page and refuses each kind of bad one. Prints TAP."""
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(os.environ.get("NFSLEUTH_SOURCE", pathlib.Path(__file__).parents[2]))

IDS = "# comment\ntcp-loss  cause\ntcp-path-silent  cause\n"
PAGE = """title: Segments are lost
role: cause

## What it is
Loss, not tcp-path-silent.

## How it shows
- Retransmissions, "quoted" and ??( no trigraph.

## Look-alikes
- tcp-path-silent: nothing comes back at all.

## Remedy
- Find where,
  and mend it.

## References
- RFC 9293
"""

# What is wrong, the page, and a part of the complaint (None: it is good).
PAGES = [
    ("a good page", PAGE, None),
    ("a section is missing", PAGE.replace("## Look-alikes", "## Remedies"), "no such section"),
    ("no references", PAGE[: PAGE.index("## References")], "section missing: References"),
    ("an empty section", PAGE.replace("- RFC 9293\n", ""), "section empty: References"),
    ("sections out of order", PAGE.replace("How it shows", "X").replace("What it is", "How it shows")
     .replace("## X", "## What it is"), "not in order"),
    ("another role", PAGE.replace("role: cause", "role: symptom"), "the role of tcp-loss is cause"),
    ("no title", PAGE.replace("title: ", "name: "), "exactly the fields"),
    ("an id that is none", PAGE.replace("tcp-path-silent:", "tcp-path-quiet:"), "tcp-path-quiet"),
    ("a list that is none", PAGE.replace("- Find", "Find"), "not an item"),
    ("a long line", PAGE.replace("Loss,", "Loss, " + "x" * 100), "longer than 100"),
    ("a long section", PAGE.replace("Loss,", "Loss,\n" + "and loss\n" * 500), "over 4000 bytes"),
]


def complaint(folder, name, page):
    """What the tool says on standard error; "" when it wrote its output."""
    (folder / "ids.list").write_text(IDS)
    (folder / name).write_text(page)
    tool = [sys.executable, ROOT / "tools/catalogue.py", "--ids", folder / "ids.list"]
    done = subprocess.run([*tool, "--output", folder / "out.c", folder / name],
                          capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def main():
    failed = 0
    pages = [(what, "tcp-loss.txt", page, want) for what, page, want in PAGES]
    pages.append(("a page of no id", "tcp-gain.txt", PAGE, "none of the finding ids"))
    print(f"1..{len(pages)}")
    with tempfile.TemporaryDirectory() as name:
        for number, (what, file, page, want) in enumerate(pages, 1):
            said = complaint(pathlib.Path(name), file, page)
            good = said == "" if want is None else want in said
            if not good:
                print(f"# wanted {want!r}, got {said!r}")
            failed += not good
            print(f"{'' if good else 'not '}ok {number} - {what}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
