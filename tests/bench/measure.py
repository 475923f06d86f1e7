# SPDX-License-Identifier: GPL-2.0-or-later
"""CPU time and peak memory of a program.

Linux counts to a program's peak what its process held before exec, so a child of a large Python
would never look smaller than that. Hence a shell starts the program and ends, and we inherit it.
"""
import ctypes
import os
import subprocess
import time

PR_SET_CHILD_SUBREAPER = 36
START = 'exec 3<&0; "$@" <&3 3<&- >"$0" 2>/dev/null & echo $!'  # $0 is the log


class Run:
    """What a run cost; RuntimeError when it ended badly."""

    def __init__(self, argv, log, stdin=subprocess.DEVNULL, ok=(0, 1)):
        argv = [str(word) for word in argv]
        if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
            raise RuntimeError("prctl: we cannot inherit children")
        began = time.monotonic()
        started = subprocess.run(
            ["sh", "-c", START, log, *argv], stdin=stdin, stdout=subprocess.PIPE, check=True, cwd=log.parent
        )
        _, status, used = os.wait4(int(started.stdout), 0)
        self.wall = time.monotonic() - began
        self.seconds, self.rss_mb = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
        self.output = log.read_bytes()
        code = os.waitstatus_to_exitcode(status)
        if code not in ok:
            raise RuntimeError(f"{' '.join(argv[:4])}: exit status {code}")
