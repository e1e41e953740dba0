#!/bin/bash
# SPDX-License-Identifier: MIT
# format.sh [ROOT]: every C file is as clang-format 14 leaves it
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=${1:-$here/../..}

format=$(command -v clang-format-14 || command -v clang-format || true)
if [[ -z $format ]] || ! "$format" --version | grep -q 'version 14\.'; then
	echo "skip: clang-format 14 is not installed"
	exit 77
fi
files=$("$here/tracked.sh" "$root" '*.c' '*.h')
cd "$root"
xargs -d '\n' "$format" --dry-run -Werror <<<"$files" || {
	echo "format: run $(basename "$format") -i on the files above"
	exit 1
}
echo "$(wc -l <<<"$files") files"
