// SPDX-License-Identifier: GPL-2.0-or-later
/* The list of evidence: when what a capture does not show may have been there. */
#include "check.h"
#include "event/evidence.h"

static bool may_lack(uint64_t data_segments, uint64_t holes, uint64_t packets)
{
	struct evidence_list list;
	struct evidence *e;
	bool may;

	evidence_list_init(&list);
	e = evidence_list_add(&list, "client.pcap", EVIDENCE_PCAP);
	e->data_segments = data_segments;
	e->holes = holes;
	may = evidence_may_lack(&list, 0, packets);
	CHECK(!evidence_may_lack(&list, 1, packets)); /* there is no such entry */
	evidence_list_deinit(&list);
	return may;
}

TEST(a_sample_may_lack_many_packets)
{
	CHECK(may_lack(1000, 900, 40)); /* one of ten is kept */
	CHECK(!may_lack(1000, 900, 50));
	CHECK(may_lack(1000, 500, 6));
	CHECK(!may_lack(1000, 500, 7));
	CHECK(may_lack(10, 20, 1000));
}

TEST(a_capture_that_lost_little_lacks_no_three)
{
	CHECK(!may_lack(1000, 0, 1));
	CHECK(!may_lack(1, 1, 1)); /* one hole tells no rate */
	CHECK(may_lack(1000, 20, 1));
	CHECK(!may_lack(1000, 20, 3));
	CHECK(!may_lack(0, 20, 1)); /* a filter left all data out */
}
