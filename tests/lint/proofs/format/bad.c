// SPDX-License-Identifier: GPL-2.0-or-later
/* Not laid out. */
int bad( int a ){ return a; }
