/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Says on standard error which links the walk over directories of evidence met, and what it did. */
#ifndef CMD_LINKS_H
#define CMD_LINKS_H

#include "base/vec.h"

/*
 * files: struct walk_file, as walk_expand filled it. At most a line for each kind of link: read
 * behind it, not followed, leading nowhere.
 */
void links_tell(const struct vec *files);

#endif
