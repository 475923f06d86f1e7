// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The journal inside of a capture: pcapng has a block for an entry of systemd's journal in its
 * export format (draft-ietf-opsawg-pcapng section 4.7), and Wireshark numbers it as a frame.
 *
 * An entry tells its time in UTC and needs nothing of the other logs but to be no copy of what they
 * have. It is kept until that is known, if it tells a fact.
 */
#include "base/hash.h"
#include "ingest/log/log_facts.h"
#include "ingest/log/log_private.h"

enum {
	JOURNALS_MAX = 4096,   /* captures with a journal */
	ENTRIES_MAX = 8192,    /* entries that tell a fact */
	ENTRY_BYTES_MAX = 4096 /* kept of one */
};

/* The journal's time and the kernel's differ by less for one message. */
#define JOURNAL_COPY_NS (2 * STAMP_NS_PER_S)

static bool journal_is_copy(const struct logs *l, uint32_t host, uint64_t text_hash,
			    struct stamp at)
{
	for (size_t i = 0; i < l->records.len; i++) {
		const struct log_record *r = vec_at(&l->records, i);

		if (r->text_hash == text_hash && r->host == host && r->at.clock == CLOCK_UTC &&
		    r->at.ns > at.ns - JOURNAL_COPY_NS && r->at.ns < at.ns + JOURNAL_COPY_NS)
			return true;
	}
	return false;
}

static void journal_take(struct logs *l, const struct event_board *board,
			 const struct provenance *place, const struct klog_line *line)
{
	struct event e = {.kind = EVENT_LOG, .at = *place};
	struct log_fact fact;
	uint32_t host;

	if (!log_fact_parse(line->text, line->head.kernel, &fact))
		return;
	e.at.at = stamp_utc(line->head.date.ns_of_day);
	host = line->head.host.len ? log_host_of(l, line->head.host, true) : LOG_HOST_NONE;
	if (journal_is_copy(l, host, hash_bytes(fact.line.ptr, fact.line.len), e.at.at))
		return;
	fact.host = line->head.host;
	fact.host_told = line->head.host.len != 0;
	fact.has_boot_time = line->head.has_boot;
	fact.boot_ns = line->head.boot_ns;
	e.log = &fact;
	l->journal_facts++;
	event_emit(board, &e);
}

/* Counts the lines; the capture's entry tells once that it holds a journal. */
static void journal_count(struct logs *l, uint32_t evidence, uint64_t kernel_lines)
{
	struct log_journal *j;

	for (size_t i = l->journals.len; i > 0; i--) {
		j = vec_at(&l->journals, i - 1);
		if (j->evidence == evidence) {
			j->kernel_lines += kernel_lines;
			return;
		}
	}
	if (kernel_lines == 0 || l->journals.len == JOURNALS_MAX)
		return;
	j = vec_push(&l->journals);
	*j = (struct log_journal){evidence, kernel_lines};
	evidence_add_note(l->evidence, evidence,
			  "a journal is in it, and its kernel messages were read as a log");
}

/* Reads the messages of an entry; the time of the first that tells a fact, or stamp_none. */
static struct stamp journal_look(struct logs *l, uint32_t evidence, struct slice text)
{
	struct source *source = source_create_memory(text);
	struct klog *klog = klog_create(source);
	struct stamp first = stamp_none();
	struct klog_stats stats;
	struct klog_line line;
	struct log_fact fact;

	while (klog_next(klog, &line))
		if (!line.plain && line.head.wall == KLOG_WALL_UTC && !stamp_known(first) &&
		    log_fact_parse(line.text, line.head.kernel, &fact))
			first = stamp_utc(line.head.date.ns_of_day);
	klog_get_stats(klog, &stats);
	if (stats.journal)
		journal_count(l, evidence, stats.kernel_lines);
	klog_destroy(klog);
	source_destroy(source);
	return first;
}

static void journal_tell(struct logs *l, const struct event_board *board, const struct log_entry *e)
{
	struct provenance place = {.evidence = e->evidence, .frame = e->frame};
	struct source *source = source_create_memory(e->text);
	struct klog *klog = klog_create(source);
	struct klog_line line;

	while (klog_next(klog, &line))
		if (!line.plain && line.head.wall == KLOG_WALL_UTC)
			journal_take(l, board, &place, &line);
	klog_destroy(klog);
	source_destroy(source);
}

void log_journal_tell(struct logs *l, const struct event_board *board, int64_t until_ns)
{
	for (; l->entries_told < l->entries.len; l->entries_told++) {
		const struct log_entry *e = vec_at(&l->entries, l->entries_told);

		if (e->at_ns > until_ns)
			return;
		journal_tell(l, board, e);
	}
}

void logs_take_journal(struct logs *l, uint32_t evidence, uint64_t frame, struct slice text)
{
	struct stamp at;
	struct log_entry *e;

	if (text.len > ENTRY_BYTES_MAX)
		text.len = ENTRY_BYTES_MAX;
	at = journal_look(l, evidence, text);
	if (!stamp_known(at))
		return;
	if (l->entries.len == ENTRIES_MAX) {
		l->dropped++;
		return;
	}
	e = vec_push(&l->entries);
	*e = (struct log_entry){evidence, frame, at.ns, text};
	e->text.ptr = (const uint8_t *)arena_copy(&l->arena, text.ptr, text.len);
}
