#!/bin/bash
# SPDX-License-Identifier: MIT
# libvirt.sh KVMBUS MODULES: domains, networks and volumes of libvirt by name,
# from its test driver, which needs no daemon
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kvmbus=$1
uri=test://$here/node.xml
cases=0 failures=0

# says TEXT COMMAND...: its output, both streams, has TEXT
says()
{
	local text=$1 got
	shift

	cases=$((cases + 1))
	got=$("$@" 2>&1)
	if [[ $got != *"$text"* ]]; then
		echo "'${*:2}' does not say '$text' but:"
		echo "$got"
		failures=$((failures + 1))
	fi
}

if [[ ! -e $2/libvirt.so ]]; then
	echo "skip: built without libvirt"
	exit 77
fi
KVMBUS_MODULES=/nonexistent says "virsh dumpxml" \
	"$kvmbus" check --connect "$uri" --domain web01
export KVMBUS_MODULES=$2

run=("$kvmbus" run --print-config --kernel /dev/null --connect "$uri")
check=("$kvmbus" check --connect "$uri")
says "0 refused" "${check[@]}" --domain web01
says "--disk /images/root.qcow2: No such file" "${run[@]}" --domain web01
says '"qcow2"' \
	"${run[@]}" --domain web01 --map-disk /images/root.qcow2=/dev/null
says "virbr7" \
	"${run[@]}" --domain web01 --map-disk /images/root.qcow2=/dev/null
says "virsh -c $uri list --all" "${check[@]}" --domain nobody
says "virsh -c $uri vol-list images" "${check[@]}" --domain lost
says "virsh -c $uri pool-list --all" "${check[@]}" --domain lost
says "virsh -c $uri net-list --all" "${check[@]}" --domain lost
says "virsh -c test:///nonexistent.xml version" \
	"$kvmbus" check --connect test:///nonexistent.xml --domain a
says "say --connect URI" "$kvmbus" check "$here/../domains/bad-volume.xml"
says "either it, or" "$kvmbus" run --domain a b.xml

echo "$cases cases, $failures failed"
[[ $failures == 0 ]]
