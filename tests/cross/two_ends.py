#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Two captures of one traffic, matched segment by segment: counted anew from tshark's fields.

For each connection that both captures show, the bytes of each direction are matched by sequence
number and timestamp, or without timestamps by IP identification, in a way of its own: as multisets of
ranges, with all of both files in memory. What the client's capture shows of the client and the server's does
not is lost between them, unless it was acknowledged without ever being sent again; the same the other
way round. Prints TAP.
"""
import collections
import json
import lzma
import pathlib
import shutil
import subprocess
import sys
import tempfile

CASES = pathlib.Path(__file__).resolve().parent.parent / "cases"
CHOSEN = {
    "ns-loss": ("client", "server"),
    "ns-path-silent": ("client", "server"),
    "ns-syn-dropped": ("client", "server"),
    "ns-synack-lost": ("client", "server"),
    "ns-healthy-v4": ("client", "server"),
    "ns-mtu-black-hole": ("client", "server"),
    "B4-netem25": ("client1/capture", "server/capture"),
    "vm-lease-expired-v41-drop": ("client1", "server"),
    "vm-healthy-v40": ("client2", "server"),
}
FIELDS = (
    "frame.time_epoch ip.src tcp.srcport ip.dst tcp.dstport tcp.seq_raw tcp.len tcp.ack_raw"
    " tcp.options.timestamp.tsval ip.id tcp.flags"
).split()
SYN, FIN, RST, ACK = 2, 1, 4, 16
MARGIN_S = 1.0

Segment = collections.namedtuple("Segment", "t src dst seq len ack mark ident flags")


def unpack(case, name, folder):
    for suffix in (".pcap", ".pcap.xz"):
        path = CASES / case / (name + suffix)
        if path.exists():
            out = pathlib.Path(folder) / (name.replace("/", "-") + ".pcap")
            data = path.read_bytes()
            out.write_bytes(lzma.decompress(data) if suffix.endswith("xz") else data)
            return out
    raise FileNotFoundError(f"{case}/{name}")


def segments(path):
    cmd = ["tshark", "-r", str(path), "-Y", "tcp && !icmp && ip", "-T", "fields"]
    for f in FIELDS:
        cmd += ["-e", f]
    done = subprocess.run(cmd, capture_output=True, text=True, timeout=120, check=True)
    out = []
    for line in done.stdout.splitlines():
        t, src, sport, dst, dport, seq, length, ack, ts, ident, flags = line.split("\t")
        flags, ident = int(flags, 16) & 0x3F, int(ident, 16)
        out.append(
            Segment(
                float(t), (src, int(sport)), (dst, int(dport)), int(seq), int(length),
                int(ack or 0), ("ts", int(ts)) if ts else ("id", ident), ident, flags,
            )
        )  # fmt: skip
    return out


def span(path):
    done = subprocess.run(
        ["tshark", "-r", str(path), "-T", "fields", "-e", "frame.time_epoch"],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    times = [float(t) for t in done.stdout.split()]
    return min(times), max(times)


def once(segs):
    """Without what one capture shows twice: at once, or with the same IP identification soon after."""
    seen, out = {}, []
    for s in segs:
        key = s._replace(t=0)
        if key in seen and s.t - seen[key] < (0.001 if s.ident else 0.0001):
            continue
        seen[key] = s.t
        out.append(s)
    return out


def size(s):
    return s.len + bool(s.flags & SYN) + bool(s.flags & FIN)


def by_connection(segs):
    """{(client, server, ISN's number): [segments]}: a SYN with another number begins a new one."""
    now, out = {}, collections.defaultdict(list)
    for s in segs:
        key = tuple(sorted((s.src, s.dst)))
        if s.flags & (SYN | ACK) == SYN:
            isn = (s.src, s.seq)
            if now.get(key, (None,))[0] != isn:
                now[key] = (isn, (s.src, s.dst, s.seq))
        if key not in now:
            low = s.src if s.src[1] > s.dst[1] else s.dst
            now[key] = (None, (low, s.dst if low == s.src else s.src, None))
        out[now[key][1]].append(s)
    return out


def take(holes, ranges):
    """Removes `holes` (one range) from the list of ranges; what of it was not there."""
    left, missing = [holes], []
    while left:
        low, high = left.pop()
        for i, (a, b) in enumerate(ranges):
            if a < high and low < b:
                ranges[i : i + 1] = [r for r in ((a, low), (high, b)) if r[0] < r[1]]
                left += [r for r in ((low, a), (b, high)) if r[0] < r[1]]
                break
        else:
            missing.append((low, high))
    return missing


def lost(sender, receiver, src, cover):
    """Segments of `src` that only its own capture shows, and that did not arrive otherwise."""
    base = next((s.seq for s in sender + receiver if s.src == src and not s.flags & RST), 0)

    def place(seq):  # as a distance from the first, around the corner of 32 bits
        return (seq - base + (1 << 31)) & 0xFFFFFFFF

    def ranges(segs):
        return [
            (place(s.seq), place(s.seq) + size(s), s)
            for s in segs
            if s.src == src and not s.flags & RST and size(s)
        ]

    there, exact = collections.defaultdict(list), collections.Counter()
    for low, high, s in ranges(receiver):
        there[s.mark].append((low, high))
        exact[(low, high, s.mark, s.ident)] += 1
    shown = ranges(receiver)
    acked = max(
        (place(s.ack) for s in sender + receiver if s.dst == src and s.flags & ACK and not s.flags & RST),
        default=0,
    )
    # first what has its very like there, then what was cut or joined on the way
    rest, sent_to = [], 0
    for low, high, s in ranges(sender):
        again, sent_to = low < sent_to, max(sent_to, high)
        if s.ident and exact[(low, high, s.mark, s.ident)]:
            exact[(low, high, s.mark, s.ident)] -= 1
            take((low, high), there[s.mark])
        else:
            rest.append((low, high, s, again))
    # the other capture was there: not just beginning or ending, or it shows this connection then
    begin = min([cover[0] + MARGIN_S] + [s.t for s in receiver])
    end = max([cover[1] - MARGIN_S] + [s.t for s in receiver])
    out = 0
    for low, high, s, again in rest:
        missing = take((low, high), there[s.mark])
        if not missing or not begin <= s.t <= end:
            continue
        copied = any(a < missing[0][1] and missing[0][0] < b and o.t > s.t for a, b, o in shown)
        out += not (acked >= high and not again and not copied)  # else that capture missed it
    return out


def count(case, names, folder):
    """{client: (lost from the client, lost from the server, packets of the connection)}"""
    paths = [unpack(case, n, folder) for n in names]
    client, server = (by_connection(once(segments(p))) for p in paths)
    spans = [span(p) for p in paths]
    out = {}
    for key in client.keys() | server.keys():
        if key not in client or key not in server:
            continue
        out["%s:%d" % key[0], key[2]] = (
            lost(client[key], server[key], key[0], spans[1]),
            lost(server[key], client[key], key[1], spans[0]),
        )
    return out, paths


def told(exe, paths):
    done = subprocess.run(
        [exe, "show", "conns", "--json", *map(str, paths)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    out = collections.defaultdict(list)
    for line in done.stdout.splitlines():
        conn = json.loads(line)
        for end in conn.get("ends", []):
            out[conn["client"]].append((end, conn))
    return out


def check_case(exe, case, names):
    """[what differs], and how many connections were compared."""
    with tempfile.TemporaryDirectory() as folder:
        want, paths = count(case, names, folder)
        got = told(exe, paths)
    bad, compared = [], 0
    for (client, _), (from_client, from_server) in sorted(want.items(), key=str):
        ends = [e for e, _ in got.get(client, []) if "lost" in e]
        if not ends:
            continue
        compared += 1
        # what was received all the same is no loss: of that the program may be less sure
        sure = [(e["lost"]["client"], e["lost"]["server"]) for e in ends]
        most = [(e["lost"][s] + e["not_shown"][s] for s in ("client", "server")) for e in ends]
        if not any(
            a <= from_client <= m and b <= from_server <= n
            for (a, b), (m, n) in zip(sure, most, strict=True)
        ):
            bad.append(f"{client}: lost {sure}, by tshark {(from_client, from_server)}")
    return bad, compared


def main():
    if not shutil.which("tshark"):
        print("1..0 # SKIP no tshark")
        return 0
    exe, failed = sys.argv[1], 0
    for number, (case, names) in enumerate(CHOSEN.items(), 1):
        bad, compared = check_case(exe, case, names)
        if compared == 0:
            bad = ["no connection of both captures"]
        failed += bool(bad)
        print(f"{'not ok' if bad else 'ok'} {number} - {case}, {compared} connections", flush=True)
        for line in bad[:5]:
            print(f"#   {line}")
    print(f"1..{len(CHOSEN)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
