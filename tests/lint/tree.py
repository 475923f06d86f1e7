# SPDX-License-Identifier: GPL-2.0-or-later
"""The files that the gates look at.

A gate is a module gate_NAME.py with a function check(tree), which yields problems as lines
"path:line: what is wrong". It looks at a Tree only through this class, so that it can be pointed at
the small bad trees in proofs/ as well.
"""
import json
import os
import subprocess
from pathlib import Path


class Skip(Exception):
    """Raised by a gate that cannot judge; the text says why."""


# Not ours to judge: the bad samples, each of which breaks a rule on purpose.
PROOFS = "tests/lint/proofs/"


class Tree:
    def __init__(self, root, build=None, fix=False):
        self.root = Path(root)
        self.build = Path(build) if build else None
        self.fix = fix
        limits = self.root / "limits.json"  # only proofs have one
        self.limits = json.loads(limits.read_text()) if limits.exists() else {}
        self.paths = sorted(path for path in self._list()
                            if not path.startswith(PROOFS) and path != "limits.json"
                            and path != "expect" and (self.root / path).is_file())

    def _list(self):
        """Paths below root: what git knows or would add; everything where there is no git."""
        if (self.root / ".git").exists():
            command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others",
                       "--exclude-standard"]
            listed = subprocess.run(command, cwd=self.root, capture_output=True, check=True)
            return listed.stdout.decode().split("\0")[:-1]
        found = []
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if not name.startswith(("build", "__pycache__"))]
            found += [str(Path(folder, name).relative_to(self.root)) for name in names]
        return found

    def files(self, *suffixes, under=""):
        """Paths with one of these suffixes (all when none is given) in a folder."""
        return [path for path in self.paths
                if path.startswith(under) and (not suffixes or path.endswith(suffixes))]

    def scripts(self):
        """Shell scripts: by suffix, or by their first line."""
        return [path for path in self.paths if path.endswith(".sh") or
                self.bytes(path, 64).split(b"\n")[0] in (b"#!/bin/sh", b"#!/bin/bash")]

    def bytes(self, path, count=-1):
        with open(self.root / path, "rb") as file:
            return file.read(count)

    def text(self, path):
        return self.bytes(path).decode("utf-8", errors="replace")

    def lines(self, path):
        return self.text(path).splitlines()

    def is_text(self, path):
        return b"\0" not in self.bytes(path, 8192)

    def limit(self, name, normal):
        return self.limits.get(name, normal)
