// SPDX-License-Identifier: GPL-2.0-or-later
/* See host_readings.h. */
#include "diagnose/rules/host/host_readings.h"

#include "diagnose/rules/timers.h"

#include <inttypes.h>

/* So many sent again, and so much of all, that they may be what somebody waits for. */
enum { RESENT_MIN = 20, RESENT_PERCENT_MIN = 1, RESENT_FEW_MIN = 5, RESENT_FEW_PERCENT_MIN = 10 };

static bool is_near(const struct rule_input *in, uint32_t a, uint32_t b)
{
	return a == b || timers_one_folder(in, a, b);
}

static const char *skip_digits(const char *text)
{
	while (*text >= '0' && *text <= '9')
		text++;
	return text;
}

bool host_readings_one_host(const struct rule_input *in, uint32_t a, uint32_t b)
{
	const char *x, *y;

	if (a == b)
		return true;
	if (!timers_one_folder(in, a, b))
		return false;
	x = evidence_list_at(in->evidence, a)->path;
	y = evidence_list_at(in->evidence, b)->path;
	for (x = skip_digits(x), y = skip_digits(y); *x && *x == *y;
	     x = skip_digits(x + 1), y = skip_digits(y + 1))
		;
	return *x == *y;
}

/* The counter in one reading, its parts summed; false: it does not tell it. */
static bool counted(const struct rule_input *in, uint32_t list, enum host_counter counter,
		    uint64_t *value, struct provenance *at)
{
	const struct host_record *r;
	size_t i = 0;
	bool found = false;

	*value = 0;
	while ((r = host_model_next(in->hosts, HOST_COUNTER, &i))) {
		if (r->fact.list != list || r->fact.counter.counter != counter)
			continue;
		if (!found)
			*at = r->at;
		found = true;
		if (__builtin_add_overflow(*value, r->fact.counter.value, value))
			*value = UINT64_MAX;
	}
	return found;
}

bool host_readings_find(const struct rule_input *in, enum host_counter counter, uint32_t evidence,
			struct host_readings *out)
{
	const struct host_record *r, *first = NULL, *last = NULL;
	size_t i = 0, lists = 0, files = 0;
	uint64_t before, after;
	struct provenance at;

	while ((r = host_model_next(in->hosts, HOST_COUNTER, &i))) {
		if (r->fact.counter.counter != counter || !is_near(in, r->at.evidence, evidence) ||
		    (last && last->fact.list == r->fact.list))
			continue;
		files += !last || last->at.evidence != r->at.evidence;
		lists++;
		first = first ? first : r;
		last = r;
	}
	if (lists < 2 || (files > 1 && (files != 2 || lists != 2)))
		return false;
	*out = (struct host_readings){
		.before = first->fact.list,
		.after = last->fact.list,
		.one_file = files == 1,
		.one_host = host_readings_one_host(in, first->at.evidence, last->at.evidence),
	};
	/* Files have no order of their own. */
	if (files == 2 && counted(in, out->before, counter, &before, &at) &&
	    counted(in, out->after, counter, &after, &at) && before > after) {
		out->before = last->fact.list;
		out->after = first->fact.list;
	}
	return true;
}

bool host_readings_rise(const struct rule_input *in, const struct host_readings *r,
			enum host_counter counter, struct host_rise *out)
{
	uint64_t after;

	if (!counted(in, r->before, counter, &out->before, &out->at_before) ||
	    !counted(in, r->after, counter, &after, &out->at_after) || after < out->before)
		return false;
	out->more = after - out->before;
	return true;
}

static bool is_much(uint64_t again, uint64_t of)
{
	return (again >= RESENT_MIN && again >= of / 100 * RESENT_PERCENT_MIN) ||
	       (again >= RESENT_FEW_MIN && again >= of / 100 * RESENT_FEW_PERCENT_MIN);
}

/* What came and was of no use. */
static void cite_damaged(const struct rule_input *in, struct diagnosis *d, struct finding *f,
			 uint32_t evidence)
{
	static const struct {
		enum host_counter counter;
		const char *text;
	} rows[] = {
		{COUNT_TCP_BAD, "segments of TCP that came damaged (InErrs)"},
		{COUNT_UDP_BAD, "datagrams of UDP that came damaged or found no room (InErrors)"},
		{COUNT_IP_REASSEMBLY_FAILED,
		 "datagrams of which fragments were missing (ReasmFails)"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct host_readings r;
		struct host_rise rise;

		if (host_readings_find(in, rows[i].counter, evidence, &r) &&
		    host_readings_rise(in, &r, rows[i].counter, &rise) && rise.more && r.one_host)
			finding_cite(d, f, &rise.at_after, NULL,
				     "%" PRIu64 " %s since the earlier reading", rise.more,
				     rows[i].text);
	}
}

void host_readings_support(const struct rule_input *in, struct diagnosis *d, struct finding *f,
			   uint32_t evidence)
{
	struct host_readings r;
	struct host_rise sent, again;

	cite_damaged(in, d, f, evidence);
	if (!host_readings_find(in, COUNT_TCP_SENT, evidence, &r) ||
	    !host_readings_rise(in, &r, COUNT_TCP_SENT, &sent) || sent.more == 0 ||
	    !host_readings_rise(in, &r, COUNT_TCP_RESENT, &again) || !r.one_host)
		return;
	finding_cite(d, f, &again.at_after, NULL,
		     "TCP of the host, all connections: %" PRIu64 " segments sent since the "
		     "earlier reading, %" PRIu64 " sent again",
		     sent.more, again.more);
	if (again.more == 0) {
		finding_rule_out(d, f, "tcp-loss",
				 "TCP of the host sent none of %" PRIu64
				 " segments again between two readings: what it sent arrived",
				 sent.more);
		return;
	}
	if (is_much(again.more, sent.more))
		diagnosis_undecided(
			d, "tcp-loss",
			arena_format(
				&d->arena,
				"whether the segments that TCP of the host sent again (%" PRIu64
				", beside %" PRIu64 " others) are of the NFS connection",
				again.more, sent.more),
			"ss -tni dport = :2049   # retrans: and lost:, twice");
}
