# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands in the texts of rules: somebody copies them into a shell, so no text of evidence stands in them."""
import re

LITERAL = r'"(?:[^"\\\n]|\\.)*"'
LITERALS = re.compile(rf"{LITERAL}(?:\s*{LITERAL})*")
COMMAND = re.compile(r"`([^`]*)`")
TEXT = re.compile(r"%[-+ #0]*[0-9*]*(?:\.[0-9*]+)?s")


def check(tree):
    for path in tree.files(".c"):
        if not path.startswith("src/diagnose/"):
            continue
        text = tree.text(path)
        for found in LITERALS.finditer(text):
            words = re.sub(r'"\s*"', "", found[0])
            for command in COMMAND.findall(words):
                if TEXT.search(command):
                    line = text.count("\n", 0, found.start()) + 1
                    yield f"{path}:{line}: a text in a command: `{command}`"
