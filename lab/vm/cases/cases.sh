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
expect_restart_v42() { expect_restart_v41; }
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
case_restart_v42() { # the same with 4.2
    restart 4.2
    keep restart-v42 "The NFS service was stopped and started again 2 s later: a new server instance (another cl_boot). Both clients reclaim their opens and locks within the grace period." \
        "SEQUENCE answered NFS4ERR_BADSESSION once on each client after the reconnection" "one round of EXCHANGE_ID, CREATE_SESSION, reclaim, RECLAIM_COMPLETE" \
        "clientids with another cl_boot than before"
}
case_restart_v40() { # server restart under two 4.0 clients with open and locked files
    restart 4.0
    keep restart-v40 "The NFS service was stopped and started again 2 s later: a new server instance (another cl_boot). Both clients reclaim their opens and locks within the grace period." \
        "NFS4ERR_STALE_CLIENTID or NFS4ERR_STALE_STATEID after the reconnection" "SETCLIENTID, SETCLIENTID_CONFIRM, OPEN with CLAIM_PREVIOUS, LOCK with reclaim" \
        "OPEN answered NFS4ERR_GRACE until the grace period ends"
}

# The first client is silent for longer than the lease, the second asks for its lock meanwhile.
silent() { # VERSION HOW
    lab_start 15 15 app-01 app-02
    mnt client1 "vers=$1,hard" && mnt client2 "vers=$1,hard"
    work client1 one
    work client2 two
    sleep 10
    case $2 in
    pause) monitor client1 stop; event "client1: virtual machine paused" ;;
    drop) on client1 "nft add table ip lab; nft add chain ip lab o '{ type filter hook output priority 0; }'; nft add rule ip lab o tcp dport 2049 drop"; event "client1: its packet filter drops everything that it sends to port 2049" ;;
    link) monitor client1 "set_link n0 off"; event "client1: link down" ;;
    esac
    sleep 25
    on client2 "cd /mnt; (flock 4; /bin/date +%s.%N >/tmp/got; sleep 3) 4>>held-one & " ; event "client2 asks for the lock of client1's file"
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
    reading client1.pcap "nfs4-lease-expired $1" "" "nfs4-lease-expired $1" "" "the silence is in it, whoever made it"
    reading client2.pcap null "" "" "" "the other client only waits for a lock"
}
expect_lease_expired_v41_pause() { expect_lease ""; }
expect_lease_expired_v40_pause() { expect_lease ""; }
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
expect_collision_v42() { expect_collision_v41; }
expect_collision_v41_ipv6() { expect_collision_v41; }
case_collision_v41() { # two machines with one host name, 4.1
    collision 12 vers=4.1,hard vers=4.1,hard
    keep collision-v41 "Two client machines share the host name web-01 and no uniquifier is set, so both send the same co_ownerid; the server takes each EXCHANGE_ID of one for a reboot of the other and throws away the other's client ID, session, opens and locks." "${collision_symptoms[@]}"
}
case_collision_v40() { # two machines with one host name, 4.0: the client's owner has its address
    collision 30 vers=4.0,hard vers=4.0,hard
    keep collision-v40 "Two client machines share the host name web-01 and mount 4.0." "${collision_symptoms_40[@]}"
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
