// SPDX-License-Identifier: GPL-2.0-or-later
/* What a file is, see sniff.h. */
#include "evidence/sniff.h"

#include "capfile/capfile.h"

enum {
	SNIFF_TAR_MAGIC_OFFSET = 257,
	SNIFF_ODD_SHARE = 20, /* one odd byte in this many is too many for a text */
};

static const struct sniff_magic {
	size_t offset;
	const char *bytes;
	enum sniff_kind kind;
} sniff_magics[] = {
	{SNIFF_TAR_MAGIC_OFFSET, "ustar", SNIFF_TAR},
	{0, "\177ELF", SNIFF_ELF},
	{0, "KDUMP   ", SNIFF_KDUMP},
	{0, "makedumpfile", SNIFF_KDUMP},
};

/* Control characters that logs have: tab, line ends, bell, backspace, escape (colours). */
static bool sniff_is_text_byte(uint8_t c)
{
	return c >= 0x20 ? c != 0x7f : (c >= 7 && c <= 13) || c == 0x1b;
}

/* UTF-16 with a byte order mark is UTF-8 by now (capfile/source.h). */
static bool sniff_is_text(struct slice head)
{
	size_t odd = 0;

	for (size_t i = 0; i < head.len; i++)
		odd += !sniff_is_text_byte(head.ptr[i]);
	return odd * SNIFF_ODD_SHARE <= head.len;
}

static bool sniff_is_blank(struct slice head)
{
	for (size_t i = 0; i < head.len; i++) {
		if (head.ptr[i] != 0 && head.ptr[i] != ' ' &&
		    (head.ptr[i] < '\t' || head.ptr[i] > '\r'))
			return false;
	}
	return true;
}

enum sniff_kind sniff_bytes(struct slice head)
{
	enum capfile_format format;

	if (capfile_sniff(head, &format))
		return format == CAPFILE_PCAP ? SNIFF_PCAP : SNIFF_PCAPNG;
	for (size_t i = 0; i < sizeof(sniff_magics) / sizeof(sniff_magics[0]); i++) {
		const struct sniff_magic *magic = &sniff_magics[i];
		size_t len = strlen(magic->bytes);

		if (head.len >= magic->offset + len &&
		    memcmp(head.ptr + magic->offset, magic->bytes, len) == 0)
			return magic->kind;
	}
	if (sniff_is_blank(head))
		return SNIFF_EMPTY;
	return sniff_is_text(head) ? SNIFF_TEXT : SNIFF_UNKNOWN;
}

enum sniff_kind sniff_source(struct source *s)
{
	struct slice head = source_peek(s, SNIFF_HEAD_BYTES);

	if (head.len > SNIFF_HEAD_BYTES)
		head.len = SNIFF_HEAD_BYTES;
	return sniff_bytes(head);
}

struct err *sniff_path(const char *path, enum sniff_kind *out)
{
	struct source *s = NULL;
	struct err *err = source_open(path, &s);

	if (err)
		return err;
	*out = sniff_source(s);
	source_destroy(s);
	return NULL;
}

const char *sniff_kind_name(enum sniff_kind kind)
{
	static const char *const names[] = {
		[SNIFF_PCAP] = "pcap",   [SNIFF_PCAPNG] = "pcapng",   [SNIFF_TEXT] = "text",
		[SNIFF_EMPTY] = "empty", [SNIFF_TAR] = "tar",         [SNIFF_ELF] = "elf",
		[SNIFF_KDUMP] = "kdump", [SNIFF_UNKNOWN] = "unknown",
	};

	return names[kind];
}
