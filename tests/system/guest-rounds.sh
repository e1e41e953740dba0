# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# guest-rounds.sh - guest-test.sh's part of tests/system/run-rounds: what is
# done again and again, word by word as run-rounds says.

vmbus=/sys/bus/vmbus/devices
modules="hv_utils hyperv-keyboard hid-hyperv hid-generic hv_balloon evdev hv_sock"

# "yes", or the classes of the devices that no driver is bound to
bound() {
	unbound=
	for device in "$vmbus"/*; do
		[ -e "$device/driver" ] ||
			unbound="$unbound $(cat "$device/class_id" 2>/dev/null)"
	done
	echo "${unbound:-yes}"
}

reload() {
	for module in hv_utils hyperv-keyboard hid-hyperv; do
		if ! rmmod $module || ! modprobe $module; then
			echo "no $module"
			return
		fi
	done
	echo yes
}

# Work for each processor, that gives way to what else there is to do, and an
# echo of as many connections as come.
load() {
	for cpu in /sys/devices/system/cpu/cpu[0-9]*; do
		taskset "$(printf %x $((1 << ${cpu##*cpu})))" \
			sh -c 'renice -n 19 -p $$; while [ -e /tmp/load ]; do :; done' &
	done
	/vsock-echo serve 4000 >/dev/null 2>&1 &
	server=$!
}

# Is channel $2 at processor $1, or gone?
moved() {
	! [ -d "$2" ] || {
		echo "$1" >"$2/cpu" && read -r cpu <"$2/cpu" && [ "$cpu" = "$1" ]
	} 2>/dev/null
}

# The interrupts of every channel to processor $1.  A stream that has not begun,
# or that ends, cannot be moved, but is not long like that.
move() {
	for channel in "$vmbus"/*/channels/*; do
		tries=0
		until moved "$1" "$channel"; do
			if [ $((tries += 1)) -gt 100 ]; then
				echo "$channel stays"
				return
			fi
			sleep 0.1
		done
	done
	echo yes
}

# Take cpu1 out and put it in again.
blink() {
	online=/sys/devices/system/cpu/cpu1/online
	for value in 0 1; do
		echo $value >$online
		if [ "$(cat $online)" != $value ]; then
			echo "cpu1/online is not $value"
			return
		fi
	done
	echo yes
}

# Boot this kernel again, with all that is here.
kexec() {
	(cd / && find . -xdev | cpio -o -H newc) >/tmp/initrd 2>/dev/null
	/kexec /vmlinuz /tmp/initrd "$(cat /proc/cmdline)"
}

# What dmesg says that it should not.
warnings() {
	dmesg | grep -E 'hv_|hyperv|vmbus|WARNING|BUG|Oops|soft lockup|hung task|rcu.*stall' |
		grep -iE 'error|fail|unable|invalid|timed out|WARNING|BUG|Oops|lockup|hung|stall'
}

rounds() {
	for module in $modules; do
		modprobe "$module" || tell error "$module"
	done
	echo "/sbin/poweroff -f" >/proc/sys/kernel/poweroff_cmd
	tell ready yes
	while read -r word value; do
		case $word in
		bound) tell bound "$(bound)" ;;
		devices) tell devices "$(echo "$vmbus"/*/driver | wc -w)" ;;
		reload) tell reload "$(reload)" ;;
		load)
			touch /tmp/load
			load
			tell load yes
			;;
		calm)
			rm /tmp/load
			kill "$server"
			tell calm yes
			;;
		listen)
			cat "/dev/input/$(input_device keyboard)" >/tmp/keys 2>/dev/null &
			tell listen yes
			;;
		keys) tell keys "$(events /tmp/keys | awk '$1 == 1 && $3 == 1 { n++ } END { print 0 + n }')" ;;
		move) tell move "$(move "$value")" ;;
		blink) tell blink "$(blink)" ;;
		kexec) kexec || tell error kexec ;;
		warnings)
			warnings
			tell warnings "$(warnings | wc -l)"
			;;
		esac
	done </dev/console
}
