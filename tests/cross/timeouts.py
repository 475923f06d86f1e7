#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The arithmetic of timeouts against real kernels: what captures and logs show. Prints TAP.

For each client whose folder holds a capture: calls that were sent again under their XID, and lines
"not responding" in the log beside it. `nfsleuth timeouts` (lockd, or with the mount's options) must
say so, for the client's kernel:

    a retransmission  within 1 s of the time predicted, counted from the first transmission
    a complaint       within 2 s, counted from the call that waited; where none was on the wire, from
                      the first attempt to connect for it that got nowhere

Exceptions are told by name and reason, and each must be true of its case. Runs on the evidence in
the repository; more is named by NFSLEUTH_EVIDENCE, and told as skipped when it is not there.
"""
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from sim import pcapfile  # noqa: E402

NFS, NLM = 100003, 100021
RETRANSMIT_S, COMPLAIN_S = 1.0, 2.0
COMPLAINT = re.compile(r"\b(lockd|nfs): server \S+ not responding, (still trying|timed out)")
STAMPS = [  # dmesg --time-format iso, dmesg -T; both in UTC in the laboratory
    (re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d),(\d{6})\+00:00 "), "%Y-%m-%dT%H:%M:%S"),
    (re.compile(r"^\[(\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4})\]() "), "%a %b %d %H:%M:%S %Y"),
]
LATE = "an alarm is late: the timer wheel's grain, up to an eighth of its length"
HELD = "TCP could not deliver: all copies are in one segment, sent when the link was back"


def ask(exe, *words):
    done = subprocess.run([exe, *map(str, words)], capture_output=True, timeout=120, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{words}: status {done.returncode}: {done.stderr.decode()[-200:]}")
    return done.stdout.decode()


def seconds(text):
    """RFC 3339 in UTC with nanoseconds, in seconds since 1970."""
    whole, fraction = text.rstrip("Z").split(".")
    at = datetime.datetime.fromisoformat(whole).replace(tzinfo=datetime.timezone.utc)
    return at.timestamp() + int(fraction) / 1e9


class Client:
    """A folder with a capture, and what lies beside it."""

    def __init__(self, exe, folder):
        self.exe, self.folder = exe, folder
        self.capture = next(iter(sorted(folder.glob("capture.pcap*"))))
        self.calls = [json.loads(line) for line in ask(exe, "show", "calls", "--json",
                                                       self.capture).splitlines()]

    def text(self, name):
        path = self.folder / name
        return path.read_text(errors="replace") if path.is_file() else ""

    def complaints(self):
        """[(seconds, program)], of the log with the finest times."""
        for name in ("dmesg-iso.txt", "dmesg-T.txt", "dmesg.txt"):
            found = []
            for line in self.text(name).splitlines():
                said = COMPLAINT.search(line)
                for pattern, form in STAMPS if said else []:
                    stamp = pattern.match(line)
                    if stamp:
                        at = datetime.datetime.strptime(stamp[1], form)
                        at = at.replace(tzinfo=datetime.timezone.utc).timestamp()
                        found.append((at + int(stamp[2] or 0) / 1e6, said[1]))
            if found:
                return found
        return []

    def kernel(self):
        """The alternative of `nfsleuth timeouts` that this client's kernel is."""
        told = self.text("uname.txt") + self.text("dmesg.txt")
        for path in (self.folder / "truth.json", self.folder.parent / "truth.json"):
            told += path.read_text() if path.is_file() else ""
        version = re.search(r"\b(\d+)\.(\d+)\.(\d+)-", told) or re.search(
            r'"kernel": "(\d+)\.(\d+)\.(\d+)', told)  # fmt: skip
        if not version:
            return None
        major, minor, _ = map(int, version.groups())
        # Debian's 5.10 of the laboratory is 5.10.262: with 09252177d5f9.
        return "since-5.13" if (major, minor) >= (5, 13) or (major, minor) == (5, 10) else None

    def schedule(self, program):
        words = ["lockd"] if program == NLM else [self.text("nfsstat-m.txt")]
        if not words[0]:
            return None
        told = json.loads(ask(self.exe, "timeouts", "--json", "--until=1000", *words))
        kernel = self.kernel()
        return [e for e in told["schedule"] if kernel in e["kernels"]] if kernel else None

    def attempt(self, before):
        """When the last row of attempts to reach the portmapper in vain began."""
        lines = ask(self.exe, "show", "conns", "--json", self.capture).splitlines()
        rows = [c for c in map(json.loads, lines)
                if c["server"].endswith(":111") and c["syns"] and not c["completeness"] & 4]
        firsts = [seconds(c["first"]) for c in rows if seconds(c["first"]) < before]
        return min(firsts, default=None)


def frame_times(client, frames):
    """When the frames were seen, in seconds since 1970: of the capture itself."""
    all_frames = pcapfile.read(str(client.capture)).frames
    return [all_frames[number - 1].t / 1e9 for number in frames]


def retransmissions(client, call):
    """[(what is compared, ok | not ok | exception | skip, why)] of one call."""
    frames = call["retransmissions"]
    start = seconds(call["time"])
    plan = client.schedule(call["program"])
    name = f"{call['program_name']} {call['procedure_name']} {call['xid']}"
    if not plan:
        return [(name, "skip", "no mount options, or no kernel version, beside the capture")]
    if len(frames) > 1 and len(set(frames)) == 1:
        return [(name, "exception", HELD)]
    out = []
    due = [e for e in plan if e["event"] == "retransmit"]
    for number, (frame, at) in enumerate(zip(frames, frame_times(client, frames))):
        after, want = at - start, due[number]
        label = f"{name} again #{number + 1}: {after:.2f} s, predicted {want['at_s']} s"
        if abs(after - want["at_s"]) <= RETRANSMIT_S:
            out.append((label, "ok", ""))
        elif want["at_s"] <= after <= want["latest_s"]:
            out.append((label, "exception", LATE))
        else:
            out.append((label, "not ok", f"frame {frame}"))
    return out


def waiting_since(client, program, at):
    """When the call began that waited at this time."""
    firsts = [
        seconds(c["time"]) for c in client.calls
        if c["program"] == program and c["time"] and seconds(c["time"]) < at
        and (not c["reply_time"] or seconds(c["reply_time"]) > at)
    ]  # fmt: skip
    return min(firsts) if firsts else client.attempt(at)


def complaint(client, at, word):
    program = {"lockd": NLM, "nfs": NFS}[word]
    plan = client.schedule(program)
    start = waiting_since(client, program, at)
    if not plan or start is None:
        return (f"{word} complains", "skip", "nothing to count from")
    due = next(e for e in plan if e["event"] in ("complain", "fail"))
    after = at - start
    label = f"{word} complains after {after:.2f} s, predicted {due['at_s']} s"
    if abs(after - due["at_s"]) <= COMPLAIN_S:
        return (label, "ok", "")
    if due["at_s"] <= after <= due["latest_s"] + COMPLAIN_S:
        return (label, "exception", LATE)
    return (label, "not ok", "")


def clients(exe, top):
    for capture in sorted(top.rglob("capture.pcap*")):
        if capture.parent.name.startswith("client"):
            yield Client(exe, capture.parent)


def checks(exe, tops):
    for top in tops:
        for client in clients(exe, top):
            where = client.folder.relative_to(top.parent)
            for call in client.calls:
                # NFSv4 sends nothing again on a connection that stands: no timer is seen there.
                if call["retransmissions"] and (call["program"], call["version"]) in ((NLM, 4), (NFS, 3)):
                    for check in retransmissions(client, call):
                        yield where, check
            for at, word in client.complaints():
                yield where, complaint(client, at, word)


def main():
    exe = sys.argv[1]
    tops = [ROOT / "samples", ROOT / "tests" / "cases"]
    outside = os.environ.get("NFSLEUTH_EVIDENCE")
    if outside:
        tops.append(pathlib.Path(outside))
    number = failed = compared = 0
    for where, (label, verdict, why) in checks(exe, tops):
        number += 1
        failed += verdict == "not ok"
        compared += verdict in ("ok", "not ok", "exception")
        words = {"skip": " # SKIP ", "exception": " # exception: "}.get(verdict, " # " if why else "")
        ok = "not ok" if verdict == "not ok" else "ok"
        print(f"{ok} {number} - {where}: {label}{words}{why}", flush=True)
    number += 1
    enough = compared >= 4  # those of the repository itself
    print(f"{'ok' if enough else 'not ok'} {number} - {compared} times were compared")
    if not outside:
        number += 1
        print(f"ok {number} - evidence outside of the repository # SKIP NFSLEUTH_EVIDENCE is not set")
    print(f"1..{number}")
    sys.exit(bool(failed or not enough))


if __name__ == "__main__":
    main()
