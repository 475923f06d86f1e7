#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Mounts `nfsleuth serve` from a guest with a real kernel, over QEMU's user networking, and puts it to use.
# Usage: serve.sh NFSLEUTH [VERSION...]      versions of NFS: 3 4.0 4.1 4.2; all of them without any
# Environment: LAB_KERNEL, NFSLEUTH_LAB_CACHE as for lab.sh. Needs root, for a network namespace of its own; exit status 1: something failed.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || { sed -n '3,5s/^# //p' "$0"; exit 2; }
if [ "${LAB_INSIDE:-}" != yes ]; then
    exec env LAB_INSIDE=yes unshare --net -- "$0" "$@"
fi
ip link set lo up
nfsleuth=$(realpath "$1")
shift
[ $# -gt 0 ] || set -- 3 4.0 4.1 4.2
cache=${NFSLEUTH_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nfsleuth-lab}
failed=0
# shellcheck source=lab/vm/lab.sh
. "$here/lab.sh" source
run=$cache/run-serve

trap 'kill_guest client1; kill "${served:-}" 2>/dev/null' EXIT
rm -rf "$run"
mkdir -p "$run"
: >"$run/events"
# Ports below 1024 as clients expect them: the namespace is ours.
serve() {
    rm -f "$run/control"
    "$nfsleuth" serve --listen=127.0.0.1 --lease=20 --grace=10 --control="$run/control" --port=portmap=111 --port=nfs=2049 --port=mount=20048 --dir=big=20000 \
        --ready-fd=3 3>"$run/ports" 2>>"$run/serve.log" &
    served=$!
    for ((i = 0; i < 100; i++)); do grep -q ready "$run/ports" 2>/dev/null && return; sleep 0.1; done
    die "serve does not get ready: $(tail -n 3 "$run/serve.log")"
}
control() { printf '%s\n' "$1" | python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(sys.stdin.buffer.read()); time.sleep(0.5); sys.stdout.write(s.recv(4096).decode())' "$run/control"; }
serve
LAB_NET="-netdev user,id=n0,restrict=off -device virtio-net-pci,netdev=n0" ip_of[client1]=10.0.2.15
boot client1 app-01
wait_up client1
cp "$here/guest/exercise" "$run/client1/share/"
on client1 "nfs3-start client"
for v in "$@"; do
    options=vers=$v,hard,proto=tcp
    [ "$v" != 3 ] || options=$options,mountproto=tcp
    if ! on client1 "mkdir -p /mnt; mount.nfs 10.0.2.2:/ /mnt -o $options,sec=sys; grep ' /mnt ' /proc/mounts" 60; then
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
    control "add anew: at 0s do restart" | grep -q . || { note "FAIL $v: serve does not take the order to restart"; failed=1; }
    sleep 40
    on client1 "touch /tmp/stop-one; for i in \$(seq 30); do grep -q ended /tmp/work-one.log && break; sleep 1; done; cat /tmp/work-one.log; rm -f /tmp/stop-one
        grep -q 'lock taken' /tmp/work-one.log && grep -q ended /tmp/work-one.log && ! grep -E 'held:|new:|refused' /tmp/work-one.log" 60 >"$run/restart-$v.txt" || failed=1
    sed "s/^/$v restart: /" "$run/restart-$v.txt"
    on client1 "umount /mnt" 60 || { note "FAIL $v: it cannot be unmounted"; failed=1; }
    kill -0 "$served" || { note "FAIL $v: serve ended: $(tail -n 3 "$run/serve.log")"; failed=1; serve; }
done
on client1 'dmesg | grep -i -E "nfs|rpc|bug|warn" | tail -n 30' >"$run/dmesg.txt"
exit $failed
