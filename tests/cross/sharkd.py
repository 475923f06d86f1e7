# SPDX-License-Identifier: GPL-2.0-or-later
"""What Wireshark shows of RPC in a capture: its dissectors behind sharkd, the daemon of Wireshark.

tshark would tell the same, but most of its time goes into starting, and it would be started twice for
each capture: sharkd starts once and loads one capture after the other.
"""
import json
import shutil
import subprocess
from dataclasses import dataclass, field

from cross import tshark

# It keeps some 50 kB of each tree that it has shown: after so many it is started again.
TREES_MAX = 4000

# The protocols whose fields are read: others repeat some of them (ICMP shows the packet that it is about).
_SHOWN = {"frame", "ip", "ipv6", "tcp", "udp", "rpc", "nfs", "nfs.cb"}
_ENDS = {
    "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport",
}  # fmt: skip
_REPEATS = {"rpc.dup", "rpc.call.dup", "rpc.reply.dup"}
_OPERATIONS = {"nfs.opcode", "nfs.cb.operation"}
_NUMBERS = {"rpc.program": "program", "rpc.programversion": "version", "rpc.procedure": "procedure"}
_READ = {"rpc.xid", "rpc.msgtyp", "rpc.repframe", "nfs.nfsstat4", *_ENDS, *_REPEATS, *_OPERATIONS, *_NUMBERS}
_PREFIXES = ("rpc.", "nfs.", "ip.", "ipv6.", "tcp.", "udp.")


@dataclass
class Message:
    """One RPC message as Wireshark shows it."""

    frame: int
    src: str
    dst: str
    xid: int
    reply: bool = False
    program: int = None
    version: int = None
    procedure: int = None
    call_frame: int = None  # of a reply
    repeat: bool = False  # a call or reply that Wireshark saw before
    ops: list = field(default_factory=list)  # [number, status name or None]


def missing():
    return shutil.which("sharkd") is None


class Sharkd:
    """A running sharkd; one capture at a time is loaded."""

    def __init__(self):
        self.process = None
        self._start()

    def _start(self):
        self.process = subprocess.Popen(
            ["sharkd", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.trees = 0
        for name, value in tshark.PREFERENCES.items():
            self._ask("setconf", name=name, value=value)

    def close(self):
        self.process.kill()
        self.process.communicate()

    def restart(self):
        self.close()
        self._start()

    def _ask(self, method, **params):
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"sharkd ended with {self.process.wait()} when asked for {method}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"sharkd on {method} {params}: {answer['error']}")
        return answer["result"]

    def load(self, path, ports):
        """From now on answers are about this capture, with RPC on these TCP ports."""
        if self.trees > TREES_MAX:
            self.restart()
        self._ask("setconf", name="rpc.tcp.port", value=",".join(map(str, sorted({111} | ports))))
        self._ask("load", file=str(path))

    def packets(self, columns):
        """The columns' texts for each packet, by names of fields."""
        named = {f"column{i}": f"{name}:0" for i, name in enumerate(columns)}
        return [row["c"] for row in self._ask("frames", **named)]

    def messages(self):
        """All RPC messages, in the order of frames."""
        found = []
        # Not asked for with a filter: sharkd would remember what it let through of the last capture.
        for number, xid in self.packets(["frame.number", "rpc.xid"]):
            if xid:
                self.trees += 1
                tree = self._ask("frame", frame=int(number), proto=True)["tree"]
                found += _messages_of(int(number), tree)
        return found


def _fields(nodes, depth, found):
    """Adds (depth, name, value, label) of those nodes of a tree that are read, in the order of showing."""
    for node in nodes:
        text = node.get("f")
        if text and text.startswith(_PREFIXES):
            name, _, value = text.partition(" == ")
            if name in _READ:
                found.append((depth, name, value, node["l"]))
        if "n" in node:
            _fields(node["n"], depth + 1, found)


def _messages_of(frame, tree):
    found, ends, msg, op_depth, fields = [], {}, None, 0, []
    _fields([protocol for protocol in tree if protocol.get("f") in _SHOWN], 0, fields)
    for depth, name, value, label in fields:
        if name == "rpc.xid":
            msg = Message(frame, _end(ends, "src"), _end(ends, "dst"), int(value, 16))
            found.append(msg)
        elif name in _ENDS:
            ends[name] = value
        elif msg is None:
            continue
        elif name in _OPERATIONS:
            msg.ops.append([int(value), None])
            op_depth = depth
        elif name == "nfs.nfsstat4":
            if msg.ops and depth == op_depth + 1 and msg.ops[-1][1] is None:
                msg.ops[-1][1] = label.split()[1]  # "Status: NFS4ERR_DELAY (10008)"
        elif name == "rpc.msgtyp":
            msg.reply = value == "1"
        elif name == "rpc.repframe":
            if msg.reply:
                msg.call_frame = int(value)
        elif name in _REPEATS:
            msg.repeat = True
        elif getattr(msg, _NUMBERS[name]) is None:
            setattr(msg, _NUMBERS[name], int(value))
    return found


def _end(ends, side):
    address = ends.get(f"ip.{side}") or ends.get(f"ipv6.{side}")
    port = ends.get(f"tcp.{side}port") or ends.get(f"udp.{side}port")
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
