#!/bin/bash
# SPDX-License-Identifier: MIT
# cppcheck.sh BUILD [ROOT]: cppcheck's warnings over every C file
#
# What it finished with is kept in BUILD/cppcheck, so that a second run looks
# only at what changed.  A false alarm is silenced where it is raised:
#   /* cppcheck-suppress ID ; why it is false */
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
root=${2:-$here/../..}

if ! command -v cppcheck >/dev/null; then
	echo "skip: cppcheck is not installed"
	exit 77
fi
files=$("$here/tracked.sh" "$root" '*.c')
cd "$root"
mkdir -p "$build/cppcheck"
cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 -j "$(nproc)" \
	--enable=warning,performance,portability \
	--library=posix --library=gtk -D_GNU_SOURCE -D__x86_64__ \
	--cppcheck-build-dir="$build/cppcheck" \
	-I . -I src -I include -I tests --file-list=- <<<"$files"
echo "$(wc -l <<<"$files") files"
