# SPDX-License-Identifier: GPL-2.0-or-later
"""xdrgen: from a specification in the XDR language it makes C.

    python3 tools/xdrgen names SPEC.x OUTPUT_DIRECTORY    constants and names
    python3 tools/xdrgen xdr SPEC.x OUTPUT_DIRECTORY      decode, skip, encode, print, tables
    python3 tools/xdrgen tests SPEC.x OUTPUT_DIRECTORY    makers of random messages for the tests

`--depfile FILE` writes what the output depends on, for the build. Specifications are trusted; an error
in one ends the run with file and line on standard error. See docs/howto-decoder.md.
"""

import argparse
import os
import sys

sys.dont_write_bytecode = True

import emit_decode  # noqa: E402
import emit_encode  # noqa: E402
import emit_names  # noqa: E402
import emit_print  # noqa: E402
import emit_tests  # noqa: E402
from model import Spec  # noqa: E402
from output import write_file  # noqa: E402
from syntax import SpecError  # noqa: E402


def make(what, spec):
    """File names and lines of one kind of output."""
    if what == "names":
        return [("%s.h" % spec.name, emit_names.header(spec)),
                ("%s.c" % spec.name, emit_names.source(spec))]
    if what == "tests":
        return [("make_%s.c" % spec.name, emit_tests.source(spec))]
    return [("%s_xdr.h" % spec.name, emit_decode.header(spec)),
            ("%s_xdr_decode.c" % spec.name, emit_decode.decode_source(spec)),
            ("%s_xdr_skip.c" % spec.name, emit_decode.skip_source(spec)),
            ("%s_xdr_encode.c" % spec.name, emit_encode.encode_source(spec)),
            ("%s_xdr_print.c" % spec.name, emit_print.print_source(spec)),
            ("%s_xdr_table.c" % spec.name, emit_encode.table_source(spec))]


def main():
    parser = argparse.ArgumentParser(prog="xdrgen")
    parser.add_argument("what", choices=("names", "xdr", "tests"))
    parser.add_argument("spec")
    parser.add_argument("output")
    parser.add_argument("--depfile")
    options = parser.parse_args()
    name = os.path.splitext(os.path.basename(options.spec))[0]
    try:
        spec = Spec(options.spec, name)
        files = make(options.what, spec)
    except SpecError as error:
        print("xdrgen: %s" % error, file=sys.stderr)
        return 1
    os.makedirs(options.output, exist_ok=True)
    for file, lines in files:
        write_file(os.path.join(options.output, file), lines)
    if options.depfile:
        first = os.path.join(options.output, files[0][0])
        write_file(options.depfile, ["%s: %s" % (first, " ".join(spec.parser.files))])
    return 0


if __name__ == "__main__":
    sys.exit(main())
