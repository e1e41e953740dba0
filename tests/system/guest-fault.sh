# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# guest-fault.sh - what a stock Linux guest does while its host misbehaves: a
# bit of all that it has, each thing for a bounded time; part of guest-test.sh,
# whose tell() it uses.

# Hundredths of a second since the start
uptime() {
	read -r seconds _ </proc/uptime
	echo "${seconds%.*}${seconds#*.}"
}

# step KEY COMMAND...: run it, for 15 seconds and some at most, and tell how it
# ended and how long it took
step() {
	key=$1
	shift
	start=$(uptime)
	rm -f /tmp/rc
	{
		"$@" >/tmp/out 2>&1
		echo $? >/tmp/rc
	} &
	pid=$!
	i=0
	while [ $i -lt 60 ] && [ ! -s /tmp/rc ]; do
		# Each is a process, and dear where processors are emulated.
		if [ $i -lt 40 ]; then sleep 0.1; else sleep 0.6; fi
		i=$((i + 1))
	done
	if [ -s /tmp/rc ]; then
		tell "$key" "$(cat /tmp/rc)"
		tell "${key}_ms" $((($(uptime) - start) * 10))
	else
		tell "$key" hangs
		kill $pid 2>/dev/null
	fi
}

read_disk() {
	i=0
	while [ $i -lt 50 ] && [ ! -b /dev/sda ]; do
		sleep 0.1
		i=$((i + 1))
	done
	dd if=/dev/sda of=/dev/null bs=4k count=400 iflag=direct
}

write_disk() {
	dd if=/dev/zero of=/dev/sda bs=4k count=200 oflag=direct
}

use_net() {
	ip link set eth0 up && ip address add 10.0.2.15/24 dev eth0
	ping -c 100 -i 0.03 -W 1 10.0.2.2
}

# How many seconds the clock is ahead of the RTC, which knows of no fault.
ahead_of_rtc() {
	read -r seconds _ </proc/uptime
	echo $((${seconds%.*} - $(cat /sys/class/rtc/rtc0/since_epoch)))
}

fault() {
	before=$(ahead_of_rtc)
	step storvsc modprobe -a hv_storvsc sd_mod
	step netvsc modprobe hv_netvsc
	step others load_drivers
	step read read_disk
	step write write_disk
	step net use_net
	tell ping "$(grep -E 'transmitted|round-trip' /tmp/out | tr '\n' ' ')"
	tell ping_order "$(sed -n 's/.*seq=\([0-9]*\).*/\1/p' /tmp/out | tr '\n' ' ')"
	sleep 3
	tell carrier_changes "$(cat /sys/class/net/eth0/carrier_changes 2>/dev/null)"
	tell clock_ahead $(($(ahead_of_rtc) - before))
	# What the guest makes of it: each kind once, with how often.
	tell findings "$(dmesg | grep -oE 'WARNING: .*|BUG: .*|Oops: .*|general protection.*|blocked for more than.*|soft lockup.*|UBSAN: .*|KASAN: .*' |
		sed 's/CPU: [0-9]* PID: [0-9]*//' | sort | uniq -c | tr '\n' ';')"
	# For what a scenario is known to make the kernel say.
	dmesg | tail -n 120 | sed 's/^/kernel-log: /'
	# Who powers off does not wait for the terminal.
	sleep 1
}
