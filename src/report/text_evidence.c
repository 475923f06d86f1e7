// SPDX-License-Identifier: GPL-2.0-or-later
/* What the report for people says about the evidence itself. See text.h. */
#include <inttypes.h>

#include "report/text.h"

enum { EVIDENCE_INDENT = 2, EVIDENCE_INDENT_FACTS = 6, EVIDENCE_INDENT_ITEM = 8 };

static struct layout_span plain(const char *text)
{
	return (struct layout_span){text, LAYOUT_PLAIN};
}

static void paragraph(struct layout *l, const char *text)
{
	layout_paragraph(l, EVIDENCE_INDENT, plain(NULL), EVIDENCE_INDENT, plain(text));
}

/* How many files could be read. */
static size_t files_read(const struct evidence_list *list)
{
	size_t count = 0;

	for (uint32_t i = 0; i < list->items.len; i++)
		count += evidence_list_at(list, i)->kind != EVIDENCE_UNREAD;
	return count;
}

/* Files of this kind, and the records in them. */
static size_t kind_read(const struct evidence_list *list, enum evidence_kind kind,
			uint64_t *records)
{
	size_t count = 0;

	*records = 0;
	for (uint32_t i = 0; i < list->items.len; i++) {
		const struct evidence *e = evidence_list_at(list, i);

		if (e->kind != kind)
			continue;
		count++;
		*records += e->records;
	}
	return count;
}

static size_t captures_read(const struct evidence_list *list)
{
	uint64_t packets;

	return kind_read(list, EVIDENCE_PCAP, &packets) +
	       kind_read(list, EVIDENCE_PCAPNG, &packets) +
	       kind_read(list, EVIDENCE_PACKET_LIST, &packets);
}

/* Lists of packets are read where there is no capture. */
static void add_packets(struct strbuf *out, const struct report_input *in, size_t captures)
{
	const struct report_totals *t = &in->totals;
	uint64_t packets;

	layout_add_counted(out, t->frames, "packet");
	strbuf_add_text(out, " in ");
	layout_add_counted(out, captures,
			   kind_read(in->evidence, EVIDENCE_PACKET_LIST, &packets) ? "packet list"
										   : "capture");
	strbuf_add_text(out, "; ");
	layout_add_counted(out, t->connections, "TCP connection");
	strbuf_add_text(out, ", ");
	layout_add_count(out, t->rpc_connections);
	strbuf_add_text(out, " with RPC");
	if (t->udp_pairs) {
		strbuf_add_text(out, ", ");
		layout_add_counted(out, t->udp_pairs, "pair");
		strbuf_add_text(out, " of UDP ports");
	}
	strbuf_add_text(out, "; ");
	layout_add_counted(out, t->calls, "call");
}

/* ", ", or " and " before the last one. */
static void add_joint(struct strbuf *out, size_t index, size_t count)
{
	if (index)
		strbuf_add_text(out, index + 1 == count ? " and " : ", ");
}

/* Tables that were full: their findings may not be all that there was to find. */
static void add_not_kept(struct strbuf *out, const struct report_totals *t)
{
	size_t numbers = 0;

	while (numbers < t->not_kept_len && t->not_kept[numbers].count)
		numbers++;
	strbuf_add_text(out, " There was more than is kept: ");
	for (size_t i = 0; i < numbers; i++) {
		add_joint(out, i, numbers);
		layout_add_count(out, t->not_kept[i].count);
		strbuf_add_format(out, " %s", t->not_kept[i].what);
	}
	if (numbers)
		strbuf_add_text(out, " were let go");
	if (numbers && numbers < t->not_kept_len)
		strbuf_add_text(out, "; ");
	for (size_t i = numbers; i < t->not_kept_len; i++) {
		strbuf_add_text(out, i == numbers ? "no room was left for some " : "");
		add_joint(out, i - numbers, t->not_kept_len - numbers);
		strbuf_add_text(out, t->not_kept[i].what);
	}
	strbuf_add_text(out, ". Smaller pieces of the evidence show what these hide.");
}

static void add_looked_at(struct strbuf *out, const struct report_input *in)
{
	const struct report_totals *t = &in->totals;
	uint64_t lines;
	uint64_t mounts;
	uint64_t rules;
	size_t logs = kind_read(in->evidence, EVIDENCE_KERNEL_LOG, &lines);
	size_t told = kind_read(in->evidence, EVIDENCE_MOUNTS, &mounts);
	size_t filters = kind_read(in->evidence, EVIDENCE_FILTERS, &rules);
	size_t captures = captures_read(in->evidence);

	strbuf_add_text(out, "Looked at: ");
	if (logs) {
		layout_add_counted(out, lines, "line");
		strbuf_add_text(out, " in ");
		layout_add_counted(out, logs, "kernel log");
	}
	if (logs && captures)
		strbuf_add_text(out, "; ");
	if (captures || !(logs || told || filters))
		add_packets(out, in, captures);
	if (t->calls && !t->unanswered)
		strbuf_add_text(out, ", all answered");
	if (t->unanswered) {
		strbuf_add_text(out, ", ");
		layout_add_count(out, t->unanswered);
		strbuf_add_text(out, " without an answer in the evidence");
	}
	if (told) {
		strbuf_add_text(out, logs || captures ? "; " : "");
		layout_add_counted(out, mounts, "mount");
		strbuf_add_text(out, " told by ");
		layout_add_counted(out, told, "file");
	}
	if (filters) {
		strbuf_add_text(out, logs || captures || told ? "; " : "");
		layout_add_counted(out, rules, "rule");
		strbuf_add_text(out, " of packet filters that drop");
	}
	if (t->undecoded) {
		strbuf_add_text(out, "; ");
		layout_add_counted(out, t->undecoded, "message");
		strbuf_add_text(out, " could not be decoded to the end");
	}
	strbuf_add_char(out, '.');
	if (t->not_kept_len)
		add_not_kept(out, t);
}

/* What would help, told by what there was. */
static const char *advice(const struct report_input *in)
{
	uint64_t packets;
	size_t captures = captures_read(in->evidence);
	size_t lists = kind_read(in->evidence, EVIDENCE_PACKET_LIST, &packets);

	if (files_read(in->evidence) == 0)
		return "No evidence could be read: give packet captures (pcap or pcapng) and "
		       "kernel logs, or a directory that holds them. A capture is made, as root on "
		       "the client and on the server, with:";
	if (captures == 0)
		return "A log tells only what the kernel complained about, and most incidents "
		       "leave no word in it: capture the traffic while it happens, whole packets, "
		       "as root on the client and on the server, with:";
	if (lists)
		return "A list of packets tells headers, and not of all packets: give the capture "
		       "itself (pcap or pcapng). One is made, as root on the client and on the "
		       "server, with:";
	if (in->totals.rpc_connections + in->totals.udp_pairs == 0)
		return "There is no RPC in it: was it captured on the right interface, and without "
		       "a filter that leaves NFS out? As root on the client and on the server:";
	return "This does not say that all was well, only that none of the faults that were looked "
	       "for shows in this evidence. It helps to capture while it happens, whole packets, "
	       "from before the mount on, on the client and on the server at the same time.";
}

/* Locks of NFSv3 and callbacks use ports of their own: the filter is the other host, not 2049. */
static const char capture_command[] = "tcpdump -i any -s 0 -w nfs.pcap host THE_OTHER_HOST";

void text_nothing_found(struct layout *l, const struct report_input *in)
{
	struct strbuf line;

	layout_line(l, 0, LAYOUT_STRONG,
		    files_read(in->evidence) ? "NO CAUSE FOUND, AND NO SYMPTOM"
					     : "NOTHING COULD BE READ");
	strbuf_add_char(l->out, '\n');
	strbuf_init(&line);
	if (files_read(in->evidence)) {
		add_looked_at(&line, in);
		paragraph(l, strbuf_text(&line));
		strbuf_reset(&line);
		strbuf_add_text(&line, "Looked for: ");
		layout_add_counted(&line, in->totals.kinds, "kind");
		strbuf_add_text(&line, " of faults (`nfsleuth explain` lists them).");
		paragraph(l, strbuf_text(&line));
	}
	paragraph(l, advice(in));
	if (in->totals.rpc_connections + in->totals.udp_pairs == 0)
		layout_line(l, EVIDENCE_INDENT_ITEM, LAYOUT_FAINT, capture_command);
	strbuf_deinit(&line);
}

static void text_damage(struct layout *l, const struct evidence_damage *d, bool lines)
{
	struct strbuf line;

	strbuf_init(&line);
	strbuf_add_text(&line, d->what);
	strbuf_add_text(&line, ": ");
	if (d->count == 1)
		strbuf_add_text(&line, "once");
	else
		layout_add_count(&line, d->count);
	if (d->frame)
		strbuf_add_format(&line, ", %sat %s %" PRIu64, d->count == 1 ? "" : "first ",
				  lines ? "line" : "frame", d->frame);
	else if (d->offset != UINT64_MAX)
		strbuf_add_format(&line, ", %sat byte %" PRIu64 " of the file",
				  d->count == 1 ? "" : "first ", d->offset);
	layout_paragraph(l, EVIDENCE_INDENT_FACTS, (struct layout_span){"!", LAYOUT_WARNING},
			 EVIDENCE_INDENT_ITEM, plain(strbuf_text(&line)));
	strbuf_deinit(&line);
}

static void text_file_facts(struct layout *l, const struct evidence *e)
{
	struct strbuf line;

	strbuf_init(&line);
	strbuf_add_format(&line, "%s, ", evidence_kind_name(e->kind));
	layout_add_counted(&line, e->records,
			   e->kind == EVIDENCE_FILTERS   ? "rule"
			   : e->kind == EVIDENCE_LISTS   ? "row"
			   : e->kind == EVIDENCE_MOUNTS  ? "mount"
			   : evidence_has_lines(e->kind) ? "line"
							 : "packet");
	if (stamp_known(e->first)) {
		strbuf_add_text(&line, ", ");
		layout_add_period(&line, e->first, e->last);
	}
	if (e->damage.len == 0)
		strbuf_add_text(&line, ", no damage seen");
	layout_paragraph(l, EVIDENCE_INDENT_FACTS, plain(NULL), EVIDENCE_INDENT_FACTS,
			 plain(strbuf_text(&line)));
	strbuf_deinit(&line);
}

static void text_file(struct layout *l, const struct evidence *e)
{
	struct strbuf path;

	strbuf_init(&path);
	strbuf_add_safe(&path, slice_of_string(e->path));
	layout_paragraph(l, EVIDENCE_INDENT, (struct layout_span){e->id, LAYOUT_STRONG},
			 EVIDENCE_INDENT_FACTS, plain(strbuf_text(&path)));
	strbuf_deinit(&path);
	if (e->kind == EVIDENCE_UNREAD)
		layout_paragraph(l, EVIDENCE_INDENT_FACTS,
				 (struct layout_span){"not read:", LAYOUT_WARNING},
				 EVIDENCE_INDENT_FACTS, plain(e->problem));
	else
		text_file_facts(l, e);
	for (size_t i = 0; i < e->damage.len; i++)
		text_damage(l, vec_at(&e->damage, i), evidence_has_lines(e->kind));
	for (size_t i = 0; i < e->notes.len; i++)
		layout_paragraph(l, EVIDENCE_INDENT_FACTS, plain("-"), EVIDENCE_INDENT_ITEM,
				 plain(*(const char *const *)vec_at(&e->notes, i)));
}

static void text_passed(struct layout *l, uint64_t count)
{
	struct strbuf line;

	strbuf_init(&line);
	layout_add_counted(&line, count, "other file");
	strbuf_add_text(&line, count == 1 ? " there is no evidence: not read."
					  : " there are no evidence: not read.");
	paragraph(l, strbuf_text(&line));
	strbuf_deinit(&line);
}

static void text_files(struct layout *l, const struct report_input *in)
{
	struct strbuf line;

	layout_heading(l, "Evidence");
	for (uint32_t i = 0; i < in->evidence->items.len; i++)
		text_file(l, evidence_list_at(in->evidence, i));
	if (in->diagnosis->incidents.len) {
		strbuf_init(&line);
		add_looked_at(&line, in);
		paragraph(l, strbuf_text(&line));
		strbuf_deinit(&line);
	}
}

void text_evidence(struct layout *l, const struct report_input *in, bool unread_told)
{
	if (!unread_told || files_read(in->evidence))
		text_files(l, in);
	if (in->totals.files_passed)
		text_passed(l, in->totals.files_passed);
}
