# SPDX-License-Identifier: GPL-2.0-or-later
"""C files are laid out as clang-format wants them, by the version that .clang-format was made for."""
import re
import shutil
import subprocess

from tree import Skip

VERSION = 14  # of Debian 12: other versions lay out some lines differently


def find_program():
    for name in (f"clang-format-{VERSION}", "clang-format"):
        if shutil.which(name):
            told = subprocess.run([name, "--version"], capture_output=True, text=True).stdout
            if re.search(rf"version {VERSION}\.", told):
                return name
    raise Skip(f"clang-format {VERSION} is not installed")


def check(tree):
    program = find_program()
    paths = tree.files(".c", ".h")
    if tree.fix:
        subprocess.run([program, "-i", *paths], cwd=tree.root, check=True)
    told = subprocess.run([program, "--dry-run", "--Werror", *paths], cwd=tree.root,
                          capture_output=True, text=True).stderr
    for place in dict.fromkeys(re.findall(r"^(\S+?:\d+):\d+: error: ", told, re.MULTILINE)):
        yield f"{place}: not as clang-format wants it (make format)"
