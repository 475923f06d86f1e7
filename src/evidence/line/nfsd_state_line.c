// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See nfsd_state_line.h. Linux fs/nfsd/nfs4state.c, nfs4_show_open and its neighbours, from 5.3 on;
 * the name of the file from 5.5 on.
 */
#include "evidence/line/nfsd_state_line.h"

#include "evidence/line/nfsd_client_line.h"
#include "evidence/text_scan.h"

/* Of a stateid in hexadecimal: the generation, the two halves of the client ID, and a counter. */
enum { STATEID_DIGITS = 32, BOOT_AT = 8, ID_AT = 16, WORD_BYTES = 4 };

static bool digit(uint8_t c, uint32_t *out)
{
	if (text_is_digit(c))
		*out = c - '0';
	else if (c >= 'a' && c <= 'f')
		*out = c - 'a' + 10u;
	else
		return false;
	return true;
}

/* A number of 32 bits in the server's own order of bytes: the lowest comes first. */
static bool take_word(const uint8_t *digits, uint32_t *out)
{
	*out = 0;
	for (unsigned i = 0; i < WORD_BYTES; i++) {
		uint32_t high, low;

		if (!digit(digits[2 * i], &high) || !digit(digits[2 * i + 1], &low))
			return false;
		*out |= (high << 4 | low) << (8 * i);
	}
	return true;
}

/* What is behind `"key: "`, without its quotes; empty: it is not there. */
static struct slice quoted(struct slice line, const char *key)
{
	struct slice rest = text_after(text_find(line, key), strlen(key));
	const uint8_t *end = rest.len ? memchr(rest.ptr, '"', rest.len) : NULL;

	return end ? slice_make(rest.ptr, (size_t)(end - rest.ptr)) : slice_make(rest.ptr, 0);
}

static bool take_kind(struct slice line, enum nfsd_state_kind *out)
{
	static const struct {
		const char *text;
		enum nfsd_state_kind kind;
	} kinds[] = {
		{"{ type: open,", NFSD_STATE_OPEN},
		{"{ type: lock,", NFSD_STATE_LOCK},
		{"{ type: deleg,", NFSD_STATE_DELEG},
		{"{ type: layout,", NFSD_STATE_LAYOUT},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (text_begins(line, kinds[i].text)) {
			*out = kinds[i].kind;
			return true;
		}
	return false;
}

/*
 * "- 0x0000000153ce086b7604e7ca04000000: { type: deleg, access: r, superblock: "00:17:2",
 * filename: "/shared" }", in one line.
 */
bool nfsd_state_line_parse(struct slice line, struct nfsd_state_fact *out)
{
	static const char begin[] = "- 0x";
	struct nfsd_state_fact f = {0};
	uint32_t boot, id;

	line = nfsd_client_line_without_path(line, "/states:");
	if (!text_begins(line, begin))
		return false;
	line = text_after(line, strlen(begin));
	if (line.len < STATEID_DIGITS || !take_word(line.ptr + BOOT_AT, &boot) ||
	    !take_word(line.ptr + ID_AT, &id))
		return false;
	f.clientid = (uint64_t)id << 32 | boot;
	line = text_after(line, STATEID_DIGITS);
	if (!text_begins(line, ": ") || !take_kind(text_after(line, 2), &f.kind))
		return false;
	f.inode = quoted(line, "superblock: \"");
	f.file = quoted(line, "filename: \"");
	*out = f;
	return true;
}
