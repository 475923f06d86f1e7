#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The arithmetic of timeouts against real kernels: what captures and logs show. Prints TAP.

For each host with a capture: calls that were sent again under their XID, and lines "not responding" in
the log beside it; and for each log with RPC debug lines, captures or not, what a task did. `nfsleuth
timeouts` (lockd, or with the mount's options) must say so, for the host's kernel; where nothing tells
the kernel, one of its schedules must agree with all:

    a retransmission  within 1 s of the time predicted, counted from the first transmission
    a complaint       within 2 s, counted from the call that waited; where none was on the wire, from
                      the first attempt to connect for it that got nowhere, or from the time at which
                      the laboratory asked for the lock (truth.json)

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
DEBUG = re.compile(r"^\[ *(\d+\.\d+)\] RPC: +(\d+) (call_transmit|setting alarm for (\d+) ms)")
UPTIME = re.compile(r"^\[ *(\d+\.\d+)\] ")
STAMPS = [  # dmesg --time-format iso, dmesg -T, syslog; all in UTC in the laboratory
    (re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d),(\d{6})\+00:00 "), "%Y-%m-%dT%H:%M:%S", 0),
    (re.compile(r"^\[(\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4})\]() "), "%a %b %d %H:%M:%S %Y", 0),
    (re.compile(r"^(\w{3} +\d+ \d\d:\d\d:\d\d)() \S+ kernel: "), "%b %d %H:%M:%S", 0.5),
]
LATE = "an alarm is late: the timer wheel's grain, up to an eighth of its length"
NOTED = ("sim-incident2-synack-ignored-complaint", "sim-incident2-link-down-complaint")
HELD = "TCP could not deliver: all copies are in one segment, sent when the link was back"
AGAIN = "a second complaint before an OK: counted from what the first one changed, which nothing shows"
NOTE_S, NOTE = 5.12, (
    "the note's 4.19, and a call that was never sent: its one alarm of 60 s may be 5.12 s late (6000 ticks"
    " at 100 Hz, where the timer wheel's grain is 512)")  # fmt: skip
NOTE_STEP = (
    "the note's 4.19, and a call that waited 75 s for its connection: minor timeouts had passed before it"
    " was sent, the alarm after that is the fourth step, 40 s")  # fmt: skip


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


class Host:
    """A capture, and what lies beside it: `logs` are the texts of its log, the finest first."""

    def __init__(self, exe, name, capture, logs, told, options=""):
        self.exe, self.name, self.capture, self.logs, self.options = exe, name, capture, logs, options
        self.told = told  # what may name the kernel
        self.asked = []  # when the laboratory asked for a lock
        self.calls = [json.loads(line) for line in ask(exe, "show", "calls", "--json",
                                                       capture).splitlines()]

    def complaints(self):
        """[(seconds, how exact, program, whether another one stood)], of the log with the finest times."""
        for text in self.logs:
            found, standing = [], set()
            for line in text.splitlines():
                said = COMPLAINT.search(line)
                if re.search(r"(lockd|nfs): server \S+ OK", line):
                    standing.clear()
                for pattern, form, half in STAMPS if said else []:
                    stamp = pattern.match(line)
                    if stamp:
                        at = self.in_year(stamp[1], form) + int(stamp[2] or 0) / 1e6 + half
                        found.append((at, half, said[1], said[1] in standing))
                        standing.add(said[1])
            if found:
                return found
        return []

    def in_year(self, text, form):
        """Seconds since 1970; the capture tells the year where the line does not."""
        if "%Y" not in form:
            first = next((c["time"] for c in self.calls if c["time"]), "1970")
            text, form = f"{first[:4]} {text}", f"%Y {form}"
        return datetime.datetime.strptime(text, form).replace(tzinfo=datetime.timezone.utc).timestamp()

    def kernel(self):
        """The alternative of `nfsleuth timeouts` that this host's kernel is."""
        version = re.search(r"\b(\d+)\.(\d+)\.(\d+)-", self.told) or re.search(
            r'"kernel": "(\d+)\.(\d+)\.(\d+)', self.told)  # fmt: skip
        if not version:
            return None
        major, minor, _ = map(int, version.groups())
        # Debian's 5.10 of the laboratory is 5.10.262: with 09252177d5f9.
        if (major, minor) >= (5, 13) or (major, minor) == (5, 10):
            return "since-5.13"
        return "before-5.2" if (major, minor) < (5, 2) else None

    def schedule(self, program):
        words = ["lockd"] if program == NLM else [self.options]
        kernel = self.kernel()
        if not words[0] or not kernel:
            return None
        return [e for e in schedule_of(self.exe, *words) if kernel in e["kernels"]]

    def attempt(self, before):
        """When the last row of attempts in vain, to reach the portmapper or a lock manager, began."""
        lines = ask(self.exe, "show", "conns", "--json", self.capture).splitlines()
        rows = [c for c in map(json.loads, lines)
                if not c["server"].endswith(":2049") and c["syns"] and not c["completeness"] & 4]
        firsts = [seconds(c["first"]) for c in rows if seconds(c["first"]) < before]
        return min(firsts, default=None)

    def asked_before(self, at):
        """The last time at which the laboratory asked for a lock, which was to wait for 60 s and more."""
        return max((t for t in self.asked if t < at - 30), default=None)


def schedule_of(exe, *words):
    return json.loads(ask(exe, "timeouts", "--json", "--until=1000", *words))["schedule"]


def frame_times(host, frames):
    """When the frames were seen, in seconds since 1970: of the capture itself."""
    all_frames = pcapfile.read(str(host.capture)).frames
    return [all_frames[number - 1].t / 1e9 for number in frames]


def retransmissions(host, call):
    """[(what is compared, ok | not ok | exception | skip, why)] of one call."""
    frames = call["retransmissions"]
    start = seconds(call["time"])
    plan = host.schedule(call["program"])
    name = f"{call['program_name']} {call['procedure_name']} {call['xid']}"
    if not plan:
        return [(name, "skip", "no mount options, or no kernel version, beside the capture")]
    if len(frames) > 1 and len(set(frames)) == 1:
        return [(name, "exception", HELD)]
    out = []
    due = [e for e in plan if e["event"] == "retransmit"]
    for number, (frame, at) in enumerate(zip(frames, frame_times(host, frames))):
        after, want = at - start, due[number]
        label = f"{name} again #{number + 1}: {after:.2f} s, predicted {want['at_s']} s"
        if abs(after - want["at_s"]) <= RETRANSMIT_S:
            out.append((label, "ok", ""))
        elif want["at_s"] <= after <= want["latest_s"]:
            out.append((label, "exception", LATE))
        else:
            out.append((label, "not ok", f"frame {frame}"))
    return out


def waiting_since(host, program, at):
    """When the call began that waited at this time."""
    firsts = [
        seconds(c["time"]) for c in host.calls
        if c["program"] == program and c["time"] and seconds(c["time"]) < at
        and (not c["reply_time"] or seconds(c["reply_time"]) > at)
    ]  # fmt: skip
    if firsts:
        return min(firsts)
    start = host.attempt(at)
    return host.asked_before(at) if start is None else start


def complaint(host, at, half, word):
    """`half`: a stamp of whole seconds is so much off, at most, when its middle is taken."""
    program = {"lockd": NLM, "nfs": NFS}[word]
    plan = host.schedule(program)
    start = waiting_since(host, program, at)
    if not plan or start is None:
        return (f"{word} complains", "skip", "nothing to count from")
    due = next(e for e in plan if e["event"] in ("complain", "fail"))
    after = at - start
    label = f"{word} complains after {after:.2f} s, predicted {due['at_s']} s"
    if abs(after - due["at_s"]) <= COMPLAIN_S + half:
        return (label, "ok", "")
    if due["at_s"] <= after <= due["latest_s"] + COMPLAIN_S + half:
        return (label, "exception", LATE)
    return (label, "not ok", "")


def task_of(text):
    """What a log's RPC debug lines tell of a task that waited for an answer until the log complains:
    ([seconds of each transmission], [alarms in seconds], seconds of the complaint), or None."""
    tasks = {}
    for line in text.splitlines():
        told = DEBUG.match(line)
        if told:
            sent, alarms = tasks.setdefault(told[2], ([], []))
            if told[4]:
                alarms.append(int(told[4]) / 1000)
            else:
                sent.append(float(told[1]))
        if COMPLAINT.search(line):
            waited = [t for t in tasks.values() if len(t[0]) > 1 and t[1]]
            stamp = UPTIME.match(line)
            if waited and stamp:
                return (*waited[-1], float(stamp[1]))
    return None


def debug_checks(exe, text):
    """The schedule that agrees with what the log tells of a task, and each time compared with it."""
    task = task_of(text)
    if not task:
        return
    sent, alarms, complained = task
    seen = [*((t - sent[0], "retransmit", RETRANSMIT_S) for t in sent[1:]),
            (complained - sent[0], "complain", COMPLAIN_S)]  # fmt: skip
    plan = schedule_of(exe, "lockd")
    agree = []
    for kernel in sorted({k for e in plan for k in e["kernels"]}):
        until = [e for e in plan if kernel in e["kernels"] and e["event"] != "transmit"]
        end = next(i for i, e in enumerate(until) if e["event"] == "complain") + 1
        due = until[:end]
        if [e["event"] for e in due] == [what for _, what, _ in seen] and all(
            abs(at - e["at_s"]) <= most for (at, _, most), e in zip(seen, due)
        ):
            agree.append((kernel, due))
    told = ", ".join(f"{a:g}" for a in alarms)
    if not agree:
        yield (f"alarms of {told} s: no kernel's schedule agrees", "not ok", "")
        return
    kernel, due = agree[0]
    for (at, what, _), e in zip(seen, due):
        yield (f"alarms of {told} s, {what} after {at:.2f} s, predicted {e['at_s']} s ({kernel})", "ok", "")


def note_checks(exe, folder):
    """The note's hosts are played by scenes with its times: what it tells, in the order of the note."""
    host = Host(exe, folder.name, folder / "capture.pcap",
                [(folder / "dmesg.txt").read_text()], "4.19.0-")  # fmt: skip
    for at, half, word, _ in host.complaints():
        start = host.attempt(at)
        after = at - start
        label = f"{word} complains after {after:.2f} s, predicted 60 s"
        late = COMPLAIN_S + half < after - 60 <= NOTE_S
        near = abs(after - 60) <= COMPLAIN_S + half
        yield (label, "ok" if near else "exception" if late else "not ok", NOTE if late else "")
    for call in host.calls:
        for at in frame_times(host, call["retransmissions"]):
            after = at - seconds(call["time"])
            step = 40 <= after <= 40 * 9 / 8
            yield (f"NLM {call['procedure_name']} again: {after:.2f} s", "exception" if step else "not ok",
                   NOTE_STEP)  # fmt: skip


def text_of(*paths):
    return "".join(p.read_text(errors="replace") for p in paths if p.is_file())


def hosts_of(exe, top):
    """Folders clientN with a capture, and cases with clientN.pcap or server.pcap beside a log."""
    for capture in sorted(top.rglob("capture.pcap*")):
        folder = capture.parent
        if folder.name.startswith("client"):
            names = ("dmesg-iso.txt", "dmesg-T.txt", "dmesg.txt")
            told = text_of(folder / "uname.txt", folder / "dmesg.txt", folder / "truth.json",
                           folder.parent / "truth.json")  # fmt: skip
            yield Host(exe, folder.relative_to(top.parent), capture,
                       [text_of(folder / n) for n in names], told,
                       text_of(folder / "nfsstat-m.txt"))  # fmt: skip
    for log in sorted(top.glob("*/*.log")):
        captures = sorted(log.parent.glob(f"{log.stem}.pcap*"))
        if not captures or not COMPLAINT.search(text_of(log)):
            continue
        truth = json.loads(text_of(log.parent / "truth.json") or "{}")
        kernel = truth.get("guests", {}).get(log.stem, {}).get("kernel", "")
        host = Host(exe, log.with_suffix("").relative_to(top.parent), captures[0], [text_of(log)], kernel)
        host.asked = [seconds(e["at"]) for e in truth.get("events", [])
                      if e["what"].startswith(f"{log.stem} asks for the lock")]  # fmt: skip
        yield host


def host_checks(host):
    for call in host.calls:
        # NFSv4 sends nothing again on a connection that stands: no timer is seen there.
        if call["retransmissions"] and (call["program"], call["version"]) in ((NLM, 4), (NFS, 3)):
            yield from retransmissions(host, call)
    for at, half, word, stood in host.complaints():
        yield (f"{word} complains", "exception", AGAIN) if stood else complaint(host, at, half, word)


def checks(exe, tops):
    for top in tops:
        for host in hosts_of(exe, top):
            for check in host_checks(host):
                yield host.name, check
        for path in sorted([*top.rglob("*.txt"), *top.rglob("*.log")]):
            text = text_of(path)
            for check in debug_checks(exe, text) if "setting alarm for" in text else []:
                yield path.relative_to(top.parent), check
    for name in NOTED:
        for check in note_checks(exe, ROOT / "tests" / "cases" / name):
            yield f"cases/{name}", check


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
    enough = compared >= 30  # those of the repository itself
    print(f"{'ok' if enough else 'not ok'} {number} - {compared} times were compared")
    if not outside:
        number += 1
        print(f"ok {number} - evidence outside of the repository # SKIP NFSLEUTH_EVIDENCE is not set")
    print(f"1..{number}")
    sys.exit(bool(failed or not enough))


if __name__ == "__main__":
    main()
