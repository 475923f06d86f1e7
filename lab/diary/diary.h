/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The diary of an endpoint: what it exchanges, as a pcapng that needs no right to capture.
 *
 * The bytes are those that the kernel took from the endpoint and gave to it, and the times those of
 * the calls; headers of IP and TCP are made up around them. Ends, resets and acknowledgements are
 * in it as far as the kernel tells of them; what it does by itself (segments sent again,
 * connections that it refuses) is not. A comment of the section header says so, and a report
 * repeats it.
 */
#ifndef LAB_DIARY_DIARY_H
#define LAB_DIARY_DIARY_H

#include "base/err.h"
#include "net/witness.h"

enum { DIARY_CONNECTIONS_MAX = 65536 };

/* So long a file gets; what does not fit is counted as dropped. */
static const uint64_t diary_bytes_max = UINT64_C(4) << 30;

struct diary;

/*
 * Begins a file; it must not exist yet. `application` is who writes: "nfsleuth serve". speed: of
 * its time, for the comment. bytes_max: 0 is diary_bytes_max. Fails with what the system says.
 */
struct err *diary_open(const char *path, const char *application, double speed, uint64_t bytes_max,
		       struct diary **out);

/* To be set as a loop's witness; of several loops one after another, too. */
struct net_witness *diary_witness(struct diary *d);

/*
 * Writes the rest and closes the file. Fails when something could not be written: the file ends
 * with what could. NULL is fine. No loop has it as its witness any more.
 */
struct err *diary_close(struct diary *d);

#endif
