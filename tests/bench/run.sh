#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What `make bench` runs: run.sh PROGRAM. See bench.py (which takes what else is given),
# logs.py and endpoints.py.
set -eu
python3 "$(dirname "$0")/endpoints.py" "$1"
python3 "$(dirname "$0")/logs.py" "$1"
exec python3 "$(dirname "$0")/bench.py" "$@"
