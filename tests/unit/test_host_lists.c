// SPDX-License-Identifier: GPL-2.0-or-later
/* What hosts list of themselves: the readers, and the rules that speak from lists alone. */
#include "base/arena.h"
#include "check.h"
#include "diagnose/rules/host/host_clients.h"
#include "ingest/lists.h"
#include "ingest/log/log_facts.h"
#include "model/counters.h"
#include "model/host.h"
#include "model/logs.h"
#include "stage.h"

static const char ss_head[] =
	"State  Recv-Q Send-Q Local Address:Port  Peer Address:PortProcess   \n";

/* Hands a text to the model line by line, as this evidence. */
static void read_text(struct lists *l, uint32_t evidence, const char *text)
{
	uint64_t line = 0;

	for (const char *at = text; *at;) {
		size_t len = strcspn(at, "\n");

		lists_take_line(l, evidence, ++line, slice_make(at, len));
		at += len + (at[len] != '\0');
	}
}

/* The texts' records, each text a file of its own. */
static void host_read(struct host_model *m, const char *const *texts, uint32_t count)
{
	struct event_board board = {0};
	struct lists *l = lists_create();

	host_model_init(m);
	host_model_attach(m, &board);
	for (uint32_t i = 0; i < count; i++)
		read_text(l, i, texts[i]);
	lists_emit(l, &board);
	lists_destroy(l);
}

static const struct host_fact *fact_at(const struct host_model *m, size_t i)
{
	static const struct host_fact none;

	return i < m->records.len ? &(*(struct host_record **)vec_at(&m->records, i))->fact : &none;
}

/* How surely the rule speaks from these two texts, as 1 to 3 for possible to certain; 0: not. */
static int says(const struct rule *rule, const char *one, const char *two)
{
	const char *texts[] = {one, two};
	struct counters_model counters;
	struct logs_interval complaint = {.of.program = "lockd"};
	struct logs_interval *intervals[] = {&complaint};
	struct logs_model logs = {
		.intervals = {.items = (void *)intervals, .len = 1, .item_bytes = sizeof(void *)}};
	struct host_model hosts;
	struct stage st;
	int said = 0;

	stage_init(&st);
	evidence_list_add(&st.evidence, "app/other.txt", EVIDENCE_LISTS);
	evidence_list_at(&st.evidence, 0)->path = "app/one.txt";
	counters_model_init(&counters);
	host_read(&hosts, texts, 2);
	struct rule_input in = {.evidence = &st.evidence,
				.conns = &st.conns,
				.path = &st.path,
				.counters = &counters,
				.logs = &logs,
				.hosts = &hosts};
	rule->run(&in, &st.d);
	if (st.d.findings.len)
		said = 1 + (int)finding_at(&st.d.findings, 0)->confidence;
	CHECK(st.d.findings.len <= 1);
	host_model_deinit(&hosts);
	counters_model_deinit(&counters);
	stage_deinit(&st);
	return said;
}

static int says_of_row(const struct rule *rule, const char *row)
{
	struct strbuf text;
	int said;

	strbuf_init(&text);
	strbuf_add_format(&text, "%s%s\n", ss_head, row);
	said = says(rule, strbuf_text(&text), "");
	strbuf_deinit(&text);
	return said;
}

TEST(rows_of_ss_and_netstat)
{
	const char *const texts[] = {
		"$ ss -tanoi\nState Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\n"
		"ESTAB 0 400 [2001:db8::1]:801 [2001:db8::2]:2049 timer:(on,412ms,6)\n"
		"\t ts sack rto:13056 rtt:12.0587/0.04 minrtt:0.01 backoff:6 lastsnd:12644 "
		"lastrcv:26964 lastack:26965 "
		"unacked:1\n"
		"LISTEN 0 64 0.0.0.0:2049 0.0.0.0:*\n",
		"tcp        0      1 192.0.2.1:805           192.0.2.2:nfs           SYN_SENT    "
		"1/some thing        on (9.97/8/0)\n"
		"tcp6       0      0 ::1:805 ::1:2049 TIME_WAIT - timewait (9.97/0/0)\r\n"
		"udp        0      0 192.0.2.1:805           192.0.2.2:2049          ESTABLISHED\n"
		"tcp        0      0 client:805              server:2049             ESTABLISHED\n",
	};
	struct host_model m;
	const struct socket_fact *s;

	host_read(&m, texts, 2);
	CHECK_EQ_U64(m.records.len, 4);
	CHECK(fact_at(&m, 1)->kind == HOST_LISTENER && fact_at(&m, 1)->listener.room == 64);
	s = &fact_at(&m, 0)->socket;
	CHECK(s->state == SOCKET_ESTABLISHED && s->timer == SOCKET_TIMER_SEND && s->has_times);
	CHECK_EQ_U64(s->send_q, 400);
	CHECK_EQ_U64(s->repeats, 6);
	CHECK_EQ_U64(s->received_ms, 26964);
	CHECK_EQ_U64(s->rtt_us, 12058);
	CHECK_EQ_U64(s->peer.port, 2049);
	s = &fact_at(&m, 2)->socket;
	CHECK(s->state == SOCKET_SYN_SENT && s->timer == SOCKET_TIMER_SEND && !s->has_times);
	CHECK_EQ_U64(s->repeats, 8);
	CHECK_EQ_U64(s->peer.port, 2049);
	s = &fact_at(&m, 3)->socket;
	CHECK(s->state == SOCKET_TIME_WAIT && s->timer == SOCKET_TIMER_WAIT);
	CHECK(fact_at(&m, 0)->list != fact_at(&m, 2)->list);
	host_model_deinit(&m);
}

TEST(services_and_counts)
{
	const char *const texts[] = {
		"   program vers proto   port  service\n"
		"    100000    4   tcp    111  portmapper\n"
		"    100021    4   udp  54390  nlockmgr\n"
		"total 100021 4 tcp\n"
		"    100003    4   tcp   2049  nfs\n",
		"   program version netid     address                service    owner\n"
		"    100003    4    tcp6      ::.8.1                 nfs        superuser\n"
		"    100000    4    local     /run/rpcbind.sock      portmapper superuser\n",
		"Client rpc stats:\ncalls      retrans    authrefrsh\n533        7          533    "
		" \n\n"
		"Server rpc stats:\ncalls      badcalls   badfmt     badauth    badclnt\n"
		"900        3          1          2          0       \n",
		"net 0 0 0 0\nrpc 1131 5 1131\n",
		"rc 0 0 1131\nrpc 12 9 2 3 4\n",
	};
	struct host_model m;

	host_read(&m, texts, 5);
	CHECK_EQ_U64(m.records.len, 9);
	CHECK_EQ_U64(fact_at(&m, 0)->service.port, 111);
	CHECK(fact_at(&m, 1)->service.is_udp && fact_at(&m, 1)->service.program == 100021);
	CHECK_EQ_U64(fact_at(&m, 2)->service.port, 2049);
	CHECK_EQ_U64(fact_at(&m, 3)->service.port, 0);
	CHECK_EQ_U64(fact_at(&m, 4)->counts.retransmissions, 7);
	CHECK_EQ_U64(fact_at(&m, 5)->counts.bad_auth, 2);
	CHECK(fact_at(&m, 5)->counts.server);
	CHECK_EQ_U64(fact_at(&m, 6)->counts.retransmissions, 5);
	CHECK_EQ_U64(fact_at(&m, 8)->counts.bad_client, 4);
	host_model_deinit(&m);
}

TEST(syn_in_vain_is_possible_and_twins)
{
	const struct rule *rule = &rule_tcp_syn_listed;

	CHECK_EQ_I64(says_of_row(rule, "SYN-SENT 0 1 192.0.2.1:805 192.0.2.2:2049 "
				       "timer:(on,10sec,8)"),
		     1);
	CHECK_EQ_I64(says_of_row(rule, "SYN-SENT 0 1 192.0.2.1:805 192.0.2.2:2049"), 1);
	CHECK_EQ_I64(says_of_row(rule, "SYN-SENT 0 1 192.0.2.1:805 192.0.2.2:2049 "
				       "timer:(on,900ms,0)"),
		     0);
	CHECK_EQ_I64(says_of_row(rule, "SYN-SENT 0 1 192.0.2.1:805 192.0.2.2:443 "
				       "timer:(on,10sec,8)"),
		     0);
}

TEST(syn_ack_in_vain_from_one_end_and_from_both)
{
	static const char server[] = "SYN-RECV 0 0 192.0.2.2:2049 192.0.2.1:806 "
				     "timer:(on,9.920ms,12)\n";
	static const char client[] = "SYN-SENT 0 1 192.0.2.1:806 192.0.2.2:2049 "
				     "timer:(on,10sec,8)\n";

	CHECK_EQ_I64(says(&rule_tcp_synack_listed, server, ""), 1);
	CHECK_EQ_I64(says(&rule_tcp_synack_listed, server, client), 2);
	CHECK_EQ_I64(says(&rule_tcp_syn_listed, server, client), 0);
	CHECK_EQ_I64(says_of_row(&rule_tcp_synack_listed,
				 "SYN-RECV 0 0 192.0.2.2:2049 192.0.2.1:806 timer:(on,9ms,0)"),
		     0);
}

TEST(fin_in_vain_and_twins)
{
	const struct rule *rule = &rule_tcp_fin_listed;

	CHECK_EQ_I64(says_of_row(rule, "FIN-WAIT-1 0 1 192.0.2.1:801 192.0.2.2:2049 "
				       "timer:(on,1.360ms,6)"),
		     2);
	/* Data before it is not acknowledged either. */
	CHECK_EQ_I64(says_of_row(rule, "FIN-WAIT-1 0 401 192.0.2.1:801 192.0.2.2:2049 "
				       "timer:(on,1.360ms,6)"),
		     1);
	CHECK_EQ_I64(says_of_row(rule, "FIN-WAIT-1 0 1 192.0.2.1:801 192.0.2.2:2049 "
				       "timer:(on,200ms,1)"),
		     0);
	/* The server's, for a client that is gone. */
	CHECK_EQ_I64(says_of_row(rule, "FIN-WAIT-1 0 1 192.0.2.2:2049 192.0.2.1:801 "
				       "timer:(on,1.360ms,6)"),
		     0);
}

TEST(half_closed_and_twins)
{
	const struct rule *rule = &rule_tcp_half_closed_listed;
	static const char row[] = "FIN-WAIT-2 0 0 192.0.2.1:801 192.0.2.2:2049\n";

	CHECK_EQ_I64(says(rule, row, row), 2);
	CHECK_EQ_I64(says_of_row(rule, row), 0);
	CHECK_EQ_I64(says_of_row(rule, "FIN-WAIT-2 0 0 192.0.2.1:801 192.0.2.2:2049\n"
				       "\t ts lastsnd:25548 lastrcv:25588 lastack:24976"),
		     2);
	CHECK_EQ_I64(says_of_row(rule, "FIN-WAIT-2 0 0 192.0.2.1:801 192.0.2.2:2049\n"
				       "\t ts lastsnd:48 lastrcv:25588 lastack:76"),
		     0);
	CHECK_EQ_I64(says_of_row(rule, "FIN-WAIT-2 0 0 192.0.2.1:801 192.0.2.2:2049 "
				       "timer:(timewait,41sec,0)"),
		     0);
	CHECK_EQ_I64(says_of_row(rule, "CLOSE-WAIT 101 0 192.0.2.2:2049 192.0.2.1:801\n"
				       "\t ts lastsnd:25548 lastrcv:25588 lastack:24976"),
		     2);
}

TEST(silent_path_and_twins)
{
	const struct rule *rule = &rule_tcp_path_silent_listed;

	CHECK_EQ_I64(says_of_row(rule,
				 "ESTAB 0 400 192.0.2.1:801 192.0.2.2:2049 timer:(on,1sec,6)\n"
				 "\t ts lastsnd:12644 lastrcv:26964 lastack:26964"),
		     2);
	CHECK_EQ_I64(says_of_row(rule, "ESTAB 0 400 192.0.2.1:801 192.0.2.2:2049 "
				       "timer:(on,1sec,6)"),
		     1);
	/* The list without times adds nothing, whichever comes first. */
	CHECK_EQ_I64(says(rule,
			  "ESTAB 0 400 192.0.2.1:801 192.0.2.2:2049 timer:(on,1sec,6)\n"
			  "\t ts lastsnd:12644 lastrcv:26964 lastack:26964\n",
			  "tcp 0 400 192.0.2.1:801 192.0.2.2:2049 ESTABLISHED - on (0.26/6/0)\n"),
		     2);
	/* Full segments are lost, and others come. */
	CHECK_EQ_I64(says_of_row(rule,
				 "ESTAB 0 400 192.0.2.1:801 192.0.2.2:2049 timer:(on,1sec,6)\n"
				 "\t ts lastsnd:12644 lastrcv:264 lastack:264"),
		     0);
	/* A window that is closed: each probe is acknowledged. */
	CHECK_EQ_I64(says_of_row(rule, "ESTAB 0 400 192.0.2.1:801 192.0.2.2:2049 "
				       "timer:(persist,6sec,6)\n"
				       "\t ts lastsnd:12644 lastrcv:36964 lastack:964"),
		     0);
	CHECK_EQ_I64(says_of_row(rule, "ESTAB 0 400 192.0.2.2:2049 192.0.2.1:801 "
				       "timer:(on,1sec,6)"),
		     0);
}

#define CLIENT(id, address, renewed, callback)                     \
	"clientid: " id "\naddress: \"" address                    \
	"\"\nstatus: confirmed\nseconds from last renew: " renewed \
	"\nname: \"Linux NFSv4.2 app\"\nminor version: 2\ncallback state: " callback "\n"

/* A server's list, and what a part of a rule says of it. */
static int tells(void (*part)(const struct rule_input *, struct diagnosis *), const char *text)
{
	struct rule rule = {.run = part};

	return says(&rule, text, "");
}

TEST(one_owner_from_two_addresses_and_twins)
{
	CHECK_EQ_I64(tells(host_clients_collision,
			   CLIENT("0x1", "192.0.2.31:830", "7", "UP")
				   CLIENT("0x2", "192.0.2.32:868", "30", "UP")),
		     2);
	/* An address that does not renew. */
	CHECK_EQ_I64(tells(host_clients_collision,
			   CLIENT("0x1", "192.0.2.31:830", "7", "UP")
				   CLIENT("0x2", "192.0.2.32:868", "300", "UP")),
		     1);
	/* The same host, and the same client listed again from elsewhere. */
	CHECK_EQ_I64(tells(host_clients_collision,
			   CLIENT("0x1", "192.0.2.31:830", "7", "UP")
				   CLIENT("0x2", "192.0.2.31:868", "30", "UP")),
		     0);
	CHECK_EQ_I64(tells(host_clients_collision,
			   CLIENT("0x1", "192.0.2.31:830", "7", "UP")
				   CLIENT("0x1", "192.0.2.32:868", "30", "UP")),
		     0);
}

TEST(callback_that_is_down_and_twins)
{
	CHECK_EQ_I64(tells(host_clients_callback, CLIENT("0x1", "192.0.2.31:830", "3", "DOWN")), 2);
	CHECK_EQ_I64(tells(host_clients_callback, CLIENT("0x1", "192.0.2.31:830", "7", "FAULT")),
		     1);
	/* Its machine may stand still. */
	CHECK_EQ_I64(tells(host_clients_callback, CLIENT("0x1", "192.0.2.31:830", "11", "FAULT")),
		     0);
	CHECK_EQ_I64(tells(host_clients_callback,
			   CLIENT("0x1", "192.0.2.31:830", "11", "FAULT")
				   CLIENT("0x1", "192.0.2.31:830", "22", "FAULT")),
		     0);
	CHECK_EQ_I64(tells(host_clients_callback,
			   CLIENT("0x1", "192.0.2.31:830", "22", "FAULT")
				   CLIENT("0x1", "192.0.2.31:830", "12", "FAULT")),
		     2);
	CHECK_EQ_I64(tells(host_clients_callback,
			   CLIENT("0x1", "192.0.2.31:830", "3", "DOWN")
				   CLIENT("0x1", "192.0.2.31:830", "1", "UP")),
		     0);
	CHECK_EQ_I64(tells(host_clients_callback, CLIENT("0x1", "192.0.2.31:830", "7", "UNKNOWN")),
		     0);
	/* A client that is gone is called back by nobody. */
	CHECK_EQ_I64(tells(host_clients_callback, CLIENT("0x1", "192.0.2.31:830", "600", "DOWN")),
		     0);
}

TEST(paths_before_the_lines_of_a_client)
{
	const char *const texts[] = {
		"/proc/fs/nfsd/clients/4/info:clientid: 0xe74a46ad6b024ef1\n"
		"/proc/fs/nfsd/clients/4/info:address: \"[2001:db8::9]:868\"\n"
		"/proc/fs/nfsd/clients/4/info:status: courtesy\n"
		"/proc/fs/nfsd/clients/4/info:name: \"a \\x01 b\"\n"
		"name: of something else\n",
	};
	struct host_model m;
	const struct nfsd_client_fact *c;

	host_read(&m, texts, 1);
	CHECK_EQ_U64(m.records.len, 1);
	c = &fact_at(&m, 0)->client;
	CHECK_EQ_U64(c->clientid, 0xe74a46ad6b024ef1);
	CHECK_EQ_U64(c->at.port, 868);
	CHECK(c->has_address && c->courtesy && !c->confirmed && !c->has_renewed);
	host_model_deinit(&m);
}

static const char counts[] = "Client rpc stats:\ncalls      retrans    authrefrsh\n";

static int says_of_counts(const char *one, const char *two)
{
	struct strbuf a, b;
	int said;

	strbuf_init(&a);
	strbuf_init(&b);
	strbuf_add_format(&a, "%s%s\n", counts, one);
	strbuf_add_format(&b, "%s%s\n", counts, two);
	said = says(&rule_rpc_retransmission_counted, strbuf_text(&a), strbuf_text(&b));
	strbuf_deinit(&a);
	strbuf_deinit(&b);
	return said;
}

TEST(sent_again_between_two_readings_and_twins)
{
	static const char both[] = "Client rpc stats:\ncalls retrans authrefrsh\n500 7 500\n\n"
				   "Client rpc stats:\ncalls retrans authrefrsh\n600 12 600\n";

	CHECK_EQ_I64(says(&rule_rpc_retransmission_counted, both, ""), 2);
	/* Two files may be of two hosts. */
	CHECK_EQ_I64(says_of_counts("500 7 500", "600 12 600"), 1);
	CHECK_EQ_I64(says_of_counts("500 7 500", "600 7 600"), 0);
	CHECK_EQ_I64(says_of_counts("500 70 500", "600 12 600"), 0);
	CHECK_EQ_I64(says_of_counts("500 7 500", "500 7 500"), 0);
}

TEST(locks_that_wait_and_twins)
{
	static const char held[] = "1: POSIX  ADVISORY  WRITE 3568 fd:00:2531452 0 EOF\n";
	static const char waits[] = "1: POSIX  ADVISORY  WRITE 3568 fd:00:2531452 0 EOF\n"
				    "1: -> POSIX  ADVISORY  READ 3570 fd:00:2531452 0 99\n";

	CHECK_EQ_I64(says(&rule_nlm_blocked_listed, waits, ""), 3);
	CHECK_EQ_I64(says(&rule_nlm_blocked_listed, held, held), 0);
}

TEST(a_recall_that_goes_on_and_twins)
{
	static const char breaking[] = "3: DELEG  BREAKING  UNLCK 812 fd:00:77 0 EOF\n";
	static const char active[] = "3: DELEG  ACTIVE    READ 812 fd:00:77 0 EOF\n";

	CHECK_EQ_I64(says(&rule_nfs4_recall_listed, breaking, breaking), 1);
	CHECK_EQ_I64(says(&rule_nfs4_recall_listed, breaking, active), 0);
	CHECK_EQ_I64(says(&rule_nfs4_recall_listed, active, active), 0);
}

static uint64_t counted(const struct host_model *m, enum host_counter counter)
{
	const struct host_record *r;
	uint64_t sum = 0;
	size_t i = 0;

	while ((r = host_model_next(m, HOST_COUNTER, &i)))
		if (r->fact.counter.counter == counter)
			sum += r->fact.counter.value;
	return sum;
}

TEST(counters_as_each_program_prints_them)
{
	const char *const texts[] = {
		"Tcp: RtoAlgorithm MaxConn OutSegs RetransSegs InErrs\nTcp: 1 -1 500 7 3\n"
		"TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 0 5 6\n",
		"#kernel\nTcpOutSegs                      1000               0.0\n"
		"TcpRetransSegs                  70                 0.0\n"
		"TcpExtListenOverflows           50                 0.0\n",
		"Tcp:\n    10000 segments sent out\n    700 segments retransmitted\n"
		"    300 bad segments received\nTcpExt:\n"
		"    500 times the listen queue of a socket overflowed\n"
		"Ip:\n    9 packet reassemblies failed\n",
		"rc 4 0 470\nth 8 2 0.000 0.000\n"
		"Server reply cache:\nhits       misses     nocache\n3          0          470\n",
		"# pool packets-arrived sockets-enqueued threads-woken threads-timedout\n"
		"0 879 879 875 0\n1 10 10 9 0\n",
		"Tcp: OutSegs\nTcp: x\nTcp: 1 2 3\nrc 1 2\nrc 1 2 3 4\nth 8\n# pool a\n0 1 2 3 4\n"
		"700 segments retransmitted\nTcpRetransSegs\nUdp: 1\n",
	};
	struct host_model m;

	host_read(&m, texts, 6);
	CHECK_EQ_U64(counted(&m, COUNT_TCP_SENT), 11500);
	CHECK_EQ_U64(counted(&m, COUNT_TCP_RESENT), 777);
	CHECK_EQ_U64(counted(&m, COUNT_TCP_BAD), 303);
	CHECK_EQ_U64(counted(&m, COUNT_LISTEN_OVERFLOWS), 555);
	CHECK_EQ_U64(counted(&m, COUNT_IP_REASSEMBLY_FAILED), 9);
	CHECK_EQ_U64(counted(&m, COUNT_REPLY_CACHE_HITS), 7);
	CHECK_EQ_U64(counted(&m, COUNT_NFSD_ALL_BUSY), 2);
	CHECK_EQ_U64(counted(&m, COUNT_POOL_WOKEN), 884);
	host_model_deinit(&m);
}

#define AGED  "\t ts lastsnd:22644 lastrcv:16964 lastack:16964\n"
#define STILL "rpc 1303 0 0 0 0\nrpc 1303 0 0 0 0\n"

TEST(calls_that_nobody_reads_and_twins)
{
	const struct rule *rule = &rule_rpc_silent_listed;
	static const char unread[] = "ESTAB 568 0 192.0.2.2:2049 192.0.2.1:801\nrpc 1303 0 0 0 0\n";

	CHECK_EQ_I64(says(rule, unread, unread), 2);
	CHECK_EQ_I64(says(rule, unread, ""), 0);
	CHECK_EQ_I64(says(rule, unread, "ESTAB 0 0 192.0.2.2:2049 192.0.2.1:801\n"), 0);
	/* The server goes on answering. */
	CHECK_EQ_I64(
		says(rule, unread, "ESTAB 568 0 192.0.2.2:2049 192.0.2.1:801\nrpc 1400 0 0 0 0\n"),
		0);
	/* Without its counters: what program it is, and how long it was so, is not told. */
	CHECK_EQ_I64(says(rule, "ESTAB 568 0 192.0.2.2:2049 192.0.2.1:801\n",
			  "ESTAB 568 0 192.0.2.2:2049 192.0.2.1:801\n"),
		     0);
	CHECK_EQ_I64(says_of_row(rule, "ESTAB 568 0 192.0.2.2:2049 192.0.2.1:801\n" AGED STILL), 2);
	CHECK_EQ_I64(says_of_row(rule, "ESTAB 568 0 192.0.2.2:2049 192.0.2.1:801\n"
				       "\t ts lastsnd:22644 lastrcv:64 lastack:64\n" STILL),
		     0);
	/* A client that does not take its answers; the client's own end; another service. */
	CHECK_EQ_I64(says_of_row(rule, "ESTAB 568 9 192.0.2.2:2049 192.0.2.1:801\n" AGED STILL), 0);
	CHECK_EQ_I64(says_of_row(rule, "ESTAB 568 0 192.0.2.1:801 192.0.2.2:2049\n" AGED STILL), 0);
	CHECK_EQ_I64(says_of_row(rule, "ESTAB 568 0 192.0.2.2:443 192.0.2.1:801\n" AGED STILL), 0);
}

TEST(connections_that_nobody_accepts_and_twins)
{
	const struct rule *rule = &rule_rpc_silent_listed;
	static const char waits[] = "LISTEN 65 64 0.0.0.0:2049 0.0.0.0:*\n";
	static const char netstat[] = "tcp       65      0 0.0.0.0:2049            0.0.0.0:*       "
				      "        LISTEN      -\n";
	static const char pool[] =
		"# pool packets-arrived sockets-enqueued threads-woken threads-timedout\n";
	struct strbuf one, two;

	CHECK_EQ_I64(says(rule, waits, STILL), 1);
	CHECK_EQ_I64(says(rule, waits, ""), 0);
	CHECK_EQ_I64(says(rule, netstat, STILL), 0);
	CHECK_EQ_I64(says(rule, "LISTEN 65 4096 *:2049 *:*\n", STILL), 0);
	CHECK_EQ_I64(says(rule, "LISTEN 65 64 *:443 *:*\n", STILL), 0);
	CHECK_EQ_I64(says(rule, "tcp LISTEN 65 64 [::]:2049 [::]:*\n", STILL), 1);
	/* Idle threads were found meanwhile. */
	strbuf_init(&one);
	strbuf_init(&two);
	strbuf_add_format(&one, "%s" STILL "%s0 10 10 10 0\n", waits, pool);
	strbuf_add_format(&two, "%s" STILL "%s0 19 19 19 0\n", waits, pool);
	CHECK_EQ_I64(says(rule, strbuf_text(&one), strbuf_text(&two)), 0);
	CHECK_EQ_I64(says(rule, strbuf_text(&one), strbuf_text(&one)), 2);
	strbuf_deinit(&one);
	strbuf_deinit(&two);
}

TEST(calls_that_come_again_to_the_server_and_twins)
{
	const struct rule *rule = &rule_rpc_retransmission_served;

	CHECK_EQ_I64(says(rule, "rc 4 10 470\nrc 9 20 490\n", ""), 2);
	/* Two files may be of two hosts. */
	CHECK_EQ_I64(says(rule, "rc 9 20 490\n", "rc 4 10 470\n"), 1);
	CHECK_EQ_I64(says(rule, "rc 4 10 470\n", "rc 4 20 490\n"), 0);
	CHECK_EQ_I64(says(rule, "rc 4 10 470\n", ""), 0);
}

TEST(calls_refused_for_their_credentials_and_twins)
{
	const struct rule *rule = &rule_rpc_auth_counted;

	CHECK_EQ_I64(says(rule, "rpc 100 0 0 0 0\nrpc 200 90 0 90 0\n", ""), 1);
	/* Of two hosts, perhaps: the files are called one and other. */
	CHECK_EQ_I64(says(rule, "rpc 100 0 0 0 0\n", "rpc 200 90 0 90 0\n"), 0);
	/* A few are how a mount finds its flavor. */
	CHECK_EQ_I64(says(rule, "rpc 100 0 0 0 0\nrpc 200 9 0 9 0\n", ""), 0);
	CHECK_EQ_I64(says(rule, "rpc 100 0 0 0 0\nrpc 9000 90 0 90 0\n", ""), 0);
	CHECK_EQ_I64(says(rule, "rpc 200 90 0 90 0\n", ""), 0);
}

TEST(states_of_clients_tell_who_holds)
{
	const char *const texts[] = {
		"/proc/fs/nfsd/clients/3/states:- 0x0000000199d1086be3ac806c04000000: { type: "
		"deleg, "
		"access: r, superblock: \"00:17:2\", filename: \"/a b\" }\n"
		"- 0x00000001b3f25d67d096056d19facf00: { type: deleg, access: w }\n"
		"- 0x0000000199d1086be3ac806c: { type: deleg, access: w }\n"
		"- 0x0000000199d1086be3ac806c04000000: { type: fork, access: w }\n"
		"- 0x000000019gd1086be3ac806c04000000: { type: open, access: w }\n",
	};
	struct host_model m;

	host_read(&m, texts, 1);
	if (CHECK_EQ_U64(m.records.len, 2)) {
		const struct nfsd_state_fact *s = &fact_at(&m, 0)->state;

		CHECK(fact_at(&m, 0)->kind == HOST_NFSD_STATE && s->kind == NFSD_STATE_DELEG);
		CHECK_EQ_U64(s->clientid, 0x6c80ace36b08d199);
		CHECK(slice_equal(s->inode, slice_of_string("00:17:2")));
		CHECK(slice_equal(s->file, slice_of_string("/a b")));
		CHECK_EQ_U64(fact_at(&m, 1)->state.clientid, 0x6d0596d0675df2b3);
		CHECK_EQ_U64(fact_at(&m, 1)->state.inode.len, 0);
	}
	host_model_deinit(&m);
}

TEST(addresses_of_the_host_itself)
{
	static const char *const text =
		"2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 state UP\n"
		"    inet 192.0.2.10/24 brd 192.0.2.255 scope global eth0\n"
		"    inet6 2001:db8::10/64 scope global\n"
		"2: eth0    inet 192.0.2.11/24 brd 192.0.2.255 scope global eth0\n"
		"        inet 192.0.2.12  netmask 255.255.255.0  broadcast 192.0.2.255\n"
		"          inet addr:192.0.2.13  Bcast:192.0.2.255  Mask:255.255.255.0\n"
		"          inet6 addr: 2001:db8::14/64 Scope:Global\n"
		"table inet filter {\n"
		"192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.10\n";
	static const char *const want[] = {"192.0.2.10", "2001:db8::10", "192.0.2.11",
					   "192.0.2.12", "192.0.2.13",   "2001:db8::14"};
	struct host_model m;

	host_read(&m, &text, 1);
	if (CHECK_EQ_U64(m.records.len, 6))
		for (size_t i = 0; i < 6; i++) {
			struct endpoint e;

			CHECK(log_address_parse(slice_of_string(want[i]), &e));
			CHECK_EQ_U64(fact_at(&m, i)->kind, HOST_ADDRESS);
			CHECK(endpoint_equal(&fact_at(&m, i)->address.at, &e));
		}
	host_model_deinit(&m);
}
