#!/bin/bash
# SPDX-License-Identifier: MIT
# sizes.sh [ROOT]: no file is longer than a reader can hold in mind
#
# The length of functions is lint/tidy's (readability-function-size).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=${1:-$here/../..}
lines_max=700
test_lines_max=1000 # many short cases, that nobody reads as a whole

files=$("$here/tracked.sh" "$root" '*.c' '*.h' '*.S' '*.py' '*.sh')
cd "$root"
bad=0
while IFS= read -r file; do
	lines=$(wc -l <"$file")
	max=$lines_max
	[[ $file != tests/* ]] || max=$test_lines_max
	if ((lines > max)); then
		echo "$file: $lines lines; split it (the limit is $max)"
		bad=1
	fi
done <<<"$files"
echo "$(wc -l <<<"$files") files"
exit "$bad"
