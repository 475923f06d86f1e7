# SPDX-License-Identifier: GPL-2.0-or-later
"""Shell scripts parse, and those with a first line that names a shell may be executed."""
import os
import subprocess


def check(tree):
    for path in tree.scripts():
        first = tree.lines(path)[0]
        shell = "sh" if first == "#!/bin/sh" else "bash"
        told = subprocess.run([shell, "-n", tree.root / path], capture_output=True, text=True)
        if told.returncode != 0:
            yield f"{path}:1: does not parse"
        if first.startswith("#!") and not os.access(tree.root / path, os.X_OK):
            yield f"{path}:1: is not executable"
