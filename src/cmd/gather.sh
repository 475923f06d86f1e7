#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Collects evidence of an NFS incident on a host where nothing can be installed, and packs it into one
# tar for `nfsleuth diagnose`. Made by `nfsleuth gather`; needs a POSIX shell and, for most of it, root.
#
# Safe on a sick host: it opens no file on any NFS, asks no mount for its size, reads no command lines
# of processes (they can hang with the process), and leaves alone what does not answer in time. Bounded
# in time and space. Changes nothing that it does not put back; what it started ends with it, also when
# it is killed: a guard process outlives it for that. Where the guard was killed, too, -x cleans up.

usage() {
	cat <<'EOF'
Usage: sh nfsleuth-gather.sh [OPTION]...

  -o DIR      where the tar goes: a local file system (default: /var/tmp)
  -w SECONDS  between the two readings of counters and stacks (default: 10)
  -c          capture NFS traffic too, into a ring of files
  -i IFACE    on this interface (default: any)
  -f FILTER   of these packets (default: all with the hosts of the other side but ssh, and those of
              the ports of NFS, rpcbind, mountd, lockd and statd here)
  -n BYTES    so many of each packet (default: whole packets)
  -m MB       at most so much on disk for the capture (default: 200)
  -t SECONDS  the capture ends after so long at the latest (default: 300)
  -d SECONDS  it ends 5 s after a task has been in state D for so long
  -l TEXT     it ends 5 s after the kernel log has a new line with this text
  -k SECONDS  trace sessions, client IDs and recovery of NFSv4 for so long (client and server)
  -q          do not write the list of blocked tasks into the kernel log (sysrq-w)
  -x          only remove what runs that were killed left behind (here, and below -o DIR)
  -h          this help
EOF
}

PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
LC_ALL=C
export PATH LC_ALL
umask 077
cd / || exit 1

out_dir=/var/tmp wait_s=10 capture=0 iface=any filter='' snap=0 max_mb=200 max_s=300
d_state_s=0 log_text='' probe_s=0 sysrq=1 ports='' only_clean=0

die() {
	echo "gather: $*" >&2
	exit 2
}

number() { # OPTION VALUE LEAST MOST
	case $2 in
	'' | *[!0-9]*) die "-$1 $2: it must be a number" ;;
	esac
	if [ "${#2}" -gt 9 ] || [ "$2" -lt "$3" ] || [ "$2" -gt "$4" ]; then
		die "-$1 $2: it must be from $3 to $4"
	fi
}

while getopts o:w:ci:f:n:m:t:d:l:k:qxh option; do
	case $option in
	o) out_dir=$OPTARG ;;
	w) number w "$OPTARG" 1 3600 && wait_s=$OPTARG ;;
	c) capture=1 ;;
	i) iface=$OPTARG ;;
	f) filter=$OPTARG ;;
	n) number n "$OPTARG" 0 262144 && snap=$OPTARG ;;
	m) number m "$OPTARG" 2 100000 && max_mb=$OPTARG ;;
	t) number t "$OPTARG" 1 604800 && max_s=$OPTARG ;;
	d) number d "$OPTARG" 1 604800 && d_state_s=$OPTARG ;;
	l) log_text=$OPTARG ;;
	k) number k "$OPTARG" 1 3600 && probe_s=$OPTARG ;;
	q) sysrq=0 ;;
	x) only_clean=1 ;;
	h) usage && exit 0 ;;
	*) usage >&2 && exit 2 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -eq 0 ] || die "$1: no such argument; -h tells"

# The file system that a path is on, by name alone: a stat of it might hang.
fstype_of() { # PATH
	best='' type=unknown
	while read -r _ point kind _; do
		case $1/ in
		"${point%/}"/*)
			if [ "${#point}" -ge "${#best}" ]; then
				best=$point type=$kind
			fi
			;;
		esac
	done </proc/mounts
	echo "$type"
}

case $out_dir in
/*) ;;
*) die "-o $out_dir: it must begin with /" ;;
esac
case $(fstype_of "$out_dir") in
nfs | nfs4 | cifs | smb3 | fuse*) die "$out_dir is on a network: give a local directory with -o" ;;
esac
if [ ! -d "$out_dir" ] || [ ! -w "$out_dir" ]; then
	die "$out_dir: no directory that can be written to"
fi

# Undoes what the run with PID $1, whose work is below $2, may have left: its tracing, its probes, its
# capture, its files. All are named after its PID. A text, so that the guard needs no file.
# shellcheck disable=SC2016 # its own $1 and $2
undo='
for tracing in /sys/kernel/tracing /sys/kernel/debug/tracing; do
	ours=$tracing/instances/nfsleuth_$1
	if [ -d "$ours" ]; then
		echo 0 >"$ours/tracing_on"
		echo 0 >"$ours/events/enable"
		rmdir "$ours"
	fi
	[ -r "$tracing/kprobe_events" ] || continue
	grep -o ":nfsleuth_$1/[^ ]*" "$tracing/kprobe_events" | while read -r probe; do
		echo "-$probe" >>"$tracing/kprobe_events"
	done
done
while read -r child; do
	case $(cat "/proc/$child/comm") in
	tcpdump | tar | gzip) kill "$child" ;;
	esac
done <"$2/.nfsleuth.$1/children"
rm -rf "$2/.nfsleuth.$1"
'

# What runs have left that were killed together with their guards: PIDs that live no more. Only what is
# our own user's: anybody can make a folder of such a name in /var/tmp, and name processes to be killed.
leftovers() {
	for left in "$out_dir"/.nfsleuth.* /sys/kernel/tracing/instances/nfsleuth_* \
		/sys/kernel/debug/tracing/instances/nfsleuth_*; do
		[ -d "$left" ] || continue
		pid=${left##*[._]}
		case $pid in
		'' | *[!0-9]*) continue ;;
		esac
		[ ! -e "/proc/$pid" ] || continue
		[ -n "$(find "$left" -prune -user "$(id -u)" 2>/dev/null)" ] || continue
		echo "gather: removing what a run that was killed left (PID $pid)" >&2
		sh -c "$undo" undo "$pid" "$out_dir" 2>/dev/null
	done
}
leftovers
[ "$only_clean" = 0 ] || exit 0

# Not df, which may look at other mounts.
free_mb=$(stat -f -c '%a %S' "$out_dir" 2>/dev/null | awk '{ print int($1 * $2 / 1048576) }')
need_mb=$((50 + capture * max_mb * 2))
if [ -n "$free_mb" ] && [ "$free_mb" -lt "$need_mb" ]; then
	die "$out_dir has $free_mb MB free, $need_mb are needed (-m, -o)"
fi

host=$(cat /proc/sys/kernel/hostname)
case $host in
'' | *[!A-Za-z0-9._-]*) host=host ;;
esac
name=nfsleuth-$host-$(date -u +%Y%m%dT%H%M%SZ)
work=$out_dir/.nfsleuth.$$
dir=$work/$name
trace_dir='' tracing='' guard_pid='' dump_pid=''

# Ends what was started and removes what was made, whatever ended us.
clean() {
	trap - EXIT INT TERM HUP
	[ -z "$dump_pid" ] || kill "$dump_pid" 2>/dev/null
	sh -c "$undo" undo $$ "$out_dir" 2>/dev/null
	[ -z "$guard_pid" ] || kill -9 "$guard_pid" 2>/dev/null
}

# Between the two a signal waits: what is made there must be known to clean() before it is heeded.
hold() {
	caught=0
	trap 'caught=1' INT TERM HUP
}

heed() {
	trap 'exit 1' INT TERM HUP
	[ "$caught" = 0 ] || exit 1
}

hold
mkdir "$work" "$dir" || die "$dir cannot be made"
trap clean EXIT
heed

# Nobody can catch SIGKILL: the guard, in a session of its own, cleans up when we are gone.
guard() {
	in_session=$(command -v setsid)
	# shellcheck disable=SC2086,SC2016 # a word or none; the text is for the other shell
	$in_session sh -c 'trap "" INT TERM HUP
		while kill -0 "$1"; do sleep 1; done
		'"$undo" guard $$ "$out_dir" </dev/null >/dev/null 2>&1 &
	guard_pid=$!
}
guard

say() {
	echo "gather: $*" >&2
}

uptime_s() {
	read -r up _ </proc/uptime
	up=${up%%.*}
}

# A shell runs no trap before the command in the foreground ends, and a signal that comes just before
# its `wait` begins is heeded only when that ends: so it sleeps a second at a time.
pause() { # SECONDS
	uptime_s
	until_s=$((up + $1))
	while [ "$up" -lt "$until_s" ]; do
		sleep 1
		uptime_s
	done
}

# Waits for a child that may take long, and is as it ends.
attend() { # PID
	echo "$1" >>"$work/children"
	while kill -0 "$1" 2>/dev/null; do
		sleep 0.2 2>/dev/null || sleep 1
	done
	wait "$1"
}

# Runs a command for at most 10 s; what it prints goes to the file. One that hangs is left behind: a
# process in state D cannot be killed, and waiting for it would hang us, too.
run() { # FILE COMMAND...
	file=$1
	shift
	command -v "$1" >/dev/null 2>&1 || return 0
	"$@" </dev/null >>"$dir/$file" 2>>"$dir/errors.txt" &
	pid=$! tries=0
	while kill -0 "$pid" 2>/dev/null && [ "$tries" -lt 100 ]; do
		sleep 0.1 2>/dev/null || sleep 1
		tries=$((tries + 1))
	done
	if kill -0 "$pid" 2>/dev/null; then
		kill -9 "$pid" 2>/dev/null
		echo "$* did not end in time" >>"$dir/errors.txt"
	fi
}

# Of files under /proc and /sys.
copy() { # FILE PATH...
	file=$1
	shift
	for path; do
		[ -r "$path" ] || continue
		[ $# -eq 1 ] || echo "== $path" >>"$dir/$file"
		run "$file" head -c 4194304 "$path"
	done
}

# A date and an uptime taken together tell when the host booted.
clock() { # FILE
	{
		cat /proc/version
		date -u +%Y-%m-%dT%H:%M:%S.%NZ | sed 's/%NZ/000Z/; s/\.NZ/Z/'
		cat /proc/uptime
		cat /proc/sys/kernel/hostname
	} >"$dir/$1"
}

# State and wait of a process, without a fork: "D", and its name.
state_of() { # /proc/PID/task/TID
	task_state='' task_name=''
	{ read -r line <"$1/stat"; } 2>/dev/null || return 1
	task_name=${line#*\(}
	rest=${task_name##*\) }
	task_name=${task_name%\) *}
	task_state=${rest%% *}
}

# Stacks of tasks in state D, and of the kernel's threads for NFS, with their status.
stacks() { # FILE
	date -u '+==== %Y-%m-%dT%H:%M:%SZ' >>"$dir/$1"
	count=0
	for task in /proc/[0-9]*/task/[0-9]*; do
		state_of "$task" || continue
		case $task_state:$task_name in
		D:* | *:nfsd | *:nfsv4* | *:lockd | *:*-ma* | *:kworker*rpciod* | *:kworker*nfsiod*) ;;
		*) continue ;;
		esac
		count=$((count + 1))
		[ "$count" -le 2000 ] || break
		{
			echo "--- ${task##*/} $task_name"
			grep -E '^(State|PPid|VmRSS|voluntary|nonvoluntary)' "$task/status"
			cat "$task/stack" 2>/dev/null || { cat "$task/wchan" && echo; }
			cat "$task/syscall" 2>/dev/null
		} >>"$dir/$1" 2>>"$dir/errors.txt"
	done
}

# Writing rpc_debug makes the kernel list its RPC tasks in its log: what is written is what was there.
rpc_tasks() {
	flags=/proc/sys/sunrpc/rpc_debug
	[ -w "$flags" ] || return 0
	value=$(cat "$flags")
	{ echo "${value:-0}" >"$flags"; } 2>>"$dir/errors.txt"
}

blocked_tasks() {
	[ "$sysrq" = 1 ] || return 0
	[ -w /proc/sysrq-trigger ] || return 0
	{ echo w >/proc/sysrq-trigger; } 2>>"$dir/errors.txt"
}

log_size() {
	dmesg 2>/dev/null | wc -l
}

reading() { # NUMBER
	clock "clock-$1.txt"
	copy "mountstats-$1.txt" /proc/self/mountstats
	copy "nfsd-$1.txt" /proc/net/rpc/nfsd /proc/fs/nfsd/pool_stats
	copy "rpc-nfs-$1.txt" /proc/net/rpc/nfs
	copy "netstat-$1.txt" /proc/net/netstat /proc/net/snmp
	copy "softnet-$1.txt" /proc/net/softnet_stat
	stacks "proc-stacks-$1.txt"
	run "ss-$1.txt" ss -tanoi
	copy "locks-$1.txt" /proc/locks
	[ -s "$dir/ss-$1.txt" ] || run "netstat-tn-$1.txt" netstat -tano
	run "nft-$1.txt" nft list ruleset
	run "iptables-$1.txt" iptables-save -c
}

once() {
	copy mounts.txt /proc/self/mountinfo
	copy uname.txt /proc/version
	copy cmdline.txt /proc/cmdline
	copy meminfo.txt /proc/meminfo /proc/vmstat /proc/pressure/io /proc/pressure/memory
	copy modules.txt /proc/modules
	copy sunrpc.txt /proc/sys/sunrpc/tcp_slot_table_entries \
		/proc/sys/sunrpc/tcp_max_slot_table_entries /proc/sys/sunrpc/rpc_debug \
		/proc/sys/fs/nfs/nlm_timeout /proc/sys/fs/nfs/nlm_tcpport /proc/sys/fs/nfs/nlm_udpport \
		/sys/module/nfs/parameters/* /sys/module/lockd/parameters/* /sys/module/sunrpc/parameters/*
	copy nfsfs.txt /proc/fs/nfsfs/servers /proc/fs/nfsfs/volumes
	copy rpc-clients.txt /sys/kernel/debug/sunrpc/rpc_clnt/*/tasks /sys/kernel/debug/sunrpc/rpc_xprt/*/info
	copy conntrack.txt /proc/net/nf_conntrack
	run conntrack-stats.txt conntrack -S
	[ -s "$dir/conntrack.txt" ] || run conntrack.txt conntrack -L
	run rpcinfo.txt rpcinfo -p 127.0.0.1
	run ip.txt ip -s link
	run ip.txt ip address
	run ip.txt ip neigh
	run ip.txt ip route
	# of a server
	copy nfsd-clients.txt /proc/fs/nfsd/clients/*/info /proc/fs/nfsd/clients/*/states
	copy nfsd-settings.txt /proc/fs/nfsd/threads /proc/fs/nfsd/versions /proc/fs/nfsd/nfsv4leasetime \
		/proc/fs/nfsd/nfsv4gracetime
	copy exports.txt /proc/fs/nfsd/exports
}

# Ports of lockd and statd on this host, so that the capture has them.
more_ports() {
	[ -s "$dir/rpcinfo.txt" ] || return 0
	awk '$5 == "nlockmgr" || $5 == "status" || $5 == "mountd" { print $4 }' "$dir/rpcinfo.txt" | sort -un | head -12
}

# The other sides: servers of what is mounted, clients that a server here knows. Their lockd and statd
# are at ports that only they can tell.
peers() {
	{
		grep -E '^[^ ]+ [^ ]+ nfs4? ' /proc/mounts | tr ', ' '\n\n' | sed -n 's/^addr=//p'
		awk '$1 == "nfsd" { print $2 }' /proc/net/rpc/auth.unix.ip/content 2>/dev/null
	} | grep -E '^[0-9a-fA-F.:]+$' | sort -u | head -40
}

# True once some task has been in state D for d_state_s: the one that was is looked at again.
d_state_lasts() {
	[ "$d_state_s" -gt 0 ] || return 1
	uptime_s
	now=$up waiting=' '
	for task in /proc/[0-9]*/task/[0-9]*; do
		state_of "$task" || continue
		[ "$task_state" = D ] || continue
		# The same wait goes on while it was not scheduled.
		switches=$(awk '/^voluntary/ { print $2 }' "$task/status" 2>/dev/null)
		key=${task##*/}:$switches
		since=${d_since##* "$key"=}
		[ "$since" = "$d_since" ] && since=$now || since=${since%% *}
		[ $((now - since)) -ge "$d_state_s" ] && return 0
		waiting="$waiting $key=$since"
	done
	d_since=$waiting
	return 1
}

log_tells() {
	[ -n "$log_text" ] || return 1
	dmesg 2>/dev/null | tail -n "+$((log_lines + 1))" | grep -qF -- "$log_text"
}

traffic() {
	command -v tcpdump >/dev/null 2>&1 || {
		say "no tcpdump here: no capture"
		return 0
	}
	for port in $(more_ports); do
		ports="$ports or port $port"
	done
	for peer in $(peers); do
		ports="$ports or (host $peer and not port 22)"
	done
	[ -n "$filter" ] || filter="port 2049 or port 111 or port 20048$ports or icmp or icmp6 or arp"
	file_mb=$((max_mb / 10))
	[ "$file_mb" -ge 1 ] || file_mb=1
	d_since=' ' log_lines=$(log_size)
	# Where tcpdump gives up its rights it cannot write here: -Z root, where it knows that.
	for rights in '-Z root' ''; do
		hold
		# shellcheck disable=SC2086 # two words, or none
		tcpdump $rights -i "$iface" -n -s "$snap" -B 16384 -C "$file_mb" -W $((max_mb / file_mb)) \
			-w "$dir/traffic.pcap" "$filter" </dev/null >"$dir/tcpdump.txt" 2>&1 &
		dump_pid=$!
		echo "$dump_pid" >>"$work/children"
		heed
		sleep 1
		kill -0 "$dump_pid" 2>/dev/null && break
		dump_pid=''
	done
	[ -n "$dump_pid" ] || {
		say "tcpdump does not run: $(tail -n 1 "$dir/tcpdump.txt")"
		return 0
	}
	say "capturing for up to $max_s s; to end it before: kill -INT $$, or Ctrl-C"
	interrupted=0
	trap 'interrupted=1' INT
	uptime_s
	begun=$up reason="time is over"
	while kill -0 "$dump_pid" 2>/dev/null; do
		sleep 1
		if [ "$interrupted" = 1 ]; then
			reason="interrupted"
			break
		fi
		uptime_s
		[ $((up - begun)) -lt "$max_s" ] || break
		if d_state_lasts; then
			reason="a task was in state D for $d_state_s s"
		elif log_tells; then
			reason="the log has it: $log_text"
		else
			continue
		fi
		stacks proc-stacks-event.txt
		clock clock-event.txt
		sleep 5
		break
	done
	trap 'exit 1' INT
	say "the capture ends: $reason"
	echo "$reason" >"$dir/capture-ended.txt"
	kill -INT "$dump_pid" 2>/dev/null
	sleep 1
	kill -9 "$dump_pid" 2>/dev/null
	dump_pid=''
}

# Functions of the session table, slots and recovery; of the server's clients. Those of them that this
# kernel has: it refuses the others. Who calls those of the second list is asked for, too.
probe_names='nfs4_setup_session_slot_tables nfs4_update_max_slots nfs41_set_target_slotid
nfs4_slot_tbl_drain_complete nfs4_schedule_session_recovery nfs4_schedule_lease_recovery
nfs4_schedule_state_manager nfs4_reset_session nfs4_reclaim_lease nfs4_handle_reclaim_lease_error'
probe_stacks='unhash_client_locked expire_client nfsd4_destroy_session'
trace_events='nfs4/nfs4_sequence_done nfs4/nfs4_cb_sequence nfs4/nfs4_state_mgr
nfs4/nfs4_state_mgr_failed nfs4/nfs4_exchange_id nfs4/nfs4_create_session nfs4/nfs4_destroy_session
nfs4/nfs4_bind_conn_to_session nfs4/nfs4_setup_sequence nfs4/nfs4_trunked_exchange_id
nfs4/nfs4_setclientid nfs4/nfs4_setclientid_confirm nfs4/nfs4_renew_async nfs4/nfs4_reclaim_complete
sunrpc/xprt_reserve_cong nfsd/nfsd_clid_* nfsd/nfsd_grace_*'

probe() { # NAME [stacktrace]
	{ echo "p:nfsleuth_$$/$1 $1" >>"$tracing/kprobe_events"; } 2>/dev/null || return 0
	[ -z "${2:-}" ] || echo "$2" >"$trace_dir/events/nfsleuth_$$/$1/trigger" 2>>"$dir/errors.txt"
	echo 1 >"$trace_dir/events/nfsleuth_$$/$1/enable" 2>>"$dir/errors.txt"
}

probes_run() {
	for tracing in /sys/kernel/tracing /sys/kernel/debug/tracing; do
		[ -w "$tracing/instances" ] && break
		tracing=''
	done
	[ -n "$tracing" ] || {
		say "no tracing here: no probes"
		return 0
	}
	trace_dir=$tracing/instances/nfsleuth_$$
	mkdir "$trace_dir" 2>>"$dir/errors.txt" || {
		say "$trace_dir cannot be made: no probes"
		return 0
	}
	echo mono >"$trace_dir/trace_clock" 2>>"$dir/errors.txt"
	for name_of in $probe_names; do
		probe "$name_of"
	done
	for name_of in $probe_stacks; do
		probe "$name_of" stacktrace
	done
	for event in $trace_events; do
		for switch in "$trace_dir"/events/$event/enable; do
			[ -w "$switch" ] || continue
			echo 1 >"$switch" 2>>"$dir/errors.txt"
		done
	done
	clock clock-trace.txt
	say "tracing for $probe_s s"
	pause "$probe_s"
	echo 0 >"$trace_dir/tracing_on"
	run trace.txt head -c 33554432 "$trace_dir/trace"
	echo 0 >"$trace_dir/events/enable" 2>>"$dir/errors.txt"
}

# What only root may see; it is said in the tar, too, so that nobody takes its absence for an answer.
not_root() {
	[ "$(id -u)" != 0 ] || return 0
	missing="stacks of tasks, the list of blocked and RPC tasks, packet filter"
	dmesg >/dev/null 2>&1 || missing="$missing, kernel log"
	[ "$capture" = 0 ] || missing="$missing, capture"
	[ "$probe_s" = 0 ] || missing="$missing, trace"
	say "not run as root, so these are missing: $missing"
	echo "not run as root; missing: $missing" >"$dir/not-root.txt"
}

not_root
say "the first reading"
once
reading 1
blocked_tasks
rpc_tasks
[ "$capture" = 0 ] || traffic
[ "$probe_s" = 0 ] || probes_run
pause "$wait_s"
say "the second reading"
reading 2
blocked_tasks
rpc_tasks
run dmesg.txt dmesg
clock clock-end.txt

# Empty files say nothing.
find "$dir" -type f -size 0 -exec rm -f {} +
tar_file=$name.tar
if command -v gzip >/dev/null 2>&1; then
	tar_file=$tar_file.gz
	tar -C "$work" -cf - "$name" | gzip -1 >"$work/$tar_file" &
else
	tar -C "$work" -cf "$work/$tar_file" "$name" &
fi
attend $! || die "the tar cannot be written to $out_dir"
mv "$work/$tar_file" "$out_dir/$tar_file" || die "$out_dir/$tar_file cannot be written"
say "done; copy it, and ask: nfsleuth diagnose $tar_file"
echo "$out_dir/$tar_file"
