#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Changes a capture: mutate.py IN OUT --op NAME[:KEY=VALUE...] [--op ...]; --list shows them."""
import argparse
import inspect
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from sim import mix, mutations, pcapfile  # noqa: E402, F401 (mix registers its own)


def parse_op(text):
    """"snap:size=96" as (function, arguments)."""
    name, *pairs = text.split(":")
    if name not in mutations.REGISTRY:
        raise SystemExit(f"mutate.py: no operation '{name}' (see --list)")
    func = mutations.REGISTRY[name]
    known, args = inspect.signature(func).parameters, {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        if key not in known:
            raise SystemExit(f"mutate.py: '{name}' has no '{key}'")
        wants_text = known[key].default is inspect.Parameter.empty
        wants_text = wants_text or isinstance(known[key].default, str)
        args[key] = value if wants_text else type(known[key].default)(value)
    return func, args


def mutate(cap, ops):
    """Applies operations given as texts, in order."""
    for text in ops:
        func, args = parse_op(text)
        cap = func(cap, **args)
    return cap


def print_list():
    for name, func in sorted(mutations.REGISTRY.items()):
        shown = [p for p in inspect.signature(func).parameters.values() if p.name != "cap"]
        args = "".join(
            f":{p.name}" + ("" if p.default is inspect.Parameter.empty else f"={p.default}")
            for p in shown
        )
        print(f"{name}{args}\n\t{inspect.getdoc(func)}")


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("input", nargs="?")
    ap.add_argument("output", nargs="?")
    ap.add_argument("--op", action="append", default=[], help="an operation; several in order")
    ap.add_argument("--list", action="store_true", help="the operations and their arguments")
    args = ap.parse_args()
    if args.list:
        return print_list()
    if args.output is None:
        ap.error("IN and OUT are needed")
    pcapfile.write(args.output, mutate(pcapfile.read(args.input), args.op))


if __name__ == "__main__":
    main()
