// SPDX-License-Identifier: GPL-2.0-or-later
/* See nfs4_date.h. */
#include "event/nfs4_date.h"

#include <string.h>

/* Boot times are believed between these ages, seen from the time of the capture. */
#define BOOT_AGE_MAX_S    (INT64_C(15) * 366 * 86400)
#define CLOCK_DISAGREE_S  (INT64_C(2) * 86400)
#define NS_PER_S_UNSIGNED UINT64_C(1000000000)

bool nfs4_date_plausible(int64_t second, struct stamp seen)
{
	int64_t seen_s = seen.ns / STAMP_NS_PER_S;

	return seen.clock == CLOCK_UTC && second > seen_s - BOOT_AGE_MAX_S &&
	       second < seen_s + CLOCK_DISAGREE_S;
}

struct stamp nfs4_verifier_date(const uint8_t verifier[NFS4_VERIFIER_BYTES], struct stamp seen)
{
	uint64_t ns;
	uint32_t words[2];

	memcpy(&ns, verifier, sizeof(ns));
	ns = __builtin_bswap64(ns);
	if (ns <= INT64_MAX && nfs4_date_plausible((int64_t)(ns / NS_PER_S_UNSIGNED), seen))
		return stamp_utc((int64_t)ns);
	memcpy(words, verifier, sizeof(words));
	for (unsigned swapped = 0; swapped < 2; swapped++) {
		if (words[1] < NS_PER_S_UNSIGNED && nfs4_date_plausible((int64_t)words[0], seen))
			return stamp_utc((int64_t)words[0] * STAMP_NS_PER_S + (int64_t)words[1]);
		words[0] = __builtin_bswap32(words[0]);
		words[1] = __builtin_bswap32(words[1]);
	}
	return stamp_none();
}
