/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The base stands on nothing. */
#include "names/nfs4.h"
