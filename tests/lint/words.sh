#!/bin/bash
# SPDX-License-Identifier: MIT
# words.sh [ROOT]: words and names that the tree does without (words.txt)
#
# Also: every file of code carries its licence in the first three lines.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=${1:-$here/../..}

files=$("$here/tracked.sh" "$root" | grep -v '^tests/lint/')
cd "$root"
bad=0 rules=0 reason=

# search GLOB REGEX: print the lines that match in the files called GLOB
search()
{
	local chosen=()

	while IFS= read -r file; do
		# shellcheck disable=SC2053 # a glob is meant
		if [[ ${file##*/} == $1 ]]; then
			chosen+=("$file")
		fi
	done <<<"$files"
	[[ ${#chosen[@]} -gt 0 ]] || return 1
	grep -InE -e "$2" /dev/null "${chosen[@]}"
}

while IFS= read -r line; do
	kind=${line%% *} regex=${line#* }
	case $kind in
	'#') reason=$regex; continue ;;
	'') continue ;;
	text) hits=$(search '*' "$regex") || true ;;
	text:*) hits=$(search "${kind#text:}" "$regex") || true ;;
	name) hits=$(grep -Ei -e "$regex" <<<"$files") || true ;;
	*) hits="words.txt: cannot read this rule: $line" ;;
	esac
	rules=$((rules + 1))
	if [[ $hits ]]; then
		printf '%s\n  -> %s\n' "$hits" "$reason"
		bad=1
	fi
done <tests/lint/words.txt

while IFS= read -r file; do
	case $file in
	*.c | *.h | *.S | *.asl | *.sh | *.py) ;;
	*) continue ;;
	esac
	if ! head -n 3 "$file" | grep -q 'SPDX-License-Identifier: MIT'; then
		echo "$file: no SPDX-License-Identifier: MIT in its first lines"
		bad=1
	fi
done <<<"$files"

echo "$(wc -l <<<"$files") files, $rules rules"
exit "$bad"
