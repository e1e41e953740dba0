# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# guest-qmp.sh - what a stock Linux guest does while a client of QMP deals with
# its machine; part of guest-test.sh, and of guest-disk.sh and guest-net.sh,
# whose functions it uses.

# Count aloud, as long as /tmp/ticking is there
ticks() {
	touch /tmp/ticking
	i=0
	while [ -e /tmp/ticking ]; do
		i=$((i + 1))
		tell tick $i
		sleep 0.2
	done >/dev/console
}

# Read and write a disk, verified, again and again until that fails: hammer DEVICE
hammer() {
	echo 0 >/tmp/rounds
	n=0
	while fio --name=hammer --filename="$1" --allow_file_create=0 --thread \
		--offset=4m --size=2m \
		--rw=randrw --verify=crc32c --verify_fatal=1 --do_verify=1 \
		--direct=1 --ioengine=libaio --iodepth=16 --bsrange=4k-64k \
		--minimal >/tmp/hammer 2>&1; do
		n=$((n + 1))
		echo $n >/tmp/rounds
	done
	echo "over after $n" >/tmp/rounds
}

# The card with an address, "eth0"; later calls of guest-net.sh are about it
card_by_mac() {
	for at in /sys/class/net/*; do
		if [ "$(cat "$at/address")" = "$1" ]; then
			card=${at##*/}
			echo "$card"
		fi
	done
}

# What a disk has read and written since it is there, bytes: bytes_of sdb
bytes_of() {
	awk '{ print $3 * 512, $7 * 512 }' "/sys/block/$1/stat"
}

# Do what run-qmp says, line by line.
qmp() {
	load_drivers
	modprobe hv_netvsc
	echo "/sbin/poweroff -f" >/proc/sys/kernel/poweroff_cmd
	echo online >/sys/devices/system/memory/auto_online_blocks
	mount_tools && tell ready yes
	while read -r _ line; do
		eval "$line" >/tmp/answer 2>&1
		tell run "$(tr '\n' ' ' </tmp/answer)"
	done </dev/console
}
