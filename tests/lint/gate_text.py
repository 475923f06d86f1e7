# SPDX-License-Identifier: GPL-2.0-or-later
"""White space: no tabs in the indentation of Python and meson files, none at the end of a line."""

SOURCES = (".c", ".h", ".x", ".py", ".sh", ".build", ".md", ".1", "Makefile")


def check(tree):
    for path in tree.files(*SOURCES):
        for number, line in enumerate(tree.text(path).split("\n"), 1):
            indent = line[:len(line) - len(line.lstrip())]
            if path.endswith((".py", ".build")) and "\t" in indent:
                yield f"{path}:{number}: a tab in the indentation"
            if line != line.rstrip():
                yield f"{path}:{number}: white space at the end of the line"
