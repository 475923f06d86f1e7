# SPDX-License-Identifier: GPL-2.0-or-later
"""What tools/xdrgen refuses: each specification ends it with the line that is wrong. Prints TAP."""

import os
import subprocess
import sys
import tempfile

CASES = [
    ("an unknown type", "struct a {\n\tnowhere b;\n};\n", "trial.x:1: no such type: nowhere"),
    ("an unknown constant", "\n\ntypedef opaque a[N];\n", "trial.x:3: no such constant: N"),
    ("a name declared twice", "typedef int a;\ntypedef int a;\n", "a is declared twice"),
    ("a structure in itself", "struct a {\n\ta b;\n\tint c;\n};\n", "a contains itself"),
    ("itself by way of an array", "struct a {\n\tint c;\n\ta b<>;\n};\n", "a contains itself"),
    ("a missing semicolon", "struct a {\n\tint b\n};\n", "trial.x:3: wanted ;"),
    ("an unknown pragma", "const A = 1;\n%nonsense A\n", "trial.x:2: no such pragma: nonsense"),
    ("flags of no field", "const A = 1;\n%flags f b.c A\n", "trial.x:2: no such field: b.c"),
    ("a stray character", "const A = 1;\n$\n", "trial.x:2: cannot read"),
    ("a result without status",
     "enum s { OK = 0 };\nstruct a { int b; };\nunion u switch (s t) {\ncase OK:\n\ta c;\n};\n"
     "%results u s\n", "trial.x:7: c does not begin with s"),
]


def refused(generator, text):
    """The message of the generator, or None when it took the specification."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "trial.x")
        with open(path, "w", encoding="utf-8") as target:
            target.write(text)
        done = subprocess.run([sys.executable, generator, "xdr", path, directory], check=False,
                              capture_output=True, text=True)
    return done.stderr if done.returncode == 1 else None


def main():
    generator = sys.argv[1]
    print("1..%d" % (len(CASES) + 1))
    failed = False
    cases = CASES + [("nothing that is right", "struct a {\n\tint b;\n\ta *next;\n};\n", None)]
    for number, (what, text, wanted) in enumerate(cases, 1):
        got = refused(generator, text)
        good = got is None if wanted is None else got is not None and wanted in got
        failed |= not good
        if not good:
            print("# wanted %r, got %r" % (wanted, got))
        print("%sok %d - refuses %s" % ("" if good else "not ", number, what))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
