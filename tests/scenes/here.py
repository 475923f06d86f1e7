#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`nfsleuth reproduce --here`: what it runs breaks a connection as it says, and is undone. Prints TAP.

here.py PROGRAM. In a network namespace of its own, on its loopback; a line is echoed to see whether
anything passes. Skips loudly where there is no namespace, or no nft.
"""
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading

WAIT_S = 1.5
ENTER = ["unshare", "--user", "--map-root-user", "--net"], ["unshare", "--net"]
# What a connection that was there does, and what a new one does: "passes", "silent" or "ends".
KINDS = {
    "silent": ("silent", "silent"), "no-answer": ("silent", "silent"), "refused": ("ends", "ends"),
    "synack": (None, "silent"), "syn": (None, "silent"), "fin": ("passes", "passes"),
    "large": ("passes", "passes"), "loss": (None, None), "reset": (None, "passes"),
}  # fmt: skip
NEED_SS_KILL = {"syn", "synack", "reset"}  # ss -K, which not every kernel has


def serve(listener):
    def echo(sock):
        with contextlib.suppress(OSError), sock:
            while data := sock.recv(65536):
                sock.sendall(data)

    with contextlib.suppress(OSError):
        while True:
            threading.Thread(target=echo, args=(listener.accept()[0],), daemon=True).start()


def fares(sock, data=b"line\n"):
    try:
        sock.sendall(data)
        got = b""
        while len(got) < len(data):
            if not (more := sock.recv(65536)):
                return "ends"
            got += more
        return "passes"
    except TimeoutError:
        return "silent"
    except OSError:
        return "ends"


def new(port):
    try:
        return socket.create_connection(("127.0.0.1", port), WAIT_S)
    except TimeoutError:
        return "silent"
    except OSError:
        return "ends"


def new_fares(port, data=b"line\n"):
    sock = new(port)
    if isinstance(sock, str):
        return sock
    with sock:
        return fares(sock, data)


def here(program, port, kind, *options):
    return subprocess.run([program, "reproduce", "--here", *options, "127.0.0.1", str(port), kind],
                          capture_output=True, text=True)  # fmt: skip


def check(program, port, kind):
    """What is wrong, or None; the string "skip" where this kernel cannot do it."""
    old_wanted, new_wanted = KINDS[kind]
    if subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True).stdout:
        return "a rule is left from before"
    with new(port) as old:
        old.settimeout(WAIT_S)
        done = here(program, port, kind, "--run")
        if done.returncode != 0:
            return "skip" if kind in NEED_SS_KILL else done.stderr + done.stdout
        got = fares(old) if old_wanted else None, new_fares(port) if new_wanted else None
        large = new_fares(port, bytes(60000)) if kind == "large" else None
        undone = here(program, port, kind, "--undo", "--run")
        if got != (old_wanted, new_wanted):
            return f"{got}, not {(old_wanted, new_wanted)}"
        if large == "passes":
            return "60000 bytes pass"
    if undone.returncode != 0 or new_fares(port) != "passes":
        return f"it is not undone: {undone.stdout}{undone.stderr}"
    return None


def main():
    if os.environ.get("HERE_INSIDE") != "yes":
        for enter in ENTER:
            if shutil.which("nft") and subprocess.run([*enter, "nft", "list", "ruleset"],
                                                      capture_output=True).returncode == 0:  # fmt: skip
                os.environ["HERE_INSIDE"] = "yes"
                os.execvp(enter[0], [*enter, sys.executable, __file__, *sys.argv[1:]])
        print("1..0 # SKIP no network namespace of our own, or no nft")
        return 0
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    program, port = os.path.abspath(sys.argv[1]), listener.getsockname()[1]
    failed = 0
    print(f"1..{len(KINDS) + 1}", flush=True)
    printed = here(program, port, "silent")
    rules = subprocess.run(["nft", "list", "ruleset"], capture_output=True, text=True).stdout
    good = printed.returncode == 0 and "# to undo it" in printed.stdout and not rules
    failed += not good
    print(f"{'ok' if good else 'not ok'} 1 - without --run it only prints", flush=True)
    for number, kind in enumerate(KINDS, 2):
        wrong = check(program, port, kind)
        failed += wrong not in (None, "skip")
        print(f"{'ok' if wrong in (None, 'skip') else 'not ok'} {number} - {kind}"
              + (" # SKIP this kernel ends no sockets (ss -K)" if wrong == "skip" else ""), flush=True)
        if wrong not in (None, "skip"):
            print("# " + wrong.replace("\n", "\n# "), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
