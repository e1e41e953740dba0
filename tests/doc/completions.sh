#!/bin/bash
# SPDX-License-Identifier: MIT
# completions.sh [ROOT]: what bash and fish offer at each place, and that the
# three shells' files name the same options, profiles and milestones
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=${1:-$here/../..}
folder=$root/doc/completions
cases=0 failures=0

fail()
{
	echo "$*"
	failures=$((failures + 1))
}

# Works only while a completion is going on.
compopt()
{
	:
}

# shellcheck source=doc/completions/kvmbus.bash
. "$folder/kvmbus.bash"

# offers 'WORDS' WORD...: the last of WORDS may go on as these, in any order
offers()
{
	local got want

	cases=$((cases + 1))
	IFS=' ' read -r -a COMP_WORDS <<<"$1"
	[[ $1 != *' ' ]] || COMP_WORDS+=('')
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	shift
	COMPREPLY=()
	_kvmbus
	got=$(printf '%s\n' "${COMPREPLY[@]}" | sort | xargs)
	want=$(printf '%s\n' "$@" | sort | xargs)
	[[ $got == "$want" ]] ||
		fail "bash: '${COMP_WORDS[*]}' gives '$got', not '$want'"
}

cd "$here"
# What `kvmbus ctl` prints, for what completes its commands.
kvmbus()
{
	[[ $1 != faults ]] ||
		printf 'Points, x:\n  ring.out  x\n\nScenarios, x:\n  disk-slow  x\n'
	printf 'Usage: x\n\n  pause   stop\n  kvp-get KEY  say\n' >&2
}

offers 'kvmbus ' run report matrix check doctor profiles faults findings ctl --help --version
offers 'kvmbus ctl comp' completions.sh
offers 'kvmbus ctl completions.sh ' pause kvp-get
offers 'kvmbus ctl completions.sh kvp-get ' ''
offers 'kvmbus report ' show diff junit tap html
offers 'kvmbus report show completions' completions.sh
offers 'kvmbus d' doctor
offers 'kvmbus doctor ' ''
offers 'kvmbus faults ' ring.out disk-slow
offers 'kvmbus run --scenario ' disk-slow
offers 'kvmbus run --fault' --fault --fault-file --fault-seed
offers 'kvmbus profiles ws2012' ws2012 ws2012r2
offers 'kvmbus run --re' --report --require
offers 'kvmbus check --map-' --map-disk --map-bridge
offers 'kvmbus run --profile ws202' ws2022 ws2025
offers 'kvmbus run --profile = ws2016' ws2016
offers 'kvmbus run --accel =' auto user kvm
offers 'kvmbus run --on-reboot ' destroy restart preserve
offers 'kvmbus run --memory ' ''
offers 'kvmbus run --kernel completions' completions.sh
offers 'kvmbus run --require power' poweroff
offers 'kvmbus run --require synic,st' synic,stimer synic,storvsc_open \
	synic,storvsc_io
offers 'kvmbus run --kernel x --log d' debug

# words FILE: options, profiles and milestones that it speaks of
words()
{
	{
		grep -oE -- '--[a-z][a-z-]+' "$1" || true
		sed -nE 's/^__kvmbus_run .*-l ([a-z-]+).*/--\1/p' "$1"
		sed -nE 's/^complete -c kvmbus .*-l ([a-z-]+).*/--\1/p' "$1"
		grep -oE '\bws20[0-9r]+\b' "$1"
		tr '\n\134' '  ' <"$1" |
			grep -oE 'milestones[= ]+[(]?.?guest_os_id[a-z_ 	]*' |
			grep -oE '[a-z]+(_[a-z]+)*' |
			grep -vE '^(milestones|complete)$'
	} | sort -u
}

# The schema and the manual are the measure for names and for options.
wanted=$({
	grep -oE '"(ws20[0-9r]+)"' "$root/configs/report.schema.json" | tr -d '"'
	tr '\n' ' ' <"$root/configs/report.schema.json" |
		grep -oE '"guest_os_id"[^]]*' | grep -oE '[a-z][a-z_]*'
	sed -nE 's/^\*(--[a-z-]+)\*.*/\1/p' "$root/doc/kvmbus.1.scd"
} | sort -u)
for file in kvmbus.bash _kvmbus kvmbus.fish; do
	cases=$((cases + 1))
	diff <(echo "$wanted") <(words "$folder/$file") ||
		fail "$file: not what the manual and the schema name"
done

fish_offers()
{
	local got

	cases=$((cases + 1))
	got=$(fish --no-config -c "source $folder/kvmbus.fish
		complete -C '$1'" | cut -f 1 | sort | xargs)
	[[ $got == "$2" ]] || fail "fish: '$1' gives '$got', not '$2'"
}

if command -v fish >/dev/null; then
	fish_offers 'kvmbus d' doctor
	fish_offers 'kvmbus run --re' '--report --require'
	fish_offers 'kvmbus run --profile ws202' 'ws2022 ws2025'
	fish_offers 'kvmbus run --require synic,sti' 'synic,stimer'
	fish_offers 'kvmbus profiles ws2012' 'ws2012 ws2012r2'
fi
if command -v zsh >/dev/null; then
	cases=$((cases + 1))
	zsh -n "$folder/_kvmbus" || fail "zsh can not read _kvmbus"
fi

echo "$cases cases, $failures failed"
[[ $failures == 0 ]]
