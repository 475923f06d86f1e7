# SPDX-License-Identifier: GPL-2.0-or-later
"""Every file of code starts with its licence and says what it is."""

SPDX = "SPDX-License-Identifier: GPL-2.0-or-later"
HEADS = {
    ".c": "/*",
    ".h": "/*",
    ".x": ("/*", "%", "//"),
    ".py": ('"""', "#"),
    ".sh": "#",
    "meson.build": "",  # the licence is enough
    "Makefile": "",
}


def head_of(path, scripts):
    if path in scripts:
        return "#"
    for suffix, head in HEADS.items():
        if path.endswith(suffix):
            return head
    return None


def check(tree):
    scripts = set(tree.scripts())
    for path in tree.paths:
        head = head_of(path, scripts)
        if head is None:
            continue
        lines = tree.lines(path)
        if lines and lines[0].startswith("#!"):
            lines = lines[1:]
        if not lines or SPDX not in lines[0]:
            yield f"{path}:1: does not start with {SPDX}"
        elif len(lines) < 2 or not lines[1].lstrip().startswith(head):
            yield f"{path}:2: has no head comment that says what it is"
