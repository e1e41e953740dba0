#!/bin/bash
# SPDX-License-Identifier: MIT
# proto.sh [ROOT]: each hypercall and MSR of include/proto has a row in its
# table, or a reason in tests/lint/proto-exceptions.txt why it has none
#
# A constant has a row when the code of the table's file, comments apart,
# speaks of it.  An exception that is not needed is a fault too.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=${1:-$here/../..}
# prefix of the constants, what their values look like, the table
tables=(
	'HVCALL_     0x[0-9A-F]{4}        hypercalls/table.c'
)

list=$("$here/tracked.sh" "$root" 'include/proto/*.h')
mapfile -t headers <<<"$list"
exceptions=$root/tests/lint/proto-exceptions.txt
cd "$root"
bad=0 constants=0

# code FILE: without its comments
code()
{
	tr '\n' '\001' <"$1" | sed -E 's,/\*([^*]|\*+[^*/])*\*+/, ,g' |
		tr '\001' '\n'
}

excused()
{
	grep -qE "^$1: [^ ]" "$exceptions"
}

for rule in "${tables[@]}"; do
	read -r prefix value table <<<"$rule"
	if [[ ! -f $table ]]; then
		echo "$table: not there; where is the table of $prefix*?"
		bad=1
		continue
	fi
	names=$(sed -nE \
		"s/^#define (${prefix}[A-Z0-9_]+)[ 	]+${value}[ 	]*(\$|\/.*)/\1/p" \
		"${headers[@]}")
	rows=$(code "$table" | grep -oE "\b${prefix}[A-Z0-9_]+" | sort -u) || true
	for name in $names; do
		constants=$((constants + 1))
		if grep -qx "$name" <<<"$rows"; then
			! excused "$name" || {
				echo "$name: has a row, and an exception"
				bad=1
			}
		elif ! excused "$name"; then
			echo "$name: no row in $table"
			bad=1
		fi
	done
	while read -r name; do
		grep -qx "$name" <<<"$names" || {
			echo "$name: an exception for what include/proto lacks"
			bad=1
		}
	done < <(grep -oE "^${prefix}[A-Z0-9_]+" "$exceptions")
done
if [[ $constants == 0 ]]; then
	echo "include/proto has no constants: is this the right tree?"
	bad=1
fi
echo "$constants constants"
exit "$bad"
