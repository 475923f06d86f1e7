/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mount options of NFS that time depends on, read from the text in which people and programs
 * pass them around: what was given to mount, /proc/mounts, mountstats, `nfsstat -m`.
 *
 * Not a check of a mount: an option that is unknown is somebody else's.
 */
#ifndef TIMING_OPTIONS_H
#define TIMING_OPTIONS_H

#include "base/err.h"
#include "base/slice.h"

enum timing_transport { TIMING_TCP, TIMING_UDP, TIMING_RDMA };

/* What becomes of a call at its major timeout: it goes on, EIO, ETIMEDOUT. */
enum timing_failure { TIMING_HARD, TIMING_SOFT, TIMING_SOFTERR };

/* "Not given" is told by has_: the values are the kernel's defaults then. */
struct timing_options {
	bool has_vers, has_proto, has_timeo, has_retrans, has_failure, has_nlm_timeout;
	uint32_t vers;  /* 2, 3, 4 */
	uint32_t minor; /* of version 4; UINT32_MAX: not told */
	enum timing_transport proto;
	uint32_t timeo_ds; /* tenths of a second */
	uint32_t retrans;
	enum timing_failure failure;
	uint32_t nlm_timeout_s; /* lockd's module parameter nlm_timeout; no mount option */
	uint32_t known;         /* options that have a meaning here */
};

/* Most that is read of one list of options; more is cut off. */
enum { TIMING_OPTIONS_BYTES_MAX = 4096 };

/*
 * Reads "rw,vers=3,timeo=600", separated by commas or blanks; what stands around it ("-o", "opts:",
 * "Flags:", parentheses, quotation marks) and options that are none of ours are passed over. Fails
 * on a value of ours that cannot be; the text names it.
 */
struct err *timing_options_parse(struct slice text, struct timing_options *out);

/* "tcp", "udp", "rdma"; "hard", "soft", "softerr". */
const char *timing_transport_name(enum timing_transport transport);
const char *timing_failure_name(enum timing_failure failure);

#endif
