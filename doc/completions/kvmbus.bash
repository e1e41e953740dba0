# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# bash completion for kvmbus

# __kvmbus_list PREFIX WORD...: the words that go on from the last comma
__kvmbus_list()
{
	local done='' word=$1
	shift

	if [[ $word == *,* ]]; then
		done=${word%,*},
		word=${word##*,}
	fi
	mapfile -t COMPREPLY < <(compgen -P "$done" -W "$*" -- "$word")
	compopt -o nospace 2>/dev/null
}

# __kvmbus_domains WORD: files that may be a domain, and folders
__kvmbus_domains()
{
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -X '!*.xml' -- "$1"; compgen -d -- "$1")
}

# __kvmbus_faults TITLE: the names below it that `kvmbus faults` prints
__kvmbus_faults()
{
	kvmbus faults 2>/dev/null | sed -n "/^$1/,/^\$/s/^  \([a-z.-]*\) .*/\1/p"
}

_kvmbus()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local verbs='run report matrix check doctor profiles faults findings ctl --help --version'
	local profiles='ws2012 ws2012r2 ws2016 ws2019 ws2022 ws2025'
	local options='--kernel --initrd --append --rootfs --modules --without-module --verbose --memory --vcpus --cpu --disk --net --pcap --profile
		--hyperv --uuid --timeout --control --hvsock --clock --time-sync --throttle --report --junit --tap --summary --require --numa-srat
		--vmbus --without --smbios --genid --serial --memory-backing --ignore-msrs --on-poweroff --on-reboot --on-crash --dump-dir
		--events --pidfile --trace --trace-file --trace-format --flight
		--fault --fault-file --scenario --fault-seed
		--accel --test-devices --print-config --log --help'
	local shared='--strict --connect --domain --map-disk --map-bridge'
	local milestones='guest_os_id hypercall_page reference_tsc synic stimer
		vmbus_contact vmbus_offers storvsc_open storvsc_io netvsc_open
		netvsc_link netvsc_rx netvsc_tx ic_heartbeat ic_timesync
		ic_shutdown ic_kvp ic_vss ic_fcopy balloon keyboard mouse video
		hvsock vpci unload poweroff'
	local choices=''

	COMPREPLY=()
	# Bash makes words of their own of --profile, = and what follows.
	if [[ $word == '=' ]]; then
		word=
	elif [[ $before == '=' ]]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$word")
		return
	fi
	case ${COMP_WORDS[1]} in
	profiles) choices=$profiles ;;
	matrix)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	report)
		if ((COMP_CWORD > 2)); then
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
			return
		fi
		choices='show diff junit tap html'
		;;
	faults) choices="$(__kvmbus_faults Points) $(__kvmbus_faults Scenarios)" ;;
	ctl)
		if ((COMP_CWORD == 2)); then
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
			return
		fi
		((COMP_CWORD == 3)) || return 0
		choices=$(kvmbus ctl 2>&1 | sed -n 's/^  \([a-z-]*\) .*/\1/p')
		;;
	run)
		case $before in
		--kernel | --initrd | --rootfs | --disk | --pcap | --events | --control | --pidfile | --hvsock | --report | --junit | --tap | --trace-file | --fault-file | --dump-dir)
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
			return
			;;
		--require)
			__kvmbus_list "$word" "$milestones"
			return
			;;
		--memory-backing)
			__kvmbus_list "$word" hugepages locked immediate
			return
			;;
		--without)
			__kvmbus_list "$word" heartbeat timesync shutdown kvp vss fcopy keyboard mouse balloon
			return
			;;
		--trace)
			__kvmbus_list "$word" vmbus hypercall msr synic stimer ring storvsc \
				netvsc frames ic hvsock control fault all
			return
			;;
		--log)
			__kvmbus_list "$word" error warn info debug
			return
			;;
		--append | --modules | --without-module | --memory | --vcpus | --cpu | --hyperv | --smbios | --genid | --uuid | --timeout | --time-sync | --throttle | --flight | --fault | --fault-seed) return ;;
		--scenario) choices=$(__kvmbus_faults Scenarios) ;;
		--profile) choices=$profiles ;;
		--net) choices='user tap bridge socket null none' ;;
		--clock) choices='utc localtime timezone= start=' ;;
		--on-poweroff | --on-reboot) choices='destroy restart preserve' ;;
		--on-crash) choices='destroy restart preserve coredump-destroy coredump-restart' ;;
		--trace-format) choices='text json' ;;
		--serial) choices='stdio pty file= unix= tcp= pipe= dev= fd= null' ;;
		--vmbus) choices='2.4 3.0 4.0 4.1 5.0 5.1 5.2 5.3 6.0' ;;
		--accel) choices='auto user kvm' ;;
		--map-disk | --map-bridge | --connect | --domain) return ;;
		*)
			[[ $word == -* ]] || __kvmbus_domains "$word"
			choices="$options $shared"
			;;
		esac
		;;
	check)
		case $before in
		--map-disk | --map-bridge | --connect | --domain) return ;;
		esac
		[[ $word == -* ]] || __kvmbus_domains "$word"
		choices="$shared --json --help"
		;;
	esac
	mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY \
		< <(compgen -W "$choices" -- "$word")
}

complete -F _kvmbus kvmbus
