#!/bin/bash
# SPDX-License-Identifier: MIT
# proto.sh [ROOT]: each hypercall, MSR and channel message of include/proto has
# a row in its table, or a reason in tests/lint/proto-exceptions.txt why not
#
# A constant has a row when the array called table[] in the table's file, or
# one of that file's macros, speaks of it outside comments.  An exception that
# is not needed is a fault too.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=${1:-$here/../..}
# prefix of the constants, what their values look like, the table
tables=(
	'HVCALL_     0x[0-9A-F]{4}        hypercalls/table.c'
	'HV_X64_MSR_ 0x4000[01][0-9A-F]{3}u? src/partition/msr.c'
	'CHANNELMSG_ [0-9]+                vsp/vmbus/chanmsg.c'
)

list=$("$here/tracked.sh" "$root" 'include/proto/*.h')
mapfile -t headers <<<"$list"
exceptions=$root/tests/lint/proto-exceptions.txt
cd "$root"
bad=0 constants=0

# rows FILE: its macros and its table[], without comments
rows()
{
	tr '\n' '\001' <"$1" | sed -E 's,/\*([^*]|\*+[^*/])*\*+/, ,g' |
		tr '\001' '\n' | awk '
			/^#define/ { macro = 1 }
			/^static const struct .* table\[\] = \{/ { table = 1 }
			macro || table { print }
			!/\\$/ { macro = 0 }
			/\};$/ { table = 0 }'
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
	rows=$(rows "$table" | grep -oE "\b${prefix}[A-Z0-9_]+" | sort -u) || true
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
