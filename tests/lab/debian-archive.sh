# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# debian-archive.sh - sourced: read any Debian suite without touching the host.
#
# A private apt configuration per suite: own sources, lists and cache, and no
# package counted as installed.  The archive's address is the one the host's
# own apt uses (apt itself is asked, so .list and .sources both work, and so
# does a mirror or a proxy); it is written down nowhere.
# Needs lab-cache.sh.

archive_keyring=/usr/share/keyrings/debian-archive-keyring.gpg
# Lists younger than this many minutes are not fetched again.
archive_fresh_min=720

# archive_host_suite - the host's own Debian release
archive_host_suite() {
	# shellcheck disable=SC1091
	(. /etc/os-release && printf '%s\n' "${VERSION_CODENAME:-sid}")
}

# archive_uris - "URI SUITE" of every source that the host's apt knows
archive_uris() {
	apt-get --print-uris update 2>/dev/null |
		sed -nE "s,^'(.*)/dists/(.*)/InRelease'.*,\1 \2,p" | sort -u
}

# archive_uris_for SUITE - where SUITE may be had, one a line: security suites
# beside the host's security suite, all others beside the host's own release.
# A stranger's archive may use the same suite name; its signature tells.
archive_uris_for() {
	local host uri suite
	host=$(archive_host_suite)

	while read -r uri suite; do
		case $1/$suite in
		*-security/*-security | *-security/*/updates) echo "$uri" ;;
		*-security/*) ;;
		*/"$host" | */stable | */testing | */unstable | */sid)
			echo "$uri"
			;;
		esac
	done < <(archive_uris)
}

# archive_options SUITE - the private configuration, one option a line
archive_options() {
	local dir
	dir=$(lab_cache_dir)/apt/$1

	printf '%s\n' \
		-o "Dir::Etc::sourcelist=$dir/suite.list" \
		-o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferencesparts=/dev/null \
		-o Dir::Etc::preferences=/dev/null \
		-o "Dir::State::lists=$dir/lists" \
		-o Dir::State::status=/dev/null \
		-o "Dir::Cache=$dir/cache" \
		-o APT::Sandbox::User=root \
		-o APT::Update::Post-Invoke-Success= \
		-o Acquire::Languages=none \
		-o Acquire::Retries=2
}

# archive_apt SUITE TOOL ARG... - apt-get or apt-cache on that suite
archive_apt() {
	local suite=$1 tool=$2 options
	shift 2
	mapfile -t options < <(archive_options "$suite")
	LC_ALL=C "$tool" -q "${options[@]}" "$@"
}

# archive_open SUITE - fetch the suite's lists unless they are fresh
archive_open() {
	local dir
	dir=$(lab_cache_dir)/apt/$1

	lab_locked "$dir/lock" archive_open_locked "$1" "$dir"
}

archive_open_locked() {
	local suite=$1 dir=$2 uri signed=''

	[[ -z $(find "$dir/stamp" -mmin "-$archive_fresh_min" 2>/dev/null) ]] ||
		return 0
	rm -f "$dir/update.log"
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	[[ ! -r $archive_keyring ]] || signed="[signed-by=$archive_keyring] "
	while read -r uri; do
		printf 'deb %s%s %s main\n' "$signed" "$uri" "$suite" \
			>"$dir/suite.list"
		if archive_apt "$suite" apt-get -o APT::Update::Error-Mode=any \
			update >"$dir/update.log" 2>&1 </dev/null; then
			touch "$dir/stamp"
			return 0
		fi
	done < <(archive_uris_for "$suite")
	return 1
}

# archive_why SUITE - why it could not be opened, if apt said
archive_why() {
	local log
	log=$(lab_cache_dir)/apt/$1/update.log

	[[ ! -r $log ]] || sed -nE 's/^E: //p' "$log" | head -n 1
}

# archive_version SUITE PACKAGE - its newest version there, or nothing
archive_version() {
	archive_apt "$1" apt-cache madison "$2" 2>/dev/null |
		awk -F'|' 'NR == 1 { gsub(/ /, "", $2); print $2 }'
}

# archive_suites_of NAME - where what is called so may come from: a Debian suite,
# or "newest"; the newest package wins
archive_suites_of() {
	case $1 in
	newest) echo sid trixie-backports bookworm-backports ;;
	sid | unstable | *-*) echo "$1" ;;
	*) echo "$1" "$1-security" ;;
	esac
}

# archive_find_newest PACKAGE SUITE... - set from_suite and from_version, and
# unreached to the suites that could not be asked
# shellcheck disable=SC2034 # for the caller
archive_find_newest() {
	local package=$1 suite version
	shift
	from_suite='' from_version='' unreached=''
	for suite in "$@"; do
		if ! archive_open "$suite"; then
			unreached+=" $suite"
			continue
		fi
		version=$(archive_version "$suite" "$package")
		if [[ $version ]] &&
			dpkg --compare-versions "$version" gt "${from_version:-0~}"; then
			from_suite=$suite from_version=$version
		fi
	done
}

# archive_depends SUITE PACKAGE=VERSION - names it depends on, one a line
# (the first of alternatives)
archive_depends() {
	archive_apt "$1" apt-cache show "$2" |
		sed -nE 's/^(Pre-)?Depends: //p' | tr ',' '\n' |
		sed -E 's/^ *//; s/[ :(|].*//' | sort -u
}

# archive_download SUITE DIR PACKAGE[=VERSION]... - the package files into DIR
archive_download() {
	local suite=$1 dir=$2
	shift 2
	if ! (cd "$dir" && archive_apt "$suite" apt-get download "$@" \
		>log 2>&1 </dev/null); then
		grep '^E: ' "$dir/log" | tail -n 2 >&2
		return 1
	fi
	rm "$dir/log"
}

# archive_fetch SUITE DIR PACKAGE[=VERSION]... - download and unpack into DIR
archive_fetch() {
	local suite=$1 dir=$2 deb debs
	shift 2
	debs=$(mktemp -d "$dir/debs.XXXXXX")
	if ! archive_download "$suite" "$debs" "$@"; then
		rm -rf "$debs"
		return 1
	fi
	for deb in "$debs"/*.deb; do
		dpkg-deb -x "$deb" "$dir" || return 1
	done
	rm -rf "$debs"
}
