#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures of real NFS traffic: traffic.py KIND OUT, where KIND is metadata or data.

nfs-ganesha serves NFSv3 and NFSv4.0 in a network namespace, libnfs (nfs_load.py) uses it from
another, tcpdump listens between: see lab/netns/net.py. Needs root.
"""
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "lab" / "netns"))
from net import EXPORT, SERVER, Dump, Net, Unavailable, check_tools, run  # noqa: E402

LOAD = HERE / "nfs_load.py"
SECONDS = {"metadata": {3: 10, 4: 10}, "data": {3: 0, 4: 0}}  # at least one pass
RING_KB = "262144"  # tcpdump's: as good as all of it, as there may be few cores


def use(net, kind):
    for version, seconds in SECONDS[kind].items():
        load = [sys.executable, LOAD, SERVER, EXPORT, version, kind, seconds]
        run(*net.inside("client", *load))
        url = f"nfs://{SERVER}{EXPORT}"
        run(*net.inside("client", "nfs-ls", "-R", f"{url}?version={version}"))
        if kind == "data":
            run(*net.inside("client", "nfs-cat", f"{url}/large?version={version}"))


def capture(kind, out):
    """Writes the capture; Unavailable when that cannot be done here."""
    check_tools()
    part = out.with_suffix(".part")
    try:
        with Net() as net:
            with Dump(net, "client", part, ring_kb=RING_KB) as dump:
                use(net, kind)
            if dump.dropped:
                raise Unavailable("tcpdump did not keep up")
    except subprocess.CalledProcessError as e:
        raise Unavailable(f"{' '.join(map(str, e.cmd))}: exit status {e.returncode}") from e
    else:
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)


if __name__ == "__main__":
    capture(sys.argv[1], pathlib.Path(sys.argv[2]))
