# shellcheck shell=sh
# SPDX-License-Identifier: MIT
# guest-disk.sh - what a stock Linux guest does with its disks in a system
# test; part of guest-test.sh, whose tell() it uses.
#
# The disk with serial number "tools" has Debian's own tools, the one with
# "scratch" is the test's to write.

# Say the disk, "sda", with serial number $1.
disk_by_serial() {
	for at in /sys/block/[sv]d*; do
		serial=$(cat "$at/serial" 2>/dev/null ||
			dd if="$at/device/vpd_pg80" bs=1 skip=4 2>/dev/null)
		[ "$serial" != "$1" ] || [ ! -b "/dev/${at##*/}" ] || echo "${at##*/}"
	done
}

# Wait until a command is true: until_true COMMAND...
until_true() {
	tries=0
	while [ $tries -lt 100 ]; do
		! "$@" || return 0
		sleep 0.1
		tries=$((tries + 1))
	done
	return 1
}

has_disk() {
	[ "$(disk_by_serial "$1")" ]
}

# Debian's own: the shell takes busybox' for these names.
mke2fs() { /tools/usr/sbin/mke2fs "$@"; }

mount_tools() {
	modprobe -a hv_storvsc sd_mod sr_mod sg ext4 crc32c_generic \
		virtio_pci virtio_blk 2>/dev/null
	until_true has_disk tools
	mkdir /tools
	mount -t ext4 -o ro "/dev/$(disk_by_serial tools)" /tools || return 1
	ln -s /tools/lib64 /lib64
	for dir in /tools/lib /tools/usr/lib; do
		dir=$dir/x86_64-linux-gnu
		LD_LIBRARY_PATH=${LD_LIBRARY_PATH-}${LD_LIBRARY_PATH:+:}$dir:$dir/ceph
	done
	export LD_LIBRARY_PATH
	PATH=/tools/usr/sbin:/tools/usr/bin:$PATH
}

# One run of fio on /mnt, verified: verify NAME [OPTION...]
verify() {
	name=$1
	shift
	if fio --name="$name" --directory=/mnt --thread --size=6m --numjobs=4 \
		--rw=randrw --verify=crc32c --verify_fatal=1 --do_verify=1 \
		--minimal "$@" >"/tmp/$name" 2>&1; then
		tell "fio_$name" good
	else
		tell "fio_$name" bad
		tail -n 5 "/tmp/$name"
	fi
	rm -f /mnt/"$name"*
}

partition_and_mkfs() {
	printf 'n\np\n1\n\n\nw\n' | fdisk "/dev/$1" >/tmp/fdisk 2>&1
	until_true [ -b "/dev/${1}1" ] || cat /tmp/fdisk
	if mke2fs -q -F -t ext4 "/dev/${1}1" >/tmp/mkfs 2>&1 &&
		mount -t ext4 -o discard "/dev/${1}1" /mnt; then
		tell mkfs good
	else
		cat /tmp/mkfs
	fi
}

# What the tools of sg3-utils read agrees with what the machine was given.
ask_with_sg() {
	dev=/dev/$1
	tell sg_inq "$(sg_inq "$dev" | sed -n 's/ *Vendor identification: *//p' | sed 's/ *$//')"
	tell sg_serial "$(sg_inq -p sn "$dev" 2>/dev/null | sed -n 's/.*serial number: *//p')"
	tell sg_pages "$(sg_vpd "$dev" | grep -c '^ ')"
	for page in di bl bdc lbpv; do
		sg_vpd -p $page "$dev" >/tmp/page 2>&1 || {
			tell "sg_vpd_$page" bad
			cat /tmp/page
		}
	done
	tell sg_readcap "$(sg_readcap -l "$dev" | sed -n 's/.*Number of logical blocks=\([0-9]*\).*/\1/p;s/.*Last LBA=\([0-9]*\).*/\1/p' | tail -n 1)"
	sg_turs "$dev" && tell sg_turs good
	tell sg_luns "$(sg_luns "$dev" | grep -c '^ *0')"
	sg_verify --lba=0 --count=8 "$dev" && tell sg_verify good
	sg_unmap --force --lba=2048 --num=64 "$dev" && tell sg_unmap good
	sg_write_same --16 --unmap --lba=4096 --num=64 "$dev" >/dev/null &&
		tell sg_write_same good
	sg_persist --no-inquiry -n -i -k "$dev" >/dev/null && tell sg_persist good
}

disk() {
	mount_tools && until_true has_disk scratch
	scratch=$(disk_by_serial scratch)
	tell disks "$(echo /sys/block/sd* | wc -w)"
	tell scratch_bytes "$(($(cat "/sys/block/$scratch/size") * 512))"
	tell block "$(cat "/sys/block/$scratch/queue/logical_block_size")"
	tell queues "$(echo "/sys/block/$scratch"/mq/* | wc -w)"
	tell cache "$(cat "/sys/block/$scratch/queue/write_cache")"
	ask_with_sg "$scratch"
	partition_and_mkfs "$scratch"
	verify direct --direct=1 --ioengine=libaio --iodepth=64 \
		--bsrange=4k-256k --blockalign=4k --fsync=64
	verify buffered --ioengine=psync --bsrange=512-100k --bs_unaligned --fsync=16
	fstrim /mnt && tell fstrim good
	dd if=/dev/urandom of=/mnt/file bs=64k count=64 2>/dev/null
	sum=$(md5sum </mnt/file)
	umount /mnt
	e2fsck -fn "/dev/${scratch}1" >/tmp/fsck 2>&1 && tell fsck good
	echo 3 >/proc/sys/vm/drop_caches
	mount -t ext4 "/dev/${scratch}1" /mnt
	[ "$(md5sum </mnt/file)" = "$sum" ] && tell reread good
	umount /mnt
	tell_disk_errors '^$'
}

# What the kernel has to complain of disks, but for what was to be expected:
# tell_disk_errors REGEX
tell_disk_errors() {
	dmesg | grep -iE 'storvsc|scsi|s[dr][a-z0-9]|ext4|i/o error|blk_' |
		grep -iE 'error|warn|fail|timed out|tag#|unhandled|abort|reset|invalid|inconsist|bug' |
		grep -vE "$1" >/tmp/bad
	head -n 20 /tmp/bad
	tell disk_errors "$(wc -l </tmp/bad)"
	tell warnings "$(dmesg | grep -cE 'WARNING:|BUG:|Oops|soft lockup|hung task')"
}

# --- run-disks: the host changes disks meanwhile -----------------------------------

# fio on /mnt, again and again, until /tmp/stop is there
keep_busy() {
	rm -f /tmp/stop /tmp/bad-load
	n=0
	while [ ! -e /tmp/stop ]; do
		fio --name=load --directory=/mnt --thread --size=2m --numjobs=2 \
			--rw=randrw --verify=crc32c --verify_fatal=1 --do_verify=1 \
			--direct=1 --ioengine=libaio --iodepth=16 --bsrange=4k-64k \
			--fsync=64 --minimal >/tmp/load 2>&1 || cp /tmp/load /tmp/bad-load
		n=$((n + 1))
	done
	echo "$n" >/tmp/rounds
}

# How many verified rounds there were; says what went wrong
stop_busy() {
	touch /tmp/stop
	wait
	[ ! -e /tmp/bad-load ] || tail -n 3 /tmp/bad-load
	echo "rounds $(cat /tmp/rounds)"
}

# Say of the disks whose serial numbers begin with $1 what the first MiB is, and
# write the second
use() {
	for at in /sys/block/sd*; do
		serial=$(dd if="$at/device/vpd_pg80" bs=1 skip=4 2>/dev/null)
		case $serial in
		"$1"*)
			dd if="/dev/${at##*/}" bs=64k count=16 iflag=direct 2>/dev/null >/tmp/mib
			sum=$(sha256sum </tmp/mib)
			echo "$serial=${sum%% *}"
			dd if=/tools/usr/bin/fio of="/dev/${at##*/}" bs=64k count=16 seek=16 \
				oflag=direct 2>/dev/null
			;;
		esac
	done
}

# Write numbered records to a disk, each flushed before it is told: write_records
# DEVICE NAME BYTES
write_records() {
	i=1
	while echo "record $2 $i" | dd of="$1" bs="$3" seek=$i conv=sync,fsync 2>/dev/null; do
		tell flushed "$2 $i"
		i=$((i + 1))
	done
}

# Do what run-disks says, line by line.
disks() {
	mount_tools && until_true has_disk scratch && tell ready yes
	while read -r _ line; do
		eval "$line" >/tmp/answer 2>&1
		tell run "$(tr '\n' ' ' </tmp/answer)"
	done </dev/console
}

# --- bench/disk ----------------------------------------------------------------------

# One run, which the host sees begin and end: measure NUMBER KIB OPTION...
measure() {
	number=$1 kib=$2
	shift 2
	fio --name=x --filename="/dev/$scratch" --size=256m --direct=1 \
		--ioengine=libaio --time_based --thread \
		--runtime="$(argument kvmbus.seconds)" \
		--exec_prerun="sh -c 'echo bench: begin >/dev/console'" \
		--exec_postrun="sh -c 'echo bench: end >/dev/console'" \
		--minimal "$@" 2>/tmp/error | awk -F';' -v n="$number" -v kib="$kib" \
		'NF > 50 { print "bench: did", n, $8 + $49, int(($6 + $47) / kib) }'
	cat /tmp/error
}

bench() {
	mount_tools && until_true has_disk scratch
	scratch=$(disk_by_serial scratch)
	measure 0 4 --rw=randread --bs=4k --iodepth=32 --norandommap
	measure 1 1024 --rw=read --bs=1m --iodepth=8
	measure 2 1024 --rw=write --bs=1m --iodepth=8
	measure 3 4 --rw=randread --bs=4k --iodepth=1 --norandommap
}
