#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Stages NFSv4 incidents with real Linux kernels in QEMU guests and keeps what the guests captured.
# Usage: lab.sh list | lab.sh run CASE... | lab.sh expect CASE... (only writes expect.json again)
# Environment: NFSLEUTH_LAB_CACHE (downloads, work files), LAB_KERNEL (6.1.0-56), LAB_CLIENT_KERNEL (the same),
#              LAB_OUT (where case folders go, default: tests/cases of this repository).
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${NFSLEUTH_LAB_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/nfsleuth-lab}
kernel=${LAB_KERNEL:-6.1.0-56}
client_kernel=${LAB_CLIENT_KERNEL:-$kernel}
out=${LAB_OUT:-$(cd "$here/../.." && pwd)/tests/cases}
run=$cache/run
declare -A host_of ip_of
ip_of=([server]=192.0.2.10 [client1]=192.0.2.21 [client2]=192.0.2.22)
declare -A mac_of=([server]=52:54:00:00:02:10 [client1]=52:54:00:00:02:21 [client2]=52:54:00:00:02:22)
seq=0

die() { echo "lab: $*" >&2; exit 1; }
note() { echo "$(date -u +%T) $*" >&2; }

# --- guests -------------------------------------------------------------------------------------------------------------
# The server has one NIC for each client, a Unix socket, and bridges them: no traffic leaves the guests. (QEMU's own hub
# would send every frame to every guest, and a paused one would hold up the others as soon as its socket is full.)
boot() { # GUEST HOSTNAME
    local g=$1 net k=$client_kernel dir=$run/$1 memory=400
    host_of[$g]=$2
    mkdir -p "$dir/share/in" "$dir/share/out"
    rm -f "$dir/share/up" "$dir/share/in/"* "$dir/monitor"
    if [ "$g" = server ]; then
        k=$kernel
        net=
        for c in client1 client2; do
            net="$net -netdev stream,id=s$c,server=on,addr.type=unix,addr.path=$run/$c.sock -device virtio-net-pci,netdev=s$c,mac=${mac_of[$g]%10}${c#client}0"
        done
    else
        net="-netdev stream,id=n0,server=off,addr.type=unix,addr.path=$run/$g.sock -device virtio-net-pci,netdev=n0,mac=${mac_of[$g]}"
    fi
    net=${LAB_NET:-$net}
    # With LAB_TRACERS the root, which is in memory, is large.
    [ "$(stat -c %s "$cache/initramfs/$k.cpio")" -lt 150000000 ] || memory=1400
    # shellcheck disable=SC2086
    qemu-system-x86_64 -M pc -cpu qemu64 -m $memory -smp 1 -nodefaults -no-user-config -display none -no-reboot -rtc base=utc,clock=host \
        -kernel "$cache/kernel/vmlinuz-$k" -initrd "$cache/initramfs/$k.cpio" \
        -append "console=ttyS0 quiet panic=-1 net.ifnames=0 random.trust_cpu=1 mitigations=off no_timer_check lab.host=$2 lab.ip=${ip_of[$g]} lab.ip6=${LAB_IP6:+2001:db8::${ip_of[$g]##*.}}" \
        -serial "file:$dir/console.log" -monitor "unix:$dir/monitor,server=on,wait=off" \
        $net -device virtio-rng-pci -device vmcoreinfo \
        -virtfs "local,path=$dir/share,mount_tag=share,security_model=none" </dev/null >"$dir/qemu.log" 2>&1 &
    echo $! >"$dir/pid"
}

wait_up() { # GUEST...
    local g i
    for g in "$@"; do
        for ((i = 0; i < 3000; i++)); do
            [ -e "$run/$g/share/up" ] && break
            kill -0 "$(cat "$run/$g/pid")" 2>/dev/null || die "$g died: $(cat "$run/$g/qemu.log")"
            sleep 0.1
        done
        [ -e "$run/$g/share/up" ] || die "$g does not come up, see $run/$g/console.log"
        set_clock "$g"
        note "$g is up"
    done
}

set_clock() { # The guest reads the host's time from a file that is renewed all the time: some 30 ms off.
    local now=$run/$1/share/now id i
    date +%s.%N >"$now"
    post "$1" 'sleep 0.3; /bin/date -s "@$(cat /share/now)"' >/dev/null
    id=$last
    for ((i = 0; i < 2000; i++)); do
        [ -e "$run/$1/share/out/$id.rc" ] && return
        date +%s.%N >"$now.new" && mv "$now.new" "$now"
        sleep 0.005
    done
}

post() { # GUEST COMMANDS: start them, number in $last
    seq=$((seq + 1))
    last=$(printf '%06d' $seq)
    printf '%s\n' "$2" >"$run/$1/share/cmd.new"
    mv "$run/$1/share/cmd.new" "$run/$1/share/in/$last"
}

finish() { # GUEST NUMBER [SECONDS]: wait for it, print its output, return its status
    local i f=$run/$1/share/out/$2
    for ((i = 0; i < ${3:-60} * 20; i++)); do
        if [ -e "$f.rc" ]; then cat "$f.log"; return "$(cat "$f.rc")"; fi
        sleep 0.05
    done
    echo "(no answer of $1 within ${3:-60} s)"
    return 124
}

on() { post "$1" "$2"; finish "$1" "$last" "${3:-60}"; }
monitor() { printf '%s\n' "$2" | python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.recv(4096); s.sendall(sys.stdin.buffer.read()); time.sleep(0.2)' "$run/$1/monitor"; }

kill_guest() {
    local pid
    pid=$(cat "$run/$1/pid" 2>/dev/null) || return 0
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    rm -f "$run/$1/pid" "$run/$1/share/up"
}
down() { local g; for g in client1 client2 server; do kill_guest $g; done 2>/dev/null; rm -f "$run"/*.sock; }

# --- a case -------------------------------------------------------------------------------------------------------------
event() { # AT IS NOW, or EVENT_AT
    jq -cn --arg at "$(date -u +%Y-%m-%dT%H:%M:%S.%6NZ)" --arg what "$*" '{at: $at, what: $what}' >>"$run/events"
    note "$*"
}

lab_start() { # SERVER-LEASE SERVER-GRACE HOST1 [HOST2]: guests up, nfsd on, captures on
    lease=$1 grace=$2
    down
    rm -rf "$run"
    mkdir -p "$run"
    : >"$run/events"
    note "boot"
    boot server nfs-srv
    sleep 0.5
    boot client1 "$3"
    [ -z "${4:-}" ] || boot client2 "$4"
    wait_up server client1 ${4:+client2}
    on server "echo '/export *(rw,no_root_squash,fsid=0,no_subtree_check,sec=sys)' >/etc/exports; chmod 777 /export; ${LAB_NFSD:-nfsd-start $lease $grace}" || die "nfsd does not start"
    # A server without any known client ends its grace period at once; wait for it in any case.
    sleep 1
    capture server
    capture client1
    [ -z "${4:-}" ] || capture client2
    event "captures started"
}

capture() { # GUEST [FILE]
    local nic=eth0
    [ "$1" != server ] || nic=br0
    on "$1" "uname -r >/share/uname.txt; : >/tmp/tcpdump.log; tcpdump -Z root -p -i $nic -s 0 -U -B 8192 -w /share/${2:-capture.pcap} '${LAB_FILTER:-tcp port 2049 or arp or icmp or icmp6}' >/tmp/tcpdump.log 2>&1 &
        i=0; until grep -q listening /tmp/tcpdump.log; do i=\$((i+1)); [ \$i -lt 100 ] || break; sleep 0.1; done"
}

lab_stop() { # ends the captures and switches the guests off
    local g
    for g in server client1 client2; do
        [ -e "$run/$g/pid" ] || continue
        on $g 'kill -INT $(pidof tcpdump); sleep 0.5; dmesg >/share/dmesg.txt; echo "$(/bin/date +%s.%N) $(cut -d" " -f1 /proc/uptime)" >/share/uptime.txt; cat /tmp/work*.log >/share/work.txt 2>/dev/null; true' 20 >/dev/null
    done
    event "captures stopped"
    down
}

mnt() { # CLIENT OPTIONS [DIRECTORY]
    on "$1" "mkdir -p ${3:-/mnt}; mount.nfs ${LAB_SERVER:-192.0.2.10}:${LAB_EXPORT:-/} ${3:-/mnt} -o $2,sec=sys" "${MNT_WAIT:-60}" || { event "$1: mount with $2 fails"; return 1; }
    event "$1 mounted with $2"
    mounts="${mounts:-}${mounts:+|}$1: $2"
}
umnt() { on "$1" "umount ${2:-/mnt}"; event "$1 unmounted"; }
work() { on "$1" "work ${4:-/mnt} $2 ${3:-2} >/tmp/work-$2.log 2>&1 &"; event "$1 starts its I/O loop ($2: a file held open and locked, a round of small I/O every ${3:-2} s)"; }
unwork() { on "$1" "touch /tmp/stop-$2"; }

# reading FILES HEADLINES FOUND ALSO [CONFIDENCE-MAX [NOTE]]: one entry of expect.json; words separated by spaces, null for no headline
reading() {
    jq -cn --arg f "$1" --arg h "$2" --arg d "$3" --arg a "$4" --arg c "${5:-}" --arg n "${6:-}" 'def words: split(" ") | map(select(. != ""));
        {files: ($f | words), headline: ($h | words | map(if . == "null" then null else . end)), found: ($d | words), also: ($a | words), issue: 1}
        + (if $c == "" then {} else {confidence_max: $c} end) + (if $n == "" then {} else {note: $n} end)'
}
readings() { # HEADLINES FOUND ALSO: the same for everything together, for the server's view and for the clients'
    local f
    for f in . server.pcap client1.pcap ${4:-}; do reading "$f" "$1" "$2" "$3"; done
}

expect() { # of a folder with packed captures, too
    "expect_${1//-/_}" | jq -s . >"$out/vm-$1/expect.json"
    ! ls "$out/vm-$1"/*.pcap.xz >/dev/null 2>&1 || sed -i 's/\.pcap\>/.pcap.xz/g' "$out/vm-$1/expect.json"
}

# What the kernel of a guest said of NFS, with the time and host as a syslog has them.
syslog_of() { # GUEST
    grep -E 'lockd|NFSD|nfs:|NFS: .* lost|statd' "$run/$1/share/dmesg.txt" | python3 -c '
import re, sys, time
now, up = map(float, open(sys.argv[1]).read().split())
for line in sys.stdin:
    at = now - up + float(re.match(r"\[ *([0-9.]+)", line).group(1))
    print(time.strftime("%b %e %H:%M:%S", time.gmtime(at)), sys.argv[2], "kernel:", line, end="")' "$run/$1/share/uptime.txt" "${host_of[$1]}"
}

# keep CASE ROOT-CAUSE SYMPTOM...: the case's folder from what the guests left.
keep() {
    local name=$1 cause=$2 dir=$out/vm-$1 g guests=
    shift 2
    mkdir -p "$dir"
    rm -f "$dir"/*.pcap* "$dir"/*.log
    for g in server client1 client2; do
        [ -s "$run/$g/share/capture.pcap" ] || continue
        cp "$run/$g/share/capture.pcap" "$dir/$g.pcap"
        [ ! -s "$run/$g/share/capture-1.pcap" ] || mergecap -F pcap -a -w "$dir/$g.pcap" "$run/$g/share/capture-1.pcap" "$run/$g/share/capture.pcap"
        [ -z "${LAB_LOGS:-}" ] || syslog_of $g >"$dir/$g.log" && [ -s "$dir/$g.log" ] || rm -f "$dir/$g.log"
        chmod 644 "$dir/$g.pcap"
        guests="$guests $(jq -cn --arg g $g --arg h "${host_of[$g]}" --arg a "$([ -z "$LAB_IP6" ] && echo "${ip_of[$g]}" || echo "2001:db8::${ip_of[$g]##*.}")" --arg k "$(cat "$run/$g/share/uname.txt")" '{($g): {hostname: $h, address: $a, kernel: $k}}')"
    done
    jq -n --arg s "$name" --arg m "${mounts:-}" --arg c "$cause" --argjson g "$(echo "$guests" | jq -s add)" --argjson ev "$(jq -s . "$run/events")" \
        --argjson l "$lease" --argjson gr "$grace" --arg notes "${notes:-}" '{scenario: $s, mount_options: ($m | split("|")), root_cause: $c, expected_symptoms: $ARGS.positional, guests: $g, events: $ev,
        server: {lease_s: $l, grace_s: $gr, nfsd_threads: 8}} + (if $notes == "" then {} else {notes: $notes} end)' --args "$@" >"$dir/truth.json"
    xz -9 "$dir"/*.pcap
    expect "$name"
    note "$name: $(du -ch "$dir"/*.pcap.xz | tail -n 1)"
    mkdir -p "$cache/kept"
    rm -rf "$cache/kept/$name"
    mkdir "$cache/kept/$name"
    for g in server client1 client2; do
        for f in dmesg.txt work.txt; do [ ! -s "$run/$g/share/$f" ] || cp "$run/$g/share/$f" "$cache/kept/$name/$g-$f"; done
    done
}

main() {
[ "${1:-}" != run ] || trap 'down' EXIT
trap 'exit 130' INT TERM
case ${1:-} in
list) sed -n 's/^case_\([a-z0-9_]*\)() *{ *# */\1\t/p' "$here"/cases/*.sh | sed 's/_/-/g' ;;
run)
    shift
    for f in "$here"/cases/*.sh; do . "$f"; done
    for c in "$@"; do
        mounts= notes= LAB_IP6= LAB_SERVER= LAB_FILTER= LAB_NFSD= LAB_EXPORT= LAB_LOGS=
        kernel=${LAB_KERNEL:-6.1.0-56} client_kernel=${LAB_CLIENT_KERNEL:-${LAB_KERNEL:-6.1.0-56}}
        "case_${c//-/_}" || note "case $c failed"
    done
    ;;
expect) # write expect.json of kept cases again
    shift
    for f in "$here"/cases/*.sh; do . "$f"; done
    for c in "$@"; do expect "$c"; done
    ;;
*) sed -n '2,5s/^# //p' "$0"; exit 2 ;;
esac
}
[ "${1:-}" = source ] || { main "$@"; exit; }
