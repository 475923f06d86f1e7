# SPDX-License-Identifier: GPL-2.0-or-later
"""No file names a place that only one person's machine has."""
import re

# Written in pieces, so that this file passes.
PRIVATE = re.compile(r"(?<![\w.$}])/(?:home/[a-z]|root/|Users/[A-Za-z]|w" r"ork/)|[A-Z]:\\Users\\")


def check(tree):
    for path in tree.paths:
        if not tree.is_text(path):
            continue
        for number, line in enumerate(tree.lines(path), 1):
            for found in PRIVATE.finditer(line):
                shown = line[found.start():found.start() + 40].split()[0]
                yield f"{path}:{number}: a path of one machine: {shown}"
