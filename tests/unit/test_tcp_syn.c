// SPDX-License-Identifier: GPL-2.0-or-later
/* Connections that do not come about, under scripted events: where the rules must speak, and twins.
 */
#include "check.h"
#include "stage.h"

/* SYNs at 0, 1, 3, 7, 15 ... s after `at`; returns the time of the last. */
static double syns(struct stage *st, double at, const struct conn *c, unsigned count)
{
	double after = 0;

	for (unsigned i = 0; i < count; i++) {
		after = i ? 2 * after + 1 : 0;
		script_tcp(&st->script, at + after, c, i ? TCP_FACT_SYN_REPEAT : TCP_FACT_SYN,
			   CONN_FROM_CLIENT);
	}
	return at + after;
}

static size_t unanswered(unsigned count, double end, bool both, bool succeeds)
{
	struct stage st;
	struct conn c, healthy;
	size_t found;

	stage_init(&st);
	healthy = stage_conn(&st, 80);
	script_tcp(&st.script, 0.1, &healthy, TCP_FACT_SYN, CONN_FROM_CLIENT);
	stage_end(&st, 0.2, &healthy, both);
	c = stage_conn(&st, 2049);
	syns(&st, 10, &c, count);
	stage_end(&st, 100, &c, false);
	if (succeeds)
		stage_works(&st, 120, 2049);
	found = stage_findings(&st, &rule_tcp_syn_unanswered, end);
	if (found) {
		const struct finding *f = stage_finding(&st, 0);

		CHECK_TEXT(finding_confidence_name(f->confidence), "likely");
		CHECK_TEXT(f->server, STAGE_SERVER);
		CHECK_EQ_U64(f->count, count);
		CHECK_EQ_I64(f->first.ns, script_at(10).ns);
		if (succeeds)
			CHECK_EQ_I64(f->last.ns, script_at(120.0001).ns);
	}
	stage_deinit(&st);
	return found;
}

TEST(unanswered_syns_speak)
{
	CHECK_EQ_U64(unanswered(5, 200, true, false), 1);
	CHECK_EQ_U64(unanswered(5, 200, true, true), 1);
}

TEST(a_lost_syn_or_two_say_nothing)
{
	CHECK_EQ_U64(unanswered(1, 200, true, true), 0);
	CHECK_EQ_U64(unanswered(2, 200, true, true), 0);
	CHECK_EQ_U64(unanswered(2, 200, true, false), 0);
}

TEST(one_direction_proves_nothing)
{
	CHECK_EQ_U64(unanswered(5, 200, false, false), 0);
}

TEST(the_end_of_the_capture_proves_nothing)
{
	CHECK_EQ_U64(unanswered(3, 13.2, true, false), 0);
	CHECK_EQ_U64(unanswered(3, 15, true, false), 1);
}

/* Of a connection that was tried for long when the capture began, which ends with the last try. */
static size_t tried_for_long(unsigned count)
{
	struct stage st;
	struct conn c, healthy;
	double at = 10, apart = 16;
	size_t found;

	stage_init(&st);
	healthy = stage_conn(&st, 80);
	script_tcp(&st.script, 0.1, &healthy, TCP_FACT_SYN, CONN_FROM_CLIENT);
	stage_end(&st, 0.2, &healthy, true);
	c = stage_conn(&st, 2049);
	for (unsigned i = 0; i < count; i++, at += apart, apart *= 2)
		script_tcp(&st.script, at, &c, i ? TCP_FACT_SYN_REPEAT : TCP_FACT_SYN,
			   CONN_FROM_CLIENT);
	at -= apart / 2;
	stage_end(&st, at + 0.01, &c, false);
	found = stage_findings(&st, &rule_tcp_syn_unanswered, at + 0.02);
	stage_deinit(&st);
	return found;
}

TEST(a_capture_that_begins_late_holds_few_syns)
{
	CHECK_EQ_U64(tried_for_long(3), 1);
	CHECK_EQ_U64(tried_for_long(2), 0);
}

/* One SYN an attempt: the client did not have to repeat any, so it was answered. */
TEST(twin_attempts_that_are_given_up_at_once_are_silent)
{
	struct stage st;

	stage_init(&st);
	stage_works(&st, 1, 80);
	for (unsigned i = 0; i < 8; i++) {
		struct conn c = stage_conn(&st, 2049);

		syns(&st, 10 * (i + 1), &c, 1);
		stage_end(&st, 10 * (i + 1) + 5, &c, false);
	}
	CHECK_EQ_U64(stage_findings(&st, &rule_tcp_syn_unanswered, 200), 0);
	stage_deinit(&st);
}

TEST(a_port_of_something_else_is_no_business_of_ours)
{
	struct stage st;
	struct conn c;

	stage_init(&st);
	stage_works(&st, 1, 2049);
	c = stage_conn(&st, 8080);
	syns(&st, 10, &c, 6);
	stage_end(&st, 100, &c, false);
	CHECK_EQ_U64(stage_findings(&st, &rule_tcp_syn_unanswered, 200), 0);
	stage_deinit(&st);
}

/* The handshake completes after so many SYN-ACKs, or never (0). */
static size_t unacknowledged(unsigned syn_acks, bool completes)
{
	struct stage st;
	struct conn c;
	size_t found;
	double at = 10;

	stage_init(&st);
	c = stage_conn(&st, 111);
	for (unsigned i = 0; i < syn_acks; i++, at = 2 * at - 9) {
		script_tcp(&st.script, at, &c, i ? TCP_FACT_SYN_REPEAT : TCP_FACT_SYN,
			   CONN_FROM_CLIENT);
		script_tcp(&st.script, at + 0.001, &c, TCP_FACT_SYN_ACK, CONN_FROM_SERVER);
	}
	if (completes)
		script_tcp(&st.script, at, &c, TCP_FACT_ESTABLISHED, CONN_FROM_CLIENT);
	stage_end(&st, at + 10, &c, true);
	found = stage_findings(&st, &rule_tcp_synack_unacknowledged, at + 100);
	CHECK_EQ_U64(stage_findings(&st, &rule_tcp_syn_unanswered, at + 100), found);
	stage_deinit(&st);
	return found;
}

TEST(synack_repeated_in_vain_speaks)
{
	CHECK_EQ_U64(unacknowledged(5, false), 1);
	CHECK_EQ_U64(unacknowledged(5, true), 1);
}

TEST(synack_lost_once_says_nothing)
{
	CHECK_EQ_U64(unacknowledged(1, true), 0);
	CHECK_EQ_U64(unacknowledged(2, true), 0);
}

/* Knocked at again and again from one port, and each SYN-ACK is answered by RST: a scanner. */
TEST(twin_synack_that_the_client_rejects_says_nothing)
{
	struct stage st;
	struct conn c;

	stage_init(&st);
	c = stage_conn(&st, 2049);
	for (unsigned i = 0; i < 5; i++) {
		script_tcp(&st.script, 10 + i * 5, &c, i ? TCP_FACT_SYN_REPEAT : TCP_FACT_SYN,
			   CONN_FROM_CLIENT);
		script_tcp(&st.script, 10.001 + i * 5, &c, TCP_FACT_SYN_ACK, CONN_FROM_SERVER);
		script_tcp(&st.script, 10.002 + i * 5, &c, TCP_FACT_RST, CONN_FROM_CLIENT);
	}
	stage_end(&st, 40, &c, true);
	CHECK_EQ_U64(stage_findings(&st, &rule_tcp_synack_unacknowledged, 200), 0);
	stage_deinit(&st);
}

/* SYN-ACKs come again, and nobody asked again: forged, or a scanner that drops them. */
TEST(twin_synack_repeated_to_who_asked_once_is_undecided)
{
	struct stage st;
	struct conn c;

	stage_init(&st);
	c = stage_conn(&st, 2049);
	script_tcp(&st.script, 10, &c, TCP_FACT_SYN, CONN_FROM_CLIENT);
	for (unsigned i = 0; i < 5; i++)
		script_tcp(&st.script, 10.001 + (1 << i), &c, TCP_FACT_SYN_ACK, CONN_FROM_SERVER);
	stage_end(&st, 60, &c, true);
	CHECK_EQ_U64(stage_findings(&st, &rule_tcp_synack_unacknowledged, 200), 0);
	stage_deinit(&st);
}

/* So many challenges, 3 s apart, each followed by RST and the same SYN; and success or not. */
static size_t challenged(unsigned count, bool succeeds)
{
	struct stage st;
	struct conn c;
	size_t found;

	stage_init(&st);
	c = stage_conn(&st, 2049);
	for (unsigned i = 0; i < count; i++) {
		script_tcp(&st.script, 10 + i * 3, &c, i ? TCP_FACT_SYN_REPEAT : TCP_FACT_SYN,
			   CONN_FROM_CLIENT);
		script_tcp(&st.script, 10.1 + i * 3, &c, TCP_FACT_BARE_ACK_TO_SYN,
			   CONN_FROM_SERVER);
	}
	if (succeeds)
		script_handshake(&st.script, 11 + count * 3, &c);
	stage_end(&st, 100, &c, true);
	found = stage_findings(&st, &rule_tcp_syn_challenged, 200);
	stage_deinit(&st);
	return found;
}

TEST(challenged_again_and_again_speaks)
{
	CHECK_EQ_U64(challenged(6, false), 1);
}

TEST(challenged_once_says_nothing)
{
	CHECK_EQ_U64(challenged(1, true), 0);
	CHECK_EQ_U64(challenged(1, false), 0);
}
