# SPDX-License-Identifier: GPL-2.0-or-later
"""Hosts of our own: a client and a server in network namespaces, and a router between them if wanted.

The server is nfs-ganesha with rpcbind (NFSv3 and NFSv4.0, the export /data in memory); its mounts
are private, so that nothing of it is seen outside and all of it ends with the namespace. Offloads
are off: segments and checksums are those of a wire. Needs root.
"""
import os
import shutil
import signal
import subprocess
import time

TOOLS = ("ip", "ethtool", "rpcbind", "ganesha.nfsd", "nfs-ls", "nfs-cat", "tcpdump", "nft")
SERVER, CLIENT, EXPORT = "10.77.0.1", "10.77.0.2", "/data"
FAR_CLIENT = "10.77.1.2"  # behind the router
STARTUP_SECONDS = 20
RING_KB = "65536"  # of each tcpdump

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

START = """
mount -t tmpfs none /run && mkdir -p /run/rpcbind /run/ganesha /run/recovery /run/export || exit
head -c 3000000 /dev/urandom >/run/export/large
for i in 1 2 3 4 5 6 7 8; do echo "$i" >"/run/export/file-$i"; done
printf '%s' "$1" >/run/config
rpcbind -f &
sleep 0.5
exec ganesha.nfsd -F -f /run/config -L /run/log -p /run/pid
"""


class Unavailable(Exception):
    """Nothing can be staged here; the text says why."""


def run(*argv):
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def check_tools():
    missing = [tool for tool in TOOLS if not shutil.which(tool)]
    if missing or os.geteuid() != 0:
        raise Unavailable(f"{', '.join(missing)} missing" if missing else "needs root")


class Net:
    """The hosts, the wires and the server; a context manager that leaves nothing behind."""

    def __init__(self, router=False):
        self.sides = ("server", "router", "client") if router else ("server", "client")
        self.names = {side: f"nfsleuth-{os.getpid()}-{side}" for side in self.sides}
        self.client = FAR_CLIENT if router else CLIENT
        self.server = None
        self.others = []  # programs that were started here

    def __enter__(self):
        try:
            for name in self.names.values():
                run("ip", "netns", "add", name)
            self._wires()
            self.server = self.start("server", "sh", "-c", START, "sh", CONFIG)
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for program in self.others:
            if program.poll() is None:
                os.killpg(program.pid, signal.SIGKILL)  # the session that we made for it
            program.wait()
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)

    def inside(self, side, *argv):
        return ["ip", "netns", "exec", self.names[side], *map(str, argv)]

    def do(self, side, *argv):
        run(*self.inside(side, *argv))

    def start(self, side, *argv):
        """A program in a session of its own, ended with the net."""
        program = subprocess.Popen(
            self.inside(side, *argv), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self.others.append(program)
        return program

    def tell_server(self, number):
        """A signal to nfs-ganesha."""
        os.killpg(self.server.pid, number)

    def nft(self, side, rule, chain="forward"):
        """Adds a rule: `chain` is input, output or forward."""
        self.do(side, "nft", "add table inet lab")
        self.do(side, "nft", f"add chain inet lab {chain} {{ type filter hook {chain} priority 0; }}")
        self.do(side, "nft", f"add rule inet lab {chain} {rule}")

    def nft_flush(self, side):
        self.do(side, "nft", "flush ruleset")

    def _wire(self, one, its, other, others):
        run("ip", "link", "add", its, "netns", self.names[one], "mtu", "1500",
            "type", "veth", "peer", "name", others, "netns", self.names[other])  # fmt: skip

    def _up(self, side, link, address):
        run("ip", "-n", self.names[side], "addr", "add", address + "/24", "dev", link)
        for up in ("lo", link):
            run("ip", "-n", self.names[side], "link", "set", up, "up")
        off = [word for what in ("gro", "gso", "tso", "tx", "rx") for word in (what, "off")]
        self.do(side, "ethtool", "-K", link, *off)

    def _wires(self):
        if "router" not in self.sides:
            self._wire("server", "wire", "client", "wire")
            self._up("server", "wire", SERVER)
            self._up("client", "wire", CLIENT)
            return
        self._wire("server", "wire", "router", "near")
        self._wire("client", "wire", "router", "far")
        self._up("server", "wire", SERVER)
        self._up("router", "near", "10.77.0.254")
        self._up("router", "far", "10.77.1.254")
        self._up("client", "wire", FAR_CLIENT)
        self.do("router", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        run("ip", "-n", self.names["server"], "route", "add", "default", "via", "10.77.0.254")
        run("ip", "-n", self.names["client"], "route", "add", "default", "via", "10.77.1.254")

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


class Dump:
    """tcpdump on a host's wire while the context lasts."""

    def __init__(self, net, side, out, ring_kb=RING_KB):
        self.argv = net.inside(side, "tcpdump", "-Z", "root", "-n", "-i", "wire", "-B", ring_kb,
                               "-w", out)  # fmt: skip
        self.dropped = None

    def __enter__(self):
        self.dump = subprocess.Popen(self.argv, stderr=subprocess.PIPE, text=True)
        self.dump.stderr.readline()  # "listening on"
        return self

    def __exit__(self, *_):
        time.sleep(1)
        self.dump.terminate()
        self.dropped = "\n0 packets dropped" not in self.dump.stderr.read()
        self.dump.wait()
