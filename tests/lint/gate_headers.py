# SPDX-License-Identifier: GPL-2.0-or-later
"""Every header compiles alone, and may be included twice."""
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

from tree import Skip


def include_dirs(tree, header):
    """src, the tree (lab/...), what the build generated into its own src, and the header's folder outside of src."""
    yield tree.root / "src"
    yield tree.root
    if tree.build:
        yield tree.build / "src"
    yield (tree.root / header).parent


def compile_header(tree, header):
    name = header.removeprefix("src/")
    include = f'#include "{name if header.startswith("src/") else tree.root / header}"\n'
    command = ["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror",
               "-fsyntax-only", "-x", "c", "-"]
    command[1:1] = [f"-I{folder}" for folder in include_dirs(tree, header)]
    told = subprocess.run(command, input=include * 2, capture_output=True, text=True,
                          env={**os.environ, "LC_ALL": "C"}).stderr
    for line in told.splitlines():
        found = re.search(r": (?:fatal )?error: (.*)", line)
        if found:
            return f"{header}:1: does not compile alone: {found[1]}"
    return None


def check(tree):
    if not shutil.which("gcc"):
        raise Skip("gcc is not installed")
    with ThreadPoolExecutor() as pool:
        headers = tree.files(".h")
        yield from filter(None, pool.map(lambda header: compile_header(tree, header), headers))
