// SPDX-License-Identifier: GPL-2.0-or-later
/* What messages of a kernel log mean, and which mean nothing to us. */
#include "check.h"
#include "ingest/log/log_facts.h"

#include <stdio.h>

static bool is(struct slice got, const char *want)
{
	return slice_equal(got, slice_of_string(want));
}

static const struct {
	const char *text;
	enum log_fact_kind kind;
	const char *program, *server, *subject;
	int64_t number;
	bool gave_up;
} fact_rows[] = {
	{"lockd: server 192.0.2.10 not responding, still trying", LOG_NOT_RESPONDING, "lockd",
	 "192.0.2.10", "", 0, false},
	{"nfs: server nas-1 not responding, timed out", LOG_NOT_RESPONDING, "nfs", "nas-1", "", 0,
	 true},
	{"nfs4 cb: server 2001:db8::1 not responding, timed out", LOG_NOT_RESPONDING, "nfs4 cb",
	 "2001:db8::1", "", 0, true},
	{"lockd: server 192.0.2.10 not responding,", LOG_NOT_RESPONDING, "lockd", "192.0.2.10", "",
	 0, false},
	{"rpcbind: server localhost not responding, timed out", LOG_NOT_RESPONDING, "rpcbind",
	 "localhost", "", 0, true},
	{"lockd: server 192.0.2.10 OK", LOG_RESPONDING, "lockd", "192.0.2.10", "", 0, false},
	{"lockd: server 192.0.2.10 0K", LOG_RESPONDING, "lockd", "192.0.2.10", "", 0, false},
	{"NFS: 192.0.2.10: lost 3 locks", LOG_LOCKS_LOST, "", "192.0.2.10", "", 3, false},
	{"NFS: __nfs4_reclaim_open_state: Lock reclaim failed!", LOG_LOCKS_LOST, "", "",
	 "__nfs4_reclaim_open_state", 0, false},
	{"NFS: nfs4_reclaim_open_state: Lock reclaim failed!", LOG_LOCKS_LOST, "", "",
	 "nfs4_reclaim_open_state", 0, false},
	{"NFS: state manager: lease expired failed on NFSv4 server nas with error 1",
	 LOG_RECOVERY_FAILED, "", "nas", "lease expired", 1, false},
	{"Error: state manager failed on NFSv4 server nas with error -5", LOG_RECOVERY_FAILED, "",
	 "nas", "", -5, false},
	{"NFSv4: state recovery failed for open file a b/c, error = -116", LOG_OPEN_UNRECOVERED, "",
	 "", "a b/c", -116, false},
	{"NFS: Server nas reports our clientid is in use", LOG_CLIENTID_IN_USE, "", "nas", "", 0,
	 false},
	{"NFSD: client 192.0.2.21 testing state ID with incorrect client ID", LOG_CLIENTID_MISMATCH,
	 "", "192.0.2.21", "", 0, false},
	{"lockd: cannot monitor nas", LOG_MONITOR_FAILED, "", "nas", "", 0, false},
	{"NFSD: starting 90-second grace period (net f0000000)", LOG_GRACE_STARTED, "", "", "", 90,
	 false},
	{"NFSD: all clients done reclaiming, ending NFSv4 grace period (net f0000000)",
	 LOG_GRACE_ENDED, "", "", "", 0, false},
	{"NFSD: no clients to reclaim, skipping NFSv4 grace period (net f0000000)",
	 LOG_GRACE_SKIPPED, "", "", "", 0, false},
	{"Key type id_resolver registered", LOG_NFS4_LOADED, "", "", "", 0, false},
	{"FS-Cache: Netfs 'nfs' registered for caching", LOG_NFS_LOADED, "", "", "", 0, false},
	{"INFO: task a:b:312 blocked for more than 120 seconds.", LOG_HUNG_TASK, "", "", "a:b", 312,
	 false},
	{"INFO: task dd:456 blocked in I/O wait for more than 122 seconds.", LOG_HUNG_TASK, "", "",
	 "dd", 456, false},
	{"newnfs server 192.0.2.10:/export: not responding", LOG_NOT_RESPONDING, "nfs client",
	 "192.0.2.10", "", 0, false},
	{"nfs server nas-1:/vol/home: is alive again", LOG_RESPONDING, "nfs client", "nas-1", "", 0,
	 false},
	{"NFS server nas-1 not responding still trying", LOG_NOT_RESPONDING, "nfs client", "nas-1",
	 "", 0, false},
	{"NFS server nas-1 ok", LOG_RESPONDING, "nfs client", "nas-1", "", 0, false},
	{"RPC: AUTH_GSS upcall timed out.", LOG_GSS_UPCALL, "", "", "", 0, false},
	{"RPC: AUTH_GSS upcall failed. Please check user daemon is running.", LOG_GSS_UPCALL, "",
	 "", "", 0, false},
	{"NFS: directory a b/c contains a readdir loop.Please contact your server vendor.  The "
	 "file: x has duplicate cookie 7",
	 LOG_READDIR_LOOP, "", "", "a b/c", 0, false},
	{"lockd: failed to reclaim lock for pid 1234 (errno -37, status 4)", LOG_LOCK_UNRECLAIMED,
	 "", "", "4", -37, false},
	{"lockd: unexpected unlock status: 2", LOG_UNLOCK_REFUSED, "", "", "", 2, false},
	{"nlmclnt_lock: VFS is out of sync with lock manager!", LOG_LOCK_OUT_OF_STEP, "", "", "", 0,
	 false},
	{"NFS: server nas error: fileid changed", LOG_FILEID_CHANGED, "", "nas", "", 0, false},
	{"RPC: fragment too large: 0x4e464c00", LOG_FRAGMENT_REFUSED, "", "", "", 0, false},
	{"svc: svc_tcp_read_marker nfsd RPC fragment too large: 1195725856", LOG_FRAGMENT_REFUSED,
	 "", "", "", 0, false},
	{"svc: nfsd oversized RPC fragment (1064958 octets) from 192.0.2.21:45866",
	 LOG_FRAGMENT_REFUSED, "", "", "nfsd", 1064958, false},
	{"NFSD: Unable to initialize client recovery tracking! (-110)", LOG_TRACKING_FAILED, "", "",
	 "", -110, false},
	{"watchdog: BUG: soft lockup - CPU#3 stuck for 22s! [kworker/3:1:1234]", LOG_SOFT_LOCKUP,
	 "", "", "kworker/3:1", 1234, false},
	{"PM: suspend exit", LOG_AWAKE, "", "", "", 0, false},
	{"PM: hibernation: hibernation exit", LOG_AWAKE, "", "", "", 0, false},
	{"ACPI: PM: Waking up from system sleep state S3", LOG_AWAKE, "", "", "", 0, false},
	{"Out of memory: Killed process 77 (ls) total-vm:1kB", LOG_OUT_OF_MEMORY, "", "", "", 77,
	 false},
};

TEST(messages_tell_facts)
{
	for (size_t i = 0; i < sizeof(fact_rows) / sizeof(fact_rows[0]); i++) {
		struct log_fact f;

		if (!CHECK(log_fact_parse(slice_of_string(fact_rows[i].text), true, &f))) {
			printf("# %s\n", fact_rows[i].text);
			continue;
		}
		CHECK_EQ_U64(f.kind, fact_rows[i].kind);
		CHECK(is(f.program, fact_rows[i].program));
		CHECK(is(f.server, fact_rows[i].server));
		if (!CHECK(is(f.subject, fact_rows[i].subject)))
			printf("# %s: %.*s\n", fact_rows[i].text, (int)f.subject.len,
			       (const char *)f.subject.ptr);
		CHECK_EQ_I64(f.number, fact_rows[i].number);
		CHECK(f.gave_up == fact_rows[i].gave_up);
	}
}

TEST(links_go_and_come_in_many_words)
{
	static const struct {
		const char *text;
		const char *name; /* NULL: no fact */
		enum log_fact_kind kind;
	} rows[] = {
		{"e1000e: eth0 NIC Link is Down", "eth0", LOG_LINK_DOWN},
		{"e1000e 0000:00:19.0 eno1: NIC Link is Up 1000 Mbps Full Duplex", "eno1",
		 LOG_LINK_UP},
		{"igb 0000:01:00.0 eth0: igb: eth0 NIC Link is Down", "eth0", LOG_LINK_DOWN},
		{"ixgbe 0000:03:00.0 ens3f0: NIC Link is Down", "ens3f0", LOG_LINK_DOWN},
		{"tg3 0000:02:00.0 eth1: Link is down", "eth1", LOG_LINK_DOWN},
		{"r8169 0000:02:00.0: eth1: link down", "eth1", LOG_LINK_DOWN},
		{"mlx5_core 0000:3b:00.0 ens2f0np0: Link down", "ens2f0np0", LOG_LINK_DOWN},
		{"mlx4_en: eth2: Link Up", "eth2", LOG_LINK_UP},
		{"IPv6: ADDRCONF(NETDEV_UP): eth0: link is not ready", "eth0", LOG_LINK_DOWN},
		{"IPv6: ADDRCONF(NETDEV_CHANGE): eth0: link becomes ready", "eth0", LOG_LINK_UP},
		{"bonding: bond0: link status definitely down for interface eth0, disabling it",
		 "eth0", LOG_LINK_DOWN},
		{"bond0: (slave eth1): link status definitely up, 10000 Mbps full duplex", "eth1",
		 LOG_LINK_UP},
		{"bond0: now running without any active interface!", "bond0", LOG_LINK_DOWN},
		{"bonding: bond0: first active interface up!", "bond0", LOG_LINK_UP},
		{"bond0: active interface up!", "bond0", LOG_LINK_UP},
		{"eth0: Lost carrier", "eth0", LOG_LINK_DOWN},
		{"eth0: carrier lost", "eth0", LOG_LINK_DOWN},
		{"device (eth0): link disconnected", "eth0", LOG_LINK_DOWN},
		{"ata1: SATA link down (SStatus 0 SControl 300)", NULL, LOG_LINK_DOWN},
		{"pcieport 0000:00:1c.0: pciehp: Slot(0): Link Down", NULL, LOG_LINK_DOWN},
		{"lpfc 0000:05:00.0: 0:1305 Link Down Event x2 received", NULL, LOG_LINK_DOWN},
		{"ACPI: PCI Interrupt Link [LNKA] enabled at IRQ 10", NULL, LOG_LINK_DOWN},
		{"audit: initializing netlink subsys (disabled)", NULL, LOG_LINK_DOWN},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct log_fact f;
		bool told = log_fact_parse(slice_of_string(rows[i].text), true, &f);

		if (!CHECK(told == (rows[i].name != NULL)))
			printf("# %s\n", rows[i].text);
		if (!told || !rows[i].name)
			continue;
		CHECK_EQ_U64(f.kind, rows[i].kind);
		if (!CHECK(is(f.subject, rows[i].name)))
			printf("# %s: %.*s\n", rows[i].text, (int)f.subject.len,
			       (const char *)f.subject.ptr);
	}
}

TEST(twin_other_messages_tell_nothing)
{
	static const char *const texts[] = {
		"",
		"lockd: server",
		"lockd: server OK",
		"lockd: server 192.0.2.10 OK then what",
		"nfs: Deprecated parameter 'intr'",
		"NFS: Registering the id_resolver key type",
		"FS-Cache: Netfs 'cifs' registered for caching",
		"NFS: 192.0.2.10: lost all locks",
		"nfs server nas-1:/vol: is alive again and more",
		"nfs: server nas-1 is alive again",
		("INFO: task a:1 <writer> blocked on an rw-semaphore likely owned by task b:2 "
		 "<reader>"),
		"\xe6\x89\x93\xe5\x8d\xb0lockd: server x not responding, still trying",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct log_fact f;

		if (!CHECK(!log_fact_parse(slice_of_string(texts[i]), true, &f)))
			printf("# %s\n", texts[i]);
	}
}

TEST(other_programs_are_asked_of_links_only)
{
	struct log_fact f;

	CHECK(!log_fact_parse(slice_of_string("lockd: server x OK"), false, &f));
	CHECK(log_fact_parse(slice_of_string("eth0: Lost carrier"), false, &f));
}

TEST(addresses_and_names)
{
	struct endpoint e;

	CHECK(log_address_parse(slice_of_string("192.0.2.10"), &e) && endpoint_is_ipv4(&e));
	CHECK(log_address_parse(slice_of_string("2001:db8::1"), &e) && !endpoint_is_ipv4(&e));
	CHECK(log_address_parse(slice_of_string("[fe80::1%eth0]"), &e));
	CHECK(!log_address_parse(slice_of_string("nas-1"), &e));
	CHECK(!log_address_parse(slice_of_string(""), &e));
}

/* In the middle of others, at both ends, and cut: one byte less is none. */
TEST(every_gate_is_found_by_its_words)
{
	for (unsigned i = 0; i < LOG_GATE_COUNT; i++) {
		const char *words = log_gate_text(i);
		char text[64];
		size_t len = strlen(words);

		CHECK(log_gates_find(slice_of_string(words)) >> i & 1);
		snprintf(text, sizeof(text), "kxvg %s kgf", words);
		CHECK(log_gates_find(slice_of_string(text)) >> i & 1);
		CHECK(!(log_gates_find(slice_make(words, len - 1)) >> i & 1));
		CHECK(!(log_gates_find(slice_make(words + 1, len - 1)) >> i & 1));
	}
	CHECK_EQ_U64(log_gates_find(slice_of_string("")), 0);
}

TEST(a_stack_tells_where_a_task_waits)
{
	struct log_fact f = {
		.detail = slice_of_string("      Not tainted 5.10.0 #1\n"
					  "task:touch state:D stack:    0 pid:  312 ppid:   300\n"
					  "Call Trace:\n"
					  " __schedule+0x282/0x870\n"
					  " schedule+0x46/0xb0\n"
					  " rwsem_down_write_slowpath+0x257/0x4d0\n"
					  " ? apparmor_file_permission+0x69/0x160\n"
					  " path_openat+0x3a1/0x11c0\n"
					  " do_filp_open+0x99/0x110\n")};
	struct log_fact old = {.detail = slice_of_string(
				       " [<ffffffff8168c169>] schedule+0x29/0x70\n"
				       " [<ffffffffa05a21b8>] rpc_wait_bit_killable+0x24/0xb0 "
				       "[sunrpc]\n"
				       " [<ffffffffa05a3af4>] nfs_updatepage+0x14/0xb0 [nfs]\n")};

	log_stack_parse(&f);
	CHECK(is(f.where, "path_openat"));
	CHECK(is(f.waits_in, "rwsem_down_write_slowpath"));
	CHECK(is(f.nfs_function, ""));
	log_stack_parse(&old);
	CHECK(is(old.where, "nfs_updatepage"));
	CHECK(is(old.nfs_function, "nfs_updatepage"));
	CHECK(log_stack_goes_on(slice_of_string(" schedule+0x46/0xb0")));
	CHECK(log_stack_goes_on(slice_of_string("touch           D    0   312    300 0x00000000")));
	CHECK(!log_stack_goes_on(
		slice_of_string("INFO: task b:1 blocked for more than 120 seconds.")));
	CHECK(!log_stack_goes_on(slice_of_string("nfs: server x OK")));
}

TEST(packets_that_a_filter_logs)
{
	static const struct {
		const char *text, *prefix, *src, *dst;
		uint16_t sport, dport;
		uint8_t protocol, flags;
		enum filter_hook hook;
		enum log_fate fate;
	} rows[] = {
		{"[UFW BLOCK] IN=eth0 OUT= MAC=52:54:00:12 SRC=192.0.2.21 DST=192.0.2.10 LEN=60 "
		 "TOS=0x00 PREC=0x00 TTL=64 ID=1 DF PROTO=TCP SPT=801 DPT=2049 WINDOW=64240 "
		 "RES=0x00 SYN URGP=0",
		 "UFW BLOCK", "192.0.2.21", "192.0.2.10", 801, 2049, 6, 2, FILTER_HOOK_INPUT,
		 LOG_FATE_DROPPED},
		{"filter_FWD_lan_REJECT: IN=eth0 OUT=eth1 MAC= SRC=2001:db8::21 DST=2001:db8::10 "
		 "LEN=80 TC=0 HOPLIMIT=63 FLOWLBL=0 PROTO=UDP SPT=902 DPT=111 LEN=40",
		 "filter_FWD_lan_REJECT", "2001:db8::21", "2001:db8::10", 902, 111, 17, 0,
		 FILTER_HOOK_FORWARD, LOG_FATE_REJECTED},
		{"IN= OUT=eth0 SRC=192.0.2.21 DST=192.0.2.10 LEN=52 PROTO=TCP SPT=801 DPT=2049 "
		 "WINDOW=1 RES=0x00 ACK PSH URGP=0 ",
		 "", "192.0.2.21", "192.0.2.10", 801, 2049, 6, 0x18, FILTER_HOOK_OUTPUT,
		 LOG_FATE_UNTOLD},
		{"allow-nfs IN=eth0 OUT= SRC=192.0.2.21 DST=192.0.2.10 PROTO=TCP SPT=1 DPT=2049",
		 "allow-nfs", "192.0.2.21", "192.0.2.10", 1, 2049, 6, 0, FILTER_HOOK_INPUT,
		 LOG_FATE_PASSED},
		{"drop-or-accept: IN=eth0 OUT= SRC=192.0.2.21 DST=192.0.2.10 PROTO=TCP SPT=1 "
		 "DPT=99999 RST",
		 "drop-or-accept", "192.0.2.21", "192.0.2.10", 1, 0, 6, 4, FILTER_HOOK_INPUT,
		 LOG_FATE_UNTOLD},
		{"raindrop2: IN=eth0 OUT= SRC=192.0.2.9 DST=192.0.2.21 LEN=88 PROTO=ICMP TYPE=3 "
		 "CODE=1 [SRC=192.0.2.21 DST=192.0.2.10 PROTO=TCP SPT=801 DPT=2049 SYN ]",
		 "raindrop2", "192.0.2.9", "192.0.2.21", 0, 0, 0, 0, FILTER_HOOK_INPUT,
		 LOG_FATE_UNTOLD},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct endpoint src, dst;
		struct log_fact f;

		if (!CHECK(log_fact_parse(slice_of_string(rows[i].text), i & 1, &f)))
			continue;
		CHECK_EQ_U64(f.kind, LOG_PACKET);
		if (!CHECK(is(f.subject, rows[i].prefix)))
			printf("# %.*s\n", (int)f.subject.len, (const char *)f.subject.ptr);
		CHECK(log_address_parse(slice_of_string(rows[i].src), &src) &&
		      endpoint_same_host(&f.packet.src, &src));
		CHECK(log_address_parse(slice_of_string(rows[i].dst), &dst) &&
		      endpoint_same_host(&f.packet.dst, &dst));
		CHECK_EQ_U64(f.packet.src.port, rows[i].sport);
		CHECK_EQ_U64(f.packet.dst.port, rows[i].dport);
		CHECK_EQ_U64(f.packet.protocol, rows[i].protocol);
		CHECK_EQ_U64(f.packet.flags, rows[i].flags);
		CHECK_EQ_U64(f.packet.hook, rows[i].hook);
		CHECK_EQ_U64(f.packet.fate, rows[i].fate);
	}
}

TEST(what_is_no_logged_packet)
{
	static const char *const texts[] = {
		"IN=eth0 SRC=192.0.2.21 DST=192.0.2.10 PROTO=TCP SPT=801 DPT=2049",
		"IN=eth0 OUT= SRC=web-01 DST=192.0.2.10 PROTO=TCP",
		"SRC=192.0.2.21 DST=192.0.2.10",
		"IN=eth0 OUT= SRC= DST=",
		"IN=eth0 OUT= [SRC=192.0.2.21 DST=192.0.2.10",
	};
	struct log_fact f;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		CHECK(!log_fact_parse(slice_of_string(texts[i]), true, &f));
	CHECK(log_fact_parse(
		slice_of_string("nf_conntrack: nf_conntrack: table full, dropping packet"), true,
		&f));
	CHECK_EQ_U64(f.kind, LOG_CONNTRACK_FULL);
}
