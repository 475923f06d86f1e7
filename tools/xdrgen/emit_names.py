# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes names/NAME.h and NAME.c: constants, enums, and the tables of their names."""

from model import procedure_name
from output import banner, wrapped


def constant(value):
    if value < 0:
        return "(%d)" % value
    if value > 0xffffffff:
        return "UINT64_C(0x%x)" % value
    return "%dU" % value if value < 4096 else "0x%xU" % value


def enum_members(out, members):
    for name, value in members:
        out("\t%s = %d," % (name, value))
    out("};")


def header(spec):
    lines = []
    out = lines.append
    guard = "NAMES_%s_H" % spec.name.upper()
    banner(out, spec, "Constants of the protocol, and their names.")
    out("#ifndef %s\n#define %s\n\n#include \"names/names.h\"\n" % (guard, guard))
    for other in spec.imports:
        out("#include \"names/%s.h\"" % other.name)
    for name, value in spec.defines:
        out("#define %s %s" % (name, constant(value)))
    for name, versions, number, _ in spec.programs:
        out("\n#define %s %s" % (name, constant(number)))
        for version, procedures, value in versions:
            out("#define %s %s" % (version, constant(value)))
            for _, procedure, _, value in procedures:
                out("#define %s %s" % (procedure, constant(value)))
    for enum in spec.enums:
        out("\nenum %s_%s {" % (spec.name, enum.name))
        enum_members(out, enum.members)
    if spec.attributes:
        out("\nenum %s_attribute {" % spec.name)
        enum_members(out, [(spec.attributes[3] + name.upper(), number)
                           for number, name, _, _ in spec.attribute_rows])
    out("\n/* The name of a value, NULL when it is unknown. */")
    for enum in spec.enums:
        out("const char *%s_%s_name(uint32_t value);" % (spec.name, enum.name))
    if spec.attributes:
        out("const char *%s_attribute_name(uint32_t value);" % spec.name)
    for enum in spec.enums:
        if enum.since:
            out("\n/* The operation of that number, or NULL. */")
            out("const struct names_operation *%s_%s_find(uint32_t number);" %
                (spec.name, enum.name))
    if status_enums(spec):
        out("\n/* Names of statuses. */")
        for enum in status_enums(spec):
            out("extern const struct names_table %s_%s_names;" % (spec.name, enum.name))
    if spec.flags:
        out("\n/* Names of single bits. */")
        for name, _ in spec.flags:
            out("extern const struct names_table %s_%s_flags;" % (spec.name, name))
    out("\nextern const struct names_spec %s_spec;\n" % spec.name)
    out("#endif")
    return lines


def status_enums(spec):
    """The enums of this specification with which results begin; others may name them, too."""
    return [enum for enum in spec.enums
            if "%s_%s_names" % (spec.name, enum.name) in spec.statuses.values()]


def table(out, name, rows):
    """A sorted array of entries; the first name of a value wins."""
    first = {}
    for text, value in rows:
        first.setdefault(value, text)
    out("static const struct names_entry %s_entries[] = {" % name)
    for value in sorted(first):
        out("\t{%d, \"%s\"}," % (value, first[value]) if value <= 0x7fffffff
            else "\t{0x%xU, \"%s\"}," % (value, first[value]))
    out("};\n")
    return len(first)


def name_function(out, spec, name, rows, is_shared=False):
    count = table(out, name, rows)
    names = "%s_%s_names" % (spec.name, name) if is_shared else "names"
    if is_shared:
        out("const struct names_table %s = {%s_entries, %d};\n" % (names, name, count))
    out("const char *%s_%s_name(uint32_t value)\n{" % (spec.name, name))
    if not is_shared:
        out("\tstatic const struct names_table names = {%s_entries, %d};\n" % (name, count))
    out("\treturn names_lookup(&%s, value);\n}\n" % names)


def strip(text, prefix):
    return text[len(prefix):] if prefix and text.startswith(prefix) else text


def operations(out, spec, enum):
    out("const struct names_operation *%s_%s_find(uint32_t number)\n{" % (spec.name, enum.name))
    out("\tstatic const struct names_operation rows[] = {")
    for name, value in sorted(enum.members, key=lambda row: row[1]):
        since = [minor for first, minor in enum.since if first <= value][-1]
        out("\t\t{%d, \"%s\", %d}," % (value, strip(name, enum.strip), since))
    out("\t};\n")
    wrapped(out, "\treturn names_operation_lookup(", ["rows", str(len(enum.members)), "number"],
            ");")
    out("}\n")


def programs(out, spec):
    for name, versions, _, _ in spec.programs:
        for version, procedures, _ in versions:
            table(out, version.lower(), [(procedure_name(p), n) for _, p, _, n in procedures])
        out("static const struct names_version %s_versions[] = {" % name.lower())
        for version, procedures, value in versions:
            status = spec.statuses.get(version)
            out("\t{%d, {%s_entries, %d}, %s}," %
                (value, version.lower(), len(procedures), "&" + status if status else "NULL"))
        out("};\n")
    out("static const struct names_program programs[] = {")
    for name, versions, number, shown in spec.programs:
        out("\t{%s, \"%s\", %s_versions, %d}," %
            (constant(number), shown, name.lower(), len(versions)))
    out("};\n")
    out("const struct names_spec %s_spec = {programs, %d};" % (spec.name, len(spec.programs)))


def source(spec):
    lines = []
    out = lines.append
    banner(out, spec, "The tables of names.")
    out("#include \"names/%s.h\"\n\n#include <stddef.h>\n" % spec.name)
    for enum in spec.enums:
        name_function(out, spec, enum.name,
                      [(strip(name, enum.strip), value) for name, value in enum.members],
                      enum in status_enums(spec))
    if spec.attributes:
        name_function(out, spec, "attribute",
                      [(name, number) for number, name, _, _ in spec.attribute_rows])
    for enum in spec.enums:
        if enum.since:
            operations(out, spec, enum)
    for name, members in spec.flags:
        count = table(out, name, members)
        out("const struct names_table %s_%s_flags = {%s_entries, %d};\n" %
            (spec.name, name, name, count))
    programs(out, spec)
    return lines
