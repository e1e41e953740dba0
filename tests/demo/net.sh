# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# The demo guest's network: an address by DHCP, a file of the host's, and what
# the driver says.  The kernel's command line has demo_port and demo_md5.
# shellcheck disable=SC2013 # words are what is wanted
for word in $(cat /proc/cmdline); do
	case $word in
	demo_port=*) port=${word#*=} ;;
	demo_md5=*) md5=${word#*=} ;;
	esac
done

cat >/tmp/dhcp.sh <<'END'
#!/bin/sh
# what udhcpc runs, with what it got in variables
[ "$1" = bound ] || exit 0
ip address add "$ip/$mask" dev "$interface"
ip route add default via "$router"
echo "nameserver $dns" >/tmp/resolv.conf
echo "$interface: $ip/$mask by DHCP, router $router, name server $dns"
END
chmod +x /tmp/dhcp.sh
ip link set lo up
ip link set eth0 up
udhcpc -i eth0 -n -q -t 10 -T 1 -s /tmp/dhcp.sh 2>/dev/null ||
	echo "eth0: no address"
echo "eth0: $(cat /sys/class/net/eth0/address)," \
	"$(readlink /sys/class/net/eth0/device/driver | sed 's,.*/,,')," \
	"MTU $(cat /sys/class/net/eth0/mtu)," \
	"queues: $(echo /sys/class/net/eth0/queues/rx-* | wc -w)"
wget -q -O /tmp/file "http://10.0.2.2:$port/file"
if [ "$(md5sum </tmp/file)" = "$md5  -" ]; then
	echo "$(($(wc -c </tmp/file) / 1024)) KiB fetched from the host: the same"
else
	echo "the file of the host: NOT the same"
fi
