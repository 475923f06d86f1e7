// SPDX-License-Identifier: GPL-2.0-or-later
/* See task.h: a task of NFSv4, with one file that is open and locked. */
#include "lab/probe/round.h"
#include "lab/probe/task.h"
#include "lab/probe/v4.h"

enum { IO_BYTES = 4096 };

static bool do_renew(struct v4 *v)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_RENEW, .oprenew.clientid = v->clientid};

	v4_begin(v, true);
	if (v->words->minor == 0)
		v4_add(v, &op);
	return v4_run(v);
}

static bool do_getattr(struct v4 *v)
{
	v4_begin(v, true);
	v4_add_handle(v, v->has_file ? &v->file : &v->root);
	v4_add_getattr(v);
	return v4_run(v);
}

static bool do_lookup(struct v4 *v)
{
	uint32_t len = (uint32_t)strlen(v->words->file);
	const struct nfs4_nfs_argop4 op = {
		.argop = OP_LOOKUP,
		.oplookup.objname = {
			.ptr = (const uint8_t *)v->words->file, .len = len, .have = len}};

	v4_begin(v, true);
	v4_add_handle(v, &v->root);
	v4_add(v, &op);
	v4_add_plain(v, OP_GETFH);
	v4_add_getattr(v);
	return v4_run(v);
}

static bool do_read(struct v4 *v)
{
	const struct nfs4_nfs_argop4 op = {
		.argop = OP_READ,
		.opread = {.stateid = v->has_lock ? v->lock : v->open, .count = IO_BYTES}};

	v4_begin(v, true);
	v4_add_handle(v, &v->file);
	v4_add(v, &op);
	return v4_run(v);
}

static bool do_write(struct v4 *v)
{
	static const uint8_t data[IO_BYTES];
	const struct nfs4_nfs_argop4 op = {
		.argop = OP_WRITE,
		.opwrite = {.stateid = v->has_lock ? v->lock : v->open,
			    .stable = FILE_SYNC4,
			    .data = {.ptr = data, .len = IO_BYTES, .have = IO_BYTES}}};

	v4_begin(v, true);
	v4_add_handle(v, &v->file);
	v4_add(v, &op);
	v4_add_getattr(v);
	return v4_run(v);
}

static bool do_page(struct v4 *v)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_READDIR};

	op.opreaddir.cookie = v->cookie;
	memcpy(op.opreaddir.cookieverf, v->cookie_verifier, sizeof(v->cookie_verifier));
	op.opreaddir.dircount = v->words->page_bytes / 8;
	op.opreaddir.maxcount = v->words->page_bytes;
	xdr_bitmap_set(&op.opreaddir.attr_request, FATTR4_TYPE);
	v4_begin(v, true);
	v4_add_handle(v, &v->root);
	v4_add(v, &op);
	return v4_run(v);
}

static bool do_list(struct v4 *v)
{
	v->cookie = 0;
	v->eof = false;
	memset(v->cookie_verifier, 0, sizeof(v->cookie_verifier));
	while (!v->eof) {
		uint64_t before = v->cookie;

		if (!v4_do(v, do_page))
			return false;
		if (v->status != NFS4_OK || (v->cookie == before && !v->eof))
			break;
	}
	return true;
}

static bool do_open(struct v4 *v)
{
	return v->has_file || v4_open(v, CLAIM_NULL);
}

static bool do_lock(struct v4 *v)
{
	return v->has_lock || v4_lock(v, false);
}

static bool return_delegation(struct v4 *v)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_DELEGRETURN,
				     .opdelegreturn.deleg_stateid = v->delegation};

	v->recalled = v->has_delegation = false;
	v4_begin(v, true);
	v4_add_handle(v, &v->file);
	v4_add(v, &op);
	return v4_run(v);
}

/* Programs that make one call after the other, all at once. */
static bool do_many(struct v4 *v)
{
	enum { TIMES = 16 };

	return v->words->minor == 0 || v4_many(v, v->words->processes, TIMES);
}

static const char *const mix_names[] = {"renew", "getattr", "lookup", "read",  "write", "list",
					"open",  "lock",    "unlock", "close", "many",  NULL};

static bool (*const mix_runs[])(struct v4 *v) = {
	do_renew, do_getattr, do_lookup, do_read,  do_write, do_list,
	do_open,  do_lock,    v4_unlock, v4_close, do_many,
};

static bool play_round(struct v4 *v, const struct mix *mix)
{
	if (v->recalled && v->has_delegation && !v4_do(v, return_delegation))
		return false;
	for (size_t i = 0; i < mix->count; i++)
		if (!v4_do(v, mix_runs[mix->rows[i]]))
			return false;
	return client_sleep(v->client, v->words->every_ns);
}

struct err *probe_session(const struct probe_words *words, double speed)
{
	struct client c;
	struct mix mix;
	struct v4 v;
	bool going;
	struct err *err = mix_parse(
		mix_names, words->mix ? words->mix : "renew+open+lock+getattr+write", &mix);

	if (!err)
		err = task_start(&c, words, speed);
	if (err)
		return err;
	v4_init(&v, &c, words);
	going = v4_do(&v, v4_attach);
	if (!going && v.refused)
		err = err_new("%s does not take calls of NFSv4.%u: RPC answers %u (2 is "
			      "PROG_MISMATCH)",
			      words->server, words->minor, c.why);
	while (going)
		going = play_round(&v, &mix);
	v4_deinit(&v);
	client_deinit(&c);
	return err;
}
