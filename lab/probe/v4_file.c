// SPDX-License-Identifier: GPL-2.0-or-later
/* The part of v4.h that is about a file: open, lock, close. */
#include <inttypes.h>
#include <stdio.h>

#include "lab/probe/v4.h"

static struct xdr_opaque opaque_of_text(const char *text)
{
	uint32_t len = (uint32_t)strlen(text);

	return (struct xdr_opaque){.ptr = (const uint8_t *)text, .len = len, .have = len};
}

/* Owners as fs/nfs/nfs4xdr.c writes them, a number behind a word. */
static void name_owner(const struct v4 *v, const char *kind, char text[48])
{
	(void)snprintf(text, 48, "%s id:%" PRIu64, kind, v->owner_number);
}

static void fill_open(struct v4 *v, uint32_t claim, const char *owner, struct nfs4_OPEN4args *a)
{
	bool reads = v->words->access && strcmp(v->words->access, "read") == 0;

	a->seqid = v->words->minor == 0 ? v->seqid++ : 0;
	a->share_access = reads ? OPEN4_SHARE_ACCESS_READ : OPEN4_SHARE_ACCESS_BOTH;
	a->owner.clientid = v->clientid;
	a->owner.owner = opaque_of_text(owner);
	a->claim.claim = claim;
	if (claim == CLAIM_NULL) {
		a->openhow.opentype = reads ? OPEN4_NOCREATE : OPEN4_CREATE;
		a->openhow.how.mode = UNCHECKED4;
		a->claim.file = opaque_of_text(v->words->file);
	} else {
		a->openhow.opentype = OPEN4_NOCREATE;
		a->claim.delegate_type =
			v->has_delegation ? OPEN_DELEGATE_READ : OPEN_DELEGATE_NONE;
	}
}

static bool confirm_open(struct v4 *v)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_OPEN_CONFIRM};

	op.opopen_confirm.open_stateid = v->open;
	op.opopen_confirm.seqid = v->seqid++;
	v4_begin(v, true);
	v4_add_handle(v, &v->file);
	v4_add(v, &op);
	return v4_run(v);
}

bool v4_open(struct v4 *v, uint32_t claim)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_OPEN};
	bool first = v->seqid == 0;
	char owner[48];

	name_owner(v, "open", owner);
	fill_open(v, claim, owner, &op.opopen);
	v4_begin(v, true);
	v4_add_handle(v, claim == CLAIM_NULL ? &v->root : &v->file);
	v4_add(v, &op);
	v4_add_plain(v, OP_GETFH);
	v4_add_getattr(v);
	if (!v4_run(v))
		return false;
	if (v->status != NFS4_OK)
		return true;
	v->file = v->got;
	/* 4.0: a new owner is to be confirmed, except by a reclaim. */
	return v->words->minor > 0 || !first || claim != CLAIM_NULL || confirm_open(v);
}

bool v4_lock(struct v4 *v, bool reclaim)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_LOCK};
	struct nfs4_open_to_lock_owner4 *how = &op.oplock.locker.open_owner;
	char owner[48];

	name_owner(v, "lock", owner);
	op.oplock.locktype = reclaim ? WRITE_LT : WRITEW_LT;
	op.oplock.reclaim = reclaim;
	op.oplock.length = UINT64_MAX;
	op.oplock.locker.new_lock_owner = true;
	how->open_seqid = v->words->minor == 0 ? v->seqid++ : 0;
	how->open_stateid = v->open;
	how->lock_owner.clientid = v->clientid;
	how->lock_owner.owner = opaque_of_text(owner);
	v->lock_seqid = 1;
	v4_begin(v, true);
	v4_add_handle(v, &v->file);
	v4_add(v, &op);
	return v4_run(v);
}

bool v4_unlock(struct v4 *v)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_LOCKU};

	if (!v->has_lock)
		return true;
	op.oplocku.locktype = WRITE_LT;
	op.oplocku.seqid = v->words->minor == 0 ? v->lock_seqid++ : 0;
	op.oplocku.lock_stateid = v->lock;
	op.oplocku.length = UINT64_MAX;
	v4_begin(v, true);
	v4_add_handle(v, &v->file);
	v4_add(v, &op);
	return v4_run(v);
}

bool v4_close(struct v4 *v)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_CLOSE};

	if (!v->has_file)
		return true;
	op.opclose.seqid = v->words->minor == 0 ? v->seqid++ : 0;
	op.opclose.open_stateid = v->open;
	v4_begin(v, true);
	v4_add_handle(v, &v->file);
	v4_add(v, &op);
	return v4_run(v);
}
