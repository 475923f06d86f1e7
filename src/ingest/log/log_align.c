// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A log and the wire tell of the same waits. A task that complained ("not responding") says "OK"
 * when its reply is there (net/sunrpc/clnt.c, call_decode): that line is the reply's frame, to some
 * milliseconds. The complaint itself was written a timeout after the task began.
 *
 * A wait on the wire fits one in the log when it is as long as from the complaint to "OK", and the
 * timeout before it. An offset of the clocks is taken only if it is the only one that fits.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "ingest/log/log_private.h"

enum { WAITS_MAX = 256, JOINS_MAX = 1024 };

/* Offsets this close are one: two clocks' drift, and tasks that are woken one after the other. */
#define SAME_OFFSET_NS (2 * STAMP_NS_PER_S)

/* From the reply on the wire to the line: the task must be woken, and the message written. */
#define WAKE_NS (50 * STAMP_NS_PER_MS)

/*
 * lockd's calls complain after 60 s (fs/lockd/host.c, nlm_bind_host: 10 s, 5 retries), and after 90
 * s where a major timeout is missed because no minor one is due (7de62bc09fe6 to 09252177d5f9). A
 * connection that is made meanwhile adds some seconds. NFS complains after the mount's
 * timeo*(retrans+1)/10 s, which is not known here: 180 s with the defaults of TCP, 600 s at most
 * (NFS_MAX_TCP_TIMEOUT).
 */
#define NLM_TIMEOUT_NS       (60 * STAMP_NS_PER_S)
#define NLM_TIMEOUT_OLD_NS   (90 * STAMP_NS_PER_S)
#define NFS_TIMEOUT_MIN_NS   (STAMP_NS_PER_S / 2)
#define NFS_TIMEOUT_USUAL_NS (180 * STAMP_NS_PER_S)
#define NFS_TIMEOUT_MAX_NS   (615 * STAMP_NS_PER_S)
#define TIMEOUT_EARLY_NS     (3 * STAMP_NS_PER_S / 2)
#define TIMEOUT_LATE_NS      (10 * STAMP_NS_PER_S)

/* How far the first complaint of lockd can be from a minute after the first call. */
#define COMPLAINT_ERROR_NS (3 * STAMP_NS_PER_S)

/* A wait as the log tells it, by the log's own clock. */
struct told_wait {
	enum log_wire_program program;
	const struct log_fact *fact; /* of the complaint */
	size_t from, ok;             /* records; ok SIZE_MAX: none */
	int64_t from_ns, ok_ns;
};

/* One offset at which one wait of the log is one of the wire. */
struct fit {
	size_t told;
	struct log_join join;
};

static const struct log_record *record_at(const struct logs *l, size_t index)
{
	return vec_at(&l->records, index);
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool told_program(const struct log_fact *f, enum log_wire_program *out)
{
	bool nlm = slice_equal(f->program, slice_of_string("lockd"));

	*out = nlm ? LOG_WIRE_NLM : LOG_WIRE_NFS;
	return nlm || slice_equal(f->program, slice_of_string("nfs"));
}

static bool same_subject(const struct told_wait *w, const struct log_fact *f)
{
	return slice_equal(w->fact->program, f->program) && slice_equal(w->fact->server, f->server);
}

/* The last wait of the complaint's subject that has no end yet, or SIZE_MAX. */
static size_t told_open(const struct told_wait *waits, size_t count, const struct log_fact *f)
{
	for (size_t i = count; i > 0; i--)
		if (same_subject(&waits[i - 1], f))
			return waits[i - 1].ok == SIZE_MAX ? i - 1 : SIZE_MAX;
	return SIZE_MAX;
}

/* From the first complaint about a server to the first "OK" behind it. */
static size_t told_collect(const struct logs *l, const struct log_file *f, const int64_t *own_ns,
			   struct told_wait *out)
{
	size_t count = 0;

	for (size_t i = f->first; i < f->last; i++) {
		const struct log_fact *fact = &record_at(l, i)->fact;
		enum log_wire_program program;
		size_t open;

		if (own_ns[i - f->first] == INT64_MIN ||
		    (fact->kind != LOG_NOT_RESPONDING && fact->kind != LOG_RESPONDING) ||
		    fact->gave_up || !told_program(fact, &program))
			continue;
		open = told_open(out, count, fact);
		if (fact->kind == LOG_RESPONDING && open != SIZE_MAX) {
			out[open].ok = i;
			out[open].ok_ns = own_ns[i - f->first];
		} else if (fact->kind == LOG_NOT_RESPONDING && open == SIZE_MAX &&
			   count < WAITS_MAX) {
			out[count++] = (struct told_wait){.program = program,
							  .fact = fact,
							  .from = i,
							  .ok = SIZE_MAX,
							  .from_ns = own_ns[i - f->first]};
		}
	}
	return count;
}

static bool about_same(const struct told_wait *t, const struct log_wire_wait *w)
{
	return t->program == w->program &&
	       (!t->fact->server_is_address || endpoint_same_host(&t->fact->server_at, &w->server));
}

static bool is_timeout(int64_t ns, int64_t timeout_ns)
{
	return ns >= timeout_ns - TIMEOUT_EARLY_NS && ns <= timeout_ns + TIMEOUT_LATE_NS;
}

static bool timeout_fits(enum log_wire_program program, int64_t ns)
{
	if (program == LOG_WIRE_NLM)
		return is_timeout(ns, NLM_TIMEOUT_NS) || is_timeout(ns, NLM_TIMEOUT_OLD_NS);
	return ns >= NFS_TIMEOUT_MIN_NS && ns <= NFS_TIMEOUT_MAX_NS;
}

/* By the line "OK" and the reply. */
static bool fit_by_ok(const struct logs *l, const struct told_wait *t,
		      const struct log_wire_wait *w, struct log_join *out)
{
	const struct provenance *reply = &w->reply;
	int64_t told_ns = t->ok_ns - t->from_ns;
	int64_t timeout_ns;

	if (t->ok == SIZE_MAX || told_ns < 0 || w->reply.frame == FRAME_NONE)
		return false;
	timeout_ns = log_wire_wait_ns(w) - told_ns;
	if (!timeout_fits(t->program, timeout_ns))
		return false;
	if (w->old_reply.frame != FRAME_NONE && w->old_ns > told_ns)
		reply = &w->old_reply;
	*out = (struct log_join){
		.fits = 1,
		.client = w->client,
		.one_client = true,
		.error_ns = WAKE_NS + (w->reply_last.ns - reply->at.ns),
		.line = record_at(l, t->ok)->line,
		.text = record_at(l, t->ok)->fact.line,
		.frame = *reply,
		.weak = t->program == LOG_WIRE_NFS && !is_timeout(timeout_ns, NFS_TIMEOUT_USUAL_NS),
	};
	return !__builtin_sub_overflow(reply->at.ns, t->ok_ns, &out->offset_ns);
}

/*
 * By lockd's complaint and the call: where the log has no "OK", as the wait went on. A call at the
 * end of the capture may have waited for any time, or have been the first after the complaint.
 */
static bool fit_by_complaint(const struct logs *l, const struct told_wait *t,
			     const struct log_wire_wait *w, int64_t timeout_ns,
			     struct log_join *out)
{
	int64_t at_ns;

	if (t->program != LOG_WIRE_NLM || t->ok != SIZE_MAX || log_wire_wait_ns(w) < timeout_ns)
		return false;
	*out = (struct log_join){
		.kind = LOG_JOIN_COMPLAINT,
		.timeout_ns = timeout_ns,
		.fits = 1,
		.client = w->client,
		.one_client = true,
		.error_ns = COMPLAINT_ERROR_NS,
		.line = record_at(l, t->from)->line,
		.text = record_at(l, t->from)->fact.line,
		.frame = w->start,
		.weak = l->wire.last.ns - w->start.at.ns < timeout_ns - TIMEOUT_EARLY_NS,
	};
	return !__builtin_add_overflow(w->start.at.ns, timeout_ns, &at_ns) &&
	       !__builtin_sub_overflow(at_ns, t->from_ns, &out->offset_ns);
}

static int fit_order(const void *a, const void *b)
{
	const struct fit *x = a;
	const struct fit *y = b;

	if (x->join.offset_ns != y->join.offset_ns)
		return x->join.offset_ns < y->join.offset_ns ? -1 : 1;
	if (x->told != y->told)
		return x->told < y->told ? -1 : 1;
	return (x->join.frame.frame > y->join.frame.frame) -
	       (x->join.frame.frame < y->join.frame.frame);
}

/* How far a clock that is told in whole seconds may be off the offset that its zone makes. */
#define STEP_SLACK_NS (2 * STAMP_NS_PER_S)

bool log_offset_may_be(const struct log_join_range *range, int64_t offset_ns)
{
	int64_t apart, rest;

	if (__builtin_sub_overflow(offset_ns, range->centre_ns, &apart) || apart > range->max_ns ||
	    apart < -range->max_ns)
		return false;
	if (range->step_ns == 0)
		return true;
	rest = apart % range->step_ns;
	if (rest < 0)
		rest += range->step_ns;
	return rest <= STEP_SLACK_NS || rest >= range->step_ns - STEP_SLACK_NS;
}

/* All fits, sorted by offset; SIZE_MAX: more than are looked at. */
static size_t fits_collect(const struct logs *l, const struct told_wait *told, size_t told_count,
			   bool by_complaint, const struct log_join_range *range, struct fit *out)
{
	size_t count = 0;

	for (size_t i = 0; i < told_count; i++)
		for (size_t k = 0; k < l->wire.waits.len; k++) {
			const struct log_wire_wait *w = vec_at(&l->wire.waits, k);
			struct fit fit = {.told = i};

			if (!about_same(&told[i], w) ||
			    !(by_complaint
				      ? fit_by_complaint(l, &told[i], w, NLM_TIMEOUT_NS, &fit.join)
				      : fit_by_ok(l, &told[i], w, &fit.join)) ||
			    !log_offset_may_be(range, fit.join.offset_ns))
				continue;
			if (count == JOINS_MAX)
				return SIZE_MAX;
			out[count++] = fit;
		}
	if (count)
		qsort(out, count, sizeof(*out), fit_order);
	return count;
}

/* Fits [from, to) are of one offset: how many waits of the log they explain. */
static size_t fits_told(const struct fit *fits, size_t from, size_t to)
{
	size_t count = 0;

	for (size_t i = from; i < to; i++) {
		bool before = false;

		for (size_t k = from; k < i && !before; k++)
			before = fits[k].told == fits[i].told;
		count += !before;
	}
	return count;
}

static bool fits_explain(const struct fit *fits, size_t from, size_t to, size_t told)
{
	for (size_t i = from; i < to; i++)
		if (fits[i].told == told)
			return true;
	return false;
}

/*
 * True when at this offset a wait of the log would lie within what the captures show, about a
 * server of which they are said to show another one, and is not there.
 */
static bool offset_is_refuted(const struct logs *l, const struct told_wait *told, size_t told_count,
			      const struct fit *fits, size_t from, size_t to)
{
	int64_t first = l->wire.first.ns - fits[from].join.offset_ns;
	int64_t last = l->wire.last.ns - fits[from].join.offset_ns;

	for (size_t i = 0; i < told_count; i++) {
		if (told[i].ok == SIZE_MAX || fits_explain(fits, from, to, i) ||
		    told[i].from_ns - NFS_TIMEOUT_MAX_NS < first || told[i].ok_ns > last)
			continue;
		for (size_t k = from; k < to; k++)
			if (same_subject(&told[fits[k].told], told[i].fact))
				return true;
	}
	return false;
}

/* The offset of the fits [from, to): the surest fit's, and how far the others are from it. */
static struct log_join fits_join(const struct fit *fits, size_t from, size_t to)
{
	struct log_join join = fits[from].join;
	int64_t low, high;

	for (size_t i = from; i < to; i++)
		if (fits[i].join.error_ns < join.error_ns)
			join = fits[i].join;
	for (size_t i = from; i < to; i++)
		join.one_client &= endpoint_same_host(&fits[i].join.client, &join.client);
	low = join.offset_ns - fits[from].join.offset_ns;
	high = fits[to - 1].join.offset_ns - join.offset_ns;
	join.error_ns += low > high ? low : high;
	join.fits = fits_told(fits, from, to);
	join.weak = join.weak && join.fits == 1;
	return join;
}

/* The one offset that explains more than any other. */
static struct log_join fits_choose(const struct logs *l, const struct told_wait *told,
				   size_t told_count, const struct fit *fits, size_t count)
{
	struct log_join best = {.fits = 0};
	size_t to;

	for (size_t from = 0; from < count; from = to) {
		size_t explained;

		for (to = from + 1;
		     to < count &&
		     fits[to].join.offset_ns - fits[to - 1].join.offset_ns <= SAME_OFFSET_NS;)
			to++;
		if (offset_is_refuted(l, told, told_count, fits, from, to))
			continue;
		explained = fits_told(fits, from, to);
		if (explained == best.fits) {
			best.ambiguous = true;
		} else if (explained > best.fits) {
			best = fits_join(fits, from, to);
			best.ambiguous = best.error_ns > 2 * COMPLAINT_ERROR_NS;
		}
	}
	return best;
}

/*
 * True when the log tells a kernel whose lockd complains after 60 s: from 7de62bc09fe6 (5.9) to
 * 09252177d5f9 (5.13, and in the later stable kernels before it) it may be 90.
 */
static bool complains_after_minute(const struct logs *l, const struct log_file *f)
{
	for (size_t i = f->first; i < f->last; i++) {
		const struct log_fact *fact = &record_at(l, i)->fact;
		unsigned major = 0, minor = 0;
		size_t at = 0;

		if (fact->kind != LOG_BOOT)
			continue;
		for (; at < fact->subject.len && is_digit(fact->subject.ptr[at]); at++)
			major = major * 10 % 1000 + (unsigned)(fact->subject.ptr[at] - '0');
		for (at++; at < fact->subject.len && is_digit(fact->subject.ptr[at]); at++)
			minor = minor * 10 % 1000 + (unsigned)(fact->subject.ptr[at] - '0');
		return major && (major != 5 || minor < 9 || minor > 12);
	}
	return false;
}

/*
 * The shortest wait on the wire that a wait of the log may be: if there was no room for all of that
 * length, what is found need not be the only one.
 */
static bool waits_are_complete(const struct logs *l, const struct told_wait *told, size_t count)
{
	if (l->wire.full)
		return false;
	for (size_t i = 0; i < count; i++)
		if (told[i].ok != SIZE_MAX && l->wire.complete_ns > LOG_WIRE_WAIT_MIN_NS &&
		    l->wire.complete_ns > told[i].ok_ns - told[i].from_ns)
			return false;
	return true;
}

void log_wire_fits(const struct logs *l, const struct log_file *f, const int64_t *own_ns,
		   log_fit_fn *take, void *context)
{
	static const int64_t timeouts[] = {NLM_TIMEOUT_NS, NLM_TIMEOUT_OLD_NS};
	struct told_wait *told;
	size_t told_count;
	struct log_join join;

	if (l->wire.waits.len == 0)
		return;
	told = mem_alloc(WAITS_MAX, sizeof(*told));
	told_count = told_collect(l, f, own_ns, told);
	for (size_t i = 0; i < told_count; i++)
		for (size_t k = 0; k < l->wire.waits.len; k++) {
			const struct log_wire_wait *w = vec_at(&l->wire.waits, k);

			if (!about_same(&told[i], w))
				continue;
			if (fit_by_ok(l, &told[i], w, &join))
				take(context, told[i].ok, &join);
			for (size_t t = 0; t < sizeof(timeouts) / sizeof(timeouts[0]); t++)
				if (fit_by_complaint(l, &told[i], w, timeouts[t], &join) &&
				    !join.weak)
					take(context, told[i].from, &join);
		}
	free(told);
}

bool log_wire_wait_is(const struct log_fact *complaint, const struct log_wire_wait *wait,
		      int64_t at_ns, int64_t slack_ns)
{
	struct told_wait told = {.fact = complaint};
	int64_t waited_ns, early_ns, late_ns;

	if (__builtin_sub_overflow(at_ns, wait->start.at.ns, &waited_ns) ||
	    waited_ns > INT64_MAX / 2 || waited_ns < -INT64_MAX / 2 ||
	    !told_program(complaint, &told.program) || !about_same(&told, wait) ||
	    (wait->reply.frame != FRAME_NONE && wait->reply.at.ns < at_ns - slack_ns))
		return false;
	early_ns = waited_ns - slack_ns;
	late_ns = waited_ns + slack_ns;
	if (told.program == LOG_WIRE_NFS)
		return late_ns >= NFS_TIMEOUT_MIN_NS && early_ns <= NFS_TIMEOUT_MAX_NS;
	return (late_ns >= NLM_TIMEOUT_NS - TIMEOUT_EARLY_NS &&
		early_ns <= NLM_TIMEOUT_NS + TIMEOUT_LATE_NS) ||
	       (late_ns >= NLM_TIMEOUT_OLD_NS - TIMEOUT_EARLY_NS &&
		early_ns <= NLM_TIMEOUT_OLD_NS + TIMEOUT_LATE_NS);
}

bool log_wire_has_wait(const struct logs *l, const struct log_fact *complaint, int64_t at_ns,
		       int64_t slack_ns)
{
	struct told_wait told = {.fact = complaint};

	if (!told_program(complaint, &told.program))
		return true;
	for (size_t k = 0; k < l->wire.waits.len; k++) {
		const struct log_wire_wait *w = vec_at(&l->wire.waits, k);

		if (about_same(&told, w) && w->start.at.ns <= at_ns + slack_ns &&
		    (w->reply.frame == FRAME_NONE || w->reply.at.ns >= at_ns - slack_ns))
			return true;
	}
	return false;
}

struct log_join log_wire_join(const struct logs *l, const struct log_file *f, const int64_t *own_ns,
			      const struct log_join_range *range)
{
	struct log_join join = {.fits = 0};
	struct told_wait *told;
	struct fit *fits;
	size_t told_count;
	int ways;

	if (l->wire.waits.len == 0)
		return join;
	told = mem_alloc(WAITS_MAX, sizeof(*told));
	fits = mem_alloc(JOINS_MAX, sizeof(*fits));
	told_count = told_collect(l, f, own_ns, told);
	ways = complains_after_minute(l, f) ? 2 : 1;
	for (int by_complaint = 0; by_complaint < ways && join.fits == 0; by_complaint++) {
		size_t count = fits_collect(l, told, told_count, by_complaint, range, fits);

		if (count == SIZE_MAX)
			join = (struct log_join){.fits = 1, .ambiguous = true};
		else
			join = fits_choose(l, told, told_count, fits, count);
	}
	if (join.fits && !waits_are_complete(l, told, told_count))
		join.ambiguous = true;
	free(told);
	free(fits);
	return join;
}
