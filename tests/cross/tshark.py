# SPDX-License-Identifier: GPL-2.0-or-later
"""What tshark shows of RPC in a capture, with the options that avoid its known mistakes.

Its PDML is read line by line: it is large, and the indentation tells the nesting.
"""
import re
import shutil
import subprocess
from dataclasses import dataclass, field

OPTIONS = [
    "-o", "tcp.reassemble_out_of_order:TRUE",
    "-o", "tcp.desegment_tcp_streams:TRUE",
    "-o", "rpc.desegment_rpc_over_tcp:TRUE",
    "-o", "rpc.defragment_rpc_over_tcp:TRUE",
]  # fmt: skip

_FIELD = re.compile(
    rb'^( *)<field name="(frame\.number|ip\.src|ip\.dst|ipv6\.src|ipv6\.dst|tcp\.srcport|tcp\.dstport|'
    rb"udp\.srcport|udp\.dstport|rpc\.xid|rpc\.msgtyp|rpc\.program|rpc\.programversion|rpc\.procedure|"
    rb"rpc\.repframe|rpc\.dup|rpc\.call\.dup|rpc\.reply\.dup|nfs\.opcode|nfs\.cb\.operation|"
    rb'nfs\.nfsstat4|tcp\.analysis\.[a-z_]+|_ws\.malformed)"'
    rb'(?: showname="([^"]*)")?.*? show="([^"]*)"'
)


@dataclass
class Message:
    """One RPC message as tshark shows it."""

    frame: int
    src: str
    dst: str
    xid: int
    reply: bool = False
    program: int = None
    version: int = None
    procedure: int = None
    call_frame: int = None  # of a reply
    repeat: bool = False  # a call or reply that tshark saw before
    malformed: bool = False
    ops: list = field(default_factory=list)  # [number, status name or None]


def missing():
    return shutil.which("tshark") is None


def command(path, ports, *more):
    decode = [x for p in sorted(ports) for x in ("-d", f"tcp.port=={p},rpc")]
    return ["tshark", "-n", "-r", str(path), *decode, *OPTIONS, *more]


def messages(path, ports):
    """All RPC messages of a capture, in the order of frames."""
    shown = "frame ip ipv6 tcp udp rpc nfs nfs.cb"
    argv = command(path, ports, "-2", "-Y", "rpc", "-T", "pdml", "-J", shown)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as proc:
        out = _parse(proc.stdout)
        proc.wait()
    if proc.returncode not in (0, 2):  # 2: the file is cut short
        raise RuntimeError(f"tshark ended with {proc.returncode}")
    return out


def _parse(lines):
    out, head, msg, op_indent = [], {}, None, 0
    for line in lines:
        if line.startswith(b"<packet>"):
            head, msg = {}, None
        hit = _FIELD.match(line) if b"<field name=" in line else None
        if hit is None:
            continue
        indent, name, shown, value = len(hit[1]), hit[2].decode(), hit[3], hit[4].decode()
        if name == "rpc.xid":
            msg = Message(head["frame.number"], _end(head, "src"), _end(head, "dst"), int(value, 16))
            out.append(msg)
        elif msg is None or not name.startswith(("rpc", "nfs", "_ws")):
            head[name] = int(value) if name == "frame.number" else value
        elif name in ("nfs.opcode", "nfs.cb.operation"):
            msg.ops.append([int(value), None])
            op_indent = indent
        elif name == "nfs.nfsstat4":
            if msg.ops and indent == op_indent + 2 and msg.ops[-1][1] is None:
                msg.ops[-1][1] = _status(shown)
        else:
            _set(msg, name, value)
    return out


def _end(head, side):
    address = head.get(f"ip.{side}") or head.get(f"ipv6.{side}")
    port = head.get(f"tcp.{side}port") or head.get(f"udp.{side}port")
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _status(shown):
    """"Status: NFS4ERR_DELAY (10008)" as "NFS4ERR_DELAY"."""
    return shown.decode().split()[1]


def _set(msg, name, value):
    if name == "rpc.msgtyp":
        msg.reply = value == "1"
    elif name == "rpc.repframe" and msg.reply:
        msg.call_frame = int(value)
    elif name.endswith("dup"):
        msg.repeat = True
    elif name == "_ws.malformed":
        msg.malformed = True
    else:
        key = {"rpc.program": "program", "rpc.programversion": "version"}.get(name)
        key = key or {"rpc.procedure": "procedure"}.get(name)
        if key and getattr(msg, key) is None:
            setattr(msg, key, int(value))
