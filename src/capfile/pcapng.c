// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reads pcapng: draft-ietf-opsawg-pcapng.
 *
 * A block tells its length at both ends; where the two differ, or the type is none that exists, the
 * reader looks for the next block that is whole.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "capfile/private.h"

enum {
	PCAPNG_SHB = 0x0a0d0d0a,
	PCAPNG_BYTE_ORDER = 0x1a2b3c4d,
	PCAPNG_FRAME_BYTES = 12, /* type and two lengths */
	PCAPNG_BODY = 8,         /* where a block's body starts */
	PCAPNG_SEARCH_BYTES = 1 << 20,
	PCAPNG_TSRESOL_DEFAULT = 6,
	PCAPNG_TSRESOL_BINARY = 0x80,
	PCAPNG_TSRESOL_DECIMAL_MAX = 19,
};

/* Option codes, by the block they stand in. */
enum {
	OPT_ENDOFOPT = 0,
	OPT_COMMENT = 1,
	SHB_USERAPPL = 4,
	IF_TSRESOL = 9,
	IF_TSOFFSET = 14,
	ISB_IFRECV = 4,
	ISB_IFDROP = 5,
	ISB_OSDROP = 7,
};

/* One whole block. */
struct pcapng_block {
	uint64_t offset;
	struct slice body; /* without type, lengths */
};

/* A handler says whether it made a packet of the block. */
typedef bool pcapng_block_fn(struct capfile *cf, const struct pcapng_block *block,
			     struct capfile_packet *out);

static pcapng_block_fn pcapng_section, pcapng_interface, pcapng_old_packet, pcapng_simple_packet,
	pcapng_statistics, pcapng_packet, pcapng_journal, pcapng_custom;

static const struct pcapng_block_type {
	uint32_t type;
	uint32_t body_min;     /* bytes */
	pcapng_block_fn *read; /* NULL: passed over */
} pcapng_block_types[] = {
	{PCAPNG_SHB, 16, pcapng_section},
	{0x00000006, 20, pcapng_packet},
	{0x00000001, 8, pcapng_interface},
	{0x00000002, 20, pcapng_old_packet},
	{0x00000003, 4, pcapng_simple_packet},
	{0x00000004, 4, NULL}, /* name resolution */
	{0x00000005, 12, pcapng_statistics},
	{0x00000009, 0, pcapng_journal},
	{0x0000000a, 8, NULL},          /* secrets for decryption */
	{0x00000bad, 4, pcapng_custom}, /* to be copied */
	{0x40000bad, 4, pcapng_custom}, /* not to be copied */
};

static const struct pcapng_block_type *pcapng_find_type(uint32_t type)
{
	for (size_t i = 0; i < sizeof(pcapng_block_types) / sizeof(pcapng_block_types[0]); i++) {
		if (pcapng_block_types[i].type == type)
			return &pcapng_block_types[i];
	}
	return NULL;
}

/* Byte order of a section whose header is at p (12 bytes); false: it is none. */
static bool pcapng_byte_order(const uint8_t *p, bool *big_endian)
{
	for (int big = 0; big <= 1; big++) {
		if (capfile_u32(p, big) == PCAPNG_SHB &&
		    capfile_u32(p + 8, big) == PCAPNG_BYTE_ORDER) {
			*big_endian = big;
			return true;
		}
	}
	return false;
}

bool pcapng_sniff(struct slice head)
{
	bool big_endian;

	return head.len >= PCAPNG_FRAME_BYTES && pcapng_byte_order(head.ptr, &big_endian);
}

void pcapng_start(struct capfile *cf)
{
	vec_init(&cf->pcapng.interfaces, sizeof(struct pcapng_interface));
}

void pcapng_stop(struct capfile *cf)
{
	vec_deinit(&cf->pcapng.interfaces);
}

/*
 * Takes the next option from *options: true with its code and value; false at the end. A length
 * that goes beyond the block is damage.
 */
static bool pcapng_option(struct capfile *cf, uint64_t offset, struct slice *options,
			  uint16_t *code, struct slice *value)
{
	bool big = cf->pcapng.big_endian;
	size_t len;
	size_t padded;

	if (options->len < 4)
		return false;
	*code = capfile_u16(options->ptr, big);
	len = capfile_u16(options->ptr + 2, big);
	if (*code == OPT_ENDOFOPT)
		return false;
	if (len > options->len - 4) {
		capfile_add_damage(cf, CAPFILE_DAMAGE_BLOCK, offset, 0);
		return false;
	}
	*value = slice_make(options->ptr + 4, len);
	padded = 4 + ((len + 3) & ~(size_t)3);
	if (padded > options->len)
		padded = options->len;
	*options = slice_make(options->ptr + padded, options->len - padded);
	return true;
}

/* What lies behind the first `from` bytes of a body. */
static struct slice pcapng_rest(const struct pcapng_block *block, size_t from)
{
	if (from > block->body.len)
		from = block->body.len;
	return slice_make(block->body.ptr + from, block->body.len - from);
}

static bool pcapng_section(struct capfile *cf, const struct pcapng_block *block,
			   struct capfile_packet *out)
{
	struct slice options = pcapng_rest(block, 16);
	struct slice value;
	uint16_t code;

	(void)out;
	cf->pcapng.interface_base += (uint32_t)cf->pcapng.interfaces.len;
	cf->pcapng.interfaces.len = 0;
	cf->stats.sections++;
	while (pcapng_option(cf, block->offset, &options, &code, &value)) {
		if (code == OPT_COMMENT)
			capfile_add_comment(cf, 0, value);
		else if (code == SHB_USERAPPL && !cf->application)
			cf->application =
				mem_copy(value.ptr, strnlen((const char *)value.ptr, value.len));
	}
	return false;
}

static bool pcapng_interface(struct capfile *cf, const struct pcapng_block *block,
			     struct capfile_packet *out)
{
	bool big = cf->pcapng.big_endian;
	struct slice options = pcapng_rest(block, 8);
	struct pcapng_interface *interface;
	struct slice value;
	uint16_t code;

	(void)out;
	if (cf->pcapng.interfaces.len >= CAPFILE_INTERFACES_MAX) {
		capfile_add_damage(cf, CAPFILE_DAMAGE_INTERFACE, block->offset, 0);
		return false;
	}
	interface = vec_push(&cf->pcapng.interfaces);
	interface->linktype = capfile_u16(block->body.ptr, big);
	interface->snaplen = capfile_u32(block->body.ptr + 4, big);
	interface->tsresol = PCAPNG_TSRESOL_DEFAULT;
	while (pcapng_option(cf, block->offset, &options, &code, &value)) {
		if (code == OPT_COMMENT)
			capfile_add_comment(cf, 0, value);
		else if (code == IF_TSRESOL && value.len >= 1)
			interface->tsresol = value.ptr[0];
		else if (code == IF_TSOFFSET && value.len >= 8)
			interface->tsoffset_s = (int64_t)capfile_u64(value.ptr, big);
	}
	if (cf->stats.interfaces++ == 0)
		cf->stats.linktype = interface->linktype;
	if (interface->snaplen > 0 &&
	    (cf->stats.snaplen == 0 || interface->snaplen < cf->stats.snaplen))
		cf->stats.snaplen = interface->snaplen;
	return false;
}

/* The interface with this index in the section, or NULL, which is damage. */
static struct pcapng_interface *pcapng_find_interface(struct capfile *cf, uint32_t index,
						      uint64_t offset)
{
	if (index < cf->pcapng.interfaces.len)
		return vec_at(&cf->pcapng.interfaces, index);
	capfile_add_damage(cf, CAPFILE_DAMAGE_INTERFACE, offset, 0);
	return NULL;
}

/* Units of an interface's clock in nanoseconds; CLOCK_UNKNOWN when they do not fit. */
static struct stamp pcapng_stamp(const struct pcapng_interface *interface, uint64_t units)
{
	unsigned int exponent = interface->tsresol & 0x7fU;
	__extension__ unsigned __int128 ns = units;
	__extension__ __int128 sum;

	if (interface->tsresol & PCAPNG_TSRESOL_BINARY) {
		ns = exponent < 64 ? (ns * (uint64_t)STAMP_NS_PER_S) >> exponent : 0;
	} else if (exponent > PCAPNG_TSRESOL_DECIMAL_MAX) {
		ns = 0;
	} else {
		for (; exponent < 9; exponent++)
			ns *= 10;
		for (; exponent > 9; exponent--)
			ns /= 10;
	}
	/* below 2^94 each */
	sum = (__typeof__(sum))ns + (__typeof__(sum))interface->tsoffset_s * STAMP_NS_PER_S;
	if (sum > INT64_MAX || sum < INT64_MIN)
		return stamp_none();
	return stamp_utc((int64_t)sum);
}

/* Makes a packet of what the three kinds of packet blocks have in common. */
static bool pcapng_deliver(struct capfile *cf, const struct pcapng_block *block, struct slice room,
			   struct capfile_packet *out)
{
	if (out->cap_bytes > room.len) {
		capfile_add_damage(cf, CAPFILE_DAMAGE_LENGTH, block->offset, 0);
		out->cap_bytes = (uint32_t)room.len;
	}
	if (out->cap_bytes > out->wire_bytes) {
		capfile_add_damage(cf, CAPFILE_DAMAGE_BEYOND_WIRE, block->offset, 0);
		out->wire_bytes = out->cap_bytes;
	}
	out->interface += cf->pcapng.interface_base;
	out->offset = block->offset;
	out->bytes = slice_make(room.ptr, out->cap_bytes);
	capfile_count_packet(cf, out);
	return true;
}

/* Comments of a packet, whose options follow its bytes in `room`. */
static void pcapng_packet_options(struct capfile *cf, const struct pcapng_block *block,
				  struct slice room, const struct capfile_packet *packet)
{
	size_t padded = ((size_t)packet->cap_bytes + 3) & ~(size_t)3;
	struct slice options = {.ptr = NULL, .len = 0};
	struct slice value;
	uint16_t code;

	if (room.len >= padded + 4)
		options = slice_make(room.ptr + padded, room.len - padded);
	while (pcapng_option(cf, block->offset, &options, &code, &value)) {
		if (code == OPT_COMMENT)
			capfile_add_comment(cf, packet->frame, value);
	}
}

/* Enhanced and obsolete packet block differ in the first four bytes only. */
static bool pcapng_timed_packet(struct capfile *cf, const struct pcapng_block *block,
				uint32_t index, struct capfile_packet *out)
{
	bool big = cf->pcapng.big_endian;
	const uint8_t *p = block->body.ptr;
	const struct pcapng_interface *interface = pcapng_find_interface(cf, index, block->offset);
	struct slice room = pcapng_rest(block, 20);
	uint64_t units;

	if (!interface)
		return false;
	units = (uint64_t)capfile_u32(p + 4, big) << 32 | capfile_u32(p + 8, big);
	*out = (struct capfile_packet){
		.at = pcapng_stamp(interface, units),
		.cap_bytes = capfile_u32(p + 12, big),
		.wire_bytes = capfile_u32(p + 16, big),
		.linktype = interface->linktype,
		.interface = index,
	};
	if (!stamp_known(out->at))
		capfile_add_damage(cf, CAPFILE_DAMAGE_TIME, block->offset, 0);
	pcapng_deliver(cf, block, room, out);
	if (room.len > out->cap_bytes)
		pcapng_packet_options(cf, block, room, out);
	return true;
}

static bool pcapng_packet(struct capfile *cf, const struct pcapng_block *block,
			  struct capfile_packet *out)
{
	return pcapng_timed_packet(cf, block, capfile_u32(block->body.ptr, cf->pcapng.big_endian),
				   out);
}

static bool pcapng_old_packet(struct capfile *cf, const struct pcapng_block *block,
			      struct capfile_packet *out)
{
	return pcapng_timed_packet(cf, block, capfile_u16(block->body.ptr, cf->pcapng.big_endian),
				   out);
}

static bool pcapng_simple_packet(struct capfile *cf, const struct pcapng_block *block,
				 struct capfile_packet *out)
{
	const struct pcapng_interface *interface = pcapng_find_interface(cf, 0, block->offset);
	struct slice room = pcapng_rest(block, 4);
	uint32_t wire_bytes;

	if (!interface)
		return false;
	wire_bytes = capfile_u32(block->body.ptr, cf->pcapng.big_endian);
	*out = (struct capfile_packet){
		.at = stamp_none(),
		.cap_bytes = wire_bytes < room.len ? wire_bytes : (uint32_t)room.len,
		.wire_bytes = wire_bytes,
		.linktype = interface->linktype,
	};
	if (interface->snaplen > 0 && out->cap_bytes > interface->snaplen)
		out->cap_bytes = interface->snaplen;
	return pcapng_deliver(cf, block, room, out);
}

/* A counter grows: replaces its share in the sum. */
static void pcapng_count(uint64_t *sum, uint64_t *own, uint64_t now)
{
	*sum = *sum - *own + now;
	*own = now;
}

static bool pcapng_statistics(struct capfile *cf, const struct pcapng_block *block,
			      struct capfile_packet *out)
{
	bool big = cf->pcapng.big_endian;
	struct capfile_drops *drops = &cf->stats.drops;
	struct slice options = pcapng_rest(block, 12);
	struct pcapng_interface *interface =
		pcapng_find_interface(cf, capfile_u32(block->body.ptr, big), block->offset);
	struct slice value;
	uint16_t code;

	(void)out;
	if (!interface)
		return false;
	while (pcapng_option(cf, block->offset, &options, &code, &value)) {
		uint64_t count;

		if (code == OPT_COMMENT)
			capfile_add_comment(cf, 0, value);
		if (value.len < 8)
			continue;
		count = capfile_u64(value.ptr, big);
		if (code == ISB_IFRECV)
			pcapng_count(&drops->received, &interface->received, count);
		else if (code == ISB_IFDROP)
			pcapng_count(&drops->interface_drops, &interface->interface_drops, count);
		else if (code == ISB_OSDROP)
			pcapng_count(&drops->system_drops, &interface->system_drops, count);
		drops->known |= code == ISB_IFDROP || code == ISB_OSDROP;
	}
	return false;
}

static bool pcapng_journal(struct capfile *cf, const struct pcapng_block *block,
			   struct capfile_packet *out)
{
	struct slice text = block->body;

	(void)out;
	while (text.len > 0 && text.ptr[text.len - 1] == 0)
		text.len--;
	cf->frame++;
	if (cf->journal)
		cf->journal(cf->journal_arg, cf->frame, text);
	return false;
}

/* Custom blocks are not ours, but Wireshark (4.0) shows each as a frame. */
static bool pcapng_custom(struct capfile *cf, const struct pcapng_block *block,
			  struct capfile_packet *out)
{
	(void)block;
	(void)out;
	cf->frame++;
	return false;
}

/* Length of the block at p (12 bytes or more), or 0 when it cannot be. Sets the byte order. */
static size_t pcapng_block_bytes(struct capfile *cf, const uint8_t *p)
{
	const struct pcapng_block_type *type;
	bool big = cf->pcapng.big_endian;
	uint32_t bytes;

	type = pcapng_find_type(capfile_u32(p, big));
	if (type && type->type == PCAPNG_SHB && !pcapng_byte_order(p, &big))
		return 0;
	bytes = capfile_u32(p + 4, big);
	if (bytes < PCAPNG_FRAME_BYTES || bytes > CAPFILE_BLOCK_BYTES_MAX || bytes % 4 != 0 ||
	    (type && bytes - PCAPNG_FRAME_BYTES < type->body_min))
		return 0;
	cf->pcapng.big_endian = big;
	return bytes;
}

/* True when a whole block of a known type starts at `at`; its byte order may be the other one. */
static bool pcapng_block_convincing(const struct capfile *cf, struct slice bytes, size_t at)
{
	bool big = cf->pcapng.big_endian;
	const uint8_t *p = bytes.ptr + at;
	const struct pcapng_block_type *type = pcapng_find_type(capfile_u32(p, big));
	uint32_t len;

	if (!type || (type->type == PCAPNG_SHB && !pcapng_byte_order(p, &big)))
		return false;
	len = capfile_u32(p + 4, big);
	return len >= PCAPNG_FRAME_BYTES + type->body_min && len % 4 == 0 &&
	       len <= bytes.len - at && capfile_u32(p + len - 4, big) == len;
}

/* Leaves behind what is no block, from one byte after here on. */
static enum capfile_result pcapng_resync(struct capfile *cf)
{
	uint64_t offset = source_offset(cf->source);
	bool zeroes = true;
	bool found = false;
	size_t at = 1;

	while (!found) {
		struct slice bytes = source_peek(cf->source, 2 * PCAPNG_SEARCH_BYTES);
		size_t limit = bytes.len < PCAPNG_SEARCH_BYTES ? bytes.len : PCAPNG_SEARCH_BYTES;

		if (bytes.len == 0)
			break;
		for (; at < limit && !found; at += !found)
			found = bytes.len - at >= PCAPNG_FRAME_BYTES &&
				pcapng_block_convincing(cf, bytes, at);
		if (at > limit)
			at = limit;
		if (zeroes)
			zeroes = capfile_all_zero(slice_make(bytes.ptr, at));
		source_take(cf->source, at);
		at = 0;
	}
	capfile_add_damage(cf, zeroes ? CAPFILE_DAMAGE_ZEROES : CAPFILE_DAMAGE_BLOCK, offset,
			   source_offset(cf->source) - offset);
	return found ? CAPFILE_RESYNC : capfile_finish(cf);
}

/* True when a whole block starts somewhere behind the first byte of what is left of the file. */
static bool pcapng_goes_on(const struct capfile *cf, struct slice left)
{
	for (size_t at = 1; left.len - at >= PCAPNG_FRAME_BYTES && at < left.len; at++) {
		if (pcapng_block_convincing(cf, left, at))
			return true;
	}
	return false;
}

/*
 * The block at the front of `bytes` (bytes.len: the whole block) does not end with its length.
 * It is believed all the same when the next one is whole.
 */
static bool pcapng_believe(struct capfile *cf, size_t len)
{
	struct slice bytes = source_peek(cf->source, len + PCAPNG_SEARCH_BYTES);

	return bytes.len >= len + PCAPNG_FRAME_BYTES && pcapng_block_convincing(cf, bytes, len);
}

enum capfile_result pcapng_next(struct capfile *cf, struct capfile_packet *out)
{
	for (;;) {
		struct pcapng_block block = {.offset = source_offset(cf->source)};
		struct slice bytes = source_peek(cf->source, PCAPNG_FRAME_BYTES);
		const struct pcapng_block_type *type;
		size_t len;

		if (bytes.len == 0)
			return capfile_finish(cf);
		if (bytes.len < PCAPNG_FRAME_BYTES)
			return capfile_finish_cut(cf, bytes);
		len = pcapng_block_bytes(cf, bytes.ptr);
		if (len == 0)
			return pcapng_resync(cf);
		bytes = source_peek(cf->source, len);
		if (bytes.len < len) {
			if (pcapng_goes_on(cf, bytes))
				return pcapng_resync(cf);
			return capfile_finish_cut(cf, bytes);
		}
		if (capfile_u32(bytes.ptr + len - 4, cf->pcapng.big_endian) != len) {
			if (!pcapng_believe(cf, len))
				return pcapng_resync(cf);
			capfile_add_damage(cf, CAPFILE_DAMAGE_BLOCK, block.offset, 0);
		}
		bytes = source_take(cf->source, len);
		type = pcapng_find_type(capfile_u32(bytes.ptr, cf->pcapng.big_endian));
		block.body = slice_make(bytes.ptr + PCAPNG_BODY, len - PCAPNG_FRAME_BYTES);
		if (type && type->read && type->read(cf, &block, out))
			return CAPFILE_PACKET;
	}
}
