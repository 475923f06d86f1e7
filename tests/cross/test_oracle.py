#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The oracle can fail: what is missing or different with us, or only with us, is seen. TAP."""
import copy
import pathlib
import sys
from types import SimpleNamespace

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from cross.oracle import Ours, differences, extras  # noqa: E402
from cross.sharkd import Message  # noqa: E402

C, S = "192.0.2.1:700", "192.0.2.2:2049"
CALL = {
    "frame": 5, "first_frame": 5, "reply_frame": 6, "client": C, "server": S, "transport": "tcp",
    "xid": "0x0000000a", "program": 100003, "version": 4, "procedure": 1, "retransmissions": [], "damage": [],
    "ops": [{"op": 53, "status": "NFS4_OK"}, {"op": 22, "status": "NFS4ERR_STALE"}],
}  # fmt: skip
SHOWN = [
    Message(5, C, S, 10, False, 100003, 4, 1, ops=[[53, None], [22, None]]),
    Message(6, S, C, 10, True, 100003, 4, 1, 5, ops=[[53, "NFS4_OK"], [22, "NFS4ERR_STALE"]]),
]
FACTS = SimpleNamespace(
    trouble={}, cut=set(), resent=set(), opened={frozenset((C, S))},
    stream_of=lambda c: frozenset((c["client"], c["server"])), echoes=lambda frame: [],
)  # fmt: skip


# A gateway's capture: frames 15 and 16 show the same segments with another client's address.
GATEWAY = "203.0.113.9:41000"
TWICE = SHOWN + [
    Message(15, GATEWAY, S, 10, False, 100003, 4, 1, ops=SHOWN[0].ops),
    Message(16, S, GATEWAY, 10, True, 100003, 4, 1, 15, ops=SHOWN[1].ops),
]
ECHOES = SimpleNamespace(**{**vars(FACTS), "echoes": lambda frame: {15: [5], 16: [6]}.get(frame, [])})


def problems(calls, shown=SHOWN, facts=FACTS):
    ours = Ours(calls)
    return list(differences(ours, shown, facts, [])) + extras(ours, shown, facts, set())[1]


def changed(**values):
    return [{**copy.deepcopy(CALL), **values}]


def main():
    swapped = [CALL["ops"][1], CALL["ops"][0]]
    status = [CALL["ops"][0], {"op": 22, "status": "NFS4_OK"}]
    tests = [
        ("equal is equal", not problems([CALL])),
        ("a missing call is seen", problems([])),
        ("a missing reply is seen", problems(changed(reply_frame=None))),
        ("another reply is seen", problems(changed(reply_frame=7))),
        ("another frame is seen", problems(changed(frame=4))),
        ("another procedure is seen", problems(changed(procedure=0))),
        ("another client is seen", problems(changed(client="192.0.2.3:700"))),
        ("operations in another order are seen", problems(changed(ops=swapped))),
        ("a missing operation is seen", problems(changed(ops=CALL["ops"][:1]))),
        ("another status is seen", problems(changed(ops=status))),
        ("what a gateway shows twice is there once", not problems([CALL], TWICE, ECHOES)),
        ("a call that is not there even once is seen", problems([], TWICE, ECHOES)),
        ("what is shown twice and is no echo is seen", problems([CALL], TWICE)),
        ("an invented call is seen", problems([CALL, *changed(frame=8, reply_frame=None, xid="0xb")])),
    ]
    print(f"1..{len(tests)}")
    for i, (name, ok) in enumerate(tests, 1):
        print(f"{'ok' if ok else 'not ok'} {i} - {name}")
    sys.exit(0 if all(ok for _, ok in tests) else 1)


if __name__ == "__main__":
    main()
