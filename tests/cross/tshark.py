# SPDX-License-Identifier: GPL-2.0-or-later
"""How tshark is asked about RPC: with the options that avoid its known mistakes."""
import shutil

PREFERENCES = {
    "tcp.reassemble_out_of_order": "TRUE",
    "tcp.desegment_tcp_streams": "TRUE",
    "rpc.desegment_rpc_over_tcp": "TRUE",
    "rpc.defragment_rpc_over_tcp": "TRUE",
}


def missing():
    return shutil.which("tshark") is None


def command(path, ports, *more):
    options = [x for name, value in PREFERENCES.items() for x in ("-o", f"{name}:{value}")]
    decode = [x for p in sorted(ports) for x in ("-d", f"tcp.port=={p},rpc")]
    return ["tshark", "-n", "-r", str(path), *decode, *options, *more]
