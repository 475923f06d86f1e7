#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs every fuzz target of build/fuzz for some seconds. Starts from the committed corpus and writes
# what it learns to build/fuzz/learnt and crashes to build/fuzz/found: nothing goes to git by itself.
# docs/testing.md tells what to do with a crash.
# Usage: fuzz.sh SECONDS
set -u

seconds=${1:?usage: fuzz.sh SECONDS}
cd "$(dirname "$0")/.." || exit 1
export ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=exitcode=99:halt_on_error=1:print_stacktrace=1
failed=0

for program in build/fuzz/tests/fuzz/fuzz_*; do
	[ -f "$program" ] && [ -x "$program" ] || continue
	name=${program##*/fuzz_}
	mkdir -p "build/fuzz/learnt/$name" "build/fuzz/found/$name" "build/fuzz/log"
	log=build/fuzz/log/$name
	dictionary=
	[ -f "tests/fuzz/$name.dict" ] && dictionary=-dict=tests/fuzz/$name.dict
	printf '%-24s ' "$name"
	# shellcheck disable=SC2086 # the dictionary may be absent
	if "$program" $dictionary -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 \
		-artifact_prefix="build/fuzz/found/$name/" \
		"build/fuzz/learnt/$name" $(ls -d "tests/corpus/$name" 2>/dev/null) >"$log" 2>&1; then
		sed -n 's/^Done \(.*\)/\1/p' "$log"
	else
		failed=1
		echo "FAILED, see $log"
		tail -n 30 "$log"
	fi
done
exit $failed
