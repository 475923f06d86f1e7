// SPDX-License-Identifier: GPL-2.0-or-later
/* See log_lines.h. */
#include "log_lines.h"

const char *const log_functions[] = {
	"rpc_wait_bit_killable",
	"__rpc_execute",
	"rpc_run_task",
	"nfs4_call_sync_sequence",
	"nfs4_do_reclaim",
	"nfs4_run_state_manager",
	"nfs4_state_manager",
	"nfs41_reset_session",
	"nfs4_proc_readdir",
	"nfs_readdir_xdr_to_array",
	"iterate_dir",
	"walk_component",
	"rwsem_down_write_slowpath",
	"rwsem_down_read_slowpath",
	"down_write",
	"do_unlinkat",
	"nlmclnt_lock",
	"nlmclnt_block",
	"svc_recv",
	"nfsd",
	"nfsd4_process_open2",
	"vfs_fsync_range",
	"nfs_file_fsync",
	"nfs_wait_on_request",
	"wait_on_page_bit",
	"nfs_getattr",
	"gss_cred_init",
	"gss_pipe_upcall",
	"nfs_idmap_id",
	"request_key",
	"nfs4_discover_server_trunking",
	"balance_dirty_pages",
	"__alloc_pages_slowpath",
	"schedule",
	"__schedule",
	"io_schedule",
	"nfs_commit_inode",
	"xprt_reserve",
	"rpc_wait_queue",
	"mutex_lock",
	"cv_wait_common",
	"",
};
const size_t log_function_count = sizeof(log_functions) / sizeof(log_functions[0]);

const struct log_block log_blocks[] = {
	{"nfs: server $S not responding, still trying", true},
	{"nfs: server $S not responding, timed out", true},
	{"nfs: server $S OK", true},
	{"lockd: server $S not responding, still trying\nlockd: server $S OK", true},
	{"NFS: $S: lost $N locks", true},
	{"NFS: $F: Lock reclaim failed!", true},
	{"NFS: state manager: $F failed on NFSv4 server $S with error $N", true},
	{"Error: state manager failed on NFSv4 server $S with error $N", true},
	{"NFSv4: state recovery failed for open file $T/$T, error = $N", true},
	{"NFS: Server $S reports our clientid is in use", true},
	{"NFSD: client $I testing state ID with incorrect client ID", true},
	{"NFSD: Unable to initialize client recovery tracking! ($N)", true},
	{"NFSD: starting $N-second grace period (net $X)\nNFSD: end of grace period", true},
	{"NFSD: no clients to reclaim, skipping NFSv4 grace period (net $X)", true},
	{"FS-Cache: Netfs 'nfs' registered for caching", true},
	{"NFS: Registering the id_resolver key type\nKey type id_resolver registered", true},
	{"lockd: cannot monitor $S", true},
	{"lockd: unexpected unlock status: $N", true},
	{"fcntl_setlk: VFS is out of sync with lock manager!", true},
	{"NFS: server $S error: fileid changed\nfsid 0:$N: expected fileid 0x$X, got 0x$X", true},
	{"RPC: fragment too large: $N", true},
	{"svc: nfsd oversized RPC fragment ($N octets) from $I", true},
	{"watchdog: BUG: soft lockup - CPU#$N stuck for $Ns! [$T:$N]", true},
	{"PM: suspend entry (deep)\nPM: suspend exit", true},
	{"Out of memory: Killed process $N ($T) total-vm:$NkB, anon-rss:$NkB", true},
	{"nf_conntrack: nf_conntrack: table full, dropping packet", true},
	{"Linux version 6.$N.0 (gcc) #1 SMP PREEMPT_DYNAMIC", true},
	{"systemd[1]: Hostname set to <$H>.", true},
	{"e1000e 0000:00:1f.6 eth$N: NIC Link is Down\ne1000e 0000:00:1f.6 eth$N: NIC Link is Up "
	 "1000 Mbps "
	 "Full Duplex, Flow Control: Rx/Tx",
	 true},
	{"IPv6: ADDRCONF(NETDEV_CHANGE): eth$N: link becomes ready", true},
	{"bond0: (slave eth$N): link status definitely down, disabling slave", true},
	{"DROPPED IN=eth$N OUT= MAC=00:00:00:00:00:00 SRC=$I DST=$I LEN=$N TOS=0x00 PREC=0x00 "
	 "TTL=64 ID=$N DF "
	 "PROTO=TCP SPT=$N DPT=2049 WINDOW=$N RES=0x00 ACK SYN URGP=0",
	 true},
	{"INFO: task $T:$N blocked for more than $N seconds.\n      Not tainted 6.$N.0 #1\n"
	 "\"echo 0 > /proc/sys/kernel/hung_task_timeout_secs\" disables this message.\n"
	 "task:$T             state:D stack:0     pid:$N   tgid:$N   ppid:$N    flags:0x00004002\n"
	 "Call Trace:\n <TASK>\n $F+0x1e/0xb0 [sunrpc]\n $F+0xd8/0x410 [sunrpc]\n ? $F+0x10/0x20\n"
	 " $F+0x52/0x90 [nfsv4]\n $F+0x33/0x60\n </TASK>",
	 true},
	{"INFO: task $T:$N <writer> blocked on an rw-semaphore likely owned by task $T:$N <reader>",
	 true},
	{"INFO: task $T:$N is blocked on a mutex likely owned by task $T:$N.", true},
	{"Showing all locks held in the system:\n$N locks held by $T/$N:\n"
	 " #0: $X (&type->i_mutex_dir_key#$N){++++}-{3:3}, at: $F+0x9f/0x1b0\n"
	 " #1: $X (sb_writers#$N){.+.+}-{0:0}, at: $F+0x24/0x50\n\n=====",
	 true},
	{"sysrq: Show Blocked State\ntask:$T state:D stack:0 pid:$N ppid:$N flags:0x4\nCall "
	 "Trace:\n"
	 " $F+0x1/0x2\n $F+0x1/0x2 [nfs]\n $F+0x1/0x2 [nfsd]",
	 true},
	{"-pid- flgs status -client- --rqstp- -timeout ---ops--\n"
	 "$N $N      $N $X $X    $N $X nfsv4 GETATTR a:call_status [sunrpc] q:xprt_pending\n"
	 "$N 0080      0 $X   (null)      0 $X nfsv3 WRITE a:call_reserveresult q:xprt_backlog",
	 true},
	{"RPC: $N call_timeout (major)\nRPC: rpcb_getport_async($S, 100021, 4, 6)\nRPC: $N "
	 "xprt_timer",
	 true},
	{"NFSD: laundromat service - starting\nnfsd: last server has exited, flushing export cache",
	 true},
	{"$N $T\nState:\tD (disk sleep)\nvoluntary_ctxt_switches:\t$N\n[<0>] $F+0x1e/0xb0 "
	 "[sunrpc]\n"
	 "[<0>] $F+0xd8/0x410 [sunrpc]\n[<0>] $F+0x1/0x2 [nfs]\n[<0>] $F+0x3/0x4",
	 false},
	{"/proc/$N/stack:[<0>] $F+0x1e/0xb0 [sunrpc]\n/proc/$N/stack:[<0>] $F+0x1e/0xb0", false},
	{"PID: $N      TASK: $X  CPU: 1    COMMAND: \"$T\"\n #0 [$X] __schedule at $X\n #1 [$X] "
	 "schedule at "
	 "$X\n #2 [$X] $F at $X [sunrpc]\n    $X: [$X:nfs_inode_cache] $X\n #3 [$X] $F at $X [nfs]",
	 false},
	{"crash> ps\n      PID    PPID  CPU       TASK        ST  %MEM      VSZ      RSS  COMM\n"
	 "      $N     $N   1  $X  UN   0.3     3400     2032  $T",
	 false},
	{"crash> struct inode.i_rwsem $X\n  i_rwsem = {\n    count = {\n      counter = $N\n    "
	 "},\n"
	 "    owner = {\n      counter = $X\n    },\n    wait_list = {\n      next = 0x$X,\n      "
	 "prev = 0x$X\n"
	 "    }\n  }",
	 false},
	{">>> prog.stack_trace($N)  # $T\n#0  __schedule (kernel/sched/core.c:$N:8)\n#1  $F "
	 "(net/sunrpc/sched.c:$N:2)\n#2  $F+0x2a3/0x6c0",
	 false},
	{"  PID STAT WCHAN COMMAND\n  $N D $F $T\n  $N Ds+ $F /usr/bin/$T", false},
	{"State  Recv-Q Send-Q Local Address:Port  Peer Address:Port Process\n"
	 "LISTEN $N 64 0.0.0.0:2049 0.0.0.0:*\nESTAB $N $N $A $A timer:(on,6.2sec,$N)\n"
	 "SYN-SENT 0 1 $A $A timer:(on,$Nsec,6)\nFIN-WAIT-2 0 0 $A $A",
	 false},
	{"ESTAB 0 $N $A $A\n\t cubic wscale:7,7 rto:$N rtt:0.058/0.022 lastsnd:$N lastrcv:$N "
	 "lastack:$N",
	 false},
	{"Active Internet connections (w/o servers)\nProto Recv-Q Send-Q Local Address Foreign "
	 "Address State\n"
	 "tcp 0 $N $A $A ESTABLISHED $N/$T on (6.14/$N/0)",
	 false},
	{"   program vers proto   port  service\n    100000    4   tcp    111  portmapper\n"
	 "    100021    $N   tcp  $N  nlockmgr\n    100003    4   tcp   2049  nfs",
	 false},
	{"Client rpc stats:\ncalls      retrans    authrefrsh\n$N       $N          $N\n"
	 "Server rpc stats:\ncalls      badcalls   badfmt     badauth    badclnt\n$N $N 0 $N 0",
	 false},
	{"net $N $N $N $N\nrpc $N $N $N 0 0\nrc 0 0 $N\nth 8 $N 0.000\nproc4 2 $N $N", false},
	{"Tcp: RtoAlgorithm ActiveOpens OutSegs RetransSegs InErrs\nTcp: 1 $N $N $N $N\n"
	 "TcpExt: ListenOverflows ListenDrops\nTcpExt: $N $N",
	 false},
	{"device $S:/data mounted on /mnt with fstype nfs4 statvers=1.1\n"
	 "\topts:\trw,vers=4.1,rsize=$N,wsize=$N,hard,proto=tcp,timeo=$N,retrans=2,sec=sys,"
	 "clientaddr=$I\n"
	 "\tage:\t$N\n\tbytes:\t$N $N $N $N $N $N $N $N\n\tRPC iostats version: 1.1  p/v: 100003/4 "
	 "(nfs)\n"
	 "\txprt:\ttcp $N 1 1 0 $N $N $N 0 $N 0 2 $N $N\n\tper-op statistics\n"
	 "\t        READ: $N $N $N $N $N $N $N $N\n\t     GETATTR: $N $N 0 $N $N $N $N $N",
	 false},
	{"$S:/data on /mnt type nfs4 (rw,relatime,vers=4.2,soft,timeo=$N,retrans=$N,addr=$I)",
	 false},
	{"$S:/data /mnt nfs rw,vers=3,hard,timeo=$N,mountaddr=$I,local_lock=none,addr=$I 0 0",
	 false},
	{"mount -t nfs -o vers=3,timeo=$N $S:/data /mnt", false},
	{"$N: POSIX  ADVISORY  WRITE $N fd:00:$N 0 EOF\n$N: -> POSIX  ADVISORY  READ $N fd:00:$N 0 "
	 "$N",
	 false},
	{"clientid: 0x$X\naddress: \"$A\"\nstatus: confirmed\nseconds from last renew: $N\n"
	 "name: \"Linux NFSv4.1 $H\"\nminor version: $N\ncallback state: UP\ncallback address: $A",
	 false},
	{"- 0x$X: { type: open, access: rw, deny: --, superblock: \"fd:00:$N\", filename: \"$T\", "
	 "owner: \"open "
	 "id:\\x00\" }\n- 0x$X: { type: deleg, access: r, superblock: \"fd:00:$N\", filename: "
	 "\"$T\" }",
	 false},
	{"Chain INPUT (policy ACCEPT $N packets, $N bytes)\n    pkts      bytes target     prot "
	 "opt in     out     "
	 "source               destination\n      $N     $NK DROP       tcp  --  *      *       $I "
	 "           "
	 "0.0.0.0/0            tcp dpt:2049 flags:0x12/0x12",
	 false},
	{"table inet filter {\n\tchain input {\n\t\ttype filter hook input priority filter; policy "
	 "accept;\n"
	 "\t\ttcp dport { 111, 2049 } tcp flags & (syn | ack) == syn counter packets $N bytes $N "
	 "drop\n\t}\n}",
	 false},
	{"# tracer: nop\n            $T-$N    [001] .....   $N.100000: svc_process: addr=$A "
	 "xid=0x$X service=nfsd "
	 "vers=4 proc=COMPOUND\n            $T-$N    [000] .....   $N.200000: nfs4_setclientid: "
	 "error=$N "
	 "(OK) dstaddr=$I\n            $T-$N    [001] .....   $N.300000: xprt_timer: "
	 "peer=[$I]:2049 "
	 "xid=0x$X status=-110",
	 false},
	{"$N  10:00:$N.123456 openat(AT_FDCWD, \"/mnt/$T\", O_RDONLY) = $N <0.0$N>\n"
	 "$N  10:00:$N.223456 getdents64($N, 0x55d /* $N entries */, 32768) = $N <$N.000123>\n"
	 "$N  10:00:$N.323456 fcntl($N, F_SETLK, {l_type=F_WRLCK}) = -1 EAGAIN (Resource "
	 "temporarily "
	 "unavailable) <0.000100>",
	 false},
	{"No.  Time        Source      Destination Protocol Length Info\n"
	 "$N    0.000000 $I $I TCP 74 $N → 2049 [SYN] Seq=0 Win=$N Len=0 MSS=1460 TSval=$N "
	 "TSecr=0\n"
	 "$N    0.000100 $I $I TCP 74 2049 → $N [SYN, ACK] Seq=0 Ack=1 Win=$N Len=0",
	 false},
	{"Sun Nov 22 01:26:$N UTC 2026\n 01:26:$N up $N days,  3:$N,  1 user,  load average: 0.00, "
	 "0.01, 0.05",
	 false},
	{"== hostname\n$H\n== uptime\n$N.$N $N.$N\n== date\n2026-11-22T01:26:00,123456789+00:00",
	 false},
};
const size_t log_block_count = sizeof(log_blocks) / sizeof(log_blocks[0]);
