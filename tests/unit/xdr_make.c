// SPDX-License-Identifier: GPL-2.0-or-later
/* See xdr_make.h. The generator of numbers is splitmix64. */
#include "xdr_make.h"

uint64_t make_u64(struct make_random *r)
{
	uint64_t z;

	r->state += UINT64_C(0x9e3779b97f4a7c15);
	z = r->state;
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

uint32_t make_below(struct make_random *r, uint32_t limit)
{
	return (uint32_t)(make_u64(r) % limit);
}

uint32_t make_u32(struct make_random *r)
{
	uint32_t any = (uint32_t)make_u64(r);

	switch (make_below(r, 4)) {
	case 0:
		return any % 16;
	case 1:
		return UINT32_MAX - any % 4;
	default:
		return any;
	}
}

uint32_t make_count(struct make_random *r, uint32_t limit)
{
	uint32_t count = make_below(r, 4);

	return count < limit ? count : limit;
}

void make_bytes(struct make_random *r, struct xdr_writer *w, uint32_t len)
{
	for (uint32_t i = 0; i < xdr_padded(len); i++) {
		uint8_t byte = i < len ? (uint8_t)make_u64(r) : 0;

		xdr_put_raw(w, slice_make(&byte, 1));
	}
}

void make_opaque(struct make_random *r, struct xdr_writer *w, uint32_t limit)
{
	uint32_t len = make_below(r, 24);

	if (len > limit)
		len = limit;
	xdr_put_u32(w, len);
	make_bytes(r, w, len);
}

void make_bitmap(struct make_random *r, struct xdr_writer *w)
{
	uint32_t words = make_below(r, XDR_BITMAP_WORDS + 1);

	xdr_put_u32(w, words);
	for (uint32_t i = 0; i < words; i++)
		xdr_put_u32(w, make_u32(r));
}

bool make_flag(struct make_random *r, struct xdr_writer *w)
{
	bool flag = make_below(r, 2) != 0;

	xdr_put_bool(w, flag);
	return flag;
}
