#!/bin/sh
# SPDX-License-Identifier: MIT
# guest-domain.sh - what a stock Linux guest says of the domain that it is in;
# its /test.sh, or the first process of its root, which is the same tree on a
# disk.
#
# It does what run-domain says on the console, a word and the rest of a line
# each, and says what came of it in lines of "kvmbus-test: KEY=VALUE".
export PATH=/bin:/sbin:/usr/bin:/usr/sbin

tell() {
	echo "kvmbus-test: $1=$2"
}

# The disk with this serial number: disk_of SERIAL
disk_of() {
	for disk in /sys/block/sd*; do
		if tail -c +5 "$disk/device/vpd_pg80" 2>/dev/null |
			tr -d '\0' | grep -qx " *$1 *"; then
			echo "${disk##*/}"
		fi
	done
}

# The disk at the IDE controller
disk_at_ide() {
	for device in /sys/bus/vmbus/devices/*; do
		if grep -qi 32412632-86cb "$device/class_id"; then
			ls "$device"/host*/target*/*/block
		fi
	done
}

# How many devices on VMbus are of a class: class_of GUID
class_of() {
	grep -il "$1" /sys/bus/vmbus/devices/*/class_id | wc -l
}

# The card with this address: card_of MAC
card_of() {
	for card in /sys/class/net/*; do
		[ "$(cat "$card/address")" != "$1" ] || echo "${card##*/}"
	done
}

# How many milliseconds a command takes: took COMMAND...
took() {
	read -r before _ </proc/uptime
	"$@" >/dev/null 2>&1
	read -r after _ </proc/uptime
	echo "$before $after" | awk '{ print int(($2 - $1) * 1000) }'
}

# How long each of some pieces takes that are read from a disk or written to
# it, in ms: pieces if|of SERIAL BLOCKSIZE COUNT HOWMANY
pieces() {
	other=of=/dev/null
	[ "$1" = if ] || other=if=/dev/zero
	flag=${1%f}flag=direct
	disk=/dev/$(disk_of "$2") # now: a pause would let it burst again
	for _ in $(seq "$5"); do
		took dd "$1=$disk" $other "bs=$3" "count=$4" "$flag"
	done
}

# What a DHCP server says: lease CARD
lease() {
	ip link set "$1" up
	udhcpc -n -q -t 20 -T 1 -i "$1" -s /guest-domain.sh 2>/dev/null |
		sed -n 's/^lease //p'
}

# udhcpc calls this file
# shellcheck disable=SC2154 # what it sets
if [ "$1" = bound ]; then
	ip address add "$ip/$mask" dev "$interface"
	echo "lease $ip/$mask router=$router hostname=$hostname"
fi
[ $# = 0 ] || exit 0

dmesg -n 1
mkdir -p /tmp /run
mount -t tmpfs tmpfs /tmp
for module in hv_utils hyperv-keyboard hid-hyperv hid-generic hv_balloon \
	hv_sock hv_storvsc hv_netvsc sd_mod sr_mod msr; do
	modprobe $module 2>/dev/null
done
ip link set lo up
# of a machine that can only be told so much
tell devices "$(find /sys/bus/vmbus/devices/ -type l 2>/dev/null | wc -l)"
tell ready yes
grep -q kvmbus.leave /proc/cmdline && exit 0
while read -r word rest; do
	case $word in
	# the words are apart from what the kernel says, and end alone
	run) tell run "$(eval "$rest" 2>&1 | tr '\n' '~')" ;;
	esac
done </dev/console
