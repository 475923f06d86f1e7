#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every incident of tests/cases at once: incidents.py OUT writes a block for `stream` (stream.c).

The beginning of each capture, between hosts of its own, all interleaved in time. It holds what the models keep
in all its kinds, and a connection in each 10 KB: tables fill up within some hundred megabytes.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import replicate  # noqa: E402
from sim import pcapfile  # noqa: E402

FRAMES_MAX = 300  # of each capture


def captures():
    for path in sorted(replicate.CASES.rglob("*.pcap*")):
        cap = pcapfile.read(path)
        cap.frames = [frame for frame in cap.frames if replicate.is_plain(frame.data)][:FRAMES_MAX]
        if cap.frames:
            yield cap


def main():
    block = replicate.Block(list(captures()))
    with open(sys.argv[1], "wb") as out:
        out.write(block.header)
        block.write(out, 0)


if __name__ == "__main__":
    main()
