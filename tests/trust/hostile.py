#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""More captures that are made to exhaust: datagrams, fragments, headers upon headers, state without end.

Each generator is given how many packets to make, or nearly so; adversarial.py and views.py use them.
"""
import struct

from wire import CLIENT, ETHERNET, GETATTR, SERVER, call, client_of, dialogue, ipv4, record, reply, tcp, udp

OK = bytes(4)


def opaque(data):
    return struct.pack("!I", len(data)) + data + bytes(-len(data) % 4)


# --- datagrams ---


def udp_ports(count):
    """Calls by UDP, each from another port, and no reply."""
    for number in range(count):
        yield udp(*client_of(number), call(number, body=GETATTR))


def udp_calls(count):
    """Calls by UDP on one pair of ports, without replies."""
    for number in range(count):
        yield udp(CLIENT, 700, call(number, body=GETATTR))


def lookups(count):
    """Harmless: each port asks the portmapper once, and has its answer."""
    for number in range(count // 2):
        client, port = client_of(number)
        yield udp(client, port, call(number, 3, struct.pack("!IIII", 100003, 3, 6, 0), 2, 100000), server_port=111)
        yield udp(client, port, reply(number, struct.pack("!I", 2049)), True, 111)


def portmap(count):
    """GETPORT for ever other programs; every second is answered."""
    for number in range(count // 2):
        client, port = client_of(number)
        asked = call(number, 3, struct.pack("!IIII", 100000 + number, 1, 6, 0), 2, 100000)
        yield udp(client, port, asked, server_port=111)
        if number % 2:
            yield udp(client, port, reply(number, struct.pack("!I", number % 65536)), True, 111)


def names(count):
    """Questions of DNS, from ever other ports: no RPC at all."""
    for number in range(count):
        question = struct.pack("!HHHHHH", number & 0xFFFF, 0x0100, 1, 0, 0, 0) + b"\x3f" + b"n" * 63 + bytes(5)
        yield udp(*client_of(number), question, server_port=53)


# --- fragments ---


def fragment(payload, ident, offset, more, client=CLIENT):
    """Of a datagram of UDP."""
    return ipv4(payload, 17, client, ident=ident, fragment=more << 13 | offset // 8)


def fragments_alone(count):
    """The first fragment of each datagram, and never another."""
    payload = struct.pack("!HHHH", 700, 2049, 60000, 0) + call(1, body=GETATTR) + bytes(900)
    for number in range(count):
        yield fragment(payload[:960], number, 0, 1, client=client_of(number)[0])


def fragments_last(count):
    """The last piece of datagrams of 64 KB: room for all of it is wanted at once."""
    for number in range(count):
        yield fragment(bytes(64), number, 65440, 0, client=client_of(number)[0])


def fragments_scattered(count):
    """Every second eight bytes of a datagram, and then what overlaps all of them."""
    for number in range(count):
        piece = number % 300
        if piece < 250:
            yield fragment(bytes(8), number // 300, 65000 - piece * 16, 1)
        else:
            yield fragment(bytes(1024), number // 300, piece % 64 * 1000, 1)


# --- headers upon headers ---


def ipv6(payload, following, number=0):
    source = struct.pack("!QQ", 0x20010DB8 << 32, number)
    return ETHERNET + b"\x86\xdd" + struct.pack("!IHBB", 6 << 28, len(payload), following, 64) + source + bytes(
        15) + b"\1" + payload


def ipv6_chains(count):
    """Fifteen headers before UDP, a fragment among them or not; and more than anybody reads."""
    datagram = struct.pack("!HHHH", 700, 2049, 8 + 72, 0) + call(1, body=bytes(32))
    for number in range(count):
        length = (14, 15, 17, 150)[number % 4]
        chain = b"".join(struct.pack("!BB6x", 60 if left > 1 else 17, 0) for left in range(length, 0, -1))
        if number % 3 == 0:
            chain = struct.pack("!BBHI", 60, 0, 1 if number % 2 else 0, number) + chain
        yield ipv6(chain + datagram, 44 if number % 3 == 0 else 60, number)


def ipv6_fragments(count):
    """Fragments of IPv6 that belong to no two of a datagram."""
    for number in range(count):
        yield ipv6(struct.pack("!BBHI", 17, 0, number % 8000 * 8 | 1, number) + bytes(256), 44, number)


def stacks(count):
    """Tags, labels and tunnels in tunnels, a hundred deep; and as deep as they are read."""
    inner = udp(CLIENT, 700, call(1, body=GETATTR))
    for number in range(count):
        deep = (3, 100)[number % 2]
        kind = number % 6
        if kind == 0:
            yield ETHERNET + b"\x88\xa8\0\1" * deep + inner[12:]
        elif kind == 1:
            yield ETHERNET + b"\x88\x47" + b"\0\1\0\x40" * (deep - 1) + b"\0\1\1\x40" + inner[14:]
        else:
            packet = inner[14:]
            for _ in range(deep // 3):
                proto = {2: 4, 3: 4, 4: 47, 5: 17}[kind]
                if kind == 4:
                    packet = b"\0\0\x08\0" + packet
                elif kind == 5:
                    packet = struct.pack("!HHHH", 700, 4789, 16 + 14 + len(packet), 0) + b"\x08" + bytes(
                        7) + ETHERNET + b"\x08\0" + packet
                packet = ipv4(packet, proto)[len(ETHERNET) + 2:]
            yield ETHERNET + b"\x08\0" + packet


# --- NFSv4 ---


def compound(xid, operations, minor=1):
    body = struct.pack("!III", 0, minor, len(operations)) + b"".join(operations)
    return record(call(xid, 1, body, 4))


def results(xid, operations, status=0):
    return record(reply(xid, struct.pack("!III", status, 0, len(operations)) + b"".join(operations)))


def session_of(number):
    return struct.pack("!QQ", number, 0x5E55)


CHANNEL = struct.pack("!IIIIIII", 0, 1 << 20, 1 << 20, 8192, 64, 0xFFFFFFFF, 0)


def sessions(count):
    """A client ID and a session at once, again and again."""
    def messages():
        for number in range(count // 4):
            owner = struct.pack("!Q", number) + opaque(b"owner %d" % number)
            yield False, compound(2 * number, [struct.pack("!I", 42) + owner + struct.pack("!III", 0, 0, 0)])
            told = struct.pack("!IIQIIIQ", 42, 0, number, 1, 0x10001, 0, 0) + opaque(b"server") + opaque(b"scope") + OK
            yield True, results(2 * number, [told])
            asked = struct.pack("!IQII", 43, number, 1, 2) + CHANNEL + CHANNEL + struct.pack("!III", 0x40000000, 1, 0)
            yield False, compound(2 * number + 1, [asked])
            told = struct.pack("!II", 43, 0) + session_of(number) + struct.pack("!II", 1, 2) + CHANNEL + CHANNEL
            yield True, results(2 * number + 1, [told])
    return dialogue(messages())


def sequence(number, seq, slot):
    return struct.pack("!I", 53) + session_of(number) + struct.pack("!IIII", seq & 0xFFFFFFFF, slot & 0xFFFFFFFF,
                                                                    0xFFFFFFFF, 1)


def slots(count):
    """Slots at their maximum, numbers that jump, of sessions that are ever others."""
    def messages():
        for number in range(count // 2):
            seq, slot, session = number * 0x9E3779B1, (number * 7919, 0xFFFFFFFF, number % 64)[number % 3], number // 500
            yield False, compound(number, [sequence(session, seq, slot)])
            told = struct.pack("!II", 53, 0) + session_of(session) + struct.pack(
                "!IIIII", seq & 0xFFFFFFFF, slot & 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
            yield True, results(number, [told])
    return dialogue(messages())


def callbacks(count):
    """Recalls of ever other delegations, on the connection of the client, and no answer."""
    def messages():
        yield False, compound(1, [sequence(1, 1, 0)])
        for number in range(count):
            recall = struct.pack("!IIQI", 4, 1, number, 0) + OK + opaque(struct.pack("!QQ", 1, number))
            asked = struct.pack("!I", 11) + session_of(1) + struct.pack("!IIIII", number, number % 64, 63, 0, 0)
            body = struct.pack("!IIII", 0, 1, 0, 2) + asked + recall
            yield True, record(call(number, 1, body, 1, 0x40000000))
    return dialogue(messages())


def stateids(count):
    """OPEN by ever other owners, answered with ever other stateids and delegations; then refused."""
    def messages():
        for number in range(count // 2):
            handle = struct.pack("!I", 22) + opaque(struct.pack("!QQ", 7, number))
            asked = struct.pack("!IIIIQ", 18, 0, 3, 0, 1) + opaque(b"o%d" % number) + struct.pack("!I", 0)
            asked += struct.pack("!I", 0) + opaque(b"f%d" % number)
            yield False, compound(number, [sequence(1, number, 0), handle, asked])
            told = struct.pack("!II", 53, 0) + session_of(1) + struct.pack("!IIIII", number, 0, 63, 63, 0)
            stateid = struct.pack("!IQI", 1, number, 9)
            if number % 2:
                opened = struct.pack("!II", 18, 0) + stateid + struct.pack("!IQQII", 1, 0, 1, 0, 0)
                opened += struct.pack("!I", 2) + stateid + struct.pack("!IIIIIIII", 0, 1, 0, 0, 0, 0, 0, 0)
                yield True, results(number, [told, struct.pack("!II", 22, 0), opened])
            else:
                yield True, results(number, [told, struct.pack("!II", 22, 0), struct.pack("!II", 18, 10025)], 10025)
    return dialogue(messages())


# --- locks, directories, other protocols ---


def locks(count):
    """LOCK by ever other owners, of files that they share by tens; each has to wait."""
    def messages():
        for number in range(count // 2):
            cookie = opaque(struct.pack("!I", number))
            body = cookie + struct.pack("!II", 1, 1) + opaque(b"host-%d" % number) + opaque(
                struct.pack("!QQ", 3, number // 10)) + opaque(b"%d" % number * 20) + struct.pack("!IQQII", number, 0, 0,
                                                                                             0, 1)
            yield False, record(call(number, 2, body, 4, 100021))
            yield True, record(reply(number, cookie + struct.pack("!I", 3)))
    return dialogue(messages())


def page(number, entries):
    body = struct.pack("!IIQ", 0, 0, 1)
    for entry in range(entries):
        cookie = number * entries + entry + 1
        body += struct.pack("!IQ", 1, cookie) + opaque(b"entry-%08d" % cookie) + struct.pack("!QII", cookie, 0, 1)
        body += opaque(struct.pack("!QQ", cookie, 5))
    return body + struct.pack("!II", 0, 0)


def listings(count):
    """READDIRPLUS by pages of a thousand entries, each of another name and handle, without an end."""
    def messages():
        for number in range(max(1, count // 10)):
            asked = opaque(bytes(16)) + struct.pack("!QQII", number * 1000, 1, 65536, 65536)
            yield False, record(call(number, 17, asked))
            yield True, record(reply(number, page(number, 1000)))
    return dialogue(messages())


def directories(count):
    """READDIR of ever other directories, many at once in each, none of which goes on."""
    def messages():
        for number in range(count // 2):
            asked = opaque(struct.pack("!QQ", 5, number // 16)) + struct.pack("!QQI", 0, 0, 4096)
            yield False, record(call(number, 16, asked))
            yield True, record(reply(number, struct.pack("!IIQ", 0, 0, 1) + struct.pack("!IQ", 1, 4) + opaque(
                b"a") + struct.pack("!QII", 9, 0, 0)))
    return dialogue(messages())


def strangers(count):
    """ARP that nobody answers, ICMP about packets that nobody sent, SM_NOTIFY of ever other hosts."""
    for number in range(count):
        client, port = client_of(number * 7919 % (1 << 24))
        if number % 3 == 0:
            yield b"\xff" * 6 + ETHERNET[6:] + b"\x08\x06" + struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, ETHERNET[:6],
                                                                       client, bytes(6), SERVER)
        elif number % 3 == 1:
            yield ipv4(struct.pack("!BBHI", 3, 3, 0, 0) + tcp(client, port, 1, 2)[14:], 1, client, fragment=0)
        else:
            yield udp(client, port, call(number, 6, opaque(b"host-%d" % number) + struct.pack("!I", number), 1, 100024))


WIRE = {
    "UDP from ever other ports": (udp_ports, 60_000),
    "UDP calls without replies": (udp_calls, 60_000),
    "a flood of the portmapper": (portmap, 60_000),
    "a flood of DNS": (names, 60_000),
    "first fragments alone": (fragments_alone, 30_000),
    "last fragments alone": (fragments_last, 60_000),
    "fragments that overlap": (fragments_scattered, 60_000),
    "chains of IPv6 headers": (ipv6_chains, 40_000),
    "fragments of IPv6": (ipv6_fragments, 60_000),
    "tags, labels and tunnels": (stacks, 30_000),
    "sessions without end": (sessions, 40_000),
    "slots at their maximum": (slots, 40_000),
    "callbacks without end": (callbacks, 40_000),
    "opens without end": (stateids, 40_000),
    "waits for locks without end": (locks, 40_000),
    "pages of a thousand entries": (listings, 2_000),
    "directories without end": (directories, 40_000),
    "strangers of other protocols": (strangers, 60_000),
}

# What makes a pair of ports known in each packet: beside lookups, which do so in every second.
DATAGRAMS = {"UDP from ever other ports", "a flood of the portmapper", "strangers of other protocols"}
