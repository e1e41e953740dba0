#!/bin/bash
# SPDX-License-Identifier: MIT
# shell.sh [ROOT]: shellcheck over every shell script, by name or first line
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=${1:-$here/../..}

if ! command -v shellcheck >/dev/null; then
	echo "skip: shellcheck is not installed"
	exit 77
fi
files=$("$here/tracked.sh" "$root" | grep -v '^tests/fuzz/corpus/')
cd "$root"
scripts=()
while IFS= read -r file; do
	first=
	if [[ -f $file ]]; then
		IFS= read -r first <"$file" || true
	fi 2>/dev/null
	if [[ $file == *.sh || $file == *.bash ||
		$first =~ ^'#!'.*[/\ ](ba|da)?sh( |$) ]]; then
		scripts+=("$file")
	fi
done <<<"$files"
if [[ ${#scripts[@]} == 0 ]]; then
	echo "shell: no script found"
	exit 1
fi
shellcheck --external-sources "${scripts[@]}"
for file in "${scripts[@]}"; do
	if [[ $(head -c 2 "$file") == '#!' && ! -x $file ]]; then
		echo "$file: has a #! line but is not executable"
		exit 1
	fi
done
echo "${#scripts[@]} scripts"
