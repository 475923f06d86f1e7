/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dates that NFSv4 carries without meaning to. A Linux client's boot verifier is the time at which
 * its namespace's NFS state was made (fs/nfs/nfs4proc.c: nfs4_init_boot_verifier): nanoseconds in
 * network byte order, or on older kernels seconds and nanoseconds as two words in the byte order of
 * the client. They were told by that machine's own clock.
 */
#ifndef EVENT_NFS4_DATE_H
#define EVENT_NFS4_DATE_H

#include "event/rpc.h"

/* True when a machine may have started at this second (since 1970), if that was seen then. */
bool nfs4_date_plausible(int64_t second, struct stamp seen);

/* A boot verifier of a Linux client as a date; CLOCK_UNKNOWN when it cannot be one at that time. */
struct stamp nfs4_verifier_date(const uint8_t verifier[NFS4_VERIFIER_BYTES], struct stamp seen);

#endif
