// SPDX-License-Identifier: GPL-2.0-or-later
/* A model that wants to use the network. */
#include "base/cursor.h"
#include "model/bad.h"
#include "names/nfs4.h"
#include "net/loop.h"
#include "cellar/box.h"
#include "bad.h"
#include "model/../net/loop.h"
#include <stdio.h>
