# SPDX-License-Identifier: GPL-2.0-or-later
"""Variants of a case: which mutations are tried, and what must hold for each.

SAME: headline, causes and their confidence are those of the original.
CAUSES: headline and causes are those of the original; the confidence may differ.
LESS: may become silent or less certain; never wrong.
"""
from dataclasses import dataclass

SAME, CAUSES, LESS = "same", "causes", "less"


@dataclass(frozen=True)
class Variant:
    name: str
    ops: tuple
    holds: str
    slow: bool = False  # makes many frames: only for cases small enough
    server_only: bool = False  # changes only what the server's capture sees
    hides: bool = False  # takes away what rules out the causes in a reading's also_if_cut


def _v(name, *ops, holds=SAME, **more):
    return Variant(name, ops, holds, **more)


FORMS = [
    _v("sll", "link:kind=sll"),
    _v("sll2", "link:kind=sll2"),
    _v("raw", "link:kind=raw"),
    _v("vlan", "link:kind=vlan"),
    _v("vxlan", "link:kind=vxlan"),
    _v("gre", "link:kind=gre"),
    _v("pcapng", "pcapng"),
    _v("pcapng-be", "pcapng:big_endian=1", "nanoseconds"),
    _v("big-endian", "big-endian"),
    _v("nanoseconds", "nanoseconds"),
]

NAMES = [
    _v("addresses", "addresses:seed=3"),
    _v("ports", "ports:seed=3"),
    _v("ipv6", "ipv6"),
    _v("ipv6-raw", "ipv6", "link:kind=raw"),
    _v("owners", "owners:seed=3"),
    _v("owners-longer", "owners:seed=3:longer=11"),
    _v("owners-shorter", "owners:seed=3:longer=-2"),
    _v("xids", "xids"),
    _v("clientids", "clientids"),
    _v("verifiers", "verifiers"),
    _v("clock-back", "clock:seconds=-20000000"),
    _v("clock-ahead", "clock:seconds=40000000"),
    _v("all-names", "addresses:seed=9", "ports:seed=9", "owners:seed=9:longer=4", "xids:seed=9"),
    _v("clock-wrong", "clock:seconds=-200000:embedded=0", holds=CAUSES, hides=True),
    _v("other-server", "other-server", holds=CAUSES, hides=True),
    _v("port-20049", "server-port:port=20049", holds=CAUSES),
    _v("port-3049", "server-port:port=3049", holds=CAUSES),
    _v("resegment", "resegment:size=100", holds=CAUSES),
    _v("duplicate", "duplicate:percent=5", holds=CAUSES),
]

DAMAGE = [
    _v("reorder", "reorder:percent=5", holds=LESS),
    _v("no-syn", "no-syn", holds=LESS),
    _v("snap-96", "snap:size=96", holds=LESS),
    _v("snap-128", "snap:size=128", holds=LESS),
    _v("snap-200", "snap:size=200", holds=LESS),
    _v("loss-2", "loss:percent=2:seed=5", holds=LESS),
    _v("loss-10", "loss:percent=10:seed=6", holds=LESS),
    _v("loss-40", "loss:percent=40:seed=7", holds=LESS),
    _v("calls-only", "one-direction:which=calls", holds=LESS),
    _v("replies-only", "one-direction:which=replies", holds=LESS),
    _v("cut-start", "cut:start=30", holds=LESS),
    _v("cut-half", "cut:start=50", holds=LESS),
    _v("cut-end", "cut:end=30", holds=LESS),
    _v("cut-end-90", "cut:end=90", holds=LESS),
    _v("loss-90", "loss:percent=90:seed=1", holds=LESS),
    _v("sample-10", "sample:every=10:first=1", holds=LESS),
    _v("copies-2", "copies:ms=2", holds=LESS),
    _v("cut-first", "cut:end=80", holds=LESS),
    _v("cut-last", "cut:start=80", holds=LESS),
    _v("cut-middle", "cut:start=30:end=50", holds=LESS),
    _v("loss-snap", "loss:percent=5:seed=8", "snap:size=128", holds=LESS),
]

# Logs and lists beside a capture name what it shows, and when: only what takes away from the capture
# leaves them as true as they were.
BESIDE_TEXTS = DAMAGE

# Healthy clients of the same server contradict nothing in these cases: elsewhere the server goes
# away, or they would tell a lease time that the case does not.
SAME_SERVER = {None, "nfs4-client-owner-collision", "nfs4-clientid-in-use"}

# ICMP and ARP keep their addresses and what they quote, or go, in these: they are neither TCP nor UDP.
LOSES_ICMP = {"addresses", "ports", "all-names", "ipv6", "ipv6-raw", "sll", "sll2", "raw", "vlan",
              "vxlan", "gre", "port-20049", "port-3049"}  # fmt: skip


def variants_for(headline, healthy_source, times, span_ns):
    """All variants of a case whose headline may be one of these ids; span_ns: its longest capture."""
    same_server = 1 if set(headline) <= SAME_SERVER else 0
    worlds = 0 if headline in (["nfs4-client-owner-collision"],) else 1
    mixed = f"healthy:source={healthy_source}:same_server={same_server}"
    period = f"period={span_ns + 200 * 10**9}"
    repeat = f"repeat:times={times}:worlds={worlds}:{period}"
    large = [
        _v("healthy-10", mixed, slow=True, server_only=True),
        _v("times", repeat, slow=True),
        _v("times-healthy", f"repeat:times=5:worlds=1:{period}", mixed, slow=True, server_only=True),
    ]
    found = NAMES + FORMS + DAMAGE + large
    if "tcp-syn-refused" in headline:  # without any call, another port is not known to be of NFS
        found = [v for v in found if v.name != "port-3049"]
    if "tcp-large-segments-lost" in headline:  # in pieces of 100 bytes nothing that is lost is large
        found = [v for v in found if v.name != "resegment"]
    return found
