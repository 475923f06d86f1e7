# SPDX-License-Identifier: GPL-2.0-or-later
"""Rooms include only what the table in docs/architecture.md lets them.

The table stands behind the line that starts with "Who may include whom": one line each, indented,
"rooms: rooms that they may include". "everything" stands for all rooms. What src/meson.build
links must be the same.
"""
import re

import c_source

DOC = "docs/architecture.md"
MESON = "src/meson.build"


def read_table(text):
    """{room: set of rooms that it may include, itself among them}"""
    table = {}
    _, _, after = text.partition("Who may include whom")
    for line in after.splitlines()[1:]:
        found = re.match(r"    ([a-z ]+):\s+(.+)$", line)
        if found:
            for room in found[1].split():
                table[room] = {room, "base", *found[2].split()}
        elif table:
            break
    table.setdefault("base", {"base"})
    for room, allowed in table.items():
        if "everything" in allowed:
            table[room] = set(table)
    return table


def room_of(path):
    parts = path.split("/")
    return parts[1] if parts[0] == "src" else parts[0]


def check_file(path, text, table):
    room = room_of(path)
    if room not in table:
        yield f"{path}:1: {room} is not a room of {DOC}"
        return
    for number, name in c_source.includes(text):
        other = name.split("/")[0]
        if ".." in name.split("/"):
            yield f"{path}:{number}: {name} leaves its room by way of '..'"
        elif "/" not in name and room != "lab":
            yield f"{path}:{number}: {name} is written without its room"
        elif other in table and other not in table[room]:
            yield f"{path}:{number}: {room} may not include {other}"
        elif other not in table and room != "lab":
            yield f"{path}:{number}: {other} is not a room of {DOC}"


def check_links(text, table):
    """The table of src/meson.build: `'room': ['room', ...],` behind `rooms = {`."""
    _, _, after = text.partition("rooms = {\n")
    for room, needs in re.findall(r"'(\w+)': \[(.*)\],", after.partition("}\n")[0]):
        linked = {room, "base", *re.findall(r"'(\w+)'", needs)}
        said = table.get(room, {"nothing"}) - ({"lab"} - {room})  # lab/meson.build has its libraries
        if linked != said:
            yield (f"{MESON}:1: {room} links {' '.join(sorted(linked))}, but {DOC} says "
                   f"{' '.join(sorted(said))}")


def check(tree):
    table = read_table(tree.text(DOC)) if DOC in tree.paths else {}
    if len(table) < 2:
        yield f"{DOC}:1: has no table of includes"
        return
    if MESON in tree.paths:
        yield from check_links(tree.text(MESON), table)
    for path in tree.files(".c", ".h", under="src/") + tree.files(".c", ".h", under="lab/"):
        yield from check_file(path, tree.text(path), table)
