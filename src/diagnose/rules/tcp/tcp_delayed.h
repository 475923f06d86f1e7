/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two files of tcp-delivery-delayed share: by one capture, and by two. */
#ifndef DIAGNOSE_RULES_TCP_DELAYED_H
#define DIAGNOSE_RULES_TCP_DELAYED_H

#include "diagnose/rules/transport.h"

/*
 * Where two captures show that this message was held back: sentences in the diagnosis' arena; NULL:
 * there is no second one, or it does not tell. Adds cites of both.
 */
const char *delayed_ends_where(const struct rule_input *in, struct diagnosis *d, struct finding *f,
			       const struct path_held *h);

/*
 * Tells of servers for which no finding of the rule stands yet: what one capture shows in time and
 * the other one late. The speaker of a connection may be the one that shows it in time.
 */
void delayed_ends_run(const struct rule_input *in, struct diagnosis *out);

#endif
