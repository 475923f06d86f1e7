#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Mounts `nfsleuth serve` from a guest with a real kernel, over QEMU's user networking, and puts it to use.
# Usage: serve.sh NFSLEUTH [VERSION...]      versions of NFS: 3 4.0 4.1 4.2; all of them without any
# Environment: LAB_KERNEL, NFSLEUTH_LAB_CACHE as for lab.sh. Needs root, for a network namespace of its own; exit status 1: something failed.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || { sed -n '3,5s/^# //p' "$0"; exit 2; }
run_name="run-serve"
# shellcheck source=lab/vm/endpoints.sh
. "$here/endpoints.sh"
shift
[ $# -gt 0 ] || set -- 3 4.0 4.1 4.2
failed=0
anew() { serve 127.0.0.1 --lease=20 --grace=10 --dir=big=20000; }
anew
boot_user client1 app-01
cp "$here/guest/exercise" "$run/client1/share/"
on client1 "nfs3-start client"
for v in "$@"; do
    if ! mount_user "$v"; then
        note "FAIL $v: it cannot be mounted"
        failed=1
        continue
    fi
    # Not in a pipe: a subshell would lose the count of commands.
    on client1 "sh /share/exercise /mnt $v 2>&1" 400 >"$run/exercise-$v.txt" || failed=1
    sed "s/^/$v /" "$run/exercise-$v.txt"
    # The server is started anew while a file is open and locked: the client must get its state back.
    on client1 "work /mnt one 1 >/tmp/work-one.log 2>&1 &"
    sleep 5
    control "add at 0s do restart" || { note "FAIL $v: serve does not take the order to restart"; failed=1; }
    sleep 40
    on client1 "touch /tmp/stop-one; for i in \$(seq 30); do grep -q ended /tmp/work-one.log && break; sleep 1; done; cat /tmp/work-one.log; rm -f /tmp/stop-one
        grep -q 'lock taken' /tmp/work-one.log && grep -q ended /tmp/work-one.log && ! grep -E 'held:|new:|refused' /tmp/work-one.log" 60 >"$run/restart-$v.txt" || failed=1
    sed "s/^/$v restart: /" "$run/restart-$v.txt"
    on client1 "umount /mnt" 60 || { note "FAIL $v: it cannot be unmounted"; failed=1; }
    kill -0 "$served" || { note "FAIL $v: serve ended: $(tail -n 3 "$run/serve.log")"; failed=1; anew; }
done
on client1 'dmesg | grep -i -E "nfs|rpc|bug|warn" | tail -n 30' >"$run/dmesg.txt"
exit $failed
