/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is as it should be. */
