# SPDX-License-Identifier: GPL-2.0-or-later
"""Links of Markdown files, and mentions of docs/NAME.md anywhere, lead to files that exist."""
import os
import re

LINK = re.compile(r"\[[^\]\[]*\]\(([^)\s]+)\)")
MENTION = re.compile(r"(?<![\w/])docs/[a-z0-9-]+\.md\b")


def leads_somewhere(tree, path):
    return os.path.exists(tree.root / path)


def check_links(tree, path, number, line):
    for target in LINK.findall(line):
        place = target.partition("#")[0]
        if not place or re.match(r"[a-z]+:", target):
            continue
        if not leads_somewhere(tree, os.path.normpath(os.path.join(os.path.dirname(path), place))):
            yield f"{path}:{number}: leads nowhere: {target}"


def check(tree):
    for path in tree.paths:
        if not tree.is_text(path):
            continue
        for number, line in enumerate(tree.lines(path), 1):
            if path.endswith(".md"):
                yield from check_links(tree, path, number, line)
            for mention in MENTION.findall(line):
                if not leads_somewhere(tree, mention):
                    yield f"{path}:{number}: there is no {mention}"
