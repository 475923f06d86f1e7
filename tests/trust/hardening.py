#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The program is built so that an error in memory is hard to use. Prints TAP.

Usage: hardening.py PROGRAM BUILD. What the linker did is read from the program (readelf); what leaves no
trace there, from the commands of the build.
"""
import json
import pathlib
import platform
import re
import shutil
import subprocess
import sys


def readelf(option, program):
    return subprocess.run(["readelf", "-W", option, program], capture_output=True, text=True,
                          check=True).stdout


def stacks(text):
    """The flags of the stack's segment."""
    return [" ".join(flags.split()) for flags in re.findall(r"GNU_STACK(?:\s+0x\w+){5}\s+([RWE ]+)", text)]


def checks(program, build):
    segments, dynamic, symbols = (readelf(o, program) for o in ("-l", "-d", "--dyn-syms"))
    commands = [entry["command"] for entry in json.loads((build / "compile_commands.json").read_text())
                if "/src/" in entry["file"] or entry["file"].startswith("../../src/")]
    sanitized = "__asan_init" in symbols
    yield "it is position-independent", "DYN" in readelf("-h", program) and "INTERP" in segments
    yield "relocations are read-only", "GNU_RELRO" in segments
    yield "symbols are bound at the start", re.search(r"\bNOW\b", dynamic)
    yield "the stack cannot be run", stacks(segments) == ["RW"]
    yield "no segment is writable and can be run", not re.search(r"LOAD.*RWE", segments)
    yield "no library is searched for beside it", "RPATH" not in dynamic and "RUNPATH" not in dynamic
    yield "stacks are protected", "__stack_chk_fail" in symbols
    yield "commands are known", len(commands) > 100
    for flag in ["-fstack-protector-strong", "-fstack-clash-protection"]:
        yield f"each file has {flag}", all(flag in command for command in commands)
    if not sanitized:
        yield "functions of the C library are checked", len(re.findall(r"__\w+_chk\b", symbols)) > 5
        yield "each file is fortified", all("-D_FORTIFY_SOURCE=3" in c for c in commands)
    if platform.machine() == "x86_64":
        yield "indirect jumps are held", all("-fcf-protection" in c for c in commands)
    if platform.machine() == "aarch64":
        yield "returns are signed", all("-mbranch-protection=standard" in c for c in commands)


def main():
    program, build = (pathlib.Path(arg).resolve() for arg in sys.argv[1:3])
    if not shutil.which("readelf"):
        print("1..0 # SKIP readelf (binutils) is not installed")
        return
    results = list(checks(program, build))
    print(f"1..{len(results)}")
    for number, (name, good) in enumerate(results, 1):
        print(f"{'' if good else 'not '}ok {number} - {name}")
    sys.exit(not all(good for _, good in results))


if __name__ == "__main__":
    main()
