# SPDX-License-Identifier: GPL-2.0-or-later
# The client's own timers. Sourced by lab.sh like cases.sh.
# A folder has one for each guest (capture.pcap, nfsstat-m.txt, dmesg-iso.txt): logs and mounts lie beside their capture.

timers_note_clock() { on "$1" 'nfsstat -m >/share/nfsstat-m.txt; echo "$(/bin/date +%s.%N) $(cut -d" " -f1 /proc/uptime)" >/share/clock.txt'; }

# Puts what keep left flat into folders; the kernel log with dates, as dmesg --time-format iso writes them.
timers_sort() { # CASE GUEST...
    local dir=$out/vm-$1 g
    shift
    for g in "$@"; do
        mkdir -p "$dir/$g"
        mv "$dir/$g.pcap" "$dir/$g/capture.pcap"
        rm -f "$dir/$g.dmesg"
        [ ! -s "$run/$g/share/nfsstat-m.txt" ] || cp "$run/$g/share/nfsstat-m.txt" "$dir/$g/"
        [ ! -s "$run/$g/share/clock.txt" ] || python3 - "$run/$g/share" >"$dir/$g/dmesg-iso.txt" <<'PYTHON'
import datetime, pathlib, re, sys
share = pathlib.Path(sys.argv[1])
now, up = map(float, (share / "clock.txt").read_text().split())
for line in (share / "dmesg.txt").read_text().splitlines():
    said = re.match(r"\[ *(\d+\.\d+)\] (.*)", line)
    if said and re.search("Linux version|lockd|nfs:|NFS", said[2]):
        at = datetime.datetime.fromtimestamp(now - up + float(said[1]), datetime.timezone.utc)
        print(at.strftime("%Y-%m-%dT%H:%M:%S,%f+00:00"), said[2])
PYTHON
    done
}

case_nfs3_timeo() { # nfsd waits for a stopped mountd: a hard mount with timeo=50,retrans=3 and a soft one with timeo=30,retrans=2
    LAB_NFSD="nfs3-start server 40001" LAB_EXPORT=/export LAB_LOGS=yes LAB_FILTER='tcp or udp or arp or icmp'
    lab_start 20 20 app-01 app-02
    mnt client1 vers=3,proto=tcp,hard,timeo=50,retrans=3,nolock
    mnt client2 vers=3,proto=tcp,soft,timeo=30,retrans=2,nolock
    on client1 "touch /mnt/one"; on client2 "touch /mnt/two"
    timers_note_clock client1; timers_note_clock client2
    sleep 3
    on server 'kill -STOP $(pidof rpc.mountd); exportfs -f'; event "server: rpc.mountd stopped, and the kernel's cache of exports emptied"
    on client1 "touch /mnt/three >/tmp/work-1.log 2>&1 &"; event "client1 makes a file"
    on client2 "touch /mnt/four >/tmp/work-2.log 2>&1 &"; event "client2 makes a file"
    sleep 48
    on server 'kill -CONT $(pidof rpc.mountd)'; event "server: rpc.mountd goes on"
    sleep 6
    lab_stop
    keep nfs3-timeo "rpc.mountd on the server was stopped for 48 s when the kernel's cache of exports had just been emptied: nfsd waits for its up-call and answers nothing, while TCP acknowledges all." \
        "client1 (timeo=50,retrans=3): the call is sent again after 5, 15, 20, 25 s, complaint after 20 s" \
        "client2 (soft, timeo=30,retrans=2): sent again after 3 s, given up after 9 s: EIO" "answered once mountd goes on"
    timers_sort nfs3-timeo server client1 client2
}
expect_nfs3_timeo() {
    reading . rpc-server-slow "rpc-not-responding rpc-retransmission soft-mount-io-error" ""
    reading "client1/*" rpc-server-slow "rpc-not-responding rpc-retransmission" ""
    reading "client2/*" "rpc-server-slow rpc-server-silent soft-mount-io-error" "soft-mount-io-error" "rpc-server-slow rpc-server-silent"
    reading server/capture.pcap rpc-server-slow rpc-retransmission ""
}
