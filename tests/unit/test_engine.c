// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine with rules that say what the test wants: causes, symptoms, incidents, keys, order. */
#include "check.h"
#include "diagnose/catalogue.h"
#include "diagnose/engine.h"
#include "diagnose/precedence.h"
#include "model/host.h"
#include "model/nfs4/nfs4.h"
#include "script.h"

enum { SAYS_MAX = FINDING_EXPLAINS_MAX + 8 };

#define SERVER_A "192.0.2.10"
#define SERVER_B "192.0.2.11"
#define CLIENT_1 "192.0.2.21"
#define CLIENT_2 "192.0.2.22"

/* What the test's rule says: one finding a row; seconds as in script.h. */
struct say {
	const char *id;
	const char *server; /* NULL: none */
	const char *client; /* NULL: none */
	double first, last;
	uint64_t count;
	bool possible;
};

/* A rule cannot be given anything by its caller, so the test leaves its wishes here. */
static const struct say *says;
static bool backwards;
static const struct nfs4_model *says_nfs4; /* may be NULL */
static const struct host_model *says_hosts;
static const struct evidence_list *says_evidence;
static const char *says_host; /* of what has neither server nor client; may be NULL */

static void say_one(struct diagnosis *d, const struct say *s)
{
	struct finding *f =
		diagnosis_add(d, s->id, s->possible ? CONFIDENCE_POSSIBLE : CONFIDENCE_CERTAIN);
	struct endpoint at;

	if (s->server) {
		at = script_endpoint(s->server, 2049);
		finding_set_server(d, f, &at);
	}
	if (s->client) {
		at = script_endpoint(s->client, 900);
		finding_add_client(d, f, &at);
	}
	f->first = script_at(s->first);
	f->last = script_at(s->last);
	f->count = s->count;
	f->title = s->id;
	f->host = s->server || s->client ? NULL : says_host;
}

static void say_run(const struct rule_input *in, struct diagnosis *out)
{
	size_t n = 0;

	(void)in;
	while (n < SAYS_MAX && says[n].id)
		n++;
	for (size_t i = 0; i < n; i++)
		say_one(out, &says[backwards ? n - 1 - i : i]);
}

static const struct rule say_rule = {.id = "test", .needs = "", .run = say_run};

static void diagnose_says(const struct say *rows, struct diagnosis *d)
{
	static const struct rule *const rules[] = {&say_rule};
	struct rule_input in = {.nfs4 = says_nfs4, .hosts = says_hosts, .evidence = says_evidence};

	says = rows;
	diagnosis_init(d);
	diagnose_run_rules(rules, 1, &in, d);
}

static const struct finding *finding_by(const struct diagnosis *d, const char *key)
{
	for (size_t i = 0; i < d->findings.len; i++) {
		const struct finding *f = finding_at(&d->findings, i);

		if (strcmp(f->key, key) == 0)
			return f;
	}
	return NULL;
}

static const char *headline(const struct diagnosis *d, size_t incident)
{
	if (incident >= d->incidents.len)
		return NULL;
	return ((struct incident *)vec_at(&d->incidents, incident))->headline->key;
}

static const char *explains(const struct diagnosis *d, const char *key, size_t i)
{
	const struct finding *f = finding_by(d, key);

	if (!f || i >= f->explains.len)
		return NULL;
	return finding_at(&f->explains, i)->key;
}

TEST(of_many_that_are_explained_some_are_named_and_all_counted)
{
	struct say rows[FINDING_EXPLAINS_MAX + 5] = {
		{"nfs4-client-owner-collision", SERVER_A, CLIENT_1, 1, 9, 5, false}};
	struct diagnosis d;
	const struct finding *cause;

	for (size_t i = 1; i < FINDING_EXPLAINS_MAX + 4; i++)
		rows[i] =
			(struct say){"nfs4-session-reset-loop", SERVER_A, CLIENT_1, 2, 8, i, false};
	diagnose_says(rows, &d);
	CHECK_EQ_U64(d.incidents.len, 1);
	cause = ((const struct incident *)vec_at(&d.incidents, 0))->headline;
	CHECK_EQ_U64(cause->explains.len, FINDING_EXPLAINS_MAX);
	CHECK_EQ_U64(cause->explains_more, 3);
	for (size_t i = 1; i < d.findings.len; i++)
		CHECK(finding_at(&d.findings, i)->explained);
	diagnosis_deinit(&d);
}

TEST(cause_explains_symptom)
{
	static const struct say rows[SAYS_MAX] = {
		{"nfs4-session-reset-loop", SERVER_A, CLIENT_1, 10, 60, 500, false},
		{"nfs4-client-owner-collision", SERVER_A, CLIENT_1, 9, 61, 20, false},
	};
	struct diagnosis d;

	diagnose_says(rows, &d);
	CHECK_EQ_U64(d.incidents.len, 1);
	CHECK_TEXT(headline(&d, 0), "nfs4-client-owner-collision#1");
	CHECK_TEXT(explains(&d, "nfs4-client-owner-collision#1", 0), "nfs4-session-reset-loop#1");
	CHECK(finding_by(&d, "nfs4-session-reset-loop#1")->explained);
	CHECK_TEXT(finding_at(&d.findings, 0)->key, "nfs4-client-owner-collision#1");
	CHECK_EQ_I64(((struct incident *)vec_at(&d.incidents, 0))->first.ns, script_at(9).ns);
	diagnosis_deinit(&d);
}

static const struct incident *incident_at(const struct diagnosis *d, size_t index)
{
	return vec_at(&d->incidents, index);
}

static const struct chain_link *link_at(const struct diagnosis *d, size_t index)
{
	const struct incident *in = vec_at(&d->incidents, 0);

	return index < in->chain.len ? vec_at(&in->chain, index) : NULL;
}

TEST(a_chain_goes_from_cause_to_end)
{
	static const struct say rows[SAYS_MAX] = {
		{"rpc-not-responding", SERVER_A, CLIENT_1, 70, 95, 1, false},
		{"tcp-path-silent", SERVER_A, CLIENT_1, 10, 90, 20, false},
		{"net-unreachable", SERVER_A, CLIENT_1, 9, 90, 20, false},
		{"rpc-not-responding", SERVER_A, CLIENT_1, 75, 80, 1, false},
	};
	struct diagnosis d;

	diagnose_says(rows, &d);
	CHECK_EQ_U64(d.incidents.len, 1);
	CHECK_EQ_U64(incident_at(&d, 0)->chain.len, 3);
	CHECK_TEXT(link_at(&d, 0)->finding->key, "net-unreachable#1");
	CHECK_EQ_I64(link_at(&d, 0)->after_ns, -1);
	CHECK_TEXT(link_at(&d, 1)->finding->key, "tcp-path-silent#1");
	CHECK_EQ_I64(link_at(&d, 1)->after_ns, STAMP_NS_PER_S);
	CHECK_TEXT(link_at(&d, 2)->finding->key, "rpc-not-responding#1");
	CHECK_EQ_I64(link_at(&d, 2)->after_ns, 60 * STAMP_NS_PER_S);
	CHECK_EQ_U64(link_at(&d, 2)->more, 1);
	diagnosis_deinit(&d);
}

TEST(an_outage_that_several_clients_see_is_one_incident)
{
	static const struct say rows[SAYS_MAX] = {
		{"tcp-path-silent", SERVER_A, CLIENT_1, 10, 90, 20, false},
		{"tcp-path-silent", SERVER_A, CLIENT_2, 12, 91, 5, false},
		{"tcp-syn-unanswered", SERVER_A, "192.0.2.23", 30, 88, 5, false},
	};
	struct diagnosis d;

	diagnose_says(rows, &d);
	CHECK_EQ_U64(d.incidents.len, 1);
	CHECK_EQ_U64(incident_at(&d, 0)->clients.len, 3);
	CHECK(strstr(incident_at(&d, 0)->title, "(and 2 more clients)"));
	diagnosis_deinit(&d);
}

/* Who waits for what the headline's client holds has not the same trouble. */
TEST(who_only_waits_is_not_counted_in_the_title)
{
	static const struct say rows[SAYS_MAX] = {
		{"nfs4-backchannel-down", SERVER_A, CLIENT_1, 10, 90, 20, false},
		{"nfs4-recall-unanswered", SERVER_A, CLIENT_1, 12, 91, 5, false},
		{"nfs4-recall-unanswered", SERVER_A, CLIENT_2, 12, 91, 5, false},
	};
	struct diagnosis d;

	diagnose_says(rows, &d);
	CHECK(strstr(incident_at(&d, 0)->title, "more client") == NULL);
	diagnosis_deinit(&d);
}

/* Two addresses with these server owners, and starts of the service; how many incidents there are.
 */
static size_t incidents_at_two_addresses(const char *owner, const char *other, int64_t boot_s,
					 int64_t other_boot_s)
{
	static const struct say rows[SAYS_MAX] = {
		{"tcp-path-silent", SERVER_A, CLIENT_1, 10, 90, 20, false},
		{"tcp-path-silent", SERVER_B, CLIENT_2, 12, 91, 5, false},
	};
	struct nfs4_server a = {.at = script_endpoint(SERVER_A, 2049),
				.boots = {{.boot_s = boot_s}},
				.boots_len = boot_s != 0,
				.owner = {(uint16_t)strlen(owner), (const uint8_t *)owner},
				.scope = {4, (const uint8_t *)"home"}};
	struct nfs4_server b = {.at = script_endpoint(SERVER_B, 2049),
				.boots = {{.boot_s = other_boot_s}},
				.boots_len = other_boot_s != 0,
				.owner = {(uint16_t)strlen(other), (const uint8_t *)other},
				.scope = {4, (const uint8_t *)"home"}};
	struct nfs4_model m = {0};
	struct diagnosis d;
	size_t count;

	vec_init(&m.servers, sizeof(struct nfs4_server *));
	*(struct nfs4_server **)vec_push(&m.servers) = &a;
	*(struct nfs4_server **)vec_push(&m.servers) = &b;
	says_nfs4 = &m;
	diagnose_says(rows, &d);
	says_nfs4 = NULL;
	count = d.incidents.len;
	diagnosis_deinit(&d);
	vec_deinit(&m.servers);
	return count;
}

TEST(two_addresses_of_one_server_are_one)
{
	CHECK_EQ_U64(incidents_at_two_addresses("nas", "nas", 1700000000, 1700000000), 1);
	CHECK_EQ_U64(incidents_at_two_addresses("nas", "nas", 0, 0), 1);
}

TEST(twin_two_machines_that_share_a_name)
{
	CHECK_EQ_U64(incidents_at_two_addresses("nas", "nas", 1700000000, 1700000007), 2);
	CHECK_EQ_U64(incidents_at_two_addresses("nas", "nas", 1700000000, 0), 2);
	CHECK_EQ_U64(incidents_at_two_addresses("nas", "san", 1700000000, 1700000000), 2);
	CHECK_EQ_U64(incidents_at_two_addresses("", "", 1700000000, 1700000000), 2);
}

TEST(twin_what_is_not_one_outage)
{
	/* Another server; another time; faults of which each client has its own. */
	static const struct say rows[][SAYS_MAX] = {
		{
			{"tcp-path-silent", SERVER_A, CLIENT_1, 10, 90, 20, false},
			{"tcp-path-silent", SERVER_B, CLIENT_2, 12, 91, 5, false},
		},
		{
			{"tcp-path-silent", SERVER_A, CLIENT_1, 10, 90, 20, false},
			{"tcp-path-silent", SERVER_A, CLIENT_2, 400, 490, 5, false},
		},
		{
			{"nfs4-client-owner-collision", SERVER_A, CLIENT_1, 10, 90, 20, false},
			{"nfs4-client-owner-collision", SERVER_A, CLIENT_2, 12, 91, 5, false},
		},
		{
			{"tcp-path-silent", SERVER_A, CLIENT_1, 10, 90, 20, false},
			{"tcp-loss", SERVER_A, CLIENT_2, 12, 91, 5, false},
		},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct diagnosis d;

		diagnose_says(rows[i], &d);
		CHECK_EQ_U64(d.incidents.len, 2);
		CHECK_EQ_U64(incident_at(&d, 0)->clients.len, 1);
		diagnosis_deinit(&d);
	}
}

/* What a server's stacks tell and what was captured at a client, where two hosts list addresses. */
static size_t incidents_of_host(const char *address, const char *others_address)
{
	static const struct say rows[SAYS_MAX] = {
		{"nfsd-threads-stuck", NULL, NULL, 10, 60, 4, false},
		{"rpc-server-silent", SERVER_A, CLIENT_1, 12, 58, 5, false},
	};
	struct host_fact fact = {.kind = HOST_ADDRESS};
	struct event_board board = {0};
	struct evidence_list evidence;
	struct event e = {.kind = EVENT_HOST, .host = &fact};
	struct host_model hosts;
	struct diagnosis d;
	size_t count;

	evidence_list_init(&evidence);
	evidence_list_add(&evidence, "a/ip.txt", EVIDENCE_LISTS)->host = "srv";
	evidence_list_add(&evidence, "b/ip.txt", EVIDENCE_LISTS)->host = "other";
	host_model_init(&hosts);
	host_model_attach(&hosts, &board);
	fact.address.at = script_endpoint(address, 0);
	event_emit(&board, &e);
	e.at.evidence = 1;
	fact.address.at = script_endpoint(others_address, 0);
	event_emit(&board, &e);
	says_hosts = &hosts;
	says_evidence = &evidence;
	says_host = "srv";
	diagnose_says(rows, &d);
	says_hosts = NULL;
	says_evidence = NULL;
	says_host = NULL;
	count = d.incidents.len;
	CHECK(count == 2 || finding_by(&d, "rpc-server-silent#1")->explained);
	diagnosis_deinit(&d);
	host_model_deinit(&hosts);
	evidence_list_deinit(&evidence);
	return count;
}

TEST(a_host_by_name_is_the_server_at_its_address)
{
	CHECK_EQ_U64(incidents_of_host(SERVER_A, SERVER_B), 1);
	CHECK_EQ_U64(incidents_of_host(CLIENT_1, SERVER_B), 1);
}

TEST(twin_another_address_or_one_that_two_hosts_have)
{
	CHECK_EQ_U64(incidents_of_host(SERVER_B, CLIENT_2), 2);
	CHECK_EQ_U64(incidents_of_host(SERVER_B, SERVER_A), 2);
	CHECK_EQ_U64(incidents_of_host(SERVER_A, SERVER_A), 2);
	CHECK_EQ_U64(incidents_of_host("127.0.0.1", SERVER_A), 2);
}

TEST(two_servers_are_two_incidents)
{
	static const struct say rows[SAYS_MAX] = {
		{"nfs4-client-owner-collision", SERVER_A, CLIENT_1, 9, 61, 5, false},
		{"nfs4-session-reset-loop", SERVER_B, CLIENT_1, 10, 60, 500, false},
		{"nfs4-server-restart", SERVER_B, NULL, 9, 61, 1, false},
	};
	struct diagnosis d;

	diagnose_says(rows, &d);
	CHECK_EQ_U64(d.incidents.len, 2);
	CHECK_TEXT(headline(&d, 0), "nfs4-client-owner-collision#1");
	CHECK_TEXT(headline(&d, 1), "nfs4-server-restart#1");
	CHECK(explains(&d, "nfs4-client-owner-collision#1", 0) == NULL);
	diagnosis_deinit(&d);
}

TEST(symptoms_alone_give_the_one_that_hurts_most)
{
	static const struct say rows[SAYS_MAX] = {
		{"rpc-retransmission", SERVER_A, CLIENT_1, 10, 60, 5000, false},
		{"nfs4-grace-wait", SERVER_A, CLIENT_1, 10, 60, 50, false},
	};
	struct diagnosis d;

	diagnose_says(rows, &d);
	CHECK_EQ_U64(d.incidents.len, 1);
	CHECK_TEXT(headline(&d, 0), "nfs4-grace-wait#1");
	diagnosis_deinit(&d);
}

TEST(contexts_alone_are_no_incident)
{
	static const struct say rows[SAYS_MAX] = {
		{"nlm-blocked", SERVER_A, CLIENT_1, 10, 60, 3, false},
	};
	struct diagnosis d;

	diagnose_says(rows, &d);
	CHECK_EQ_U64(d.findings.len, 1);
	CHECK_EQ_U64(d.incidents.len, 0);
	diagnosis_deinit(&d);
}

TEST(contexts_join_but_do_not_connect)
{
	static const struct say rows[SAYS_MAX] = {
		{"nlm-blocked", SERVER_A, NULL, 0, 900, 3, false},
		{"tcp-loss", SERVER_A, CLIENT_1, 10, 60, 3, false},
		{"tcp-loss", SERVER_A, CLIENT_2, 10, 60, 4, false},
	};
	struct diagnosis d;
	const struct incident *in;

	diagnose_says(rows, &d);
	if (!CHECK_EQ_U64(d.incidents.len, 2))
		return;
	in = vec_at(&d.incidents, 0);
	CHECK_TEXT(in->headline->key, "tcp-loss#2");
	CHECK_EQ_U64(in->findings.len, 2);
	diagnosis_deinit(&d);
}

TEST(one_id_on_two_clients_is_numbered_by_client)
{
	static const struct say rows[SAYS_MAX] = {
		{"nfs4-lease-expired", SERVER_A, CLIENT_2, 10, 200, 1, false},
		{"nfs4-lease-expired", SERVER_A, CLIENT_1, 500, 700, 1, false},
		{"nfs4-lock-reclaim-failed", SERVER_A, CLIENT_1, 701, 701, 1, false},
	};
	struct diagnosis d;
	const struct finding *f;

	diagnose_says(rows, &d);
	CHECK_EQ_U64(d.incidents.len, 2);
	f = finding_by(&d, "nfs4-lease-expired#1");
	if (CHECK(f != NULL))
		CHECK_TEXT(*(const char **)vec_at(&f->clients, 0), CLIENT_1);
	CHECK_TEXT(explains(&d, "nfs4-lease-expired#1", 0), "nfs4-lock-reclaim-failed#1");
	CHECK(explains(&d, "nfs4-lease-expired#2", 0) == NULL);
	diagnosis_deinit(&d);
}

TEST(precedence_goes_over_what_is_missing_between)
{
	static const struct say rows[SAYS_MAX] = {
		{"nfs4-lease-expired", SERVER_A, CLIENT_1, 100, 200, 9, false},
		{"nfs4-lock-reclaim-failed", SERVER_A, CLIENT_1, 200, 200, 9, false},
		{"host-link-down", NULL, CLIENT_1, 95, 195, 1, false},
	};
	struct diagnosis d;

	diagnose_says(rows, &d);
	CHECK_EQ_U64(d.incidents.len, 1);
	CHECK_TEXT(headline(&d, 0), "host-link-down#1");
	CHECK_TEXT(explains(&d, "host-link-down#1", 0), "nfs4-lease-expired#1");
	CHECK_TEXT(explains(&d, "host-link-down#1", 1), "nfs4-lock-reclaim-failed#1");
	CHECK_TEXT(explains(&d, "nfs4-lease-expired#1", 0), "nfs4-lock-reclaim-failed#1");
	CHECK(finding_by(&d, "nfs4-lease-expired#1")->role == ROLE_CAUSE);
	diagnosis_deinit(&d);
}

TEST(what_is_far_in_time_is_not_explained)
{
	static const struct say rows[SAYS_MAX] = {
		{"nfs4-server-restart", SERVER_A, NULL, 1000, 1003, 1, false},
		{"tcp-syn-refused", SERVER_A, CLIENT_1, 100, 110, 4, false},   /* long before */
		{"nfs4-grace-wait", SERVER_A, CLIENT_1, 2000, 2010, 4, false}, /* long after */
	};
	struct diagnosis d;

	diagnose_says(rows, &d);
	CHECK_EQ_U64(d.incidents.len, 3);
	CHECK(explains(&d, "nfs4-server-restart#1", 0) == NULL);
	CHECK_TEXT(headline(&d, 0), "nfs4-server-restart#1");
	CHECK_TEXT(headline(&d, 1), "tcp-syn-refused#1");
	CHECK_TEXT(headline(&d, 2), "nfs4-grace-wait#1");
	diagnosis_deinit(&d);
}

TEST(other_client_is_not_explained)
{
	static const struct say rows[SAYS_MAX] = {
		{"nfs4-client-owner-collision", SERVER_A, CLIENT_1, 0, 100, 1, false},
		{"nfs4-session-reset-loop", SERVER_A, CLIENT_2, 0, 100, 1, false},
	};
	struct diagnosis d;

	diagnose_says(rows, &d);
	CHECK_EQ_U64(d.incidents.len, 2);
	CHECK(explains(&d, "nfs4-client-owner-collision#1", 0) == NULL);
	diagnosis_deinit(&d);
}

TEST(a_guess_does_not_take_the_headline_from_a_proof)
{
	static const struct say rows[SAYS_MAX] = {
		{"nfs4-server-restart", SERVER_A, NULL, 100, 103, 1, true},
		{"tcp-syn-refused", SERVER_A, CLIENT_1, 100, 110, 4, false},
		{"nfs4-grace-wait", SERVER_A, CLIENT_1, 110, 130, 4, false},
	};
	struct diagnosis d;

	diagnose_says(rows, &d);
	CHECK_EQ_U64(d.incidents.len, 1);
	CHECK_TEXT(headline(&d, 0), "tcp-syn-refused#1");
	CHECK_TEXT(explains(&d, "nfs4-server-restart#1", 0), "nfs4-grace-wait#1");
	diagnosis_deinit(&d);
}

TEST(the_order_of_rules_leaves_no_trace)
{
	static const struct say rows[SAYS_MAX] = {
		{"tcp-syn-refused", SERVER_A, CLIENT_1, 100, 110, 4, false},
		{"tcp-syn-refused", SERVER_B, CLIENT_1, 100, 110, 4, false},
		{"tcp-syn-refused", SERVER_A, CLIENT_2, 100, 110, 4, false},
		{"nfs4-server-restart", SERVER_B, NULL, 100, 103, 1, false},
	};
	struct diagnosis d, e;

	diagnose_says(rows, &d);
	backwards = true;
	diagnose_says(rows, &e);
	backwards = false;
	CHECK_EQ_U64(d.findings.len, e.findings.len);
	for (size_t i = 0; i < d.findings.len; i++) {
		const struct finding *x = finding_at(&d.findings, i);
		const struct finding *y = finding_at(&e.findings, i);

		CHECK_TEXT(x->key, y->key);
		CHECK_TEXT(x->server, y->server);
	}
	diagnosis_deinit(&d);
	diagnosis_deinit(&e);
}

TEST(precedence_names_known_ids_and_has_no_circle)
{
	struct precedence p;
	const char *left, *right;

	CHECK(catalogue_ids_count <= PRECEDENCE_IDS_MAX);
	precedence_init(&p);
	for (size_t i = 0; precedence_row(i, &left, &right); i++) {
		CHECK(catalogue_id_find(left) != NULL);
		CHECK(catalogue_id_find(right) != NULL);
		CHECK(precedence_explains(&p, left, right));
		CHECK(!precedence_explains(&p, right, left));
		/* A cause is never explained by a symptom: a headline would be lost. */
		CHECK(catalogue_id_find(left)->role <= catalogue_id_find(right)->role);
	}
	CHECK(!precedence_explains(&p, "tcp-path-silent", "tcp-syn-unanswered"));
	CHECK(precedence_explains(&p, "net-unreachable", "nfs4-lock-reclaim-failed"));
}

TEST(every_rule_has_a_page_and_every_page_a_rule)
{
	size_t page = 0;

	/* Several rules may make one id, each from evidence of its own; they stand together. */
	for (size_t i = 0; i < diagnose_rules_count; i++) {
		CHECK(catalogue_find(diagnose_rules[i]->id) != NULL);
		if (i > 0 && strcmp(diagnose_rules[i - 1]->id, diagnose_rules[i]->id) == 0)
			continue;
		CHECK_TEXT(catalogue_pages[page].id, diagnose_rules[i]->id);
		page++;
	}
	CHECK_EQ_U64(catalogue_pages_count, page);
	CHECK(catalogue_find("no-such-id") == NULL);
	for (size_t i = 1; i < catalogue_ids_count; i++)
		CHECK(strcmp(catalogue_ids[i - 1].id, catalogue_ids[i].id) < 0);
}

TEST(cites_are_in_order_of_time_and_once_each)
{
	struct diagnosis d;
	struct finding *f;
	struct provenance at = {.evidence = 0, .frame = 5, .at = script_at(5)};

	diagnosis_init(&d);
	f = diagnosis_add(&d, "tcp-syn-refused", CONFIDENCE_CERTAIN);
	finding_cite(&d, f, &at, NULL, "the %s", "later");
	finding_cite(&d, f, &at, NULL, "again");
	at.frame = FRAME_NONE;
	finding_cite(&d, f, &at, NULL, "nowhere");
	for (uint64_t i = 20; i > 0; i--) {
		at = (struct provenance){.frame = i + 10, .at = script_at((double)i / 10)};
		finding_cite(&d, f, &at, NULL, "number %d", (int)i);
	}
	CHECK_EQ_U64(f->cites.len, FINDING_CITES_MAX);
	CHECK_TEXT(((struct cite *)vec_at(&f->cites, 0))->text, "number 14");
	CHECK_TEXT(((struct cite *)vec_at(&f->cites, 7))->text, "the later");
	diagnosis_deinit(&d);
}

TEST(remedies_of_the_rule_go_first)
{
	struct diagnosis d;
	struct finding *f;

	diagnosis_init(&d);
	f = diagnosis_add(&d, "tcp-syn-refused", CONFIDENCE_CERTAIN);
	CHECK(f->remedy.len > 0 && f->references.len > 0);
	finding_add_remedy(&d, f, "first");
	finding_add_remedy(&d, f, "second");
	CHECK_TEXT(*(const char **)vec_at(&f->remedy, 0), "first");
	CHECK_TEXT(*(const char **)vec_at(&f->remedy, 1), "second");
	CHECK_TEXT(*(const char **)vec_at(&f->remedy, 2),
		   catalogue_find("tcp-syn-refused")->remedy[0]);
	diagnosis_undecided(&d, "tcp-loss", "a fact", "how");
	diagnosis_undecided(&d, "tcp-loss", "a fact", "how");
	CHECK_EQ_U64(d.undecided.len, 1);
	diagnosis_deinit(&d);
}
