#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures of real NFS traffic: traffic.py KIND OUT, where KIND is metadata or data.

nfs-ganesha serves NFSv3 and NFSv4.0 in a network namespace, libnfs (nfs_load.py) uses it from
another, tcpdump listens between: a veth pair of MTU 1500, with the offloads off, so that segments
and checksums are those of a wire. Everything lives in the private mounts of the namespaces and ends
with them. Needs root.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import time

LOAD = pathlib.Path(__file__).resolve().parent / "nfs_load.py"
TOOLS = ("ip", "ethtool", "rpcbind", "ganesha.nfsd", "nfs-ls", "nfs-cat", "tcpdump")
SERVER, CLIENT, EXPORT = "10.77.0.1", "10.77.0.2", "/data"
SECONDS = {"metadata": {3: 10, 4: 10}, "data": {3: 0, 4: 0}}  # at least one pass
STARTUP_SECONDS = 20
RING_KB = "262144"  # tcpdump's: as good as all of it, as there may be few cores

CONFIG = """
NFS_CORE_PARAM {
    Protocols = 3, 4;
    Enable_UDP = false;
    mount_path_pseudo = true;
    fsid_device = true;
}
NFSV4 { Graceless = true; Minor_Versions = 0; RecoveryBackend = fs; RecoveryRoot = /run/recovery; }
EXPORT {
    Export_Id = 1; Path = /run/export; Pseudo = /data;
    Access_Type = RW; Squash = None; SecType = sys; Protocols = 3, 4; PrivilegedPort = false;
    FSAL { Name = VFS; }
}
"""

# In the namespace of the server, whose mounts are its own: nothing of this is seen outside.
START = """
mount -t tmpfs none /run && mkdir -p /run/rpcbind /run/ganesha /run/recovery /run/export || exit
printf '%s' "$1" >/run/config
rpcbind -f &
sleep 0.5
exec ganesha.nfsd -F -f /run/config -L /run/log -p /run/pid
"""


class Unavailable(Exception):
    """No traffic can be made here; the text says why."""


def run(*argv, **more):
    return subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)


class Lab:
    """Two namespaces, a wire between them, and the server."""

    def __init__(self):
        self.names = {side: f"nfsleuth-{os.getpid()}-{side}" for side in ("server", "client")}
        self.server = None

    def __enter__(self):
        try:
            self._wire()
            argv = self.inside("server", "sh", "-c", START, "sh", CONFIG)
            self.server = subprocess.Popen(
                argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
            )
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.server:
            os.killpg(self.server.pid, 9)  # the session that we made for it
            self.server.wait()
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)

    def inside(self, side, *argv):
        return ["ip", "netns", "exec", self.names[side], *map(str, argv)]

    def _wire(self):
        server, client = self.names["server"], self.names["client"]
        run("ip", "netns", "add", server)
        run("ip", "netns", "add", client)
        run("ip", "link", "add", "wire", "netns", server, "mtu", "1500",
            "type", "veth", "peer", "name", "wire", "netns", client)  # fmt: skip
        for side, address in (("server", SERVER), ("client", CLIENT)):
            name = self.names[side]
            run("ip", "-n", name, "addr", "add", address + "/24", "dev", "wire")
            for link in ("lo", "wire"):
                run("ip", "-n", name, "link", "set", link, "up")
            off = [word for what in ("gro", "gso", "tso", "tx", "rx") for word in (what, "off")]
            run(*self.inside(side, "ethtool", "-K", "wire", *off))

    def _wait(self):
        url = f"nfs://{SERVER}{EXPORT}?version=3"
        for _ in range(STARTUP_SECONDS):
            time.sleep(1)
            asked = subprocess.run(self.inside("client", "nfs-ls", url), capture_output=True)
            if asked.returncode == 0:
                return
            if self.server.poll() is not None:
                break
        raise Unavailable("nfs-ganesha does not answer")


def use(lab, kind):
    for version, seconds in SECONDS[kind].items():
        load = [sys.executable, LOAD, SERVER, EXPORT, version, kind, seconds]
        run(*lab.inside("client", *load))
        url = f"nfs://{SERVER}{EXPORT}"
        run(*lab.inside("client", "nfs-ls", "-R", f"{url}?version={version}"))
        if kind == "data":
            run(*lab.inside("client", "nfs-cat", f"{url}/large?version={version}"))


def capture(kind, out):
    """Writes the capture; Unavailable when that cannot be done here."""
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing or os.geteuid() != 0:
        raise Unavailable(f"{', '.join(missing)} missing" if missing else "needs root")
    part = out.with_suffix(".part")
    try:
        with Lab() as lab:
            argv = lab.inside("client", "tcpdump", "-Z", "root", "-n", "-i", "wire", "-B", RING_KB, "-w", part)
            with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) as dump:
                try:
                    dump.stderr.readline()  # "listening on"
                    use(lab, kind)
                    time.sleep(1)
                finally:
                    dump.terminate()
                if "\n0 packets dropped" not in dump.stderr.read():
                    raise Unavailable("tcpdump did not keep up")
    except subprocess.CalledProcessError as e:
        raise Unavailable(f"{' '.join(map(str, e.cmd))}: exit status {e.returncode}") from e
    else:
        os.replace(part, out)
    finally:
        part.unlink(missing_ok=True)


if __name__ == "__main__":
    capture(sys.argv[1], pathlib.Path(sys.argv[2]))
