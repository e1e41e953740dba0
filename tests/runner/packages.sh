#!/bin/bash
# SPDX-License-Identifier: MIT
# packages.sh GROUP...: see that the Debian packages of these groups are there
#
# build: what compiles and installs kvmbus; test: what its tests, lints and
# fuzzers want besides; lab: what the lab wants of the host.
#
# Looks with dpkg first, so a machine that has them needs no network and no
# rights.  Exit: 0; 4 when one is missing and can not be installed.
set -euo pipefail

build=(gcc libc6-dev cmake ninja-build pkgconf libglib2.0-dev libjson-c-dev
	liburing-dev libnbd-dev libslirp-dev libarchive-dev libxml2-dev libvirt-dev qemu-utils acpica-tools scdoc
	systemtap-sdt-dev)
test=(check clang llvm clang-tidy clang-format libclang-rt-14-dev cppcheck
	shellcheck python3 git gcc-multilib util-linux fish zsh tshark
	libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients dnsmasq-base
	qemu-system-x86 iproute2 ethtool busybox-static)
lab=(qemu-system-x86 busybox-static binutils cpio xz-utils zstd kmod e2fsprogs
	fio sg3-utils iproute2 iperf3 ethtool)

wanted=()
for group in "$@"; do
	case $group in
	build) wanted+=("${build[@]}") ;;
	test) wanted+=("${test[@]}") ;;
	lab) wanted+=("${lab[@]}") ;;
	*)
		echo "packages.sh: no group $group" >&2
		exit 2
		;;
	esac
done

missing=()
for package in "${wanted[@]}"; do
	status=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" \
		2>/dev/null) || true
	[[ $status == ii* ]] || missing+=("$package")
done
if [[ ${#missing[@]} == 0 ]]; then
	echo "${#wanted[@]} packages, all installed"
	exit 0
fi

as_root=()
if [[ $EUID != 0 ]]; then
	if ! sudo -n true 2>/dev/null; then
		echo "please install, as root: apt-get install ${missing[*]}" >&2
		exit 4
	fi
	as_root=(sudo -n)
fi

# 'env', because sudo drops what is set before it.
apt()
{
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

echo "installing: ${missing[*]}"
if ! apt update || ! apt install --no-install-recommends "${missing[@]}"; then
	echo "could not install: ${missing[*]}" >&2
	exit 4
fi
