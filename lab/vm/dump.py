# SPDX-License-Identifier: GPL-2.0-or-later
"""Run by drgn (dump.sh): the stacks of blocked tasks, and the locks of inodes that they wait for.

Writes DIR/drgn.txt as a session of drgn shows it, DIR/locks: what crash shall print of the locks,
and DIR/holder: the blocked task that lists under the lock.
"""

import sys

from drgn import FaultError, cast
from drgn.helpers.linux.pid import for_each_task

UNINTERRUPTIBLE, IDLE = 0x2, 0x400
OWNER_FLAGS = 7
LOCKING = ("rwsem_down_write_slowpath", "rwsem_down_read_slowpath", "down_write_killable", "down_write")
out = sys.argv[1]
locks, holder = {}, None


def is_blocked(task):
    state = task.member_("__state").value_()
    return state & UNINTERRUPTIBLE and not state & IDLE


def lock_of(frame):
    if frame.name not in LOCKING or "sem" not in frame.locals():
        return None
    sem = frame["sem"]
    return None if sem.absent_ else sem


with open(f"{out}/drgn.txt", "w") as text:
    for task in for_each_task(prog):
        if not is_blocked(task):
            continue
        pid = task.pid.value_()
        trace = prog.stack_trace(task)
        print(f">>> prog.stack_trace({pid})  # {task.comm.string_().decode()}", file=text)
        print(trace, file=text)
        if holder is None and any(frame.name == "nfs_readdir" for frame in trace):
            holder = pid
        for sem in filter(None, map(lock_of, trace)):
            locks[sem.value_()] = sem
    for address, sem in sorted(locks.items()):
        print(f">>> Object(prog, 'struct rw_semaphore', address={address:#x})", file=text)
        print(sem[0], file=text)
        owner = cast("struct task_struct *", sem.owner.counter & ~OWNER_FLAGS)
        try:
            owner_text = f"{owner.pid}\n{owner.comm}"
        except FaultError:
            continue
        print(f">>> owner.pid; owner.comm\n{owner_text}", file=text)
with open(f"{out}/locks", "w") as text:
    for address in sorted(locks):
        print(f"struct rw_semaphore {address:x}", file=text)
with open(f"{out}/holder", "w") as text:
    print("" if holder is None else holder, end="", file=text)
