# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# l1-boot.sh - sourced by lab: boot the L1 once and say how it ended.
#
# The L1 proves that it lived to the end by the file ctl/rc.  Without it, it
# died: it panics on an oops and on a lockup, a panic or a triple fault ends
# QEMU (-no-reboot), and one that is merely stuck no longer touches ctl/alive.
# Uses lab's variables: here cpus cpu memory timeout out ctl kernel verbose.
#
# The options are set by lab; QEMU wants its commas.
# shellcheck disable=SC2154,SC2054

# After this many seconds without a sign of life the L1 is dead; long, for the
# host may be busy and a TCG machine shares its one CPU with its guests.
l1_silence=90

l1_modules='ccp irqbypass kvm kvm-amd virtio_ring virtio virtio_pci_legacy_dev?
	virtio_pci_modern_dev? virtio_pci netfs? fscache? 9pnet 9pnet_virtio 9p
	tun'
# only looked for when something asks for them
l1_spare_modules='bridge? veth? loop? nbd? overlay? vhost_net? vhost_vsock?
	8021q?'

# prepare_l1 - QEMU, kernel and initramfs, from the cache or fetched
prepare_l1() {
	local cache kernel_dir key

	qemu=$("$here/qemu")
	qemu_version=$("$qemu" --version |
		sed -nE '1s/.*version ([0-9.]+).*/\1/p')
	kernel_dir=$("$here/kernel" "$kernel")
	cache=$(lab_cache_dir)/l1
	key=$(cat "$here/l1-init" "$here/initramfs" "$here/module-order.sh" \
		"$here/l1-boot.sh" "$kernel_dir/version" \
		"$kernel_dir/lib/modules"/*/modules.dep | sha256sum)
	l1_release=$(<"$kernel_dir/version")
	l1_kernel=$cache/$l1_release.vmlinux
	l1_initrd=$cache/$l1_release-${key:0:16}.cpio.gz
	if [[ ! -e $l1_initrd || ! -e $l1_kernel ]]; then
		lab_locked "$cache/lock" make_l1 "$kernel_dir" ||
			lab_die 4 "can not make the L1's kernel and initramfs"
	fi
}

make_l1() {
	find "${l1_initrd%/*}" -type f -mtime +30 ! -name lock -delete
	[[ -e $l1_kernel ]] || "$here/vmlinux" "$1/vmlinuz" "$l1_kernel" ||
		return 1
	[[ -e $l1_initrd ]] ||
		"$here/initramfs" "$l1_initrd" --kernel-dir "$1" \
			--init "$here/l1-init" --modules "$l1_modules" \
			--spare-modules "$l1_spare_modules"
}

# announce - the one line that says what is going on
announce() {
	local why='asked for an emulated L1'

	# On a host that runs ring 0 in software no virtualisation flag shows.
	if [[ ! -w /dev/kvm ]] || ! grep -qwE 'vmx|svm' /proc/cpuinfo; then
		why='no usable /dev/kvm for Linux guests here'
	fi
	lab_say "$why; running inside an emulated L1 (QEMU-TCG $qemu_version," \
		"Debian $l1_release, $cpus CPU, $memory MiB)"
}

# qemu_command - fill the array of that name
qemu_command() {
	local append

	if [[ ! $cpu ]]; then
		# what costs a quarter of the speed under emulation, and that no
		# test needs; --cpu max has it all
		cpu=max,-la57,-smap,-smep,-umip,-pku,-erms,-fsrm
		# nested AMD-V without an XSETBV intercept: hide what needs it
		((${qemu_version%%.*} >= 8)) ||
			cpu+=,-xsave,-avx,-avx2,-fma,-f16c,-mpx,-vaes,-vpclmulqdq
	fi
	append='console=ttyS0 tsc=reliable clocksource=tsc mitigations=off'
	append+=' nmi_watchdog=0 oops=panic softlockup_panic=1 panic=-1'
	append+=' random.trust_cpu=on audit=0 loglevel=5'
	append+=' cryptomgr.notests no_timer_check'
	qemu_command=(
		"$qemu" -name kvmbus-lab -nodefaults -no-user-config
		-display none -no-reboot -machine q35
		-accel tcg,thread=multi,tb-size=1024 -cpu "$cpu"
		-smp "$cpus" -m "$memory"
		-kernel "$l1_kernel" -initrd "$l1_initrd" -append "$append"
		-chardev "file,id=console,path=${out//,/,,}/l1-console.log"
		-serial chardev:console
		-virtfs "local,path=/,security_model=none,mount_tag=root,readonly=on,multidevs=remap"
		-virtfs "local,path=${out//,/,,},security_model=none,mount_tag=results,multidevs=remap"
		-virtfs "local,path=${ctl//,/,,},security_model=none,mount_tag=ctl,multidevs=remap"
	)
}

# with_us COMMAND... - become COMMAND, which shall not outlive the lab
with_us() {
	exec {out_lock}>&-
	exec setpriv --pdeathsig KILL -- "$@"
}

# run_l1 ATTEMPT - boot and wait; sets result, and death if it died
run_l1() {
	local log=$out/l1-console.log tails=() started=$SECONDS
	local follow=(tail -c +1 -s 0.1 -f --pid)

	death=''
	[[ $1 == 0 ]] || mv "$log" "$log.$1"
	rm -f "$ctl/rc" "$ctl/alive"
	: >"$ctl/out"
	: >"$ctl/err"
	: >"$log"
	qemu_command
	[[ ! $verbose ]] || printf '%q ' "${qemu_command[@]}" $'\n' >&2
	with_us "${qemu_command[@]}" </dev/null >"$out/qemu.log" 2>&1 &
	l1_pid=$!
	with_us "${follow[@]}" "$l1_pid" "$ctl/out" &
	tails+=($!)
	with_us "${follow[@]}" "$l1_pid" "$ctl/err" >&2 &
	tails+=($!)
	if [[ $verbose ]]; then
		with_us "${follow[@]}" "$l1_pid" "$log" >&2 &
		tails+=($!)
	fi
	watch_l1 "$started"
	wait "$l1_pid" 2>/dev/null || l1_status=$?
	l1_pid=''
	wait "${tails[@]}" || true
	judge_l1 "$log"
}

# watch_l1 STARTED - until it has ended by itself, or is ended here
watch_l1() {
	local nothing alive

	l1_status=0
	exec {nothing}<> <(:)
	while kill -0 "$l1_pid" 2>/dev/null; do
		read -rt 0.1 -u "$nothing" _ || true
		if ((SECONDS - $1 >= timeout)); then
			result=124
			stop_l1
		fi
		alive=$(stat -c %Y "$ctl/alive" 2>/dev/null) || alive=''
		if ((EPOCHSECONDS - ${alive:-$EPOCHSECONDS} > l1_silence)) ||
			{ [[ ! $alive ]] && ((SECONDS - $1 > l1_silence)); }; then
			death="no sign of life for $l1_silence s"
			stop_l1
		fi
	done
	exec {nothing}>&-
}

# judge_l1 LOG - finished, out of time, or dead, and of what
judge_l1() {
	local log=$1

	if [[ -s $ctl/rc ]]; then
		result=$(<"$ctl/rc")
		death=''
	elif [[ $result == 124 ]]; then
		lab_say "timeout after $timeout s"
	elif [[ ! $death ]]; then
		death=$(grep -aoE 'Kernel panic - .*|l1-init: .*' "$log" |
			grep -avE '^l1-init: (up|exit) ' | tail -n 1 |
			tr -d '\r') || death=''
		[[ $death ]] || ((l1_status == 0)) ||
			death="QEMU ended with $l1_status: $(tail -n 1 "$out/qemu.log")"
		: "${death:=it reset without a word}"
	fi
}

# stop_l1 - end our own QEMU, and no other
stop_l1() {
	[[ $l1_pid ]] || return 0
	kill "$l1_pid" 2>/dev/null || return 0
	for _ in {1..20}; do
		kill -0 "$l1_pid" 2>/dev/null || return 0
		sleep 0.1
	done
	kill -KILL "$l1_pid" 2>/dev/null || true
}
