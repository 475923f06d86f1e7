#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the manual page nfsleuth-findings(7) from the catalogue's pages.

usage: catalogue_man.py --ids IDS --output FILE.7 PAGE.txt...
"""
import argparse
import re
import sys
import textwrap
from pathlib import Path

import catalogue

HEAD = r""".\" Made by tools/catalogue_man.py: do not edit.
.Dd November 22, 2026
.Dt NFSLEUTH-FINDINGS 7
.Os
.Sh NAME
.Nm nfsleuth-findings
.Nd what the findings of nfsleuth mean
.Sh DESCRIPTION
The catalogue of findings that
.Xr nfsleuth 1
can make: what each means, how it shows, what it is easily taken for and how
that is told from it, and what to do.
.Ql nfsleuth explain
shows the same pages.
.Pp
An id never changes its meaning.
A cause explains symptoms; a symptom without a cause is told as such.
.Sh FINDINGS
"""
TAIL = """.Sh SEE ALSO
.Xr nfsleuth 1
"""


def text_line(text):
    """A line that is text, whatever it begins with."""
    text = text.replace("\\", "\\e")
    return "\\&" + text if text.startswith((".", "'")) else text


def filled(text):
    """Text in lines of at most 80 bytes, each sentence on lines of its own."""
    return [text_line(line) for sentence in re.split(r"(?<=[.!?]) (?=\S)", text)
            for line in textwrap.wrap(sentence, 76, break_long_words=False,
                                      break_on_hyphens=False)]


def blocks_of(text):
    """Paragraphs and items of a section: (is it an item?, its text on one line)."""
    blocks = []
    for line in text.splitlines():
        if line.startswith("- "):
            blocks.append([True, line[2:]])
        elif not line:
            blocks.append(None)
        elif blocks and blocks[-1]:
            blocks[-1][1] += " " + line.strip()
        else:
            blocks.append([False, line])
    return [block for block in blocks if block]


def section_lines(heading, text):
    out = [".Pp", f".Sy {heading}"]
    in_list = False
    for number, (item, words) in enumerate(blocks_of(text)):
        if item and not in_list:
            out.append(".Bl -dash -compact")
        elif in_list and not item:
            out.append(".El")
        if item:
            out.append(".It")
        else:
            out.append(".Pp" if number and not in_list else ".br" if not number else ".Pp")
        in_list = item
        out.extend(filled(words))
    if in_list:
        out.append(".El")
    return out


def page_lines(page):
    out = [f".Ss {page['id']}", *filled(f"{page['title']} ({page['role']}).")]
    for heading, text in page["sections"]:
        out.extend(section_lines(heading, text))
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ids", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("pages", type=Path, nargs="+")
    args = parser.parse_args()
    try:
        ids = catalogue.read_ids(args.ids)
        pages = [catalogue.read_page(path, ids) for path in args.pages]
        lines = [line for page in sorted(pages, key=lambda p: p["id"]) for line in page_lines(page)]
        args.output.write_text(HEAD + "\n".join(lines) + "\n" + TAIL, "utf-8")
    except (catalogue.Fault, OSError, UnicodeDecodeError) as fault:
        print(f"catalogue_man: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
