#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compiles the catalogue's pages into C, and refuses pages that are not complete.

usage: catalogue.py --ids IDS --output FILE.c PAGE.txt...

IDS lists every finding id that is fixed for users, one `id role` to a line, sorted; `#` starts a
comment. A page is named for its id and reads:

    title: one line
    role: cause

    ## What it is
    Paragraphs, and items that begin with "- " and go on indented.
    ...

with the sections of SECTIONS in this order. Remedy, Fixes and References are lists.
"""
import argparse
import re
import sys
from pathlib import Path

# Heading, whether a page must have it, whether it is a list.
SECTIONS = [
    ("What it is", True, False),
    ("How it shows", True, False),
    ("Look-alikes", True, False),
    ("Remedy", True, True),
    ("Fixes", False, True),
    ("References", True, True),
]
ROLES = {"cause": "ROLE_CAUSE", "symptom": "ROLE_SYMPTOM", "context": "ROLE_CONTEXT"}
TITLE_MAX = 80
LINE_MAX = 100
TEXT_BYTES_MAX = 4000  # a C compiler need not take a longer literal


class Fault(Exception):
    pass


def read_ids(path):
    ids = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if len(words) != 2 or words[1] not in ROLES:
            raise Fault(f"{path}:{number}: expected `id role`")
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", words[0]):
            raise Fault(f"{path}:{number}: not an id: {words[0]}")
        if words[0] in ids:
            raise Fault(f"{path}:{number}: {words[0]} is here twice")
        ids[words[0]] = words[1]
    return ids


def split_page(path):
    """Header fields and sections of a page: ({name: value}, [(heading, text)])."""
    fields, sections = {}, []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if len(line) > LINE_MAX or line != line.rstrip() or "\t" in line:
            raise Fault(f"{path}:{number}: longer than {LINE_MAX}, or white space amiss")
        if line.startswith("## "):
            sections.append((line[3:], []))
        elif sections:
            sections[-1][1].append(line)
        elif line:
            name, colon, value = line.partition(": ")
            if not colon or name in fields:
                raise Fault(f"{path}:{number}: expected `name: value`, once each")
            fields[name] = value
    return fields, [(heading, "\n".join(lines).strip("\n")) for heading, lines in sections]


def list_items(path, heading, text):
    items = []
    for line in text.splitlines():
        if line.startswith("- "):
            items.append(line[2:])
        elif line.startswith("  ") and items:
            items[-1] += " " + line.strip()
        elif line:
            raise Fault(f"{path}: {heading}: not an item: {line}")
    return items


def check_sections(path, sections):
    headings = [heading for heading, _ in sections]
    known = [name for name, _, _ in SECTIONS]
    for heading in headings:
        if heading not in known:
            raise Fault(f"{path}: no such section: {heading}")
    if headings != [name for name in known if name in headings]:
        raise Fault(f"{path}: sections are here twice, or not in order: {', '.join(known)}")
    for name, needed, _ in SECTIONS:
        if needed and name not in headings:
            raise Fault(f"{path}: section missing: {name}")
    for heading, text in sections:
        if not text:
            raise Fault(f"{path}: section empty: {heading}")
        if len(text.encode()) > TEXT_BYTES_MAX:
            raise Fault(f"{path}: section over {TEXT_BYTES_MAX} bytes: {heading}")


def read_page(path, ids):
    fields, sections = split_page(path)
    page = {"id": path.stem, "sections": sections}
    if page["id"] not in ids:
        raise Fault(f"{path}: {page['id']} is none of the finding ids")
    if set(fields) != {"title", "role"}:
        raise Fault(f"{path}: expected exactly the fields title and role")
    if fields["role"] != ids[page["id"]]:
        raise Fault(f"{path}: the role of {page['id']} is {ids[page['id']]}")
    if not 0 < len(fields["title"]) <= TITLE_MAX:
        raise Fault(f"{path}: the title has no, or more than {TITLE_MAX} characters")
    check_sections(path, sections)
    page.update(fields)
    lists = {name for name, _, is_list in SECTIONS if is_list}
    page["lists"] = {h: list_items(path, h, text) for h, text in sections if h in lists}
    for target in re.findall(r"\b(?:nfs4|tcp|rpc|nlm|nsm|dir|host|net)-[a-z0-9-]+[a-z0-9]\b",
                             "\n".join(text for _, text in sections)):
        if target not in ids:
            raise Fault(f"{path}: names {target}, which is none of the finding ids")
    return page


def literal(text, indent="\t"):
    """A C string; each line of the text on a line of its own."""
    lines = []
    for line in text.splitlines(keepends=True):
        out = ""
        for byte in line.encode():
            char = chr(byte)
            if char in '"\\':
                out += "\\" + char
            elif char == "\n":
                out += "\\n"
            elif 0x20 <= byte < 0x7F:
                out += char
            else:
                out += f"\\{byte:03o}"
        lines.append(f'{indent}"{out}"')
    return "\n".join(lines).replace("??", '?""?')


def write_page(page, out):
    name = page["id"].replace("-", "_")
    for heading in ("Remedy", "References"):
        out.append(f"static const char *const {name}_{heading.lower()}[] = {{")
        out.extend(literal(item) + "," for item in page["lists"][heading])
        out.append("\tNULL,\n};\n")
    out.append(f"static const struct catalogue_section {name}_sections[] = {{")
    for heading, text in page["sections"]:
        out.append(f'\t{{"{heading}",\n{literal(text)}}},')
    out.append("\t{NULL, NULL},\n};\n")


def write(pages, ids, source):
    out = [f"/* Made by {source}: do not edit. */", '#include "diagnose/catalogue.h"\n']
    for page in pages:
        write_page(page, out)
    out.append("const struct catalogue_page catalogue_pages[] = {")
    for page in pages:
        name = page["id"].replace("-", "_")
        out.append(f'\t{{"{page["id"]}",\n{literal(page["title"])},\n\t {ROLES[page["role"]]},')
        out.append(f"\t {name}_remedy, {name}_references, {name}_sections}},")
    out.append("};\n")
    out.append(f"const size_t catalogue_pages_count = {len(pages)};\n")
    out.append("const struct catalogue_id catalogue_ids[] = {")
    out.extend(f'\t{{"{name}", {ROLES[ids[name]]}}},' for name in sorted(ids))
    out.append("};\n")
    out.append(f"const size_t catalogue_ids_count = {len(ids)};\n")
    return "\n".join(out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ids", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("pages", type=Path, nargs="+")
    args = parser.parse_args()
    try:
        ids = read_ids(args.ids)
        pages = [read_page(path, ids) for path in sorted(args.pages, key=lambda p: p.stem)]
        args.output.write_text(write(pages, ids, "tools/catalogue.py"), "utf-8")
    except (Fault, OSError, UnicodeDecodeError) as fault:
        print(f"catalogue: {fault}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
