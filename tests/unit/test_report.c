// SPDX-License-Identifier: GPL-2.0-or-later
/* The writers, on diagnoses made by hand. */
#include "check.h"
#include "report/writer.h"

#include <string.h>

struct scene {
	struct evidence_list evidence;
	struct diagnosis diagnosis;
	struct report_totals totals;
	struct strbuf out;
};

static void scene_init(struct scene *s)
{
	*s = (struct scene){.totals = {.frames = 7, .connections = 2, .rpc_connections = 1}};
	evidence_list_init(&s->evidence);
	evidence_list_add(&s->evidence, "client.pcap", EVIDENCE_PCAP)->records = 7;
	diagnosis_init(&s->diagnosis);
	strbuf_init(&s->out);
}

static void scene_deinit(struct scene *s)
{
	strbuf_deinit(&s->out);
	diagnosis_deinit(&s->diagnosis);
	evidence_list_deinit(&s->evidence);
}

static const char *scene_write(struct scene *s, const struct report_writer *writer)
{
	struct report_input in = {&s->diagnosis, &s->evidence, s->totals};
	struct report_options options = {.width = 100};

	strbuf_reset(&s->out);
	writer->write(&in, &options, &s->out);
	return strbuf_text(&s->out);
}

static struct finding *scene_add(struct scene *s, const char *id, const char *key,
				 enum finding_confidence confidence)
{
	struct provenance at = {.frame = 5, .at = stamp_utc(INT64_C(1795309769355655000))};
	struct conn conn = {.server = {.port = 2049}};
	struct finding *f = diagnosis_add(&s->diagnosis, id, confidence);

	f->key = key;
	f->title = "what happened";
	f->why = "because";
	f->first = f->last = at.at;
	f->count = 1;
	finding_cite(&s->diagnosis, f, &at, &conn, "the frame");
	return f;
}

/* An incident with this headline. */
static void scene_headline(struct scene *s, struct finding *f)
{
	struct incident *i = vec_push(&s->diagnosis.incidents);

	i->headline = f;
	i->title = f->title;
	i->first = f->first;
	i->last = f->last;
	vec_init(&i->findings, sizeof(struct finding *));
	*(struct finding **)vec_push(&i->findings) = f;
	vec_init(&i->clients, sizeof(const char *));
	for (size_t k = 0; k < f->clients.len; k++)
		*(const char **)vec_push(&i->clients) =
			*(const char *const *)vec_at(&f->clients, k);
	vec_init(&i->chain, sizeof(struct chain_link));
	*(struct chain_link *)vec_push(&i->chain) =
		(struct chain_link){.at = f->first, .after_ns = -1, .text = f->title, .finding = f};
}

static size_t place(const char *text, const char *part)
{
	const char *found = strstr(text, part);

	return found ? (size_t)(found - text) : SIZE_MAX;
}

TEST(report_says_what_was_looked_at_when_nothing_is_found)
{
	const char *text;
	struct scene s;

	scene_init(&s);
	text = scene_write(&s, &report_text);
	CHECK(strncmp(text, "NO CAUSE FOUND", 14) == 0);
	CHECK(strstr(text, "7 packets in 1 capture; 2 TCP connections, 1 with RPC"));
	CHECK(strstr(text, "does not say that all was well"));
	s.totals.rpc_connections = 0;
	CHECK(strstr(scene_write(&s, &report_text), "There is no RPC in it"));
	evidence_list_at(&s.evidence, 0)->kind = EVIDENCE_UNREAD;
	evidence_list_at(&s.evidence, 0)->problem = "is empty";
	text = scene_write(&s, &report_text);
	CHECK(strncmp(text, "NOTHING COULD BE READ", 21) == 0);
	CHECK(strstr(text, "not read: is empty"));
	scene_deinit(&s);
}

TEST(report_tells_what_was_not_kept)
{
	const char *text;
	struct scene s;

	scene_init(&s);
	CHECK(!strstr(scene_write(&s, &report_text), "more than is kept"));
	CHECK(!strstr(scene_write(&s, &report_json), "not_kept"));
	s.totals.not_kept[0] = (struct report_not_kept){.what = "connections", .count = 1200};
	s.totals.not_kept[1] = (struct report_not_kept){.what = "locks", .count = 3};
	s.totals.not_kept[2] = (struct report_not_kept){.what = "mounts"};
	s.totals.not_kept_len = 3;
	text = scene_write(&s, &report_text);
	CHECK(strstr(text, "1,200 connections and 3 locks were let go; no room was left for"));
	CHECK(strstr(text, "some mounts"));
	text = scene_write(&s, &report_json);
	CHECK(place(text, "not_kept") < place(text, "\"count\": 1200"));
	CHECK(place(text, "\"what\": \"mounts\"") < place(text, "\"count\": null"));
	scene_deinit(&s);
}

TEST(report_does_not_repeat_what_standard_error_told)
{
	struct scene s;
	struct report_input in = {0};
	struct report_options options = {.width = 100, .unread_told = true};

	scene_init(&s);
	in = (struct report_input){&s.diagnosis, &s.evidence, {.files_passed = 1}};
	report_text.write(&in, &options, &s.out);
	CHECK(strstr(strbuf_text(&s.out), "client.pcap")); /* it was read */
	CHECK(strstr(strbuf_text(&s.out), "1 other file there is no evidence"));
	evidence_list_at(&s.evidence, 0)->kind = EVIDENCE_UNREAD;
	evidence_list_at(&s.evidence, 0)->problem = "is empty";
	strbuf_reset(&s.out);
	report_text.write(&in, &options, &s.out);
	CHECK(!strstr(strbuf_text(&s.out), "is empty"));
	CHECK(strstr(strbuf_text(&s.out), "\n        tcpdump -i any "));
	scene_deinit(&s);
}

TEST(report_does_not_list_hundreds_of_clients)
{
	struct scene s;
	struct finding *f;

	scene_init(&s);
	f = scene_add(&s, "tcp-syn-refused", "a", CONFIDENCE_CERTAIN);
	for (uint8_t i = 1; i <= 40; i++) {
		struct endpoint client = {
			.addr = {[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = i}};

		finding_add_client(&s.diagnosis, f, &client);
	}
	scene_headline(&s, f);
	CHECK(strstr(scene_write(&s, &report_text),
		     "clients: 40: 192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4 and 36 more\n"));
	CHECK(strstr(scene_write(&s, &report_json), "192.0.2.40"));
	scene_deinit(&s);
}

TEST(report_says_where_a_consequence_outlasts_what_was_seen_of_its_cause)
{
	for (int64_t minutes = 1; minutes <= 61; minutes += 60) {
		struct finding *cause, *symptom;
		struct scene s;

		scene_init(&s);
		cause = scene_add(&s, "nfs4-server-restart", "a#1", CONFIDENCE_LIKELY);
		symptom = scene_add(&s, "nfs4-grace-wait", "b#1", CONFIDENCE_CERTAIN);
		symptom->explained = true;
		symptom->last.ns = cause->last.ns + minutes * 60 * STAMP_NS_PER_S;
		*(struct finding **)vec_push(&cause->explains) = symptom;
		scene_headline(&s, cause);
		CHECK((strstr(scene_write(&s, &report_text), "up to 61 min 0 s") != NULL) ==
		      (minutes > 10));
		scene_deinit(&s);
	}
}

TEST(report_tells_in_the_order_of_need)
{
	struct finding *cause;
	struct finding *symptom;
	const char *text;
	struct scene s;

	scene_init(&s);
	cause = scene_add(&s, "nfs4-server-restart", "a#1", CONFIDENCE_LIKELY);
	symptom = scene_add(&s, "nfs4-grace-wait", "b#1", CONFIDENCE_CERTAIN);
	symptom->explained = true;
	symptom->title = "calls waited";
	*(struct finding **)vec_push(&cause->explains) = symptom;
	finding_rule_out(&s.diagnosis, cause, "nfs4-lease-expired", "it was not silent");
	scene_headline(&s, cause);
	*(struct chain_link *)vec_push(
		&((struct incident *)vec_at(&s.diagnosis.incidents, 0))->chain) =
		(struct chain_link){.at = symptom->first,
				    .after_ns = 61 * STAMP_NS_PER_S,
				    .text = symptom->title,
				    .finding = symptom,
				    .cite = vec_at(&symptom->cites, 0),
				    .more = 2};
	diagnosis_undecided(&s.diagnosis, "tcp-loss", "the other side", "tcpdump there");
	text = scene_write(&s, &report_text);
	CHECK(strncmp(text, "LIKELY CAUSE: what happened\n", 28) == 0);
	CHECK(strstr(text, "chain: 01:09:29.355655 it begins -> 61.0 s later: calls waited, and 2 "
			   "more like it (e1 frame 5)"));
	CHECK(place(text, "chain:") < place(text, "\nWhy\n"));
	CHECK(place(text, "\nWhy\n") < place(text, "\nIt explains\n"));
	CHECK(place(text, "\nIt explains\n") < place(text, "\nRuled out\n"));
	CHECK(place(text, "\nRuled out\n") < place(text, "\nProof\n"));
	CHECK(place(text, "\nProof\n") < place(text, "\nOther findings\n"));
	CHECK(place(text, "\nOther findings\n") < place(text, "\nCould not be decided\n"));
	CHECK(place(text, "\nCould not be decided\n") < place(text, "\nEvidence\n"));
	CHECK(strstr(text, "symptom, explained above: calls waited"));
	CHECK(strstr(text, "  frame 5, 01:09:29.355655: the frame\n"
			   "      tshark -r client.pcap -d tcp.port==2049,rpc -o "
			   "tcp.reassemble_out_of_order:TRUE -Y 'frame.number==5' -V\n"));
	scene_deinit(&s);
}

TEST(report_numbers_several_incidents)
{
	const char *text;
	struct scene s;

	scene_init(&s);
	scene_headline(&s, scene_add(&s, "nfs4-server-restart", "a#1", CONFIDENCE_CERTAIN));
	scene_headline(&s, scene_add(&s, "nfs4-grace-wait", "b#1", CONFIDENCE_CERTAIN));
	text = scene_write(&s, &report_text);
	CHECK(strncmp(text, "2 independent incidents, the gravest first:\n  1. CAUSE: ", 54) == 0);
	CHECK(strstr(text, "\n\nIncident 1 of 2\nCAUSE: "));
	CHECK(strstr(text, "Incident 2 of 2\nSYMPTOM, NO CAUSE FOUND: "));
	CHECK(!strstr(text, "Other findings"));
	scene_deinit(&s);
}

TEST(report_makes_paths_safe)
{
	struct scene s;

	scene_init(&s);
	evidence_list_at(&s.evidence, 0)->path = "a\033[2J\xff";
	scene_headline(&s, scene_add(&s, "nfs4-grace-wait", "b#1", CONFIDENCE_CERTAIN));
	CHECK(!strchr(scene_write(&s, &report_text), '\033'));
	CHECK(strstr(strbuf_text(&s.out), "a\\x1b[2J\\xff"));
	CHECK(strstr(scene_write(&s, &report_json), "\"path\": \"a\\u001b[2J\\u00ff\""));
	scene_deinit(&s);
}

TEST(report_json_has_its_keys_in_order)
{
	static const char *const keys[] = {
		"{\n  \"schema\": \"nfsleuth.diagnosis/1\"",
		"\n  \"evidence\": [",
		"\n  \"findings\": [",
		"\"key\": \"a#1\"",
		"\"subjects\": {",
		"\"cites\": [",
		"\"explains\": [",
		"\n  \"incidents\": [",
		"\n  \"headline\": \"nfs4-server-restart\"",
		"\n  \"undecided\": []\n}\n",
	};
	struct finding *f;
	const char *text;
	struct scene s;

	scene_init(&s);
	f = scene_add(&s, "nfs4-server-restart", "a#1", CONFIDENCE_CERTAIN);
	finding_subject(&s.diagnosis, f, "minor version", "1");
	finding_subject(&s.diagnosis, f, "instance", "x");
	finding_subject(&s.diagnosis, f, "instance", "y");
	scene_headline(&s, f);
	text = scene_write(&s, &report_json);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		CHECK(strstr(text, keys[i]));
	for (size_t i = 1; i < sizeof(keys) / sizeof(keys[0]); i++)
		CHECK(place(text, keys[i - 1]) < place(text, keys[i]));
	CHECK(strstr(text, "\"minor_version\": \"1\",\n        \"instance\": [\n          \"x\","));
	scene_deinit(&s);
}

TEST(report_json_of_nothing)
{
	struct scene s;

	scene_init(&s);
	CHECK(strstr(scene_write(&s, &report_json),
		     "\"findings\": [],\n  \"incidents\": [],\n  "
		     "\"headline\": null,\n  \"undecided\": []\n}\n"));
	CHECK(strstr(strbuf_text(&s.out),
		     "\"first\": null,\n      \"last\": null,\n      \"clock\": "
		     "null"));
	scene_deinit(&s);
}
