#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""NFSv4.1 clients and sessions, case by case of RFC 8881's tables (18.35.4, 18.36, 2.10.6), against any server.

Usage: nfs4_cases.py HOST PORT     prints one line a case: its name and what each call was answered
       nfs4_cases.py NFSLEUTH      compares `nfsleuth serve` with what knfsd answered (nfs4_cases.knfsd), as TAP

It speaks XDR by itself and shares nothing with the server. Each case has owners of its own, so the server
may have any past; it must have no grace period.
"""
import os
import pathlib
import socket
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
NAMES = {0: "OK", 1: "PERM", 2: "NOENT", 22: "INVAL", 10004: "NOTSUPP", 10005: "TOOSMALL", 10017: "CLID_INUSE",
         10021: "MINOR_VERS_MISMATCH", 10022: "STALE_CLIENTID", 10027: "NOT_SAME", 10044: "OP_ILLEGAL",
         10052: "BADSESSION", 10053: "BADSLOT", 10054: "COMPLETE_ALREADY", 10063: "SEQ_MISORDERED",
         10064: "SEQUENCE_POS", 10065: "REQ_TOO_BIG", 10068: "RETRY_UNCACHED_REP", 10070: "TOO_MANY_OPS",
         10071: "OP_NOT_IN_SESSION", 10074: "CLIENTID_BUSY", 10076: "SEQ_FALSE_RETRY", 10079: "ENCR_ALG_UNSUPP",
         10081: "NOT_ONLY_OP"}
UPDATE, CONFIRMED = 0x40000000, 0x80000000

# Where the RFC leaves no room and knfsd does otherwise all the same. In case 6 it sets CONFIRMED_R only when an earlier
# EXCHANGE_ID without the update was answered with it: nfsd4_set_ex_flags overwrites what nfsd4_exchange_id set.
BY_THE_RFC = {"exchange_6_update": "exchange_6_update: OK+CONFIRMED"}


def u32(*values):
    return struct.pack(f">{len(values)}I", *values)


def opaque(data):
    return u32(len(data)) + data + b"\0" * (-len(data) % 4)


class Answer:
    """A COMPOUND's: its status, the results that are there, and what those of 4.1 tell."""

    def __init__(self, data):
        self.at = 0
        self.data = data
        self.status = self.word()
        self.take(self.word())
        self.ops = []
        self.client = self.seqid = self.flags = self.session = None
        for _ in range(self.word()):
            number, status = self.word(), self.word()
            self.ops.append(status)
            if status == 0 and not self.fields(number):
                break

    def word(self):
        self.at += 4
        return struct.unpack_from(">I", self.data, self.at - 4)[0]

    def take(self, count):
        self.at += (count + 3) & ~3
        return self.data[self.at - ((count + 3) & ~3):][:count]

    def fields(self, number):
        """Reads what follows the status; False: it is not known."""
        if number == 42:
            self.client, self.seqid, self.flags = self.take(8), self.word(), self.word()
            return False
        if number == 43:
            self.session, self.seqid = self.take(16), self.word()
            return False
        if number == 53:
            self.take(36)
        return number in (24, 44, 53, 57, 58)

    def text(self):
        name = NAMES.get(self.status, str(self.status))
        if self.flags is not None and self.flags & CONFIRMED:
            name += "+CONFIRMED"
        return name


class Wire:
    def __init__(self, host, port):
        self.socket = socket.create_connection((host, port), 20)
        self.xid = 1

    def call(self, *ops, minor=1, uid=0):
        self.xid += 1
        cred = opaque(u32(0) + opaque(b"cases") + u32(uid, uid, 0))
        body = u32(self.xid, 0, 2, 100003, 4, 1, 1) + cred + u32(0, 0)
        body += opaque(b"") + u32(minor, len(ops)) + b"".join(ops)
        self.socket.sendall(u32(0x80000000 | len(body)) + body)
        while True:
            data = self.record()
            xid, kind = struct.unpack_from(">II", data)
            if kind == 1 and xid == self.xid:
                assert struct.unpack_from(">4I", data, 8) == (0, 0, 0, 0), "the call was refused"
                return Answer(data[24:])
            if kind == 0:  # the probe of the way back
                self.socket.sendall(u32(0x80000018, xid, 1, 0, 0, 0, 0))

    def record(self):
        data = b""
        while True:
            mark = struct.unpack(">I", self.exactly(4))[0]
            data += self.exactly(mark & 0x7FFFFFFF)
            if mark >> 31:
                return data

    def exactly(self, count):
        data = b""
        while len(data) < count:
            part = self.socket.recv(count - len(data))
            assert part, "the server closed the connection"
            data += part
        return data


PUTROOTFH = u32(24)
RECLAIM_COMPLETE = u32(58, 0)


def exchange_id(owner, verifier=b"v", flags=0, protect=u32(0)):
    return u32(42) + verifier * 8 + opaque(owner) + u32(flags) + protect + u32(0)


def create_session(client, seqid, flags=2, size=65536, back=4096):
    fore = u32(0, size, size, 4096, 16, 8, 0)
    return u32(43) + client + u32(seqid, flags) + fore + u32(0, back, back, 0, 2, 1, 0) + u32(0x40000000, 1, 0)


def sequence(session, seqid, slot=0, cachethis=0):
    return u32(53) + session + u32(seqid, slot, 0, cachethis)


class Case:
    """Calls one after the other, and the answers as words."""

    def __init__(self, wire, name):
        self.wire = wire
        self.owner = f"{name} {os.urandom(4).hex()}".encode()
        self.words = []

    def call(self, *ops, **more):
        answer = self.wire.call(*ops, **more)
        self.words.append(answer.text())
        return answer

    def exchange(self, verifier=b"v", flags=0, **more):
        return self.call(exchange_id(self.owner, verifier, flags), **more)

    def client(self, verifier=b"v"):
        """A confirmed client with a session: its ID and the session's."""
        self.wire_answer = self.wire.call(exchange_id(self.owner, verifier))
        client = self.wire_answer.client
        session = self.wire.call(create_session(client, self.wire_answer.seqid)).session
        assert session, "no session"
        return client, session


def case_exchange_1_new(c):
    c.exchange()


def case_exchange_2_repeated(c):
    client, _ = c.client()
    again = c.exchange()
    c.words.append("same" if again.client == client else "another")
    c.words.append(f"seqid{again.seqid}")


def case_exchange_3_other_principal_with_state(c):
    c.client()
    c.exchange(uid=1000)


def case_exchange_3_other_principal_without_state(c):
    _, session = c.client()
    c.call(u32(44) + session)
    c.exchange(uid=1000)


def case_exchange_4_unconfirmed_replaced(c):
    first = c.exchange()
    second = c.exchange()
    c.words.append("same" if first.client == second.client else "another")
    c.call(create_session(first.client, 1))
    c.call(create_session(second.client, 1))


def case_exchange_5_client_restarted(c):
    _, session = c.client()
    second = c.exchange(b"w")
    c.call(sequence(session, 1))
    c.call(create_session(second.client, second.seqid))
    c.call(sequence(session, 2))


def case_exchange_6_update(c):
    c.client()
    c.exchange(flags=UPDATE)


def case_exchange_7_update_of_none(c):
    c.exchange(flags=UPDATE)


def case_exchange_7_update_of_unconfirmed(c):
    c.exchange()
    c.exchange(flags=UPDATE)


def case_exchange_8_update_other_verifier(c):
    c.client()
    c.exchange(b"w", UPDATE)


def case_exchange_9_update_other_principal(c):
    c.client()
    c.exchange(flags=UPDATE, uid=1000)
    c.exchange(b"w", UPDATE, uid=1000)


def case_exchange_flags_of_servers(c):
    c.exchange(flags=CONFIRMED)
    c.exchange(flags=0x10)


def case_exchange_machine_credentials_of_auth_sys(c):
    c.call(exchange_id(c.owner, protect=u32(1, 0, 0)))


def case_exchange_ssv(c):
    c.call(exchange_id(c.owner, protect=u32(2, 0, 0, 0, 0, 0, 0)))


def case_exchange_two_with_one_owner(c):
    _, first = c.client(b"v")
    _, second = c.client(b"w")
    c.call(sequence(first, 1))
    c.call(sequence(second, 1))
    c.client(b"v")
    c.call(sequence(second, 2))


def case_session_order(c):
    client = c.exchange().client
    c.call(create_session(client, 0))
    c.call(create_session(client, 2))
    first = c.call(create_session(client, 1))
    again = c.call(create_session(client, 1))
    c.words.append("same" if first.session == again.session else "another")
    c.call(create_session(client, 3))
    other = c.call(create_session(client, 2))
    c.words.append("same" if first.session == other.session else "another")
    c.call(create_session(client, 1))


def case_session_stale_client(c):
    c.call(create_session(b"\xff" * 8, 1))


def case_session_other_principal(c):
    c.call(create_session(c.exchange().client, 1), uid=1000)


def case_session_too_small(c):
    client = c.exchange().client
    c.call(create_session(client, 1, size=20))
    c.call(create_session(client, 1, back=20))
    c.call(create_session(client, 1))


def case_session_flags(c):
    c.call(create_session(c.exchange().client, 1, flags=0x40))


def case_session_destroyed(c):
    _, session = c.client()
    c.call(u32(44) + session)
    c.call(u32(44) + session)
    c.call(sequence(session, 1))


def case_client_destroyed(c):
    client, session = c.client()
    c.call(u32(57) + client)
    c.call(u32(44) + session)
    c.call(u32(57) + client)
    c.call(u32(57) + client)


def case_sequence_unknown_session(c):
    c.call(sequence(b"\xff" * 16, 1))


def case_sequence_order(c):
    _, session = c.client()
    c.call(sequence(session, 0))
    c.call(sequence(session, 2))
    c.call(sequence(session, 1))
    c.call(sequence(session, 3))
    c.call(sequence(session, 2))
    c.call(sequence(session, 1))


def case_sequence_slots(c):
    _, session = c.client()
    c.call(sequence(session, 1, 7))
    c.call(sequence(session, 1, 8))
    c.call(sequence(session, 1, 3))


def case_sequence_repeated_alone(c):
    _, session = c.client()
    c.call(sequence(session, 1))
    c.call(sequence(session, 1))


def case_sequence_repeated_not_cached(c):
    _, session = c.client()
    c.call(sequence(session, 1), PUTROOTFH)
    answer = c.call(sequence(session, 1), PUTROOTFH)
    c.words.append(f"results{len(answer.ops)}")


def case_sequence_repeated_cached(c):
    _, session = c.client()
    c.call(sequence(session, 1, 0, 1), RECLAIM_COMPLETE)
    c.call(sequence(session, 1, 0, 1), RECLAIM_COMPLETE)
    c.call(sequence(session, 2, 0, 1), RECLAIM_COMPLETE)
    c.call(sequence(session, 2, 0, 1), RECLAIM_COMPLETE)


def case_sequence_false_retry(c):
    _, session = c.client()
    c.call(sequence(session, 1, 0, 1), PUTROOTFH, PUTROOTFH)
    c.call(sequence(session, 1, 0, 1), PUTROOTFH)
    c.call(sequence(session, 1, 0, 1), PUTROOTFH, PUTROOTFH, PUTROOTFH)
    c.call(sequence(session, 1, 0, 0), PUTROOTFH, PUTROOTFH)
    c.call(sequence(session, 1, 0, 1), PUTROOTFH, PUTROOTFH, uid=1000)


def case_sequence_too_many_operations(c):
    _, session = c.client()
    c.call(sequence(session, 1), *[PUTROOTFH] * 15)
    c.call(sequence(session, 2), *[PUTROOTFH] * 16)
    c.call(sequence(session, 2))


def case_sequence_not_first(c):
    _, session = c.client()
    c.call(sequence(session, 1), sequence(session, 2))


def case_order_of_operations(c):
    c.call(PUTROOTFH)
    c.call(exchange_id(c.owner), PUTROOTFH)
    _, session = c.client()
    c.call(sequence(session, 1), u32(9999))
    c.call(PUTROOTFH, minor=9)


def case_reclaim_complete_twice(c):
    _, session = c.client()
    c.call(sequence(session, 1), RECLAIM_COMPLETE)
    c.call(sequence(session, 2), RECLAIM_COMPLETE)


def lines(host, port):
    for name, function in globals().copy().items():
        if name.startswith("case_"):
            case = Case(Wire(host, port), name)
            function(case)
            case.wire.socket.close()
            yield f"{name[5:]}: {' '.join(case.words)}"


def compare(exe):
    wanted = (HERE / "nfs4_cases.knfsd").read_text().splitlines()
    wanted = [line for line in wanted if not line.startswith("#")]
    with subprocess.Popen([exe, "serve", "--quiet"], stdout=subprocess.PIPE, text=True) as server:
        port = None
        for line in server.stdout:
            if line.startswith("nfs "):
                port = int(line.rpartition(":")[2])
            if line == "ready\n":
                break
        got = list(lines("127.0.0.1", port))
        server.terminate()
    print(f"1..{len(wanted)}")
    failed = len(got) != len(wanted)
    for number, want in enumerate(wanted, 1):
        name = want.split(":")[0]
        want = BY_THE_RFC.get(name, want)
        have = next((line for line in got if line.startswith(name + ":")), "nothing")
        print(f"{'ok' if have == want else 'not ok'} {number} - {name}")
        if have != want:
            failed = True
            print(f"# wanted: {want}\n# served: {have}")
    return int(failed)


if len(sys.argv) == 3:
    print("\n".join(lines(sys.argv[1], int(sys.argv[2]))))
else:
    sys.exit(compare(sys.argv[1]))
