#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The tools of tests/sim do what they say: captures survive them, checksums are right. TAP."""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from sim import mix, mutations, nfs, packet, pcapfile  # noqa: E402
from sim.mutate import mutate  # noqa: E402
from sim.stream import streams_of  # noqa: E402

CASES = pathlib.Path(__file__).resolve().parent.parent / "cases"
SERVER = CASES / "A1-v42-soft" / "server" / "capture.pcap.xz"

# Operations after which all messages are still there, as many as before.
WHOLE = [
    ["addresses"], ["ports"], ["ipv6"], ["owners"], ["owners:longer=7"], ["owners:longer=-3"],
    ["same-owner-host"], ["verifiers"], ["xids"], ["clientids"], ["other-server"], ["clock"],
    ["server-port"], ["resegment"], ["duplicate"], ["link:kind=sll"], ["link:kind=sll2"],
    ["link:kind=raw"], ["ipv6", "link:kind=vlan"], ["pcapng:big_endian=1"], ["big-endian"],
    ["nanoseconds", "pcapng"],
]  # fmt: skip


def messages(cap):
    """How many records the streams hold, and the names in them."""
    streams = streams_of(mutations.packets_of(cap))
    return sum(1 for s in streams for _ in nfs.records(s)), nfs.find_names(streams)


def checksums_right(cap):
    for p in mutations.packets_of(cap):
        if p is not None and not p.missing and not p.sum_unfilled:
            l4 = packet._build_l4(p)
            if packet.checksum(l4, packet.pseudo_sum(p, len(l4))) not in (0, 0xFFFF):
                return False
    return True


def reread(cap):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "x.pcap.gz"
        pcapfile.write(path, cap)
        return pcapfile.read(path)


def check_identity(cap):
    same = mutations.rebuild(cap, mutations.packets_of(cap))
    return all(a.data == b.data and a.wire == b.wire for a, b in zip(cap.frames, same.frames))


def check_whole(cap, ops, wanted):
    new = reread(mutate(cap, ops))
    count, names = messages(new)
    return count == wanted and len(names.owners) == 42 and checksums_right(new)


def check_rename(cap):
    new = mutate(cap, ["owners:seed=4:longer=6"])
    _, names = messages(new)
    hosts = {p.value for p in names.machines}
    return len(hosts) == 1 and {p.value.split()[-1] for p in names.owners} == hosts


def check_repeat(cap, wanted):
    new = mutate(cap, ["repeat:times=3"])
    times = [f.t for f in new.frames]
    return messages(new)[0] == 3 * wanted and times == sorted(times)


def check_healthy(cap):
    source = CASES / "A4-all" / "server" / "capture.pcap.xz"
    new = mix.healthy(cap, str(source), clients=4)
    owners = {p.value for p in messages(new)[1].owners}
    return len(owners) >= 5 and checksums_right(new)


def main():
    cap = pcapfile.read(SERVER)
    wanted, names = messages(cap)
    tests = [
        ("the evidence has its messages", wanted == 1334 and len(names.owners) == 42),
        ("parsed and built again, frames are the same", check_identity(cap)),
        ("renaming is consistent", check_rename(cap)),
        ("repeated traffic is whole and in order", check_repeat(cap, wanted)),
        ("healthy clients can be mixed in", check_healthy(cap)),
    ]
    tests += [("whole after " + " ".join(ops), check_whole(cap, ops, wanted)) for ops in WHOLE]
    print(f"1..{len(tests)}")
    for i, (name, ok) in enumerate(tests, 1):
        print(f"{'ok' if ok else 'not ok'} {i} - {name}")
    sys.exit(0 if all(ok for _, ok in tests) else 1)


if __name__ == "__main__":
    main()
