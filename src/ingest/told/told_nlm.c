// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Locks in NLM messages (X/Open XNFS chapter 10; version 4: RFC 1813 appendix II): TEST, LOCK,
 * CANCEL, UNLOCK and GRANTED with their asynchronous forms. Versions 1 and 3 have 32-bit offsets.
 * And SM_NOTIFY, by which hosts say that they have restarted (chapter 11).
 */
#include "ingest/private.h"

#include "base/hash.h"
#include "base/strbuf.h"
#include "names/nlm.h"
#include "proto/nlm_xdr.h"
#include "proto/nsm_xdr.h"

/* Offset between a procedure and its asynchronous message and result. */
enum { NLM_MSG_STEP = NLMPROC_TEST_MSG - NLMPROC_TEST, NLM_RES_FIRST = NLMPROC_TEST_RES };

/* Both forms of a lock, as one. */
struct lock_fields {
	struct xdr_opaque caller, file, owner;
	int32_t svid;
	uint64_t offset, length;
};

static struct lock_fields lock_fields_take(struct cursor *c, bool v4)
{
	struct nlm_nlm4_lock wide;
	struct nlm_nlm_lock narrow;

	if (v4) {
		nlm_decode_nlm4_lock(c, &wide);
		return (struct lock_fields){wide.caller_name, wide.fh,       wide.oh,
					    wide.svid,        wide.l_offset, wide.l_len};
	}
	nlm_decode_nlm_lock(c, &narrow);
	return (struct lock_fields){narrow.caller_name, narrow.fh,       narrow.oh,
				    narrow.svid,        narrow.l_offset, narrow.l_len};
}

static void keep_cookie(struct nlm_told *t, struct xdr_opaque cookie)
{
	uint32_t len = cookie.have < NLM_COOKIE_BYTES ? cookie.have : NLM_COOKIE_BYTES;

	t->cookie_len = (uint8_t)len;
	if (len)
		memcpy(t->cookie, cookie.ptr, len);
}

static void keep_name(char kept[RPC_NAME_KEEP_BYTES], struct xdr_opaque from)
{
	struct strbuf name;
	size_t len;

	strbuf_init(&name);
	strbuf_add_safe(&name, xdr_opaque_slice(from));
	len = name.len < RPC_NAME_KEEP_BYTES - 1 ? name.len : RPC_NAME_KEEP_BYTES - 1;
	memcpy(kept, strbuf_text(&name), len);
	kept[len] = '\0';
	strbuf_deinit(&name);
}

static void keep_lock(struct nlm_told *t, const struct lock_fields *lock)
{
	keep_name(t->caller, lock->caller);
	ingest_keep_handle(&t->file, lock->file);
	t->owner_hash =
		hash_u64(hash_bytes(lock->owner.ptr, lock->owner.have), (uint32_t)lock->svid);
	t->svid = lock->svid;
	t->offset = lock->offset;
	t->length = lock->length;
}

/* The arguments of each procedure are the cookie, some flags, and the lock. */
static void nlm_args(struct pending_call *p, struct cursor *c, uint32_t procedure)
{
	struct nlm_told *t = &pending_told_of(p)->lock;
	struct lock_fields lock;

	keep_cookie(t, cursor_opaque(c, LM_MAXNETOBJ));
	if (procedure == NLMPROC_LOCK || procedure == NLMPROC_CANCEL)
		t->block = cursor_bool(c);
	if (procedure != NLMPROC_UNLOCK)
		t->exclusive = cursor_bool(c);
	lock = lock_fields_take(c, p->call.version == NLM4_VERS);
	if (cursor_ok(c)) {
		keep_lock(t, &lock);
		t->has_lock = true;
	}
	if (procedure == NLMPROC_LOCK)
		t->reclaim = cursor_bool(c);
	p->call.told_kind = RPC_TOLD_LOCK;
	p->call.told.lock = t;
}

/* A result begins with the cookie and the status; a denied TEST tells who holds the lock. */
static void nlm_result(struct pending_call *p, struct nlm_told *t, struct cursor *c, bool test)
{
	struct nlm_nlm4_holder wide;
	struct nlm_nlm_holder narrow;

	keep_cookie(t, cursor_opaque(c, LM_MAXNETOBJ));
	p->call.status = cursor_u32(c);
	p->call.has_status = cursor_ok(c);
	if (!p->call.has_status)
		p->call.status = NFS4_STATUS_NONE;
	if (!test || p->call.status != NLM_DENIED)
		return;
	if (p->call.version == NLM4_VERS) {
		nlm_decode_nlm4_holder(c, &wide);
		t->holder_exclusive = wide.exclusive;
		t->holder_svid = wide.svid;
		t->holder_offset = wide.l_offset;
		t->holder_length = wide.l_len;
	} else {
		nlm_decode_nlm_holder(c, &narrow);
		t->holder_exclusive = narrow.exclusive;
		t->holder_svid = narrow.svid;
		t->holder_offset = narrow.l_offset;
		t->holder_length = narrow.l_len;
	}
	t->has_holder = cursor_ok(c);
}

void ingest_told_nlm(struct pending_call *p, struct cursor c, bool reply)
{
	uint32_t procedure = p->call.procedure;

	if (procedure >= NLM_RES_FIRST && procedure <= NLMPROC_GRANTED_RES) {
		/* The result of an asynchronous call comes as a call of its own. */
		if (!reply) {
			p->call.told.lock = &pending_told_of(p)->lock;
			p->call.told_kind = RPC_TOLD_LOCK;
			nlm_result(p, &p->own.told->lock, &c, procedure == NLMPROC_TEST_RES);
		}
		return;
	}
	if (procedure >= NLMPROC_TEST_MSG && procedure <= NLMPROC_GRANTED_MSG) {
		if (!reply)
			nlm_args(p, &c, procedure - NLM_MSG_STEP);
		return;
	}
	if (procedure < NLMPROC_TEST ||
	    (procedure > NLMPROC_GRANTED && procedure != NLMPROC_NM_LOCK))
		return;
	if (!reply)
		nlm_args(p, &c, procedure == NLMPROC_NM_LOCK ? NLMPROC_LOCK : procedure);
	else if (p->call.told_kind == RPC_TOLD_LOCK)
		nlm_result(p, &p->own.told->lock, &c, procedure == NLMPROC_TEST);
}

uint32_t ingest_nlm_status(uint32_t procedure, struct cursor c)
{
	uint32_t status;

	if ((procedure < NLMPROC_TEST || procedure > NLMPROC_GRANTED) &&
	    procedure != NLMPROC_NM_LOCK)
		return NFS4_STATUS_NONE;
	cursor_opaque(&c, LM_MAXNETOBJ);
	status = cursor_u32(&c);
	return cursor_ok(&c) ? status : NFS4_STATUS_NONE;
}

void ingest_told_nsm(struct pending_call *p, struct cursor c)
{
	struct nsm_told *t = &pending_told_of(p)->state;
	struct nsm_stat_chge change;

	nsm_decode_stat_chge(&c, &change);
	if (!cursor_ok(&c))
		return;
	keep_name(t->name, change.mon_name);
	t->state = change.state;
	p->call.told_kind = RPC_TOLD_STATE;
	p->call.told.state = t;
}
