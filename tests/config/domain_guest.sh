#!/bin/bash
# SPDX-License-Identifier: MIT
# domain_guest.sh KVMBUS IMAGE: a domain is run, and what its guest sees is
# what the domain says: IMAGE is the guest that looks at CPUID
set -uo pipefail
kvmbus=$1 image=$2
folder=$(mktemp -d "${TMPDIR:-/tmp}/kvmbus-domain.XXXXXX")
trap 'rm -rf "$folder"' EXIT

if [[ ! -w /dev/kvm ]]; then
	echo "skip: no /dev/kvm"
	exit 77
fi
truncate -s 1M "$folder/disk.img"
cat >"$folder/guest.xml" <<EOF2
<domain type='kvm'>
  <name>guest</name>
  <metadata>
    <kvmbus:machine xmlns:kvmbus='urn:kvmbus:domain:1'>
      <kvmbus:profile name='ws2019'/>
    </kvmbus:machine>
  </metadata>
  <memory unit='MiB'>128</memory>
  <vcpu>4</vcpu>
  <cpu mode='host-passthrough'>
    <topology sockets='2' dies='1' cores='1' threads='2'/>
  </cpu>
  <os>
    <type arch='x86_64'>hvm</type>
    <kernel>$image</kernel>
    <cmdline>build=17763 major=10 minor=0 cores=1 threads=2</cmdline>
  </os>
  <devices>
    <disk type='file' device='disk'>
      <source file='$folder/disk.img'/>
      <target dev='sda' bus='scsi'/>
      <address type='drive' controller='1' unit='7'/>
    </disk>
    <interface type='user'>
      <mac address='52:54:00:00:00:01'/>
      <model type='netvsc'/>
    </interface>
  </devices>
</domain>
EOF2
# 1 is what --test-devices makes of the guest's 0: all is as it was told.
"$kvmbus" run --strict --test-devices --timeout 100 "$folder/guest.xml" \
	</dev/null
code=$?
[[ $code == 1 ]] || echo "exit code $code, expected 1"
[[ $code == 1 ]] || exit 1
# An option counts more than the domain: another profile is another build.
"$kvmbus" run --profile ws2022 --test-devices --timeout 100 \
	"$folder/guest.xml" </dev/null >"$folder/log"
code=$?
[[ $code != 1 ]] || echo "--profile did not count"
[[ $code != 1 ]]
