// SPDX-License-Identifier: GPL-2.0-or-later
/* See packet_line.h. Wireshark epan/dissectors/packet-tcp.c writes the info of a segment. */
#include "evidence/line/packet_line.h"

#include <arpa/inet.h>

#include "evidence/klog/klog_head.h"
#include "evidence/text_scan.h"

enum {
	WORDS_BEFORE_MAX = 4, /* number, date, time, and one to spare */
	ADDRESS_BYTES_MAX = 46,
	PROTOCOL_BYTES_MAX = 24,
	ARROW_BYTES_MAX = 8,
	PORT_MAX = 65535,
	PACKET_BYTES_MAX = 1 << 20,
	SECONDS_DIGITS_MAX = 10,
	DECIMALS = 9,
	EPOCH_S_MIN = 100000000, /* smaller numbers of seconds count from the first packet */
};

/* --- words of the line up to the addresses --- */

bool packet_line_address(struct slice word, uint8_t *out, bool *is_v6)
{
	char text[ADDRESS_BYTES_MAX + 1];

	if (word.len < 2 || word.len > ADDRESS_BYTES_MAX)
		return false;
	memcpy(text, word.ptr, word.len);
	text[word.len] = '\0';
	*is_v6 = memchr(text, ':', word.len) != NULL;
	return inet_pton(*is_v6 ? AF_INET6 : AF_INET, text, out) == 1;
}

/* "12.345678": since the first packet, or since 1970. */
bool packet_line_seconds(struct slice word, struct packet_line *out)
{
	const uint8_t *point = word.len ? memchr(word.ptr, '.', word.len) : NULL;
	size_t whole = point ? (size_t)(point - word.ptr) : 0;
	struct slice decimals = text_after(word, whole + 1);
	int64_t seconds, part;

	if (whole == 0 || whole > SECONDS_DIGITS_MAX || decimals.len == 0 ||
	    decimals.len > DECIMALS || !text_number(slice_make(word.ptr, whole), &seconds) ||
	    !text_number(decimals, &part))
		return false;
	for (size_t i = decimals.len; i < DECIMALS; i++)
		part *= 10;
	out->dated = seconds >= EPOCH_S_MIN;
	out->ns = seconds * STAMP_NS_PER_S + part;
	return true;
}

bool packet_line_clock(struct slice word, int64_t *ns)
{
	struct packet_line seconds;
	int64_t hour, minute;

	if (word.len < 8 || word.ptr[2] != ':' || word.ptr[5] != ':' ||
	    !text_number(slice_make(word.ptr, 2), &hour) ||
	    !text_number(slice_make(word.ptr + 3, 2), &minute) || hour > 23 || minute > 59 ||
	    !packet_line_seconds(text_after(word, 6), &seconds))
		return false;
	*ns = (hour * 60 + minute) * 60 * STAMP_NS_PER_S + seconds.ns;
	return true;
}

/* "2025-06-27 19:41:44.044159", one behind the other in the line. */
bool packet_line_date(struct slice date, struct slice time, struct packet_line *out)
{
	struct klog_head head;

	if (!klog_stamp_parse(slice_make(date.ptr, (size_t)(time.ptr + time.len - date.ptr)),
			      &head) ||
	    head.whole_seconds)
		return false;
	out->dated = true;
	out->ns = klog_date_ns(&head.date, head.date.year) - head.zone_s * STAMP_NS_PER_S;
	return true;
}

/* What stands before the addresses: a number, perhaps, and a time. */
static bool before_parse(const struct slice *words, size_t count, struct packet_line *out)
{
	int64_t number = 0;

	if (count == 0)
		return false;
	if (!packet_line_seconds(words[count - 1], out)) {
		if (count < 2 || !packet_line_date(words[count - 2], words[count - 1], out))
			return false;
		count--;
	}
	count--;
	if (count > 1 || (count == 1 && !text_number(words[0], &number)))
		return false;
	out->number = (uint64_t)number;
	return true;
}

/* Up to the destination; *rest is what follows. */
static bool addresses_take(struct slice *rest, struct packet_line *out)
{
	struct slice words[WORDS_BEFORE_MAX];
	struct slice word;
	size_t count = 0;
	bool is_v6;

	for (;;) {
		word = text_word(rest);
		if (word.len == 0)
			return false;
		if (packet_line_address(word, out->source, &out->is_v6))
			break;
		if (count == WORDS_BEFORE_MAX)
			return false;
		words[count++] = word;
	}
	if (!before_parse(words, count, out))
		return false;
	word = text_word(rest);
	if (slice_equal(word, slice_of_string("\xe2\x86\x92")) ||
	    slice_equal(word, slice_of_string("->")))
		word = text_word(rest);
	return packet_line_address(word, out->destination, &is_v6) && is_v6 == out->is_v6;
}

/* --- the info of a segment --- */

bool packet_line_port(struct slice word, uint16_t *out)
{
	struct slice open = text_find(word, "(");
	int64_t port;

	if (open.len > 2) /* "nfs(2049)" */
		word = slice_make(open.ptr + 1, open.len - 2);
	if (slice_equal(word, slice_of_string("nfs")))
		port = 2049;
	else if (slice_equal(word, slice_of_string("sunrpc")))
		port = 111;
	else if (!text_number(word, &port))
		return false;
	*out = (uint16_t)port;
	return port > 0 && port <= PORT_MAX;
}

bool packet_line_number(struct slice info, const char *name, uint32_t *out)
{
	struct slice at = text_after(text_find(info, name), strlen(name));
	size_t len = 0;
	int64_t number;

	while (len < at.len && text_is_digit(at.ptr[len]))
		len++;
	if (!text_number(slice_make(at.ptr, len), &number) || number > UINT32_MAX)
		return false;
	*out = (uint32_t)number;
	return true;
}

/* "[SYN, ACK]": its flags, and *info behind it; 0: none. */
static uint8_t flags_take(struct slice *info)
{
	static const char *const names[] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG"};
	const uint8_t *end = info->len ? memchr(info->ptr, ']', info->len) : NULL;
	struct slice list;
	uint8_t flags = 0;

	if (!end || info->ptr[0] != '[')
		return 0;
	list = slice_make(info->ptr, (size_t)(end - info->ptr));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (text_holds(list, names[i]))
			flags |= (uint8_t)(1 << i);
	*info = text_after(*info, list.len + 1);
	return flags;
}

/* "[TCP Retransmission] " and the like; more than one may stand there. */
static void marks_take(struct slice *info, struct packet_line *out)
{
	const uint8_t *end;

	while (text_begins(*info, "[TCP") && (end = memchr(info->ptr, ']', info->len))) {
		size_t len = (size_t)(end - info->ptr) + 1;

		out->again |= text_holds(slice_make(info->ptr, len), "etransmission");
		*info = text_trim(text_after(*info, len));
	}
}

static bool segment_parse(struct slice info, struct packet_line *out)
{
	struct slice arrow;

	marks_take(&info, out);
	if (!packet_line_port(text_word(&info), &out->source_port))
		return false;
	arrow = text_word(&info);
	if (arrow.len == 0 || arrow.len > ARROW_BYTES_MAX ||
	    !packet_line_port(text_word(&info), &out->destination_port))
		return false;
	info = text_trim(info);
	out->flags = flags_take(&info);
	if (out->flags == 0 || !packet_line_number(info, " Seq=", &out->seq) ||
	    !packet_line_number(info, " Win=", &out->window) ||
	    !packet_line_number(info, " Len=", &out->length) || out->length > PACKET_BYTES_MAX)
		return false;
	packet_line_number(info, " Ack=", &out->ack);
	packet_line_number(info, " MSS=", &out->mss);
	packet_line_number(info, " WS=", &out->scale);
	out->sack_permitted = text_holds(info, "SACK_PERM");
	out->has_times = packet_line_number(info, " TSval=", &out->time) &&
			 packet_line_number(info, " TSecr=", &out->echo);
	return true;
}

static bool is_head(struct slice text)
{
	static const char *const names[] = {"Time", "Source", "Destination", "Protocol"};

	text = text_trim(text);
	if (text_begins(text, "No."))
		text = text_after(text, 3);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!slice_equal(text_word(&text), slice_of_string(names[i])))
			return false;
	return true;
}

void packet_line_parse(struct slice text, struct packet_line *out)
{
	struct slice rest = text_trim(text);
	struct slice protocol;
	int64_t bytes;

	*out = (struct packet_line){.kind = PACKET_LINE_OTHER};
	if (rest.len && !text_is_digit(rest.ptr[0])) {
		if (is_head(rest))
			out->kind = PACKET_LINE_HEAD;
		return;
	}
	if (!addresses_take(&rest, out))
		return;
	protocol = text_word(&rest);
	if (protocol.len == 0 || protocol.len > PROTOCOL_BYTES_MAX ||
	    !text_number(text_word(&rest), &bytes) || bytes > PACKET_BYTES_MAX)
		return;
	out->kind = PACKET_LINE_ROW;
	if (slice_equal(protocol, slice_of_string("TCP")) && segment_parse(text_trim(rest), out))
		out->kind = PACKET_LINE_TCP;
}
