/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list of packets as Wireshark and tshark print it, as far as it can be read like a capture: the
 * headers of its TCP segments. What they carried is not told, and neither are packets that the list
 * leaves out, by a filter or because somebody cut it:
 *
 * - where its numbers have gaps, or it has none, only segments without data are taken, of
 *   connections of which it shows both directions. That a handshake or a close was sent again is
 *   told by those themselves; that data went unanswered would have to be told by what is not there.
 * - Sequence numbers count from 0 in each connection. A new SYN, which is not marked as sent again,
 *   gets others than the one before it.
 */
#ifndef EVIDENCE_PACKET_LIST_H
#define EVIDENCE_PACKET_LIST_H

#include "evidence/capture.h"

enum { PACKET_LIST_ROWS_MAX = 65536, PACKET_LIST_LINE_BYTES_MAX = 1024 };

struct packet_list;

/* What the list of a text was. */
struct packet_list_stats {
	uint64_t rows;     /* all, also of other protocols */
	uint64_t segments; /* that are read as a capture */
	uint64_t dropped;  /* beyond PACKET_LIST_ROWS_MAX */
	bool gaps;         /* it leaves packets out */
	bool dated;        /* all of its times are dates */
};

/* Never NULL. packet_list_destroy(NULL) is fine. */
struct packet_list *packet_list_create(void);
void packet_list_destroy(struct packet_list *p);

/* One line of the text that is being read. True when it is one of a list. */
bool packet_list_take_line(struct packet_list *p, uint64_t line, struct slice text);

/*
 * Ends the text. *out is a capture of its segments in the order of time, whose frames have the
 * numbers of their lines; NULL: there are none. `path` is borrowed for as long as the capture.
 */
void packet_list_end_text(struct packet_list *p, const char *path, struct packet_list_stats *stats,
			  struct capture **out);

#endif
