#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What bash and zsh make of a line and a tab, on a terminal. Prints TAP. Usage: completion.py PROGRAM"""
import fcntl
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import struct
import sys
import tempfile
import termios
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SECONDS_MAX = 30
# A prompt that the shells' echo of what is typed has not got in it.
READY = "rea''dy"

SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"],
             "bind 'set show-all-if-ambiguous on'; bind 'set bell-style none'; source completion/bash/nfsleuth"),
    "zsh": (["zsh", "-f", "-i"],
            "fpath=($PWD/completion/zsh $fpath); autoload -U compinit; compinit -u -D; LISTMAX=1000"),
}  # fmt: skip
# What is typed, and what the terminal must show of it then.
LINES = [
    ("diag", "diagnose "),
    ("--ver", "--version"),
    ("", r"compare\b.*\bdiagnose\b.*\bexplain\b.*\bshow\b.*\bversion\b"),
    ("diagnose --", r"--boot-time=.*--json.*--no-sandbox.*--threads="),
    ("diagnose samples/link", "samples/link-down/"),
    ("diagnose FOLDER/a", r"/a\\ b\.pcap "),
    ("diagnose --color=al", r"--color=always"),
    ("diagnose --output=FOLDER/a", r"--output=\S*/a\\ b\.pcap"),
    ("show sess", "sessions "),
    ("show calls --so", "--sort="),
    ("show calls --sort=se", "--sort=settled"),
    ("show calls samples/link", "samples/link-down/"),
    ("explain nfs4-client-owner-c", "nfs4-client-owner-collision "),
    ("reproduce session-l", "session-loop "),
    ("serve --tree=sampl", "--tree=samples/"),
    ("timeouts ver", "vers="),
    ("help diag", "help diagnose "),
]


class Terminal:
    def __init__(self, argv, begin, program, home):
        env = {**os.environ, "PATH": f"{program.parent}:/usr/bin:/bin", "TERM": "dumb", "PS1": "", "HOME": home}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execvpe(argv[0], argv, env)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 200, 200, 0, 0))
        self.type(f"{begin}; echo {READY}\n")
        self.wait("ready")

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait(self, pattern):
        """Whether it comes, and what was shown until then."""
        shown, deadline = "", time.monotonic() + SECONDS_MAX
        while not re.search(pattern, shown, re.DOTALL) and time.monotonic() < deadline:
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    shown += os.read(self.fd, 65536).decode(errors="replace").replace("\a", "")
                except OSError:
                    break
        return bool(re.search(pattern, shown, re.DOTALL)), shown

    def forget_line(self):
        self.type("\x15")  # what is on the line goes
        self.type(f"echo {READY}\n")
        self.wait("ready")

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    failed = number = 0
    print(f"1..{len(SHELLS) * len(LINES)}")
    with tempfile.TemporaryDirectory(prefix="nfsleuth-tab-") as folder:
        (pathlib.Path(folder) / "a b.pcap").touch()
        for shell, (argv, begin) in SHELLS.items():
            terminal = Terminal(argv, begin, program, folder) if shutil.which(shell) else None
            for typed, wanted in LINES:
                number += 1
                if not terminal:
                    print(f"ok {number} - {shell}: {typed} # SKIP {shell} is not installed")
                    continue
                terminal.type("nfsleuth " + typed.replace("FOLDER", folder) + "\t")
                good, shown = terminal.wait(wanted)
                terminal.forget_line()
                failed += not good
                print(f"{'' if good else 'not '}ok {number} - {shell}: {typed}", flush=True)
                if not good:
                    print(f"# shown: {shown!r}")
            if terminal:
                terminal.close()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
