// SPDX-License-Identifier: GPL-2.0-or-later
/* See undecoded.h. */
#include "ingest/rpc/undecoded.h"

const char *undecoded_text(enum undecoded_reason reason)
{
	static const char *const texts[UNDECODED_COUNT] = {
		[UNDECODED_CUT] = "message cut by the snap length",
		[UNDECODED_LOST] = "message with bytes that the capture has not got",
		[UNDECODED_MALFORMED] = "message contradicts its specification",
		[UNDECODED_HEADER] = "no readable RPC header",
		[UNDECODED_NO_CALL] = "reply without its call",
		[UNDECODED_SEALED] = "sealed by RPCSEC_GSS",
		[UNDECODED_PROGRAM] = "RPC program or version without a specification",
		[UNDECODED_PROCEDURE] = "unknown procedure",
		[UNDECODED_TABLE_FULL] = "call given up: too many without a reply",
		[UNDECODED_UNKNOWN_LINK] = "frame of an unknown link type",
		[UNDECODED_BAD_PACKET] = "packet whose headers contradict themselves",
		[UNDECODED_CUT_PACKET] = "packet captured too short for its headers",
		[UNDECODED_FRAGMENT] = "IP fragment whose packet was not completed",
		[UNDECODED_FRAMING] = "record mark expected, none found",
		[UNDECODED_TLS] = "connection encrypted with TLS (AUTH_TLS)",
		[UNDECODED_FLOW_EVICTED] = "connection given up: too many at once",
		[UNDECODED_ECHO] = "connection shown again behind a translation of addresses",
	};

	return texts[reason];
}
