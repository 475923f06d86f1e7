#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What bash would offer for a line: complete.sh WORD... [LAST], the last word being under way.
# shellcheck source=/dev/null
source "$(dirname "$0")/../../completion/bash/nfsleuth"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_nfsleuth
printf '%s:' "$*"
printf ' %s' "${COMPREPLY[@]}"
printf '\n'
