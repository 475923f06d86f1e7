/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The operations that work on files and states, for the table in nfs4_compound.c. Private to
 * nfs4_*.c. */
#ifndef LAB_SERVE_NFS4_OPS_H
#define LAB_SERVE_NFS4_OPS_H

#include "lab/serve/nfs4/nfs4_run.h"

/* nfs4_deleg.c */
nfs4_op_fn nfs4_op_delegreturn, nfs4_op_delegpurge;

/* nfs4_op_fh.c: filehandles, and names on the way to them */
nfs4_op_fn nfs4_op_putfh, nfs4_op_putrootfh, nfs4_op_getfh, nfs4_op_savefh, nfs4_op_restorefh,
	nfs4_op_lookup, nfs4_op_lookupp, nfs4_op_access, nfs4_op_secinfo, nfs4_op_secinfo_no_name;

/* nfs4_op_attr.c */
nfs4_op_fn nfs4_op_getattr, nfs4_op_setattr, nfs4_op_verify, nfs4_op_nverify;

/* nfs4_op_dir.c and nfs4_op_readdir.c: what changes directories, and lists them */
nfs4_op_fn nfs4_op_create, nfs4_op_link, nfs4_op_remove, nfs4_op_rename, nfs4_op_readlink,
	nfs4_op_readdir;

/* nfs4_op_io.c */
nfs4_op_fn nfs4_op_read, nfs4_op_write, nfs4_op_commit, nfs4_op_seek, nfs4_op_allocate,
	nfs4_op_deallocate, nfs4_op_copy;

/* nfs4_op_open.c and nfs4_op_close.c */
nfs4_op_fn nfs4_op_open, nfs4_op_open_confirm, nfs4_op_open_downgrade, nfs4_op_close,
	nfs4_op_test_stateid, nfs4_op_free_stateid;

/* nfs4_op_lock.c */
nfs4_op_fn nfs4_op_lock, nfs4_op_lockt, nfs4_op_locku, nfs4_op_release_lockowner;

#endif
