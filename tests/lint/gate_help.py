# SPDX-License-Identifier: GPL-2.0-or-later
"""`--help`, the manual page and the completion know the same commands, and of each the same options.

--help lists the commands, one a line, under "Commands:"; options are all words that start with two
dashes in it and in `COMMAND --help`. The page names a command by `.It Ic NAME` and an option by
`Fl -NAME`, those of each command below `.Nm` and `.Cm COMMAND` of its synopsis; the completion by
`commands='NAME ...'` and by --NAME, those of a command in a line `COMMAND) echo '--NAME ...'`. (That for
zsh asks the program.) mandoc finds no fault in the page.
"""
import re
import shutil
import subprocess

from tree import Skip

MAN = "man/nfsleuth.1"
COMPLETION = "completion/bash/nfsleuth"
HELP_OF_PROOF = "help.txt"
OPTION = re.compile(r"(?<![\w-])--([a-z][a-z0-9-]*)")


def commands_of_help(text):
    _, _, after = text.partition("Commands:\n")
    return set(re.findall(r"^ +([a-z]\S*)", after.partition("\n\n")[0], re.MULTILINE))


def read_help(tree):
    """Help texts by command; that of the program itself by ""."""
    if HELP_OF_PROOF in tree.paths:
        texts = re.split(r"^== (.*)\n", tree.text(HELP_OF_PROOF), flags=re.MULTILINE)
        return {"": texts[0], **dict(zip(texts[1::2], texts[2::2]))}
    program = tree.build / "src" / "cmd" / "nfsleuth" if tree.build else None
    if not program or not program.exists():
        raise Skip("the program is not built")

    def ask(*words):
        return subprocess.run([program, *words, "--help"], capture_output=True, text=True,
                              check=True).stdout

    text = ask()
    return {"": text} | {command: ask(command) for command in sorted(commands_of_help(text))}


def options_in_synopsis(page):
    """{command: options} of the manual page's synopsis."""
    found = {}
    synopsis = page.partition("\n.Sh SYNOPSIS\n")[2].partition("\n.Sh ")[0]
    for usage in synopsis.split(".Nm\n")[1:]:
        name = re.match(r"\.Cm ([a-z]+)", usage)
        if name:
            found.setdefault(name[1], set()).update(re.findall(r"\bFl -([a-z0-9-]+)", usage))
    return found


def options_in_completion(text):
    rows = re.findall(r"^\s*([a-z]+)\) echo '(--[^']*)'", text, re.MULTILINE)
    return {name: set(OPTION.findall(options)) for name, options in rows}


def compare_each(path, want, got):
    """Options by command: --help itself is in no synopsis, and each command has it."""
    for command in sorted(want):
        for name in sorted((want[command] ^ got.get(command, set())) - {"help"}):
            has = "does not give" if name in want[command] else "gives"
            yield f"{path}:1: {has} {command} the option {name}, otherwise than --help"


def compare(path, kind, want, got):
    for name in sorted(want - got):
        yield f"{path}:1: does not know the {kind} {name} of --help"
    for name in sorted(got - want):
        yield f"{path}:1: knows the {kind} {name}, which --help does not"


def check_mandoc(tree):
    if not shutil.which("mandoc"):
        raise Skip("mandoc is not installed")
    told = subprocess.run(["mandoc", "-T", "lint", "-W", "style", MAN], cwd=tree.root,
                          capture_output=True, text=True).stdout
    for line in told.splitlines():
        found = re.match(r"mandoc: (\S+?:\d+):\d+: (.*)", line)
        if found and "referenced manual not found" not in found[2]:
            yield f"{found[1]}: {found[2]}"


def check(tree):
    yield from check_mandoc(tree)
    texts = read_help(tree)
    text = "".join(texts.values())
    commands, options = commands_of_help(text), set(OPTION.findall(text))
    each = {c: set(OPTION.findall(re.sub(r"(?s)^.*?\nOptions:\n", "", t))) for c, t in texts.items() if c}
    page = tree.text(MAN)
    yield from compare(MAN, "command", commands,
                       set(re.findall(r"^\.It Ic ([a-z]\S*)", page, re.MULTILINE)))
    yield from compare(MAN, "option", options, set(re.findall(r"\bFl -([a-z0-9-]+)", page)))
    completion = tree.text(COMPLETION)
    known = re.search(r"commands='([^']*)'", completion)
    yield from compare(COMPLETION, "command", commands, set(known[1].split() if known else []))
    yield from compare(COMPLETION, "option", options, set(OPTION.findall(completion)))
    yield from compare_each(MAN, each, options_in_synopsis(page))
    yield from compare_each(COMPLETION, each, options_in_completion(completion))
