/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers of portmap version 2 (RFC 1833 section 3) and rpcbind versions 3 and 4 (section 2) with
 * other ports in them: GETPORT, GETADDR, GETVERSADDR, DUMP. Everything else is left as it is.
 */
#ifndef PROXY_PORTMAP_H
#define PROXY_PORTMAP_H

#include "base/strbuf.h"
#include "lab/fault/message.h"

/* What a call asked, as far as the answer does not tell it. */
struct portmap_question {
	bool is_asked; /* the reply may have ports in it */
	bool is_udp;
	uint32_t program;
};

/* The port to be told instead of the server's; 0: the server's own stays. */
typedef uint16_t portmap_port_fn(void *context, uint32_t program, bool is_udp, uint16_t port);

/* Reads the arguments of a call to portmap or rpcbind. */
void portmap_question_read(const struct fault_message *call, struct portmap_question *out);

/*
 * The reply with other ports; host is what universal addresses are told to begin with: an address
 * without its port ("192.0.2.1"), with "." and the port's two bytes behind it. False: there was
 * nothing to change, `out` is not to be used.
 */
bool portmap_reply_rewrite(const struct fault_message *reply, const struct portmap_question *q,
			   const char *host, portmap_port_fn *port, void *context,
			   struct strbuf *out);

#endif
