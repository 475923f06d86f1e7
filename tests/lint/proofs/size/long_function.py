# SPDX-License-Identifier: GPL-2.0-or-later
"""Has a function of six lines."""
def bad(a):
    a += 1
    a += 1
    a += 1
    a += 1
    return a
