// SPDX-License-Identifier: GPL-2.0-or-later
/* The lab never links what finds the faults. */
#include "serve.h"
#include "serve/serve.h"
#include "net/loop.h"
#include "model/bad.h"
