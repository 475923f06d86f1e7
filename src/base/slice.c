// SPDX-License-Identifier: GPL-2.0-or-later
/* Comparison of slices; the rest of slice.h is inline. */
#include "base/slice.h"

int slice_compare(struct slice a, struct slice b)
{
	size_t common = a.len < b.len ? a.len : b.len;
	int order = common ? memcmp(a.ptr, b.ptr, common) : 0;

	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}
