#!/bin/bash
# SPDX-License-Identifier: MIT
# package.sh BUILD: the Debian package has what is installed, says what it
# needs, and what is in it runs
set -euo pipefail
build=$1
tree=$(mktemp -d "${TMPDIR:-/tmp}/kvmbus-package.XXXXXX")
trap 'rm -rf "$tree"' EXIT

for tool in cpack dpkg-deb dpkg-shlibdeps; do
	if ! command -v "$tool" >/dev/null; then
		echo "skip: no $tool"
		exit 77
	fi
done
if ! cpack -G DEB -B "$tree/made" --config "$build/CPackConfig.cmake" \
	>"$tree/log" 2>&1; then
	cat "$tree/log"
	exit 1
fi
package=$(echo "$tree"/made/*.deb)
dpkg-deb -x "$package" "$tree/root"

# The same files as cmake --install puts.
DESTDIR=$tree/installed cmake --install "$build" --prefix /usr >/dev/null
diff <(cd "$tree/installed" && find . -type f | sort) \
	<(cd "$tree/root" && find . -type f | sort)

field()
{
	dpkg-deb -f "$package" "$1"
}

[[ $(field Package) == kvmbus ]]
[[ $(field Architecture) == "$(dpkg --print-architecture)" ]]
[[ $(field Recommends) == *qemu-utils* ]]
# Only --connect wants it.
[[ $(field Depends) != *libvirt* && $(field Depends) != *gnutls* ]]
if [[ $(find "$tree/root" -name libvirt.so) ]]; then
	[[ $(field Suggests) == *libvirt0* ]]
fi
for library in libc6 libglib2.0-0 libjson-c5 liburing2 libslirp0; do
	# The names of later releases go on after these.
	if [[ $(field Depends) != *"${library%[0-9]}"* ]]; then
		echo "Depends lacks $library: $(field Depends)"
		exit 1
	fi
done

"$tree/root/usr/bin/kvmbus" --version
"$tree/root/usr/bin/kvmbus" --version | grep -qx "kvmbus $(field Version)"
"$tree/root/usr/bin/kvmbus" profiles | grep -q ws2019
# 0 or 4: what this host can do is its own matter.
rc=0
"$tree/root/usr/bin/kvmbus" doctor >/dev/null || rc=$?
[[ $rc == 0 || $rc == 4 ]]
