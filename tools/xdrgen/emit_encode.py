# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the functions that encode, and the tables over all types and procedures."""

from emit_decode import listed, named, switch
from model import (Bitmap, Bytes, Enum, Fixed, List, Number, Opaque, Option, Struct, Union, Vector,
                   c_limit, c_parameter, c_type)
from output import banner, function, wrapped

PUT = {"u32": "xdr_put_u32(w, %s);", "i32": "xdr_put_u32(w, (uint32_t)%s);",
       "u64": "xdr_put_u64(w, %s);", "i64": "xdr_put_u64(w, (uint64_t)%s);",
       "bool": "xdr_put_bool(w, %s);"}


def encode(out, spec, kind, value, pad):
    """Statements that encode the lvalue `value`."""
    if isinstance(kind, (Number, Enum)):
        out(pad + PUT[kind.kind] % value)
    elif isinstance(kind, Bytes):
        out("%sxdr_put_bytes(w, %s, %d);" % (pad, value, kind.length))
    elif isinstance(kind, Opaque):
        out("%sxdr_put_opaque(w, %s, %s);" % (pad, value, c_limit(kind.limit)))
    elif isinstance(kind, Bitmap):
        out("%sxdr_put_bitmap(w, &%s);" % (pad, value))
    elif isinstance(kind, Vector):
        out("%sxdr_put_array(w, &%s, %s);" % (pad, value, c_limit(kind.limit)))
    elif isinstance(kind, List):
        out("%sxdr_put_list(w, &%s);" % (pad, value))
    elif isinstance(kind, Fixed):
        out("%sfor (uint32_t i = 0; i < %d; i++)" % (pad, kind.length))
        encode(out, spec, kind.element, value + "[i]", pad + "\t")
    elif isinstance(kind, Option):
        out("%sxdr_put_bool(w, %s_present);" % (pad, value))
        out("%sif (%s_present) {" % (pad, value))
        encode(out, spec, kind.element, value, pad + "\t")
        out("%s}" % pad)
    else:
        out("%s%s_encode_%s(w, &%s);" % (pad, kind.prefix, kind.name, value))


def encode_function(out, spec, name, kind):
    function(out, "void %s_encode_%s" % (spec.name, name),
             ["struct xdr_writer *w", c_parameter(spec, kind, "in", True)])
    if isinstance(kind, Struct):
        for field in kind.fields:
            encode(out, spec, field.type, "in->" + field.name, "\t")
    elif isinstance(kind, Union):
        tag = "in->" + kind.tag.name
        encode(out, spec, kind.tag.type, tag, "\t")
        switch(out, kind, tag,
               lambda field: encode(out, spec, field.type, "in->" + field.name, "\t\t"),
               "w->invalid = true;")
    elif isinstance(kind, Bytes):
        encode(out, spec, kind, "in", "\t")
    else:
        encode(out, spec, kind, "(*in)", "\t")
    out("}\n")


def encode_source(spec):
    lines = []
    out = lines.append
    banner(out, spec, "Encoding.")
    out("#include \"proto/%s_xdr.h\"\n" % spec.name)
    for name, kind in named(spec):
        encode_function(out, spec, name, kind)
    return lines


def owner(spec, name, kind):
    """The prefix of a type's functions; a second name for a type has functions of its own."""
    return spec.name if name in spec.declared else kind.prefix


def thunks(out, spec, name, kind):
    """The functions of a type behind void pointers."""
    prefix = owner(spec, name, kind)
    pointer = "out" if isinstance(kind, Bytes) else "(%s *)out" % c_type(spec, kind)
    const = "in" if isinstance(kind, Bytes) else "(const %s *)in" % c_type(spec, kind)
    out("static void decode_%s(struct cursor *c, void *out)\n{" % name)
    out("\t%s_decode_%s(c, %s);\n}\n" % (prefix, name, pointer))
    out("static void encode_%s(struct xdr_writer *w, const void *in)\n{" % name)
    out("\t%s_encode_%s(w, %s);\n}\n" % (prefix, name, const))
    function(out, "static void print_%s" % name,
             ["struct xdr_printer *p", "const char *field", "const void *in"])
    out("\t%s_print_%s(p, field, %s);\n}\n" % (prefix, name, const))


def type_row(out, spec, name, kind):
    size = str(kind.length) if isinstance(kind, Bytes) else "sizeof(%s)" % c_type(spec, kind)
    wrapped(out, "\t{",
            ['"%s"' % name, size, "decode_" + name, "%s_skip_%s" % (owner(spec, name, kind), name),
             "encode_" + name, "print_" + name], "},")


def type_pointer(spec, rows, name):
    if name == "void":
        return "NULL"
    kind = spec.resolve(name)
    if name not in rows and isinstance(kind, (Struct, Union)):
        name = kind.name
    if name in rows:
        return "&types[%d]" % rows[name]
    return {"bool": "&xdr_type_bool", "u32": "&xdr_type_u32"}[kind.kind]


def table_source(spec):
    lines = []
    out = lines.append
    banner(out, spec, "Tables over all types and procedures.")
    out("#include \"proto/%s_xdr.h\"\n" % spec.name)
    rows = {}
    for name, kind in listed(spec):
        rows[name] = len(rows)
        thunks(out, spec, name, kind)
    out("static const struct xdr_type types[] = {")
    for name, kind in listed(spec):
        type_row(out, spec, name, kind)
    out("};\n\nstatic const struct xdr_procedure procedures[] = {")
    count = 0
    for program, versions, _, _ in spec.programs:
        for version, procedures, _ in versions:
            for result, procedure, argument, _ in procedures:
                count += 1
                wrapped(out, "\t{", [program, version, procedure,
                                     type_pointer(spec, rows, argument),
                                     type_pointer(spec, rows, result)], "},")
    out("};\n")
    wrapped(out, "const struct xdr_spec %s_xdr_spec = {" % spec.name,
            ['"%s"' % spec.name, "types", str(len(rows)), "procedures", str(count)], "};")
    return lines
