// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a server's trace tells beside collisions of 4.1: its restart, collisions of 4.0 by probes,
 * and calls that its threads begin and do not end. Each with its twin.
 */
#include "trace_script.h"

#define L(pid, time) "            nfsd-" #pid "     [000] .....   " time ": "

/* 1 + the confidence of the one finding; 0: there is none of this id. */
static unsigned told(const char *text, const char *id)
{
	struct trace_told t;
	const struct finding *f;
	unsigned result = 0;

	trace_tell(text, &t);
	f = trace_found(&t, id);
	if (f)
		result = 1 + f->confidence;
	CHECK_EQ_U64(t.d.findings.len, f != NULL);
	trace_told_deinit(&t);
	return result;
}

/* --- restart --- */

#define OPENED(time, boot) \
	L(9, time) "nfsd_open: seqid=4, type=WRITE, client " boot ":5d4e5556 stateid 1:1\n"
#define GRACE(time, boot) \
	" rpc.nfsd-317  [000] ..... " time ": nfsd_grace_start: boot_time=        " boot "\n"
#define GRACE_OVER(time, boot) \
	" kworker/u2:1-25 [000] ..... " time ": nfsd_grace_complete: boot_time=        " boot "\n"
#define STALE(time, boot) L(9, time) "nfsd_clid_stale: client " boot ":5d4e5556\n"
#define FRESH(time, boot, id)                                                                \
	L(9, time)                                                                           \
	"nfsd_clid_fresh: addr=192.0.2.22:988 name='Linux NFSv4.0 app' "                     \
	"verifier=0x18ebb5666be66f3d "                                                       \
	"flavor=sys client=" boot ":" id "\n" L(9, time) "nfsd_clid_confirmed: client " boot \
							 ":" id "\n"
#define OLD "6b08a403"
#define NEW "6b08a416"

TEST(a_service_that_starts_anew)
{
	static const char id[] = "nfs4-server-restart";

	CHECK_EQ_U64(told(GRACE("94.1", NEW) STALE("94.2", OLD) FRESH("94.3", NEW, "1")
				  GRACE_OVER("116.7", NEW),
			  id),
		     1 + CONFIDENCE_CERTAIN);
	/* The trace began behind its start. */
	CHECK_EQ_U64(told(STALE("94.2", OLD) FRESH("94.3", NEW, "1"), id), 1 + CONFIDENCE_CERTAIN);
	/* Clients of 4.1 alone: nobody tells of a stale client ID. */
	CHECK_EQ_U64(told(FRESH("80.3", OLD, "1") OPENED("90.0", OLD) GRACE("94.1", NEW)
				  FRESH("94.3", NEW, "1"),
			  id),
		     1 + CONFIDENCE_LIKELY);
	CHECK_EQ_U64(told(OPENED("90.0", OLD) GRACE("94.1", NEW) FRESH("94.3", NEW, "1"), id),
		     1 + CONFIDENCE_LIKELY);
}

TEST(a_service_to_which_nobody_came_yet)
{
	struct trace_told t;
	const struct finding *f;

	trace_tell(GRACE("94.1", NEW) STALE("94.2", OLD), &t);
	f = trace_found(&t, "nfs4-server-restart");
	CHECK(f && !strstr(f->title, "came to it"));
	trace_told_deinit(&t);
}

TEST(twin_a_service_that_starts_first)
{
	CHECK_EQ_U64(told(GRACE("94.1", NEW) FRESH("94.3", NEW, "1") OPENED("95.0", NEW)
				  GRACE_OVER("116.7", NEW),
			  "nfs4-server-restart"),
		     0);
}

TEST(twin_services_of_two_namespaces)
{
	CHECK_EQ_U64(told(FRESH("90.1", OLD, "1") OPENED("91.0", OLD) GRACE("94.1", NEW) FRESH(
				  "94.3", NEW, "1") FRESH("94.4", OLD, "2") FRESH("94.5", NEW, "2"),
			  "nfs4-server-restart"),
		     0);
	CHECK_EQ_U64(told(FRESH("90.1", OLD, "1") FRESH("94.3", NEW, "1"), "nfs4-server-restart"),
		     0);
}

/* --- collisions of minor version 0 --- */

#define CALL(pid, time, client) \
	L(pid, time) "svc_process: addr=" client " xid=0x1 service=nfsd vers=4 proc=COMPOUND\n"
#define SENT(pid, time) L(pid, time) "svc_send: xid=0x1 server=192.0.2.10:2049 status=116\n"
#define CONFIRM(time, moved)                                                    \
	L(5, time)                                                              \
	"p_c: (nfsd4_setclientid_confirm+0x0/0x4c0 [nfsd])\n" L(                \
		5, time) "p_u: (unhash_client_locked+0x0/0x130 [nfsd])\n" moved \
		L(5, time) "p_e: (expire_client+0x0/0x70 [nfsd])\n" L(          \
			5, time) "p_u: (unhash_client_locked+0x0/0x130 [nfsd])\n"
#define MOVED(time) L(5, time) "p_m: (move_to_confirmed+0x0/0x270 [nfsd])\n"
#define RENEW(time, status)                                                                      \
	L(5, time)                                                                               \
	"p_r: (nfsd4_renew+0x0/0xe0 [nfsd])\n" L(                                                \
		5,                                                                               \
		time) "r_r: (nfsd4_proc_compound+0x341/0x670 [nfsd] <- nfsd4_renew) ret=" status \
		      "\n"
#define ONE                     "192.0.2.21:751"
#define TWO                     "192.0.2.22:1000"
#define COMES(time, who, moved) CALL(5, time, who) CONFIRM(time, moved) SENT(5, time)
#define MISSES(time, who)       CALL(5, time, who) RENEW(time, "0x1b270000") SENT(5, time)
#define RENEWS(time, who)       CALL(5, time, who) RENEW(time, "0x0") SENT(5, time)

TEST(two_clients_of_one_name_of_minor_version_0)
{
	CHECK_EQ_U64(told(COMES("21.1", TWO, MOVED("21.1")) MISSES("23.2", ONE)
				  COMES("23.3", ONE, MOVED("23.3")) MISSES("25.2", TWO)
					  COMES("25.3", TWO, MOVED("25.3")) MISSES("27.2", ONE)
						  COMES("27.3", ONE, MOVED("27.3")),
			  "nfs4-client-owner-collision"),
		     1 + CONFIDENCE_CERTAIN);
}

TEST(twin_clients_of_minor_version_0_that_reboot_or_update)
{
	CHECK_EQ_U64(told(COMES("21.1", TWO, MOVED("21.1")) RENEWS("23.2", ONE)
				  COMES("23.3", TWO, MOVED("23.3")) RENEWS("25.2", ONE),
			  "nfs4-client-owner-collision"),
		     0);
	CHECK_EQ_U64(told(COMES("21.1", TWO, "") MISSES("23.2", ONE) COMES("23.3", ONE, "")
				  MISSES("25.2", TWO) COMES("25.3", TWO, "") MISSES("27.2", ONE)
					  COMES("27.3", ONE, ""),
			  "nfs4-client-owner-collision"),
		     0);
}

/* --- calls that a thread is at --- */

TEST(threads_that_do_not_finish)
{
	CHECK_EQ_U64(told(CALL(5, "10.0", ONE) SENT(5, "10.1") CALL(5, "11.0", ONE)
				  CALL(6, "11.5", TWO) CALL(7, "40.0", ONE) SENT(7, "40.1"),
			  "nfsd-threads-stuck"),
		     1 + CONFIDENCE_LIKELY);
	/* What else is traced goes on, and tells how long. */
	CHECK_EQ_U64(told(CALL(5, "10.0", ONE) SENT(5, "10.1") CALL(5, "11.0", ONE)
				  OPENED("40.0", OLD),
			  "nfsd-threads-stuck"),
		     1 + CONFIDENCE_LIKELY);
}

TEST(twin_threads_at_work)
{
	/* The trace ends while one is at work. */
	CHECK_EQ_U64(told(CALL(5, "10.0", ONE) SENT(5, "10.1") CALL(5, "39.9", ONE)
				  CALL(7, "40.0", ONE) SENT(7, "40.1"),
			  "nfsd-threads-stuck"),
		     0);
	/* Ends of calls were not traced. */
	CHECK_EQ_U64(told(CALL(5, "10.0", ONE) CALL(6, "40.0", ONE), "nfsd-threads-stuck"), 0);
	/* A call that was put off, and is to be taken up again. */
	CHECK_EQ_U64(told(CALL(5, "10.0", ONE) SENT(5, "10.1") CALL(5, "11.0", ONE)
				  L(5, "11.1") "svc_defer: addr=192.0.2.21:751 xid=0x2\n" L(
					  5, "11.2") "svc_defer_queue: addr=192.0.2.21:751 "
						     "xid=0x2\n" CALL(7, "40.0", ONE)
							     SENT(7, "40.1"),
			  "nfsd-threads-stuck"),
		     0);
	/* The tracer lost lines, the end of it perhaps. */
	CHECK_EQ_U64(told(CALL(5, "10.0", ONE) SENT(5, "10.1") CALL(
				  5, "11.0", ONE) "CPU:0 [LOST 7 EVENTS]\n" CALL(7, "40.0", ONE)
				  SENT(7, "40.1"),
			  "nfsd-threads-stuck"),
		     0);
	/* A service of another kind. */
	CHECK_EQ_U64(told(CALL(5, "10.0", ONE) SENT(5, "10.1")
				  L(5, "11.0") "svc_process: addr=" ONE
					       " xid=0x1 service=lockd vers=4 proc=LOCK\n" CALL(
						       7, "40.0", ONE) SENT(7, "40.1"),
			  "nfsd-threads-stuck"),
		     0);
}

TEST(calls_that_take_long_at_the_server)
{
	CHECK_EQ_U64(told(CALL(5, "10.0", ONE) CALL(6, "10.1", TWO) SENT(6, "10.2") SENT(5, "31.0"),
			  "rpc-server-slow"),
		     1 + CONFIDENCE_LIKELY);
}

TEST(twin_calls_that_take_little)
{
	CHECK_EQ_U64(told(CALL(5, "10.0", ONE) CALL(6, "10.1", TWO) SENT(6, "10.2") SENT(5, "12.0")
				  CALL(5, "40.0", ONE) SENT(5, "40.1"),
			  "rpc-server-slow"),
		     0);
}

/* --- calls that it put off or dropped --- */

#define XCALL(pid, time, client, xid)                            \
	L(pid, time)                                             \
	"svc_process: addr=" client " xid=" xid " service=nfsd " \
	"vers=3 proc=GETATTR\n"
#define XEVENT(pid, time, event, client, xid) \
	L(pid, time) event ": addr=" client " xid=" xid " flags=SECURE|BUSY\n"
#define PUT_OFF(pid, time, client, xid) \
	XEVENT(pid, time, "svc_defer", client, xid) XEVENT(pid, time, "svc_drop", client, xid)
#define ANSWERED(time)     XCALL(9, time, TWO, "0x99") XEVENT(9, time, "svc_send", TWO, "0x99")
#define ASKED(time, cache) L(5, time) "cache_entry_upcall: cache=" cache " entry=00000000a7b1f3\n"
#define TOLD(time, cache)  L(4, time) "cache_entry_update: cache=" cache " entry=00000000a7b1f3\n"

static const char silent[] = "rpc-server-silent";

/* The reasons of the one finding hold this text. */
static bool why_holds(const char *text, const char *part)
{
	struct trace_told t;
	const struct finding *f;
	bool holds;

	trace_tell(text, &t);
	f = trace_found(&t, silent);
	holds = f && strstr(f->why, part);
	trace_told_deinit(&t);
	return holds;
}

TEST(calls_that_are_put_off_and_forgotten)
{
	static const char text[] = ANSWERED("10.0") XCALL(5, "11.0", ONE, "0x1")
		ASKED("11.1", "nfsd.export") PUT_OFF(5, "11.2", ONE, "0x1") ANSWERED("40.0");

	CHECK_EQ_U64(told(text, silent), 1 + CONFIDENCE_LIKELY);
	CHECK(why_holds(text, "That is what rpc.mountd is there for"));
	/* Before it was known what it calls; the client's address as newer kernels have it. */
	CHECK_EQ_U64(told(ANSWERED("10.0") L(
				  5, "11.2") "svc_defer: xid=0x1 server=192.0.2.10:2049 "
					     "client=" ONE " flags=SECURE\n" L(
						     5, "11.2") "svc_drop: xid=0x1 "
								"server=192.0.2.10:2049 client=" ONE
								" flags=SECURE\n" ANSWERED("40.0"),
			  silent),
		     1 + CONFIDENCE_LIKELY);
	/* It came again, from another port, and was put off again. */
	CHECK_EQ_U64(told(ANSWERED("10.0") XCALL(5, "11.0", ONE, "0x1") PUT_OFF(
				  5, "11.2", ONE, "0x1") XCALL(5, "38.0", "192.0.2.21:888", "0x1")
				  PUT_OFF(5, "38.1", "192.0.2.21:888", "0x1") ANSWERED("40.0"),
			  silent),
		     1 + CONFIDENCE_LIKELY);
	/* Too many of them: the first ones are dropped. */
	CHECK_EQ_U64(
		told(ANSWERED("10.0") XCALL(5, "11.0", ONE, "0x1") PUT_OFF(5, "11.2", ONE, "0x1")
			     XEVENT(6, "12.0", "svc_defer_drop", ONE, "0x1") ANSWERED("40.0"),
		     silent),
		1 + CONFIDENCE_LIKELY);
}

TEST(calls_that_are_put_off_for_an_answer_that_came)
{
	/* Not of this question: which program it is, nobody knows. */
	CHECK(why_holds(ANSWERED("10.0") XCALL(5, "11.0", ONE, "0x1") ASKED("11.1", "nfsd.export")
				PUT_OFF(5, "11.2", ONE, "0x1") TOLD("11.9", "nfsd.export")
					ANSWERED("40.0"),
			"which one this trace does not tell"));
}

TEST(calls_that_are_dropped)
{
	CHECK_EQ_U64(told(ANSWERED("10.0") XCALL(5, "11.0", ONE, "0x1")
				  XEVENT(5, "11.2", "svc_drop", ONE, "0x1") ANSWERED("40.0"),
			  silent),
		     1 + CONFIDENCE_LIKELY);
	CHECK(why_holds(ANSWERED("10.0") XCALL(5, "11.0", ONE, "0x1")
				XEVENT(5, "11.2", "svc_drop", ONE, "0x1") ANSWERED("40.0"),
			"for want of memory"));
	/* What was put off before is no matter of memory. */
	CHECK(why_holds(ANSWERED("10.0") XCALL(5, "11.0", ONE, "0x1") PUT_OFF(5, "11.2", ONE, "0x1")
				XEVENT(6, "12.0", "svc_defer_drop", ONE, "0x1") ANSWERED("40.0"),
			"which one this trace does not tell"));
}

TEST(twin_calls_that_are_answered_later)
{
	/* Taken up again. */
	CHECK_EQ_U64(told(ANSWERED("10.0") XCALL(5, "11.0", ONE, "0x1") PUT_OFF(
				  5, "11.2", ONE, "0x1") XEVENT(4, "12.0", "svc_defer_queue", ONE,
								"0x1") XCALL(6, "12.1", ONE, "0x1")
				  XEVENT(6, "12.2", "svc_send", ONE, "0x1") ANSWERED("40.0"),
			  silent),
		     0);
	/* Dropped, sent again from another port, and answered. */
	CHECK_EQ_U64(told(ANSWERED("10.0") XCALL(5, "11.0", ONE,
						 "0x1") XEVENT(5, "11.2", "svc_drop", ONE, "0x1")
				  XCALL(6, "30.1", "192.0.2.21:888", "0x1")
					  XEVENT(6, "30.2", "svc_send", "192.0.2.21:888", "0x1")
						  ANSWERED("40.0"),
			  silent),
		     0);
	/* A copy of a call that another thread is at. */
	CHECK_EQ_U64(told(ANSWERED("10.0") XCALL(5, "35.0", ONE, "0x1") XCALL(6, "35.1", ONE, "0x1")
				  XEVENT(6, "35.2", "svc_drop", ONE, "0x1") ANSWERED("42.0"),
			  silent),
		     0);
	/* A call that took long and was dropped then was not answered in the end. */
	CHECK_EQ_U64(told(ANSWERED("10.0") XCALL(5, "11.0", ONE, "0x1")
				  XEVENT(5, "31.0", "svc_drop", ONE, "0x1") ANSWERED("32.0"),
			  "rpc-server-slow"),
		     0);
}

TEST(twin_of_calls_that_are_put_off_nobody_knows)
{
	/* The trace ends soon. */
	CHECK_EQ_U64(told(ANSWERED("10.0") XCALL(5, "11.0", ONE, "0x1")
				  PUT_OFF(5, "11.2", ONE, "0x1") ANSWERED("19.0"),
			  silent),
		     0);
	/* Lines were lost, of its end perhaps. */
	CHECK_EQ_U64(told(ANSWERED("10.0") XCALL(5, "11.0", ONE, "0x1") PUT_OFF(
				  5, "11.2", ONE, "0x1") "CPU:0 [LOST 7 EVENTS]\n" ANSWERED("40.0"),
			  silent),
		     0);
	/* Answers were not traced. */
	CHECK_EQ_U64(told(XCALL(5, "11.0", ONE, "0x1") PUT_OFF(5, "11.2", ONE, "0x1")
				  XCALL(6, "40.0", TWO, "0x7"),
			  silent),
		     0);
	/* A lock that the exported file system will grant later. */
	CHECK_EQ_U64(told(ANSWERED("10.0")
				  L(5, "11.0") "svc_process: addr=" ONE
					       " xid=0x1 service=lockd vers=4 proc=LOCK\n" XEVENT(
						       5, "11.2", "svc_drop", ONE, "0x1")
						       ANSWERED("40.0"),
			  silent),
		     0);
}
