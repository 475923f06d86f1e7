// SPDX-License-Identifier: GPL-2.0-or-later
/* What besides waits joins a log with the wire, whose log it is, and what must stay apart. */
#include "log_stand.h"
#include "names/nfs4.h"

#include <stdio.h>

#define LOADED          "[   50.300000] Key type id_resolver registered\n"
#define STARTED         "[   20.000000] NFSD: starting 90-second grace period (net f0000000)\n"
#define LOCKD_COMPLAINT "[ 1060.000000] lockd: server 192.0.2.10 not responding, still trying\n"

/* A client of the wire, and how it calls itself; "": it tells no name. */
struct talker {
	struct conn conn;
	const char *name;
	uint32_t stamp; /* of its credentials, at the script's zero; 0: none */
};

static struct talker talker_make(uint64_t serial, const char *address, const char *name)
{
	return (struct talker){
		.conn = script_conn(serial, address, (uint16_t)(800 + serial), "192.0.2.10", 2049),
		.name = name};
}

static struct rpc_call call_of(const struct talker *t, uint32_t program, double at)
{
	return (struct rpc_call){.conn = &t->conn,
				 .program = program,
				 .version = program == NFS ? 3 : 4,
				 .has_call = true,
				 .machine = slice_of_string(t->name),
				 .machine_stamp = t->stamp ? t->stamp + (uint32_t)at : 0,
				 .outcome = RPC_NO_REPLY};
}

/* A call that is answered after a while; 0: never. */
static void talk(struct stand *s, const struct talker *t, uint32_t program, double at,
		 double seconds)
{
	struct rpc_call rpc = call_of(t, program, at);

	script_rpc(&s->script, at, EVENT_RPC_CALL, &rpc);
	rpc.machine = slice_of_string("");
	if (seconds > 0) {
		rpc.outcome = RPC_SUCCESS;
		script_rpc(&s->script, at + seconds, EVENT_RPC_REPLY, &rpc);
	}
}

static void talk_v4(struct stand *s, const struct talker *t, double at, struct nfs4_fact *fact)
{
	struct rpc_call rpc = call_of(t, NFS, at);

	rpc.version = 4;
	rpc.facts = fact;
	rpc.facts_len = 1;
	fact->status = NFS4_STATUS_NONE;
	script_rpc(&s->script, at, EVENT_RPC_CALL, &rpc);
	rpc.machine = slice_of_string("");
	fact->status = NFS4_OK;
	rpc.outcome = RPC_SUCCESS;
	script_rpc(&s->script, at + 0.001, EVENT_RPC_REPLY, &rpc);
}

/* The client introduces itself; its NFS was loaded at `loaded`. */
static void introduce(struct stand *s, const struct talker *t, double at, double loaded)
{
	struct nfs4_fact fact = {.kind = NFS4_FACT_EXCHANGE_ID};
	uint64_t ns = __builtin_bswap64((uint64_t)script_at(loaded).ns);

	memcpy(fact.verifier, &ns, sizeof(ns));
	talk_v4(s, t, at, &fact);
}

/* A session of a server that started at this second. */
static void session(struct stand *s, const struct talker *t, double at, int started)
{
	uint32_t start_s = (uint32_t)(SCRIPT_EPOCH_S + started);
	struct nfs4_fact fact = {.kind = NFS4_FACT_CREATE_SESSION,
				 .clientid = (uint64_t)__builtin_bswap32(start_s) << 32 | 7};
	uint64_t head = __builtin_bswap64(fact.clientid);

	memcpy(fact.res_sessionid, &head, sizeof(head));
	fact.res_sessionid[8] = 1;
	talk_v4(s, t, at, &fact);
}

static struct stand *stand_of(const char *log)
{
	struct stand *s = stand_make(&no_options);

	log_add(s, "app/dmesg.txt", log);
	logs_watch(s->logs, &s->script.board);
	return s;
}

/* Settles; the first fact's time, seconds after the script's zero, or -1: it is not in UTC. */
static double first_of(struct stand *s)
{
	settle(s);
	return s->first.clock == CLOCK_UTC ? (double)(s->first.ns - script_at(0).ns) / 1e9 : -1;
}

static bool is_about(double got, double want, double error)
{
	return got >= want - error && got <= want + error;
}

/* --- mounts --- */

/* A first mount, as the wire has it: loaded at 100 s, the first call 0.8 s later. */
static double mount_play(const char *log, bool other, const char *name, const char *note)
{
	struct stand *s = stand_of(log);
	struct talker t = talker_make(3, "192.0.2.21", name);
	struct talker u = talker_make(4, "192.0.2.22", name[0] ? "db-7" : "");
	double first;

	talk(s, &t, NFS, 99.99, 0.001);
	introduce(s, &t, 100.8, 100);
	if (other)
		introduce(s, &u, 300.8, 300);
	for (int i = 0; i < 1200; i++)
		talk(s, &t, NFS, 101 + i, 0.001);
	first = first_of(s);
	if (!CHECK(has_note(s, 1, note)))
		printf("# no such note: %s\n", note);
	CHECK(first < 0 || evidence_list_at(&s->evidence, 1)->clock_error_ns < 2 * STAMP_NS_PER_S);
	CHECK((first >= 0) == endpoint_same_host(&s->host_at, &t.conn.client));
	stand_free(s);
	return first;
}

TEST(a_first_mount_loads_nfsv4)
{
	CHECK(is_about(mount_play(LOADED, false, "", "and no other client is in the captures"),
		       100.4, 1));
}

TEST(twin_the_log_lies_in_another_folder_than_the_capture)
{
	struct stand *s = stand_make(&no_options);
	struct talker t = talker_make(3, "192.0.2.21", "");

	log_add(s, "db/dmesg.txt", LOADED);
	logs_watch(s->logs, &s->script.board);
	introduce(s, &t, 100.8, 100);
	CHECK(first_of(s) < 0);
	CHECK(has_note(s, 1, "nothing tells for certain"));
	stand_free(s);
}

TEST(twin_two_clients_mounted)
{
	CHECK(mount_play(LOADED, true, "", "several moments in the captures") < 0);
}

TEST(a_name_tells_which_of_two_clients_it_was)
{
	CHECK(is_about(mount_play("[    1.000000] systemd[1]: Hostname set to <app-7>.\n" LOADED,
				  true, "app-7.example.com", "the host's name in it is the log's"),
		       100.4, 1));
}

TEST(twin_the_log_names_another_host)
{
	CHECK(mount_play("[    1.000000] systemd[1]: Hostname set to <web-1>.\n" LOADED, false,
			 "app-7", "another name than the log's") < 0);
}

TEST(twin_the_log_has_a_wait_that_the_captures_do_not_have)
{
	CHECK(mount_play(LOADED LOCKD_COMPLAINT, false, "", "nothing tells for certain") < 0);
}

TEST(twin_the_log_has_its_link_down_while_the_client_talks)
{
	CHECK(mount_play(LOADED "[  200.000000] e1000e: eth0 NIC Link is Down\n"
				"[  230.000000] e1000e: eth0 NIC Link is Up 1000 Mbps\n",
			 false, "", "nothing tells for certain") < 0);
}

TEST(twin_nfs_was_loaded_long_before_the_mount)
{
	struct stand *s = stand_of(LOADED);
	struct talker t = talker_make(3, "192.0.2.21", "");

	introduce(s, &t, 1000, 100);
	CHECK(first_of(s) < 0);
	stand_free(s);
}

/* The line of NFS itself is in the very second of the verifier, however old that is. */
TEST(the_verifier_dates_the_line_of_nfs)
{
	struct stand *s = stand_of("[   50.000000] FS-Cache: Netfs 'nfs' registered for caching\n");
	struct talker t = talker_make(3, "192.0.2.21", "");

	introduce(s, &t, 1000, 100);
	CHECK(is_about(first_of(s), 100, 1));
	stand_free(s);
}

/* --- a server's start --- */

TEST(nfsd_starts_in_the_second_that_its_client_ids_tell)
{
	struct stand *s = stand_of(STARTED);
	struct talker t = talker_make(3, "192.0.2.21", "");

	session(s, &t, 300, 100);
	CHECK(is_about(first_of(s), 100.5, 3.5));
	CHECK(has_note(s, 1, "and no other server is in the captures"));
	CHECK(has_note(s, 1, "was written by server 192.0.2.10"));
	CHECK(s->host_at.addr[15] == 0); /* no client's */
	stand_free(s);
}

TEST(twin_two_servers_started)
{
	struct stand *s = stand_of(STARTED);
	struct talker t = talker_make(3, "192.0.2.21", "");
	struct talker u = talker_make(4, "192.0.2.21", "");

	u.conn = script_conn(4, "192.0.2.21", 900, "192.0.2.11", 2049);
	session(s, &t, 300, 100);
	session(s, &u, 301, 150);
	CHECK(first_of(s) < 0);
	stand_free(s);
}

TEST(twin_it_started_twice_and_the_log_has_one)
{
	struct stand *s = stand_of(STARTED);
	struct talker t = talker_make(3, "192.0.2.21", "");

	session(s, &t, 300, 100);
	session(s, &t, 500, 499);
	CHECK(first_of(s) < 0);
	CHECK(has_note(s, 1, "several moments in the captures"));
	stand_free(s);
}

TEST(two_starts_are_told_by_their_distance)
{
	struct stand *s = stand_of(STARTED "[  420.000000] NFSD: no clients to reclaim, skipping "
					   "NFSv4 grace period (net f0000000)\n");
	struct talker t = talker_make(3, "192.0.2.21", "");

	session(s, &t, 300, 100);
	session(s, &t, 500.5, 499);
	CHECK(is_about(first_of(s), 100.5, 2.5));
	CHECK(has_note(s, 1, "and 1 more moment of the log is as the captures have it"));
	stand_free(s);
}

/* --- uptime, outages, lost locks --- */

/* One lock waits from 100 s on, for ever; the log has its complaint, and perhaps a link's end. */
static struct stand *wait_stand(const char *log, uint32_t stamp, double outage_s)
{
	struct stand *s = stand_of(log);
	struct talker t = talker_make(3, "192.0.2.21", "");

	t.stamp = stamp;
	talk(s, &t, NLM, 90, 0.001);
	talk(s, &t, NLM, 100, 0);
	if (outage_s > 0)
		talk(s, &t, NFS, 90.5, outage_s);
	talk(s, &t, NFS, 400, 0.001);
	return s;
}

/* Jiffies in seconds, at 1000 a second, of a client that had been up for 900 s. */
enum { STAMP_UP_900 = 4294967 - 300 + 900 };

TEST(an_uptime_tells_that_a_complaint_is_that_of_the_wait)
{
	struct stand *s = wait_stand(LOCKD_COMPLAINT, STAMP_UP_900, 0);

	CHECK(is_about(first_of(s), 160, 3));
	CHECK(has_note(s, 1,
		       "comes 60 s after the first call or SYN, which is frame 3 of e1, and "
		       "the uptime in its credentials agrees"));
	stand_free(s);
}

TEST(twin_the_uptime_is_of_another_boot_or_there_is_none)
{
	struct stand *s = wait_stand(LOCKD_COMPLAINT, STAMP_UP_900 + 500, 0);

	CHECK(first_of(s) < 0);
	stand_free(s);
	s = wait_stand(LOCKD_COMPLAINT, 0, 0);
	CHECK(first_of(s) < 0);
	stand_free(s);
}

#define LINK_OUTAGE                                      \
	"[  991.000000] e1000e: eth0 NIC Link is Down\n" \
	"[ 1041.000000] e1000e: eth0 NIC Link is Up\n"

TEST(a_link_that_was_down_tells_the_same)
{
	struct stand *s = wait_stand(LINK_OUTAGE LOCKD_COMPLAINT, 0, 60);

	CHECK(is_about(first_of(s), 91, 3));
	CHECK(has_note(s, 1, "a link was down while the host was silent there"));
	stand_free(s);
}

TEST(twin_a_link_alone_tells_nothing)
{
	struct stand *s = wait_stand(LINK_OUTAGE, 0, 60);

	CHECK(first_of(s) < 0);
	stand_free(s);
}

TEST(locks_are_lost_when_the_state_is_made_anew)
{
	struct stand *s = stand_of("[    1.000000] systemd[1]: Hostname set to <app-7>.\n"
				   "[  500.000000] NFS: 192.0.2.10: lost 2 locks\n");
	struct talker t = talker_make(3, "192.0.2.21", "app-7");

	session(s, &t, 300, 100);
	CHECK(is_about(first_of(s), 301, 1.1));
	CHECK(has_note(s, 1, "comes when the client has its state anew"));
	stand_free(s);
}

/* --- two that disagree --- */

TEST(what_speaks_against_it_is_said)
{
	struct stand *s =
		stand_of(LOADED LOCKD_COMPLAINT "[ 1080.000000] lockd: server 192.0.2.10 OK\n");
	struct talker t = talker_make(3, "192.0.2.21", "");

	introduce(s, &t, 100.8, 100);
	talk(s, &t, NLM, 400, 80);
	/* By the reply the boot was at -600 s, by the mount at 50 s. */
	CHECK(is_about(first_of(s), -549.7, 0.1));
	CHECK(has_note(s, 1,
		       "it is not followed that \"Key type id_resolver registered\" in line 1"));
	stand_free(s);
}

/* --- clocks beside the log, zones, several logs --- */

/* A clock and an uptime tell a boot at `boot` s, within so much; a first mount tells 50 s. */
static struct stand *clock_stand(double boot, int64_t error_s)
{
	struct stand *s = stand_make(&no_options);
	struct talker t = talker_make(3, "192.0.2.21", "");
	struct talker u = talker_make(4, "192.0.2.22", "");

	log_add(s, "app/dmesg.txt", LOADED);
	logs_take_clock(s->logs, 0, "app/uname.txt", script_at(boot).ns, error_s * STAMP_NS_PER_S);
	logs_watch(s->logs, &s->script.board);
	introduce(s, &t, 100.8, 100);
	talk(s, &u, NFS, 200, 0.001);
	return s;
}

TEST(a_line_near_a_clock_makes_it_more_exact)
{
	struct stand *s = clock_stand(60, 30);

	CHECK(is_about(first_of(s), 100.4, 1));
	CHECK(evidence_list_at(&s->evidence, 1)->clock_error_ns < 2 * STAMP_NS_PER_S);
	stand_free(s);
}

TEST(twin_a_line_far_from_a_clock_is_not_followed)
{
	struct stand *s = clock_stand(9000, 30);

	CHECK(is_about(first_of(s), 9050.3, 0.1));
	CHECK(has_note(s, 1, "which tells the host's clock and uptime"));
	stand_free(s);
}

/* Zero is 22:13:20 UTC: nfsd starts at 100 s, as a clock two hours east of it tells. */
static const char east[] = "Nov 15 00:15:00 nas kernel: NFSD: starting 90-second grace period\n";

TEST(a_start_tells_the_zone)
{
	struct stand *s = stand_make(&no_options);
	struct talker t = talker_make(3, "192.0.2.21", "");

	log_add(s, "nas/messages", east);
	log_add(s, "nas/messages.1", "Nov 14 23:00:00 nas kernel: lockd: server a OK\n");
	log_add(s, "app/messages", "Nov 14 22:00:00 app kernel: lockd: server a OK\n");
	logs_watch(s->logs, &s->script.board);
	session(s, &t, 300, 99);
	logs_settle(s->logs, script_at(0));
	logs_emit(s->logs, &s->script.board);
	CHECK(has_note(s, 1, "+02:00 is taken, because"));
	CHECK(has_note(s, 2, "+02:00 is taken, as in e2, which is of the same host"));
	CHECK(has_note(s, 3, "UTC is assumed"));
	/* In one order of time: 21:00 of nas, 22:00 of app, 22:15 of nas. */
	CHECK(is_about((double)(s->first.ns - script_at(0).ns) / 1e9, -4400, 0.1));
	CHECK_EQ_U64(s->facts, 3);
	stand_free(s);
}

TEST(twin_a_start_at_another_minute_tells_no_zone)
{
	struct stand *s = stand_make(&no_options);
	struct talker t = talker_make(3, "192.0.2.21", "");

	log_add(s, "nas/messages", east);
	logs_watch(s->logs, &s->script.board);
	session(s, &t, 300, 99 - 120);
	logs_settle(s->logs, script_at(0));
	CHECK(has_note(s, 1, "UTC is assumed"));
	stand_free(s);
}

/* --- whose log it is --- */

/* A log in UTC complains at 162 s; which of two clients has a lock waiting since 100 s? */
static struct stand *whose_stand(bool first_waits, bool second_waits)
{
	struct stand *s = stand_of("2023-11-14T22:16:02.000000+00:00 app kernel: lockd: server "
				   "192.0.2.10 not responding, still trying\n");
	struct talker t = talker_make(3, "192.0.2.21", "");
	struct talker u = talker_make(4, "192.0.2.22", "");

	talk(s, &t, NLM, 1, 0.001);
	talk(s, &u, NLM, 2, 0.001);
	talk(s, &t, NLM, 100, first_waits ? 0 : 0.001);
	talk(s, &u, NLM, 100, second_waits ? 0 : 0.001);
	talk(s, &t, NFS, 400, 0.001);
	talk(s, &u, NFS, 400, 0.001);
	settle(s);
	return s;
}

TEST(a_complaint_without_an_end_is_of_the_client_that_waits)
{
	struct stand *s = whose_stand(true, false);

	CHECK_EQ_I64(s->first.ns, script_at(162).ns);
	CHECK(s->host_at.addr[15] == 21);
	CHECK(has_note(s, 1, "was written by client 192.0.2.21"));
	stand_free(s);
}

TEST(twin_two_clients_wait_and_it_is_said)
{
	struct stand *s = whose_stand(true, true);

	CHECK(s->host_at.addr[15] == 0);
	CHECK(has_note(s, 1, "may be the log of clients 192.0.2.21, 192.0.2.22"));
	stand_free(s);
}

TEST(twin_no_client_waits)
{
	struct stand *s = whose_stand(false, false);

	CHECK(s->host_at.addr[15] == 0);
	CHECK(!has_note(s, 1, "client"));
	stand_free(s);
}
