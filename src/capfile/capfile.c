// SPDX-License-Identifier: GPL-2.0-or-later
/* What pcap and pcapng have in common: opening, counting, damage. See capfile.h. */
#include "capfile/capfile.h"

#include <stdlib.h>

#include "base/mem.h"
#include "capfile/private.h"

bool capfile_sniff(struct slice head, enum capfile_format *out)
{
	if (pcap_sniff(head))
		*out = CAPFILE_PCAP;
	else if (pcapng_sniff(head))
		*out = CAPFILE_PCAPNG;
	else
		return false;
	return true;
}

static struct err *capfile_start(struct capfile *cf)
{
	struct slice head = source_peek(cf->source, 16);

	if (!capfile_sniff(head, &cf->stats.format))
		return err_new("%s: is not a packet capture (neither pcap nor pcapng)",
			       source_path(cf->source));
	cf->stats.packing = source_packing(cf->source);
	if (cf->stats.format == CAPFILE_PCAP)
		return pcap_start(cf);
	pcapng_start(cf);
	return NULL;
}

struct err *capfile_open(struct source *source, struct capfile **out)
{
	struct capfile *cf = mem_alloc(1, sizeof(*cf));
	struct err *err;

	cf->source = source;
	vec_init(&cf->comments, sizeof(struct capfile_comment));
	err = capfile_start(cf);
	if (err) {
		vec_deinit(&cf->comments);
		free(cf);
		return err;
	}
	*out = cf;
	return NULL;
}

void capfile_destroy(struct capfile *cf)
{
	if (!cf)
		return;
	if (cf->stats.format == CAPFILE_PCAPNG)
		pcapng_stop(cf);
	for (size_t i = 0; i < cf->comments.len; i++) {
		struct capfile_comment *comment = vec_at(&cf->comments, i);

		free(comment->text);
	}
	vec_deinit(&cf->comments);
	free(cf->application);
	source_destroy(cf->source);
	free(cf);
}

void capfile_rest(struct capfile *cf)
{
	source_rest(cf->source);
}

void capfile_set_journal(struct capfile *cf, capfile_journal_fn *fn, void *arg)
{
	cf->journal = fn;
	cf->journal_arg = arg;
}

enum capfile_result capfile_next(struct capfile *cf, struct capfile_packet *out)
{
	if (cf->ended)
		return CAPFILE_END;
	if (cf->stats.format == CAPFILE_PCAP)
		return pcap_next(cf, out);
	return pcapng_next(cf, out);
}

/* Damage is kept one entry a kind, in the order of its first. */
void capfile_add_damage(struct capfile *cf, enum capfile_damage_kind kind, uint64_t offset,
			uint64_t skipped_bytes)
{
	struct capfile_damage *entry = NULL;

	for (size_t i = 0; i < cf->stats.damage_count; i++) {
		if (cf->damage[i].kind == kind)
			entry = &cf->damage[i];
	}
	if (!entry) {
		entry = &cf->damage[cf->stats.damage_count++];
		*entry = (struct capfile_damage){
			.kind = kind,
			.offset = offset,
			.frame = cf->frame,
		};
	}
	entry->count++;
	entry->skipped_bytes += skipped_bytes;
}

/* The first packet, or one that is older than the one before it. */
static void capfile_count_back(struct capfile *cf, int64_t ns)
{
	struct capfile_stats *stats = &cf->stats;

	if (!stamp_known(stats->first)) {
		stats->first = stamp_utc(ns);
		stats->last = stamp_utc(ns);
	} else {
		int64_t back = 0;

		if (__builtin_sub_overflow(cf->previous_ns, ns, &back))
			back = INT64_MAX;
		stats->backwards_count++;
		if (back > stats->backwards_max_ns)
			stats->backwards_max_ns = back;
	}
	if (ns < stats->first.ns)
		stats->first.ns = ns;
}

static inline void capfile_count_time(struct capfile *cf, int64_t ns)
{
	struct capfile_stats *stats = &cf->stats;

	if (__builtin_expect(ns < cf->previous_ns || !stamp_known(stats->first), 0))
		capfile_count_back(cf, ns);
	cf->previous_ns = ns;
	if (ns > stats->last.ns)
		stats->last.ns = ns;
}

void capfile_count_packet(struct capfile *cf, struct capfile_packet *packet)
{
	packet->frame = ++cf->frame;
	cf->stats.packets++;
	cf->stats.wire_bytes += packet->wire_bytes;
	cf->stats.cut_count += packet->cap_bytes < packet->wire_bytes;
	if (stamp_known(packet->at))
		capfile_count_time(cf, packet->at.ns);
	else
		cf->stats.untimed_count++;
}

void capfile_add_comment(struct capfile *cf, uint64_t frame, struct slice text)
{
	struct capfile_comment *comment;

	if (cf->comments.len >= CAPFILE_COMMENTS_MAX) {
		cf->stats.comments_left_out++;
		return;
	}
	if (text.len > CAPFILE_COMMENT_BYTES_MAX)
		text.len = CAPFILE_COMMENT_BYTES_MAX;
	comment = vec_push(&cf->comments);
	comment->frame = frame;
	comment->text = mem_copy(text.ptr, text.len);
}

enum capfile_result capfile_finish(struct capfile *cf)
{
	if (!cf->ended && source_fault(cf->source))
		capfile_add_damage(cf, CAPFILE_DAMAGE_INPUT, source_offset(cf->source), 0);
	cf->ended = true;
	return CAPFILE_END;
}

enum capfile_result capfile_finish_cut(struct capfile *cf, struct slice left)
{
	enum capfile_damage_kind kind =
		capfile_all_zero(left) ? CAPFILE_DAMAGE_ZEROES : CAPFILE_DAMAGE_CUT;

	capfile_add_damage(cf, kind, source_offset(cf->source), left.len);
	source_skip(cf->source, left.len);
	return capfile_finish(cf);
}

bool capfile_all_zero(struct slice bytes)
{
	return bytes.len == 0 ||
	       (bytes.ptr[0] == 0 && memcmp(bytes.ptr, bytes.ptr + 1, bytes.len - 1) == 0);
}

void capfile_get_stats(const struct capfile *cf, struct capfile_stats *out)
{
	*out = cf->stats;
	out->damage = cf->damage;
	out->comments = cf->comments.items;
	out->comment_count = cf->comments.len;
	out->application = cf->application;
}

const struct source *capfile_source(const struct capfile *cf)
{
	return cf->source;
}

const char *capfile_damage_text(enum capfile_damage_kind kind)
{
	static const char *const texts[CAPFILE_DAMAGE_KINDS] = {
		[CAPFILE_DAMAGE_CUT] = "ends inside a record",
		[CAPFILE_DAMAGE_ZEROES] = "zeroes where records should be",
		[CAPFILE_DAMAGE_LENGTH] = "a record length that cannot be",
		[CAPFILE_DAMAGE_BEYOND_WIRE] = "a captured length beyond that on the wire",
		[CAPFILE_DAMAGE_BLOCK] = "a block that contradicts itself",
		[CAPFILE_DAMAGE_INTERFACE] = "a packet of an interface that is not described",
		[CAPFILE_DAMAGE_TIME] = "a time out of range",
		[CAPFILE_DAMAGE_INPUT] = "the input cannot be read or unpacked any further",
	};

	return kind < CAPFILE_DAMAGE_KINDS ? texts[kind] : "unknown damage";
}
