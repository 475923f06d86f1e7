// SPDX-License-Identifier: GPL-2.0-or-later
/* Pages of listings with broken cookies: what the filter makes of READDIR and READDIRPLUS. */
#include "check.h"
#include "fault_make.h"
#include "lab/fault/fault.h"
#include "names/nfs3.h"

static const struct fault_peer client = {
	.address = {[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = 7},
	.port = 871};

enum { COOKIE = 40 };

/* A call, its reply, and what a script made of both. */
struct play {
	bool is_v4, is_plus;
	uint32_t entries;
	bool eof;
	struct made call, reply;
	struct strbuf of_call, of_reply;
};

static void make_readdir(struct play *p)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_READDIR};

	if (!p->is_v4) {
		make_call(&p->call, 5, 100003, 3,
			  p->is_plus ? NFSPROC3_READDIRPLUS : NFSPROC3_READDIR);
		xdr_put_opaque(&p->call.w, made_opaque("dirhandle"), 64);
		xdr_put_u64(&p->call.w, COOKIE);
		xdr_put_u64(&p->call.w, 77);
		xdr_put_u32(&p->call.w, 512);
		xdr_put_u32(&p->call.w, 4096);
		return;
	}
	make_call(&p->call, 5, NFS4_PROGRAM, NFS_V4, NFSPROC4_COMPOUND);
	xdr_put_u32(&p->call.w, 0);
	xdr_put_u32(&p->call.w, 0);
	xdr_put_u32(&p->call.w, 1);
	op.opreaddir.cookie = COOKIE;
	memcpy(op.opreaddir.cookieverf, "verifier", 8);
	nfs4_encode_nfs_argop4(&p->call.w, &op);
}

/* Entries with cookies 41, 42, ... */
static void make_page(struct play *p)
{
	struct xdr_writer *w = &p->reply.w;

	make_reply(&p->reply, 5);
	if (p->is_v4) {
		xdr_put_u32(w, 0); /* status, tag, one operation */
		xdr_put_u32(w, 0);
		xdr_put_u32(w, 1);
		xdr_put_u32(w, OP_READDIR);
	}
	xdr_put_u32(w, 0); /* status */
	if (!p->is_v4)
		xdr_put_u32(w, 0); /* no attributes */
	xdr_put_u64(w, 77);
	for (uint32_t i = 1; i <= p->entries; i++) {
		xdr_put_u32(w, 1);
		if (!p->is_v4)
			xdr_put_u64(w, 1000 + i); /* fileid */
		else
			xdr_put_u64(w, COOKIE + i);
		xdr_put_opaque(w, made_opaque("name"), 255);
		if (!p->is_v4)
			xdr_put_u64(w, COOKIE + i);
		if (p->is_v4 || p->is_plus) {
			xdr_put_u32(w, 0); /* no attributes, no handle */
			xdr_put_u32(w, 0);
		}
	}
	xdr_put_u32(w, 0);
	xdr_put_u32(w, p->eof);
}

static void play_run(struct play *p, const char *script)
{
	struct fault_engine *engine = fault_engine_create(1, 0);
	struct err *err = fault_engine_add(engine, "test", slice_of_string(script));
	struct fault_paths paths;
	struct fault_message m;
	struct fault_verdict v;
	struct fault_call kept;

	fault_paths_init(&paths);
	CHECK_TEXT(err ? err_text(err) : "", "");
	err_destroy(err);
	strbuf_init(&p->of_call);
	strbuf_init(&p->of_reply);
	make_readdir(p);
	make_page(p);
	CHECK(fault_message_read_call(made_bytes(&p->call), 0, false, &client, &paths, &m));
	fault_engine_judge(engine, &m, NULL, 0, &v);
	CHECK_EQ_U64(v.fired_count, 1);
	fault_verdict_apply(&v, &m, &p->of_call);
	fault_call_keep(&m, &kept);
	kept.plan = v.plan;
	CHECK(fault_message_read_reply(made_bytes(&p->reply), 0, &kept, &client, NULL, &m));
	fault_engine_judge(engine, &m, &kept.plan, 0, &v);
	fault_verdict_apply(&v, &m, &p->of_reply);
	fault_engine_destroy(engine);
	fault_paths_deinit(&paths);
}

static void play_end(struct play *p)
{
	strbuf_deinit(&p->of_call);
	strbuf_deinit(&p->of_reply);
}

static bool is_same(const struct strbuf *out, const struct made *m)
{
	return out->len == made_bytes(m).len && memcmp(out->data, m->bytes, out->len) == 0;
}

/* The same page made anew with the places in `p`, to be compared with what the filter made. */
static bool is_page(const struct strbuf *out, const struct play *p, uint32_t entries,
		    uint64_t last_cookie)
{
	struct play other = {.is_v4 = p->is_v4, .is_plus = p->is_plus, .entries = entries};
	uint64_t wire = __builtin_bswap64(last_cookie);
	uint8_t plain[8] = {[7] = (uint8_t)(COOKIE + entries)};
	uint8_t *at;

	make_page(&other);
	if (entries) {
		at = memmem(other.reply.bytes, made_bytes(&other.reply).len, plain, 8);
		if (!CHECK(at != NULL))
			return false;
		memcpy(at, &wire, sizeof(wire));
	}
	return is_same(out, &other.reply);
}

static const struct {
	bool is_v4, is_plus;
} kinds[] = {{false, false}, {false, true}, {true, false}};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static struct play play_of(size_t kind)
{
	return (struct play){.is_v4 = kinds[kind].is_v4,
			     .is_plus = kinds[kind].is_plus,
			     .entries = 3,
			     .eof = true};
}

TEST(page_changes_the_call)
{
	for (size_t i = 0; i < KINDS; i++) {
		struct play p = play_of(i);
		uint8_t cookie[8] = {[7] = COOKIE};
		uint8_t *at;

		play_run(&p, "when READDIR|READDIRPLUS do listing page 7");
		CHECK(is_same(&p.of_reply, &p.reply));
		at = memmem(p.call.bytes, made_bytes(&p.call).len, cookie, 8);
		if (!CHECK(at != NULL))
			return;
		at[7] = 7;
		CHECK(is_same(&p.of_call, &p.call));
		play_end(&p);
		/* From the beginning: without the verifier. */
		play_run(&p, "when any do listing page 0");
		at = memmem(p.call.bytes, made_bytes(&p.call).len, cookie, 8);
		if (!CHECK(at != NULL))
			return;
		memset(at, 0, 16);
		CHECK(is_same(&p.of_call, &p.call));
		play_end(&p);
	}
}

TEST(cookie_leads_back)
{
	for (size_t i = 0; i < KINDS; i++) {
		struct play p = play_of(i);

		play_run(&p, "when READDIR|READDIRPLUS do listing cookie 0x100000001");
		CHECK(is_same(&p.of_call, &p.call));
		CHECK(is_page(&p.of_reply, &p, 3, 0x100000001));
		play_end(&p);
	}
}

TEST(twin_has_the_cookie_of_the_entry_before)
{
	for (size_t i = 0; i < KINDS; i++) {
		struct play p = play_of(i);

		p.eof = false;
		play_run(&p, "when READDIR|READDIRPLUS do listing twin");
		CHECK(is_page(&p.of_reply, &p, 3, COOKIE + 2));
		play_end(&p);
		p.entries = 1;
		play_run(&p, "when READDIR|READDIRPLUS do listing twin");
		CHECK(is_same(&p.of_reply, &p.reply));
		play_end(&p);
	}
}

TEST(empty_brings_nothing_and_does_not_end)
{
	for (size_t i = 0; i < KINDS; i++) {
		struct play p = play_of(i);

		play_run(&p, "when READDIR|READDIRPLUS do listing empty");
		CHECK(is_page(&p.of_reply, &p, 0, 0));
		play_end(&p);
	}
}

TEST(other_calls_are_left_alone)
{
	struct fault_engine *engine = fault_engine_create(1, 0);
	struct fault_paths paths;
	struct made call;
	struct fault_message m;
	struct fault_verdict v;

	fault_paths_init(&paths);
	err_destroy(fault_engine_add(engine, "test",
				     slice_of_string("when any do listing empty, listing page 0")));
	make_lookup3(&call, 5, "handle", "name");
	CHECK(fault_message_read_call(made_bytes(&call), 0, false, &client, &paths, &m));
	fault_engine_judge(engine, &m, NULL, 0, &v);
	CHECK_EQ_U64(v.fired_count, 0);
	fault_engine_destroy(engine);
	fault_paths_deinit(&paths);
}

TEST(what_is_missing_is_said)
{
	struct fault_engine *engine = fault_engine_create(1, 0);
	struct err *err =
		fault_engine_add(engine, "s", slice_of_string("when READDIR do listing badly"));

	CHECK_TEXT(err ? err_text(err) : "",
		   "s:1: listing: how? write page N, cookie N, twin or empty");
	err_destroy(err);
	fault_engine_destroy(engine);
}
