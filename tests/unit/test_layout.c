// SPDX-License-Identifier: GPL-2.0-or-later
/* Wrapping of text for people, and the words of commands that it shows. */
#include "check.h"
#include "report/command.h"
#include "report/layout.h"

static const struct layout_span none = {NULL, LAYOUT_PLAIN};

static struct layout_span plain(const char *text)
{
	return (struct layout_span){text, LAYOUT_PLAIN};
}

static void check_paragraph(size_t width, size_t lead_indent, struct layout_span lead,
			    size_t indent, const char *text, const char *want)
{
	struct strbuf out;
	struct layout l = {.out = &out, .width = width};

	strbuf_init(&out);
	layout_paragraph(&l, lead_indent, lead, indent, plain(text));
	CHECK_TEXT(strbuf_text(&out), want);
	strbuf_deinit(&out);
}

TEST(layout_wraps_at_blanks)
{
	check_paragraph(10, 0, none, 0, "one two three four", "one two\nthree four\n");
	check_paragraph(10, 0, none, 2, "one  two\tthree", "  one\n  two\tthree\n");
	check_paragraph(10, 0, none, 0, "", "\n");
	check_paragraph(10, 0, none, 0, "exactly 10", "exactly 10\n");
}

TEST(layout_keeps_long_words_whole)
{
	check_paragraph(8, 0, none, 2, "a /very/long/path b", "  a\n  /very/long/path\n  b\n");
}

TEST(layout_hangs_behind_the_lead)
{
	check_paragraph(12, 1, plain("1."), 4, "one two three", " 1. one two\n    three\n");
	check_paragraph(16, 0, plain("CAUSE:"), 0, "one two three", "CAUSE: one two\nthree\n");
}

TEST(layout_obeys_line_breaks)
{
	check_paragraph(20, 0, none, 2, "one\ntwo", "  one\n  two\n");
}

TEST(layout_counts_columns)
{
	CHECK_EQ_U64(layout_columns(slice_of_string("abc")), 3);
	CHECK_EQ_U64(layout_columns(slice_of_string("gr\xc3\xbc\xc3\x9f")), 4);
	CHECK_EQ_U64(layout_columns(slice_of_string("\xe4\xb8\xad\xe6\x96\x87")), 4);
	CHECK_EQ_U64(layout_columns(slice_of_string("e\xcc\x81")), 1);
	CHECK_EQ_U64(layout_columns(slice_make("\xff\xfe", 2)), 2);
	check_paragraph(5, 0, none, 0, "\xe4\xb8\xad \xe6\x96\x87 x",
			"\xe4\xb8\xad \xe6\x96\x87\nx\n");
}

TEST(layout_colours_only_when_told)
{
	struct strbuf out;
	struct layout l = {.out = &out, .width = 40, .colour = true};

	strbuf_init(&out);
	layout_paragraph(&l, 0, (struct layout_span){"A:", LAYOUT_ALARM}, 0, plain("b"));
	CHECK_TEXT(strbuf_text(&out), "\033[1;31mA:\033[0m b\n");
	strbuf_deinit(&out);
}

TEST(layout_tells_periods)
{
	struct stamp first = stamp_utc(INT64_C(1795309769355655000));
	struct stamp later = stamp_utc(INT64_C(1795309789226566000));
	struct stamp next_day = stamp_utc(INT64_C(1795396169000000000));
	struct strbuf out;

	strbuf_init(&out);
	layout_add_period(&out, first, later);
	CHECK_TEXT(strbuf_text(&out), "2026-11-22 01:09:29.355655 to 01:09:49.226566 UTC (19.9 s)");
	strbuf_reset(&out);
	layout_add_period(&out, first, first);
	CHECK_TEXT(strbuf_text(&out), "2026-11-22 01:09:29.355655 UTC");
	strbuf_reset(&out);
	layout_add_period(&out, first, next_day);
	CHECK_TEXT(strbuf_text(&out), "2026-11-22 01:09:29.355655 to 2026-11-23 01:09:29 UTC "
				      "(24 h 0 min)");
	strbuf_reset(&out);
	layout_add_period(&out, (struct stamp){.ns = 150 * STAMP_NS_PER_S, .clock = CLOCK_BOOT},
			  (struct stamp){.ns = 350 * STAMP_NS_PER_S, .clock = CLOCK_BOOT});
	CHECK_TEXT(strbuf_text(&out), "[  150.000000] to [  350.000000] (3 min 20 s)");
	strbuf_reset(&out);
	layout_add_period(&out, stamp_none(), later);
	CHECK_TEXT(strbuf_text(&out), "");
	strbuf_deinit(&out);
}

TEST(layout_counts_things)
{
	struct strbuf out;

	strbuf_init(&out);
	layout_add_counted(&out, 1, "packet");
	strbuf_add_char(&out, ' ');
	layout_add_counted(&out, 1234567, "packet");
	strbuf_add_char(&out, ' ');
	layout_add_counted(&out, 0, "call");
	CHECK_TEXT(strbuf_text(&out), "1 packet 1,234,567 packets 0 calls");
	strbuf_deinit(&out);
}

static void check_word(const char *word, const char *want)
{
	struct strbuf out;

	strbuf_init(&out);
	command_add_word(&out, word);
	CHECK_TEXT(strbuf_text(&out), want);
	strbuf_deinit(&out);
}

TEST(command_quotes_words)
{
	check_word("server/capture.pcap", "server/capture.pcap");
	check_word("a b", "'a b'");
	check_word("$(reboot)", "'$(reboot)'");
	check_word("it's", "'it'\\''s'");
	check_word("", "''");
	check_word("~root", "'~root'");
	check_word("=ls", "'=ls'");
	check_word("a=b", "a=b");
	check_word("back\\slash", "'back\\slash'");
	check_word("\xe4\xb8\xad.pcap", "'\xe4\xb8\xad.pcap'");
	check_word("\033[2J", "$'\\033[2J'");
	check_word("a\nb'\xff", "$'a\\012b\\047\\377'");
}

static void check_cite(const char *path, struct cite cite, const char *want)
{
	struct evidence e = {.path = path};
	struct strbuf out;

	strbuf_init(&out);
	command_add_cite(&out, &e, &cite);
	CHECK_TEXT(strbuf_text(&out), want);
	strbuf_deinit(&out);
}

TEST(command_shows_a_frame)
{
	struct cite cite = {.at = {.frame = 120}, .decode_port = 2049};

	check_cite("s.pcap", cite,
		   "tshark -r s.pcap -d tcp.port==2049,rpc -o tcp.reassemble_out_of_order:TRUE "
		   "-Y 'frame.number==120' -V");
	check_cite("-x.pcap.xz", cite,
		   "xz -dc ./-x.pcap.xz | tshark -r - -d tcp.port==2049,rpc -o "
		   "tcp.reassemble_out_of_order:TRUE -Y 'frame.number==120' -V");
	cite.decode_port = 0;
	check_cite(
		"s.pcap", cite,
		"tshark -r s.pcap -o tcp.reassemble_out_of_order:TRUE -Y 'frame.number==120' -V");
	cite.transport = TRANSPORT_UDP;
	cite.decode_port = 111;
	check_cite("s.pcap", cite,
		   "tshark -r s.pcap -d udp.port==111,rpc -Y 'frame.number==120' -V");
	cite.at.frame = FRAME_NONE;
	check_cite("s.pcap", cite, "tshark -r s.pcap -d udp.port==111,rpc -Y 'udp.port==111'");
}
