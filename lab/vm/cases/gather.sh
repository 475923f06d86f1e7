# SPDX-License-Identifier: GPL-2.0-or-later
# What `nfsleuth gather` collects in incidents, as root and not, with busybox and dash. Sourced by lab.sh like cases.sh.
# What each run left behind of what it must put back is in $NFSLEUTH_LAB_CACHE/kept/CASE/gather.log.

gather_begin() { # CASE
    bundles=$run/bundles
    mkdir -p "$bundles" "$cache/kept/$1"
    gather_log=$cache/kept/$1/gather.log
    : >"$gather_log"
    for g in server client1 client2; do
        [ ! -e "$run/$g/share" ] || cp "$here/../../src/cmd/gather.sh" "$run/$g/share/gather.sh"
    done
}
gathering() { # GUEST SHELL OPTIONS: starts it; the guest takes further commands meanwhile
    event "$1: gather ${*:3} ($2)"
    rm -f "$run/$1/share/gather.done"
    on "$1" "(${BEFORE:-} gather-check ${*:2} >/share/gather.log 2>&1; touch /share/gather.done) &"
}
capturing() { on "$1" 'for i in $(seq 120); do grep -q capturing /tmp/gather.err && break; sleep 0.5; done; sleep 2' 90; } # GUEST: waits until it does
gathered() { # GUEST: waits for it, keeps its tar as GUEST.tar.gz
    local f i
    for ((i = 0; i < 3000; i++)); do
        [ ! -e "$run/$1/share/gather.done" ] || break
        sleep 0.1
    done
    { echo "== $1"; cat "$run/$1/share/gather.log"; } | tee -a "$gather_log" >&2
    for f in "$run/$1"/share/gather/*.tar*; do
        [ ! -e "$f" ] || mv "$f" "$bundles/$1.tar.gz"
    done
}
gather() { gathering "$@"; gathered "$1"; }

# keep_bundles CASE CAUSE SYMPTOM...: like keep, with bundles in place of captures.
keep_bundles() {
    local name=$1 dir=$out/vm-$1 guests
    mkdir -p "$dir"
    rm -f "$dir"/*
    cp "$bundles"/*.tar.gz "$dir/"
    guests=$(for g in server client1 client2; do
        [ ! -e "$run/$g/share/uname.txt" ] || jq -cn --arg g "$g" --arg h "${host_of[$g]}" --arg a "${ip_of[$g]}" --arg k "$(cat "$run/$g/share/uname.txt")" '{($g): {hostname: $h, address: $a, kernel: $k}}'
    done | jq -s add)
    jq -n --arg s "$name" --arg m "${mounts:-}" --arg c "$2" --argjson g "$guests" --argjson ev "$(jq -s . "$run/events")" --arg notes "${notes:-}" \
        '{scenario: $s, mount_options: ($m | split("|")), root_cause: $c, expected_symptoms: $ARGS.positional, guests: $g, events: $ev}
        + (if $notes == "" then {} else {notes: $notes} end)' --args "${@:3}" >"$dir/truth.json"
    expect "$name"
    note "$name: $(du -ch "$dir"/*.tar.gz | tail -n 1)"
}

case_gather_healthy() { # two healthy clients and their server, gathered in all ways; interrupted and not as root, too
    lab_start 20 20 app-01 app-02
    gather_begin gather-healthy
    mnt client1 vers=4.2,hard && mnt client2 vers=4.1,hard
    work client1 one; work client2 two
    sleep 6
    gather client1 dash -w 4 -k 6 -c -m 20 -t 12
    gather client2 sh -w 3
    gather server dash -w 3 -k 5
    mkdir -p "$run/aside"
    mv "$bundles"/*.tar.gz "$run/aside/"
    BEFORE="AS='/bin/setpriv --reuid 65534 --regid 65534 --clear-groups'" \
        gather client1 dash -w 3 -k 5 -c -m 20
    mv "$bundles"/client1.tar.gz "$run/aside/client1-nobody.tar.gz"
    BEFORE="STOP=25:TERM" gather client1 sh -w 60 -k 60
    BEFORE="STOP=25:INT AS='/bin/env --default-signal=INT'" gather client1 dash -w 2 -c -m 20
    BEFORE="STOP=25:TERM" gather client1 dash -c -m 20
    BEFORE="STOP=25:HUP" gather client1 dash -w 60 -c -m 20 -t 3
    mv "$run"/aside/*.tar.gz "$bundles/"
    unwork client1 one; unwork client2 two
    lab_stop
    keep_bundles gather-healthy "none: two clients at work, gathered from while they are healthy."
}
expect_gather_healthy() {
    local f
    for f in . client1.tar.gz client2.tar.gz server.tar.gz; do reading "$f" null "" ""; done
}

case_gather_killed() { # gather is killed while it traces and captures, in all ways: what it leaves is in gather.log; no folder is kept
    local g how
    lab_start 20 20 app-01
    gather_begin gather-killed
    mnt client1 vers=4.2,hard
    work client1 one
    sleep 4
    for g in "client1 dash" "server sh"; do
        for how in TERM HUP KILL KILL-ALL; do
            BEFORE="STOP=14:$how" gather $g -w 60 -k 60
        done
        BEFORE="STOP=14:INT AS='/bin/env --default-signal=INT'" gather $g -w 60 -k 60
        BEFORE="STOP=14:KILL" gather $g -w 2 -c -m 20
        BEFORE="STOP=14:KILL-ALL" gather $g -w 2 -c -m 20
    done
    gather client1 dash -w 2 -k 3
    rm -f "$bundles"/*.tar.gz
    note "left as it was: $(grep -c 'left as it was' "$gather_log") of $(grep -c '^==' "$gather_log") runs"
    lab_stop
}

case_gather_collision() { # two machines with one host name, 4.1: what each host can tell by itself
    lab_start 20 20 web-01 web-01
    gather_begin gather-collision
    mnt client1 vers=4.1,hard
    work client1 one
    sleep 4
    MNT_WAIT=20 mnt client2 vers=4.1,hard
    work client2 two
    sleep 4
    gathering server dash -w 3 -k 10 -c -m 20 -t 10
    gather client1 sh -w 3 -k 8
    gathered server
    unwork client1 one; unwork client2 two
    lab_stop
    keep_bundles gather-collision "Two client machines share the host name web-01 and no uniquifier is set, so both send the same co_ownerid; the server takes each EXCHANGE_ID of one for a reboot of the other." "${collision_symptoms[@]}"
}
expect_gather_collision() {
    reading . nfs4-client-owner-collision "" "nfs4-session-reset-loop nfs4-lock-reclaim-failed"
    reading server.tar.gz nfs4-client-owner-collision "" "nfs4-session-reset-loop"
    reading client1.tar.gz "null nfs4-client-owner-collision nfs4-session-reset-loop nfs4-lock-reclaim-failed" "" "nfs4-client-owner-collision" likely "one client sees only its own side"
}

# Three list one directory over a slow way while a fourth wants to make a file in it.
gather_listing() { # CASE
    lab_start 20 20 app-01
    gather_begin "$1"
    on server 'mkdir -m 777 /export/spool; cd /export/spool; i=0; while [ $i -lt 10000 ]; do : >a-name-of-some-length-$i; i=$((i+1)); done' 200
    mnt client1 vers=4.1,hard || return 1
    on server '/bin/tc qdisc add dev br0 root netem delay 5s'; event "server: its answers are delayed by 5 s"
    # Names only: ls of busybox asks for the attributes of each.
    on client1 'for i in 1 2 3; do (cd /mnt/spool; echo * >/tmp/list.$i) & sleep 0.5; done; sleep 1; touch /mnt/spool/made >/tmp/touch.log 2>&1 &'
    event "client1: three shells list one directory of 10,000 entries, and a touch makes a file in it"
    sleep 5
    gather client1 dash -w 8
    dump client1 "$1"
    lab_stop
}
# The memory of a guest, for dump.sh. Drgn reads only the kind with virtual addresses (-p).
dump() { # GUEST CASE
    local size=-1 file=$cache/kept/$2/$1.dump-p
    rm -f "$file"
    monitor "$1" "dump-guest-memory -p $file"
    until [ -s "$file" ] && [ "$(stat -c %s "$file")" = "$size" ]; do
        size=$(stat -c %s "$file" 2>/dev/null || echo -1)
        sleep 3
    done
    note "$1: its memory is in $file"
}
case_gather_listing_exclusive() { # three list one directory, the client takes the lock exclusively for it (needs 6.1.0-56+exclusive)
    client_kernel=${LAB_EXCLUSIVE_KERNEL:-6.1.0-56+exclusive}
    gather_listing gather-listing-exclusive || return 1
    keep_bundles gather-listing-exclusive "Three shells list one directory at once over a way with 5 s of delay. The client's NFS module was patched to list with the lock for writing (.iterate): one lists, the others and a touch wait for it."
}
expect_gather_listing_exclusive() { reading . dir-listing-exclusive "" "dir-listing-rtt-bound task-waits-for-rpc rpc-server-slow"; }
case_gather_listing_shared() { # the same with the kernel as it is: all list at once, the touch waits
    gather_listing gather-listing-shared || return 1
    keep_bundles gather-listing-shared "none that locks: three shells list one directory at once over a way with 5 s of delay, sharing its lock; a touch waits for them."
}
expect_gather_listing_shared() { reading . "null dir-listing-rtt-bound dir-listing-writer-queued rpc-server-slow" "" "dir-listing-rtt-bound dir-listing-writer-queued rpc-server-slow"; }

case_gather_server_frozen() { # the exported file system is frozen: nfsd's threads wait in it, the client's calls are taken and not answered
    lab_start 20 20 app-01
    gather_begin gather-server-frozen
    on server 'dd if=/dev/zero of=/run/image bs=1M count=60 2>/dev/null; /bin/mke2fs -q -t ext4 /run/image; mkdir -p /export/disk; mount -o loop /run/image /export/disk
        chmod 777 /export/disk; echo "/export/disk *(rw,no_root_squash,fsid=1,no_subtree_check,sec=sys)" >>/etc/exports; exportfs -r'
    mnt client1 vers=4.2,hard,timeo=100,retrans=1 || return 1
    local w
    for w in one two three four; do work client1 $w 2 /mnt/disk; done
    sleep 6
    gathering client1 dash -w 3 -c -m 20 -t 85
    capturing client1
    on server '/bin/fsfreeze -f /export/disk'; event "server: the exported file system is frozen (fsfreeze -f)"
    gathered client1
    gather server dash -w 5
    on server '/bin/fsfreeze -u /export/disk'; event "server: and thawed"
    lab_stop
    keep_bundles gather-server-frozen "The exported file system was frozen: nfsd's threads wait in it for the thaw, the host's TCP takes the client's calls and nobody answers them." "nfsd threads in state D in __sb_start_write" "not responding in the client's log"
}
expect_gather_server_frozen() {
    reading . nfsd-threads-stuck rpc-not-responding rpc-server-silent
    reading server.tar.gz "null nfsd-threads-stuck" "" ""
    reading client1.tar.gz rpc-server-silent rpc-not-responding ""
}

case_gather_server_paused() { # the server's machine stands still: nothing comes back on an established connection
    lab_start 20 20 app-01
    gather_begin gather-server-paused
    mnt client1 vers=4.2,hard,timeo=100,retrans=1 || return 1
    work client1 one
    sleep 6
    gathering client1 dash -w 3 -c -m 20 -t 90 -d 12
    capturing client1
    monitor server stop; event "server: virtual machine paused"
    gathered client1
    monitor server cont; event "server: virtual machine runs again"
    sleep 3
    lab_stop
    keep_bundles gather-server-paused "The server's virtual machine stood still: the client's segments on its established connection are sent again, nothing comes back."
}
expect_gather_server_paused() { reading . tcp-path-silent "" "net-unreachable"; }

case_gather_lockd_silent() { # the server's packet filter drops what comes to lockd's port; gathered until the log complains
    nlm_start 40001 app-01
    gather_begin gather-lockd-silent
    on server "nft add table ip lab; nft add chain ip lab i '{ type filter hook input priority 0; }'; nft add rule ip lab i tcp dport 40001 counter drop; nft add rule ip lab i udp dport 40001 counter drop"
    event "server: its packet filter drops what comes to lockd's port"
    gathering client1 dash -w 3 -c -m 20 -t 100 -l "'not responding'"
    capturing client1
    lock client1 held 5
    gathered client1
    gather server sh -w 3
    lab_stop
    keep_bundles gather-lockd-silent "The server's packet filter drops what comes to its lockd's port: the client's lock waits." "lockd: server nfs-srv not responding"
}
expect_gather_lockd_silent() {
    reading . "tcp-syn-unanswered host-filter-drop" rpc-not-responding "host-filter-drop tcp-syn-unanswered"
    reading client1.tar.gz tcp-syn-unanswered rpc-not-responding ""
}
