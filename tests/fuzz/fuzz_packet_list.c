// SPDX-License-Identifier: GPL-2.0-or-later
/* Lists of packets from any bytes, up to the packets of the capture that is made of them. */
#include "evidence/packet_list.h"
#include "fuzz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet_list *p = packet_list_create();
	struct packet_list_stats stats;
	struct capture *capture;
	struct capfile_packet packet;
	uint64_t line = 0, packets = 0;

	for (size_t at = 0; at < size;) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t len = end ? (size_t)(end - data) - at : size - at;

		packet_list_take_line(p, ++line, slice_make(data + at, len));
		at += len + 1;
	}
	packet_list_end_text(p, "list", &stats, &capture);
	while (capture && capture_next(capture, &packet) == CAPFILE_PACKET) {
		packets++;
		if (packet.frame == 0 || packet.frame > line)
			abort();
	}
	if (packets != stats.segments)
		abort();
	capture_destroy(capture);
	packet_list_destroy(p);
	return 0;
}
