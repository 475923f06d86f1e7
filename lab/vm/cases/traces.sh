# SPDX-License-Identifier: GPL-2.0-or-later
# What kernels trace. Sourced by lab.sh like cases.sh. A folder has one for each guest, with its trace.txt.

# Probes on nfsd's functions, with stacks and returns, and svc_process; nfsd_clid_* is left off on purpose.
trace_server() {
    on server 'cd /sys/kernel/tracing; echo 16384 >buffer_size_kb
        for f in nfsd4_exchange_id nfsd4_create_session nfsd4_destroy_session unhash_client_locked expire_client find_in_sessionid_hashtbl; do
            echo "p:probe_$f $f" >>kprobe_events && echo 1 >events/kprobes/probe_$f/enable && echo stacktrace >events/kprobes/probe_$f/trigger
        done
        echo "r:return_lookup find_in_sessionid_hashtbl session=\$retval" >>kprobe_events; echo 1 >events/kprobes/return_lookup/enable
        echo 1 >events/sunrpc/svc_process/enable; true'
    event "server: probes on functions of nfsd"
}
trace_stop() { # GUEST...
    local g
    for g in "$@"; do on "$g" 'cd /sys/kernel/tracing; echo 0 >tracing_on; cat trace >/share/trace.txt'; done
    event "traces stopped"
}
# Only the texts are kept: the wire has cases of its own.
traces_keep() { # CASE ROOT-CAUSE GUEST...
    local name=$1 cause=$2 dir=$out/vm-$1 g
    shift 2
    rm -rf "$dir"
    for g in "$@"; do
        mkdir -p "$dir/$g"
        xz -9 -c "$run/$g/share/trace.txt" >"$dir/$g/trace.txt.xz"
    done
    jq -n --arg s "$name" --arg m "${mounts:-}" --arg c "$cause" --arg k "$(cat "$run/server/share/uname.txt")" --argjson ev "$(jq -s . "$run/events")" \
        '{scenario: $s, kernel: $k, mount_options: ($m | split("|")), root_cause: $c, events: $ev}' >"$dir/truth.json"
    "expect_${name//-/_}" | jq -s . >"$dir/expect.json"
}

expect_traces_reboot() { reading . "null" "" ""; }
case_traces_reboot() { # a client is switched off and boots again, another one unmounts and mounts: owners come anew, and nobody collides
    local i
    lab_start 20 20 app-01 app-02
    trace_server
    mnt client1 "vers=4.1,hard"; mnt client2 "vers=4.1,hard"
    work client1 one; work client2 two
    for i in 1 2 3; do
        sleep 4
        kill_guest client2; event "client2: switched off"
        sleep 1
        boot client2 app-02; wait_up client2; event "client2: booted again"
        mnt client2 "vers=4.1,hard"; work client2 two
        unwork client1 one; sleep 3; umnt client1; mnt client1 "vers=4.1,hard"; work client1 one
    done
    sleep 4
    trace_stop server
    lab_stop
    traces_keep traces-reboot "none: client2 was switched off three times and came again with another verifier, client1 unmounted and mounted again" server
}
