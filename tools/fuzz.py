#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the fuzz targets of build/fuzz, some at once, and keeps account of what they did. Prints TAP.

    fuzz.py run SECONDS    each target for SECONDS; --seed N: as it was with N before, as far as time allows
    fuzz.py hours HOURS    slices in turn until each target has had HOURS of processor time since the
                           account began; can be interrupted and called again
    fuzz.py merge          drops what adds no coverage from build/fuzz/learnt, and copies small inputs that
                           reach code which tests/corpus does not to tests/corpus
    fuzz.py table          the account as a table of Markdown

A target starts from tests/corpus/NAME and from what earlier runs learnt (build/fuzz/learnt/NAME); `report` from the
incidents of tests/cases besides, of which a short run takes some. An input that
kills it goes to build/fuzz/found/NAME, and the exit status is 1. The account is build/fuzz/hours.tsv. Nothing goes
to git by itself; docs/fuzzing.md tells what to do with a crash.
"""
import argparse
import concurrent.futures
import gzip
import lzma
import os
import random
import re
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "fuzz"
ACCOUNT = BUILD / "hours.tsv"
COLUMNS = ("cpu_seconds", "executions", "edges", "inputs", "crashes", "peak_mb")
ENV = {**os.environ, "ASAN_OPTIONS": "exitcode=99",
       "UBSAN_OPTIONS": "exitcode=99:halt_on_error=1:print_stacktrace=1"}
# Wall time an input, in seconds: an idle-class process of a busy machine may wait for most of it.
TIMEOUT = 30
RSS_LIMIT_MB = 1024
# A feature met fewer times than this is rare to libFuzzer, which searches the list of them for each feature of a run:
# with its 255, half of the time of the targets with many features.
RARE = 4
# What merge brings to tests/corpus: small inputs only, and no more than this for a target.
KEEP_FILE_BYTES = 2048
KEEP_TOTAL_BYTES = 48 * 1024

# Incidents of tests/cases as seeds for `report`, which takes files with this line between them.
SEED_TARGET = "report"
SEED_MARK = b"\n%%%%\n"
SEED_FILES_MAX = 8
SEED_FILE_BYTES = 96 * 1024
SEEDS_PER_MINUTE = 60

lock = threading.Lock()


@dataclass
class Slice:
    """What one run of a target came to."""

    passed: bool
    cpu: float
    executions: int
    edges: int
    inputs: int
    peak_mb: int
    log: Path


def targets(only):
    folder = BUILD / "tests" / "fuzz"
    names = sorted(p.name[len("fuzz_"):] for p in folder.glob("fuzz_*") if p.is_file() and os.access(p, os.X_OK))
    unknown = set(only) - set(names)
    if unknown or not names:
        sys.exit(f"fuzz: no target {', '.join(sorted(unknown)) or 'at all'} in {folder} (make fuzz builds them)")
    return [name for name in names if not only or name in only]


def folders(name):
    """Where a target writes, then what it reads besides."""
    learnt = BUILD / "learnt" / name
    for folder in (learnt, BUILD / "found" / name, BUILD / "log"):
        folder.mkdir(parents=True, exist_ok=True)
    corpus = ROOT / "tests" / "corpus" / name
    return [learnt] + ([corpus] if corpus.is_dir() else [])


def command(name, *words):
    dictionary = ROOT / "tests" / "fuzz" / f"{name}.dict"
    return [BUILD / "tests" / "fuzz" / f"fuzz_{name}", *([f"-dict={dictionary}"] if dictionary.exists() else []),
            f"-timeout={TIMEOUT}", f"-rss_limit_mb={RSS_LIMIT_MB}", f"-entropic_feature_frequency_threshold={RARE}",
            f"-artifact_prefix={BUILD / 'found' / name}/", *words]


def last_number(pattern, text):
    found = re.findall(pattern, text, re.MULTILINE)
    return int(found[-1]) if found else 0


def unpacked(path):
    data = path.read_bytes()
    unpack = {".xz": lzma.decompress, ".gz": gzip.decompress}.get(path.suffix)
    return unpack(data) if unpack else data


def beginning(data):
    """Whole packets matter little; whole lines do."""
    cut = data[:SEED_FILE_BYTES]
    if len(cut) == len(data) or b"\0" in cut[:64]:
        return cut
    return cut[:cut.rfind(b"\n") + 1]


def make_seeds():
    """The incidents of tests/cases, each cut small, as inputs of `report`; the folder."""
    folder = BUILD / "seeds" / SEED_TARGET
    with lock:
        if not folder.exists():
            unfinished = folder.with_name("unfinished")
            unfinished.mkdir(parents=True, exist_ok=True)
            for case in sorted(p for p in (ROOT / "tests" / "cases").iterdir() if p.is_dir()):
                files = sorted(f for f in case.iterdir() if f.is_file() and f.suffix != ".json")[:SEED_FILES_MAX]
                seed = SEED_MARK.join(beginning(unpacked(f)) for f in files)
                (unfinished / case.name).write_bytes(seed)
            unfinished.rename(folder)
    return folder


def seeds_for(name, seconds, seed):
    """What is added to the command so that a run takes as many seeds as its time is worth."""
    if name != SEED_TARGET:
        return []
    seeds = sorted(make_seeds().iterdir())
    chosen = random.Random(seed or None).sample(seeds, min(len(seeds), 1 + SEEDS_PER_MINUTE * seconds // 60))
    listed = BUILD / "seeds" / f"{name}.list"
    listed.write_text(",".join(map(str, chosen)))
    return [f"-seed_inputs=@{listed}"]


def run_slice(name, seconds, seed):
    log = BUILD / "log" / name
    reads = folders(name)
    with open(log, "wb") as to:
        process = subprocess.Popen(command(name, f"-max_total_time={seconds}", "-print_final_stats=1",
                                           f"-seed={seed}", *seeds_for(name, seconds, seed), *reads),
                                   stdout=to, stderr=to, stdin=subprocess.DEVNULL, env=ENV)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    text = log.read_text(errors="replace")
    return Slice(passed=process.returncode == 0, cpu=usage.ru_utime + usage.ru_stime,
                 executions=last_number(r"^stat::number_of_executed_units:\s+(\d+)", text),
                 edges=last_number(r"\bcov: (\d+)", text), inputs=last_number(r"\bcorp: (\d+)", text),
                 peak_mb=usage.ru_maxrss // 1024, log=log)


def read_account():
    account = {}
    if ACCOUNT.exists():
        for line in ACCOUNT.read_text().splitlines()[1:]:
            name, *values = line.split("\t")
            account[name] = dict(zip(COLUMNS, map(float, values)))
    return account


def add_to_account(name, done):
    with lock:
        account = read_account()
        row = account.setdefault(name, dict.fromkeys(COLUMNS, 0))
        row["cpu_seconds"] += done.cpu
        row["executions"] += done.executions
        row["edges"] = done.edges or row["edges"]
        row["inputs"] = done.inputs or row["inputs"]
        row["crashes"] += not done.passed
        row["peak_mb"] = max(row["peak_mb"], done.peak_mb)
        text = "\t".join(("target", *COLUMNS)) + "\n"
        text += "".join("\t".join((n, *(f"{r[c]:.2f}".removesuffix(".00") for c in COLUMNS))) + "\n" for n, r in sorted(account.items()))
        unfinished = ACCOUNT.with_suffix(".new")
        unfinished.write_text(text)
        unfinished.replace(ACCOUNT)


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def say(self, name, done):
        with lock:
            self.count += 1
            self.failed += not done.passed
            told = f"{name}: {done.executions} runs, {done.cpu:.0f} s, {done.edges} edges, {done.inputs} inputs, " \
                   f"{done.peak_mb} MB"
            if not done.passed:
                for line in done.log.read_text(errors="replace").splitlines()[-30:]:
                    print(f"# {line}")
            print(f"{'' if done.passed else 'not '}ok {self.count} - {told}", flush=True)

    def end(self):
        print(f"1..{self.count}")
        return 1 if self.failed else 0


def in_turn(work, jobs, tap, seed=0):
    """Each (name, seconds) of work, some at once. seed 0: another one each time."""
    def one(item):
        done = run_slice(*item, seed)
        add_to_account(item[0], done)
        tap.say(item[0], done)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, work))


def do_run(args):
    tap = Tap()
    in_turn([(name, args.seconds) for name in targets(args.only)], args.jobs, tap, args.seed)
    return tap.end()


def do_hours(args):
    tap = Tap()
    wanted = args.hours * 3600
    broken = set()
    while True:
        account = read_account()
        short = {name: wanted - account.get(name, {}).get("cpu_seconds", 0) for name in targets(args.only)}
        # What was learnt last lies least ahead: those with the least time come first.
        work = [(name, int(min(args.slice, max(lack, 1))))
                for name, lack in sorted(short.items(), key=lambda item: -item[1]) if lack > 0 and name not in broken]
        if not work:
            return tap.end()
        before = {name: row["crashes"] for name, row in account.items()}
        in_turn(work, args.jobs, tap)
        after = read_account()
        broken |= {name for name, _ in work if after[name]["crashes"] > before.get(name, 0)}


def merge_learnt(name, learnt, corpus):
    """Without what adds nothing to the committed corpus and the rest."""
    with tempfile.TemporaryDirectory(dir=BUILD) as fresh:
        done = subprocess.run(command(name, "-merge=1", fresh, *corpus, learnt), capture_output=True, env=ENV)
        if done.returncode:
            return False
        committed = {f.name for folder in corpus for f in folder.iterdir()}
        kept = {f.name for f in Path(fresh).iterdir()}
        for old in learnt.iterdir():
            if old.name not in kept:
                old.unlink()
        for new in Path(fresh).iterdir():
            if new.name not in committed and not (learnt / new.name).exists():
                new.rename(learnt / new.name)
    return True


def keep_small(name, learnt):
    """Copies inputs to tests/corpus that reach edges which nothing there reaches; how many."""
    corpus = ROOT / "tests" / "corpus" / name
    corpus.mkdir(parents=True, exist_ok=True)
    before = {f.name: f.stat().st_size for f in corpus.iterdir()}
    room = KEEP_TOTAL_BYTES - sum(size for kept, size in before.items() if kept.startswith("learnt-"))
    with tempfile.TemporaryDirectory(dir=BUILD) as small, tempfile.TemporaryDirectory(dir=BUILD) as trial:
        for file in learnt.iterdir():
            if file.stat().st_size <= KEEP_FILE_BYTES:
                os.link(file, Path(small) / file.name)
        for file in corpus.iterdir():
            (Path(trial) / file.name).write_bytes(file.read_bytes())
        # Edges, not how often each was passed: else the corpus is ten times as large and tells no more.
        subprocess.run(command(name, "-merge=1", "-use_counters=0", trial, small), capture_output=True, env=ENV)
        added = 0
        for file in sorted((f for f in Path(trial).iterdir() if f.name not in before), key=lambda f: f.stat().st_size):
            if file.stat().st_size > room:
                break
            room -= file.stat().st_size
            (corpus / f"learnt-{file.name[:12]}").write_bytes(file.read_bytes())
            added += 1
    if not any(corpus.iterdir()):
        corpus.rmdir()
    return added


def do_merge(args):
    failed = 0
    names = targets(args.only)
    for number, name in enumerate(names, 1):
        learnt, *corpus = folders(name)
        before = sum(1 for _ in learnt.iterdir())
        good = merge_learnt(name, learnt, corpus)
        added = keep_small(name, learnt) if good else 0
        failed += not good
        print(f"{'' if good else 'not '}ok {number} - {name}: {before} inputs, {sum(1 for _ in learnt.iterdir())} "
              f"are kept, {added} went to tests/corpus", flush=True)
    print(f"1..{len(names)}")
    return 1 if failed else 0


def do_table(_args):
    print("| Target | CPU minutes | Executions | Edges reached | Inputs kept | Peak MB | Crashes |")
    print("|---|---|---|---|---|---|---|")
    for name, row in sorted(read_account().items()):
        print(f"| `{name}` | {row['cpu_seconds'] / 60:.0f} | {row['executions']:,.0f} | "
              f"{row['edges']:,.0f} | {row['inputs']:,.0f} | {row['peak_mb']:.0f} | {row['crashes']:.0f} |")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ways = parser.add_subparsers(dest="way", required=True)
    for name, what in (("run", do_run), ("hours", do_hours), ("merge", do_merge), ("table", do_table)):
        way = ways.add_parser(name)
        way.set_defaults(do=what)
        if name == "run":
            way.add_argument("seconds", type=int)
            way.add_argument("--seed", type=int, default=0, metavar="N", help="0 (default): another one each time")
        if name == "hours":
            way.add_argument("hours", type=float)
            way.add_argument("--slice", type=int, default=300, metavar="SECONDS")
        if name in ("run", "hours"):
            way.add_argument("--jobs", "-j", type=int, default=os.cpu_count(), help="so many at once")
        if name != "table":
            way.add_argument("--only", action="append", default=[], metavar="TARGET")
    args = parser.parse_args()
    sys.exit(args.do(args))


if __name__ == "__main__":
    main()
