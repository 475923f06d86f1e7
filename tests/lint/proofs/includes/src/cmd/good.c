// SPDX-License-Identifier: GPL-2.0-or-later
/* May include all. */
#include "model/bad.h"
#include "net/loop.h"
