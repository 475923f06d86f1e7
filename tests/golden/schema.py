# SPDX-License-Identifier: GPL-2.0-or-later
"""The shape of our JSON: which members there must be, in which order, and of which kind.

A shape is a type, None, a tuple of alternatives, a list of one shape (for all of its items), or a
dict of members. Members may be added to the format: those that are not named here are not looked
at. Keys that scripts rely on are never taken away.
"""
import json
import re

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z")
BOOT_TIME = re.compile(r"\[ *\d+\.\d{9}\]")  # of a log that counts from boot, as it stands there
ENDPOINT = re.compile(r"(\d+\.\d+\.\d+\.\d+|\[[0-9a-f:]+\]):\d+")
XID = re.compile(r"0x[0-9a-f]{8}")
ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")
EVIDENCE_ID = re.compile(r"e\d+")

# As src/event/evidence.c names them.
KIND = re.compile("pcap|pcapng|kernel-log|mounts|host-clock|stacks|packet-filter|lists|strace|trace|packet-list|unread")
LATENCY = ({"p50": int, "p90": int, "p99": int, "max": int}, None)
COUNTS = {"unanswered": int, "errors": dict, "latency_ns": LATENCY}

DIAGNOSIS = {
    "schema": re.compile(r"nfsleuth\.diagnosis/1"),
    "evidence": [{
        "id": EVIDENCE_ID, "path": str, "kind": KIND, "records": int,
        "first": (TIME, BOOT_TIME, None), "last": (TIME, BOOT_TIME, None),
        "clock": ("utc", "boot", None),
        "damage": [{"what": str, "count": int}],
    }],
    "findings": [{
        "key": str, "id": ID, "role": re.compile("cause|symptom|context"),
        "confidence": re.compile("certain|likely|possible"), "title": str, "why": str,
        "subjects": {"server": (str, None), "clients": [str]},
        "first": (TIME, BOOT_TIME, None), "last": (TIME, BOOT_TIME, None), "count": int,
        "cites": [({"evidence": EVIDENCE_ID, "frame": (int, None), "time": (TIME, None),
                    "text": str, "show": str},
                   {"evidence": EVIDENCE_ID, "line": int, "time": (TIME, BOOT_TIME, None),
                    "text": str, "show": str})],
        "explains": [str], "ruled_out": [{"id": ID, "because": str}],
        "remedy": [str], "references": [str],
    }],
    "incidents": [{"headline": str, "title": str, "first": (TIME, BOOT_TIME, None),
                   "last": (TIME, BOOT_TIME, None), "findings": [str], "clients": [str],
                   "chain": [{"time": (TIME, BOOT_TIME, None), "after_ns": (int, None),
                              "finding": str, "event": re.compile("begin|end"), "text": str,
                              "more": int, "cite": (dict, None)}]}],
    "headline": (ID, None),
    "undecided": [{"id": ID, "missing": str, "how": (str, None)}],
}

CALL = {
    "evidence": EVIDENCE_ID, "frame": (int, None), "first_frame": (int, None),
    "reply_evidence": (EVIDENCE_ID, None), "reply_frame": (int, None), "time": (TIME, None),
    "reply_time": (TIME, None), "client": ENDPOINT, "server": ENDPOINT,
    "transport": re.compile("tcp|udp|rdma"), "xid": XID, "program": (int, None),
    "version": (int, None), "procedure": (int, None), "program_name": (str, None),
    "procedure_name": (str, None), "status": (str, None), "latency_ns": (int, None),
    "retransmissions": [int], "ops": [{"op": int, "name": str, "status": (str, None)}],
    "damage": [str],
}

SUMMARY = {
    "rpc": [{"program": int, "version": int, "procedure": int, "name": str, "calls": int,
             "replies": int, "retransmissions": int, **COUNTS}],
    "nfs4_ops": [{"op": int, "name": str, "calls": int, "replies": int, **COUNTS}],
    "conns": int, "frames": int, "undecoded": dict,
}

TIMEOUTS = {
    "schema": re.compile(r"nfsleuth\.timeouts/1"), "program": re.compile("nfs|lockd"),
    "version": (int, None), "transport": re.compile("tcp|udp|rdma"),
    "failure": re.compile("hard|soft|softerr"), "first_s": (int, float), "retries": int,
    "major_s": (int, float),
    "schedule": [{"at_s": (int, float), "event": re.compile("transmit|retransmit|complain|fail"),
                  "kernels": [str], "latest_s": (int, float)}],
    "unsent": {"at_s": (int, float), "event": re.compile("complain|fail")},
    "alternatives": [{"id": str, "text": str}], "notes": [str],
}

SHAPES = {"diagnosis": DIAGNOSIS, "calls": CALL, "summary": SUMMARY, "timeouts": TIMEOUTS,
          "lines": dict}
BY_LINE = ("calls", "lines")


def check_dict(shape, value, where):
    if not isinstance(value, dict):
        yield f"{where}: is no object"
        return
    for key in shape:
        if key in value:
            yield from check_shape(shape[key], value[key], f"{where}.{key}")
        else:
            yield f"{where}: has no {key}"
    order = [key for key in value if key in shape]
    if order != [key for key in shape if key in value]:
        yield f"{where}: its members are in the order {' '.join(order)}"


def check_shape(shape, value, where):
    """Lines that say where the value is not of this shape."""
    if isinstance(shape, tuple):
        if all(list(check_shape(one, value, where)) for one in shape):
            yield f"{where}: {value!r} is none of what it may be"
    elif isinstance(shape, dict):
        yield from check_dict(shape, value, where)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield f"{where}: is no array"
            return
        for number, item in enumerate(value):
            yield from check_shape(shape[0], item, f"{where}[{number}]")
    elif isinstance(shape, re.Pattern):
        if not isinstance(value, str) or not shape.fullmatch(value):
            yield f"{where}: {value!r} does not read {shape.pattern}"
    elif isinstance(shape, type):
        if not isinstance(value, shape) or (shape is int and isinstance(value, bool)):
            yield f"{where}: {value!r} is no {shape.__name__}"
    elif value != shape:
        yield f"{where}: is {value!r}, not {shape!r}"


def check_diagnosis(report):
    """What the shape cannot say: keys lead somewhere, and the headline is that of an incident."""
    keys = [finding["key"] for finding in report["findings"]]
    evidence = {entry["id"] for entry in report["evidence"]}
    headlines = [incident["headline"] for incident in report["incidents"]]
    ids = {finding["key"]: finding["id"] for finding in report["findings"]}
    if len(set(keys)) != len(keys):
        yield "findings: a key comes twice"
    for finding in report["findings"]:
        for key in finding["explains"]:
            if key not in ids:
                yield f"findings: {finding['key']} explains {key}, which is not there"
        for cite in finding["cites"]:
            if cite["evidence"] not in evidence:
                yield f"findings: {finding['key']} cites {cite['evidence']}, which is not there"
    if report["headline"] != (ids.get(headlines[0]) if headlines else None):
        yield f"headline: {report['headline']} is not that of the first incident"


def check(name, text):
    """Lines that say what is wrong with the JSON for this schema."""
    documents = text.splitlines() if name in BY_LINE else [text]
    if not documents:
        yield "json: there is none"
    for number, document in enumerate(documents, 1):
        where = f"json:{number}" if name in BY_LINE else "json"
        try:
            value = json.loads(document)
        except ValueError as error:
            yield f"{where}: {error}"
            return
        problems = list(check_shape(SHAPES[name], value, where))
        yield from problems
        if name == "diagnosis" and not problems:
            yield from check_diagnosis(value)
