// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One event, several files: dmesg.txt, dmesg-T.txt and messages of one host hold the same lines.
 * Two records are one when their texts are the same and their times since boot are the same to the
 * microsecond; or, in two files of a host, when their times agree as far as the two forms can.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "ingest/log/log_private.h"

enum { COPY_SLACK_MS = 2000, BOOT_SLACK_NS = 999 /* less than a microsecond */ };

static struct log_record *record_at(const struct logs *l, size_t index)
{
	return vec_at(&l->records, index);
}

static bool same_text(const struct log_record *a, const struct log_record *b)
{
	return a->text_hash == b->text_hash && slice_equal(a->fact.line, b->fact.line);
}

static bool within(int64_t a, int64_t b, int64_t slack)
{
	int64_t apart;

	return !__builtin_sub_overflow(a, b, &apart) && apart >= -slack && apart <= slack;
}

size_t log_pairs_count(const struct logs *l, const struct log_file *of, const struct log_file *by,
		       int64_t offset_ns)
{
	size_t count = 0;
	size_t k = by->first;

	for (size_t i = of->first; i < of->last; i++) {
		const struct log_record *r = record_at(l, i);
		int64_t want;

		if (__builtin_add_overflow(r->head.boot_ns, offset_ns, &want))
			continue;
		for (size_t j = k; j < by->last; j++) {
			const struct log_record *p = record_at(l, j);

			if (p->at.ns - want > COPY_SLACK_MS * STAMP_NS_PER_MS)
				break;
			if (!same_text(r, p) ||
			    !within(p->at.ns, want, COPY_SLACK_MS * STAMP_NS_PER_MS))
				continue;
			count++;
			k = j + 1;
			break;
		}
	}
	return count;
}

/* True when the record's times are known to be those of the captures within less than a second. */
static bool copy_is_joined(const struct logs *l, const struct log_record *r)
{
	const struct log_file *f = vec_at(&l->files, r->file);

	return f->error_ns >= 0 && f->error_ns < STAMP_NS_PER_S;
}

/*
 * Host and text, then file and line: records of one text stand together, file by file. Files whose
 * clock was joined with the captures come first, those whose times are whole seconds last: the more
 * exact copy is the one that stays.
 */
static int copy_order(const void *a, const void *b, void *logs)
{
	const struct log_record *x = record_at(logs, *(const uint32_t *)a);
	const struct log_record *y = record_at(logs, *(const uint32_t *)b);
	int order;

	if (x->host != y->host)
		return x->host < y->host ? -1 : 1;
	order = slice_compare(x->fact.line, y->fact.line);
	if (order)
		return order;
	order = copy_is_joined(logs, y) - copy_is_joined(logs, x);
	if (order)
		return order;
	if (x->head.whole_seconds != y->head.whole_seconds)
		return x->head.whole_seconds ? 1 : -1;
	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	return (x->line > y->line) - (x->line < y->line);
}

/* How far the times of one event may differ in the two; -1: they cannot be compared. */
static int64_t copy_slack_ns(const struct log_record *a, const struct log_record *b)
{
	bool boot_a = a->head.wall == KLOG_WALL_NONE;
	bool boot_b = b->head.wall == KLOG_WALL_NONE;

	if (a->at.clock != b->at.clock || a->file == b->file || (boot_a && boot_b))
		return -1;
	if (a->head.wall == b->head.wall && a->head.whole_seconds && b->head.whole_seconds)
		return 0;
	return COPY_SLACK_MS * STAMP_NS_PER_MS;
}

static bool is_copy(const struct log_record *r, const struct log_record *kept)
{
	int64_t slack;

	if (r->head.has_boot && kept->head.has_boot &&
	    within(r->head.boot_ns, kept->head.boot_ns, BOOT_SLACK_NS))
		return kept->at.clock != r->at.clock ||
		       within(kept->at.ns, r->at.ns, COPY_SLACK_MS * STAMP_NS_PER_MS);
	slack = copy_slack_ns(r, kept);
	return slack >= 0 && within(r->at.ns, kept->at.ns, slack);
}

static int time_order(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/*
 * True where no record of the group can be a copy: all are of one file, and no two were written at
 * the same time since boot. A link that flaps all day long makes many records of one text.
 */
static bool group_is_plain(const struct logs *l, const uint32_t *group, size_t count)
{
	int64_t *times = mem_alloc(count, sizeof(*times));
	size_t len = 0;
	bool plain = true;

	for (size_t i = 0; i < count && plain; i++) {
		const struct log_record *r = record_at(l, group[i]);

		plain = r->file == record_at(l, group[0])->file;
		if (r->head.has_boot)
			times[len++] = r->head.boot_ns;
	}
	if (plain)
		qsort(times, len, sizeof(*times), time_order);
	for (size_t i = 1; i < len && plain; i++)
		plain = !within(times[i], times[i - 1], BOOT_SLACK_NS);
	free(times);
	return plain;
}

/*
 * The records of one host and text, by file. A record of a file is compared with those kept of the
 * files before it; each of them stands for one record of a file only.
 */
static void group_settle(struct logs *l, const uint32_t *group, size_t count)
{
	uint32_t *taken; /* by the file with this index + 1 */

	if (group_is_plain(l, group, count))
		return;
	taken = mem_alloc(count, sizeof(*taken));
	for (size_t i = 1; i < count; i++) {
		struct log_record *r = record_at(l, group[i]);
		size_t from = i > 4096 ? i - 4096 : 0; /* bounded: a flood of one line */

		for (size_t k = from; k < i && !r->copy; k++) {
			const struct log_record *kept = record_at(l, group[k]);

			if (kept->copy || taken[k] == r->file + 1 || !is_copy(r, kept))
				continue;
			taken[k] = r->file + 1;
			r->copy = true;
		}
		if (r->copy) {
			l->copies++;
			((struct log_file *)vec_at(&l->files, r->file))->copies++;
		}
	}
	free(taken);
}

void log_copies_settle(struct logs *l)
{
	size_t count = l->records.len;
	uint32_t *order = mem_alloc(count, sizeof(*order));
	size_t start = 0;

	for (uint32_t i = 0; i < count; i++)
		order[i] = i;
	if (count)
		qsort_r(order, count, sizeof(*order), copy_order, l);
	for (size_t i = 1; i <= count; i++) {
		const struct log_record *a = record_at(l, order[start]);

		if (i < count && record_at(l, order[i])->host == a->host &&
		    slice_equal(record_at(l, order[i])->fact.line, a->fact.line))
			continue;
		if (i - start > 1)
			group_settle(l, order + start, i - start);
		start = i;
	}
	free(order);
}
