# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes NAME_xdr.h, and the functions that decode and skip."""

from model import (Bitmap, Bytes, Enum, Fixed, List, Number, Opaque, Option, Struct, Union, Vector,
                   c_declare, c_limit, c_parameter)
from output import banner, function, wrapped

TAKE = {"u32": "cursor_u32", "i32": "cursor_i32", "u64": "cursor_u64", "i64": "cursor_i64",
        "bool": "cursor_bool"}


def named(spec):
    """All types with functions of their own: (name, type)."""
    return [(kind.name, kind) for kind in spec.types] + spec.typedefs


def listed(spec):
    """The types that stand in the specification's table: its own, and imported ones that its
    procedures use."""
    rows = named(spec)
    own = {name for name, _ in rows}
    for _, versions, _, _ in spec.programs:
        for _, procedures, _ in versions:
            for result, _, argument, _ in procedures:
                for name in (argument, result):
                    if name != "void" and name not in spec.declared and name not in own:
                        kind = spec.resolve(name)
                        if kind.prefix and not isinstance(kind, Enum):
                            own.add(name)
                            rows.append((name, kind))
    return rows


def define_struct(out, spec, kind):
    out("struct %s_%s {" % (spec.name, kind.name))
    if isinstance(kind, Struct):
        for field in kind.fields:
            for line in c_declare(spec, field.type, field.name):
                out("\t%s%s" % (line, comment(field.type)))
    else:
        for line in c_declare(spec, kind.tag.type, kind.tag.name):
            out("\t%s%s" % (line, comment(kind.tag.type)))
        members = kind.members()
        if members:
            out("\tunion {")
            if kind.status:
                out("\t\tuint32_t status; /* every arm begins with it: %s */" % kind.status)
            for field in members:
                for line in c_declare(spec, field.type, field.name):
                    out("\t\t%s%s" % (line, comment(field.type)))
            out("\t};")
    out("};\n")


def comment(kind):
    if isinstance(kind, Enum):
        return " /* %s */" % kind.name
    if isinstance(kind, (Vector, List)) and (kind.element.name):
        return " /* of %s */" % kind.element.name
    return ""


def header(spec):
    lines = []
    out = lines.append
    guard = "PROTO_%s_XDR_H" % spec.name.upper()
    banner(out, spec, "See proto/xdr.h for the rules.")
    out("#ifndef %s\n#define %s\n" % (guard, guard))
    for name in ("names/%s.h" % spec.name, "proto/xdr.h", "proto/xdr_printer.h",
                 "proto/xdr_type.h", "proto/xdr_writer.h"):
        out("#include \"%s\"" % name)
    for other in spec.imports:
        out("#include \"proto/%s_xdr.h\"" % other.name)
    out("")
    for kind in spec.types:
        define_struct(out, spec, kind)
    for name, kind in named(spec):
        declare(out, spec, name, kind)
    for kind in spec.types:
        if isinstance(kind, Struct) and kind.head:
            out("/* Stops in front of the first element of %s, which is not skipped. */" %
                kind.fields[-1].name)
            wrapped(out, "void %s_decode_%s_head(" % (spec.name, kind.name),
                    ["struct cursor *c", c_parameter(spec, kind, "out", False)], ");\n")
        if isinstance(kind, Union) and kind.status:
            out("/* What the result at the cursor is, and its status, without moving it. */")
            wrapped(out, "bool %s_peek_%s(" % (spec.name, kind.name),
                    ["const struct cursor *c", "uint32_t *number", "uint32_t *status"], ");\n")
    if spec.attributes:
        attributes_header(out, spec)
    out("extern const struct xdr_spec %s_xdr_spec;\n\n#endif" % spec.name)
    return lines


def declare(out, spec, name, kind):
    wrapped(out, "void %s_decode_%s(" % (spec.name, name),
            ["struct cursor *c", c_parameter(spec, kind, "out", False)], ");")
    out("void %s_skip_%s(struct cursor *c);" % (spec.name, name))
    wrapped(out, "void %s_encode_%s(" % (spec.name, name),
            ["struct xdr_writer *w", c_parameter(spec, kind, "in", True)], ");")
    wrapped(out, "void %s_print_%s(" % (spec.name, name),
            ["struct xdr_printer *p", "const char *field", c_parameter(spec, kind, "in", True)],
            ");\n")


def attributes_header(out, spec):
    struct = "const struct %s_%s *attributes" % (spec.name, spec.attributes[0].name)
    out("/* See xdr_attribute_walk in proto/xdr.h. The walk borrows *attributes. */")
    wrapped(out, "void %s_attr_walk(" % spec.name,
            ["struct xdr_attribute_walk *walk", struct], ");\n")
    out("/* Sets *at to the value of that attribute; false when it is not there or behind a fault. */")
    wrapped(out, "bool %s_attr_find(" % spec.name,
            [struct, "uint32_t number", "struct cursor *at"], ");\n")
    out("/* Prints the attribute's value at the cursor, which the walk handed out. */")
    wrapped(out, "void %s_print_attribute(" % spec.name,
            ["struct xdr_printer *p", "uint32_t number", "struct cursor at"], ");\n")


def decode(out, spec, kind, target, pad):
    """Statements that decode a value into the lvalue `target`."""
    if isinstance(kind, (Number, Enum)):
        out("%s%s = %s(c);" % (pad, target, TAKE[kind.kind]))
    elif isinstance(kind, Bytes):
        out("%sxdr_take_bytes(c, %s, %d);" % (pad, target, kind.length))
    elif isinstance(kind, Opaque):
        out("%s%s = cursor_opaque(c, %s);" % (pad, target, c_limit(kind.limit)))
    elif isinstance(kind, Bitmap):
        out("%sxdr_take_bitmap(c, &%s);" % (pad, target))
    elif isinstance(kind, Vector):
        if kind.element.size is not None:
            wrapped(out, "%s%s = xdr_take_array_fixed(" % (pad, target),
                    ["c", c_limit(kind.limit), str(kind.element.size)], ");")
        else:
            wrapped(out, "%s%s = xdr_take_array(" % (pad, target),
                    ["c", c_limit(kind.limit), skip_name(kind)], ");")
    elif isinstance(kind, List):
        out("%s%s = xdr_take_list(c, %s);" % (pad, target, skip_name(kind)))
    elif isinstance(kind, Fixed):
        out("%sfor (uint32_t i = 0; i < %d; i++)" % (pad, kind.length))
        decode(out, spec, kind.element, target + "[i]", pad + "\t")
    elif isinstance(kind, Option):
        out("%s%s_present = cursor_bool(c);" % (pad, target))
        out("%sif (%s_present) {" % (pad, target))
        decode(out, spec, kind.element, target, pad + "\t")
        out("%s}" % pad)
    else:
        out("%s%s_decode_%s(c, &%s);" % (pad, kind.prefix, kind.name, target))


def skip_name(kind):
    return "%s_skip_%s" % (kind.element.prefix, kind.element.name)


def switch(out, kind, tag, body, nothing):
    """A switch over a union's arms: body(Field) writes the statements of one."""
    if kind.tag.type.ctype == "bool":
        tag = "(uint32_t)" + tag
    out("\tswitch (%s) {" % tag)
    for values, field in kind.arms:
        for value in values:
            out("\tcase %s:" % {"TRUE": "1", "FALSE": "0"}.get(value, value))
        if field:
            body(field)
        out("\t\tbreak;")
    out("\tdefault:")
    if kind.default:
        body(kind.default)
    elif kind.default is False:
        out("\t\t%s" % nothing)
    out("\t\tbreak;\n\t}")


def decode_function(out, spec, name, kind):
    function(out, "void %s_decode_%s" % (spec.name, name),
             ["struct cursor *c", c_parameter(spec, kind, "out", False)])
    if isinstance(kind, Struct):
        for field in kind.fields:
            decode(out, spec, field.type, "out->" + field.name, "\t")
    elif isinstance(kind, Union):
        decode(out, spec, kind.tag.type, "out->" + kind.tag.name, "\t")
        switch(out, kind, "out->" + kind.tag.name,
               lambda field: decode(out, spec, field.type, "out->" + field.name, "\t\t"),
               "cursor_fail(c, CURSOR_VALUE);")
    elif isinstance(kind, Bytes):
        decode(out, spec, kind, "out", "\t")
    elif isinstance(kind, Bitmap):
        out("\txdr_take_bitmap(c, out);")
    else:
        decode(out, spec, kind, "*out", "\t")
    out("}\n")


def head_function(out, spec, kind):
    function(out, "void %s_decode_%s_head" % (spec.name, kind.name),
             ["struct cursor *c", c_parameter(spec, kind, "out", False)])
    for field in kind.fields[:-1]:
        decode(out, spec, field.type, "out->" + field.name, "\t")
    last = kind.fields[-1]
    out("\tout->%s.count = xdr_take_count(c, %s);" % (last.name, c_limit(last.type.limit)))
    out("\tout->%s.at = *c;\n}\n" % last.name)


def peek_function(out, spec, kind):
    function(out, "bool %s_peek_%s" % (spec.name, kind.name),
             ["const struct cursor *c", "uint32_t *number", "uint32_t *status"])
    out("\tstruct cursor at = *c;\n")
    out("\t*number = cursor_u32(&at);\n\t*status = cursor_u32(&at);\n\treturn cursor_ok(&at);\n}\n")


def skips(spec, kind):
    """What to skip for a value: numbers of bytes and statements."""
    if kind.size is not None:
        return [kind.size]
    if isinstance(kind, Opaque):
        return ["xdr_skip_opaque(c, %s);" % c_limit(kind.limit)]
    if isinstance(kind, Bitmap):
        return ["xdr_skip_bitmap(c);"]
    if isinstance(kind, Vector):
        limit = c_limit(kind.limit)
        if kind.element.size is not None:
            return ["xdr_skip_array_fixed(c, %s, %d);" % (limit, kind.element.size)]
        return ["xdr_skip_array(c, %s, %s);" % (limit, skip_name(kind))]
    if isinstance(kind, List):
        return ["xdr_skip_list(c, %s);" % skip_name(kind)]
    if isinstance(kind, Fixed):
        return skips(spec, kind.element) * kind.length
    if isinstance(kind, Option):
        inner = ["\t" + line for line in statements(skips(spec, kind.element))]
        return ["if (cursor_bool(c)) {"] + inner + ["}"]
    return ["%s_skip_%s(c);" % (kind.prefix, kind.name)]


def statements(parts):
    """The parts of skips() with neighbouring numbers added up."""
    lines, run = [], 0
    for part in parts + [None]:
        if isinstance(part, int):
            run += part
            continue
        if run:
            lines.append("cursor_skip(c, %d);" % run)
            run = 0
        if part is not None:
            lines.append(part)
    return lines


def skip_function(out, spec, name, kind):
    out("void %s_skip_%s(struct cursor *c)\n{" % (spec.name, name))
    if isinstance(kind, Union):
        out("\tuint32_t tag = %s(c);\n" % TAKE[kind.tag.type.kind])

        def arm(field):
            for line in statements(skips(spec, field.type)):
                out("\t\t" + line)

        switch_tag = Union(kind.name)
        switch_tag.tag, switch_tag.arms, switch_tag.default = (
            type(kind.tag)("tag", Number("u32", 4, "uint32_t")), kind.arms, kind.default)
        switch(out, switch_tag, "tag", arm, "cursor_fail(c, CURSOR_VALUE);")
    else:
        if isinstance(kind, Struct) and kind.size is None:
            parts = [part for field in kind.fields for part in skips(spec, field.type)]
        else:
            parts = skips(spec, kind)
        for line in statements(parts):
            out("\t" + line)
    out("}\n")


def decode_source(spec):
    lines = []
    out = lines.append
    banner(out, spec, "Decoding.")
    out("#include \"proto/%s_xdr.h\"\n" % spec.name)
    for name, kind in named(spec):
        decode_function(out, spec, name, kind)
    for kind in spec.types:
        if isinstance(kind, Struct) and kind.head:
            head_function(out, spec, kind)
        if isinstance(kind, Union) and kind.status:
            peek_function(out, spec, kind)
    return lines


def attribute_source(out, spec):
    struct, mask, values, _ = spec.attributes
    out("static void skip_bad(struct cursor *c)\n{\n\tcursor_fail(c, CURSOR_VALUE);\n}\n")
    out("static const struct xdr_attribute attribute_rows[] = {")
    for number, _, _, kind in spec.attribute_rows:
        if kind.size is not None:
            out("\t{%d, %d, skip_bad}," % (number, kind.size))
        else:
            out("\t{%d, 0, %s_skip_%s}," % (number, kind.prefix, kind.name))
    out("};\n")
    out("static const struct xdr_attribute_table attribute_table = {attribute_rows, %d};\n" %
        len(spec.attribute_rows))
    parameter = "const struct %s_%s *attributes" % (spec.name, struct.name)
    function(out, "void %s_attr_walk" % spec.name,
             ["struct xdr_attribute_walk *walk", parameter])
    wrapped(out, "\txdr_attribute_walk_init(",
            ["walk", "&attribute_table", "&attributes->" + mask, "attributes->" + values], ");")
    out("}\n")
    function(out, "bool %s_attr_find" % spec.name,
             [parameter, "uint32_t number", "struct cursor *at"])
    wrapped(out, "\treturn xdr_attribute_find(",
            ["&attribute_table", "&attributes->" + mask, "attributes->" + values, "number", "at"],
            ");")
    out("}\n")


def skip_source(spec):
    lines = []
    out = lines.append
    banner(out, spec, "Skipping, and the walk over attributes.")
    out("#include \"proto/%s_xdr.h\"\n" % spec.name)
    for name, kind in named(spec):
        skip_function(out, spec, name, kind)
    if spec.attributes:
        attribute_source(out, spec)
    return lines
