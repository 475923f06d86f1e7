# SPDX-License-Identifier: GPL-2.0-or-later
"""Just enough of C to judge files that clang-format has laid out."""
import re

_TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)


def blank_comments_and_strings(text):
    """The same text with the same line numbers, without comments and the insides of strings."""
    return _TOKEN.sub(lambda found: "\n" * found[0].count("\n") or '""', text)


def includes(text):
    """(line number, path) of each #include "path"."""
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if found:
            yield number, found[1]


def functions(text):
    """(first line, count of lines, name) of each function, its signature included.

    In our layout a function's braces are the only ones that stand alone in the first column.
    """
    lines = text.splitlines()
    start = None
    for index, line in enumerate(lines):
        if line == "{":
            start = _signature_start(lines, index)
        elif line.startswith("}") and start is not None:
            name = re.search(r"(\w+)\s*\(", " ".join(lines[start:index]))
            yield start + 1, index - start + 1, name[1] if name else "?"
            start = None


def _signature_start(lines, brace):
    start = brace
    while start > 0:
        before = lines[start - 1].rstrip()
        if not before or before.endswith((";", "}", "*/")) or before.startswith(("#", "//")):
            break
        start -= 1
    return start
