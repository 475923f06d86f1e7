// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads pcap: draft-ietf-opsawg-pcap, and its older and modified relatives.
 *
 * A record has nothing to recognise it by but a plausible header. Where one is not, the reader
 * looks for the next place from which several plausible records follow each other.
 */
#include "capfile/private.h"

enum {
	PCAP_HEADER_BYTES = 24,
	PCAP_RECORD_BYTES = 16,
	PCAP_CHAIN = 3,                /* records in a row that make a place plausible */
	PCAP_SEARCH_BYTES = 1 << 20,   /* places that are tried in one window */
	PCAP_SETTLE_BYTES = 256 << 10, /* of records from which their kind is told */
	PCAP_WIRE_BYTES_MAX = 1 << 24,
};

#define PCAP_SEARCH_TIME_S                                                     \
	INT64_C(86400) /* a record found again is this near to its predecessor \
			*/

/* Variants by their magic, as the writing host's byte order shows it. */
static const struct pcap_magic {
	uint32_t magic;
	uint32_t frac_ns;
	uint32_t header_bytes;
	uint32_t record_header_bytes; /* of the longest kind */
} pcap_magics[] = {
	{0xa1b2c3d4, 1000, PCAP_HEADER_BYTES, PCAP_RECORD_BYTES},
	{0xa1b23c4d, 1, PCAP_HEADER_BYTES, PCAP_RECORD_BYTES},
	/* Kuznetzov's patches to libpcap: 8 or 12 bytes more in each record */
	{0xa1b2cd34, 1000, PCAP_HEADER_BYTES, PCAP_RECORD_BYTES + 12},
	/* Ixia lcap, by hardware and by software: the size of all records ends the file header */
	{0x1c0001ac, 1, PCAP_HEADER_BYTES + 4, PCAP_RECORD_BYTES},
	{0x1c0001ab, 1000, PCAP_HEADER_BYTES + 4, PCAP_RECORD_BYTES},
};

static const struct pcap_magic *pcap_find_magic(struct slice head, bool *big_endian)
{
	if (head.len < 4)
		return NULL;
	for (size_t i = 0; i < sizeof(pcap_magics) / sizeof(pcap_magics[0]); i++) {
		for (int big = 0; big <= 1; big++) {
			if (capfile_u32(head.ptr, big) == pcap_magics[i].magic) {
				*big_endian = big;
				return &pcap_magics[i];
			}
		}
	}
	return NULL;
}

bool pcap_sniff(struct slice head)
{
	bool big_endian;

	return pcap_find_magic(head, &big_endian) != NULL;
}

static struct pcap_record pcap_read_record(const struct pcap_state *state, const uint8_t *p)
{
	struct pcap_record rec = {
		.seconds = capfile_u32(p, state->big_endian),
		.fraction = capfile_u32(p + 4, state->big_endian),
		.cap_bytes = capfile_u32(p + 8, state->big_endian),
		.wire_bytes = capfile_u32(p + 12, state->big_endian),
	};

	if (state->lengths_swapped ||
	    (state->lengths_maybe_swapped && rec.cap_bytes > rec.wire_bytes)) {
		uint32_t swap = rec.cap_bytes;

		rec.cap_bytes = rec.wire_bytes;
		rec.wire_bytes = swap;
	}
	return rec;
}

/* What a record in its place must satisfy: little, since odd writers exist. */
static bool pcap_record_possible(const struct pcap_state *state, const struct pcap_record *rec)
{
	return rec->cap_bytes <= state->cap_max && rec->wire_bytes <= PCAP_WIRE_BYTES_MAX &&
	       (rec->seconds | rec->fraction | rec->cap_bytes | rec->wire_bytes) != 0;
}

/* What a record that is searched for must satisfy: much, since any bytes may look like one. */
static bool pcap_record_convincing(const struct capfile *cf, const struct pcap_record *rec)
{
	int64_t distance;

	if (rec->cap_bytes == 0 || rec->cap_bytes > rec->wire_bytes ||
	    rec->cap_bytes > CAPFILE_RECORD_BYTES_MAX ||
	    rec->wire_bytes > CAPFILE_RECORD_BYTES_MAX ||
	    rec->fraction >= STAMP_NS_PER_S / cf->pcap.frac_ns || rec->seconds == 0)
		return false;
	if (!stamp_known(cf->stats.first))
		return true;
	distance = (int64_t)rec->seconds - cf->previous_ns / STAMP_NS_PER_S;
	return distance <= PCAP_SEARCH_TIME_S && distance >= -PCAP_SEARCH_TIME_S;
}

/* True when convincing records follow each other from `at` on, up to the end or PCAP_CHAIN. */
static bool pcap_chain_convincing(const struct capfile *cf, struct slice bytes, size_t at)
{
	uint32_t header = cf->pcap.record_header_bytes;

	for (int i = 0; i < PCAP_CHAIN; i++) {
		struct pcap_record rec;

		if (at == bytes.len)
			return i > 0;
		if (header > bytes.len - at)
			return i > 1;
		rec = pcap_read_record(&cf->pcap, bytes.ptr + at);
		if (!pcap_record_convincing(cf, &rec))
			return false;
		if (rec.cap_bytes > bytes.len - at - header)
			return i > 1;
		at += header + rec.cap_bytes;
	}
	return true;
}

/* The first place from `at` on, below `limit`, where records go on; bytes.len: none. */
static size_t pcap_search(const struct capfile *cf, struct slice bytes, size_t at, size_t limit)
{
	uint32_t header = cf->pcap.record_header_bytes;

	for (; at < limit && header <= bytes.len - at; at++) {
		struct pcap_record rec = pcap_read_record(&cf->pcap, bytes.ptr + at);

		if (pcap_record_convincing(cf, &rec) && pcap_chain_convincing(cf, bytes, at))
			return at;
	}
	return bytes.len;
}

static struct slice pcap_peek_search(struct capfile *cf)
{
	return source_peek(cf->source, PCAP_SEARCH_BYTES + PCAP_CHAIN * (PCAP_RECORD_BYTES * 2 +
									 CAPFILE_RECORD_BYTES_MAX));
}

/* Leaves behind what is no record, at least one byte. */
static enum capfile_result pcap_resync(struct capfile *cf)
{
	uint64_t offset = source_offset(cf->source);
	bool zeroes = true;
	bool found = false;
	size_t first = 1;

	while (!found) {
		struct slice bytes = pcap_peek_search(cf);
		size_t limit = bytes.len < PCAP_SEARCH_BYTES ? bytes.len : PCAP_SEARCH_BYTES;
		size_t at;

		if (bytes.len == 0)
			break;
		at = pcap_search(cf, bytes, first < limit ? first : limit, limit);
		found = at < limit;
		if (!found)
			at = limit;
		if (zeroes)
			zeroes = capfile_all_zero(slice_make(bytes.ptr, at));
		source_take(cf->source, at);
		first = 0;
	}
	capfile_add_damage(cf, zeroes ? CAPFILE_DAMAGE_ZEROES : CAPFILE_DAMAGE_LENGTH, offset,
			   source_offset(cf->source) - offset);
	return found ? CAPFILE_RESYNC : capfile_finish(cf);
}

/*
 * What follows this record is no record. Either its own length lies, and records go on inside of
 * what it claims (true), or the damage is behind it (false).
 */
static bool pcap_length_lies(struct capfile *cf, size_t record_bytes)
{
	struct slice bytes = pcap_peek_search(cf);
	size_t limit = bytes.len < record_bytes ? bytes.len : record_bytes;

	return pcap_search(cf, bytes, 1, limit) < limit;
}

static struct stamp pcap_stamp(const struct pcap_state *state, const struct pcap_record *rec)
{
	/* at most 2^32 s and 2^32 µs: fits */
	return stamp_utc((int64_t)rec->seconds * STAMP_NS_PER_S +
			 (int64_t)rec->fraction * state->frac_ns);
}

static inline enum capfile_result pcap_deliver(struct capfile *cf, const struct pcap_record *rec,
					       struct slice bytes, struct capfile_packet *out)
{
	uint64_t offset = source_offset(cf->source);

	*out = (struct capfile_packet){
		.at = pcap_stamp(&cf->pcap, rec),
		.cap_bytes = rec->cap_bytes,
		.wire_bytes = rec->wire_bytes,
		.linktype = cf->pcap.linktype,
		.offset = offset,
		.bytes = slice_make(bytes.ptr + cf->pcap.record_header_bytes, rec->cap_bytes),
	};
	if (rec->cap_bytes > rec->wire_bytes) {
		capfile_add_damage(cf, CAPFILE_DAMAGE_BEYOND_WIRE, offset, 0);
		out->wire_bytes = rec->cap_bytes;
	}
	source_pass(cf->source, cf->pcap.record_header_bytes + rec->cap_bytes);
	capfile_count_packet(cf, out);
	return CAPFILE_PACKET;
}

/* The file ends before the record does: it was cut, or the length lies and records go on. */
static enum capfile_result pcap_next_cut(struct capfile *cf, const struct pcap_record *rec,
					 struct slice bytes)
{
	bool odd = !pcap_record_convincing(cf, rec) ||
		   (cf->stats.snaplen > 0 && rec->cap_bytes > cf->stats.snaplen);

	if (odd && pcap_length_lies(cf, bytes.len))
		return pcap_resync(cf);
	return capfile_finish_cut(cf, bytes);
}

/* Any record, and the end. */
static enum capfile_result pcap_next_any(struct capfile *cf, struct capfile_packet *out)
{
	size_t header = cf->pcap.record_header_bytes;
	struct slice bytes = source_peek(cf->source, header);
	struct pcap_record rec;
	size_t record_bytes;

	if (bytes.len == 0)
		return capfile_finish(cf);
	if (bytes.len < header)
		return capfile_finish_cut(cf, bytes);
	if (__builtin_expect(cf->pcap.after_at == source_offset(cf->source), 1)) {
		rec = cf->pcap.after;
	} else {
		rec = pcap_read_record(&cf->pcap, bytes.ptr);
		if (!pcap_record_possible(&cf->pcap, &rec))
			return pcap_resync(cf);
	}
	record_bytes = header + rec.cap_bytes;
	if (bytes.len < record_bytes + header)
		bytes = source_peek(cf->source, record_bytes + header);
	if (bytes.len < record_bytes)
		return pcap_next_cut(cf, &rec, bytes);
	if (bytes.len >= record_bytes + header) {
		cf->pcap.after = pcap_read_record(&cf->pcap, bytes.ptr + record_bytes);
		cf->pcap.after_at = source_offset(cf->source) + record_bytes;
		if (!pcap_record_possible(&cf->pcap, &cf->pcap.after)) {
			cf->pcap.after_at = 0;
			if (pcap_length_lies(cf, record_bytes))
				return pcap_resync(cf);
			bytes = source_peek(cf->source, record_bytes);
		}
	}
	return pcap_deliver(cf, &rec, bytes, out);
}

/* A record whose header was looked at with the one before it, and has another behind it. */
enum capfile_result pcap_next(struct capfile *cf, struct capfile_packet *out)
{
	struct pcap_state *state = &cf->pcap;
	size_t header = state->record_header_bytes;
	size_t record_bytes = header + state->after.cap_bytes;
	struct pcap_record rec, after;
	struct slice bytes;

	if (__builtin_expect(state->after_at != source_offset(cf->source), 0))
		return pcap_next_any(cf, out);
	bytes = source_peek(cf->source, record_bytes + header);
	if (__builtin_expect(bytes.len < record_bytes + header, 0))
		return pcap_next_any(cf, out);
	after = pcap_read_record(state, bytes.ptr + record_bytes);
	if (__builtin_expect(!pcap_record_possible(state, &after), 0))
		return pcap_next_any(cf, out);
	rec = state->after;
	state->after = after;
	state->after_at += record_bytes;
	return pcap_deliver(cf, &rec, bytes, out);
}

/* Kuznetzov's records come with 24 or 28 bytes of header: the kind that fits more of them. */
static void pcap_settle_modified(struct capfile *cf)
{
	struct slice bytes = source_peek(cf->source, PCAP_SETTLE_BYTES);
	uint32_t best_header = PCAP_RECORD_BYTES + 8;
	unsigned int best = 0;

	for (uint32_t header = best_header; header <= PCAP_RECORD_BYTES + 12; header += 4) {
		size_t at = 0;
		unsigned int fits = 0;

		while (fits < 8 && header <= bytes.len - at) {
			struct pcap_record rec = pcap_read_record(&cf->pcap, bytes.ptr + at);

			if (!pcap_record_convincing(cf, &rec) ||
			    rec.cap_bytes > bytes.len - at - header)
				break;
			at += header + rec.cap_bytes;
			fits++;
		}
		/* records that fill the file to its last byte leave no doubt */
		if (at > 0 && at == bytes.len)
			fits += 8;
		if (fits > best) {
			best = fits;
			best_header = header;
		}
	}
	cf->pcap.record_header_bytes = best_header;
}

static void pcap_settle_lengths(struct pcap_state *state, uint16_t major, uint16_t minor)
{
	/* the order of the two lengths was turned round in 2.3; 543 is tcpdump of DG/UX */
	state->lengths_swapped = (major == 2 && minor < 3) || major == 543;
	state->lengths_maybe_swapped = major == 2 && minor == 3;
}

struct err *pcap_start(struct capfile *cf)
{
	struct slice head = source_peek(cf->source, PCAP_HEADER_BYTES + 4);
	struct pcap_state *state = &cf->pcap;
	const struct pcap_magic *magic = pcap_find_magic(head, &state->big_endian);
	uint16_t major;
	uint32_t snaplen;

	if (!magic)
		return err_new("%s: is not a pcap file", source_path(cf->source));
	if (head.len < magic->header_bytes)
		return err_new("%s: is a pcap file that ends inside its header (%zu of %u bytes)",
			       source_path(cf->source), head.len, magic->header_bytes);
	major = capfile_u16(head.ptr + 4, state->big_endian);
	if (major < 2)
		return err_new("%s: pcap version %u is not known", source_path(cf->source), major);
	pcap_settle_lengths(state, major, capfile_u16(head.ptr + 6, state->big_endian));
	snaplen = capfile_u32(head.ptr + 16, state->big_endian);
	state->frac_ns = magic->frac_ns;
	state->record_header_bytes = magic->record_header_bytes;
	state->linktype = capfile_u32(head.ptr + 20, state->big_endian) & 0xffff;
	state->cap_max = CAPFILE_RECORD_BYTES_MAX;
	if (snaplen > state->cap_max)
		state->cap_max =
			snaplen < CAPFILE_SNAPLEN_BYTES_MAX ? snaplen : CAPFILE_SNAPLEN_BYTES_MAX;
	cf->stats.snaplen = snaplen;
	cf->stats.linktype = state->linktype;
	cf->stats.interfaces = 1;
	cf->stats.sections = 1;
	source_take(cf->source, magic->header_bytes);
	if (magic->record_header_bytes > PCAP_RECORD_BYTES)
		pcap_settle_modified(cf);
	return NULL;
}
