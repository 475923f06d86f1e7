# SPDX-License-Identifier: GPL-2.0-or-later
# Cases that keep no captures: what hosts count and list, read twice. Sourced by lab.sh.

# counters_keep CASE ROOT-CAUSE FILE...: the folder from texts that the guests left in their shares; FILE is GUEST/NAME.
counters_keep() {
    local name=$1 cause=$2 dir=$out/vm-$1 f
    shift 2
    mkdir -p "$dir"
    rm -f "$dir"/*.txt
    for f in "$@"; do cp "$run/${f%%/*}/share/${f#*/}.txt" "$dir/${f%%/*}-${f#*/}.txt"; done
    chmod 644 "$dir"/*.txt
    jq -n --arg s "$name" --arg c "$cause" --arg k "$kernel" --argjson ev "$(jq -s . "$run/events")" \
        '{scenario: $s, root_cause: $c, kernel: $k, events: $ev}' >"$dir/truth.json"
    "expect_${name//-/_}" | jq -s . >"$dir/expect.json"
    note "$name: $(du -ch "$dir"/*.txt | tail -n 1)"
}

look() { # GUEST NAME FILE...: its files of /proc in one text, each below its name
    local g=$1 n=$2
    shift 2
    on "$g" "for f in $*; do echo \"== \$f\"; cat \$f; done >/share/$n.txt 2>/dev/null; true"
}
count_mounts() { look client1 "$1" /proc/self/mountstats; on client1 "sed -n '/ nfs4\\{0,1\\} /,\$p' /share/$1.txt >/share/$1.new; mv /share/$1.new /share/$1.txt"; }
count_hosts() { # NAME: of both ends
    look server "$1-rpc" /proc/net/rpc/nfsd
    look server "$1-pool" /proc/fs/nfsd/pool_stats
    look server "$1-net" /proc/net/snmp /proc/net/netstat
    look client1 "$1-net" /proc/net/snmp /proc/net/netstat
    on client1 "nfsstat -rc >/share/$1-nfsstat.txt"
    on server "nfsstat -s >/share/$1-nfsstat.txt"
}

expect_counted_slots() { reading . nfs4-slots-exhausted "" "" possible; }
expect_counted_slow() { reading . "null rpc-server-slow" "" "rpc-server-slow" possible "the counters do not tell the way from the server"; }
expect_counted_writeback() { reading . null "" "" possible; }
case_counted_mounts() { # mountstats, nfsstat and /proc/net, twice: two slots for twelve shells; a slow way; many dirty pages
    lab_start 20 20 app-01
    on server '/bin/tc qdisc add dev br0 root netem delay 10ms'; event "server: its answers are delayed by 10 ms"
    on client1 'echo 2 >/sys/module/nfs/parameters/max_session_slots'; event "client1: asks for two slots"
    mnt client1 "vers=4.2,hard,noac"
    on client1 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do : >/mnt/f$i; (while [ ! -e /tmp/enough ]; do : <>/mnt/f$i; done) & done >/dev/null 2>&1'
    sleep 3; count_mounts slots-1; count_hosts slots-1; sleep 15; count_mounts slots-2; count_hosts slots-2
    on client1 'touch /tmp/enough'; sleep 2; umnt client1
    counters_keep counted-slots "The client asked for a session of two slots (nfs.max_session_slots=2), and twelve shells open files over a way of 10 ms." client1/slots-1 client1/slots-2

    on server '/bin/tc qdisc change dev br0 root netem delay 700ms'; event "server: its answers are delayed by 700 ms"
    on client1 'echo 64 >/sys/module/nfs/parameters/max_session_slots; rm /tmp/enough'; event "client1: asks for 64 slots"
    MNT_WAIT=90 mnt client1 "vers=4.2,hard,noac"
    on client1 'for i in 1 2 3 4; do (while [ ! -e /tmp/enough ]; do : <>/mnt/f$i; done) & done >/dev/null 2>&1'
    sleep 3; count_mounts slow-1; count_hosts slow-1; sleep 25; count_mounts slow-2; count_hosts slow-2
    on client1 'touch /tmp/enough'; sleep 6; umnt client1
    counters_keep counted-slow "Every answer is delayed by 700 ms; the session has 64 slots." client1/slow-1 client1/slow-2 client1/slow-1-net client1/slow-2-net client1/slow-1-nfsstat client1/slow-2-nfsstat

    on server '/bin/tc qdisc change dev br0 root netem delay 5ms rate 20mbit'; event "server: 20 Mbit/s, 5 ms"
    mnt client1 "vers=4.2,hard"
    count_mounts writeback-1; count_hosts writeback-1
    on client1 'dd if=/dev/zero of=/mnt/large bs=64k count=1000 2>/dev/null; stat /mnt/large >/dev/null; ls -l /mnt >/dev/null' 120
    count_mounts writeback-2; count_hosts writeback-2
    counters_keep counted-writeback "none: 64 MB are written, and the client makes more calls than it can send by design" client1/writeback-1 client1/writeback-2
    lab_stop
}

expect_listed_recall() { reading . nfs4-backchannel-down "" ""; reading server-recall-1.txt nfs4-backchannel-down "" ""; }
expect_listed_recall_over() { reading . null "" ""; }
case_listed_recall() { # /proc/locks and the server's list of clients, twice: a delegation that cannot be recalled (4.0, the client's packet filter)
    local files='/proc/locks /proc/fs/nfsd/clients/*/info /proc/fs/nfsd/clients/*/states'
    recall_begin 4.0
    sleep 4
    look server healthy-1 "$files"; sleep 4; look server healthy-2 "$files"
    recall_filter
    post client2 "cd /mnt; echo two >>shared; /bin/date +%s.%N >/tmp/got"; event "client2 opens the file for writing"
    sleep 14; look server recall-1 "$files"; sleep 8; look server recall-2 "$files"
    on client1 "nft delete table ip lab"; event "client1: packet filter rule removed"
    lab_stop
    counters_keep listed-recall "The client's packet filter drops the server's callbacks: its delegation is recalled in vain, and another client waits." server/recall-1 server/recall-2
    counters_keep listed-recall-over "none: a delegation and a lock are held, and nobody wants the file" server/healthy-1 server/healthy-2
}

expect_listed_pause() { reading . nfs4-recall-unanswered "" "" possible; reading server-recall-1.txt null "" "" possible; }
case_listed_pause() { # the same lists twice, 4.1: the holder's machine stands still
    local files='/proc/locks /proc/fs/nfsd/clients/*/info /proc/fs/nfsd/clients/*/states'
    recall_begin 4.1
    sleep 4
    monitor client1 stop; event "client1: virtual machine paused"
    post client2 "cd /mnt; echo two >>shared; /bin/date +%s.%N >/tmp/got"; event "client2 opens the file for writing"
    sleep 8; look server recall-1 "$files"; sleep 10; look server recall-2 "$files"
    monitor client1 cont; event "client1: virtual machine runs again"
    sleep 3
    lab_stop
    counters_keep listed-pause "The machine that holds a delegation stands still: the delegation is recalled, and another client waits." server/recall-1 server/recall-2
}

expect_listed_frozen() { reading . rpc-server-silent "" "" likely; }
expect_listed_accepted() { reading . null "" ""; }
case_listed_frozen() { # connections, pool_stats and /proc/net/rpc/nfsd, twice: the exported file system is frozen, and connections wait to be accepted
    lab_start 20 20 app-01 app-02
    on server 'dd if=/dev/zero of=/run/image bs=1M count=60 2>/dev/null; /bin/mke2fs -q -t ext4 /run/image; mkdir -p /export/disk; mount -o loop /run/image /export/disk
        chmod 777 /export/disk; echo "/export/disk *(rw,no_root_squash,fsid=1,no_subtree_check,sec=sys)" >>/etc/exports; exportfs -r; exportfs -v >/share/exportfs.txt'
    mnt client1 vers=4.2,hard,timeo=100,retrans=1 || return 1
    local w
    for w in 1 2 3 4 5 6 7 8 9 10; do work client1 $w 2 /mnt/disk; done
    on client2 'for i in $(seq 90); do (sleep 12 | nc 192.0.2.10 2049 >/dev/null 2>&1) & done; true'; event "client2: 90 connections"
    sleep 6
    on server 'ss -tan >/share/well-1-ss.txt'; count_hosts well-1; sleep 3
    on server 'ss -tan >/share/well-2-ss.txt'; count_hosts well-2
    sleep 8
    on server '/bin/fsfreeze -f /export/disk'; event "server: the exported file system is frozen (fsfreeze -f)"
    sleep 8
    on client2 'for i in $(seq 90); do (sleep 40 | nc 192.0.2.10 2049 >/dev/null 2>&1) & done; true'; event "client2: 90 connections"
    sleep 4
    on server 'ss -tan >/share/frozen-1-ss.txt'; count_hosts frozen-1; sleep 12
    on server 'ss -tan >/share/frozen-2-ss.txt'; count_hosts frozen-2
    on server '/bin/fsfreeze -u /export/disk'; event "server: and thawed"
    lab_stop
    counters_keep listed-frozen "The exported file system is frozen: nfsd's threads wait in it, and nobody accepts connections." server/frozen-{1,2}-{ss,pool,rpc,net,nfsstat}
    counters_keep listed-accepted "none: 90 connections are accepted" server/well-{1,2}-{ss,pool,rpc,net,nfsstat} server/exportfs
}

expect_counted_again() { reading . rpc-retransmission "" "" likely; }
expect_counted_loss() { reading . rpc-retransmission "" "" likely; }
case_counted_again() { # NFSv3: calls are sent again to a server whose file system is frozen; and over a way that loses a third
    LAB_NFSD="nfs3-start server 0" LAB_FILTER='tcp or arp or icmp'
    lab_start 20 20 app-01
    on server 'dd if=/dev/zero of=/run/image bs=1M count=60 2>/dev/null; /bin/mke2fs -q -t ext4 /run/image; mkdir -p /export/disk; mount -o loop /run/image /export/disk
        chmod 777 /export/disk; echo "/export/disk *(rw,no_root_squash,fsid=1,no_subtree_check,sec=sys)" >>/etc/exports; exportfs -r'
    LAB_EXPORT=/export/disk mnt client1 vers=3,proto=tcp,hard,nolock,timeo=20,retrans=8,mountport=20048 || return 1
    on client1 'for i in 1 2 3 4; do (while [ ! -e /tmp/enough ]; do echo $i >/mnt/f$i; sync -d /mnt/f$i; rm /mnt/f$i; sleep 1; done) & done >/dev/null 2>&1'
    sleep 3; count_mounts again-1; count_hosts again-1
    on server '/bin/fsfreeze -f /export/disk'; event "server: the exported file system is frozen (fsfreeze -f)"
    sleep 12
    on server '/bin/fsfreeze -u /export/disk'; event "server: and thawed"
    sleep 5; count_mounts again-2; count_hosts again-2
    counters_keep counted-again "The exported file system was frozen for 12 s, and the mount has timeo=20: calls were sent again." client1/again-{1,2}{,-net,-nfsstat}
    counters_keep counted-again-served "The same, as the server counted it." server/again-{1,2}-{rpc,net,pool,nfsstat}
    count_mounts loss-1; count_hosts loss-1
    on client1 '/bin/tc qdisc add dev eth0 root netem loss 35%'; event "client1: of what it sends a third is lost"
    sleep 40
    count_mounts loss-2; count_hosts loss-2
    on client1 '/bin/tc qdisc del dev eth0 root; touch /tmp/enough'
    sleep 3
    counters_keep counted-loss "Of what the client sends a third is lost for 40 s." client1/loss-{1,2}{,-net,-nfsstat}
    lab_stop
}
expect_counted_again_served() { reading . rpc-retransmission "" "" possible; }

expect_listed_lock() { reading . rpc-not-responding nlm-blocked "" likely "why lockd does not answer is not in these texts; who holds the lock is"; }
expect_listed_lock_well() { reading . null "" ""; }
case_listed_lock() { # /proc/locks of the server: a lock that another waits for, while its lockd complains and before
    nlm_start 40001 app-01 app-02
    lock client1 f 200
    sleep 3
    lock client2 f 5
    sleep 5; look server well-1 /proc/locks
    on server "nft add table ip lab; nft add chain ip lab i '{ type filter hook input priority 0; }'; nft add rule ip lab i ip saddr 192.0.2.22 tcp dport 40001 drop"; event "server: its packet filter drops what client2 sends to lockd"
    sleep 100
    look server locks-1 /proc/locks
    on server "nft delete table ip lab"; event "server: packet filter rule removed"
    sleep 2
    on client2 'dmesg >/share/dmesg.txt; echo "$(/bin/date +%s.%N) $(cut -d" " -f1 /proc/uptime)" >/share/uptime.txt'
    syslog_of client2 >"$run/client2/share/log.txt"
    counters_keep listed-lock "Client2 waits for a lock that client1 holds, and the server's packet filter drops its calls to lockd." client2/log server/locks-1
    counters_keep listed-lock-well "none: client2 waits for a lock that client1 holds" server/well-1
    lab_stop
}
