#!/bin/bash
# SPDX-License-Identifier: MIT
# layers.sh [ROOT]: includes go only where tests/lint/layers.txt says
#
# Looks at every C file outside tests/.  An include in quotes must name a
# file of the tree, written from the top, from src/ or from include/; one in
# angle brackets must not.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=${1:-$here/../..}

list=$("$here/tracked.sh" "$root" '*.c' '*.h' '*.S' | grep -v '^tests/')
mapfile -t files <<<"$list"
rules=$root/tests/lint/layers.txt
cd "$root"
# shellcheck disable=SC2016 # the dollars are awk's
awk -v list="$list" '
function complain(text) {
	printf "%s:%d: %s\n", FILENAME, FNR, text
	bad++
}

function layer_of(path,   folder, best) {
	best = ""
	for (folder in layer_at)
		if ((path == folder || index(path, folder "/") == 1) &&
		    length(folder) > length(best))
			best = folder
	return best == "" ? "" : layer_at[best]
}

function resolve(name,   i) {
	for (i = 1; i <= 3; i++)
		if ((top[i] name) in tracked)
			return top[i] name
	return ""
}

function check_ours(name,   path, to) {
	path = resolve(name)
	if (path == "")
		return complain("\"" name "\" is not a file of the tree")
	to = layer_of(path)
	if (to != from && !((from, to) in allowed))
		complain(from " may not include " to ": \"" name "\"")
}

function check_foreign(name,   rule, hit) {
	if (resolve(name) != "")
		return complain("<" name "> is ours: write it in quotes")
	for (rule in only) {
		hit = name == rule
		if (rule ~ /\*$/)
			hit = index(name, substr(rule, 1, length(rule) - 1)) == 1
		if (hit && !index(" " only[rule] " ", " " from " "))
			complain(from " may not include <" name ">")
	}
}

BEGIN {
	top[1] = ""; top[2] = "src/"; top[3] = "include/"
	n = split(list, names, "\n")
	for (i = 1; i <= n; i++)
		tracked[names[i]] = 1
}

NR == FNR && (/^#/ || NF == 0) { next }

NR == FNR && $1 == "layer" && $4 == ":" {
	layer_at[$3] = $2
	known[$2] = 1
	for (i = 5; i <= NF; i++)
		allowed[$2, $i] = 1
	next
}

NR == FNR && $1 == "only" && $3 == ":" {
	rule = substr($2, 2, length($2) - 2)
	only[rule] = ""
	for (i = 4; i <= NF; i++)
		only[rule] = only[rule] " " $i
	next
}

NR == FNR && $1 == "made" && NF == 2 {
	tracked[$2] = 1
	next
}

NR == FNR { complain("cannot read this rule"); next }

FNR == 1 {
	n_files++
	from = layer_of(FILENAME)
	if (from == "")
		complain("no layer holds this file")
}

from != "" && /^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, part, "\"")
	n_includes++
	check_ours(part[2])
}

from != "" && /^[ \t]*#[ \t]*include[ \t]*</ {
	split($0, part, /[<>]/)
	n_includes++
	check_foreign(part[2])
}

END {
	for (pair in allowed) {
		split(pair, side, SUBSEP)
		if (!(side[2] in known)) {
			printf "layers.txt: %s: no layer %s\n", side[1], side[2]
			bad++
		}
	}
	if (bad)
		exit 1
	printf "%d files, %d includes\n", n_files, n_includes
}' "$rules" "${files[@]}"
