# SPDX-License-Identifier: MIT
# fish completion for kvmbus

set -l profiles ws2012 ws2012r2 ws2016 ws2019 ws2022 ws2025
set -l milestones guest_os_id hypercall_page reference_tsc synic stimer \
    vmbus_contact vmbus_offers storvsc_open storvsc_io netvsc_open \
    netvsc_link netvsc_rx netvsc_tx ic_heartbeat ic_timesync ic_shutdown \
    ic_kvp ic_vss ic_fcopy balloon keyboard mouse video hvsock vpci unload \
    poweroff

complete -c kvmbus -f
complete -c kvmbus -n __fish_use_subcommand -a run -d 'boot a guest'
complete -c kvmbus -n __fish_use_subcommand -a check -d 'what of a domain is honoured'
complete -c kvmbus -n __fish_use_subcommand -a report -d 'show or compare reports'
complete -c kvmbus -n __fish_use_subcommand -a matrix -d 'many runs'
complete -c kvmbus -n '__fish_seen_subcommand_from matrix' -F
complete -c kvmbus -n __fish_use_subcommand -a doctor -d 'can this host run it'
complete -c kvmbus -n __fish_use_subcommand -a profiles -d 'Windows Server versions'
complete -c kvmbus -n __fish_use_subcommand -a faults -d 'what the host can do wrong'
complete -c kvmbus -n __fish_use_subcommand -a ctl -d 'talk to a running guest'
complete -c kvmbus -n __fish_use_subcommand -a findings -d 'the rules of guest conduct'
complete -c kvmbus -n __fish_use_subcommand -l version -d 'print the version'
complete -c kvmbus -l help -d 'print the commands and options'
complete -c kvmbus -n '__fish_seen_subcommand_from profiles' -a "$profiles"

complete -c kvmbus -n '__fish_seen_subcommand_from report; and test (count (commandline -opc)) -eq 2' \
    -a 'show diff junit tap html'
complete -c kvmbus -n '__fish_seen_subcommand_from report; and test (count (commandline -opc)) -gt 2' -F
complete -c kvmbus -n '__fish_seen_subcommand_from faults' \
    -a "(kvmbus faults | string match -rg '^  ([a-z.-]+) ')"

# kvmbus ctl SOCKET COMMAND
complete -c kvmbus -n '__fish_seen_subcommand_from ctl; and test (count (commandline -opc)) -eq 2' -F
complete -c kvmbus -n '__fish_seen_subcommand_from ctl; and test (count (commandline -opc)) -eq 3' \
    -a "(kvmbus ctl 2>&1 | string match -rg '^  ([a-z-]+) ')"

function __kvmbus_run
    complete -c kvmbus -n '__fish_seen_subcommand_from run' $argv
end
__kvmbus_run -l kernel -r -F -d 'what to boot'
__kvmbus_run -l initrd -r -F -d 'initial RAM disk'
__kvmbus_run -l append -x -d 'kernel command line'
__kvmbus_run -l rootfs -r -F -d 'files of a guest that runs a command'
__kvmbus_run -l modules -x -d 'kernel modules to load'
__kvmbus_run -l without-module -x -d 'leave this one out'
__kvmbus_run -s v -l verbose -d 'the console with a command, what of a domain is ignored'
__kvmbus_run -l memory -x -d 'guest memory in MiB'
__kvmbus_run -l memory-backing -x -a '(__fish_append , hugepages locked immediate)' -d 'how the host provides it'
__kvmbus_run -l vcpus -x -d 'virtual processors'
__kvmbus_run -l cpu -x -d 'what the processors have'
__kvmbus_run -l disk -r -F -d 'a disk'
__kvmbus_run -l net -x -a 'user tap bridge socket null none' -d 'a network card'
__kvmbus_run -l pcap -r -F -d 'capture what a card sends and gets'
__kvmbus_run -l profile -x -a "$profiles" -d 'Windows Server to imitate'
__kvmbus_run -l hyperv -x -d 'enlightenments'
__kvmbus_run -l uuid -x -d 'UUID of the machine'
__kvmbus_run -l timeout -x -d 'end the run after that long'
__kvmbus_run -l clock -x -a 'utc localtime timezone= start=' -d 'the clock of the machine'
__kvmbus_run -l time-sync -x -d 'have the guest set its clock that often'
__kvmbus_run -l throttle -x -d 'slow down channels that signal for nothing so often'
__kvmbus_run -l events -r -F -d 'write what happens, as it does'
__kvmbus_run -l pidfile -r -F -d 'say there which process it is'
__kvmbus_run -l control -r -F -d 'listen there for kvmbus ctl'
__kvmbus_run -l hvsock -r -F -d 'connect AF_VSOCK to sockets there'
__kvmbus_run -l report -r -F -d 'write what the guest did'
__kvmbus_run -l trace -x -a '(__fish_append , vmbus hypercall msr synic stimer ring storvsc scsi netvsc frames ic hvsock control fault all)' -d 'write what happens'
__kvmbus_run -l trace-file -r -F -d 'where to'
__kvmbus_run -l trace-format -x -a 'text json' -d 'text or JSON'
__kvmbus_run -l flight -x -d 'how much a bad end prints'
__kvmbus_run -l junit -r -F -d 'write the verdict as JUnit XML'
__kvmbus_run -l tap -r -F -d 'write the verdict as TAP'
__kvmbus_run -l summary -d 'say what the guest used'
__kvmbus_run -l require -x -a "(__fish_append , $milestones)" -d 'milestones to reach'
__kvmbus_run -l fault -x -d 'have the host do something wrong'
__kvmbus_run -l fault-file -r -F -d 'the same, of a file'
__kvmbus_run -l scenario -x -a "(kvmbus faults | string match -rg '^  ([a-z]+-[a-z-]+) ')" -d 'the same, of the library'
__kvmbus_run -l fault-seed -x -d 'what random ones are drawn from'
__kvmbus_run -l vmbus -x -a '2.4 3.0 4.0 4.1 5.0 5.1 5.2 5.3 6.0' -d 'newest version of VMbus'
__kvmbus_run -l without -x -a '(__fish_append , heartbeat timesync shutdown kvp vss fcopy keyboard mouse balloon)' -d 'devices that it does not have'
__kvmbus_run -l smbios -x -d 'what it says of itself'
__kvmbus_run -l genid -x -d 'VM generation ID'
__kvmbus_run -l serial -x -a 'stdio pty file= unix= tcp= pipe= dev= fd= null' -d 'what a serial port is plugged into'
__kvmbus_run -l ignore-msrs -d 'registers that nobody knows read as 0'
__kvmbus_run -l on-poweroff -x -a 'destroy restart preserve' -d 'what a power-off does'
__kvmbus_run -l on-reboot -x -a 'destroy restart preserve' -d 'what a reboot does'
__kvmbus_run -l on-crash -x -a 'destroy restart preserve coredump-destroy coredump-restart' -d 'what a crash does'
__kvmbus_run -l dump-dir -r -d 'where memory of crashed guests goes'
__kvmbus_run -l numa-srat -d 'describe memory in a SRAT'
__kvmbus_run -l accel -x -a 'auto user kvm' -d 'where Hyper-V is emulated'
__kvmbus_run -l test-devices -d 'add what test images expect'
__kvmbus_run -l print-config -d 'print the machine and exit'
__kvmbus_run -l log -x -a 'error warn info debug' -d 'how much to say'
functions -e __kvmbus_run

# Both take a domain.
complete -c kvmbus -n '__fish_seen_subcommand_from run check' -l strict -d 'refuse what would be ignored'
complete -c kvmbus -n '__fish_seen_subcommand_from run check' -x -l connect -a 'qemu:///system qemu:///session' -d 'ask this libvirt'
complete -c kvmbus -n '__fish_seen_subcommand_from run check' -x -l domain -d 'a domain of libvirt'
complete -c kvmbus -n '__fish_seen_subcommand_from run check' -x -l map-disk -d 'a disk of a Hyper-V'
complete -c kvmbus -n '__fish_seen_subcommand_from run check' -x -l map-bridge -d 'a switch or network'
complete -c kvmbus -n '__fish_seen_subcommand_from run check' -k -a '(__fish_complete_suffix .xml)'
complete -c kvmbus -n '__fish_seen_subcommand_from check' -l json -d 'print JSON'
