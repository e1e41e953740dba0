# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# guest-net.sh - what a stock Linux guest does with its network card in a
# system test; part of guest-test.sh, whose tell() it uses.
#
# The other end is 10.9.0.1 and fd09::1, with a server of iperf3, and one that
# echoes at port 7.  With kvmbus.me=1 it is the guest that has these addresses.
card=eth0
seconds=2
me=$(argument kvmbus.me)
me=${me:-2}
peer4=10.9.0.$((3 - me))
peer6=fd09::$((3 - me))

# Addresses, and the link up
configure() {
	ip link set lo up
	# busybox's ip has no nodad
	echo 0 >/proc/sys/net/ipv6/conf/$card/accept_dad
	ip link set $card up
	ip address add "10.9.0.$me/24" dev $card 2>/dev/null
	ip address add "fd09::$me/64" dev $card 2>/dev/null
	# the neighbours find each other
	ping -c 3 -W 2 $peer4 >/dev/null
	ping -6 -c 3 -W 2 $peer6 >/dev/null
}

# How many sizes came back: pings KEY ADDRESS SIZE...
pings() {
	key=$1 address=$2 ok=0 all=0
	shift 2
	for size in "$@"; do
		all=$((all + 1))
		if ping -c 2 -W 2 -s "$size" "$address" >/tmp/ping 2>&1; then
			ok=$((ok + 1))
		else
			echo "ping -s $size $address: $(tail -n 2 /tmp/ping)"
		fi
	done
	tell "$key" "$ok of $all"
}

# Mbit/s of iperf3, or what it said: stream KEY ARGUMENT...
stream() {
	key=$1
	shift
	if iperf3 -c "$@" -t $seconds -J >/tmp/iperf 2>&1; then
		tell "$key" "$(sed -n '/"end"/,$p' /tmp/iperf |
			sed -n 's/.*"bits_per_second":[^0-9]*\([0-9.e+]*\).*/\1/p' |
			awk '{ printf "%s%.1f", s, $1 / 1000000; s = " " }')"
	else
		tell "$key" "failed: $(grep -o '"error":.*' /tmp/iperf)"
	fi
}

streams() {
	stream "$1_tx4" $peer4
	stream "$1_rx4" $peer4 -R
	stream "$1_both4" $peer4 --bidir
	stream "$1_tx6" $peer6
	stream "$1_rx6" $peer6 -R
	stream "$1_udp4" $peer4 -u -b 100M -l 1400
	stream "$1_udp_rx4" $peer4 -u -b 100M -l 1400 -R
	stream "$1_udp6" $peer6 -u -b 100M -l 1400
}

# A file there and back, compared: transfer KEY [ADDRESS]
transfer() {
	head -c 1000001 /dev/urandom >/tmp/sent
	: >/tmp/back
	nc "${2-$peer4}" 7 </tmp/sent >/tmp/back &
	pid=$!
	tries=0
	while [ "$(wc -c </tmp/back 2>/dev/null)" != 1000001 ] && [ $tries -lt 200 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	kill $pid 2>/dev/null
	if cmp -s /tmp/sent /tmp/back; then
		tell "$1" same
	else
		tell "$1" differs
	fi
}

# Each offload off and on again, with a transfer in each state.
toggles() {
	for feature in tx-checksumming rx-checksumming sg tso gso gro lro tx-udp-segmentation; do
		for state in off on; do
			ethtool -K $card $feature $state 2>/dev/null || continue
			transfer "${feature}_$state"
		done
	done
	tell features "$(ethtool -k $card | awk '$2 == "on" { printf "%s%s", s, $1; s = " " }')"
}

# The interface's counters, and what the driver complains of.
counters() {
	for name in rx_packets tx_packets rx_bytes tx_bytes rx_dropped tx_dropped rx_errors tx_errors; do
		tell "guest_$name" "$(cat /sys/class/net/$card/statistics/$name)"
	done
	ethtool -S $card | awk '$2 > 0 && /_no_memory|_no_space|_too_big|_busy|eagain|send_full/ { print "ethtool: " $1 $2 }'
	tell hv_warnings "$(dmesg -r | grep -cE '^<[0-4]>.*(netvsc|hv_net)')"
	dmesg | grep -iE 'netvsc|hv_net' | tail -n 8
}

# Load the driver, until the card is there.
find_card() {
	modprobe hv_netvsc
	tries=0
	while [ ! -e /sys/class/net/$card ] && [ $tries -lt 50 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
	mtu=$(cat /sys/class/net/$card/mtu)
	tell driver "$(basename "$(readlink /sys/class/net/$card/device/driver)")"
	tell mac "$(cat /sys/class/net/$card/address)"
	tell mtu "$mtu"
	tell channels "$(ethtool -l $card | awk '/Combined/ { n = $2 } END { print n }')"
}

# Under load: up and down, other MTUs, other numbers of channels.
changes() {
	iperf3 -c $peer4 -t 60 >/dev/null 2>&1 &
	load=$!
	i=0
	while [ $i -lt 20 ]; do
		ip link set $card down || break
		ip link set $card up || break
		i=$((i + 1))
	done
	tell flaps $i
	for n in 1400 9000 1280 1500; do
		ip link set $card mtu $n || break
		tell set_mtu "$(cat /sys/class/net/$card/mtu)"
	done
	for n in 1 2; do
		ethtool -L $card combined $n 2>/dev/null
	done
	kill $load 2>/dev/null
}

# The driver out and in again, three times.
reloads() {
	i=0
	while [ $i -lt 3 ]; do
		rmmod hv_netvsc || break
		modprobe hv_netvsc || break
		sleep 0.5
		i=$((i + 1))
	done
	tell reloads $i
}

network() {
	find_card
	configure
	tell carrier "$(cat /sys/class/net/$card/carrier)"
	pings ping4 $peer4 0 1 17 18 56 100 $((mtu - 28)) 1473 4000 20000 65507
	pings ping6 $peer6 8 56 $((mtu - 48)) 1453 4000 20000 65500
	transfer transfer
	streams plain
	ping -q -A -c 500 $peer4 2>/dev/null |
		sed -n 's/^.*min\/avg\/max = /kvmbus-test: rtt_ms=/p'
	toggles
	ethtool -x $card | head -n 4
	changes
	configure
	transfer after_changes
	reloads
	configure
	transfer after_reloads
	counters
	ip link set $card down
}

# The last number with that name that iperf3 says at its end
iperf_said() {
	sed -n '/"end"/,$p' /tmp/iperf | awk -v key="\"$1\":" '$1 == key { v = $2 } END { print v + 0 }'
}

# Of 1000 pings, one after the other, microseconds
ping_us() {
	ping -q -A -c 1000 $peer4 2>/dev/null |
		sed -n 's/^.*min\/avg\/max = [0-9.]*\/\([0-9.]*\)\/.*/\1/p' |
		awk '{ print $1 * 1000 }'
}

# For bench/net, on any card: each load between two lines
benchmark() {
	for module in hv_netvsc virtio_pci virtio_net; do
		modprobe $module 2>/dev/null
	done
	until [ -e /sys/class/net/$card ]; do
		sleep 0.1
	done
	configure
	seconds=$(argument kvmbus.seconds)
	for load in $(argument kvmbus.loads | tr , ' '); do
		case $load in
		ping_us)
			tell begin ping_us
			tell ping_us "$(ping_us)"
			continue
			;;
		tcp_tx) set -- ;;
		tcp_rx) set -- -R ;;
		udp64_tx) set -- -u -b 0 -l 64 ;;
		udp64_rx) set -- -u -b 0 -l 64 -R ;;
		esac
		tell begin "$load"
		iperf3 -c $peer4 -t "$seconds" "$@" -J >/tmp/iperf 2>&1
		case $load in
		tcp*) tell "$load" "$(iperf_said bits_per_second | awk '{ print $1 / 1000000 }')" ;;
		udp*) tell "$load" "$((($(iperf_said packets) - $(iperf_said lost_packets)) / seconds))" ;;
		esac
		grep '"error"' /tmp/iperf
	done
	tell "done" yes
}

# Do what run-wire says, a line each.
wire() {
	find_card
	tell ready yes
	while read -r word rest; do
		[ "$word" != run ] || tell run "$(eval "$rest" 2>&1 | tr '\n' ' ')"
	done </dev/console
}
