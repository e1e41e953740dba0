#!/bin/bash
# SPDX-License-Identifier: MIT
# install.sh BUILD: what cmake --install puts is what we mean to put
set -euo pipefail
build=$1
tree=$(mktemp -d "${TMPDIR:-/tmp}/kvmbus-install.XXXXXX")
trap 'rm -rf "$tree"' EXIT

DESTDIR=$tree cmake --install "$build" --prefix /usr >/dev/null
diff <(cd "$tree" && find . -type f -printf '%m %P\n' | sort -k 2) - <<'EOF2'
755 usr/bin/kvmbus
644 usr/lib/kvmbus/libvirt.so
644 usr/share/bash-completion/completions/kvmbus
644 usr/share/doc/kvmbus/LICENSE
644 usr/share/doc/kvmbus/examples/hyperv-import.xml
644 usr/share/doc/kvmbus/examples/linux-full.xml
644 usr/share/doc/kvmbus/examples/minimal.xml
644 usr/share/fish/vendor_completions.d/kvmbus.fish
644 usr/share/kvmbus/report.schema.json
644 usr/share/man/man1/kvmbus-ctl.1.gz
644 usr/share/man/man1/kvmbus-matrix.1.gz
644 usr/share/man/man1/kvmbus.1.gz
644 usr/share/man/man5/kvmbus-domain.5.gz
644 usr/share/man/man5/kvmbus-report.5.gz
644 usr/share/man/man7/kvmbus-fault.7.gz
644 usr/share/man/man7/kvmbus-qmp.7.gz
644 usr/share/man/man7/kvmbus-trace.7.gz
644 usr/share/zsh/site-functions/_kvmbus
EOF2
gzip -dc "$tree/usr/share/man/man1/kvmbus.1.gz" | grep -q '^\.TH "kvmbus" "1"'
if ldd "$tree/usr/bin/kvmbus" | grep 'not found'; then
	exit 1
fi
# Nothing of the machine that built it is left in it.
if grep -l -r -F "$build" "$tree"; then
	echo "the files above name the build folder"
	exit 1
fi
