# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# guest-test.sh - what a stock Linux guest does and says in a system test.
#
# Which: kvmbus.test=NAME on the kernel command line.  What it says is lines
# of "kvmbus-test: KEY=VALUE", which tests/system/run-linux reads.
tell() {
	echo "kvmbus-test: $1=$2"
}

argument() {
	# shellcheck disable=SC2013 # words are what is wanted
	for word in $(cat /proc/cmdline); do
		case $word in
		"$1="*) echo "${word#*=}" ;;
		esac
	done
}

# Sum of the interrupts of one row of /proc/interrupts ("HVS").
interrupts() {
	awk -v row="$1:" '$1 == row { n = 0; for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i; print n }' \
		/proc/interrupts
}

# The same of one processor: interrupts_of HVS 1
interrupts_of() {
	awk -v row="$1:" -v col="$(($2 + 2))" '$1 == row { print $col }' \
		/proc/interrupts
}

# Take hv_vmbus out and put it in again, RELOADS times: reload RELOADS
#
# With one processor on: hv_stimer_global_cleanup() stops the other processors'
# timers by an interrupt and frees what their handlers use without waiting for
# a timer message that they have got already (Linux oopses in vmbus_isr() when
# the host is slow in that moment).
reload() {
	module=$(grep '/hv_vmbus\.ko$' /etc/modules-to-load)
	for cpu in /sys/devices/system/cpu/cpu[1-9]*/online; do
		[ "$1" = 0 ] || [ ! -w "$cpu" ] || echo 0 >"$cpu"
	done
	i=0
	while [ $i -lt "$1" ]; do
		rmmod hv_vmbus || break
		sleep 0.2
		insmod "$module" || break
		i=$((i + 1))
	done
	for cpu in /sys/devices/system/cpu/cpu[1-9]*/online; do
		[ "$1" = 0 ] || [ ! -w "$cpu" ] || echo 1 >"$cpu"
	done
	tell reloads $i
}

# Drivers of all that is offered to us, as far as this kernel has them
load_drivers() {
	for module in hv_utils hyperv-keyboard hid-hyperv hid-generic hv_balloon hv_sock uio_hv_generic; do
		modprobe $module 2>/dev/null
	done
}

# What sysfs says of the device on VMbus in the current directory, in words
# NAME:VALUE; a channel's own files are N/NAME.  vmbus_sysfs.py reads it.
sysfs_of_device() {
	grep -sH '' id state uevent modalias class_id device_id monitor_id \
		channel_vp_mapping ./*_mask ./*_index ./*_bytes_avail \
		channels/*/cpu channels/*/subchannel_id channels/*/*_mask \
		channels/*/*_avail channels/*/interrupts channels/*/events \
		channels/*/monitor_id channels/*/pending channels/*/latency |
		sed 's,^\(\./\|channels/\),,; s/^uevent:DRIVER=/DRIVER:/; /^uevent:/d; s/ /_/g' |
		tr '\n' ' '
}

# Was a packet on its way, or did one come while these words were read?
on_its_way() {
	for word; do
		case $word in
		*read_bytes_avail:[1-9]*) return 0 ;;
		in_read_index:*) in_read=${word#*:} ;;
		in_write_index:*) in_write=${word#*:} ;;
		out_read_index:*) out_read=${word#*:} ;;
		out_write_index:*) out_write=${word#*:} ;;
		esac
	done
	[ "$in_read" != "$in_write" ] || [ "$out_read" != "$out_write" ]
}

# The same of all of them, a line each; more where something was on its way
tell_sysfs() {
	for device in /sys/bus/vmbus/devices/*; do
		cd "$device" || continue
		in_read='' in_write='' out_read='' out_write='' looks=1
		files=$(sysfs_of_device)
		tell sysfs "${device##*/} $files"
		# shellcheck disable=SC2086 # words
		while on_its_way $files && [ $looks -lt 3 ]; do
			sleep 1
			files=$(sysfs_of_device)
			tell sysfs "${device##*/} $files"
			looks=$((looks + 1))
		done
	done
	cd /
}

# Have uio_hv_generic drive the test device that has a monitor, and keep it open
use_monitor() {
	for device in /sys/bus/vmbus/devices/*; do
		[ ! -e "$device/monitor_id" ] || [ -e "$device/driver" ] || break
	done
	echo uio_hv_generic >"$device/driver_override"
	echo "${device##*/}" >/sys/bus/vmbus/drivers/uio_hv_generic/bind
	/uio-echo "/dev/$(ls "$device/uio")" "$(cat "$device/monitor_id")" >/tmp/uio &
	i=0
	while [ $i -lt 100 ] && ! grep -qs echoed /tmp/uio; do
		sleep 0.1
		i=$((i + 1))
	done
	tell uio "$(cat /tmp/uio)"
}

# What the drivers of VMbus said at level "warning" and above, but for what
# Linux 5.10 says of a machine that has no screen (vmbus_reserve_fb())
hv_warnings() {
	dmesg -r | grep -E '^<[0-4]>' | grep -iE 'hv_|vmbus|hyper-?v|hid 0006:045E:0621' |
		grep -v 'Unexpected framebuffer mmio base of zero'
}

facts() {
	sys=/sys/devices/system
	dmesg | grep -q 'Hypervisor detected: Microsoft Hyper-V' &&
		tell detected yes
	# "Host Build:26100-10.0-…" in 5.10, "Host Build 10.0.26100.…" from 6.6,
	# "Hypervisor Build 10.0.26100.…" in 7.x
	tell host_build "$(dmesg | sed -nE "s/.*(Host|Hypervisor) Build[: ]*//p" | head -n 1)"
	tell clocksource "$(cat $sys/clocksource/clocksource0/current_clocksource)"
	tell clockevent "$(cat $sys/clockevents/clockevent0/current_device)"
	tell cpus "$(grep -c ^processor /proc/cpuinfo)"
	tell vendor "$(cat /sys/class/dmi/id/sys_vendor)"
	before=$(interrupts HVS)
	callbacks=$(interrupts HYP)
	sleep 1
	tell hvs_before "${before:-0}"
	tell hvs_after "$(interrupts HVS)"
	tell hyp_before "${callbacks:-0}"
	tell hyp_after "$(interrupts HYP)"
	reload "$(argument kvmbus.reloads)"
	# The one of each time, if they agree.
	tell vmbus "$(dmesg | sed -n 's/.*Vmbus version://p' | sort -u)"
	load_drivers
	use_monitor
	callbacks=$(interrupts HYP)
	# Two beats of the heart, and what comes with a channel
	sleep 4
	tell hyp_devices $(($(interrupts HYP) - callbacks))
	tell_sysfs
	tell hv_warnings "$(hv_warnings | wc -l)"
	hv_warnings
	tell warnings "$(dmesg | grep -cE 'WARNING:|BUG:|Oops|unchecked MSR|soft lockup|rcu.*stall')"
	dmesg | grep -E -A 8 'WARNING:|BUG:|unchecked MSR' | head -n 40
}

offline_online() {
	cpu=/sys/devices/system/cpu/cpu1/online
	echo 0 >$cpu
	tell offline "$(cat $cpu)"
	echo 1 >$cpu
	tell online "$(cat $cpu)"
	before=$(interrupts_of HVS 1)
	i=0
	# Work for that processor, so that its timer has something to do.
	while [ $i -lt 5 ]; do
		taskset 2 sh -c 'sleep 0.1' 2>/dev/null || sleep 0.1
		i=$((i + 1))
	done
	tell cpu1_hvs_before "${before:-0}"
	tell cpu1_hvs_after "$(interrupts_of HVS 1)"
	tell warnings "$(dmesg | grep -cE 'WARNING:|BUG:|Oops|soft lockup')"
}

# What input event device WORD of /proc/bus/input/devices is called
input_device() {
	awk -v word="$1" '/^N:/ { mine = index($0, word) }
		mine && /^H:/ { for (i = 2; i <= NF; i++) if (sub(/.*event/, "event", $i)) print $i }' \
		/proc/bus/input/devices | tail -n 1
}

# Types, codes and values of the events in a file: struct input_event
events() {
	od -An -v -t u2 -w24 "$1" | awk '{ print $9, $10, $11 }'
}

# The daemons of hyperv-daemons, where the initramfs has them, and what they deal
# with: a file system on a disk, written to all the time, and a NIC
start_daemons() {
	tell daemons "$(cd /usr/sbin && echo hv_*)"
	mkdir -p /var/lib /var/log
	modprobe -a brd ext4 dummy 2>/dev/null
	mke2fs /dev/ram0 >/dev/null && mount -t ext4 /dev/ram0 /mnt
	ip link set dummy0 address 00:15:5d:01:02:03
	ip addr add 10.1.2.3/24 dev dummy0
	ip link set dummy0 up
	for daemon in /usr/sbin/hv_*; do
		$daemon -n &
	done
	i=0
	while :; do
		i=$((i + 1))
		echo $i >/mnt/counter
		echo $i >/tmp/counter.new
		mv /tmp/counter.new /tmp/counter
		sleep 0.1
	done &
}

# Drivers of all that is offered to us; do what run-ctl says, word by word.
ctl() {
	modprobe evdev
	load_drivers
	sleep 1
	[ ! -e /usr/sbin/hv_kvp_daemon ] || start_daemons
	echo "/sbin/poweroff -f" >/proc/sys/kernel/poweroff_cmd
	cat "/dev/input/$(input_device keyboard)" >/tmp/keys &
	cat "/dev/input/$(input_device 'HID')" >/tmp/mouse &
	tell ready yes
	while read -r word rest; do
		case $word in
		run) tell run "$(eval "$rest" 2>&1 | tr '\n' ' ')" ;;
		keys) tell keys "$(events /tmp/keys | awk '$1 == 1 && $3 == 1 { printf "%s ", $2 }')" ;;
		mouse) tell mouse "$(events /tmp/mouse | awk '
			$1 == 3 && $2 == 0 { x = $3 }
			$1 == 3 && $2 == 1 { y = $3 }
			$1 == 1 && $3 == 1 { key = $2 }
			END { print x, y, key }')" ;;
		total) tell total "$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)" ;;
		free) tell free "$(awk '/^MemFree:/ { print $2 }' /proc/meminfo)" ;;
		time) tell time "$(date +%s)" ;;
		sysfs)
			tell_sysfs
			tell sysfs-told yes
			;;
		devices) tell devices "$(echo /sys/bus/vmbus/devices/*/driver | wc -w)" ;;
		vsock-listen)
			/vsock-echo listen 4000 >/tmp/vsock &
			while ! grep -q listening /tmp/vsock; do sleep 0.1; done
			tell vsock-listen yes
			;;
		vsock-connect)
			/vsock-echo connect 1025 &
			tell vsock-connect yes
			;;
		vsock-refused)
			/vsock-echo connect 1026 2>/dev/null
			tell vsock-refused $?
			;;
		warnings)
			hv_warnings
			tell warnings "$(hv_warnings | wc -l)"
			;;
		esac
	done </dev/console
}

case $(argument kvmbus.test) in
ctl) ctl ;;
rounds)
	# shellcheck source=tests/system/guest-rounds.sh
	. /guest-rounds.sh
	rounds
	;;
net)
	# shellcheck source=tests/system/guest-net.sh
	. /guest-net.sh
	network
	;;
net-bench)
	# shellcheck source=tests/system/guest-net.sh
	. /guest-net.sh
	benchmark
	;;
wire)
	# shellcheck source=tests/system/guest-net.sh
	. /guest-net.sh
	wire
	;;
disk | disks | bench)
	# shellcheck source=tests/system/guest-disk.sh
	. /guest-disk.sh
	"$(argument kvmbus.test)"
	;;
qmp)
	# shellcheck source=tests/system/guest-disk.sh
	. /guest-disk.sh
	# shellcheck source=tests/system/guest-net.sh
	. /guest-net.sh
	# shellcheck source=tests/system/guest-qmp.sh
	. /guest-qmp.sh
	qmp
	;;
fault)
	# shellcheck source=tests/system/guest-fault.sh
	. /guest-fault.sh
	fault
	;;
facts) facts ;;
offline) offline_online ;;
time) /clock-check && tell time good ;;
reboot)
	# On the second boot run-linux types "off".
	# shellcheck disable=SC3045 # busybox has -t
	if read -r -t 4 word </dev/console && [ "$word" = off ]; then
		tell typed "$word"
	else
		reboot -f
		sleep 30
	fi
	;;
triple) reboot -f ;; # with reboot=t
panic)
	echo 1 >/proc/sys/kernel/sysrq
	echo c >/proc/sysrq-trigger
	;;
hang) sleep 1000 ;;
*) tell error "no such test" ;;
esac
tell "done" yes
