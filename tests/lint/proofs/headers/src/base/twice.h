/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Has no guard. */
#include "base/good.h"

struct twice {
	struct good g;
};
