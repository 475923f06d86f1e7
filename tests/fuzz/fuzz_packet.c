// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames of any link type, and what is put together from fragments. An input is a row of frames: a
 * byte that chooses the link type, one with the captured length, two of the length on the wire, and
 * the bytes.
 */
#include "fuzz.h"
#include "proto/ipfrag.h"

#include <stdlib.h>

static const uint32_t linktypes[] = {
	LINKTYPE_ETHERNET,   LINKTYPE_RAW,  LINKTYPE_LINUX_SLL,
	LINKTYPE_LINUX_SLL2, LINKTYPE_NULL, LINKTYPE_LOOP,
	LINKTYPE_IPV4,       LINKTYPE_IPV6, 147,
};

static void check_packet(const struct packet *p, struct slice frame)
{
	uint8_t sum = 0;

	if (p->payload_wire_bytes < p->payload.len || p->payload.len > frame.len)
		abort();
	if (p->payload.len > 0 &&
	    (p->payload.ptr < frame.ptr || p->payload.ptr + p->payload.len > frame.ptr + frame.len))
		abort();
	for (size_t i = 0; i < p->payload.len; i++)
		sum = (uint8_t)(sum + p->payload.ptr[i]);
	/* so that the reads are not left out */
	*(volatile uint8_t *)&sum = sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ipfrag frags;
	int64_t now_ns = 0;

	ipfrag_init(&frags);
	while (size >= 4) {
		uint32_t linktype = linktypes[data[0] % (sizeof(linktypes) / sizeof(linktypes[0]))];
		size_t wire_bytes = (size_t)data[2] << 8 | data[3];
		size_t len = data[1] < size - 4 ? data[1] : size - 4;
		uint8_t *copy = malloc(len + 1);
		struct slice frame = slice_make(copy + 1, len);
		struct packet p;
		struct packet whole;

		if (!copy)
			abort();
		memcpy(copy + 1, data + 4, len);
		packet_parse(linktype, frame, wire_bytes, &p);
		check_packet(&p, frame);
		now_ns += (int64_t)data[0] * 100000000;
		if (ipfrag_add(&frags, &p, now_ns, &whole) &&
		    whole.payload_wire_bytes < whole.payload.len)
			abort();
		free(copy);
		data += 4 + len;
		size -= 4 + len;
	}
	ipfrag_deinit(&frags);
	return 0;
}
