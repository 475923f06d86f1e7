// SPDX-License-Identifier: GPL-2.0-or-later
/* Lists of packets as Wireshark and tshark print them: their lines, and the capture made of them.
 */
#include "check.h"
#include "evidence/line/packet_line.h"
#include "evidence/packet_dump.h"
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

/* --- what tcpdump prints --- */

#define DUMP_SYN(time)                                                                         \
	time " IP 192.0.2.1.740 > 192.0.2.2.111: Flags [S], seq 1814499058, win 502, options " \
	     "[mss 1460,sackOK,TS val 7 ecr 0,nop,wscale 7], length 0"
#define DUMP(time, from, to, rest) time " IP " from " > " to ": Flags " rest
#define FROM                       "192.0.2.1.740"
#define TO                         "192.0.2.2.111"

TEST(lines_of_tcpdump)
{
	static const struct {
		const char *text;
		enum packet_line_kind kind;
		bool dated;
		int64_t ns;
	} rows[] = {
		{DUMP_SYN("00:00:03.5"), PACKET_LINE_TCP, false, 3500000000},
		{DUMP_SYN("   12  00:00:03.5"), PACKET_LINE_OTHER, false, 0},
		{DUMP_SYN("2026-11-22 01:27:43.500000"), PACKET_LINE_TCP, true,
		 1795310863500000000},
		{DUMP_SYN("1795310863.500000"), PACKET_LINE_TCP, true, 1795310863500000000},
		{DUMP_SYN("00:00:03.5 eth0  Out"), PACKET_LINE_TCP, false, 3500000000},
		{"00:00:01.0 52:54:00:00:00:01 > 52:54:00:00:00:02, ethertype 802.1Q (0x8100), "
		 "length "
		 "78: vlan 5, p 0, ethertype IPv4 (0x0800), " FROM " > " TO
		 ": Flags [R], seq 5, win 0, length 0",
		 PACKET_LINE_TCP, false, 1000000000},
		{"00:00:01.0 IP6 2001:db8::1.740 > 2001:db8::2.nfs: Flags [.], ack 1, win 9, "
		 "length 0",
		 PACKET_LINE_TCP, false, 1000000000},
		{"00:00:01.0 IP 192.0.2.1 > 192.0.2.2: ICMP host 192.0.2.9 unreachable, length 36",
		 PACKET_LINE_ROW, false, 1000000000},
		{"00:00:01.0 IP " FROM " > " TO ": UDP, length 56", PACKET_LINE_ROW, false,
		 1000000000},
		{DUMP("00:00:01.0", FROM, TO, "[P.], win 9, length 4"), PACKET_LINE_ROW, false,
		 1000000000},
		/* Others: names, no time, a word that only looks like it. */
		{"00:00:01.0 IP web.740 > files.nfs: Flags [S], seq 5, win 0, length 0",
		 PACKET_LINE_OTHER, false, 0},
		{"IP " FROM " > " TO ": Flags [S], seq 5, win 0, length 0", PACKET_LINE_OTHER,
		 false, 0},
		{"00:00:01 sshd[12]: Accepted", PACKET_LINE_OTHER, false, 0},
		{"", PACKET_LINE_OTHER, false, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct packet_dump d = {0};
		struct packet_line t;

		packet_dump_parse(&d, slice_of_string(rows[i].text), &t);
		CHECK_EQ_U64(t.kind, rows[i].kind);
		CHECK_EQ_U64(t.dated, rows[i].dated);
		CHECK_EQ_I64(t.ns, rows[i].ns);
	}
}

/* The segments of a text, as packet_numbers makes them: seq, ack by turns. */
static void check_numbers(const char *const *lines, const uint32_t *want)
{
	struct packet_dump d = {0};
	struct packet_numbers n;

	packet_numbers_init(&n);
	for (size_t i = 0; lines[i]; i++) {
		struct packet_line t;

		packet_dump_parse(&d, slice_of_string(lines[i]), &t);
		if (t.kind != PACKET_LINE_TCP)
			continue;
		CHECK(packet_numbers_take(&n, &t));
		CHECK_EQ_U64(t.seq, *want++);
		CHECK_EQ_U64(t.ack, *want++);
	}
	packet_numbers_deinit(&n);
}

TEST(tcpdump_counts_from_the_first)
{
	static const char *const lines[] = {
		DUMP_SYN("00:00:01.0"),
		DUMP("00:00:01.1", TO, FROM, "[S.], seq 9000, ack 1814499059, win 9, length 0"),
		DUMP("00:00:01.2", FROM, TO, "[.], ack 1, win 9, length 0"),
		DUMP("00:00:01.3", FROM, TO,
		     "[P.], seq 1:45, ack 1, win 9, length 44: NFS request"),
		DUMP("00:00:01.4", TO, FROM, "[.], ack 45, win 9, length 0"),
		DUMP("00:00:01.5", TO, FROM, "[F.], seq 1, ack 45, win 9, length 0"),
		DUMP("00:00:01.6", FROM, TO, "[.], ack 2, win 9, length 0"),
		NULL,
	};
	static const char *const absolute[] = {
		DUMP_SYN("00:00:01.0"),
		DUMP("00:00:01.1", TO, FROM,
		     "[S.], seq 3158923247, ack 1814499059, win 9, length 0"),
		DUMP("00:00:01.2", FROM, TO, "[.], ack 3158923248, win 9, length 0"),
		DUMP("00:00:01.3", FROM, TO,
		     "[P.], seq 1814499059:1814499103, ack 3158923248, win 9, length 44"),
		NULL,
	};

	check_numbers(lines, (const uint32_t[]){0, 0, 0, 1, 1, 1, 1, 1, 1, 45, 1, 45, 45, 2});
	check_numbers(absolute, (const uint32_t[]){0, 0, 0, 1, 1, 1, 1, 1});
}

/* The port is used again, and tcpdump still counts from the connection before. */
TEST(tcpdump_and_a_port_that_is_used_again)
{
	static const char *const lines[] = {
		DUMP_SYN("00:00:01.0"),
		DUMP("00:00:01.1", TO, FROM, "[R.], seq 0, ack 1814499059, win 9, length 0"),
		DUMP("00:00:02.0", FROM, TO, "[S], seq 893253246, win 9, length 0"),
		DUMP("00:00:02.1", TO, FROM, "[R.], seq 0, ack 3373721485, win 9, length 0"),
		DUMP("00:00:03.0", FROM, TO, "[S], seq 893253246, win 9, length 0"),
		NULL,
	};

	check_numbers(lines, (const uint32_t[]){0, 0, 0, 1, 0, 0, 0, 1, 0, 0});
}

TEST(two_lines_a_packet_and_the_count_at_the_end)
{
	static const char *const lines[] = {
		"00:00:01.0 IP (tos 0x0, ttl 64, id 1, offset 0, flags [DF], proto TCP (6), length "
		"60)",
		"    " FROM " > " TO ": Flags [S], cksum 0x1 (correct), seq 5, win 9, length 0",
		DUMP("00:00:02.0", FROM, TO, "[S], seq 5, win 9, length 0"),
		"2 packets captured",
		NULL,
	};
	struct packet_list_stats stats;

	CHECK_EQ_U64(frames_of(lines, &stats, NULL), 23);
	CHECK_EQ_U64(stats.rows, 2);
	CHECK(!stats.gaps);
}

TEST(twin_without_its_word_packets_may_be_left_out)
{
	static const char *const lines[] = {
		DUMP_SYN("00:00:01.0"),
		DUMP_SYN("00:00:02.0"),
		"3 packets captured",
		NULL,
	};
	struct packet_list_stats stats;

	CHECK_EQ_U64(frames_of(lines, &stats, NULL), 0); /* one direction alone */
	CHECK(stats.gaps);
}

TEST(times_between_packets_are_added_up)
{
	static const char *const lines[] = {
		DUMP_SYN(" 00:00:00.000000"),
		DUMP(" 00:00:02.000000", TO, FROM,
		     "[S.], seq 9000, ack 1814499059, win 9, length 0"),
		DUMP(" 00:00:00.500000", FROM, TO, "[.], ack 1, win 9, length 0"),
		NULL,
	};
	struct packet_list_stats stats;

	CHECK_EQ_U64(frames_of(lines, &stats, NULL), 123);
}
