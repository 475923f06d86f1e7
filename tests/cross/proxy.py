#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`nfsleuth proxy` between sockets that stand for a client and a server. Prints TAP.

What no fault touches must arrive byte for byte, on loopback, whatever it is: fragments, records of
megabytes, programs that nobody knows, bytes that are no RPC. Ends of connections are passed on, the
faults of the command line and of the control socket do what they say, and portmap's answers name
ports of the proxy. `proxy.py PROGRAM`.
"""
import contextlib
import json
import os
import pathlib
import random
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time

import tap

WAIT_S = 10
NFS, MOUNT, PORTMAP, UNKNOWN = 100003, 100005, 100000, 536870912


def call(xid, program=NFS, version=3, procedure=6, body=b""):
    cred = struct.pack(">II", 1, 24) + struct.pack(">II4sIII", 1, 4, b"host", 1000, 100, 0)
    return struct.pack(">IIIIII", xid, 0, 2, program, version, procedure) + cred + bytes(8) + body


def reply(xid, body=b""):
    return struct.pack(">IIIIII", xid, 1, 0, 0, 0, 0) + body


def record(message, *cuts):
    """With record marks: one fragment, or several that end at the cuts."""
    ends = [*cuts, len(message)]
    parts = [message[a:b] for a, b in zip([0, *cuts], ends)]
    return b"".join(struct.pack(">I", len(p) | (0x80000000 if i == len(parts) - 1 else 0)) + p
                    for i, p in enumerate(parts))


def take(sock, count):
    """So many bytes, fewer at the end of the connection or when nothing comes for long."""
    out = bytearray()
    with contextlib.suppress(TimeoutError):
        while len(out) < count:
            got = sock.recv(min(1 << 18, count - len(out)))
            if not got:
                break
            out += got
    return bytes(out)


class Stage:
    """A listening socket that stands for the server, and the proxy in front of it."""

    def __init__(self, program, *options, host="127.0.0.1"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.create_server((host, 0), family=family)
        self.listener.settimeout(WAIT_S)
        at = f"[{host}]" if ":" in host else host
        port = self.listener.getsockname()[1]
        self.proxy = subprocess.Popen(
            [program, "proxy", "--listen", f"{at}:0", "--to", f"{at}:{port}", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
        self.host, self.to = host, port
        self.port = int(self.proxy.stderr.readline().split(" for ")[0].rsplit(":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.proxy.terminate()
        self.output, self.errors = self.proxy.communicate(timeout=WAIT_S)
        if self.proxy.returncode != 0:
            raise AssertionError(f"status {self.proxy.returncode}: {self.errors[-300:]}")

    def pair(self):
        client = socket.create_connection((self.host, self.port), WAIT_S)
        server, _ = self.listener.accept()
        server.settimeout(WAIT_S)
        return client, server


def carries(sender, receiver, data):
    """True when the bytes arrive as they are."""
    thread = threading.Thread(target=sender.sendall, args=(data,))
    thread.start()
    got = take(receiver, len(data))
    thread.join()
    return got == data


def traffic(seed):
    """Calls and replies of all sizes, whole and in fragments."""
    rng = random.Random(seed)
    calls, replies = [], []
    for xid in range(200):
        size = rng.choice((0, 4, 100, 5000, 70000))
        body = rng.randbytes(size)
        program = rng.choice((NFS, UNKNOWN, MOUNT, 100021))
        message = call(xid, program, rng.randrange(1, 5), rng.randrange(24), body)
        cuts = sorted(rng.sample(range(1, len(message)), rng.choice((0, 0, 1, 3))))
        calls.append(record(message, *cuts))
        answer = reply(xid, rng.randbytes(rng.choice((0, 4, 120, 9000))))
        cuts = sorted(rng.sample(range(1, len(answer)), rng.choice((0, 0, 2))))
        replies.append(record(answer, *cuts))
    return b"".join(calls), b"".join(replies)


def check_bytes(program, *options):
    calls, replies = traffic(7)
    large = record(call(9999, body=bytes(range(256)) * 24000))  # 6 MB
    with Stage(program, *options) as s:
        client, server = s.pair()
        assert carries(client, server, calls), "calls"
        assert carries(server, client, replies), "replies"
        assert carries(client, server, large), "a large call"
        assert carries(server, client, record(reply(9999, bytes(5000000)))), "a large reply"
        # A callback of the server on the client's connection, and the answer to it.
        assert carries(server, client, record(call(1, 0x40000000, 1, 1))), "a callback"
        assert carries(client, server, record(reply(1))), "its reply"


def test_bytes_without_faults(program):
    check_bytes(program)


def test_bytes_beside_a_fault_for_others(program):
    check_bytes(program, "--fault", "when uid 5 do drop call; when path *.none do drop reply")


def test_bytes_over_ipv6(program):
    with Stage(program, host="::1") as s:
        client, server = s.pair()
        assert carries(client, server, record(call(1))), "a call"


def test_no_rpc_passes(program):
    data = b"\x16\x03\x01\x02\x00" + random.Random(1).randbytes(300000)
    with Stage(program, "--fault", "when any do drop call") as s:
        client, server = s.pair()
        assert carries(client, server, data), "what is no RPC"
        assert carries(server, client, data), "the other way"


def test_ends_are_passed_on(program):
    with Stage(program) as s:
        client, server = s.pair()
        client.sendall(record(call(1)))
        client.shutdown(socket.SHUT_WR)
        assert take(server, 1 << 20) == record(call(1)), "what came before FIN"
        assert carries(server, client, record(reply(1))), "a reply behind the client's FIN"
        server.close()
        assert client.recv(1) == b"", "the server's FIN"
        client, server = s.pair()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        try:
            assert server.recv(1) != b"", "RST came as FIN"
        except ConnectionResetError:
            pass


def test_drop_delay_duplicate(program):
    fault = "when procedure 1 do drop call; when procedure 2 do duplicate reply 2; " \
            "when procedure 3 do delay 400ms"  # fmt: skip
    with Stage(program, "--json", "--fault", fault) as s:
        client, server = s.pair()
        client.sendall(b"".join(record(call(i, UNKNOWN, 1, i)) for i in (1, 2, 3, 4)))
        want = b"".join(record(call(i, UNKNOWN, 1, i)) for i in (2, 3, 4))
        assert take(server, len(want)) == want, "the first call was not dropped alone"
        server.sendall(b"".join(record(reply(i)) for i in (2, 3, 4)))
        begin = time.monotonic()
        want = record(reply(2)) * 3 + record(reply(4)) + record(reply(3))
        assert take(client, len(want)) == want, "replies"
        assert 0.3 < time.monotonic() - begin < 3, "the delay"
    fired = [json.loads(line) for line in s.output.splitlines()]
    assert [f["actions"] for f in fired] == ["drop call", "duplicate reply 2", "delay 400ms"], fired
    assert all(f["client"].startswith("127.0.0.1:") for f in fired), fired


def test_answer_and_close(program):
    fault = "when NFS3.READ do answer NFS3ERR_JUKEBOX; when NFS3.WRITE do close"
    with Stage(program, "--fault", fault) as s:
        client, server = s.pair()
        client.sendall(record(call(5, body=struct.pack(">I8sQI", 8, b"filehndl", 0, 4096))))
        want = record(reply(5, struct.pack(">II", 10008, 0)))
        assert take(client, len(want)) == want, "the answer"
        client.sendall(record(call(6, procedure=7)))
        assert client.recv(1) == b"", "not closed"
        assert take(server, 1) == b"", "a call came to the server"


def ask(path, line):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(WAIT_S)
        sock.connect(str(path))
        sock.sendall(line.encode() + b"\n")
        out = ""
        while not (out.endswith("ok\n") or "error: " in out):
            got = sock.recv(4096).decode()
            if not got:
                break
            out += got
        return out


def test_control(program):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "control"
        with Stage(program, "--control", path) as s:
            assert stat.S_IMODE(os.stat(path).st_mode) == 0o600, "mode"
            client, server = s.pair()
            assert carries(client, server, record(call(1))), "before"
            assert ask(path, "add x: when READ once do drop call") == "ok\n"
            client.sendall(record(call(2)) + record(call(3)))
            assert take(server, len(record(call(3)))) == record(call(3)), "not dropped"
            assert ask(path, "list").startswith("x on matched 2 fired 1: "), ask(path, "list")
            assert ask(path, "add when READ do restart").startswith("error: add:1: restart: only a")
            assert ask(path, "remove x") == "ok\n"
            assert ask(path, "list") == "ok\n"
        assert not path.exists(), "the socket was left behind"


def test_shut_port_refuses(program):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "control"
        with Stage(program, "--control", path) as s:
            client, server = s.pair()
            assert ask(path, "add x: at 0s do shut for 700ms") == "ok\n"
            time.sleep(0.2)
            try:
                s.pair()
                raise AssertionError("a connection to a port that is shut")
            except ConnectionRefusedError:
                pass
            assert carries(client, server, record(call(1))), "of the connection that there was"
            time.sleep(1)
            client, server = s.pair()
            assert carries(client, server, record(call(2))), "of a new one"


def opaque(text):
    return struct.pack(">I", len(text)) + text + bytes(-len(text) % 4)


def setclientid(xid, netid, uaddr):
    op = struct.pack(">I", 35) + bytes(8) + opaque(b"owner") + struct.pack(">I", 0x40000000)
    op += opaque(netid) + opaque(uaddr) + struct.pack(">I", 1)
    return call(xid, NFS, 4, 1, opaque(b"") + struct.pack(">II", 0, 1) + op)


def universal(host, port):
    return f"{host}.{port >> 8}.{port & 255}".encode()


def test_setclientid_tells_our_address(program):
    fault = "when callback procedure 7 do drop call"
    with Stage(program, "--fault", fault) as s, socket.create_server(("127.0.0.1", 0)) as back:
        back.settimeout(WAIT_S)
        client, server = s.pair()
        asked = setclientid(1, b"tcp", universal("127.0.0.1", back.getsockname()[1]))
        client.sendall(record(asked))
        mark = struct.unpack(">I", take(server, 4))[0] & 0x7FFFFFFF
        got = take(server, mark)
        at = got.index(b"owner") + 8 + 4
        assert got[at : at + 8] == opaque(b"tcp"), got
        count = struct.unpack(">I", got[at + 8 : at + 12])[0]
        uaddr = got[at + 12 : at + 12 + count].decode().split(".")
        assert setclientid(1, b"tcp", ".".join(uaddr).encode()) == got, "more than the address"
        port = int(uaddr[-2]) * 256 + int(uaddr[-1])
        assert uaddr[:4] == ["127", "0", "0", "1"] and port != back.getsockname()[1], uaddr
        caller = socket.create_connection(("127.0.0.1", port), WAIT_S)
        there, _ = back.accept()
        there.settimeout(WAIT_S)
        callback = record(call(8, 0x40000000, 1, 0))
        caller.sendall(record(call(7, 0x40000000, 1, 7)) + callback)
        assert take(there, len(callback)) == callback, "the callback that no fault drops"
        assert carries(there, caller, record(reply(8))), "its reply"
        # A client that wants no callbacks.
        client.sendall(record(setclientid(2, b"tcp", b"0.0.0.0.0.0")))
        want = record(setclientid(2, b"tcp", b"0.0.0.0.0.0"))
        assert take(server, len(want)) == want, "an address where there was none"


def test_server_finds_its_client(program):
    """Of three hosts of loopback: where ports below 1024 are not ours there is nothing to see."""
    try:
        rpcbind = socket.create_server(("127.0.0.2", 111))
    except OSError:
        return
    with rpcbind, socket.create_server(("127.0.0.3", 0)) as nfsd:
        to = f"127.0.0.3:{nfsd.getsockname()[1]}"
        proxy = subprocess.Popen(
            [program, "proxy", "--listen", "127.0.0.1:0", "--to", to,
             "--listen", "127.0.0.1:0", "--to", "127.0.0.3:111",
             "--fault", "when NLM.GRANTED do drop call"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
        with contextlib.closing(proxy.stdout), contextlib.closing(proxy.stderr):
            ports = [int(proxy.stderr.readline().split(" for ")[0].rsplit(":", 1)[1]) for _ in range(2)]
            nfsd.settimeout(WAIT_S)
            rpcbind.settimeout(WAIT_S)
            client = socket.create_connection(("127.0.0.1", ports[0]), WAIT_S, ("127.0.0.2", 0))
            nfsd.accept()
            server = socket.create_connection(("127.0.0.1", ports[1]), WAIT_S, ("127.0.0.3", 0))
            asked, _ = rpcbind.accept()
            asked.settimeout(WAIT_S)
            lockd = socket.create_server(("127.0.0.2", 0))
            lockd.settimeout(WAIT_S)
            getport = record(call(1, PORTMAP, 2, 3, struct.pack(">IIII", 100021, 4, 6, 0)))
            assert carries(server, asked, getport), "GETPORT"
            asked.sendall(record(reply(1, struct.pack(">I", lockd.getsockname()[1]))))
            ours = struct.unpack(">I", take(server, 32)[28:])[0]
            granting = socket.create_connection(("127.0.0.1", ours), WAIT_S, ("127.0.0.3", 0))
            there, _ = lockd.accept()
            there.settimeout(WAIT_S)
            last = record(call(3, 100021, 4, 0))
            granting.sendall(record(call(2, 100021, 4, 5)) + last)
            assert take(there, len(last)) == last, "GRANTED was not dropped"
            proxy.terminate()
            assert proxy.wait(WAIT_S) == 0
            for sock in (client, server, asked, lockd, granting, there):
                sock.close()


def test_portmap_names_our_ports(program):
    with Stage(program) as s:
        client, server = s.pair()
        with socket.create_server(("127.0.0.1", 0)) as mountd:
            mountd.settimeout(WAIT_S)
            port = mountd.getsockname()[1]
            asked = record(call(1, PORTMAP, 2, 3, struct.pack(">IIII", MOUNT, 3, 6, 0)))
            assert carries(client, server, asked), "GETPORT"
            server.sendall(record(reply(1, struct.pack(">I", port))))
            ours = struct.unpack(">I", take(client, 32)[28:])[0]
            assert ours not in (0, port), "the server's own port"
            to_mountd = socket.create_connection(("127.0.0.1", ours), WAIT_S)
            there, _ = mountd.accept()
            there.settimeout(WAIT_S)
            assert carries(to_mountd, there, record(call(2, MOUNT, 3, 1))), "MNT"
            # rpcbind names an address; what is not of our host's family stays.
            netid = struct.pack(">I4s", 3, b"tcp")
            body = struct.pack(">II", MOUNT, 3) + netid + bytes(8)
            assert carries(client, server, record(call(3, PORTMAP, 4, 3, body))), "GETADDR"
            text = f"127.0.0.1.{port >> 8}.{port & 255}".encode()
            server.sendall(record(reply(3, struct.pack(">I", len(text)) + text + bytes(-len(text) % 4))))
            want = f"127.0.0.1.{ours >> 8}.{ours & 255}".encode()
            got = take(client, 32 + len(want))
            assert got[32:] == want, got


def test_udp(program):
    with Stage(program, "--fault", "when procedure 9 do drop call") as s:
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("127.0.0.1", s.to))
        server.settimeout(WAIT_S)
        clients = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
        for i, client in enumerate(clients):
            client.settimeout(WAIT_S)
            client.sendto(call(i, procedure=9), ("127.0.0.1", s.port))
            client.sendto(call(i), ("127.0.0.1", s.port))
        came = [server.recvfrom(65536) for _ in clients]
        for message, where in came:
            assert message in [call(i) for i in range(3)], message
            server.sendto(reply(struct.unpack(">I", message[:4])[0]), where)
        for i, client in enumerate(clients):
            assert client.recv(65536) == reply(i), "a reply of another client"
        for sock in (server, *clients):
            sock.close()


def test_errors_say_what_to_do(program):
    for options, want in (
        ([], "which server? try: nfsleuth proxy"),
        (["--to", "127.0.0.1", "--fault", "when READ do fly"], '--fault:1: "fly" is no action'),
        (["--to", "127.0.0.1", "--listen", ":0", "--listen", ":0"], "has no --to"),
        (["--to", "127.0.0.1", "--seed", "x"], "--seed=x: it must be a number"),
    ):
        done = subprocess.run([program, "proxy", *options], capture_output=True, text=True, timeout=WAIT_S)
        assert done.returncode == 2 and want in done.stderr, (options, done)


if __name__ == "__main__":
    tap.run(globals(), sys.argv[1])
