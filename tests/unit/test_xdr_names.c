// SPDX-License-Identifier: GPL-2.0-or-later
/* The registry of names, and the tables that the generator makes of enums, flags and operations. */
#include "check.h"
#include "names/names.h"
#include "names/nfs4.h"
#include "names/nlm.h"

TEST(names_of_programs)
{
	CHECK_TEXT(names_program_find(100003)->name, "NFS");
	CHECK_TEXT(names_program_find(0x40000000)->name, "NFS CB");
	CHECK_TEXT(names_program_find(100000)->name, "Portmap");
	CHECK_TEXT(names_program_find(100021)->name, "NLM");
	CHECK(!names_program_find(100004));
}

TEST(names_of_procedures)
{
	CHECK_TEXT(names_procedure(100003, 4, 1), "COMPOUND");
	CHECK_TEXT(names_procedure(100003, 3, 17), "READDIRPLUS");
	CHECK_TEXT(names_procedure(100003, 2, 7), "WRITECACHE");
	CHECK_TEXT(names_procedure(0x40000000, 1, 1), "CB_COMPOUND");
	CHECK_TEXT(names_procedure(100000, 2, 3), "GETPORT");
	CHECK_TEXT(names_procedure(100021, 4, 16), "SM_NOTIFY");
	CHECK(!names_procedure(100021, 1, 20)); /* SHARE came with version 3 */
	CHECK(!names_procedure(100003, 4, 2));
	CHECK(!names_procedure(100003, 5, 0));
}

TEST(names_of_statuses)
{
	CHECK_TEXT(names_status(100003, 4, 10052), "NFS4ERR_BADSESSION");
	CHECK_TEXT(names_status(100003, 3, 10008), "NFS3ERR_JUKEBOX");
	CHECK_TEXT(names_status(100003, 2, 70), "NFSERR_STALE");
	CHECK_TEXT(names_status(100021, 4, 4), "NLM4_DENIED_GRACE_PERIOD");
	CHECK_TEXT(names_status(100227, 3, 13), "NFS3ERR_ACCES");
	CHECK(!names_status(100003, 4, 10073)); /* never assigned */
	CHECK(!names_status(100000, 2, 0));     /* has no status */
}

TEST(names_of_operations)
{
	const struct names_operation *sequence = nfs4_nfs_opnum4_find(OP_SEQUENCE);

	CHECK_TEXT(sequence->name, "SEQUENCE");
	CHECK_EQ_U64(sequence->since_minor, 1);
	CHECK_EQ_U64(nfs4_nfs_opnum4_find(OP_RELEASE_LOCKOWNER)->since_minor, 0);
	CHECK_EQ_U64(nfs4_nfs_opnum4_find(OP_REMOVEXATTR)->since_minor, 2);
	CHECK_EQ_U64(nfs4_nfs_opnum4_find(OP_ILLEGAL)->since_minor, 0);
	CHECK_TEXT(nfs4_nfs_cb_opnum4_find(OP_CB_OFFLOAD)->name, "CB_OFFLOAD");
	CHECK(!nfs4_nfs_opnum4_find(2));
	CHECK(!nfs4_nfs_opnum4_find(9999));
	CHECK_TEXT(nfs4_attribute_name(FATTR4_MOUNTED_ON_FILEID), "mounted_on_fileid");
	CHECK_TEXT(names_lookup(&nfs4_seq4_status_flags, SEQ4_STATUS_CB_PATH_DOWN),
		   "SEQ4_STATUS_CB_PATH_DOWN");
	CHECK(!names_lookup(&nfs4_seq4_status_flags, 0x80000000U));
}
