# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes the functions that print: they walk a value and call the printer's operations."""

from emit_decode import TAKE, named, switch
from model import (Bitmap, Bytes, Enum, Fixed, List, Number, Opaque, Option, Struct, Union, Vector,
                   c_declare, c_parameter)
from output import banner, function, wrapped

CALL = {"u32": "put_unsigned", "u64": "put_unsigned", "i32": "put_signed", "i64": "put_signed",
        "bool": "put_bool"}


def print_number(out, spec, kind, field, value, pad):
    arguments = ["p", field, value]
    if CALL[kind.kind] == "put_unsigned":
        arguments.append("%s_%s_name(%s)" % (kind.prefix, kind.name, value)
                         if isinstance(kind, Enum) else "NULL")
    wrapped(out, "%sp->ops->%s(" % (pad, CALL[kind.kind]), arguments, ");")


def print_elements(out, spec, kind, field, value, pad):
    """An array or a list, decoded element by element."""
    element = kind.element
    out(pad + "{")
    inner = pad + "\t"
    out("%sstruct cursor at = %s.at;\n" % (inner, value))
    out("%sp->ops->begin_array(p, %s, %s.count);" % (inner, field, value))
    if isinstance(kind, List):
        out("%swhile (cursor_bool(&at)) {" % inner)
    else:
        out("%sfor (uint32_t i = 0; i < %s.count; i++) {" % (inner, value))
    body = inner + "\t"
    for line in c_declare(spec, element, "element"):
        out(body + line)
    out("")
    if isinstance(element, (Number, Enum)):
        out("%selement = %s(&at);" % (body, TAKE[element.kind]))
    else:
        name = "element" if isinstance(element, Bytes) else "&element"
        out("%s%s_decode_%s(&at, %s);" % (body, element.prefix, element.name, name))
    out("%sif (!cursor_ok(&at))\n%s\tbreak;" % (body, body))
    print_value(out, spec, element, "NULL", "element", body)
    out("%s}" % inner)
    out("%sif (!cursor_ok(&at))\n%s\tp->ops->put_fault(p, at.fault);" % (inner, inner))
    out("%sp->ops->end_array(p);" % inner)
    out(pad + "}")


def print_value(out, spec, kind, field, value, pad, owner=None):
    """Statements that print the lvalue `value`; `field` is a C expression of its name."""
    if isinstance(kind, (Number, Enum)):
        if owner and owner.flags:
            wrapped(out, "%sp->ops->put_flags(" % pad,
                    ["p", field, value, "&%s_%s_flags" % (spec.name, owner.flags)], ");")
        else:
            print_number(out, spec, kind, field, value, pad)
    elif isinstance(kind, Bytes):
        out("%sxdr_print_fixed(p, %s, %s, %d);" % (pad, field, value, kind.length))
    elif isinstance(kind, Opaque):
        how = "XDR_BYTES_TEXT" if kind.is_text else "XDR_BYTES_HEX"
        wrapped(out, "%sp->ops->put_bytes(" % pad, ["p", field, value, how], ");")
    elif isinstance(kind, Bitmap):
        names = owner.bits if owner and owner.bits else "NULL"
        wrapped(out, "%sxdr_print_bitmap(" % pad, ["p", field, "&" + value, names], ");")
    elif isinstance(kind, (Vector, List)):
        print_elements(out, spec, kind, field, value, pad)
    elif isinstance(kind, Fixed):
        out("%sp->ops->begin_array(p, %s, %d);" % (pad, field, kind.length))
        out("%sfor (uint32_t i = 0; i < %d; i++)" % (pad, kind.length))
        print_value(out, spec, kind.element, "NULL", value + "[i]", pad + "\t")
        out("%sp->ops->end_array(p);" % pad)
    elif isinstance(kind, Option):
        out("%sif (%s_present) {" % (pad, value))
        print_value(out, spec, kind.element, field, value, pad + "\t")
        out("%s}" % pad)
    else:
        out("%s%s_print_%s(p, %s, &%s);" % (pad, kind.prefix, kind.name, field, value))


def print_function(out, spec, name, kind):
    function(out, "void %s_print_%s" % (spec.name, name),
             ["struct xdr_printer *p", "const char *field", c_parameter(spec, kind, "in", True)])
    if not isinstance(kind, (Struct, Union)):
        value = "in" if isinstance(kind, Bytes) else "(*in)"
        print_value(out, spec, kind, "field", value, "\t")
        out("}\n")
        return
    out("\tp->ops->begin_struct(p, field, \"%s\");" % name)
    if spec.attributes and kind is spec.attributes[0]:
        out("\tprint_attributes(p, in);")
    elif isinstance(kind, Struct):
        for field in kind.fields:
            print_value(out, spec, field.type, '"%s"' % field.name, "in->" + field.name, "\t",
                        field)
    else:
        tag = "in->" + kind.tag.name
        print_value(out, spec, kind.tag.type, '"%s"' % kind.tag.name, tag, "\t", kind.tag)
        if kind.members():
            switch(out, kind, tag,
                   lambda field: print_value(out, spec, field.type, '"%s"' % field.name,
                                             "in->" + field.name, "\t\t", field), ";")
    out("\tp->ops->end_struct(p);\n}\n")


def attribute_function(out, spec, name, kind):
    """Prints one attribute from the cursor at its value."""
    out("static void attribute_%s(struct xdr_printer *p, struct cursor *c)\n{" % name)
    field = '"%s"' % name
    for line in c_declare(spec, kind, "value"):
        out("\t" + line)
    out("")
    if isinstance(kind, (Number, Enum)):
        out("\tvalue = %s(c);" % TAKE[kind.kind])
    else:
        target = "value" if isinstance(kind, Bytes) else "&value"
        out("\t%s_decode_%s(c, %s);" % (kind.prefix, kind.name, target))
    out("\tif (!cursor_ok(c)) {\n\t\tp->ops->put_fault(p, c->fault);\n\t\treturn;\n\t}")
    if isinstance(kind, Bitmap):
        wrapped(out, "\txdr_print_bitmap(",
                ["p", field, "&value", "%s_attribute_name" % spec.name], ");")
    else:
        print_value(out, spec, kind, field, "value", "\t")
    out("}\n")


def attributes_forward(out, spec):
    struct = "const struct %s_%s *in" % (spec.name, spec.attributes[0].name)
    function(out, "static void print_attributes", ["struct xdr_printer *p", struct])
    out("\tstruct xdr_attribute_walk walk;\n")
    out("\t%s_attr_walk(&walk, in);" % spec.name)
    out("\twhile (xdr_attribute_walk_next(&walk))")
    out("\t\t%s_print_attribute(p, walk.number, walk.at);" % spec.name)
    out("\tif (walk.fault != CURSOR_OK && walk.fault != CURSOR_CUT)")
    out("\t\tp->ops->put_fault(p, walk.fault);\n}\n")


def attributes_source(out, spec):
    for _, name, _, kind in spec.attribute_rows:
        attribute_function(out, spec, name, kind)
    function(out, "void %s_print_attribute" % spec.name,
             ["struct xdr_printer *p", "uint32_t number", "struct cursor at"])
    out("\tswitch (number) {")
    for number, name, _, _ in spec.attribute_rows:
        out("\tcase %d:\n\t\tattribute_%s(p, &at);\n\t\tbreak;" % (number, name))
    out("\tdefault:\n\t\tbreak;\n\t}\n}\n")


def print_source(spec):
    lines = []
    out = lines.append
    banner(out, spec, "Printing.")
    out("#include \"proto/%s_xdr.h\"\n" % spec.name)
    if spec.attributes:
        attributes_forward(out, spec)
    for name, kind in named(spec):
        print_function(out, spec, name, kind)
    if spec.attributes:
        attributes_source(out, spec)
    return lines
