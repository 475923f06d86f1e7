# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes makers of random but valid messages, one a type: tests/unit/xdr_make.h.

They write the wire form by themselves and share nothing with the generated encoders but the writer,
so that an encoder is compared with something.
"""

from emit_decode import listed, named
from model import (Bitmap, Bytes, Enum, Fixed, List, Number, Opaque, Option, Struct, Union, Vector,
                   c_limit)
from output import banner, wrapped

NUMBER = {"u32": "xdr_put_u32(w, make_u32(r));", "i32": "xdr_put_u32(w, make_u32(r));",
          "u64": "xdr_put_u64(w, make_u64(r));", "i64": "xdr_put_u64(w, make_u64(r));",
          "bool": "xdr_put_bool(w, make_below(r, 2) != 0);"}


def make(out, spec, kind, pad):
    """Statements that write one value."""
    if isinstance(kind, (Number, Enum)):
        out(pad + NUMBER[kind.kind])
    elif isinstance(kind, Bytes):
        out("%smake_bytes(r, w, %d);" % (pad, kind.length))
    elif isinstance(kind, Opaque):
        out("%smake_opaque(r, w, %s);" % (pad, c_limit(kind.limit)))
    elif isinstance(kind, Bitmap):
        out("%smake_bitmap(r, w);" % pad)
    elif isinstance(kind, (Vector, List)):
        limit = c_limit(kind.limit) if isinstance(kind, Vector) else "3"
        out("%sfor (uint32_t i = 0, n = make_count(r, %s); i <= n; i++) {" % (pad, limit))
        if isinstance(kind, Vector):
            out("%s\tif (i == 0)\n%s\t\txdr_put_u32(w, n);" % (pad, pad))
            out("%s\tif (i == n)\n%s\t\tbreak;" % (pad, pad))
        else:
            out("%s\txdr_put_bool(w, i < n);\n%s\tif (i == n)\n%s\t\tbreak;" % (pad, pad, pad))
        make(out, spec, kind.element, pad + "\t")
        out("%s}" % pad)
    elif isinstance(kind, Fixed):
        out("%sfor (uint32_t i = 0; i < %d; i++) {" % (pad, kind.length))
        make(out, spec, kind.element, pad + "\t")
        out("%s}" % pad)
    elif isinstance(kind, Option):
        out("%sif (make_flag(r, w)) {" % pad)
        make(out, spec, kind.element, pad + "\t")
        out("%s}" % pad)
    else:
        out("%smake_%s(r, w);" % (pad, kind.name))


def make_union(out, spec, kind):
    """One choice a case value, and one more for a value that only a default takes."""
    known = [(spec.number(value), field) for values, field in kind.arms for value in values]
    choices = list(known)
    is_bool = kind.tag.type.ctype == "bool"
    if kind.default is not False and not is_bool:
        other = 0x7ffffff7
        choices.append((other, kind.default))
    out("\tswitch (make_below(r, %d)) {" % len(choices))
    for i, (value, field) in enumerate(choices):
        out("\tcase %d:\n\t\txdr_put_u32(w, %d);" % (i, value))
        if field:
            make(out, spec, field.type, "\t\t")
        out("\t\tbreak;")
    out("\tdefault:\n\t\tbreak;\n\t}")


def make_attributes(out, spec):
    """A bitmap of known attributes and their values."""
    wrapped(out, "\tstatic const uint8_t known[] = {",
            [str(row[0]) for row in spec.attribute_rows], "};")
    out("\tstatic uint8_t memory[65536];")
    out("\tstruct xdr_writer values = xdr_writer_make(memory, sizeof(memory));")
    out("\tstruct xdr_bitmap map = {0};\n")
    out("\tfor (size_t i = 0; i < sizeof(known); i++) {")
    out("\t\tif (make_below(r, 8) == 0) {\n\t\t\txdr_bitmap_set(&map, known[i]);")
    out("\t\t\tmake_attribute(r, &values, known[i]);\n\t\t}\n\t}")
    out("\txdr_put_bitmap(w, &map);")
    out("\txdr_put_u32(w, (uint32_t)xdr_writer_bytes(&values).len);")
    out("\txdr_put_raw(w, xdr_writer_bytes(&values));")


def attribute_function(out, spec):
    out("static void make_attribute(struct make_random *r, struct xdr_writer *w, uint32_t number)")
    out("{\n\tswitch (number) {")
    for number, _, _, kind in spec.attribute_rows:
        out("\tcase %d:" % number)
        make(out, spec, kind, "\t\t")
        out("\t\tbreak;")
    out("\tdefault:\n\t\tbreak;\n\t}\n}\n")


def source(spec):
    lines = []
    out = lines.append
    banner(out, spec, "Random valid messages for the tests.")
    out("#include \"names/%s.h\"\n#include \"xdr_make.h\"\n" % spec.name)
    attributes = spec.attributes[0] if spec.attributes else None
    made = [row for other in spec.imports for row in named(other)] + named(spec)
    for name, _ in made:
        out("__attribute__((unused))")
        out("static void make_%s(struct make_random *r, struct xdr_writer *w);" % name)
    if attributes:
        out("")
        attribute_function(out, spec)
    for name, kind in made:
        out("\nstatic void make_%s(struct make_random *r, struct xdr_writer *w)\n{" % name)
        if kind is attributes:
            make_attributes(out, spec)
        elif isinstance(kind, Union):
            make_union(out, spec, kind)
        elif isinstance(kind, Struct):
            for field in kind.fields:
                make(out, spec, field.type, "\t")
        else:
            make(out, spec, kind, "\t")
        out("}")
    out("\nconst struct make_type make_%s_types[] = {" % spec.name)
    for name, _ in listed(spec):
        out("\t{\"%s\", make_%s}," % (name, name))
    out("};")
    return lines
