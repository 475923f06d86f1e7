# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a C source of a file's bytes: NAME (not terminated) and NAME_len. Build time only."""
import argparse
import pathlib


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--name", required=True)
    ap.add_argument("--output", required=True, type=pathlib.Path)
    ap.add_argument("file", type=pathlib.Path)
    args = ap.parse_args()
    data = args.file.read_bytes()
    rows = [", ".join(map(str, data[at : at + 20])) for at in range(0, len(data), 20)]
    args.output.write_text(
        f"#include <stddef.h>\n\nextern const unsigned char {args.name}[];\n"
        f"extern const size_t {args.name}_len;\n\n"
        f"const unsigned char {args.name}[] = {{\n"
        + ",\n".join(rows)
        + f"\n}};\nconst size_t {args.name}_len = sizeof({args.name});\n"
    )


if __name__ == "__main__":
    main()
