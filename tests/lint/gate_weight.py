# SPDX-License-Identifier: GPL-2.0-or-later
"""The tree stays light: no file over 2 MB, all of it under 40 MB."""

MB = 1 << 20


def check(tree):
    file_max = tree.limit("file_bytes", 2 * MB)
    tree_max = tree.limit("tree_bytes", 40 * MB)
    sizes = {path: (tree.root / path).stat().st_size for path in tree.paths}
    for path, size in sizes.items():
        if size > file_max:
            yield f"{path}:1: has {size} bytes, more than {file_max}"
    if sum(sizes.values()) > tree_max:
        yield f".:1: all files have {sum(sizes.values())} bytes, more than {tree_max}"
