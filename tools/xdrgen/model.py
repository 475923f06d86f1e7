# SPDX-License-Identifier: GPL-2.0-or-later
"""Types, constants and programs of a specification, resolved and checked."""

import fnmatch
import os
import re

from syntax import Parser, SpecError

ANY = "XDR_ANY"


class Type:
    """size: bytes on the wire, None when it varies. name: that of the specification or None.
    prefix: what the C names of a named type begin with: the specification that declares it."""

    name = None
    size = None
    prefix = None


class Number(Type):
    def __init__(self, kind, size, ctype):
        self.kind, self.size, self.ctype = kind, size, ctype


class Enum(Type):
    kind, size, ctype = "u32", 4, "uint32_t"

    def __init__(self, name, members):
        self.name, self.members, self.strip, self.since = name, members, "", None


class Bytes(Type):
    """opaque x[n]: an array of bytes."""

    def __init__(self, length, text):
        self.length, self.text, self.size = length, text, (length + 3) // 4 * 4


class Opaque(Type):
    """opaque x<n> or string x<n>."""

    def __init__(self, limit, is_text):
        self.limit, self.is_text = limit, is_text


class Bitmap(Type):
    pass


class Vector(Type):
    """T x<n>."""

    def __init__(self, element, element_name, limit):
        self.element, self.element_name, self.limit = element, element_name, limit


class Fixed(Type):
    """T x[n]."""

    def __init__(self, element, length, text):
        self.element, self.length, self.text = element, length, text
        self.size = element.size * length if element.size is not None else None


class Option(Type):
    """T *x, once or not at all."""

    def __init__(self, element):
        self.element = element


class List(Type):
    """T *x, where T ends in a pointer to the next T."""

    def __init__(self, element):
        self.element = element


class Field:
    """flags: table of names of its bits; bits: name function of a bitmap's bits."""

    def __init__(self, name, kind):
        self.name, self.type, self.flags, self.bits = name, kind, None, None


class Struct(Type):
    def __init__(self, name):
        self.name, self.fields, self.is_list, self.head = name, [], False, False


class Union(Type):
    """arms: [(case texts, Field or None)]; default: False for none, None for void, or a Field."""

    def __init__(self, name):
        self.name, self.tag, self.arms, self.default, self.status = name, None, [], False, None

    def members(self):
        found = [field for _, field in self.arms if field]
        return found + ([self.default] if self.default else [])


BASE = {
    "int": Number("i32", 4, "int32_t"),
    "int32_t": Number("i32", 4, "int32_t"),
    "unsigned int": Number("u32", 4, "uint32_t"),
    "uint32_t": Number("u32", 4, "uint32_t"),
    "hyper": Number("i64", 8, "int64_t"),
    "int64_t": Number("i64", 8, "int64_t"),
    "unsigned hyper": Number("u64", 8, "uint64_t"),
    "uint64_t": Number("u64", 8, "uint64_t"),
    "bool": Number("bool", 4, "bool"),
}


def embedded(kind):
    """Types whose C value lies inside of that of kind."""
    if isinstance(kind, Struct):
        return [field.type for field in kind.fields]
    if isinstance(kind, Union):
        return [kind.tag.type] + [field.type for field in kind.members()]
    if isinstance(kind, (Fixed, Option)):
        return [kind.element]
    return []


def referred(kind):
    """Types that kind needs: embedded ones and elements."""
    return embedded(kind) + ([kind.element] if isinstance(kind, (Vector, List)) else [])


class Spec:
    """constants: {name: value}; types: Struct and Union in an order in which each comes after what
    it needs; typedefs: [(name, Type)] of those that get functions of their own."""

    def __init__(self, path, name):
        self.name = name
        self.path = path
        self.parser = Parser(path)
        self.imports = []
        self.current = None
        self.declared = {}
        self.resolved = {}
        self.constants, self.defines = {"TRUE": 1, "FALSE": 0}, []
        self.enums, self.order, self.programs, self.pragmas = [], [], [], []
        self.bitmaps, self.flags, self.statuses = set(), [], {}
        self.attributes, self.attribute_rows = None, []
        declarations = self.parser.declarations()
        for declaration in declarations:
            if declaration[0] == "pragma" and declaration[1][0] == "import":
                self.load(declaration[1][1].strip('"'))
        for declaration in declarations:
            self.declare(declaration)
        self.types, self.typedefs = [], []
        for words, where in self.pragmas:
            if words[0] == "bitmap":
                self.bitmaps.update(words[1:])
        for kind in self.order:
            self.resolve(kind)
        for words, where in self.pragmas:
            self.pragma(words, where)
        self.sort()

    def load(self, file):
        """Another specification, whose types and constants are used here under their C names."""
        path = os.path.join(os.path.dirname(self.path), file)
        other = Spec(path, os.path.splitext(os.path.basename(file))[0])
        self.imports.append(other)
        self.constants.update(other.constants)
        self.parser.files += other.parser.files

    def fail(self, text):
        """An error in the declaration that is being resolved."""
        raise SpecError("%s: %s" % (self.parser.places.get(self.current, self.name), text))

    def number(self, text):
        if text in self.constants:
            return self.constants[text]
        try:
            return int(text, 0)
        except ValueError:
            self.fail("no such constant: %s" % text)

    def declare(self, made):
        what = made[0]
        if what == "pragma":
            self.pragmas.append(made[1:])
            return
        if what == "const":
            self.constants[made[1]] = self.number(made[2])
            self.defines.append((made[1], self.constants[made[1]]))
            return
        if what == "program":
            versions = [(name, [(r, p, a, self.number(n)) for r, p, a, n in procedures],
                         self.number(number)) for name, procedures, number in made[2]]
            self.programs.append([made[1], versions, self.number(made[3]), made[1]])
            return
        name = made[1][2] if what == "typedef" else made[1]
        self.current = name
        if name in self.declared or name in BASE:
            self.fail("%s is declared twice" % name)
        self.declared[name] = made
        self.order.append(name)
        if what == "enum":
            members = []
            for member, text in made[2]:
                self.constants[member] = self.number(text)
                members.append((member, self.constants[member]))
            enum = Enum(name, members)
            enum.prefix = self.name
            self.enums.append(enum)
            self.resolved[name] = enum

    def resolve(self, name):
        if name in BASE:
            return BASE[name]
        if name in self.resolved:
            return self.resolved[name]
        made = self.declared.get(name)
        if made is None:
            for other in self.imports:
                if name in other.declared:
                    return other.resolve(name)
            self.fail("no such type: %s" % name)
        outer, self.current = self.current, name
        if made[0] == "struct":
            kind = self.resolved[name] = Struct(name)
            kind.prefix = self.name
            fields = made[2]
            if self.points_to(fields[-1], name):
                kind.is_list, fields = True, fields[:-1]
            kind.fields = [self.field(field) for field in fields]
        elif made[0] == "union":
            kind = self.resolved[name] = Union(name)
            kind.prefix = self.name
            kind.tag = self.field(made[2])
            kind.arms = [(values, self.field(field)) for values, field in made[3]]
            if made[4]:
                kind.default = self.field(made[4])
        elif name in self.bitmaps:
            kind = self.resolved[name] = Bitmap()
        else:
            self.resolved[name] = None
            kind = self.resolved[name] = self.of_field(made[1])
        self.current = outer
        return kind

    def points_to(self, field, name):
        """True for a pointer to the structure of that name, also by way of a typedef."""
        _, kind, _, form, _ = field
        if form == "*":
            return kind == name
        made = self.declared.get(kind)
        return form == "" and bool(made) and made[0] == "typedef" and self.points_to(made[1], name)

    def is_list(self, kind):
        """True for a structure that ends in a pointer to the next one of its kind."""
        made = self.declared.get(kind.name)
        if made is None:
            return isinstance(kind, Struct) and kind.is_list
        return made[0] == "struct" and self.points_to(made[2][-1], kind.name)

    def field(self, field):
        if field[1] == "void":
            return None
        return Field(field[2], self.of_field(field))

    def of_field(self, field):
        _, kind, name, form, size = field
        if kind in ("opaque", "string"):
            if form == "[]":
                return Bytes(self.number(size), size)
            return Opaque(size if size is not None else ANY, kind == "string")
        element = self.resolve(kind)
        if element is None:
            self.fail("%s refers to itself" % kind)
        if form == "[]":
            return Fixed(element, self.number(size), size)
        if form == "<>":
            return Vector(element, kind, size if size is not None else ANY)
        if form == "*":
            return List(element) if self.is_list(element) else Option(element)
        return element

    def member(self, text, where):
        """The Field that TYPE.FIELD names."""
        owner, _, name = text.partition(".")
        kind = self.resolved.get(owner)
        if isinstance(kind, Struct):
            fields = kind.fields
        elif isinstance(kind, Union):
            fields = kind.members()
        else:
            fields = []
        for field in fields:
            if field.name == name:
                return field
        raise SpecError("%s: no such field: %s" % (where, text))

    def name_function(self, enum):
        """The C function that names an enum's values."""
        kind = self.resolve(enum)
        return "%s_%s_name" % (kind.prefix, kind.name)

    def pragma(self, words, where):
        handler = getattr(self, "pragma_" + words[0].replace("-", "_"), None)
        if handler is None:
            raise SpecError("%s: no such pragma: %s" % (where, words[0]))
        handler(where, *words[1:])

    def pragma_bitmap(self, where, *names):
        """%bitmap TYPE: a variable array of words that is held as a bitmap."""

    def pragma_import(self, where, file):
        """%import "FILE": see load."""

    def pragma_flags(self, where, name, *words):
        """%flags TABLE TYPE.FIELD… CONSTANT…: names of the bits of fields; constants may have *."""
        members = []
        for word in words:
            if "." in word:
                self.member(word, where).flags = name
                continue
            found = [row for row in self.defines if fnmatch.fnmatchcase(row[0], word)]
            if not found:
                raise SpecError("%s: no such constant: %s" % (where, word))
            members += [row for row in found if row[1]]
        self.flags.append((name, sorted(set(members), key=lambda row: row[1])))

    def pragma_bits(self, where, enum, *fields):
        """%bits ENUM TYPE.FIELD…: the bits of these bitmaps are numbers of the enum."""
        for field in fields:
            self.member(field, where).bits = self.name_function(enum)

    def pragma_operations(self, where, enum, prefix, *since):
        """%operations ENUM PREFIX OP:MINOR…: operations, and where a minor version begins."""
        kind = self.resolve(enum)
        kind.strip = prefix
        kind.since = [tuple(int(part) for part in word.split(":")) for word in since]

    def pragma_results(self, where, union, status):
        """%results UNION ENUM: all arms begin with that status."""
        kind = self.resolve(union)
        for member in kind.members():
            first = member.type
            while isinstance(first, (Struct, Union)):
                first = first.fields[0].type if isinstance(first, Struct) else first.tag.type
            if first is not self.resolve(status):
                raise SpecError("%s: %s does not begin with %s" % (where, member.name, status))
        kind.status = status

    def pragma_head(self, where, struct):
        """%head STRUCT: also make a decoder that stops in front of its last array's elements."""
        kind = self.resolve(struct)
        if not isinstance(kind.fields[-1].type, Vector):
            raise SpecError("%s: %s does not end in an array" % (where, struct))
        kind.head = True

    def pragma_attributes(self, where, struct, mask, values, prefix):
        """%attributes STRUCT MASK VALUES PREFIX: a bitmap, the values of its bits in an opaque."""
        kind = self.resolve(struct)
        kind.attributes = (mask, values)
        self.attributes = (kind, mask, values, prefix)

    def pragma_attribute(self, where, number, name, kind):
        """%attribute NUMBER NAME TYPE."""
        self.attribute_rows.append((int(number), name, kind, self.resolve(kind)))
        self.attribute_rows.sort()

    def pragma_attribute_bits(self, where, *fields):
        """%attribute-bits TYPE.FIELD…: the bits of these bitmaps are attributes."""
        for field in fields:
            self.member(field, where).bits = "%s_attribute_name" % self.name

    def pragma_program(self, where, name, shown):
        """%program PROGRAM "NAME": the name that is shown."""
        for program in self.programs:
            if program[0] == name:
                program[3] = shown.strip('"')
                return
        raise SpecError("%s: no such program: %s" % (where, name))

    def pragma_status(self, where, version, enum):
        """%status VERSION ENUM: results of that version begin with that status."""
        kind = self.resolve(enum)
        self.statuses[version] = "%s_%s_names" % (kind.prefix, kind.name)

    def sort(self):
        """Orders the types; refuses those that contain themselves other than as a list."""
        done, open_types = set(), set()

        def visit(kind):
            if id(kind) in done:
                return
            if id(kind) in open_types:
                self.current = kind.name
                self.fail("%s contains itself" % kind.name)
            open_types.add(id(kind))
            for part in referred(kind):
                visit(part)
            if isinstance(kind, (Struct, Union)) and kind.prefix == self.name:
                self.types.append(kind)
            fix_size(kind)
            open_types.discard(id(kind))
            done.add(id(kind))

        for name in self.order:
            kind = self.resolved[name]
            visit(kind)
            if not isinstance(kind, (Struct, Union, Number, Enum)):
                self.typedefs.append((name, kind))
                if kind.name is None:
                    kind.name, kind.prefix = name, self.name
        for row in self.attribute_rows:
            visit(row[3])


def fix_size(kind):
    """A structure of fixed parts has a fixed size, and so has a union of equal arms."""
    if isinstance(kind, Struct):
        sizes = [field.type.size for field in kind.fields]
        kind.size = None if None in sizes else sum(sizes)
    elif isinstance(kind, Fixed):
        size = kind.element.size
        kind.size = None if size is None else size * kind.length


def procedure_name(name):
    """NFSPROC4_COMPOUND is shown as COMPOUND, CB_COMPOUND as it is."""
    return re.sub(r"^[A-Z0-9]*PROC[0-9]*_", "", name)


def c_type(spec, kind):
    """The C type of a value; arrays of bytes and fixed arrays have none of their own."""
    if isinstance(kind, (Number, Enum)):
        return kind.ctype
    if isinstance(kind, Opaque):
        return "struct xdr_opaque"
    if isinstance(kind, Bitmap):
        return "struct xdr_bitmap"
    if isinstance(kind, Vector):
        return "struct xdr_array"
    if isinstance(kind, List):
        return "struct xdr_list"
    if isinstance(kind, (Struct, Union)):
        return "struct %s_%s" % (kind.prefix, kind.name)
    raise SpecError("%s: no C type of its own: %s" % (spec.name, type(kind).__name__))


def c_declare(spec, kind, name):
    """The declarations of a variable or member, as a list of lines without indentation."""
    if isinstance(kind, Bytes):
        return ["uint8_t %s[%s];" % (name, kind.length)]
    if isinstance(kind, Fixed):
        inner = c_declare(spec, kind.element, "%s[%d]" % (name, kind.length))
        return inner
    if isinstance(kind, Option):
        return ["bool %s_present;" % name] + c_declare(spec, kind.element, name)
    return ["%s %s;" % (c_type(spec, kind), name)]


def c_parameter(spec, kind, name, const):
    """A pointer to a value of that type as a parameter."""
    prefix = "const " if const else ""
    if isinstance(kind, Bytes):
        return "%suint8_t %s[%s]" % (prefix, name, kind.length)
    return "%s%s *%s" % (prefix, c_type(spec, kind), name)


def c_limit(limit):
    """A limit as C: a constant of the specification, a number, or XDR_ANY."""
    return limit + "U" if limit.isdigit() else limit
