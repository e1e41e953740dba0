#!/bin/bash
# SPDX-License-Identifier: MIT
# options.sh KVMBUS [ROOT]: --help and the manual pages name the same commands,
# options and exit codes
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=${2:-$here/../..}
help=$("$1" --help)
manual=$root/doc/kvmbus.1.scd
bad=0

# same WHAT HELP MANUAL: two lists, one a line
same()
{
	if ! diff <(sort -u <<<"$2") <(sort -u <<<"$3"); then
		echo "$1: '<' only in --help, '>' only in kvmbus.1.scd"
		bad=1
	fi
}

same options \
	"$(grep -oE -- '--[a-z][a-z-]+' <<<"$help")" \
	"$(grep -oE -- '^\*--[a-z-]+' "$manual" | tr -d '*')"
same commands \
	"$(sed -nE 's/^.*  kvmbus ([a-z]+).*/\1/p; s/^Usage: kvmbus ([a-z]+).*/\1/p' \
		<<<"$help")" \
	"$(sed -nE 's/^\*kvmbus ([a-z]+)\*.*/\1/p' "$manual")"
same "exit codes" \
	"$(tr '\n' ' ' <<<"$help" | sed 's/.*Exit codes://' |
		grep -oE '(^|[^v0-9])[0-9]+\+?' | grep -oE '[0-9]+')" \
	"$(sed -n '/^# EXIT STATUS/,/^# REPORT/p' "$manual" |
		sed -nE 's/^\*([0-9]+).*/\1/p')"
same "commands of ctl" \
	"$("$1" ctl 2>&1 | sed -n 's/^  \([a-z-]*\) .*/\1/p')" \
	"$(sed -n '/^# COMMANDS/,/^# THE SOCKET/p' "$root/doc/kvmbus-ctl.1.scd" |
		grep -E '^\*[a-z-]+\*' | grep -oE '\*[a-z-]+\*' | tr -d '*')"
exit "$bad"
