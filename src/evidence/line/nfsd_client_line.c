// SPDX-License-Identifier: GPL-2.0-or-later
/* See nfsd_client_line.h. Linux fs/nfsd/nfs4state.c, client_info_show, from 5.3 on. */
#include "evidence/line/nfsd_client_line.h"

#include "evidence/text_scan.h"

enum { PORT_MAX = 65535 };

struct slice nfsd_client_line_without_path(struct slice line, const char *mark)
{
	struct slice rest;

	line = text_trim(line);
	if (!text_begins(line, "/proc/fs/nfsd/clients/"))
		return line;
	rest = text_find(line, mark);
	return rest.len ? text_trim(text_after(rest, strlen(mark))) : line;
}

/* What follows "key: " at the beginning of the line; false: it does not begin so. */
static bool value_of(struct slice line, const char *key, struct slice *out)
{
	if (!text_begins(line, key))
		return false;
	*out = text_trim(text_after(line, strlen(key)));
	return true;
}

static struct slice unquoted(struct slice text)
{
	if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"')
		return slice_make(text.ptr + 1, text.len - 2);
	return text;
}

/* "192.0.2.31:830", "[2001:db8::1]:830". */
static void take_address(struct slice text, struct nfsd_client_fact *fact,
			 struct nfsd_client_line *out)
{
	const uint8_t *colon = text.len ? memrchr(text.ptr, ':', text.len) : NULL;
	int64_t port;

	if (!colon)
		return;
	out->address = slice_make(text.ptr, (size_t)(colon - text.ptr));
	if (text_number(text_after(text, out->address.len + 1), &port) && port <= PORT_MAX)
		fact->at.port = (uint16_t)port;
}

static void take_status(struct slice text, struct nfsd_client_fact *fact)
{
	fact->confirmed = slice_equal(text, slice_of_string("confirmed"));
	fact->courtesy = slice_equal(text, slice_of_string("courtesy"));
	fact->expirable = slice_equal(text, slice_of_string("expirable"));
}

static enum callback_state callback_named(struct slice text)
{
	if (slice_equal(text, slice_of_string("UP")))
		return CALLBACK_UP;
	if (slice_equal(text, slice_of_string("DOWN")))
		return CALLBACK_DOWN;
	if (slice_equal(text, slice_of_string("FAULT")))
		return CALLBACK_FAULT;
	return CALLBACK_UNKNOWN;
}

static bool take_more(struct slice line, struct nfsd_client_fact *fact,
		      struct nfsd_client_line *out)
{
	struct slice value;
	uint64_t number;

	if (value_of(line, "address:", &value)) {
		take_address(unquoted(value), fact, out);
	} else if (value_of(line, "status:", &value)) {
		take_status(value, fact);
	} else if (value_of(line, "seconds from last renew:", &value)) {
		fact->has_renewed = text_c_number(value, &number) && (int64_t)number >= 0;
		fact->renewed_s = fact->has_renewed ? number : 0;
	} else if (value_of(line, "name:", &value)) {
		out->name = unquoted(value);
	} else if (value_of(line, "minor version:", &value)) {
		if (text_c_number(value, &number))
			fact->minor = (uint32_t)number;
	} else if (value_of(line, "Implementation name:", &value)) {
		out->implementation = unquoted(value);
	} else if (value_of(line, "admin-revoked states:", &value)) {
		if (text_c_number(value, &number))
			fact->revoked = number;
	} else if (value_of(line, "session slots:", &value)) {
		if (text_c_number(value, &number))
			fact->slots = number;
	} else if (value_of(line, "callback state:", &value)) {
		fact->callback = callback_named(value);
	} else {
		return false;
	}
	return true;
}

void nfsd_client_line_parse(struct slice line, struct nfsd_client_fact *fact,
			    struct nfsd_client_line *out)
{
	struct slice value;
	uint64_t number;

	*out = (struct nfsd_client_line){.kind = NFSD_CLIENT_LINE_OTHER};
	line = nfsd_client_line_without_path(line, "/info:");
	if (line.len == 0 || !memchr("asnmIc", line.ptr[0], 6))
		return; /* no key begins so: each line of a text is looked at */
	if (value_of(line, "clientid:", &value)) {
		if (!text_begins(value, "0x") || !text_c_number(value, &number))
			return;
		*fact = (struct nfsd_client_fact){.clientid = number};
		out->kind = NFSD_CLIENT_LINE_BEGIN;
	} else if (take_more(line, fact, out)) {
		out->kind = NFSD_CLIENT_LINE_MORE;
	}
}
