# SPDX-License-Identifier: GPL-2.0-or-later
# Locks over NFSv3: lockd, statd and rpcbind as a distribution starts them. Sourced by lab.sh like cases.sh.

nlm_start() { # NLM-PORT HOST1 [HOST2]: guests up with NFSv3, captures on, client1 (and client2) mounted
    local c
    LAB_NFSD="nfs3-start server $1" LAB_EXPORT=/export LAB_LOGS=yes
    LAB_FILTER='tcp or udp or arp or icmp'
    lab_start 20 20 "$2" "${3:-}"
    sleep 30 # the grace period
    for c in client1 ${3:+client2}; do
        on "$c" "nfs3-start client; sleep 2; rpcinfo -p 2>/dev/null; [ -n \"\$(pidof rpc.statd)\" ] || nfs3-start client"
        mnt "$c" vers=3,proto=tcp,hard
    done
}
# Takes the lock of the whole file and holds it for so many seconds; /tmp/lock-FILE tells when it was got.
lock() { on "$1" "cd /mnt; (flock ${4:-} 3 || echo \$(/bin/date +%T.%N) refused; echo \$(/bin/date +%T.%N) got; sleep $3; flock -u 3; echo \$(/bin/date +%T.%N) given back) 3>>$2 >>/tmp/work-$2.log 2>&1 &"; event "$1 asks for the lock of $2, to hold it $3 s"; }
nlm_moves() { # PORT [notify]: the server's NFS service stops, and starts again with lockd at another port
    on server "rpc.nfsd 0"; event "server: nfsd stopped (rpc.nfsd 0), and lockd with it"
    sleep 2
    on server "nfs3-start server $1"; event "server: nfsd started again, lockd at port $1"
    [ -z "${2:-}" ] || { on server "sm-notify -f -d >/tmp/work-notify.log 2>&1 &"; event "server: sm-notify tells all clients that it has restarted"; }
}

case_nlm_moved() { # lockd restarts at another port, clients are notified and reclaim; a new lock waits for the grace period
    nlm_start 40001 app-01 app-02
    lock client1 held 60
    sleep 3
    nlm_moves 40002 notify
    sleep 2
    lock client2 other 5
    sleep 32
    lab_stop
    keep nlm-moved "The NFS service was restarted and its lock manager came back at another port (40001, then 40002). sm-notify told the clients; client1 reclaims its lock, client2's new lock is denied for the grace period." \
        "SM_NOTIFY from the server" "GETPORT tells another port of NLM than before" "LOCK with the reclaim flag granted" "LOCK answered DENIED_GRACE_PERIOD every 5 s"
}
expect_nlm_moved() {
    reading . nlm-server-restart nlm-grace "nlm-port-changed tcp-syn-refused"
    reading server.pcap nlm-server-restart nlm-grace "nlm-port-changed tcp-syn-refused"
    reading client1.pcap nlm-server-restart "" "nlm-port-changed tcp-syn-refused"
    reading client2.pcap nlm-server-restart nlm-grace "" likely "it sees the grace period alone"
}

case_nlm_moved_unnoticed() { # the same without sm-notify: client1 does not reclaim, and client2 gets its lock
    nlm_start 40001 app-01 app-02
    lock client1 held 50
    sleep 3
    nlm_moves 40002
    sleep 4
    lock client2 held 5
    sleep 45
    lab_stop
    keep nlm-moved-unnoticed "The NFS service was restarted and its lock manager came back at another port, but sm-notify was not run: client1 does not reclaim its lock, and client2 gets it after the grace period while client1 still believes that it holds it." \
        "no SM_NOTIFY" "no reclaim of client1" "client2's LOCK of the same file is granted while client1 has not unlocked it"
}
expect_nlm_moved_unnoticed() {
    reading . nsm-notify-lost nlm-grace "nlm-server-restart nlm-port-changed tcp-syn-refused"
    reading server.pcap nsm-notify-lost nlm-grace "nlm-server-restart nlm-port-changed tcp-syn-refused"
    reading client1.pcap null "" "nlm-port-changed" "" "the first client notices nothing but another port"
    reading client2.pcap nlm-server-restart nlm-grace "" likely "it sees the grace period alone"
}

# Client2 waits for client1's lock; the server's callback is dropped, or (twin) taken.
granted() { # HOW
    nlm_start 40001 app-01 app-02
    on client2 "sysctl -q -w fs.nfs.nlm_tcpport=45678; sysctl -q -w fs.nfs.nlm_udpport=45678"
    on client2 "umount /mnt; mount.nfs 192.0.2.10:/export /mnt -o vers=3,proto=tcp,hard"
    [ "$1" = ok ] || on client2 "nft add table ip lab; nft add chain ip lab i '{ type filter hook input priority 0; }'; nft add rule ip lab i tcp dport 45678 $1; nft add rule ip lab i udp dport 45678 $1"
    [ "$1" = ok ] || event "client2: its packet filter lets nothing in to its lockd ($1)"
    lock client1 held 12
    sleep 2
    lock client2 held 3
    sleep 45
    [ "$1" = ok ] || sleep 45
    lab_stop
}
case_nlm_granted_dropped() { # the server's callback is dropped by the client's packet filter: the lock comes with the poll
    granted drop
    keep nlm-granted-dropped "client2's packet filter drops what comes to its lockd, so the server's callback (NLM_GRANTED) never arrives; client2 gets the lock only when it asks again 30 s after its first request, although client1 gave it back long before." \
        "LOCK answered BLOCKED" "SYNs of the server to client2's NLM port unanswered" "LOCK granted at the poll 30 s later" "server log: lockd: server app-02 not responding, timed out"
}
expect_nlm_granted() {
    local f
    for f in . server.pcap client2.pcap; do # the last reply and its acknowledgement may both be lost
        reading $f nlm-granted-lost "" "tcp-syn-unanswered tcp-syn-refused rpc-not-responding" | jq -c '. + {also_if_cut: {"rpc-server-silent": "likely"}}'
    done
    reading client1.pcap null "" ""
}
expect_nlm_granted_dropped() { expect_nlm_granted; reading server.log nlm-granted-lost rpc-not-responding "" likely; }
case_nlm_granted_ok() { # the twin: contention, and the callback brings the lock at once
    granted ok
    keep nlm-granted-ok "none: client2 waits for client1's lock and gets it by the server's callback as soon as client1 gives it back."
}
expect_nlm_granted_ok() { readings null "" "" client2.pcap; }

case_nlm_no_statd_server() { # the server's statd is dead: locks are denied for want of resources
    nlm_start 40001 app-01
    on server "touch /tmp/no-statd; kill -9 \$(pidof rpc.statd)"; event "server: rpc.statd killed"
    lock client1 one 2 -n
    sleep 4
    lock client1 two 2 -n
    sleep 6
    lab_stop
    keep nlm-no-statd-server "The server's rpc.statd was dead: its lockd cannot have client1 watched and answers LOCK with DENIED_NOLOCKS." \
        "LOCK answered NLM4_DENIED_NOLOCKS" "server log: lockd: cannot monitor app-01"
}
expect_nlm_no_statd_server() {
    reading . nsm-monitor-failed "" nlm-denied-nolocks
    reading server.pcap nlm-denied-nolocks nlm-denied-nolocks ""
    reading client1.pcap nlm-denied-nolocks nlm-denied-nolocks ""
    reading server.log nsm-monitor-failed nsm-monitor-failed ""
}
case_nlm_no_statd_client() { # the client's statd is dead: ENOLCK, and no LOCK on the wire
    nlm_start 40001 app-01
    on client1 "kill -9 \$(pidof rpc.statd)"; event "client1: rpc.statd killed"
    lock client1 one 2 -n
    sleep 4
    lock client1 two 2 -n
    sleep 6
    lab_stop
    keep nlm-no-statd-client "client1's rpc.statd was dead: lockd cannot have the server watched and every lock fails with ENOLCK, without a LOCK on the wire." \
        "no NLM LOCK in the captures" "client1 log: lockd: cannot monitor 192.0.2.10"
}
expect_nlm_no_statd_client() {
    reading . nsm-monitor-failed nsm-monitor-failed ""
    reading server.pcap null "" ""
    reading client1.pcap null "" ""
    reading client1.log nsm-monitor-failed nsm-monitor-failed ""
}

case_nlm_port_filtered() { # the server's filter drops new connections to lockd: only locks wait, NFS is fine
    nlm_start 40001 app-01
    on server "nft add table ip lab; nft add chain ip lab i '{ type filter hook input priority 0; }'; nft add rule ip lab i tcp dport 40001 drop"; event "server: its packet filter drops what comes to lockd's port"
    work client1 one 5
    sleep 90
    on server "nft delete table ip lab"; event "server: packet filter rule removed"
    sleep 75
    unwork client1 one
    lab_stop
    keep nlm-port-filtered "The server's packet filter drops what comes to the port of its lock manager: the first lock of client1 waits, while NFS itself is fine." \
        "SYNs to port 40001 unanswered" "GETPORT tells the same port again" "client1 log: lockd: server 192.0.2.10 not responding, still trying"
}
expect_nlm_port_filtered() {
    local f
    for f in . client1.pcap server.pcap; do reading $f tcp-syn-unanswered "" "rpc-not-responding"; done
    reading client1.log rpc-not-responding "" ""
}

case_nlm_fin_swallowed() { # lockd's idle connection is closed, its FIN never arrives: the next lock waits for three minutes
    nlm_start 40001 app-01
    lock client1 one 1
    sleep 100
    on server "nft add table ip lab; nft add chain ip lab i '{ type filter hook prerouting priority -300; }'; nft add rule ip lab i tcp dport 40001 tcp flags '& fin == fin' drop"; event "a filter before the server's stack swallows FINs to lockd's port"
    sleep 225
    lock client1 one 1
    sleep 190
    lab_stop
    keep nlm-fin-swallowed "client1 closes its idle connection to lockd after 5 minutes; a packet filter swallows its FIN, so the kernel keeps the connection in FIN_WAIT1 until it gives up; the next lock waits for that, then the same source port is used again." \
        "FIN of the client again and again, unanswered" "no SYN to port 40001 meanwhile" "client1 log: lockd: server 192.0.2.10 not responding, still trying" "then SYN from the same port, challenge ACK, RST, SYN"
}
expect_nlm_fin_swallowed() {
    local f
    for f in . client1.pcap; do reading $f tcp-fin-unanswered "" "rpc-not-responding"; done
    reading server.pcap null "" "" "" "the FINs did not come so far: it sees a connection that is begun anew"
    reading client1.log rpc-not-responding "" ""
}

case_nlm_moved_filtered() { # the old port of the lock manager is filtered while it stops, and it comes back at another one
    nlm_start 40001 app-01
    lock client1 one 1
    sleep 4
    on server "nft add table ip lab; nft add chain ip lab i '{ type filter hook input priority 0; }'; nft add rule ip lab i tcp dport 40001 drop"
    event "server: its packet filter drops what comes to the port of lockd"
    nlm_moves 40002
    sleep 25
    work client1 two 5
    lock client1 one 1
    sleep 150
    unwork client1 two
    lab_stop
    keep nlm-moved-filtered "A packet filter on the server drops what comes to the port of its lock manager; then the NFS service is restarted, and the lock manager comes back at another port. The server closes the connection, but the client's FIN never arrives: the client keeps the old connection until the kernel gives up after 3 minutes, though the portmapper tells the new port each minute, and its locks wait for that long. NFS is fine meanwhile." \
        "the client's FIN to port 40001 again and again, never acknowledged; FINs of the server as well" "GETPORT tells port 40002" "client1 log: lockd: server 192.0.2.10 not responding, still trying" "then a connection from the same source port to port 40002"
}
expect_nlm_moved_filtered() {
    local f
    for f in . client1.pcap server.pcap; do reading $f tcp-fin-unanswered "" "rpc-not-responding nlm-port-changed nlm-server-restart host-filter-drop"; done
    reading client1.log rpc-not-responding "" ""
}
