# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# The demo guest's test.sh: what an unmodified Debian kernel says about the
# Hyper-V it believes to be running on.
say() {
	printf '\n=== %s\n' "$1"
}

say "what the kernel found"
dmesg | grep -E 'Hypervisor detected|Hyper-V' | sed 's/^\[[^]]*\] //' |
	sort -u

say "clocks"
cd /sys/devices/system || exit
echo "clocksource: $(cat clocksource/clocksource0/current_clocksource)"
echo "available:   $(cat clocksource/clocksource0/available_clocksource)"
for f in clockevents/clockevent[0-9]*/current_device; do
	echo "clockevent:  $(cat "$f") (${f%/current_device})"
done

say "interrupts by Hyper-V's timers"
sleep 1
grep -E 'CPU0|HVS|HYP|HRE' /proc/interrupts

say "devices on VMbus"
dmesg | sed -n 's/.*\(hv_vmbus: Vmbus version\)/\1/p'
for device in /sys/bus/vmbus/devices/*; do
	driver=$(readlink "$device/driver") || driver=none/none
	echo "${driver##*/}	$(cat "$device/class_id")"
done | sort

if [ -e /net.sh ]; then
	say "network"
	sh /net.sh
fi

say "machine"
echo "$(cat /sys/class/dmi/id/sys_vendor), $(cat /sys/class/dmi/id/product_name)"
echo "$(nproc) processors, $(uname -sr)"
