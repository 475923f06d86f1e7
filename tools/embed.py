# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a C source of files' bytes. Build time only.

One file: NAME (not terminated) and NAME_len. With --table HEADER, any number of them: NAME, an
array of `struct embedded` as HEADER declares it, in the order of their stems, with an empty row behind
them, and NAME_count.
"""
import argparse
import pathlib


def rows(data):
    return ",\n".join(", ".join(map(str, data[at : at + 20])) for at in range(0, len(data), 20))


def single(name, path):
    return (
        f"#include <stddef.h>\n\nextern const unsigned char {name}[];\n"
        f"extern const size_t {name}_len;\n\n"
        f"const unsigned char {name}[] = {{\n{rows(path.read_bytes())}\n}};\n"
        f"const size_t {name}_len = sizeof({name});\n"
    )


def table(name, header, paths):
    paths = sorted(paths, key=lambda path: path.stem)
    text = f'#include "{header}"\n\n'
    for number, path in enumerate(paths):
        text += f"static const unsigned char file_{number}[] = {{\n{rows(path.read_bytes())}\n}};\n"
    text += f"\nconst struct embedded {name}[] = {{\n"
    for number, path in enumerate(paths):
        text += f'\t{{"{path.stem}", file_{number}, sizeof(file_{number})}},\n'
    return text + f"\t{{0}},\n}};\nconst size_t {name}_count = {len(paths)};\n"


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--name", required=True)
    ap.add_argument("--table", metavar="HEADER")
    ap.add_argument("--output", required=True, type=pathlib.Path)
    ap.add_argument("file", type=pathlib.Path, nargs="*")
    args = ap.parse_args()
    if args.table:
        args.output.write_text(table(args.name, args.table, args.file))
    elif len(args.file) == 1:
        args.output.write_text(single(args.name, args.file[0]))
    else:
        ap.error("more than one FILE needs --table")


if __name__ == "__main__":
    main()
