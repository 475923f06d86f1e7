// SPDX-License-Identifier: GPL-2.0-or-later
/* Lists of packets as Wireshark and tshark print them: their lines, and the capture made of them.
 */
#include "check.h"
#include "evidence/packet_line.h"
#include "evidence/packet_list.h"

#include <stdio.h>

#define SYN                                                                                    \
	"740 \xe2\x86\x92 111 [SYN] Seq=0 Win=64240 Len=0 MSS=1460 SACK_PERM TSval=7 TSecr=0 " \
	"WS=128"

static const struct {
	const char *text;
	enum packet_line_kind kind;
	uint64_t number;
	bool dated;
	int64_t ns;
} line_rows[] = {
	{"11 2026-11-22 01:27:43.5 192.0.2.1 192.0.2.2 TCP 80 " SYN, PACKET_LINE_TCP, 11, true,
	 1795310863500000000},
	{"   11   12.500000 192.0.2.1 \xe2\x86\x92 192.0.2.2 TCP 80 " SYN, PACKET_LINE_TCP, 11,
	 false, 12500000000},
	{"11 12.5 192.0.2.1 -> 192.0.2.2 TCP 80 740 > sunrpc [SYN] Seq=0 Win=1 Len=0",
	 PACKET_LINE_TCP, 11, false, 12500000000},
	{"1795310863.500000 2001:db8::1 2001:db8::2 TCP 80 [TCP Port numbers reused] " SYN,
	 PACKET_LINE_TCP, 0, true, 1795310863500000000},
	{"12 12.5 192.0.2.1 192.0.2.2 NLM 248 V4 LOCK Call (Reply In 171)", PACKET_LINE_ROW, 12,
	 false, 12500000000},
	{"13 12.5 192.0.2.1 192.0.2.2 TCP 248 740 > 111 [SYN] no numbers", PACKET_LINE_ROW, 13,
	 false, 12500000000},
	{"No.     Time           Source                Destination           Protocol Length Info",
	 PACKET_LINE_HEAD, 0, false, 0},
	/* Others. */
	{"ESTAB 0 0 192.0.2.1:740 192.0.2.2:2049", PACKET_LINE_OTHER, 0, false, 0},
	{"12.5 read(3</mnt>, 4096) = 0", PACKET_LINE_OTHER, 0, false, 0},
	{"2026-11-22 01:27:43.5 192.0.2.1 went to 192.0.2.2", PACKET_LINE_OTHER, 0, false, 0},
	{"192.0.2.1 192.0.2.2 TCP 80", PACKET_LINE_OTHER, 0, false, 0},
	{"1 2 3 4 12.5 192.0.2.1 192.0.2.2 TCP 80 " SYN, PACKET_LINE_OTHER, 0, false, 0},
};

TEST(lines_are_told_apart)
{
	for (size_t i = 0; i < sizeof(line_rows) / sizeof(line_rows[0]); i++) {
		struct packet_line l;

		packet_line_parse(slice_of_string(line_rows[i].text), &l);
		if (!CHECK_EQ_U64(l.kind, line_rows[i].kind))
			printf("# %s\n", line_rows[i].text);
		if (l.kind != PACKET_LINE_ROW && l.kind != PACKET_LINE_TCP)
			continue;
		CHECK_EQ_U64(l.number, line_rows[i].number);
		CHECK(l.dated == line_rows[i].dated);
		CHECK_EQ_I64(l.ns, line_rows[i].ns);
	}
}

TEST(info_of_a_segment)
{
	struct packet_line l;

	packet_line_parse(
		slice_of_string("15 1.0 192.0.2.1 192.0.2.2 TCP 80 [TCP Retransmission] 740 "
				"> nfs(2049) [FIN, PSH, ACK] Seq=5 Ack=7 Win=65280 Len=9 "
				"TSval=11 TSecr=12"),
		&l);
	CHECK_EQ_U64(l.kind, PACKET_LINE_TCP);
	CHECK(l.again && l.has_times && !l.sack_permitted);
	CHECK_EQ_U64(l.source_port, 740);
	CHECK_EQ_U64(l.destination_port, 2049);
	CHECK_EQ_U64(l.flags, 0x19);
	CHECK_EQ_U64(l.seq, 5);
	CHECK_EQ_U64(l.ack, 7);
	CHECK_EQ_U64(l.length, 9);
	CHECK_EQ_U64(l.echo, 12);
	for (size_t len = 0; len < sizeof(SYN) - 1; len++)
		packet_line_parse(slice_make(SYN, len), &l);
}

#define ROW(number, at, from, to, info) number " " at " " from " " to " TCP 80 " info
#define A                               "192.0.2.1"
#define B                               "192.0.2.2"

/* Reads the lines; the numbers of the frames are told as one number in decimals. */
static uint64_t frames_of(const char *const *lines, struct packet_list_stats *stats, uint32_t *seq)
{
	struct packet_list *p = packet_list_create();
	struct capture *capture;
	struct capfile_packet packet;
	uint64_t frames = 0;

	for (uint64_t i = 0; lines[i]; i++)
		packet_list_take_line(p, i + 1, slice_of_string(lines[i]));
	packet_list_end_text(p, "ticket", stats, &capture);
	while (capture && capture_next(capture, &packet) == CAPFILE_PACKET) {
		frames = frames * 10 + packet.frame;
		if (seq && packet.bytes.len >= 28)
			*seq = (uint32_t)packet.bytes.ptr[24] << 24; /* the first byte of Seq */
	}
	capture_destroy(capture);
	packet_list_destroy(p);
	return frames;
}

TEST(frames_have_the_numbers_of_their_lines_in_the_order_of_time)
{
	static const char *const lines[] = {
		"see:",
		ROW("2", "2.0", B, A, "111 > 740 [SYN, ACK] Seq=0 Ack=1 Win=1 Len=0"),
		ROW("3", "1.0", A, B, "740 > 111 [SYN] Seq=0 Win=1 Len=0"),
		ROW("4", "3.0", A, B, "740 > 111 [PSH, ACK] Seq=1 Ack=1 Win=1 Len=44"),
		NULL,
	};
	struct packet_list_stats stats;

	CHECK_EQ_U64(frames_of(lines, &stats, NULL), 324);
	CHECK_EQ_U64(stats.rows, 3);
	CHECK(!stats.gaps && !stats.dated);
}

/* No data, and no connection of which one direction is shown. */
TEST(twin_a_list_with_gaps_is_not_believed_all)
{
	static const char *const lines[] = {
		ROW("3", "1.0", A, B, "740 > 111 [SYN] Seq=0 Win=1 Len=0"),
		ROW("4", "2.0", B, A, "111 > 740 [SYN, ACK] Seq=0 Ack=1 Win=1 Len=0"),
		ROW("9", "3.0", A, B, "740 > 111 [PSH, ACK] Seq=1 Ack=1 Win=1 Len=44"),
		ROW("10", "4.0", A, B, "741 > 111 [SYN] Seq=0 Win=1 Len=0"),
		NULL,
	};
	struct packet_list_stats stats;

	CHECK_EQ_U64(frames_of(lines, &stats, NULL), 12);
	CHECK(stats.gaps);
	CHECK_EQ_U64(stats.rows, 4);
}

TEST(another_connection_has_another_first_number)
{
	static const char *const again[] = {
		ROW("1", "1.0", A, B, "740 > 111 [SYN] Seq=0 Win=1 Len=0"),
		ROW("2", "2.0", A, B, "[TCP Retransmission] 740 > 111 [SYN] Seq=0 Win=1 Len=0"),
		NULL,
	};
	static const char *const anew[] = {
		ROW("1", "1.0", A, B, "740 > 111 [SYN] Seq=0 Win=1 Len=0"),
		ROW("2", "2.0", A, B, "740 > 111 [SYN] Seq=0 Win=1 Len=0"),
		NULL,
	};
	struct packet_list_stats stats;
	uint32_t seq = 1;

	CHECK_EQ_U64(frames_of(again, &stats, &seq), 12);
	CHECK_EQ_U64(seq, 0);
	CHECK_EQ_U64(frames_of(anew, &stats, &seq), 12);
	CHECK(seq != 0);
}

TEST(a_text_without_a_list_is_none)
{
	static const char *const lines[] = {"nothing", "12 13", NULL};
	struct packet_list_stats stats;

	CHECK_EQ_U64(frames_of(lines, &stats, NULL), 0);
	CHECK_EQ_U64(stats.rows, 0);
}
