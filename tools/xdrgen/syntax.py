# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads the XDR language (RFC 4506 section 6, RFC 5531 section 12) into a list of declarations.

Lines that begin with % are pragmas of ours; `%include "file.x"` is done here, all others are handed
on as ("pragma", words). Every declaration is a tuple whose first element says what it is:

    ("const", name, value)
    ("enum", name, [(name, value)])
    ("struct", name, [field])
    ("union", name, discriminant field, [([case value], field)], default field | None)
    ("typedef", field)
    ("program", name, [(version name, [(result, procedure, argument, number)], number)], number)

A field is ("field", type name, name, form, size), form one of "", "[]", "<>", "*"; type name void
has no name.
"""

import os
import re

TOKEN = re.compile(
    r"(?P<space>\s+|/\*.*?\*/)"
    r"|(?P<pragma>^%[^\n]*)"
    r"|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<number>-?(?:0[xX][0-9a-fA-F]+|\d+))"
    r"|(?P<mark>[{}()\[\]<>;:,=*])",
    re.S | re.M)


class SpecError(Exception):
    """What is wrong with a specification, with file and line."""


def tokens(path, seen):
    """All tokens of a file and of those that it includes, as (kind, text, where)."""
    with open(path, encoding="utf-8") as source:
        text = source.read()
    seen.append(path)
    position = 0
    while position < len(text):
        found = TOKEN.match(text, position)
        where = "%s:%d" % (os.path.basename(path), text.count("\n", 0, position) + 1)
        if not found:
            raise SpecError("%s: cannot read %r" % (where, text[position:position + 20]))
        position = found.end()
        kind = found.lastgroup
        if kind == "space":
            continue
        if kind == "pragma":
            words = re.findall(r'"[^"]*"|\S+', found.group()[1:])
            if words[0] == "include":
                yield from tokens(os.path.join(os.path.dirname(path), words[1].strip('"')), seen)
            else:
                yield (kind, words, where)
            continue
        yield (kind, found.group(), where)
    if not seen:
        raise SpecError("%s: empty" % path)


class Parser:
    """Recursive descent over the tokens of one specification. files: all that were read; places:
    file and line of each declared name."""

    def __init__(self, path):
        self.files = []
        self.places = {}
        self.tokens = list(tokens(path, self.files))
        self.at = 0

    def fail(self, wanted):
        kind, text, where = self.tokens[min(self.at, len(self.tokens) - 1)]
        raise SpecError("%s: wanted %s, got %s %r" % (where, wanted, kind, text))

    def peek(self):
        return self.tokens[self.at][1] if self.at < len(self.tokens) else None

    def take(self, wanted=None):
        """The next token's text; must be `wanted` when given."""
        text = self.peek()
        if text is None or (wanted is not None and text != wanted):
            self.fail(wanted or "more")
        self.at += 1
        return text

    def accept(self, text):
        if self.peek() == text:
            self.at += 1
            return True
        return False

    def name(self):
        if self.tokens[self.at][0] != "word":
            self.fail("a name")
        return self.take()

    def value(self):
        if self.tokens[self.at][0] not in ("word", "number"):
            self.fail("a number or a constant")
        return self.take()

    def type_name(self):
        word = self.name()
        if word == "unsigned":
            if self.peek() in ("int", "hyper"):
                return "unsigned " + self.take()
            return "unsigned int"
        if word in ("struct", "union", "enum"):
            return self.name()
        return word

    def field(self):
        """A declaration without its semicolon."""
        kind = self.type_name()
        if kind == "void":
            return ("field", "void", None, "", None)
        form = "*" if self.accept("*") else ""
        name = self.name()
        size = None
        if self.accept("["):
            form, size = "[]", self.value()
            self.take("]")
        elif self.accept("<"):
            form = "<>"
            if self.peek() != ">":
                size = self.value()
            self.take(">")
        return ("field", kind, name, form, size)

    def enum(self):
        name = self.name()
        members = []
        self.take("{")
        while not self.accept("}"):
            member = self.name()
            self.take("=")
            members.append((member, self.value()))
            if not self.accept(","):
                self.take("}")
                break
        return ("enum", name, members)

    def struct(self):
        name = self.name()
        fields = []
        self.take("{")
        while not self.accept("}"):
            fields.append(self.field())
            self.take(";")
        return ("struct", name, fields)

    def union(self):
        name = self.name()
        self.take("switch")
        self.take("(")
        discriminant = self.field()
        self.take(")")
        self.take("{")
        cases, default = [], None
        while not self.accept("}"):
            if self.accept("default"):
                self.take(":")
                default = self.field()
            else:
                values = []
                while self.accept("case"):
                    values.append(self.value())
                    self.take(":")
                if not values:
                    self.fail("case, default or }")
                cases.append((values, self.field()))
            self.take(";")
        return ("union", name, discriminant, cases, default)

    def procedure(self):
        result = self.type_name()
        name = self.name()
        self.take("(")
        argument = self.type_name()
        self.take(")")
        self.take("=")
        number = self.value()
        self.take(";")
        return (result, name, argument, number)

    def program(self):
        name = self.name()
        versions = []
        self.take("{")
        while self.accept("version"):
            version = self.name()
            procedures = []
            self.take("{")
            while not self.accept("}"):
                procedures.append(self.procedure())
            self.take("=")
            versions.append((version, procedures, self.value()))
            self.take(";")
        self.take("}")
        self.take("=")
        return ("program", name, versions, self.value())

    def declaration(self):
        if self.tokens[self.at][0] == "pragma":
            where = self.tokens[self.at][2]
            return ("pragma", self.take(), where)
        where = self.tokens[self.at][2]
        word = self.name()
        if word == "const":
            name = self.name()
            self.take("=")
            made = ("const", name, self.value())
        elif word == "typedef":
            made = ("typedef", self.field())
        elif word in ("enum", "struct", "union", "program"):
            made = getattr(self, word)()
        else:
            self.at -= 1
            self.fail("a declaration")
        self.take(";")
        self.places[made[1][2] if word == "typedef" else made[1]] = where
        return made

    def declarations(self):
        made = []
        while self.at < len(self.tokens):
            made.append(self.declaration())
        return made
