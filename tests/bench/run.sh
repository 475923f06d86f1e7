#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What `make bench` runs: run.sh PROGRAM. See bench.py.
exec python3 "$(dirname "$0")/bench.py" "$@"
