// SPDX-License-Identifier: GPL-2.0-or-later
/* Fragments: in order and not, twice, overlapping, contradictory, too late, too many. */
#include "check.h"
#include "frame_make.h"
#include "proto/ipfrag.h"

#include <stdlib.h>

enum { MESSAGE_BYTES = 3000 };

/* Adds bytes from..to of a UDP datagram of MESSAGE_BYTES, of which `have` are here. */
static bool add(struct ipfrag *f, uint32_t id, size_t from, size_t to, size_t have, int64_t now_ns,
		struct packet *whole)
{
	static uint8_t bytes[MESSAGE_BYTES];
	struct packet p = {
		.kind = PACKET_FRAGMENT,
		.ip_version = 4,
		.ip_proto = 17,
		.ip_id = id,
		.frag_off = (uint16_t)from,
		.frag_more = to < MESSAGE_BYTES,
		.payload_wire_bytes = to - from,
	};
	uint8_t *copy;
	bool done;

	for (size_t i = 0; i < MESSAGE_BYTES; i++)
		bytes[i] = (uint8_t)(i * 7 + i / 256);
	memcpy(bytes, "\x03\x20\x08\x01\x0b\xb8\0\0", 8); /* ports 800, 2049; length 3000 */
	copy = check_copy(have ? bytes + from : bytes, have);
	p.payload = slice_make(copy, have);
	done = ipfrag_add(f, &p, now_ns, whole);
	free(copy);
	return done;
}

static void check_whole(const struct packet *p, size_t have)
{
	bool all = true;

	CHECK_EQ_U64(p->kind, PACKET_UDP);
	CHECK_EQ_U64(p->src_port, 800);
	CHECK_EQ_U64(p->dst_port, 2049);
	CHECK_EQ_U64(p->payload_wire_bytes, MESSAGE_BYTES - 8);
	CHECK_EQ_U64(p->payload.len, have);
	for (size_t i = 0; i < p->payload.len; i++)
		all = all && p->payload.ptr[i] == (uint8_t)((i + 8) * 7 + (i + 8) / 256);
	CHECK(all);
}

TEST(in_any_order)
{
	static const uint8_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
					     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	static const size_t cuts[4] = {0, 1480, 2960, MESSAGE_BYTES};

	for (size_t i = 0; i < 6; i++) {
		struct packet whole;
		struct ipfrag f;

		ipfrag_init(&f);
		for (size_t j = 0; j < 3; j++) {
			uint8_t k = orders[i][j];
			bool done =
				add(&f, 1, cuts[k], cuts[k + 1], cuts[k + 1] - cuts[k], 0, &whole);

			CHECK(done == (j == 2));
			if (done)
				check_whole(&whole, MESSAGE_BYTES - 8);
		}
		CHECK_EQ_U64(f.held_bytes, 0);
		CHECK_EQ_U64(f.completed_count, 1);
		ipfrag_deinit(&f);
	}
}

TEST(overlaps_and_repetitions)
{
	struct packet whole;
	struct ipfrag f;

	ipfrag_init(&f);
	CHECK(!add(&f, 1, 800, 1600, 800, 0, &whole));
	CHECK(!add(&f, 1, 800, 1600, 800, 0, &whole));
	CHECK(!add(&f, 1, 400, 2000, 1600, 0, &whole));
	CHECK(!add(&f, 1, 1600, MESSAGE_BYTES, 1400, 0, &whole));
	CHECK(add(&f, 1, 0, 1000, 1000, 0, &whole));
	check_whole(&whole, MESSAGE_BYTES - 8);
	CHECK_EQ_U64(f.overlap_count, 4);
	ipfrag_deinit(&f);
}

TEST(a_cut_fragment_ends_the_payload)
{
	struct packet whole;
	struct ipfrag f;

	ipfrag_init(&f);
	CHECK(!add(&f, 1, 0, 1480, 100, 0, &whole));
	CHECK(add(&f, 1, 1480, MESSAGE_BYTES, 60, 0, &whole));
	check_whole(&whole, 92);
	ipfrag_deinit(&f);
}

TEST(contradictions_are_refused)
{
	struct packet whole;
	struct ipfrag f;

	ipfrag_init(&f);
	CHECK(!add(&f, 1, 0, 1481, 1481, 0, &whole)); /* not a multiple of eight */
	CHECK(!add(&f, 1, 8, 8, 0, 0, &whole));       /* nothing */
	CHECK(!add(&f, 1, 65528, 65528 + 1480, 0, 0, &whole));
	CHECK_EQ_U64(f.bad_count, 3);
	ipfrag_deinit(&f);
}

TEST(old_ones_are_given_up)
{
	struct packet whole;
	struct ipfrag f;

	ipfrag_init(&f);
	CHECK(!add(&f, 1, 0, 1480, 1480, 0, &whole));
	CHECK(!add(&f, 2, 0, 1480, 1480, IPFRAG_TIMEOUT_NS + 1, &whole));
	CHECK_EQ_U64(f.given_up_count, 1);
	CHECK(!add(&f, 1, 1480, MESSAGE_BYTES, 1520, IPFRAG_TIMEOUT_NS + 2, &whole));
	/* time that runs backwards forgets nothing */
	CHECK(add(&f, 2, 1480, MESSAGE_BYTES, 1520, INT64_MIN, &whole));
	ipfrag_deinit(&f);
}

TEST(memory_is_bounded)
{
	struct packet whole;
	struct ipfrag f;

	ipfrag_init(&f);
	for (uint32_t id = 0; id < 10 * IPFRAG_DATAGRAMS_MAX; id++)
		CHECK(!add(&f, id, 0, 1480, 1480, 0, &whole));
	CHECK(f.datagrams.len <= IPFRAG_DATAGRAMS_MAX);
	CHECK(f.held_bytes <= IPFRAG_BYTES_MAX + 65536);
	CHECK(f.given_up_count >= 9 * IPFRAG_DATAGRAMS_MAX);
	ipfrag_deinit(&f);
}
