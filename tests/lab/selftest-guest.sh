# SPDX-License-Identifier: MIT
# selftest-guest.sh - /test.sh of the self test's guest: a KVM with two CPUs
# shellcheck shell=sh
grep -q kvm-clock \
	/sys/devices/system/clocksource/clocksource0/available_clocksource &&
	echo "selftest-guest: kvm $(grep -c ^processor /proc/cpuinfo) cpus"
