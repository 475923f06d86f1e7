// SPDX-License-Identifier: GPL-2.0-or-later
/* rpc-auth-refused under scripted events, and its twins. */
#include "check.h"
#include "stage.h"

enum { AUTH_SYS = 1, AUTH_GSS = 6, AUTH_TLS = 7, TOOWEAK = 5 };

static void answer(struct stage *st, double at, const struct conn *c, uint32_t flavor, bool refused)
{
	struct rpc_call rpc = {.conn = c,
			       .program = STAGE_NFS,
			       .version = 4,
			       .procedure = 1,
			       .cred_flavor = flavor,
			       .has_call = true,
			       .outcome = refused ? RPC_AUTH_ERROR : RPC_SUCCESS,
			       .auth_stat = refused ? TOOWEAK : 0};

	rpc.call = script_place(&st->script, at);
	script_rpc(&st->script, at + 0.001, EVENT_RPC_REPLY, &rpc);
}

/* So many refusals of a flavor, a second apart; each followed by a success with `between`. */
static size_t auth_findings(unsigned count, uint32_t flavor, uint32_t between, uint32_t agreed)
{
	struct stage st;
	struct conn c;
	size_t found;

	stage_init(&st);
	c = stage_conn(&st, 2049);
	for (unsigned i = 0; i < count; i++) {
		answer(&st, 10 + i, &c, flavor, true);
		if (between)
			answer(&st, 10.5 + i, &c, between, false);
	}
	if (agreed)
		answer(&st, 10.9, &c, agreed, false);
	found = stage_findings(&st, &rule_rpc_auth_refused, 100);
	if (found)
		CHECK_EQ_U64(stage_finding(&st, 0)->count, count);
	stage_deinit(&st);
	return found;
}

TEST(refused_again_and_again_speaks)
{
	CHECK_EQ_U64(auth_findings(6, AUTH_SYS, 0, 0), 1);
}

TEST(refused_twins_say_nothing)
{
	CHECK_EQ_U64(auth_findings(1, AUTH_SYS, 0, AUTH_GSS), 0);
	CHECK_EQ_U64(auth_findings(6, AUTH_GSS, AUTH_GSS, 0), 0);
	CHECK_EQ_U64(auth_findings(6, AUTH_TLS, 0, 0), 0);
}
