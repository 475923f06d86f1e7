#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The score: every case with an expect.json is diagnosed, and so are its variants. Prints TAP.

right    headline, findings and confidence are as expected
silent   something expected is not said; never an error of a variant that may be silent
wrong    a cause that is not there, a headline that it may not be, more certainty than there can be

A case is a folder with expect.json (a list of readings: files, headline, found, also,
confidence_max; also_if_cut: {id: most confidence} for what a damaged capture can no longer rule
out; issue: the stage of the work that reads it, 1 if it is not told). A run fails when anything is
wrong, when the program ends badly, when a reading of a case in the repository is silent, or when a
variant differs from its original where it must not. A reading above --stage is run and shown, as
later: only a bad end of the program counts there.

twins.json names, for each id, a case that says it and its twin: a case as near as possible that must
not say it. Where both are run, that is judged as well, by what they said.

More cases, outside the repository, are named by NFSLEUTH_EVIDENCE or --evidence: "extra" in the
output, and they may be silent.
"""
import argparse
import glob
import hashlib
import json
import multiprocessing
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from cases.variants import BESIDE_TEXTS, CAUSES, LESS, LOSES_ICMP, SAME, variants_for  # noqa: E402
from sim import mix, pcapfile  # noqa: E402
from sim.mutate import mutate  # noqa: E402

HEALTHY = HERE / "A4-all" / "server" / "capture.pcap.xz"
TWINS = json.loads((HERE / "twins.json").read_text())
LEVELS = ["possible", "likely", "certain"]
SMALL_BYTES = 150_000  # of captures in memory: larger ones are repeated less often
TIMEOUT_S = 120


@dataclass
class Job:
    """A reading, or a variant of one."""

    name: str
    files: list  # paths
    reading: dict
    variant: object = None
    outside: bool = False  # evidence that is not in the repository: may be silent
    later: bool = False  # of a later stage of the work: shown, and not judged


@dataclass
class Said:
    """What a report says, as far as it is judged."""

    headline: str = None
    role: str = None
    causes: tuple = ()  # (id, confidence), sorted
    found: frozenset = frozenset()
    error: str = ""


def ask(exe, files):
    """Runs the diagnosis; a crash or an unreadable answer is an error."""
    try:
        done = subprocess.run(
            [exe, "diagnose", "--json", *files], capture_output=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Said(error=f"no answer in {TIMEOUT_S} s")
    if done.returncode not in (0, 1, 3):
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return Said(error=f"exit status {done.returncode} {' '.join(last)}")
    try:
        report = json.loads(done.stdout)
    except ValueError as e:
        return Said(error=f"exit status {done.returncode}, no JSON: {e}")
    return said_by(report, done.returncode)


def said_by(report, status):
    findings = report["findings"]
    causes = sorted({(f["id"], f["confidence"]) for f in findings if f["role"] == "cause"})
    headline = report["headline"]
    roles = {f["role"] for f in findings if f["id"] == headline}
    said = Said(headline, min(roles, default=None), tuple(causes), frozenset(f["id"] for f in findings))
    some = any(f["role"] != "context" for f in findings)
    if status != 3 and status != (1 if some else 0):
        said.error = f"exit status {status} with {len(findings)} findings"
    return said


def judge(reading, said, may_be_silent=False):
    """("right" | "silent" | "wrong", why)."""
    allowed = reading["headline"]
    top = reading.get("confidence_max", "certain")
    limits = {cause: top for cause in [*allowed, *reading.get("also", [])]}
    if may_be_silent:
        limits.update(reading.get("also_if_cut", {}))
        allowed = list(limits)
    for cause, confidence in said.causes:
        if cause not in limits:
            return "wrong", f"says {cause} ({confidence})"
        if LEVELS.index(confidence) > LEVELS.index(limits[cause]):
            return "wrong", f"{cause} is {confidence}, at most {limits[cause]}"
    if said.headline not in allowed:
        less = said.role == "symptom" and (may_be_silent or allowed != [None])
        verdict = "silent" if said.headline is None or less else "wrong"
        return verdict, f"headline {said.headline}, not {allowed}"
    missing = set(reading.get("found", [])) - said.found
    if missing:
        return "silent", f"without {', '.join(sorted(missing))}"
    return "right", ""


def compare(variant, original, said):
    """Why a variant is not judged as its original was, or an empty string; not for LESS."""
    ids = lambda s: sorted({c for c, _ in s.causes})
    if original.headline == "net-unreachable" and variant.name in LOSES_ICMP:
        return ""
    if (said.headline, ids(said)) != (original.headline, ids(original)):
        return (
            f"headline {said.headline}, causes {ids(said)};"
            f" original {original.headline}, {ids(original)}"
        )
    if variant.holds == SAME and said.causes != original.causes:
        return f"{said.causes}; original {original.causes}"
    return ""


def of_one_client(job):
    """Whether all captures were taken at a client: there, other clients of the server are not seen.
    Mixed in, they make it a capture that would have seen the one it is about, too."""
    return all(pathlib.Path(p).parent.name.startswith("client") for p in job.files)


def mutated(job, folder):
    """The files of a job, changed as its variant wants and written below `folder`."""
    out = []
    for i, path in enumerate(job.files):
        if ".pcap" not in path:
            beside = os.path.join(folder, os.path.basename(path))
            shutil.copyfile(path, beside)
            out.append(beside)
            continue
        server_only = job.variant.server_only and len(job.files) > 1 and "server" not in path
        cap = mutate(pcapfile.read(path), () if server_only else job.variant.ops)
        new = os.path.join(folder, f"{i}-{os.path.basename(path).split('.')[0]}.pcap")
        pcapfile.write(new, cap)
        out.append(new)
    return out


def run_job(args):
    """(what was said, verdict, why): runs in a worker."""
    exe, job, original = args
    if job.variant is None:
        said = ask(exe, job.files)
        verdict, why = judge(job.reading, said)
    else:
        with tempfile.TemporaryDirectory(prefix="nfsleuth-case-") as folder:
            said = ask(exe, mutated(job, folder))
        hidden = job.variant.hides and "also_if_cut" in job.reading
        stranger = job.variant.server_only and of_one_client(job)
        less = job.variant.holds == LESS or hidden or stranger
        verdict, why = judge(job.reading, said, may_be_silent=less)
        if not less and verdict != "wrong" and not said.error:
            differs = compare(job.variant, original, said)
            verdict, why = ("differs", differs) if differs else (verdict, why)
    if said.error:
        verdict, why = "failed", said.error
    return said, verdict, why


def disputed(folder, reading):
    """Why a reading of evidence from elsewhere is not judged as it stands, or None."""
    texts = [(folder / f).read_text(errors="replace") for f in reading["files"] if f.endswith(".txt")
             and (folder / f).is_file()]  # fmt: skip
    if reading["headline"] == [None] and any(re.search(r"NFS: .*lost \d+ locks", t) for t in texts):
        return "it wants nothing said, but this log tells of lost locks: a symptom with its own id"
    return None


def fault_of_pair(wanted, row, said):
    """What is wrong with a case and its twin by what their readings said ({case: [ids of a reading]});
    None: they were not both run."""
    if row["case"] not in said or row["twin"] not in said:
        return None
    if not any(wanted in ids for ids in said[row["case"]]):
        return f"{row['case']} does not say it"
    return f"{row['twin']} says it" if any(wanted in ids for ids in said[row["twin"]]) else ""


def readings_of(folder, outside, stage):
    """The jobs of a case."""
    for i, reading in enumerate(json.loads((folder / "expect.json").read_text())):
        files = []
        for pattern in reading["files"]:
            found = folder.rglob("*") if pattern == "." else map(
                pathlib.Path, glob.glob(str(folder / pattern))
            )  # fmt: skip
            files += [p for p in found if p.is_file() and p.name not in ("truth.json", "expect.json")]
        files = sorted(str(p) for p in files)
        name = f"{'extra ' if outside else ''}{folder.name}[{i}]"
        why = disputed(folder, reading) if outside else None
        if why:
            print(f"# {name} is not judged: {why}")
        elif files:
            yield Job(name, files, reading, outside=outside, later=reading.get("issue", 1) > stage)


def cases_in(folder):
    return sorted(p.parent for p in pathlib.Path(folder).glob("*/expect.json"))


def variants_of(job, everything):
    """The variant jobs of a reading: all of them, or a fixed selection by the case's name."""
    captures = [pcapfile.read(p) for p in job.files if ".pcap" in p]
    texts = [os.path.basename(p) for p in job.files if ".pcap" not in p]
    if not captures or len(texts) != len(set(texts)):
        return
    size = sum(len(f.data) for c in captures for f in c.frames)
    span_ns = max(map(mix.span, captures))
    times = 100 if size < SMALL_BYTES else 8
    for v in variants_for(job.reading["headline"], HEALTHY, times, span_ns):
        if texts and v not in BESIDE_TEXTS:
            continue
        if not everything and not _chosen(job, v, size):
            continue
        yield Job(f"{job.name}+{v.name}", job.files, job.reading, v, job.outside)


def _chosen(job, variant, size):
    """The selection for every day: less of what is large, slow or alike; each variant is there."""
    if len([p for p in job.files if ".pcap" in p]) > 1:
        return variant.name in ("all-names", "snap-128", "loss-2")
    pick = hashlib.sha256(f"{job.name}/{variant.name}".encode()).digest()[0]
    share = 10 if job.name.startswith("sim-") else 16 if job.name.startswith("vm-") else 3
    if size > 2_000_000 or variant.slow:
        share *= 2
    return pick % share == 0


class Tap:
    """Numbers the lines and counts the verdicts."""

    def __init__(self):
        self.count, self.failed = 0, 0
        self.by_rule, self.verdicts = Counter(), Counter()

    def line(self, job, verdict, why):
        if job.later and verdict != "failed":
            verdict, why = "later", verdict + (why and f", {why}")
        ok = verdict in ("right", "later") or verdict == "silent" and (
            job.outside or job.variant is not None
        )  # fmt: skip
        self.count += 1
        self.failed += not ok
        self.verdicts[verdict] += 1
        rule = job.reading["headline"][0] or "(healthy)"
        self.by_rule[rule, verdict] += 1
        note = f" # {verdict}: {why}" if why else ""
        print(f"{'ok' if ok else 'not ok'} {self.count} - {job.name}{note}", flush=True)

    def twins(self, jobs, answers):
        """Judges the pairs of the table of which both were run."""
        said = {}
        for job, (answer, _, _) in zip(jobs, answers):
            if not job.outside:
                said.setdefault(job.name.partition("[")[0], []).append(answer.found)
        for wanted, row in sorted(TWINS.items()):
            why = fault_of_pair(wanted, row, said)
            if why is None:
                continue
            self.count += 1
            self.failed += bool(why)
            note = f" # {why}" if why else ""
            print(f"{'not ok' if why else 'ok'} {self.count} - {wanted} and its twin{note}", flush=True)

    def summary(self):
        kinds = ["right", "silent", "wrong", "differs", "failed", "later"]
        print(f"# {'rule':32}" + "".join(f"{k:>9}" for k in kinds))
        for rule in sorted({r for r, _ in self.by_rule}):
            print(f"# {rule:32}" + "".join(f"{self.by_rule[rule, k]:9}" for k in kinds))
        print(f"# {'all':32}" + "".join(f"{self.verdicts[k]:9}" for k in kinds))
        print(f"1..{self.count}")


def run(args, tap):
    outside = [p for p in args.evidence if pathlib.Path(p).is_dir()]
    for p in set(args.evidence) - set(outside):
        print(f"# {p} is not there: only the cases of the repository are run")
    jobs = [j for c in cases_in(HERE) for j in readings_of(c, False, args.stage)]
    jobs += [
        j for folder in outside for c in cases_in(folder) for j in readings_of(c, True, args.stage)
    ]
    jobs = [j for j in jobs if args.only in j.name]
    with multiprocessing.Pool(args.jobs) as pool:
        originals = pool.map(run_job, [(args.exe, j, None) for j in jobs], chunksize=1)
        for job, (_, verdict, why) in zip(jobs, originals):
            tap.line(job, verdict, why)
        tap.twins(jobs, originals)
        todo = [
            (args.exe, v, said)
            for job, (said, _, _) in zip(jobs, originals)
            if not said.error and not job.outside and not job.later and not args.no_variants
            for v in variants_of(job, args.all)
            if args.variant in v.name
        ]
        for (_, job, _), (_, verdict, why) in zip(todo, pool.imap(run_job, todo, chunksize=1)):
            tap.line(job, verdict, why)


def main():
    ap = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ap.add_argument("exe", help="the program")
    ap.add_argument("--all", action="store_true", help="all variants of all readings (long)")
    ap.add_argument("--no-variants", action="store_true")
    ap.add_argument("--only", default="", help="only cases with this in their names")
    ap.add_argument("--variant", default="", help="only variants with this in their names")
    ap.add_argument("--jobs", type=int, default=2)
    ap.add_argument("--evidence", action="append", help="a folder with more cases")
    ap.add_argument("--stage", type=int, default=7, help="judge readings up to this issue")
    args = ap.parse_args()
    named = os.environ.get("NFSLEUTH_EVIDENCE")
    args.evidence = args.evidence or ([named] if named else [])
    tap = Tap()
    run(args, tap)
    tap.summary()
    sys.exit(1 if tap.failed else 0)


if __name__ == "__main__":
    main()
