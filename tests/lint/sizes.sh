#!/bin/bash
# SPDX-License-Identifier: MIT
# sizes.sh [ROOT]: no file is longer than a reader can hold in mind
#
# The length of functions is lint/tidy's (readability-function-size).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=${1:-$here/../..}
lines_max=700

files=$("$here/tracked.sh" "$root" '*.c' '*.h' '*.S' '*.py' '*.sh')
cd "$root"
bad=0
while IFS= read -r file; do
	lines=$(wc -l <"$file")
	if ((lines > lines_max)); then
		echo "$file: $lines lines; split it (the limit is $lines_max)"
		bad=1
	fi
done <<<"$files"
echo "$(wc -l <<<"$files") files"
exit "$bad"
