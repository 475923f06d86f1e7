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

# What the tools print (LAB_TRACERS=1 ./fetch.sh ...): each for some seconds of the same healthy load, and texts of bpftrace as people paste them.
tool_ftrace() { # GUEST NAME EVENTS: tracefs itself, with stacks
    on "$1" "cd /sys/kernel/tracing; echo 8192 >buffer_size_kb; echo >trace
        for e in $3; do echo 1 >events/\$e/enable; done; echo 1 >options/stacktrace; sleep 5; echo 0 >tracing_on
        cat trace >/share/$2.txt; echo 0 >options/stacktrace; echo 0 >events/enable; echo >trace; echo 1 >tracing_on"
}
tool_trace_cmd() { # GUEST NAME RECORD-OPTIONS: trace-cmd record and report
    on "$1" "cd /tmp; trace-cmd record -q -o /tmp/trace.dat $3 sleep 5 >/share/$2.log 2>&1; trace-cmd report -i /tmp/trace.dat >/share/$2.txt 2>>/share/$2.log; rm -f /tmp/trace.dat*" 200
}
tool_perf() { # GUEST NAME RECORD-OPTIONS: perf record and script
    on "$1" "cd /tmp; perf record -q -a -o /tmp/perf.data $3 sleep 5 >/share/$2.log 2>&1; perf script -i /tmp/perf.data >/share/$2.txt 2>>/share/$2.log; rm -f /tmp/perf.data*" 300
}
tool_bpftrace() { # GUEST NAME PROGRAM
    printf '%s\n' "$3" >"$run/$1/share/$2.bt"
    on "$1" "timeout -s INT 60 bpftrace /share/$2.bt >/share/$2.txt 2>/share/$2.log" 300
}

tools_load() {
    lab_start 20 20 app-01
    mnt client1 "vers=4.1,hard"
    on server 'mkdir -p /export/dir; chmod 777 /export/dir; cd /export/dir; i=0; while [ $i -lt 300 ]; do : >name-$i; i=$((i+1)); done'
    on client1 'while :; do cd /; echo /mnt/dir/* >/dev/null; cat /mnt/dir/name-1 >/dev/null; echo a >/mnt/dir/name-2; sleep 1; done >/dev/null 2>&1 &'
    work client1 one 1
}
expect_traces_tools() { reading . null "" ""; }
case_traces_tools() { # trace-cmd, perf and bpftrace on a healthy client and server
    tools_load
    tool_ftrace client1 ftrace "sunrpc nfs nfs4"
    tool_ftrace server ftrace "sunrpc nfsd"
    tool_trace_cmd client1 trace-cmd "-e sunrpc -e nfs -e nfs4"
    tool_trace_cmd server trace-cmd "-e sunrpc -e nfsd"
    tool_trace_cmd client1 trace-cmd-stack "-T -e sunrpc:rpc_task_sleep -e nfs4:nfs4_sequence_done"
    on server 'cd /sys/kernel/tracing; echo "p:lookup find_in_sessionid_hashtbl" >>kprobe_events; echo "r:lookup_ret find_in_sessionid_hashtbl ret=\$retval" >>kprobe_events; echo "p:create nfsd4_create_session" >>kprobe_events'
    tool_trace_cmd server trace-cmd-probe "-T -e kprobes"
    tool_perf client1 perf "-e sunrpc:* -e nfs:* -e nfs4:*"
    tool_perf client1 perf-g "-g -e sunrpc:rpc_task_sleep -e nfs4:nfs4_sequence_done"
    tool_perf server perf "-e sunrpc:svc_* -e nfsd:*"
    tool_perf server perf-probe "-g -e kprobes:*"
    on server 'cd /sys/kernel/tracing; echo >kprobe_events'
    tool_bpftrace client1 bpf-count 'kprobe:rpc_wait_bit_killable { @[kstack] = count(); } interval:s:5 { exit(); }'
    tool_bpftrace client1 bpf-comm 'kprobe:nfs4_proc_read_setup,kprobe:nfs4_proc_getattr { @[comm, kstack(6)] = count(); } interval:s:5 { exit(); }'
    tool_bpftrace client1 bpf-printf 'kprobe:nfs4_proc_getattr,kprobe:nfs4_proc_lookup { printf("%-10u %-6d %-16s %s%s\n", nsecs / 1000000, pid, comm, func, kstack); } interval:s:5 { exit(); }'
    tool_bpftrace client1 bpf-hist 'kprobe:rpc_execute { @start[tid] = nsecs; } kretprobe:rpc_execute /@start[tid]/ { @us = hist((nsecs - @start[tid]) / 1000); delete(@start[tid]); } interval:s:5 { exit(); }'
    tool_bpftrace server bpf-count 'kprobe:svc_process { @[kstack] = count(); } kprobe:nfsd4_sequence { @seq[comm, pid] = count(); } interval:s:5 { exit(); }'
    lab_stop
    # The first lines of each are enough.
    local g f dir=$out/vm-traces-tools
    rm -rf "$dir"
    for g in client1 server; do
        mkdir -p "$dir/$g"
        for f in "$run/$g"/share/{ftrace,trace-cmd,perf,bpf-}*.txt; do
            [ ! -s "$f" ] || head -n 400 "$f" | xz -9 >"$dir/$g/$(basename "$f").xz"
        done
    done
    jq -n --arg k "$(cat "$run/server/share/uname.txt")" '{scenario: "traces-tools", kernel: $k, root_cause: "none: a client at work, traced with tracefs, trace-cmd 3.1, perf and bpftrace 0.17, the first 400 lines of each"}' >"$dir/truth.json"
    expect_traces_tools | jq -s . >"$dir/expect.json"
}

# A tracer of its own for each text: instances of tracefs, so that several look at one incident.
instance() { # GUEST NAME EVENTS
    on "$1" "cd /sys/kernel/tracing; mkdir instances/$2; cd instances/$2; echo 16384 >buffer_size_kb; for e in $3; do echo 1 >events/\$e/enable || echo \"\$e: not there\"; done" >&2
    event "$1: traces $3"
}
instances_stop() { # GUEST: NAME.txt for each
    on "$1" 'cd /sys/kernel/tracing/instances; for i in *; do echo 0 >$i/tracing_on; cat $i/trace >/share/$i.txt; done'
    event "$1: traces stopped"
}
texts_keep() { # CASE ROOT-CAUSE GUEST/NAME...: NAME.txt of the guests
    local name=$1 cause=$2 dir=$out/vm-$1 f
    shift 2
    rm -rf "$dir"
    for f in "$@"; do
        mkdir -p "$dir/${f%/*}"
        xz -9 -c "$run/${f%/*}/share/${f#*/}.txt" >"$dir/$f.txt.xz"
    done
    jq -n --arg s "$name" --arg m "${mounts:-}" --arg c "$cause" --arg k "$(cat "$run/server/share/uname.txt")" --argjson ev "$(jq -s . "$run/events")" \
        '{scenario: $s, kernel: $k, mount_options: ($m | split("|")), root_cause: $c, events: $ev}' >"$dir/truth.json"
    "expect_${name//-/_}" | jq -s . >"$dir/expect.json"
}

expect_traces_slots() { reading . nfs4-slots-exhausted "" ""; reading client1/tasks.txt.xz nfs4-slots-exhausted "" ""; reading client1/report.txt.xz nfs4-slots-exhausted "" ""; }
case_traces_slots() { # a session of two slots and many that want one, over a way of 10 ms
    lab_start 20 20 app-01
    on server '/bin/tc qdisc add dev br0 root netem delay 10ms'; event "server: its answers are delayed by 10 ms"
    on client1 'echo 2 >/sys/module/nfs/parameters/max_session_slots'; event "client1: asks for two slots"
    mnt client1 "vers=4.2,hard,noac"
    on client1 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do : >/mnt/f$i; (while [ ! -e /tmp/enough ]; do : <>/mnt/f$i; done) & done >/dev/null 2>&1'
    instance client1 tasks "sunrpc/rpc_task_begin sunrpc/rpc_task_sleep sunrpc/rpc_task_wakeup sunrpc/rpc_task_end sunrpc/rpc_request sunrpc/xprt_transmit sunrpc/rpc_stats_latency nfs4/nfs4_sequence_done"
    if on client1 'which trace-cmd' >/dev/null; then
        on client1 'cd /tmp; trace-cmd record -q -o /tmp/trace.dat -e sunrpc -e nfs4 sleep 3 >/dev/null 2>&1; trace-cmd report -i trace.dat >/share/report.txt' 200
    fi
    sleep 1
    instances_stop client1
    on client1 'touch /tmp/enough'
    lab_stop
    texts_keep traces-slots "The client asked for a session of two slots (nfs.max_session_slots=2), and twelve shells open files over a way of 10 ms." client1/tasks client1/report
}

expect_traces_restart() { reading . "nfs4-server-restart" "" ""; reading server/nfsd.txt.xz nfs4-server-restart "" ""; }
case_traces_restart() { # nfsd is stopped and started again, with two clients; the server's tracepoints alone
    lab_start 20 20 app-01 app-02
    mnt client1 "vers=4.1,hard"; mnt client2 "vers=4.0,hard"
    work client1 one; work client2 two
    sleep 3
    instance server nfsd "nfsd"
    instance server calls "sunrpc/svc_process sunrpc/svc_send sunrpc/svc_drop sunrpc/svc_defer"
    sleep 4
    on server 'nfsd-stop; sleep 3; nfsd-start 20 20'; event "server: nfsd stopped and started again"
    sleep 28
    instances_stop server
    lab_stop
    texts_keep traces-restart "The NFS service was stopped and started again: clients reclaim in its grace period." server/nfsd server/calls
}

expect_traces_collision_v40() {
    reading . nfs4-client-owner-collision "" "nfs4-session-reset-loop"
    reading server/nfsd.txt.xz nfs4-client-owner-collision "" ""
    reading server/probes.txt.xz nfs4-client-owner-collision "" ""
}
case_traces_collision_v40() { # two machines with one host name, 4.0: tracepoints of nfsd alone, and probes alone
    lab_start 20 20 web-01 web-01
    mnt client1 "vers=4.0,hard"
    work client1 one
    instance server nfsd "nfsd/nfsd_clid_fresh nfsd/nfsd_clid_confirmed nfsd/nfsd_clid_verf_mismatch nfsd/nfsd_clid_replaced nfsd/nfsd_clid_expire_unconf nfsd/nfsd_clid_renew"
    on server 'cd /sys/kernel/tracing; for f in nfsd4_setclientid nfsd4_setclientid_confirm move_to_confirmed expire_client unhash_client_locked nfsd4_renew; do echo "p:p_$f $f" >>kprobe_events || echo "$f: not there"; done
        echo "r:r_renew nfsd4_renew ret=\$retval" >>kprobe_events' >&2
    instance server probes "kprobes sunrpc/svc_process"
    instance server statuses "nfsd/nfsd_compound_status kprobes/p_nfsd4_setclientid_confirm kprobes/p_expire_client"
    on server 'cd /sys/kernel/tracing/instances/statuses/events/kprobes; for e in p_*; do echo stacktrace >$e/trigger; done; true' >&2
    sleep 4
    MNT_WAIT=20 mnt client2 "vers=4.0,hard"
    work client2 two
    sleep 25
    instances_stop server
    unwork client1 one; unwork client2 two
    lab_stop
    texts_keep traces-collision-v40 "Two client machines share the host name web-01 and no uniquifier is set, so both send the same nfs_client_id4." server/nfsd server/probes server/statuses
}
expect_traces_reboot_v40() { reading . null "" ""; }
case_traces_reboot_v40() { # the twin: one 4.0 client is switched off and boots again three times, another one renews
    local i
    lab_start 20 20 app-01 app-02
    mnt client1 "vers=4.0,hard"; mnt client2 "vers=4.0,hard"
    work client1 one; work client2 two
    instance server nfsd "nfsd/nfsd_clid_fresh nfsd/nfsd_clid_confirmed nfsd/nfsd_clid_verf_mismatch nfsd/nfsd_clid_replaced nfsd/nfsd_clid_expire_unconf nfsd/nfsd_clid_renew"
    on server 'cd /sys/kernel/tracing; for f in nfsd4_setclientid nfsd4_setclientid_confirm move_to_confirmed expire_client unhash_client_locked nfsd4_renew; do echo "p:p_$f $f" >>kprobe_events; done
        echo "r:r_renew nfsd4_renew ret=\$retval" >>kprobe_events'
    instance server probes "kprobes sunrpc/svc_process"
    instance server statuses "nfsd/nfsd_compound_status kprobes/p_nfsd4_setclientid_confirm kprobes/p_expire_client"
    for i in 1 2 3; do
        sleep 4
        kill_guest client2; event "client2: switched off"
        sleep 1
        boot client2 app-02; wait_up client2; event "client2: booted again"
        mnt client2 "vers=4.0,hard"; work client2 two
        unwork client1 one; sleep 3; umnt client1; mnt client1 "vers=4.0,hard"; work client1 one
    done
    sleep 4
    instances_stop server
    lab_stop
    texts_keep traces-reboot-v40 "none: client2 was switched off three times and came again with another verifier, client1 unmounted and mounted again" server/nfsd server/probes server/statuses
}

expect_traces_frozen() {
    reading server/during.txt.xz "nfsd-threads-stuck" "" "nfsd-threads-stuck"
    reading server/after.txt.xz "rpc-server-slow nfsd-threads-stuck" "" ""
    reading server/before.txt.xz null "" ""
}
case_traces_frozen() { # the exported file system is frozen for a minute: calls that nfsd has and does not finish, then late answers
    lab_start 20 20 app-01
    on server 'dd if=/dev/zero of=/run/image bs=1M count=60 2>/dev/null; /bin/mke2fs -q -t ext4 /run/image; mkdir -p /export/disk; mount -o loop /run/image /export/disk
        chmod 777 /export/disk; echo "/export/disk *(rw,no_root_squash,fsid=1,no_subtree_check,sec=sys)" >>/etc/exports; exportfs -r'
    mnt client1 vers=4.2,hard || return 1
    local w
    for w in one two three; do work client1 $w 2 /mnt/disk; done
    sleep 4
    instance server calls "sunrpc/svc_process sunrpc/svc_send sunrpc/svc_drop sunrpc/svc_stats_latency"
    sleep 6
    on server 'cat /sys/kernel/tracing/instances/calls/trace >/share/before.txt'
    on server '/bin/fsfreeze -f /export/disk'; event "server: the exported file system is frozen (fsfreeze -f)"
    sleep 40
    on server 'cat /sys/kernel/tracing/instances/calls/trace >/share/during.txt'
    on server '/bin/fsfreeze -u /export/disk'; event "server: and thawed"
    sleep 6
    on server 'cat /sys/kernel/tracing/instances/calls/trace >/share/after.txt; echo 0 >/sys/kernel/tracing/instances/calls/tracing_on'
    lab_stop
    texts_keep traces-frozen "The exported file system was frozen for 40 s: nfsd's threads waited in it with the calls that they had begun." server/before server/during server/after
}

expect_traces_locks() { reading . null "" ""; }
case_traces_locks() { # NFSv3 with locks and readdirplus on the newer kernel: lockd's tracepoints of a healthy client
    kernel=${LAB_NEWER_KERNEL:-6.12.117+deb12} client_kernel=$kernel
    nlm_start 40001 app-01
    instance client1 locks "lockd nfs/nfs_readdir_cache_fill nfs/nfs_readdir_cache_fill_done nfs/nfs_readdir_lookup nfs/nfs_readdir_force_readdirplus nfs/nfs_readdir_uncached nfs/nfs_readdir_invalidate_cache_range"
    instance server calls "sunrpc/svc_process sunrpc/svc_send sunrpc/svc_xprt_accept sunrpc/svc_xprt_close"
    on client1 'mkdir -p /mnt/many; i=0; while [ $i -lt 400 ]; do : >/mnt/many/n$i; i=$((i+1)); done; ls -l /mnt/many >/dev/null; echo /mnt/many/* >/dev/null' 100
    lock client1 held 3
    lock client1 held 3
    sleep 8
    instances_stop client1; instances_stop server
    lab_stop
    texts_keep traces-locks "none: locks taken and given back, a directory listed" client1/locks server/calls
}

expect_traces_put_off() {
    reading . null "" ""
    reading server/during.txt.xz rpc-server-silent "" ""
    reading server/before.txt.xz null "" ""
    reading server/after.txt.xz null "" ""
}
case_traces_put_off() { # rpc.mountd stands still: nfsd puts calls off until it is told who may see what; then it goes on
    LAB_NFSD="nfs3-start server 40001" LAB_EXPORT=/export
    lab_start 20 20 app-01
    mnt client1 vers=3,proto=tcp,hard,nolock,timeo=100,retrans=6 || return 1
    instance server calls "sunrpc/svc_process sunrpc/svc_send sunrpc/svc_drop sunrpc/svc_defer sunrpc/svc_defer_queue sunrpc/svc_defer_recv sunrpc/svc_defer_drop sunrpc/cache_entry_upcall sunrpc/cache_entry_update"
    on client1 "touch /mnt/one; ls -l /mnt >/dev/null"
    sleep 14
    on client1 "touch /mnt/two; ls -l /mnt >/dev/null"
    on server 'cat /sys/kernel/tracing/instances/calls/trace >/share/before.txt'
    on server 'kill -STOP $(pidof rpc.mountd); exportfs -f'; event "server: rpc.mountd stopped, and the kernel's cache of exports emptied"
    on client1 'touch /mnt/three >/tmp/work.log 2>&1 &'; event "client1 makes a file"
    sleep 42
    on server 'cat /sys/kernel/tracing/instances/calls/trace >/share/during.txt'
    on server 'kill -CONT $(pidof rpc.mountd)'; event "server: rpc.mountd goes on"
    sleep 30
    on client1 "touch /mnt/four; ls -l /mnt >/dev/null"
    on server 'cat /sys/kernel/tracing/instances/calls/trace >/share/after.txt; echo 0 >/sys/kernel/tracing/instances/calls/tracing_on'
    lab_stop
    texts_keep traces-put-off "rpc.mountd on the server was stopped for 42 s when the kernel's cache of exports had just been emptied: nfsd put its calls off until it went on." server/before server/during server/after
}
