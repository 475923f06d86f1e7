#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs every fuzz target of build/fuzz for SECONDS, as many at once as there are processors (or JOBS), and
# prints TAP: a line a target. Exit status 1 when one crashed. fuzz.py tells what else there is.
# Usage: fuzz.sh [--jobs JOBS] [--seed N] [--only TARGET]... SECONDS
set -eu

exec python3 "$(dirname "$0")/fuzz.py" run "$@"
