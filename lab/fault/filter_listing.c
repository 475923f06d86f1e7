// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * listing HOW: pages of READDIR and READDIRPLUS (RFC 1813 sections 3.3.16 and 3.3.17, RFC 8881
 * section 18.23) as servers send them whose cookies are broken:
 *
 *	page N    the call asks with cookie N instead of its own: page 0 repeats the first page
 *	cookie N  the last entry has cookie N, and the listing does not end: the client goes on
 *there twin      the last entry has the cookie of the one before it, as when two names hash alike
 *	empty     no entry, and not the end
 */
#include "lab/fault/filter.h"

#include "names/nfs3.h"
#include "names/nfs4.h"
#include "proto/nfs3_xdr.h"
#include "proto/nfs4_xdr.h"

enum how { PAGE, COOKIE, TWIN, EMPTY };

static const char *const words[] = {
	[PAGE] = "page", [COOKIE] = "cookie", [TWIN] = "twin", [EMPTY] = "empty"};

enum { HOWS = sizeof(words) / sizeof(words[0]), VERIFIER_BYTES = 8, WORD_BYTES = 4 };

static struct err *parse(struct fault_words *w, struct fault_step *step)
{
	for (uint32_t how = 0; how < HOWS; how++) {
		if (!fault_words_take_if(w, words[how]))
			continue;
		step->listing = how;
		step->side = how == PAGE ? FAULT_CALL : FAULT_REPLY;
		return how == PAGE || how == COOKIE
			       ? fault_words_number(w, words[how], 0, UINT64_MAX, &step->number)
			       : NULL;
	}
	return err_new("listing: how? write page N, cookie N, twin or empty");
}

/* The READDIR in the message; NULL: it has none. */
static const struct fault_op *readdir_of(const struct fault_message *m)
{
	if (!m->is_plain || m->is_callback || m->program != NFS4_PROGRAM)
		return NULL;
	for (uint32_t i = 0; m->is_compound && i < m->ops_len; i++)
		if (m->ops[i].number == OP_READDIR)
			return &m->ops[i];
	return m->version == NFS_V3 && m->ops_len && m->body_offset &&
			       (m->procedure == NFSPROC3_READDIR ||
				m->procedure == NFSPROC3_READDIRPLUS)
		       ? &m->ops[0]
		       : NULL;
}

static bool fits(const struct fault_step *step, const struct fault_message *m)
{
	(void)step;
	return readdir_of(m) != NULL;
}

static void judge(const struct fault_step *step, uint8_t op, struct fault_verdict *v)
{
	fault_verdict_edit(v, step, op);
}

static void put_u64(struct strbuf *bytes, size_t offset, uint64_t value)
{
	fault_put_u32(bytes, offset, (uint32_t)(value >> 32));
	fault_put_u32(bytes, offset + WORD_BYTES, (uint32_t)value);
}

static struct cursor cursor_at(const struct fault_message *m, size_t offset)
{
	struct cursor c = cursor_make_cut(m->bytes, m->missing_bytes);

	cursor_skip(&c, offset);
	return c;
}

/* A listing begins with a verifier of zeroes: servers that look at it want that of cookie 0. */
static void edit_call(uint64_t cookie, const struct fault_op *op, const struct fault_message *m,
		      struct strbuf *bytes)
{
	struct cursor c = cursor_at(m, op->offset);

	if (m->is_compound)
		cursor_u32(&c); /* the operation's number */
	else
		cursor_opaque(&c, NFS3_FHSIZE);
	if (!cursor_ok(&c))
		return;
	put_u64(bytes, cursor_offset(&c), cookie);
	if (cookie == 0)
		put_u64(bytes, cursor_offset(&c) + 8, 0);
}

/* Places in the page of a reply. */
struct page {
	size_t list_at, eof_at;
	size_t cookie_at, before_at; /* of the last entry and of the one before it; 0: none */
	uint64_t before;             /* that one's cookie */
};

/* One entry up to the "is there another" behind it; its cookie's place. */
static size_t read_entry(struct cursor *c, const struct fault_message *m, uint64_t *cookie)
{
	struct nfs3_post_op_attr attributes;
	struct nfs3_post_op_fh3 handle;
	size_t at;

	if (m->is_compound) {
		at = cursor_offset(c);
		*cookie = cursor_u64(c);
		cursor_opaque(c, XDR_ANY);
		nfs4_skip_fattr4(c);
		return at;
	}
	cursor_u64(c); /* fileid */
	cursor_opaque(c, XDR_ANY);
	at = cursor_offset(c);
	*cookie = cursor_u64(c);
	if (m->procedure == NFSPROC3_READDIRPLUS) {
		nfs3_decode_post_op_attr(c, &attributes);
		nfs3_decode_post_op_fh3(c, &handle);
	}
	return at;
}

/* False: it failed, or is not to be understood. */
static bool read_page(const struct fault_op *op, const struct fault_message *m, struct page *p)
{
	struct cursor c = cursor_at(m, op->offset);
	struct nfs3_post_op_attr attributes;
	uint64_t cookie = 0;

	*p = (struct page){0};
	if (m->is_compound)
		cursor_u32(&c);
	if (cursor_u32(&c) != 0)
		return false;
	if (!m->is_compound)
		nfs3_decode_post_op_attr(&c, &attributes);
	cursor_skip(&c, VERIFIER_BYTES);
	p->list_at = cursor_offset(&c);
	while (cursor_bool(&c)) {
		p->before_at = p->cookie_at;
		p->before = cookie;
		p->cookie_at = read_entry(&c, m, &cookie);
	}
	p->eof_at = cursor_offset(&c);
	cursor_bool(&c);
	return cursor_ok(&c);
}

static void edit_reply(const struct fault_step *step, const struct fault_op *op,
		       const struct fault_message *m, struct strbuf *bytes)
{
	struct page p;

	/* Places count only while nothing else has moved them. */
	if (bytes->len != m->bytes.len || !read_page(op, m, &p))
		return;
	if (step->listing == EMPTY) {
		memmove(bytes->data + p.list_at + WORD_BYTES, bytes->data + p.eof_at,
			bytes->len - p.eof_at);
		bytes->len -= p.eof_at - p.list_at - WORD_BYTES;
		fault_put_u32(bytes, p.list_at, 0);
		fault_put_u32(bytes, p.list_at + WORD_BYTES, 0);
	} else if (step->listing == COOKIE && p.cookie_at) {
		put_u64(bytes, p.cookie_at, step->number);
		fault_put_u32(bytes, p.eof_at, 0);
	} else if (step->listing == TWIN && p.before_at) {
		put_u64(bytes, p.cookie_at, p.before);
	}
}

static void edit(const struct fault_edit *e, const struct fault_message *m, struct strbuf *bytes)
{
	const struct fault_op *op = readdir_of(m);

	if (op && e->step->listing == PAGE)
		edit_call(e->step->number, op, m, bytes);
	else if (op)
		edit_reply(e->step, op, m, bytes);
}

const struct fault_filter fault_filter_listing = {
	.name = "listing",
	.usage = "listing page N|cookie N|twin|empty",
	.parse = parse,
	.fits = fits,
	.judge = judge,
	.edit = edit,
};
