// SPDX-License-Identifier: GPL-2.0-or-later
/* Which of several causes of one incident has the headline, by how certain they are. */
#include "check.h"
#include "diagnose/engine.h"
#include "script.h"

/* What the test's rule says, all of one client and one server; NULL ends it. */
struct cause {
	const char *id;
	enum finding_confidence confidence;
};

/* A rule cannot be given anything by its caller, so the test leaves its wishes here. */
static const struct cause *causes;

static void causes_run(const struct rule_input *in, struct diagnosis *out)
{
	struct endpoint server = script_endpoint("192.0.2.10", 2049);
	struct endpoint client = script_endpoint("192.0.2.21", 900);

	(void)in;
	for (const struct cause *c = causes; c->id; c++) {
		struct finding *f = diagnosis_add(out, c->id, c->confidence);

		finding_set_server(out, f, &server);
		finding_add_client(out, f, &client);
		f->first = script_at(100);
		f->last = script_at(130);
		f->count = 1;
		f->title = c->id;
	}
}

static void check_headline(const struct cause *says, const char *want)
{
	static const struct rule rule = {.id = "test", .needs = "", .run = causes_run};
	static const struct rule *const rules[] = {&rule};
	struct rule_input in = {0};
	struct diagnosis d;

	causes = says;
	diagnosis_init(&d);
	diagnose_run_rules(rules, 1, &in, &d);
	if (CHECK_EQ_U64(d.incidents.len, 1))
		CHECK_TEXT(((struct incident *)vec_at(&d.incidents, 0))->headline->id, want);
	diagnosis_deinit(&d);
}

TEST(what_is_certain_goes_before_a_harm_that_is_likely)
{
	static const struct cause says[] = {{"nfs4-client-owner-collision", CONFIDENCE_LIKELY},
					    {"nfs4-server-restart", CONFIDENCE_CERTAIN},
					    {NULL, CONFIDENCE_POSSIBLE}};

	check_headline(says, "nfs4-server-restart");
}

TEST(a_harm_that_is_as_certain_goes_first)
{
	static const struct cause says[] = {{"nfs4-server-restart", CONFIDENCE_LIKELY},
					    {"nfs4-client-owner-collision", CONFIDENCE_LIKELY},
					    {NULL, CONFIDENCE_POSSIBLE}};

	check_headline(says, "nfs4-client-owner-collision");
}

TEST(what_is_likely_goes_first_where_it_explains_what_is_certain)
{
	static const struct cause says[] = {{"tcp-syn-refused", CONFIDENCE_CERTAIN},
					    {"nfs4-server-restart", CONFIDENCE_LIKELY},
					    {NULL, CONFIDENCE_POSSIBLE}};

	check_headline(says, "nfs4-server-restart");
}
