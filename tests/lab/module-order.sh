# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# module-order.sh - sourced: which files of a kernel to load, in what order.
#
# Reads what depmod wrote: modules.dep (what each needs, the first needed
# last), modules.softdep, modules.alias and modules.builtin.  Plain functions
# of those files; tests/lab/selftest tries them on real kernels.

# module_order LIBDIR NAME... - files relative to LIBDIR, in load order, each
# once; "NAME?" may be missing.  Returns 1, having said why, if NAME is not
# there.
module_order() {
	local lib=$1
	shift
	awk -v wanted="$*" '
	function plain(name) {
		sub(/.*\//, "", name)
		sub(/\.ko(\.[a-z]+)?:?$/, "", name)
		gsub(/-/, "_", name)
		return name
	}
	function load(name,   i, n, need, found) {
		name = plain(name)
		if (!(name in file) && name in alias) {
			# as modprobe does: everything that has the alias
			n = split(alias[name], need, " ")
			for (i = 1; i <= n; i++)
				found += load(need[i])
			return found > 0
		}
		if (name in done || name in builtin)
			return 1
		if (!(name in file))
			return 0
		done[name] = 1
		n = split(pre[name], need, " ")
		for (i = 1; i <= n; i++)
			load(need[i])
		n = split(deps[name], need, " ")
		for (i = n; i >= 1; i--)
			load(need[i])
		print file[name]
		n = split(post[name], need, " ")
		for (i = 1; i <= n; i++)
			load(need[i])
		return 1
	}
	FILENAME ~ /modules.dep$/ {
		name = plain($1)
		file[name] = substr($1, 1, length($1) - 1)
		$1 = ""
		deps[name] = $0
	}
	FILENAME ~ /modules.builtin$/ { builtin[plain($1)] = 1 }
	# "?" and other patterns are for the bus, not for a name
	FILENAME ~ /modules.alias$/ && $1 == "alias" && $2 !~ /[*?\[:]/ {
		alias[plain($2)] = alias[plain($2)] " " plain($3)
	}
	FILENAME ~ /modules.softdep$/ && $1 == "softdep" {
		where = ""
		for (i = 3; i <= NF; i++) {
			if ($i == "pre:" || $i == "post:")
				where = $i
			else if (where == "pre:")
				pre[plain($2)] = pre[plain($2)] " " $i
			else
				post[plain($2)] = post[plain($2)] " " $i
		}
	}
	END {
		n = split(wanted, want, " ")
		for (i = 1; i <= n; i++) {
			optional = sub(/\?$/, "", want[i])
			if (!load(want[i]) && !optional) {
				print "no module " want[i] > "/dev/stderr"
				bad = 1
			}
		}
		exit bad
	}' "$lib/modules.dep" "$lib/modules.builtin" "$lib/modules.alias" \
		"$lib/modules.softdep"
}

# module_tables LIBDIR ORDER TO - the tables modprobe reads, for the files
# that ORDER lists only, and under their unpacked names
module_tables() {
	local lib=$1 order=$2 to=$3

	mkdir -p "$to"
	cp "$lib/modules.builtin" "$to/"
	awk 'NR == FNR { have[$1 ":"] = 1; next } $1 in have' \
		"$order" "$lib/modules.dep" |
		sed -E 's/\.ko\.[a-z]+/.ko/g' >"$to/modules.dep"
	awk 'NR == FNR {
		sub(/.*\//, "", $1); sub(/\.ko.*/, "", $1); gsub(/-/, "_", $1)
		have[$1] = 1
		next
	}
	$1 == "alias" && $3 in have' "$order" "$lib/modules.alias" \
		>"$to/modules.alias"
}
