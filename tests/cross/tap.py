# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the functions test_* of a script in the order of their names, and prints TAP."""
import sys


def run(names, *args):
    """`names`: globals() of the script. Each test gets the args; one that raises has failed."""
    tests = [(name, f) for name, f in sorted(names.items()) if name.startswith("test_")]
    print(f"1..{len(tests)}")
    failed = 0
    for number, (name, test) in enumerate(tests, 1):
        try:
            test(*args)
            print(f"ok {number} - {name}", flush=True)
        except Exception as e:  # an assertion, or whatever a broken program leads to
            failed += 1
            print(f"not ok {number} - {name}\n# {type(e).__name__}: {str(e)[:500]}", flush=True)
    sys.exit(failed != 0)
