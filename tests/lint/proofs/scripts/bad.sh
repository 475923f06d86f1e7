#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Does not parse.
if true; then
