// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * READ, WRITE, COMMIT (RFC 8881 sections 18.22, 18.32, 18.3) and what 4.2 has for content: SEEK,
 * ALLOCATE, DEALLOCATE and COPY (RFC 7862 section 15).
 */
#include "lab/serve/nfs4/nfs4_place.h"
#include "lab/serve/nfs4/nfs4_stateid.h"

enum {
	READ_HEAD_BYTES = 16 + 4,  /* number, status, eof, length, and padding */
	COPY_BYTES = 64 << 10,     /* a step of COPY */
	COPY_MAX_BYTES = 64 << 20, /* as much as one COPY does; the client asks for the rest */
};

/* May the stateid do that to the current file, and without one, may the caller? */
static uint32_t io_check(struct nfs4_run *run, const struct nfs4_stateid4 *stateid, bool is_write,
			 struct tree_attr *attr)
{
	struct nfs4_state *state = NULL;
	uint32_t status = nfs4_current_file(run, attr);
	uint32_t what = is_write ? TREE_MAY_WRITE : TREE_MAY_READ;

	if (status == NFS4_OK)
		status = nfs4_stateid_check_io(run, stateid, is_write, &state);
	if (status == NFS4_OK && is_write)
		status = nfs4_change_check(run, run->current.fileid);
	/* The owner may what its mode forbids: it may have changed it behind its open file. */
	if (status == NFS4_OK && !state && run->call->cred.uid != attr->uid &&
	    !nfs4_may(run, attr, what))
		status = NFS4ERR_ACCESS;
	return status;
}

uint32_t nfs4_op_read(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
		      struct nfs4_nfs_resop4 *res)
{
	struct nfs4_READ4resok *ok = &res->opread.resok4;
	uint32_t count = arg->opread.count;
	struct tree_attr attr;
	uint32_t got;
	uint32_t status = io_check(run, &arg->opread.stateid, false, &attr);

	if (status != NFS4_OK)
		return status;
	if (run->room_bytes < READ_HEAD_BYTES)
		return run->limit_status;
	if (count > run->server->config.max_io_bytes)
		count = run->server->config.max_io_bytes;
	if (count > run->room_bytes - READ_HEAD_BYTES)
		count = (uint32_t)(run->room_bytes - READ_HEAD_BYTES) & ~3U;
	status = tree_read(nfs4_tree(run), run->current.fileid, arg->opread.offset, count,
			   run->scratch.pos, &got, &ok->eof);
	if (status == NFS4_OK)
		ok->data = nfs4_opaque_bytes(slice_make(run->scratch.pos, got));
	return status;
}

uint32_t nfs4_op_write(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
		       struct nfs4_nfs_resop4 *res)
{
	const struct nfs4_WRITE4args *args = &arg->opwrite;
	struct nfs4_WRITE4resok *ok = &res->opwrite.resok4;
	struct slice data = xdr_opaque_slice(args->data);
	struct tree_attr attr;
	uint32_t status;

	if (args->stable > FILE_SYNC4)
		return NFS4ERR_INVAL;
	status = io_check(run, &args->stateid, true, &attr);
	if (data.len > run->server->config.max_io_bytes)
		data.len = run->server->config.max_io_bytes;
	if (status == NFS4_OK && data.len > 0)
		status = tree_write(nfs4_tree(run), run->current.fileid, args->offset, data,
				    nfs4_wall_ns(run));
	if (status != NFS4_OK)
		return status;
	ok->count = (uint32_t)data.len;
	ok->committed = args->stable;
	memcpy(ok->writeverf, run->server->write_verifier, sizeof(ok->writeverf));
	return NFS4_OK;
}

uint32_t nfs4_op_commit(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			struct nfs4_nfs_resop4 *res)
{
	struct tree_attr attr;
	uint32_t status = nfs4_current_file(run, &attr);

	(void)arg;
	if (status == NFS4_OK)
		memcpy(res->opcommit.resok4.writeverf, run->server->write_verifier,
		       sizeof(res->opcommit.resok4.writeverf));
	return status;
}

/* Files here have no holes but the one behind their end. */
uint32_t nfs4_op_seek(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
		      struct nfs4_nfs_resop4 *res)
{
	struct nfs4_seek_res4 *ok = &res->opseek.resok4;
	struct tree_attr attr;
	uint32_t status;

	if (arg->opseek.sa_what != NFS4_CONTENT_DATA && arg->opseek.sa_what != NFS4_CONTENT_HOLE)
		return NFS4ERR_UNION_NOTSUPP;
	status = io_check(run, &arg->opseek.sa_stateid, false, &attr);
	if (status == NFS4_OK && arg->opseek.sa_offset >= attr.size)
		status = NFS4ERR_NXIO;
	if (status != NFS4_OK)
		return status;
	ok->sr_offset =
		arg->opseek.sa_what == NFS4_CONTENT_DATA ? arg->opseek.sa_offset : attr.size;
	ok->sr_eof = ok->sr_offset >= attr.size;
	return NFS4_OK;
}

/* The last byte of a range, or an error: an empty one, one beyond the last offset. */
static uint32_t range_check(uint64_t offset, uint64_t length)
{
	if (length == 0 || offset > INT64_MAX)
		return NFS4ERR_INVAL;
	return length > (uint64_t)INT64_MAX - offset ? NFS4ERR_FBIG : NFS4_OK;
}

uint32_t nfs4_op_allocate(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			  struct nfs4_nfs_resop4 *res)
{
	const struct nfs4_ALLOCATE4args *args = &arg->opallocate;
	struct tree_set set = {.what = TREE_SET_SIZE};
	struct tree_attr attr;
	uint32_t status = range_check(args->aa_offset, args->aa_length);

	(void)res;
	if (status == NFS4_OK)
		status = io_check(run, &args->aa_stateid, true, &attr);
	if (status != NFS4_OK || args->aa_offset + args->aa_length <= attr.size)
		return status;
	set.size = args->aa_offset + args->aa_length;
	return tree_setattr(nfs4_tree(run), run->current.fileid, &set, nfs4_wall_ns(run));
}

/* Writes zeroes: what is read afterwards is the same as from a hole. */
uint32_t nfs4_op_deallocate(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			    struct nfs4_nfs_resop4 *res)
{
	static const uint8_t zeroes[4096];
	const struct nfs4_DEALLOCATE4args *args = &arg->opdeallocate;
	uint64_t at = args->da_offset;
	struct tree_attr attr;
	uint64_t end;
	uint32_t status = range_check(args->da_offset, args->da_length);

	(void)res;
	if (status == NFS4_OK)
		status = io_check(run, &args->da_stateid, true, &attr);
	if (status != NFS4_OK)
		return status;
	end = at + args->da_length < attr.size ? at + args->da_length : attr.size;
	if (end > at && end - at > COPY_MAX_BYTES)
		return NFS4ERR_NOTSUPP;
	while (at < end && status == NFS4_OK) {
		size_t step = end - at < sizeof(zeroes) ? (size_t)(end - at) : sizeof(zeroes);

		status = tree_write(nfs4_tree(run), run->current.fileid, at,
				    slice_make(zeroes, step), nfs4_wall_ns(run));
		at += step;
	}
	return status;
}

/* Copies up to COPY_MAX_BYTES; *done tells how much before the end or an error. */
static uint32_t content_copy(struct nfs4_run *run, const struct nfs4_COPY4args *args,
			     uint64_t count, uint64_t *done)
{
	struct tree *tree = nfs4_tree(run);
	uint32_t status = NFS4_OK;
	bool eof = false;
	uint32_t got;

	*done = 0;
	while (*done < count && !eof && status == NFS4_OK) {
		uint32_t step = count - *done < COPY_BYTES ? (uint32_t)(count - *done) : COPY_BYTES;

		status = tree_read(tree, run->saved.fileid, args->ca_src_offset + *done, step,
				   run->server->scratch, &got, &eof);
		if (status != NFS4_OK || got == 0)
			break;
		status = tree_write(tree, run->current.fileid, args->ca_dst_offset + *done,
				    slice_make(run->server->scratch, got), nfs4_wall_ns(run));
		if (status == NFS4_OK)
			*done += got;
	}
	return *done > 0 ? NFS4_OK : status;
}

static uint32_t copy_check(struct nfs4_run *run, const struct nfs4_COPY4args *args, uint64_t *count)
{
	struct nfs4_place target = run->current;
	struct tree_attr from;
	struct tree_attr to;
	uint32_t status;

	if (args->ca_source_server.count != 0)
		return NFS4ERR_NOTSUPP;
	run->current = run->saved;
	status = io_check(run, &args->ca_src_stateid, false, &from);
	run->current = target;
	if (status == NFS4_OK)
		status = io_check(run, &args->ca_dst_stateid, true, &to);
	if (status != NFS4_OK)
		return status;
	if (args->ca_src_offset > from.size || args->ca_dst_offset > INT64_MAX)
		return NFS4ERR_INVAL;
	*count = from.size - args->ca_src_offset;
	if (args->ca_count != 0 && args->ca_count < *count)
		*count = args->ca_count;
	if (*count > COPY_MAX_BYTES)
		*count = COPY_MAX_BYTES;
	/* Overlapping ranges of one file would read what they wrote: RFC 7862 section 15.2.3. */
	if (run->saved.fileid == target.fileid &&
	    args->ca_src_offset < args->ca_dst_offset + *count &&
	    args->ca_dst_offset < args->ca_src_offset + *count)
		return NFS4ERR_INVAL;
	return NFS4_OK;
}

/* Always at once: RFC 7862 section 15.2. */
uint32_t nfs4_op_copy(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
		      struct nfs4_nfs_resop4 *res)
{
	struct nfs4_COPY4resok *ok = &res->opcopy.cr_resok4;
	uint64_t count;
	uint64_t done;
	uint32_t status = copy_check(run, &arg->opcopy, &count);

	if (status == NFS4_OK)
		status = content_copy(run, &arg->opcopy, count, &done);
	if (status != NFS4_OK)
		return status;
	ok->cr_response.wr_count = done;
	ok->cr_response.wr_committed = FILE_SYNC4;
	memcpy(ok->cr_response.wr_writeverf, run->server->write_verifier, 8);
	ok->cr_requirements.cr_consecutive = true;
	ok->cr_requirements.cr_synchronous = true;
	return NFS4_OK;
}
