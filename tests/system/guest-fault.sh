# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# guest-fault.sh - what a stock Linux guest does while its host misbehaves: a
# bit of all that it has, each thing for a bounded time; part of guest-test.sh,
# whose tell() it uses.

# step KEY COMMAND...: run it, for 15 seconds at most, and tell how it ended
step() {
	key=$1
	shift
	rm -f /tmp/rc
	{
		"$@" >/tmp/out 2>&1
		echo $? >/tmp/rc
	} &
	pid=$!
	i=0
	while [ $i -lt 150 ] && [ ! -s /tmp/rc ]; do
		sleep 0.1
		i=$((i + 1))
	done
	if [ -s /tmp/rc ]; then
		tell "$key" "$(cat /tmp/rc)"
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
	ping -c 20 -i 0.1 -W 1 10.0.2.2
}

fault() {
	step storvsc modprobe -a hv_storvsc sd_mod
	step netvsc modprobe hv_netvsc
	step others load_drivers
	step read read_disk
	step write write_disk
	step net use_net
	sleep 3
	# What the guest makes of it: each kind once, with how often.
	tell findings "$(dmesg | grep -oE 'WARNING: .*|BUG: .*|Oops: .*|general protection.*|blocked for more than.*|soft lockup.*|UBSAN: .*|KASAN: .*' |
		sed 's/CPU: [0-9]* PID: [0-9]*//' | sort | uniq -c | tr '\n' ';')"
	dmesg -r | grep -E '^<[0-4]>' | tail -n 25
}
