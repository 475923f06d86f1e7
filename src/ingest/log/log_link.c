// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Links that go and come, in the words of network drivers, phylib, bonding, IPv6 and of the daemons
 * that watch interfaces. Other links (SATA, PCIe, Fibre Channel) speak in the same words: a line
 * counts only if a plausible name of an interface stands before them.
 */
#include "ingest/log/log_facts.h"

#include <strings.h>

enum { INTERFACE_BYTES_MAX = 15 }; /* IFNAMSIZ - 1 */

/*
 * The phrase from its keyword on; longer ones before those that they begin with. Of a bond the last
 * link is gone, or the first one is back, in the words of drivers/net/bonding/bond_main.c,
 * bond_select_active_slave.
 */
static const struct link_wording {
	const char *text; /* in lower case */
	enum log_fact_kind kind;
} link_wordings[] = {
	{"link status definitely down", LOG_LINK_DOWN},
	{"link status definitely up", LOG_LINK_UP},
	{"link status up again", LOG_LINK_UP},
	{"link is not ready", LOG_LINK_DOWN},
	{"link becomes ready", LOG_LINK_UP},
	{"link is down", LOG_LINK_DOWN},
	{"link is up", LOG_LINK_UP},
	{"link down", LOG_LINK_DOWN},
	{"link up", LOG_LINK_UP},
	{"link disconnected", LOG_LINK_DOWN},
	{"link connected", LOG_LINK_UP},
	{"carrier lost", LOG_LINK_DOWN},
	{"carrier acquired", LOG_LINK_UP},
	{"lost carrier", LOG_LINK_DOWN},
	{"gained carrier", LOG_LINK_UP},
	{"now running without any active interface", LOG_LINK_DOWN},
	{"first active interface up", LOG_LINK_UP},
	{"active interface up", LOG_LINK_UP},
};

static const struct link_wording *link_wording_at(struct slice text)
{
	for (size_t i = 0; i < sizeof(link_wordings) / sizeof(link_wordings[0]); i++) {
		const struct link_wording *w = &link_wordings[i];
		size_t len = strlen(w->text);

		if (text.len >= len && strncasecmp((const char *)text.ptr, w->text, len) == 0)
			return w;
	}
	return NULL;
}

/* The first such phrase; *at is where it begins. */
static const struct link_wording *link_find(struct slice text, size_t *at)
{
	for (size_t i = 1; i < text.len; i++) {
		const struct link_wording *w;

		if (!strchr("lLcCgGnfa", text.ptr[i]) || text.ptr[i] == '\0' ||
		    text.ptr[i - 1] != ' ')
			continue;
		w = link_wording_at(slice_make(text.ptr + i, text.len - i));
		*at = i;
		if (w)
			return w;
	}
	return NULL;
}

static bool is_name_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.' || c == '@';
}

static bool interface_is_plausible(struct slice name)
{
	static const char *const words[] = {"SATA", "NIC",  "PHY",  "phy", "the", "port",   "Slot",
					    "link", "Link", "PCIe", "FC",  "SAS", "carrier"};

	if (name.len < 2 || name.len > INTERFACE_BYTES_MAX || (name.ptr[0] | 0x20) < 'a' ||
	    (name.ptr[0] | 0x20) > 'z')
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (!is_name_byte(name.ptr[i]))
			return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (slice_equal(name, slice_of_string(words[i])))
			return false;
	return true;
}

/* The word that ends at `end`, without colon and brackets. */
static struct slice word_before(struct slice text, size_t end)
{
	size_t start;

	while (end > 0 && strchr(" :()", text.ptr[end - 1]) && text.ptr[end - 1])
		end--;
	for (start = end; start > 0 && text.ptr[start - 1] != ' ' && text.ptr[start - 1] != '(';)
		start--;
	return slice_make(text.ptr + start, end - start);
}

/* Behind these words the interface stands, wherever the phrase is. */
static struct slice word_after(struct slice text, const char *words)
{
	size_t len = strlen(words);
	const uint8_t *found = memmem(text.ptr, text.len, words, len);
	const uint8_t *p = found ? found + len : NULL;

	while (p && p < text.ptr + text.len && is_name_byte(*p))
		p++;
	return p ? slice_make(found + len, (size_t)(p - found) - len) : slice_make(NULL, 0);
}

bool log_link_parse(struct slice text, uint32_t gates, struct log_fact *out)
{
	static const uint32_t links =
		UINT32_C(1) << LOG_GATE_LINK | UINT32_C(1) << LOG_GATE_LINK_UPPER |
		UINT32_C(1) << LOG_GATE_CARRIER | UINT32_C(1) << LOG_GATE_ACTIVE;
	size_t at;
	const struct link_wording *w = gates & links ? link_find(text, &at) : NULL;
	struct slice name;
	bool member;

	if (!w)
		return false;
	name = word_after(text, "for interface ");
	if (name.len == 0)
		name = word_after(text, "(slave ");
	member = name.len != 0;
	if (!member)
		name = word_before(text, at);
	if (slice_equal(name, slice_of_string("NIC")) ||
	    slice_equal(name, slice_of_string("carrier")))
		name = word_before(text, (size_t)(name.ptr - text.ptr));
	if (!interface_is_plausible(name))
		return false;
	*out = (struct log_fact){.kind = w->kind, .line = text, .subject = name, .member = member};
	return true;
}
