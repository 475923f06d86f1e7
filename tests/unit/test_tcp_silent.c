// SPDX-License-Identifier: GPL-2.0-or-later
/* tcp-path-silent under scripted events, and its twins. */
#include "check.h"
#include "stage.h"

struct silence {
	unsigned repeats;
	enum conn_side from;
	bool heard; /* the other side spoke on this connection before */
	bool heard_in_between;
	bool answers; /* in the end */
	uint16_t port;
};

static size_t silence_findings(const struct silence *how)
{
	struct stage st;
	struct conn c;
	struct provenance heard = {0}, since;
	enum conn_side other = how->from == CONN_FROM_CLIENT ? CONN_FROM_SERVER : CONN_FROM_CLIENT;
	double after = 0.2;
	size_t found;

	stage_init(&st);
	c = stage_conn(&st, how->port);
	script_handshake(&st.script, 1, &c);
	if (how->heard)
		heard = script_place(&st.script, 2);
	since = script_place(&st.script, 10);
	for (unsigned i = 0; i < how->repeats; i++, after = 2 * after + 0.2) {
		if (how->heard_in_between)
			heard = script_place(&st.script, 10 + after - 0.01);
		stage_again(&st, 10 + after, &c, how->from, &since, &heard);
	}
	if (how->answers)
		script_tcp(&st.script, 10 + after, &c, TCP_FACT_PROGRESS, other);
	stage_end(&st, 500, &c, true);
	found = stage_findings(&st, &rule_tcp_path_silent, 500);
	if (found) {
		const struct finding *f = stage_finding(&st, 0);

		CHECK_EQ_I64(f->first.ns, script_at(10).ns);
		CHECK_EQ_U64(f->count, how->repeats);
	}
	stage_deinit(&st);
	return found;
}

TEST(silence_speaks)
{
	struct silence how = {.repeats = 7, .heard = true, .port = 2049};

	CHECK_EQ_U64(silence_findings(&how), 1);
	how.answers = true;
	CHECK_EQ_U64(silence_findings(&how), 1);
	how.from = CONN_FROM_SERVER;
	how.repeats = 9; /* for longer than a client is away that is not missed */
	CHECK_EQ_U64(silence_findings(&how), 1);
}

TEST(silence_twins_say_nothing)
{
	const struct silence twins[] = {
		{.repeats = 4, .heard = true, .answers = true, .port = 2049}, /* 3 s */
		{.repeats = 7, .port = 2049},                                 /* one direction */
		{.repeats = 7, .heard = true, .heard_in_between = true, .port = 2049},
		{.repeats = 7, .heard = true, .port = 8080},
		/* The client was away for half a minute or less, as a machine is that was paused.
		 */
		{.repeats = 7,
		 .heard = true,
		 .answers = true,
		 .from = CONN_FROM_SERVER,
		 .port = 2049},
		/* The client is gone, and nobody waits. */
		{.repeats = 7, .heard = true, .from = CONN_FROM_SERVER, .port = 2049},
	};

	for (size_t i = 0; i < sizeof(twins) / sizeof(*twins); i++)
		CHECK_EQ_U64(silence_findings(&twins[i]), 0);
}
