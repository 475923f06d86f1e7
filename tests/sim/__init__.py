# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures read, changed and made from scratch, for tests. Only the standard library is used."""
