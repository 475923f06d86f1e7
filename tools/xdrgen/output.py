# SPDX-License-Identifier: GPL-2.0-or-later
"""What all writers of C share."""

import os


def banner(out, spec, purpose):
    source = os.path.basename(spec.parser.files[0])
    out("/* SPDX-License-Identifier: GPL-2.0-or-later */")
    out("/* Made by tools/xdrgen from %s: do not edit. %s */" % (source, purpose))


def width(text):
    return len(text.expandtabs(8))


def wrapped(out, start, parts, end):
    """start + the parts joined by ", " + end, broken before column 100."""
    indent = start[:len(start) - len(start.lstrip("\t"))] + "\t\t"
    line = start
    for i, part in enumerate(parts):
        piece = part + ("," if i + 1 < len(parts) else end)
        if width(line + piece) > 98 and line.strip():
            out(line.rstrip())
            line = indent
        line += piece + (" " if i + 1 < len(parts) else "")
    out(line)


def function(out, start, parameters):
    """The first lines of a function's definition."""
    wrapped(out, start + "(", parameters, ")")
    out("{")


def write_file(path, lines):
    with open(path, "w", encoding="utf-8") as target:
        target.write("\n".join(lines) + "\n")
