#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`nfsleuth show calls --json` against Wireshark's dissectors, message by message. Prints TAP.

They are asked through sharkd; below, "tshark" stands for them. What tshark shows must be there and the same: calls, replies, which belongs to which, the addresses,
and for NFSv4 the operations in order with their statuses. What only nfsleuth shows must be
explained by one of the rules of EXTRA.
"""
import argparse
import gzip
import json
import lzma
import os
import pathlib
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from cross import sharkd  # noqa: E402
from sim import pcapfile  # noqa: E402
from sim.mutate import mutate  # noqa: E402

TESTS = pathlib.Path(__file__).resolve().parent.parent
NAMED = 5  # differences shown for each capture

# Traffic that is harder to put together, made from one capture of the repository.
HARDER_FROM = TESTS / "cases" / "A1-v42-trace" / "server" / "capture.pcap.gz"
HARDER = [
    "ipv6 link:kind=sll", "link:kind=sll2", "link:kind=raw", "link:kind=vlan", "resegment:size=52",
    "resegment:size=7", "duplicate:percent=20", "reorder:percent=10", "snap:size=128", "no-syn",
    "loss:percent=1", "loss:percent=10", "cut:start=30", "one-direction:which=calls",
    "one-direction:which=replies", "owners:longer=9 pcapng:big_endian=1", "server-port:port=20049",
]  # fmt: skip


def our_calls(exe, path):
    done = subprocess.run(
        [exe, "show", "calls", "--json", path], capture_output=True, timeout=300, check=False
    )
    if done.returncode not in (0, 1, 3):
        raise RuntimeError(f"exit status {done.returncode}: {done.stderr.decode()[-200:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def port_of(endpoint):
    return int(endpoint.rsplit(":", 1)[1])


def host_of(endpoint):
    return endpoint.rsplit(":", 1)[0]


def ports_in(calls):
    """Server ports over TCP: those that tshark must be told to decode as RPC."""
    return {2049} | {port_of(c["server"]) for c in calls if c["transport"] == "tcp"}


class Ours:
    """Our calls and replies, found by (frame, xid)."""

    def __init__(self, calls):
        self.calls, self.replies, self.by_xid = {}, {}, defaultdict(list)
        for c in calls:
            xid = int(c["xid"], 16)
            self.by_xid[xid].append(c)
            if c["frame"] is not None:
                self.calls[c["frame"], xid] = c
                for again in c["retransmissions"]:
                    self.calls[again, xid] = c
            if c["reply_frame"] is not None:
                self.replies[c["reply_frame"], xid] = c

    def find(self, msg, facts):
        """(our object for a message of tshark's or None, whether it stands in another frame)."""
        mine = (self.replies if msg.reply else self.calls).get((msg.frame, msg.xid))
        if mine is not None or msg.frame not in facts.cut:
            return mine, False
        for c in self.by_xid[msg.xid]:
            begin, end = ("frame", "reply_frame") if msg.reply else ("first_frame", "frame")
            if None not in (c[begin], c[end]) and c[begin] <= msg.frame < c[end]:
                return c, True
        return None, False


def same_ends(ours, client, server):
    """One call that was sent again on the next connection has another port there."""
    if ours["retransmissions"]:
        return (host_of(ours["client"]), ours["server"]) == (host_of(client), server)
    return (ours["client"], ours["server"]) == (client, server)


def call_differs(msg, ours):
    """Why a call that tshark shows is not the same with us, or None."""
    got = (ours["program"], ours["version"], ours["procedure"])
    if got != (msg.program, msg.version, msg.procedure):
        return f"is {got}, tshark {(msg.program, msg.version, msg.procedure)}"
    if not same_ends(ours, msg.src, msg.dst):
        return f"from {ours['client']} to {ours['server']}, tshark {msg.src} {msg.dst}"
    theirs = [op for op, _ in msg.ops]
    if [o["op"] for o in ours["ops"]][: len(theirs)] != theirs:
        return f"operations {[o['op'] for o in ours['ops']]}, tshark {theirs}"
    return None


def reply_differs(msg, ours):
    if msg.call_frame is not None:
        frames = [ours["frame"], *ours["retransmissions"]]
        if msg.call_frame not in frames:
            return f"answers frame {ours['frame']}, tshark {msg.call_frame}"
    if not same_ends(ours, msg.dst, msg.src):
        return f"from {ours['server']} to {ours['client']}, tshark {msg.src} {msg.dst}"
    theirs = [tuple(o) for o in msg.ops if o[1] is not None]
    mine = [(o["op"], o["status"]) for o in ours["ops"]][: len(theirs)]
    if mine != theirs:
        return f"operations {mine}, tshark {theirs}"
    return None


def differences(ours, shown, facts, elsewhere):
    """What tshark shows and we do not, or otherwise.

    A record of several segments that are cut by the snap length is shown by tshark in the first of
    them, as it cannot put it together; ours stands where its last byte was. These are put into
    `elsewhere`.
    """
    for msg in shown:
        kind = "reply" if msg.reply else "call"
        mine, other_frame = ours.find(msg, facts)
        if mine is None:
            if msg.reply and msg.repeat:
                continue  # a repeated reply is not a settled call of its own
            if msg.repeat and msg.frame in facts.resent and msg.frame in facts.cut:
                continue  # TCP's own retransmission of a cut segment, taken for one of RPC
            told = ours.replies if msg.reply else ours.calls
            if any((frame, msg.xid) in told for frame in facts.echoes(msg.frame)):
                continue  # the same segment behind a translation of addresses: we tell it once
            yield f"{kind} in frame {msg.frame}, xid {msg.xid:#010x}: missing"
            continue
        if other_frame:
            elsewhere.append((kind, mine["reply_frame" if msg.reply else "frame"], msg.xid))
        why = reply_differs(msg, mine) if msg.reply else call_differs(msg, mine)
        if why:
            yield f"{kind} in frame {msg.frame}, xid {msg.xid:#010x}: {why}"


# -- what only we show ---------------------------------------------------------------------------


def after_damage(ours, frame, facts):
    """tshark loses records of a stream after a gap, a reordering or a cut segment in it"""
    return facts.trouble.get(facts.stream_of(ours), frame + 1) <= frame


def cut_short(ours, frame, facts):
    """the frame is cut by the snap length: tshark does not decode every message in it"""
    return frame in facts.cut


def no_call_seen(ours, frame, facts):
    """a reply without its call: tshark does not always take it for RPC"""
    return ours["frame"] is None


def joined(ours, frame, facts):
    """the connection began before the capture: tshark finds its first record later"""
    return facts.stream_of(ours) not in facts.opened


def unfinished(ours, frame, facts):
    """the message was never completed: tshark shows whole ones only, we say what is missing"""
    return any("has not got" in text for text in ours["damage"])


EXTRA = [after_damage, cut_short, no_call_seen, joined, unfinished]


class Facts:
    """What tshark says of a capture's packets, as far as the rules ask for it."""

    def __init__(self, wireshark):
        self.trouble, self.cut, self.resent, self.opened = {}, set(), set(), set()
        self.segments, self.segment_of = defaultdict(list), {}
        names = ["frame.number", "tcp.analysis.lost_segment", "tcp.analysis.ack_lost_segment",
                 "tcp.analysis.out_of_order", "tcp.analysis.retransmission", "tcp.flags.syn",
                 "ip.src", "ipv6.src", "tcp.srcport", "ip.dst", "ipv6.dst", "tcp.dstport",
                 "tcp.seq_raw", "tcp.options.timestamp.tsval", "tcp.len",
                 "frame.len", "frame.cap_len"]  # fmt: skip
        for row in wireshark.packets(names):
            number, *marks, syn, s4, s6, sport, d4, d6, dport, seq, tsval, data, wire, kept = row
            key = frozenset((f"{s4 or s6}:{sport}", f"{d4 or d6}:{dport}"))
            if tsval:
                self.segment_of[int(number)] = (seq, tsval, data), key
                self.segments[seq, tsval, data].append((int(number), key))
            if marks[-1]:
                self.resent.add(int(number))
            if any(marks) or wire != kept:
                self.trouble.setdefault(key, int(number))
            if syn in ("Set", "True", "1"):
                self.opened.add(key)
            if wire != kept:
                self.cut.add(int(number))

    def echoes(self, frame):
        """Frames that show the same segment with other addresses."""
        segment, key = self.segment_of.get(frame, (None, None))
        return [n for n, ends in self.segments.get(segment, ()) if ends != key]

    @staticmethod
    def stream_of(ours):
        return frozenset(e.replace("[", "").replace("]", "") for e in (ours["client"], ours["server"]))


def extras(ours, shown, facts, elsewhere):
    """(explained by rule, unexplained) of what tshark does not show."""
    calls = {(m.frame, m.xid) for m in shown if not m.reply}
    replies = {(m.frame, m.xid) for m in shown if m.reply}
    more = [("call", f, x, c) for (f, x), c in ours.calls.items() if (f, x) not in calls]
    more += [("reply", f, x, c) for (f, x), c in ours.replies.items() if (f, x) not in replies]
    explained, rest = Counter(), []
    for kind, frame, xid, c in sorted(more, key=lambda m: m[:3]):
        if (kind, frame, xid) in elsewhere:
            continue
        rule = next((r for r in EXTRA if r(c, frame, facts)), None)
        if rule is None:
            rest.append(f"{kind} in frame {frame}, xid {xid:#010x}: tshark does not show it")
        else:
            explained[rule.__name__] += 1
    return explained, rest


def prepared(path, ops, folder):
    """The capture as a plain file that tshark can read, mutated by the operations."""
    if ops:
        new = pathlib.Path(folder) / "harder.pcap"
        pcapfile.write(new, mutate(pcapfile.read(path), ops.split()))
        return new
    opener = {".xz": lzma.open, ".gz": gzip.open}.get(path.suffix)
    if opener is None:
        return path
    new = pathlib.Path(folder) / path.stem
    with opener(path) as f:
        new.write_bytes(f.read())
    return new


def check(exe, wireshark, path, ops=""):
    """(differences, notes) of one capture, changed by operations of tests/sim."""
    with tempfile.TemporaryDirectory(prefix="nfsleuth-cross-") as folder:
        plain = prepared(path, ops, folder)
        calls = our_calls(exe, str(plain if ops else path))
        wireshark.load(plain, ports_in(calls))
        shown = wireshark.messages()
        ours, facts, elsewhere = Ours(calls), Facts(wireshark), []
        bad = list(differences(ours, shown, facts, elsewhere))
        explained, rest = extras(ours, shown, facts, set(elsewhere))
    note = f"{len(shown)} messages"
    if elsewhere:
        note += f"; cut, in a later frame: {len(elsewhere)}"
    if explained:
        note += "; only ours: " + ", ".join(f"{n} {r}" for r, n in sorted(explained.items()))
    return bad + rest, note


def captures(everything, extra):
    """The captures of the repository (all of them, or a selection), and further folders."""
    cases = TESTS / "cases"
    found = sorted(p for p in cases.rglob("*.pcap*") if p.is_file())
    if not everything:
        found = [p for p in found if _chosen(p)]
    for folder in extra:
        found += sorted(p for p in pathlib.Path(folder).rglob("*.pcap*") if p.is_file())
    return found


def _chosen(path):
    """Every day: what a server saw, and all of the conversations from scratch."""
    return "server" in str(path) or path.parent.name.startswith("sim-") or "A1-v42-soft" in str(path)


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("exe")
    ap.add_argument("captures", nargs="*", type=pathlib.Path, help="instead of those of the repository")
    ap.add_argument("--ops", default="", help="operations of tests/sim on them first")
    ap.add_argument("--all", action="store_true", help="all captures of the repository")
    ap.add_argument("--evidence", action="append", default=[], help="a folder with more captures")
    args = ap.parse_intermixed_args()
    if sharkd.missing():
        print("1..0 # SKIP sharkd is not installed: nothing is compared")
        return
    todo = [(p, args.ops) for p in args.captures or captures(args.all, args.evidence)]
    if not args.captures:
        todo += [(HARDER_FROM, ops) for ops in HARDER]
    failed, wireshark = 0, sharkd.Sharkd()
    print(f"1..{len(todo)}")
    for i, (path, ops) in enumerate(todo, 1):
        try:
            bad, note = check(os.path.abspath(args.exe), wireshark, path, ops)
        except (RuntimeError, ValueError, KeyError, subprocess.TimeoutExpired) as e:
            bad, note = [f"{type(e).__name__}: {e}"], ""
            wireshark.restart()  # it may have crashed
        failed += bool(bad)
        name = " ".join(["/".join(path.parts[-3:]), ops]).strip()
        print(f"{'not ok' if bad else 'ok'} {i} - {name} # {note}", flush=True)
        for line in bad[:NAMED]:
            print(f"#   {line}")
        if len(bad) > NAMED:
            print(f"#   and {len(bad) - NAMED} more")
    wireshark.close()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
