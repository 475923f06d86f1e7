# SPDX-License-Identifier: GPL-2.0-or-later
"""The replies of each program, version and procedure: those of `show summary` and tshark's."""
import json
import re

from cross import tshark
from measure import Run


def ours(summary):
    """{(program, version): {procedure: replies}} of the JSON of show summary."""
    out = {}
    for row in json.loads(summary)["rpc"]:
        if row["replies"]:
            out.setdefault((row["program"], row["version"]), {})[row["procedure"]] = row["replies"]
    return out


def tsharks(capture, programs, log):
    """The same by tshark for these programs, and its table of all programs: {(name, version): replies}."""
    wanted = [word for program, version in programs for word in ("-z", f"rpc,srt,{program},{version}")]
    output = Run(tshark.command(capture, [2049], "-q", "-z", "rpc,programs", *wanted), log).output
    # Tables come last option first.
    head, *tables, last = [part for part in re.split(r"\n=+\n(?=\S)", output.decode()) if part.strip()]
    tables = [head, *tables]
    procedures = {key: _rows(r"^\s*(\d+)\s+\S+\s+(\d+)\s", table) for key, table in zip(programs, reversed(tables))}
    return procedures, sum(_rows(r"^(\S.*?\)\s+\d+)\s+(\d+)\s+\d+\.\d+", last, str).values())


def _rows(pattern, table, key=int):
    return {key(hit[1]): int(hit[2]) for hit in re.finditer(pattern, table, re.MULTILINE)}


def differences(capture, summary, log):
    """(replies in all, lines that tell where the two differ)."""
    mine = ours(summary)
    theirs, total = tsharks(capture, sorted(mine), log)
    lines = [
        f"program {key[0]} version {key[1]}: replies {mine[key]}, tshark {theirs.get(key)}"
        for key in sorted(mine) if mine[key] != theirs.get(key)
    ]  # fmt: skip
    own_total = sum(sum(procedures.values()) for procedures in mine.values())
    if own_total != total:
        lines.append(f"all replies: {own_total}, tshark {total}")
    return own_total, lines
