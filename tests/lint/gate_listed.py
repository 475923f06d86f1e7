# SPDX-License-Identifier: GPL-2.0-or-later
"""Every C file and every gate is in the list of a meson.build: what is not listed is never built."""
import os
import re


def meson_lists(tree):
    """{folder: quoted words of its meson.build, in order}"""
    return {os.path.dirname(path): re.findall(r"'([^'\n]+)'", tree.text(path))
            for path in tree.files("meson.build")}


def is_listed(path, lists):
    """By its own meson.build or one further up, as path, as name, or as name without its frame."""
    folder, name = os.path.split(path)
    stem = os.path.splitext(name)[0]
    plain = {name, stem, stem.removeprefix("fuzz_"), stem.removeprefix("gate_")}
    while folder:
        if folder in lists:
            return bool(plain & set(lists[folder])) or os.path.relpath(path, folder) in lists[folder]
        folder = os.path.dirname(folder)
    return False


def check(tree):
    lists = meson_lists(tree)
    wanted = (tree.files(".c", under="src/") + tree.files(".c", under="tests/") +
              [path for path in tree.files(".py", under="tests/lint/")
               if os.path.basename(path).startswith("gate_")])
    for path in wanted:
        if not is_listed(path, lists):
            yield f"{path}:1: is in no list of a meson.build"
    for path in tree.files("meson.build", under="src/"):
        _, _, after = tree.text(path).partition("sources = files(")
        sources = re.findall(r"'([^'\n]+)'", after.partition(")")[0])
        if sources != sorted(sources):
            yield f"{path}:1: its list is not sorted"
