// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes captures, see write.h: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng. */
#include "capfile/write.h"

enum {
	WRITE_OPT_COMMENT = 1,
	WRITE_OPT_IF_NAME = 2,
	WRITE_OPT_USERAPPL = 4,
	WRITE_OPT_IFRECV = 4,
	WRITE_OPT_IFDROP = 5,
	WRITE_OPT_TSRESOL = 9,
	WRITE_OPTION_BYTES_MAX = 65532,
};

static void write_u16(struct strbuf *out, uint16_t v)
{
	strbuf_add(out, &v, sizeof(v));
}

static void write_u32(struct strbuf *out, uint32_t v)
{
	strbuf_add(out, &v, sizeof(v));
}

static void write_padded(struct strbuf *out, struct slice bytes)
{
	static const uint8_t zeroes[4];

	strbuf_add(out, bytes.ptr, bytes.len);
	strbuf_add(out, zeroes, -bytes.len & 3);
}

void pcap_write_header(struct strbuf *out, uint32_t linktype, uint32_t snaplen)
{
	write_u32(out, 0xa1b23c4d);
	write_u16(out, 2);
	write_u16(out, 4);
	write_u32(out, 0);
	write_u32(out, 0);
	write_u32(out, snaplen);
	write_u32(out, linktype);
}

void pcap_write_packet(struct strbuf *out, struct stamp at, struct slice bytes, uint32_t wire_bytes)
{
	write_u32(out, (uint32_t)(at.ns / STAMP_NS_PER_S));
	write_u32(out, (uint32_t)(at.ns % STAMP_NS_PER_S));
	write_u32(out, (uint32_t)bytes.len);
	write_u32(out, wire_bytes);
	strbuf_add(out, bytes.ptr, bytes.len);
}

/* Starts a block; its length is filled in by block_end. */
static size_t block_start(struct strbuf *out, uint32_t type)
{
	size_t start = out->len;

	write_u32(out, type);
	write_u32(out, 0);
	return start;
}

static void block_end(struct strbuf *out, size_t start)
{
	uint32_t len = (uint32_t)(out->len - start + 4);

	write_u32(out, len);
	memcpy(out->data + start + 4, &len, sizeof(len));
}

static void block_option(struct strbuf *out, uint16_t code, struct slice value)
{
	if (value.len > WRITE_OPTION_BYTES_MAX)
		value.len = WRITE_OPTION_BYTES_MAX;
	write_u16(out, code);
	write_u16(out, (uint16_t)value.len);
	write_padded(out, value);
}

static void block_text_option(struct strbuf *out, uint16_t code, const char *text)
{
	if (!text)
		return;
	block_option(out, code, slice_of_string(text));
	write_u32(out, 0);
}

static void block_u64_option(struct strbuf *out, uint16_t code, uint64_t value)
{
	block_option(out, code, slice_make((const uint8_t *)&value, sizeof(value)));
}

void pcapng_write_section(struct strbuf *out, const char *application, const char *comment)
{
	size_t start = block_start(out, 0x0a0d0d0a);

	write_u32(out, 0x1a2b3c4d);
	write_u16(out, 1);
	write_u16(out, 0);
	/* length of the section: not told */
	write_u32(out, UINT32_MAX);
	write_u32(out, UINT32_MAX);
	if (application)
		block_option(out, WRITE_OPT_USERAPPL, slice_of_string(application));
	if (comment)
		block_option(out, WRITE_OPT_COMMENT, slice_of_string(comment));
	if (application || comment)
		write_u32(out, 0);
	block_end(out, start);
}

void pcapng_write_interface(struct strbuf *out, uint32_t linktype, uint32_t snaplen,
			    const char *name)
{
	size_t start = block_start(out, 1);
	uint8_t tsresol = 9;

	write_u16(out, (uint16_t)linktype);
	write_u16(out, 0);
	write_u32(out, snaplen);
	if (name)
		block_option(out, WRITE_OPT_IF_NAME, slice_of_string(name));
	block_option(out, WRITE_OPT_TSRESOL, slice_make(&tsresol, 1));
	write_u32(out, 0);
	block_end(out, start);
}

void pcapng_write_packet(struct strbuf *out, uint32_t interface, struct stamp at,
			 struct slice bytes, uint32_t wire_bytes, const char *comment)
{
	size_t start = block_start(out, 6);

	write_u32(out, interface);
	write_u32(out, (uint32_t)((uint64_t)at.ns >> 32));
	write_u32(out, (uint32_t)at.ns);
	write_u32(out, (uint32_t)bytes.len);
	write_u32(out, wire_bytes);
	write_padded(out, bytes);
	block_text_option(out, WRITE_OPT_COMMENT, comment);
	block_end(out, start);
}

void pcapng_write_statistics(struct strbuf *out, uint32_t interface, struct stamp at,
			     uint64_t received, uint64_t dropped)
{
	size_t start = block_start(out, 5);

	write_u32(out, interface);
	write_u32(out, (uint32_t)((uint64_t)at.ns >> 32));
	write_u32(out, (uint32_t)at.ns);
	block_u64_option(out, WRITE_OPT_IFRECV, received);
	block_u64_option(out, WRITE_OPT_IFDROP, dropped);
	write_u32(out, 0);
	block_end(out, start);
}

void pcapng_write_journal(struct strbuf *out, struct slice text)
{
	size_t start = block_start(out, 9);

	write_padded(out, text);
	block_end(out, start);
}
