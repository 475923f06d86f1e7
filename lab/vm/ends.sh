#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a real kernel and the endpoints of nfsleuth say to each other: a guest's own complaints under the faults of `serve`, and
# `proxy` and `probe` before a guest's knfsd. One line "ok" or "FAIL" a step.
# Usage: ends.sh NFSLEUTH [PART...]     parts: lockd reclaim relay knfsd; all of them without any
# Environment: LAB_KERNEL, NFSLEUTH_LAB_CACHE as for lab.sh; LAB_KEEP: a folder for the guest's capture and log of lockd and reclaim.
# Needs root, for a network namespace of its own, and tcpdump for the comparison of bytes; exit status 1: something failed.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || { sed -n '5,7s/^# //p' "$0"; exit 2; }
run_name="run-ends"
# shellcheck source=lab/vm/endpoints.sh
. "$here/endpoints.sh"
shift
[ $# -gt 0 ] || set -- lockd reclaim relay knfsd
failed=0
held=''
step() { # NAME COMMAND...
    local name=$1
    shift
    if "$@" >"$run/step.log" 2>&1; then echo "ok $name"; else
        failed=1
        echo "FAIL $name: $(tail -n 3 "$run/step.log" | tr '\n' ' ')"
    fi
}
stop_serve() { kill "$served" && wait "$served"; served=''; }
stop_proxy() { kill "$relayed" && wait "$relayed"; relayed=''; }
kernel_said() { on client1 "dmesg" | grep -E "$1"; }
capture_user() { on client1 "tcpdump -Z root -i eth0 -s 0 -U -B 8192 -w /share/$1.pcap 'tcp port not 22' >/tmp/tcpdump.log 2>&1 &
    i=0; until grep -q listening /tmp/tcpdump.log; do i=\$((i+1)); [ \$i -lt 100 ] || break; sleep 0.1; done"; }
capture_stop() { # NAME: with the kernel's words, as a syslog has them
    on client1 'kill -INT $(pidof tcpdump); sleep 0.5; dmesg >/share/dmesg.txt; dmesg -c >/dev/null; echo "$(/bin/date +%s.%N) $(cut -d" " -f1 /proc/uptime)" >/share/uptime.txt' 20
    [ -n "${LAB_KEEP:-}" ] || return 0
    mkdir -p "$LAB_KEEP/$1"
    cp "$run/client1/share/$1.pcap" "$LAB_KEEP/$1/client1.pcap"
    syslog_of client1 >"$LAB_KEEP/$1/client1.log"
}

# The lock manager answers nothing for 100 s: lockd of the guest complains, and then takes it back.
part_lockd() {
    serve 127.0.0.1 --lease=20 --grace=1
    sleep 2
    capture_user lockd
    step "lockd: NFSv3 is mounted" mount_user 3
    step "lockd: a lock is taken" on client1 "touch /mnt/f; for i in 1 2 3 4 5; do flock /mnt/f true || exit 1; sleep 2; done" 30
    step "lockd: the lock manager is frozen" control "add at 0s do freeze nlm for 100s"
    step "lockd: a lock waits and is taken" on client1 "flock /mnt/f true" 180
    step "lockd: the kernel complained" kernel_said 'lockd: server 10.0.2.2 not responding, still trying'
    step "lockd: and took it back" kernel_said 'lockd: server 10.0.2.2 OK'
    step "lockd: it goes on" on client1 "for i in 1 2 3; do flock /mnt/f true || exit 1; sleep 1; done; umount /mnt" 30
    capture_stop lockd
    step "lockd: serve ends" stop_serve
}

# The server restarts without a grace period: nothing is reclaimed, and the guest says what it lost (since 6.0 by number).
part_reclaim() {
    serve 127.0.0.1 --lease=20 --grace=15
    sleep 16
    capture_user reclaim
    step "reclaim: NFSv4.1 is mounted" mount_user 4.1
    on client1 "work /mnt one 1 >/tmp/work-one.log 2>&1 &"
    sleep 8
    step "reclaim: serve restarts" control "add at 0s do restart, grace end"
    sleep 40
    step "reclaim: the kernel said what it lost" kernel_said 'NFS: 10.0.2.2: lost 1 locks|Lock reclaim failed'
    step "reclaim: the work ends" on client1 "touch /tmp/stop-one; for i in \$(seq 30); do grep -q ended /tmp/work-one.log && break; sleep 1; done; grep ended /tmp/work-one.log; rm -f /tmp/stop-one; umount /mnt" 60
    capture_stop reclaim
    step "reclaim: serve ends" stop_serve
}

# Not in a pipe: a subshell would lose the count of commands.
exercise() {
    on client1 "sh /share/exercise /mnt $1 2>&1" 500 >"$run/exercise-$2-$1.txt"
    grep FAIL "$run/exercise-$2-$1.txt"
    grep -qx '0 failed' "$run/exercise-$2-$1.txt"
}
exercised() { # WHAT EXPORT VERSION...: through the proxy; NFSv3 has no root of its own above the exports
    local what=$1 export=$2 v path
    shift 2
    for v in "$@"; do
        path=/
        [ "$v" != 3 ] || path=$export
        step "$what: $v is mounted through the proxy" mount_user "$v" '' "$path"
        on client1 "grep -q ' /mnt ' /proc/mounts" || continue
        step "$what: $v passes the exercise through the proxy" exercise "$v" "$what"
        step "$what: $v is unmounted" on client1 "umount /mnt" 60
    done
}

# The proxy without faults before serve.
part_relay() {
    serve 127.0.0.2 --lease=20 --grace=1 --port=nlm=32803
    proxy 127.0.0.2
    exercised relay / 3 4.0 4.1 4.2
    step "relay: the proxy ends" stop_proxy
    step "relay: serve ends" stop_serve
}

bytes_begin() {
    tcpdump -Z root -i lo -s 0 -U -B 32768 -w "$run/bytes.pcap" 'tcp and (host 127.0.0.1 or host 127.0.0.3)' 2>"$run/bytes.log" &
    bytes=$!
    until grep -q listening "$run/bytes.log"; do sleep 0.1; done
}
bytes_end() {
    sleep 1
    kill -INT "$bytes"
    wait "$bytes"
    python3 "$here/../../tests/cross/relayed.py" --compare "$run/bytes.pcap" 127.0.0.3
}

# The proxy takes the server's own port numbers where it can; where these are taken, only a portmap answer tells the client its port.
ports_hold() { # PORT...
    python3 -c 'import socket, sys, time
held = [socket.create_server(("127.0.0.1", int(port))) for port in sys.argv[1:]]
print("ready", flush=True)
time.sleep(3600)' "$@" >"$run/held.ports" 2>"$run/held.log" &
    held=$!
    wait_ready held
}
ports_free() { kill "$held"; wait "$held" 2>/dev/null; held=''; }
ports_told() { # PORT...: the proxy stands for each at another one (who holds them answers nothing: what worked, worked there)
    local port other
    for port in "$@"; do
        other=$(sed -n "s/.* listens at 127.0.0.1:\([0-9]*\) for 127.0.0.3:$port$/\1/p" "$run/proxy.log" | tail -n 1)
        echo "$port: $other"
        [ -n "$other" ] && [ "$other" != "$port" ] || return 1
    done
}

# A guest's knfsd: the proxy before it, and the probe.
part_knfsd() {
    local v fwd=
    for v in 111 2049 20048 32803 662; do fwd=$fwd,hostfwd=tcp:127.0.0.3:$v-:$v; done
    boot_user server nfs-srv "$fwd"
    on server "echo '/export *(rw,no_root_squash,fsid=0,no_subtree_check,sec=sys,insecure)' >/etc/exports; chmod 777 /export; mkdir /export/listed; cd /export/listed; seq 3000 | xargs touch; dd if=/dev/urandom of=/export/probe-file bs=4096 count=64 2>/dev/null; nfs3-start server 32803; nfsdcld 2>/dev/null; rpc.nfsd 0; rpc.nfsd 8" 60
    sleep 25
    step "knfsd: probe check" "$nfsleuth" probe check 127.0.0.3:/export
    step "knfsd: probe list" "$nfsleuth" probe list 127.0.0.3:/export dir=listed processes=4
    step "knfsd: probe load" quiet "$nfsleuth" probe load 127.0.0.3:/export for=10 every=0.1 mix=getattr+access+lookup+read+write+readdir+list+statfs+touch
    step "knfsd: probe lock" quiet "$nfsleuth" probe lock 127.0.0.3:/export for=10 every=0.2 hold=0.1
    for v in 4.0 4.1 4.2; do
        step "knfsd: probe session $v" quiet "$nfsleuth" probe session 127.0.0.3 vers=$v for=10 every=0.2 mix=renew+open+lock+getattr+write+read+list+unlock+close
    done
    ports_hold 20048 32803
    proxy 127.0.0.3
    bytes_begin
    step "knfsd: probe check through the proxy" "$nfsleuth" probe check 127.0.0.1:/export
    exercised knfsd /export 4.2 3
    step "knfsd: what the proxy passes on is what it got" bytes_end
    step "knfsd: portmap's answers told other ports" ports_told 20048 32803
    step "knfsd: the proxy ends" stop_proxy
    ports_free
    kill_guest server
}
quiet() { "$@" >"$run/quiet.txt" 2>&1; local rc=$?; cat "$run/quiet.txt"; [ $rc = 0 ] && [ ! -s "$run/quiet.txt" ]; }

boot_user client1 app-01
cp "$here/guest/exercise" "$run/client1/share/"
on client1 "nfs3-start client"
for part in "$@"; do "part_$part"; done
on client1 'dmesg | grep -i -E "nfs|rpc|lockd|bug|warn" | tail -n 30' >"$run/dmesg.txt"
exit $failed
