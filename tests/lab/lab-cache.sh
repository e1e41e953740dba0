# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# lab-cache.sh - sourced: the cache outside the tree, and the host's tools.
#
# Everything the lab downloads or makes lives under one directory, may be
# deleted at any time, and is put there whole: made beside its place, then
# renamed, under a lock, so that parallel lanes never see half a thing.

# lab_say TEXT... - one line to the person, on stderr
lab_say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# lab_die CODE TEXT... - the same, and the end
lab_die() {
	local code=$1
	shift
	lab_say "$@"
	exit "$code"
}

# lab_cache_dir - print the cache's directory, made if need be
lab_cache_dir() {
	local dir=${KVMBUS_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/kvmbus}

	mkdir -p "$dir" && (cd "$dir" && pwd -P)
}

# lab_locked LOCKFILE COMMAND... - run COMMAND alone among all lanes
lab_locked() {
	local lock=$1 fd status=0
	shift
	mkdir -p "${lock%/*}"
	exec {fd}>"$lock"
	flock "$fd"
	# The lock must not leak into what COMMAND leaves running.
	"$@" {fd}>&- || status=$?
	exec {fd}>&-
	return "$status"
}

# lab_put DIR_MADE DIR - rename a finished directory into its place
lab_put() {
	local made=$1 dir=$2

	if [[ -e $dir ]]; then
		rm -rf "$dir.old"
		mv "$dir" "$dir.old"
	fi
	mv "$made" "$dir"
	rm -rf "$dir.old"
}

# lab_need TOOL:PACKAGE... - see that the host has the tools; as root on a
# Debian host install the packages that are missing, else say which they are
lab_need() {
	local pair missing=()

	for pair in "$@"; do
		PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%:*}" >/dev/null ||
			missing+=("${pair#*:}")
	done
	((${#missing[@]})) || return 0
	if [[ $EUID != 0 ]] || ! command -v apt-get >/dev/null; then
		lab_die 4 "please install: ${missing[*]}"
	fi
	lab_say "installing ${missing[*]}"
	lab_locked "$(lab_cache_dir)/apt/install.lock" lab_install "${missing[@]}"
}

# lab_install PACKAGE... - with the system's apt; new lists only if needed
lab_install() {
	local log status=0
	log=$(mktemp)
	{
		DEBIAN_FRONTEND=noninteractive apt-get -q -y \
			--no-install-recommends install "$@" ||
			{
				apt-get -q update &&
					DEBIAN_FRONTEND=noninteractive apt-get -q -y \
						--no-install-recommends install "$@"
			}
	} >"$log" 2>&1 </dev/null || status=4
	((status == 0)) || tail -n 5 "$log" >&2
	rm -f "$log"
	((status == 0)) || lab_die "$status" "could not install $*"
}
