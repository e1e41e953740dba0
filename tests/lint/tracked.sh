#!/bin/bash
# SPDX-License-Identifier: MIT
# tracked.sh ROOT [PATTERN...]: the files of the tree, one a line
#
# What git tracks below ROOT, or without git (a release tarball) every file
# outside build folders.  PATTERN is a git pathspec such as '*.c'.  Fails
# when there is none: a check of no files is not a check.
set -euo pipefail
cd "$1"
shift
[[ $# -gt 0 ]] || set -- '*'

if git -c safe.directory='*' rev-parse --git-dir >/dev/null 2>&1; then
	list=$(git -c safe.directory='*' ls-files -- "$@")
else
	names=()
	for pattern in "$@"; do
		names+=(-o -path "./$pattern")
	done
	list=$(find . -path './build*' -prune -o -type f \
		\( "${names[@]:1}" \) -print | sed 's,^\./,,' | sort)
fi

found=0
while IFS= read -r file; do
	if [[ -f $file ]]; then # not one that is deleted but not committed
		printf '%s\n' "$file"
		found=1
	fi
done <<<"$list"
if [[ $found == 0 ]]; then
	echo "tracked.sh: no files match: $*" >&2
	exit 1
fi
