# SPDX-License-Identifier: GPL-2.0-or-later
# The cases: one function each, sourced by lab.sh. A name is case_ and the folder's name without vm-, with _ for -.

restart() { # VERSION [absent]
    lab_start 20 20 app-01 app-02
    mnt client1 "vers=$1,hard" && mnt client2 "vers=$1,hard"
    work client1 one; work client2 two
    sleep 10
    if [ "${2:-}" = absent ]; then
        kill_guest client2; event "client2: switched off while it holds state"
        sleep 3
    fi
    on server nfsd-stop; event "server: nfsd stopped (rpc.nfsd 0)"
    sleep 2
    on server "nfsd-start 20 20"; event "server: nfsd started again"
    sleep 32
    unwork client1 one; [ "${2:-}" = absent ] || unwork client2 two
    sleep 3
    umnt client1; [ "${2:-}" = absent ] || umnt client2
    lab_stop
}
expect_restart_v41() { readings nfs4-server-restart "" "tcp-syn-refused" client2.pcap; reading "client1.pcap client2.pcap" nfs4-server-restart "" "tcp-syn-refused"; }
expect_restart_v41_grace() { readings nfs4-server-restart nfs4-grace-wait "tcp-syn-refused"; }
expect_restart_v40() { readings nfs4-server-restart nfs4-grace-wait "tcp-syn-refused" client2.pcap; }
case_restart_v41() { # server restart under two 4.1 clients with open and locked files
    restart 4.1
    keep restart-v41 "The NFS service was stopped and started again 2 s later: a new server instance (another cl_boot). Both clients reclaim their opens and locks within the grace period." \
        "SEQUENCE answered NFS4ERR_BADSESSION once on each client after the reconnection" "one round of EXCHANGE_ID, CREATE_SESSION, reclaim, RECLAIM_COMPLETE" \
        "clientids with another cl_boot than before"
}
case_restart_v41_grace() { # the same, and one client of the two never comes back: the whole grace period has to pass
    restart 4.1 absent
    keep restart-v41-grace "The NFS service was stopped and started again 2 s later. client2 had been switched off before, so the server waits for it until its grace period of 20 s ends; client1 reclaims at once, but its new opens are answered GRACE until then." \
        "SEQUENCE answered NFS4ERR_BADSESSION once on client1 after the reconnection" "one round of EXCHANGE_ID, CREATE_SESSION, reclaim, RECLAIM_COMPLETE" \
        "OPEN answered NFS4ERR_GRACE until the grace period ends" "clientids with another cl_boot than before"
}
case_restart_v40() { # server restart under two 4.0 clients with open and locked files
    restart 4.0
    keep restart-v40 "The NFS service was stopped and started again 2 s later: a new server instance (another cl_boot). Both clients reclaim their opens and locks within the grace period." \
        "NFS4ERR_STALE_CLIENTID or NFS4ERR_STALE_STATEID after the reconnection" "SETCLIENTID, SETCLIENTID_CONFIRM, OPEN with CLAIM_PREVIOUS, LOCK with reclaim" \
        "OPEN answered NFS4ERR_GRACE until the grace period ends"
}

# The first client is silent for longer than the lease, the second asks for its lock meanwhile.
silent() { # VERSION HOW [alone: without the conflicting lock]
    lab_start 15 15 app-01 app-02
    mnt client1 "vers=$1,hard" && mnt client2 "vers=$1,hard"
    work client1 one 3
    work client2 two 3
    sleep 10
    case $2 in
    pause) monitor client1 stop; event "client1: virtual machine paused" ;;
    drop) on client1 "nft add table ip lab; nft add chain ip lab o '{ type filter hook output priority 0; }'; nft add rule ip lab o tcp dport 2049 drop"; event "client1: its packet filter drops everything that it sends to port 2049" ;;
    link) monitor client1 "set_link n0 off"; event "client1: link down" ;;
    esac
    sleep 25
    [ "${3:-}" = alone ] || { on client2 "cd /mnt; (flock 4; /bin/date +%s.%N >/tmp/got; sleep 3) 4>>held-one & " ; event "client2 asks for the lock of client1's file"; }
    sleep 10
    case $2 in
    pause) monitor client1 cont; event "client1: virtual machine runs again (its clock is behind from now on)" ;;
    drop) on client1 "nft delete table ip lab"; event "client1: packet filter rule removed" ;;
    link) monitor client1 "set_link n0 on"; event "client1: link up" ;;
    esac
    sleep 30
    unwork client1 one; unwork client2 two
    sleep 3
    umnt client1; umnt client2
    lab_stop
}
lease_symptoms_41=("nothing of client1 for longer than the lease" "then SEQUENCE answered NFS4ERR_BADSESSION on client1, one round of EXCHANGE_ID, CREATE_SESSION with the same verifier and the same cl_boot" "reclaim refused (NFS4ERR_NO_GRACE) or not possible: client2 has the lock")
lease_symptoms_40=("nothing of client1 for longer than the lease" "then NFS4ERR_EXPIRED, NFS4ERR_STALE_CLIENTID or NFS4ERR_BAD_STATEID on client1, SETCLIENTID with the same verifier and the same cl_boot" "reclaim refused (NFS4ERR_NO_GRACE)")
# Client1 is the one that was silent: its own capture has the ladder, with the same cl_boot, after the silence.
expect_lease() { # CAUSES-THAT-ARE-TRUE-TOO
    reading . "nfs4-lease-expired $1" "nfs4-lease-expired" "nfs4-lease-expired $1"
    reading server.pcap "nfs4-lease-expired $1" "nfs4-lease-expired" "nfs4-lease-expired $1"
    if [ "${2:-}" = pause ]; then
        reading client1.pcap "null nfs4-lease-expired nfs4-client-expired nfs4-lock-reclaim-failed" "" "nfs4-lease-expired nfs4-client-expired" likely "the clock stood still with the machine: by its stamps there is no silence, only the server's TCP timestamps show it"
    else
        reading client1.pcap "nfs4-lease-expired $1" "" "nfs4-lease-expired $1" "" "the silence is in it, whoever made it"
    fi
    reading client2.pcap null "" "" "" "the other client only waits for a lock"
}
expect_lease_expired_v41_pause() { expect_lease "tcp-path-silent net-unreachable" pause; }
expect_lease_expired_v40_pause() { expect_lease "tcp-path-silent net-unreachable" pause; }
expect_lease_expired_v41_drop() { expect_lease "tcp-path-silent tcp-syn-unanswered host-filter-drop net-unreachable"; }
expect_lease_expired_v40_drop() { expect_lease "tcp-path-silent tcp-syn-unanswered host-filter-drop net-unreachable"; }
expect_lease_expired_v41_link() { expect_lease "tcp-path-silent tcp-syn-unanswered host-link-down net-unreachable"; }
case_lease_expired_v41_pause() { # 4.1 client paused for longer than the lease, conflicting lock
    silent 4.1 pause
    keep lease-expired-v41-pause "client1's virtual machine stood still for 35 s with a lease of 15 s; client2 asked for its lock and the server expired client1." "${lease_symptoms_41[@]}"
}
case_lease_expired_v41_drop() { # 4.1 client cut off by its own packet filter, conflicting lock
    silent 4.1 drop
    keep lease-expired-v41-drop "client1's packets to the server were dropped for 35 s with a lease of 15 s; client2 asked for its lock and the server expired client1." "${lease_symptoms_41[@]}"
}
case_lease_expired_v41_link() { # 4.1 client with its link down, conflicting lock
    silent 4.1 link
    keep lease-expired-v41-link "client1's link was down for 35 s with a lease of 15 s; client2 asked for its lock and the server expired client1." "${lease_symptoms_41[@]}"
}
case_lease_expired_v40_pause() { # 4.0 client paused for longer than the lease, conflicting lock
    silent 4.0 pause
    keep lease-expired-v40-pause "client1's virtual machine stood still for 35 s with a lease of 15 s; client2 asked for its lock and the server expired client1." "${lease_symptoms_40[@]}"
}
case_lease_expired_v40_drop() { # 4.0 client cut off by its own packet filter, conflicting lock
    silent 4.0 drop
    keep lease-expired-v40-drop "client1's packets to the server were dropped for 35 s with a lease of 15 s; client2 asked for its lock and the server expired client1." "${lease_symptoms_40[@]}"
}
case_courtesy_v41() { # 4.1 client silent for longer than the lease, nobody in conflict: the server keeps its state
    silent 4.1 pause alone
    keep courtesy-v41 "none: client1's virtual machine stood still for 35 s with a lease of 15 s, but nobody asked for its lock; the server (6.1) keeps the state of such a courteous client and the next SEQUENCE succeeds."
}
expect_courtesy_v41() { readings null "" ""; }
case_courtesy_v40() { # the same with 4.0
    silent 4.0 pause alone
    keep courtesy-v40 "none: client1's virtual machine stood still for 35 s with a lease of 15 s, but nobody asked for its lock; the server (6.1) keeps the state of such a courteous client."
}
expect_courtesy_v40() { readings null "" ""; }

# Two clients with one owner.
collision() { # SECONDS OPTIONS1 OPTIONS2 [HOST2]
    lab_start 20 20 web-01 "${4:-web-01}"
    mnt client1 "$2"
    work client1 one
    sleep 4
    MNT_WAIT=20 mnt client2 "$3"
    work client2 two
    sleep "$1"
    unwork client1 one; unwork client2 two
    sleep 2
    lab_stop
}
collision_symptoms=("SEQUENCE answered NFS4ERR_BADSESSION over and over, on both clients" "CREATE_SESSION answered NFS4ERR_STALE_CLIENTID" "EXCHANGE_ID from two addresses with the same co_ownerid and two verifiers that alternate")
expect_collision_v41() {
    local f
    for f in . server.pcap "client1.pcap client2.pcap"; do reading "$f" nfs4-client-owner-collision nfs4-session-reset-loop ""; done
    reading client1.pcap nfs4-client-owner-collision nfs4-session-reset-loop "" likely "one client sees only its own side: supporting facts, no proof"
}
expect_collision_v40() { expect_collision_v41; }
expect_collision_v41_ipv6() { expect_collision_v41; }
case_collision_v41() { # two machines with one host name, 4.1
    collision 12 vers=4.1,hard vers=4.1,hard
    keep collision-v41 "Two client machines share the host name web-01 and no uniquifier is set, so both send the same co_ownerid; the server takes each EXCHANGE_ID of one for a reboot of the other and throws away the other's client ID, session, opens and locks." "${collision_symptoms[@]}"
}
case_collision_v40() { # two machines with one host name, 4.0
    collision 16 vers=4.0,hard vers=4.0,hard
    keep collision-v40 "Two client machines share the host name web-01 and no uniquifier is set, so both send the same nfs_client_id4; the server takes each SETCLIENTID of one for a reboot of the other and throws away the other's client ID, opens and locks." \
        "OPEN, WRITE, LOCK, DELEGRETURN, RENEW answered NFS4ERR_EXPIRED over and over, on both clients" "SETCLIENTID from two addresses with the same id and two verifiers that alternate" "no NFS4ERR_CLID_INUSE"
}
case_same_host_two_minors() { # one host name, 4.1 and 4.2 at once: no collision
    collision 25 vers=4.1,hard vers=4.2,hard
    keep same-host-two-minors "none: two machines share the host name web-01, but one mounts 4.1 and the other 4.2; the minor version is part of the co_ownerid."
}
expect_healthy() { readings null "" "" "${1:-}"; }
expect_same_host_two_minors() { expect_healthy client2.pcap; }
case_collision_v41_ipv6() { # the same over IPv6
    LAB_IP6=yes LAB_SERVER='[2001:db8::10]'
    collision 10 vers=4.1,hard,proto=tcp6 vers=4.1,hard,proto=tcp6
    keep collision-v41-ipv6 "Two client machines share the host name web-01 and no uniquifier is set; over IPv6." "${collision_symptoms[@]}"
}

expire() { # TIMES: the administrator throws client1 out
    on server 'for d in /proc/fs/nfsd/clients/*; do if grep -q "192.0.2.21:" $d/info; then cat $d/info; echo expire >$d/ctl; fi; done'
    event "server: echo expire >/proc/fs/nfsd/clients/N/ctl for client1"
}
admin_expired() { # VERSION TIMES
    local i
    lab_start 20 20 app-01 app-02
    mnt client1 "vers=$1,hard" && mnt client2 "vers=$1,hard"
    work client1 one; work client2 two
    sleep 9
    for ((i = 0; i < $2; i++)); do expire; sleep 7; done
    sleep 6
    unwork client1 one; unwork client2 two
    sleep 3
    umnt client1; umnt client2
    lab_stop
}
expect_admin_expired_v41() {
    reading . "null nfs4-client-expired nfs4-lock-reclaim-failed" "" "nfs4-client-expired"
    reading server.pcap "null nfs4-client-expired nfs4-lock-reclaim-failed" "" "nfs4-client-expired"
    reading client1.pcap "null nfs4-client-expired nfs4-lock-reclaim-failed" "" "nfs4-client-expired" likely "another client of the same owner could be behind it as well; but the clientid counter hardly moves"
    reading client2.pcap null "" ""
}
expect_admin_expired_v40() { expect_admin_expired_v41; }
expect_admin_expired_repeated() {
    reading . "null nfs4-client-expired nfs4-session-reset-loop nfs4-lock-reclaim-failed" "" "nfs4-client-expired"
    reading server.pcap "null nfs4-client-expired nfs4-session-reset-loop nfs4-lock-reclaim-failed" "" "nfs4-client-expired"
    reading client1.pcap "null nfs4-client-expired nfs4-session-reset-loop nfs4-lock-reclaim-failed" "" "nfs4-client-expired" likely
    reading client2.pcap null "" ""
}
case_admin_expired_v41() { # the administrator expires an active 4.1 client, once
    admin_expired 4.1 1
    keep admin-expired-v41 "The administrator expired client1 through /proc/fs/nfsd/clients while it was working: no silence, no other client with its owner, no restart." \
        "SEQUENCE answered NFS4ERR_BADSESSION on client1 without a silence before" "CREATE_SESSION answered NFS4ERR_STALE_CLIENTID, then EXCHANGE_ID with the same verifier, the same cl_boot" "reclaim answered NFS4ERR_NO_GRACE: opens and lock lost"
}
case_admin_expired_v40() { # the administrator expires an active 4.0 client, once
    admin_expired 4.0 1
    keep admin-expired-v40 "The administrator expired client1 through /proc/fs/nfsd/clients while it was working: no silence, no other client with its owner, no restart." \
        "NFS4ERR_EXPIRED or NFS4ERR_BAD_STATEID on client1 without a silence before" "SETCLIENTID with the same verifier, the same cl_boot"
}
case_admin_expired_repeated() { # the same four times, every 7 s
    admin_expired 4.1 4
    keep admin-expired-repeated "The administrator expired client1 through /proc/fs/nfsd/clients four times while it was working: no silence, no other client with its owner, no restart." \
        "four rounds of BADSESSION, STALE_CLIENTID, EXCHANGE_ID with one verifier only, the same cl_boot"
}

case_server_down() { # nfsd stopped for 20 s: connections refused, then a restart
    lab_start 20 20 app-01
    mnt client1 vers=4.1,hard; work client1 one
    sleep 9
    on server nfsd-stop; event "server: nfsd stopped (rpc.nfsd 0)"
    sleep 20
    on server "nfsd-start 20 20"; event "server: nfsd started again"
    sleep 22
    unwork client1 one
    sleep 3
    umnt client1
    lab_stop
    keep server-down "The NFS service was down for 20 s (the host was up: connections are refused) and then started again; the client reclaims." \
        "SYN answered by RST" "then one round of the ladder with another cl_boot"
}
expect_server_down() { readings "nfs4-server-restart tcp-syn-refused" "tcp-syn-refused" "nfs4-server-restart tcp-syn-refused"; }
case_server_down_for_good() { # nfsd stopped and not started again before the capture ends
    lab_start 20 20 app-01
    mnt client1 vers=4.1,hard; work client1 one
    sleep 9
    on server nfsd-stop; event "server: nfsd stopped (rpc.nfsd 0)"
    sleep 30
    lab_stop
    keep server-down-for-good "The NFS service was stopped and not started again while the capture ran; the host was up and refused connections." "SYN answered by RST until the end"
}
expect_server_down_for_good() { readings tcp-syn-refused tcp-syn-refused ""; }

client_reboot() { # VERSION
    lab_start 20 20 app-01 app-02
    mnt client1 "vers=$1,hard" && mnt client2 "vers=$1,hard"
    work client1 one; work client2 two 3
    sleep 9
    mv "$run/client1/share/capture.pcap" "$run/client1/share/capture-1.pcap"
    kill_guest client1; event "client1: switched off while it holds state"
    boot client1 app-01; wait_up client1
    event "client1: booted again, the same host name"
    capture client1
    mnt client1 "vers=$1,hard"; work client1 one
    sleep 10
    unwork client1 one; unwork client2 two
    sleep 3
    umnt client1; umnt client2
    lab_stop
}
case_client_reboot_v41() { # a 4.1 client is switched off and boots again: the verifier steps once, no collision
    client_reboot 4.1
    keep client-reboot-v41 "none: client1 was switched off and booted again; its verifier advances once, the server drops the state of the instance before." "two verifiers of one co_ownerid, one after the other, from one address"
}
case_client_reboot_v40() { # the same with 4.0
    client_reboot 4.0
    keep client-reboot-v40 "none: client1 was switched off and booted again; its verifier advances once, the server drops the state of the instance before." "two verifiers of one client string, one after the other, from one address"
}
expect_client_reboot_v41() { readings null "" "" client2.pcap; }
expect_client_reboot_v40() { readings null "" "" client2.pcap; }

# Healthy ones.
case_mounts_in_succession() { # one client mounts and unmounts again and again, 4.0, 4.1 and 4.2
    local v
    lab_start 20 20 app-01
    for v in 4.1 4.1 4.2 4.1 4.0 4.2 4.0; do
        mnt client1 "vers=$v,hard"
        on client1 "cd /mnt; echo $v >f; cat f >/dev/null; cd /"
        sleep 1
        umnt client1
        sleep 1
    done
    lab_stop
    keep mounts-in-succession "none: one client mounts and unmounts seven times."
}
expect_mounts_in_succession() { readings null "" ""; }
idle() { # VERSION
    lab_start 15 15 app-01
    mnt client1 "vers=$1,hard"
    on client1 'cd /mnt; (flock 3; echo x >&3; sleep 70) 3>>held >/dev/null 2>&1 &'
    event "client1 holds a lock and is idle"
    sleep 74
    umnt client1
    lab_stop
}
case_idle_v41() { # an idle 4.1 client: only renewals, for several leases
    idle 4.1
    keep idle-v41 "none: a client that holds a lock and is otherwise idle; it renews its lease of 15 s in time by SEQUENCE."
}
case_idle_v40() { # an idle 4.0 client: only renewals, for several leases
    idle 4.0
    keep idle-v40 "none: a client that holds a lock and is otherwise idle; it renews its lease of 15 s in time by RENEW."
}
expect_idle_v41() { readings null "" ""; }
expect_idle_v40() { readings null "" ""; }
healthy() { # OPTIONS
    lab_start 20 20 app-01 app-02
    mnt client1 "$1"; mnt client2 "$1"
    work client1 one; work client2 two
    sleep 5
    on client2 "cd /mnt; (flock -n 4 || echo refused) 4>>held-one"; event "client2 asks for client1's lock without waiting: refused"
    sleep 13
    unwork client1 one; unwork client2 two
    sleep 3
    umnt client1; umnt client2
    lab_stop
}
case_nconnect4() { # two healthy 4.1 clients with four connections each
    healthy vers=4.1,hard,nconnect=4
    keep nconnect4 "none: two clients with nconnect=4."
}
case_healthy_v40() { # two healthy 4.0 clients
    healthy vers=4.0,hard
    keep healthy-v40 "none: two clients with 4.0; one lock request is denied."
}
expect_nconnect4() { readings null "" "" client2.pcap; }
expect_healthy_v40() { readings null "" "" client2.pcap; }

case_collision_containers() { # two network namespaces of one machine with one host name, 4.1
    lab_start 20 20 web-01
    on client1 'mkdir -p /var/run/netns; /bin/ip link add brc address $(cat /sys/class/net/eth0/address) type bridge; /bin/ip addr flush dev eth0; /bin/ip link set eth0 master brc; /bin/ip link set brc up
        for i in 1 2; do /bin/ip netns add c$i; /bin/ip link add v$i type veth peer name eth0 netns c$i; /bin/ip link set v$i master brc up
            /bin/ip -n c$i addr add 192.0.2.3$i/24 dev eth0; /bin/ip -n c$i link set eth0 up; /bin/ip -n c$i link set lo up; done; sleep 1'
    event "client1: network namespaces c1 (192.0.2.31) and c2 (192.0.2.32)"
    mounts="c1: vers=4.1,hard|c2: vers=4.1,hard"
    on client1 'mkdir -p /m1; /bin/ip netns exec c1 sh -c "mount.nfs 192.0.2.10:/ /m1 -o vers=4.1,hard,sec=sys && exec work /m1 one" >/tmp/work-one.log 2>&1 &'
    event "namespace c1 mounts and works"
    sleep 6
    on client1 'mkdir -p /m2; /bin/ip netns exec c2 sh -c "mount.nfs 192.0.2.10:/ /m2 -o vers=4.1,hard,sec=sys && exec work /m2 two" >/tmp/work-two.log 2>&1 &'
    event "namespace c2 mounts and works"
    sleep 14
    unwork client1 one; unwork client1 two
    sleep 2
    lab_stop
    keep collision-containers "Two containers (network namespaces) of one machine mount with one host name and no uniquifier: one co_ownerid, two verifiers." "${collision_symptoms[@]}"
}
expect_collision_containers() {
    local f
    for f in . server.pcap client1.pcap; do reading "$f" nfs4-client-owner-collision nfs4-session-reset-loop ""; done
}

case_clientid_in_use() { # one owner, two principals: the second client's calls come with another uid
    lab_start 20 20 web-01 web-01
    mnt client1 vers=4.1,hard; work client1 one
    sleep 4
    # uid in the credential of each call: 32 bytes of TCP header, record mark, six words of the call, flavour, length, stamp, name (4 + 8)
    on client2 "nft add table ip lab; nft add chain ip lab o '{ type filter hook output priority 0; }'; nft add rule ip lab o tcp dport 2049 @th,480,32 1 @th,672,32 0 @th,672,32 set 1000 counter"
    event "client2: its packet filter writes uid 1000 for 0 into the credentials of its calls (as a gateway that maps users does)"
    MNT_WAIT=25 mnt client2 vers=4.1,hard
    sleep 5
    on client2 "nft list ruleset"
    unwork client1 one
    sleep 2
    lab_stop
    keep clientid-in-use "client2 has the host name of client1 and another principal (uid 1000 instead of 0 in the AUTH_SYS credential): the server answers EXCHANGE_ID with NFS4ERR_CLID_INUSE." "EXCHANGE_ID answered NFS4ERR_CLID_INUSE"
}
expect_clientid_in_use() { reading . nfs4-clientid-in-use "" ""; reading server.pcap nfs4-clientid-in-use "" ""; reading client2.pcap nfs4-clientid-in-use "" ""; reading client1.pcap null "" ""; }

# Some of them with 4.2 and a newer kernel on both sides.
newer() { kernel=${LAB_NEWER_KERNEL:-6.12.117+deb12}; client_kernel=$kernel; }
case_restart_v42_k612() { # server restart, 4.2, kernel 6.12
    newer
    restart 4.2
    keep restart-v42-k612 "The NFS service was stopped and started again 2 s later: a new server instance (another cl_boot). Both clients reclaim their opens and locks within the grace period." \
        "SEQUENCE answered NFS4ERR_BADSESSION once on each client after the reconnection" "one round of EXCHANGE_ID, CREATE_SESSION, reclaim, RECLAIM_COMPLETE" \
        "clientids with another cl_boot than before"
}
expect_restart_v42_k612() { expect_restart_v41; }
case_collision_v42_k612() { # two machines with one host name, 4.2, kernel 6.12
    newer
    collision 10 vers=4.2,hard vers=4.2,hard
    keep collision-v42-k612 "Two client machines share the host name web-01 and no uniquifier is set, so both send the same co_ownerid." "${collision_symptoms[@]}"
}
expect_collision_v42_k612() { expect_collision_v41; }
case_lease_expired_v42_drop_k612() { # 4.2 client cut off by its own packet filter, conflicting lock, kernel 6.12
    newer
    silent 4.2 drop
    keep lease-expired-v42-drop-k612 "client1's packets to the server were dropped for 35 s with a lease of 15 s; client2 asked for its lock and the server expired client1." "${lease_symptoms_41[@]}"
}
expect_lease_expired_v42_drop_k612() { expect_lease_expired_v41_drop; }
case_admin_expired_v42_k612() { # the administrator expires an active 4.2 client, kernel 6.12
    newer
    admin_expired 4.2 1
    keep admin-expired-v42-k612 "The administrator expired client1 through /proc/fs/nfsd/clients while it was working: no silence, no other client with its owner, no restart." \
        "SEQUENCE answered NFS4ERR_BADSESSION on client1 without a silence before" "reclaim answered NFS4ERR_NO_GRACE: opens and lock lost"
}
expect_admin_expired_v42_k612() { expect_admin_expired_v41; }

# A delegation that its holder does not return in time: client1 reads a file that it holds open, client2 wants to write to it.
recall_begin() { # VERSION
    LAB_FILTER='tcp or arp or icmp'
    lab_start 30 30 app-01 app-02
    mnt client1 "vers=$1,hard" && mnt client2 "vers=$1,hard"
    on client2 "cd /mnt && echo one >shared && sync"
    sleep 2
    work client1 one 3
    on client1 "cd /mnt; (exec 5<shared; cat <&5; sleep 300) >/tmp/hold.log 2>&1 & sleep 1; cat /mnt/shared"
    event "client1 opens the file for reading and is given a delegation"
}
recall_filter() {
    on client1 "nft add table ip lab; nft add chain ip lab i '{ type filter hook input priority 0; }'; nft add rule ip lab i ip saddr 192.0.2.10 tcp sport != 2049 drop"; event "client1: its packet filter drops what the server sends to its callback port"
}
recall() { # VERSION HOW
    recall_begin "$1"
    sleep 8
    case $2 in
    pause) monitor client1 stop; event "client1: virtual machine paused" ;;
    filter) recall_filter ;;
    none) ;;
    esac
    post client2 "cd /mnt; echo two >>shared; /bin/date +%s.%N >/tmp/got"; event "client2 opens the file for writing"
    sleep 20
    case $2 in
    pause) monitor client1 cont; event "client1: virtual machine runs again (its clock is behind from now on)" ;;
    filter) sleep 25; on client1 "nft delete table ip lab"; event "client1: packet filter rule removed" ;;
    none) ;;
    esac
    sleep 25
    unwork client1 one
    sleep 3
    lab_stop
}
recall_symptoms=("CB_RECALL to client1, without an answer" "OPEN of client2 answered NFS4ERR_DELAY again and again")
expect_recall_v40_filter() {
    local also="nfs4-backchannel-down tcp-path-silent tcp-syn-unanswered host-filter-drop"
    reading . "nfs4-recall-unanswered $also" nfs4-recall-unanswered "$also"
    reading server.pcap "nfs4-recall-unanswered $also" nfs4-recall-unanswered "$also"
    reading client1.pcap "null nfs4-recall-unanswered $also" "" "$also" likely "the holder: who waits is not in its capture"
    reading client2.pcap null "" "" "" "the waiting client: what it waits for is not in its capture"
}
expect_recall_v41_pause() {
    local also="tcp-path-silent net-unreachable"
    reading . "nfs4-recall-unanswered $also" nfs4-recall-unanswered "$also"
    reading server.pcap "nfs4-recall-unanswered $also" nfs4-recall-unanswered "$also"
    reading client2.pcap null "" "" "" "the waiting client: what it waits for is not in its capture"
}
expect_recall_v41() { expect_healthy client2.pcap; }
expect_recall_v40() { expect_healthy client2.pcap; }
case_recall_v40_filter() { # a 4.0 client's callback port is filtered while it holds a delegation
    recall 4.0 filter
    keep recall-v40-filter "client1 holds a delegation and its packet filter drops the server's callbacks; client2's open for writing is put off until the server tells client1 that its callback path is down (RENEW answered NFS4ERR_CB_PATH_DOWN), which then introduces itself anew and returns its delegations." "${recall_symptoms[@]}"
}
case_recall_v41_pause() { # a 4.1 client that holds a delegation stands still for 20 s, less than the lease
    recall 4.1 pause
    keep recall-v41-pause "client1 holds a delegation and its virtual machine stands still for 20 s, less than the lease of 30 s; client2's open for writing is put off until client1 runs again and returns it." "${recall_symptoms[@]}"
}
case_recall_v41() { # a recall that is answered at once, 4.1
    recall 4.1 none
    keep recall-v41 "none: client1 holds a delegation and returns it as soon as client2 wants to write to the file."
}
case_recall_v40() { # a recall that is answered at once, 4.0
    recall 4.0 none
    keep recall-v40 "none: client1 holds a delegation and returns it as soon as client2 wants to write to the file."
}
