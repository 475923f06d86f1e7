// SPDX-License-Identifier: GPL-2.0-or-later
/* Printing of what the generated printers share. */
#include "proto/xdr_printer.h"

void xdr_print_bitmap(struct xdr_printer *p, const char *field, const struct xdr_bitmap *map,
		      const char *(*name)(uint32_t value))
{
	uint32_t set = 0;

	for (uint32_t bit = 0; bit < map->count * 32; bit++)
		set += xdr_bitmap_has(map, bit) ? 1 : 0;
	p->ops->begin_array(p, field, set);
	for (uint32_t bit = 0; bit < map->count * 32; bit++) {
		if (xdr_bitmap_has(map, bit))
			p->ops->put_unsigned(p, NULL, bit, name ? name(bit) : NULL);
	}
	p->ops->end_array(p);
}
