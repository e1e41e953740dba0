# SPDX-License-Identifier: MIT
"""full - configs/linux-full.xml in the lab: what it wants of the host,
and a check for each of its elements and attributes

Of the file only paths are changed, which are in the folder of the run; and the
ports of the host are as free as it wants them, in a network namespace.
"""
import json
import pathlib
import re
import socket
import subprocess
import time

from domain.running import (MIB, at_the_end, bursts, cpuid_bit, cpuid_is,
                            echo_at, guest, host, on_vmbus, says, sees,
                            sees_file, within)
from linux_guest import Failed, echo_through, expect

CONFIGS = pathlib.Path(__file__).resolve().parents[3] / "configs"
XML = CONFIGS / "linux-full.xml"
UUID = "9d2c5f4a-0c64-4d6e-a1b5-3f2a58c6d701"
MAC = "52:54:00:01:02:03"
DMI = "/sys/class/dmi/id"
ROOT, DATA = "$(disk_of ROOT-1)", "$(disk_at_ide)"
DATA_BYTES = 24 * MIB
DHCP = f"lease $(card_of {MAC})"
O_DIRECT, O_RDWR = 0o40000, 0o2


def prepare(folder, images, kernel, initramfs):
    """The images and the XML; its path."""
    tree = folder / "tree"
    tree.mkdir()
    subprocess.run(f"gzip -dc {initramfs} | cpio --quiet -id "
                   "--no-absolute-filenames", shell=True, cwd=tree, check=True)
    (tree / "sbin" / "init").unlink(missing_ok=True)
    (tree / "sbin" / "init").symlink_to("/guest-domain.sh")
    raw = folder / "root.raw"
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-L", "root", "-d", tree,
                    raw, "96m"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", raw,
                    images / "root.qcow2"], check=True)
    raw.unlink()
    with open(images / "data.img", "wb") as image:
        image.write(b"kvmbus-data" * 100)
        image.truncate(DATA_BYTES)
    (images / "vmlinuz").symlink_to(f"{kernel}/vmlinuz")
    (images / "initrd.img").symlink_to(initramfs)
    text = XML.read_text(encoding="utf-8")
    text = re.sub(r"(?<=['>])/tmp/", f"{folder}/", text)
    text = text.replace("/var/lib/kvmbus/", f"{images}/")
    (folder / "full.xml").write_text(text, encoding="utf-8")
    return folder / "full.xml"


def options(_folder):
    return []


# --- memory and processors ---------------------------------------------------

@guest
def starts_with_1024_mib(domain):
    within("MiB", int(domain.run(
        "awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo")), 900, 1024)


@guest
def can_have_1536_mib(domain):
    """What is missing is added, and the guest has it."""
    total = "awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo"
    before = int(domain.run(total))
    domain.until("memory can be added",
                 lambda: domain.asks("memory-add")["ready"])
    expect("room", domain.asks("memory-add")["room_mib"], 512)
    domain.run("echo online >/sys/devices/system/memory/auto_online_blocks")
    domain.ctl("memory-add", "128")
    domain.until("it is there", lambda: int(domain.run(total)) > before + 120)


@host
def is_there_at_once(domain):
    within("resident MiB", domain.resident_at_start // 1024, 1000, 2000)


@host
def is_anonymous(domain):
    head = domain.ram()["head"]
    expect("file of the memory", head[5:], [])
    expect("its inode", head[4], "0")


@host
def is_private(domain):
    expect("rights", domain.ram()["head"][1], "rw-p")


@host
def is_not_merged(domain):
    if "mg" in domain.ram()["VmFlags"].split():
        raise Failed("it may be merged: VmFlags has mg")


def topology(command, wanted):
    return sees("cd /sys/devices/system/cpu && cat " + command, wanted)


SOCKETS = topology("cpu*/topology/physical_package_id | sort -u | wc -l", "2")
DIES = sees("for cpu in /sys/devices/system/cpu/cpu[0-9]*/topology; do "
            "echo $(cat $cpu/physical_package_id $cpu/die_id); done | "
            "sort -u | wc -l", "2")
CORES = sees("for cpu in /sys/devices/system/cpu/cpu[0-9]*/topology; do "
             "echo $(cat $cpu/physical_package_id $cpu/core_id); done | "
             "sort -u | wc -l", "4")
THREADS = topology("cpu0/topology/thread_siblings_list "
                   "cpu5/topology/thread_siblings_list", "0-1\n4-5")


@guest
def is_the_hosts_processor(domain):
    command = "grep -m 1 '^model name' /proc/cpuinfo"
    expect("model name", domain.run(command), subprocess.run(
        command, shell=True, capture_output=True, text=True,
        check=True).stdout.strip())


# --- what is booted, and when ------------------------------------------------

@guest
def has_this_generation_id(domain):
    """Where ACPI says that it is: MS, "Virtual Machine Generation ID"."""
    table = bytes.fromhex(domain.run(
        "cat /sys/firmware/acpi/tables/SSDT* | od -An -v -tx1 | tr -d ' \\n'"))
    at = table.index(b"ADDR") + 4
    expect("VMGENCTR", b"VMGENCTR" in table, True)
    number = re.match(rb"\x12.\x02(?:\x0b(..)|\x0c(....)|\x0e(.{8}))",
                      table[at:], re.S)
    address = int.from_bytes(next(n for n in number.groups() if n), "little")
    expect("the id there", domain.run(f"/cpu-facts memory {address:#x}"),
           "3d2c1b0a5f4e71608293a4b5c6d7e8f9")


def rtc_shows(seconds_of):
    """The RTC has this, give or take what a slow guest needs to say so."""
    @guest
    def check(domain):
        got = int(domain.run("cat /sys/class/rtc/rtc0/since_epoch"))
        within("seconds off", got - seconds_of(domain), -5, 5)
    return check


A_HOUR_LATE = rtc_shows(lambda domain: int(time.time()) - 3600)


# --- disks -------------------------------------------------------------------

def root(file, wanted):
    return sees(f"cat /sys/block/{ROOT}/{file}", wanted)


def took(domain, command):
    return int(domain.run(f"took {command}")) / 1000


@guest
def counts_large_operations(domain):
    """Writes of 64 KiB are 16 operations, of 500 a second."""
    write = "dd if=/dev/zero of=/some bs=64k count=128 oflag=direct"
    seconds = took(domain, write)
    domain.run("rm /some")
    within("writes a second", 128 / seconds, 15, 40)


@guest
def does_not_wait_for_another(domain):
    """The disk beside it has no limit."""
    seconds = took(domain, f"dd if=/dev/{DATA} of=/dev/null bs=64k iflag=direct")
    within("MiB/s", DATA_BYTES / MIB / seconds, 2.3, 1e6)


@host
def goes_around_the_page_cache(domain):
    expect("O_DIRECT", domain.open_as(domain.images / "root.qcow2") & O_DIRECT,
           O_DIRECT)


def served_with(word):
    @host
    def check(domain):
        if word not in domain.servers():
            raise Failed(f"no {word} in: {domain.servers()}")
    return check


@host
def throws_away(domain):
    """The guest writes, but not to the image."""
    expect("word", domain.run("echo word >/word; sync; cat /word"), "word")
    expect("O_RDWR", domain.open_as(domain.images / "root.qcow2") & O_RDWR, 0)


@host
def others_may_write(domain):
    """A program that heeds QEMU's locks may open it for writing."""
    subprocess.run(["qemu-io", "-f", "raw", "-c", "write -P 1 65536 512",
                    domain.images / "data.img"], check=True,
                   stdout=subprocess.DEVNULL)


# --- cards -------------------------------------------------------------------

def echoes(port, inside):
    """What comes to a port of the host gets to the guest's."""
    @guest
    def check(domain):
        domain.fact(DHCP)
        domain.run(f"nc -ll -p {inside} -e cat >/dev/null 2>&1 </dev/null &")
        echo_at(port)
    return check


@guest
def forwards_all_of_the_range(domain):
    for port in (8000, 8001, 8002):
        echoes(port, port)(domain)


@host
def forwards_from_this_address_only(domain):
    said = subprocess.run(["ss", "-Hltn"], text=True, capture_output=True,
                          check=True).stdout
    expect("listens at", re.findall(r"(\S+):2222\s", said), ["127.0.0.1"])


# --- other devices -----------------------------------------------------------

@guest
def second_port_is_a_socket(domain):
    with socket.socket(socket.AF_UNIX) as port:
        port.settimeout(60)
        port.connect(str(domain.folder / "linux-full.serial"))
        domain.run("echo from the guest >/dev/ttyS1")
        expect("ttyS1", port.recv(100).strip(), b"from the guest")


@guest
def takes_connections(domain):
    domain.run("/vsock-echo listen 4000 >/tmp/vsock 2>&1 </dev/null &")
    domain.until("it listens", lambda: "listening" in domain.run(
        "cat /tmp/vsock"))
    echo_through(str(domain.folder / "linux-full.vsock"), 4000, b"0123" * 100)


@host
def has_two_controllers(domain):
    expect("disks", [domain.device(name) and name for name in
                     ("scsi0", "ide0")], ["scsi0", "ide0"])


@host
def polls(domain):
    expect("poll_ns", domain.device("net0")["channel"]["poll_ns"], 50000)


@guest
@at_the_end
def ends_when_powered_off(domain):
    """And with it, what it wrote to a disk that forgets."""
    domain.say("run poweroff -f")
    expect("exit code", domain.vm.wait(timeout=60), 0)
    said = json.loads(domain.report.read_text(encoding="utf-8"))
    expect("outcome", said["outcome"]["kind"], "poweroff")
    expect("resets", said["guest"]["resets"], 0)


FLAG = "grep -m 1 '^flags' /proc/cpuinfo | tr ' ' '\\n' | grep -cx "
NET0 = sees(f"card_of {MAC}", re.compile("^eth"))
ROOT_THERE = sees(f"cat /sys/block/{ROOT}/device/vendor", "ACME")
DATA_THERE = sees(f"head -c 11 /dev/{DATA}", "kvmbus-data")
CUSTOM = cpuid_bit(0x40000004, "A", 14, False)
TWO_LEVELS = re.compile(r"^1$")


def words(command, *wanted):
    return sees(command, "\n".join(wanted))


MACHINE = {
    "domain": sees("dmesg | grep -c 'Hypervisor detected: Microsoft Hyper-V'",
                   "1"),
    "domain@type": sees("dmesg | grep -c 'Hypervisor detected: Microsoft "
                        "Hyper-V'", "1"),
    "name": host(lambda domain: expect("name", domain.config["name"],
                                       "linux-full")),
    "uuid": sees_file(f"{DMI}/product_uuid", UUID),
    "genid": has_this_generation_id,
    "metadata": cpuid_is(0x40000002, "A", 17763),
    "currentMemory": starts_with_1024_mib,
    "currentMemory@unit": starts_with_1024_mib,
    "memory": can_have_1536_mib,
    "memory@unit": can_have_1536_mib,
    "memoryBacking": is_there_at_once,
    "memoryBacking/nosharepages": is_not_merged,
    "memoryBacking/source": is_anonymous,
    "memoryBacking/source@type": is_anonymous,
    "memoryBacking/access": is_private,
    "memoryBacking/access@mode": is_private,
    "memoryBacking/allocation": is_there_at_once,
    "memoryBacking/allocation@mode": is_there_at_once,
    "vcpu": sees("grep -c ^processor /proc/cpuinfo", "8"),
    "cpu": is_the_hosts_processor,
    "cpu@mode": is_the_hosts_processor,
    "cpu/topology": SOCKETS,
    "cpu/topology@sockets": SOCKETS,
    "cpu/topology@dies": DIES,
    "cpu/topology@cores": CORES,
    "cpu/topology@threads": THREADS,
    "cpu/feature": sees(FLAG + "avx2", "0"),
    "cpu/feature@name": sees(FLAG + "cx16", "1"),
    "cpu/feature@policy": sees(FLAG + "avx2", "0"),
    "cpu/maxphysaddr": sees("grep -m 1 '^address sizes' /proc/cpuinfo",
                            re.compile(": 40 bits physical")),
    "cpu/maxphysaddr@mode": cpuid_is(0x80000008, "A", 40, 0xFF),
    "cpu/maxphysaddr@bits": cpuid_is(0x80000008, "A", 40, 0xFF),
    "on_poweroff": ends_when_powered_off,
    "os": sees_file("/proc/cmdline", "console=ttyS0 root=LABEL=root"),
    "os/type": sees("test -d /sys/firmware/acpi && uname -s", "Linux"),
    "os/type@arch": sees("uname -m", "x86_64"),
    "os/kernel": guest(lambda domain: expect("uname -r", domain.run(
        "uname -r"), pathlib.Path(domain.images / "vmlinuz").resolve()
        .with_name("version").read_text(encoding="ascii").strip())),
    "os/initrd": sees("dmesg | grep -c 'Trying to unpack rootfs image as "
                      "initramfs'", "1"),
    "os/cmdline": sees_file("/proc/cmdline", "console=ttyS0 root=LABEL=root"),
    "os/smbios": sees_file(f"{DMI}/sys_vendor", "ACME"),
    "os/smbios@mode": sees_file(f"{DMI}/sys_vendor", "ACME"),
    "sysinfo": sees_file(f"{DMI}/product_name", "Anvil"),
    "sysinfo@type": sees_file(f"{DMI}/product_name", "Anvil"),
    "sysinfo/bios": sees_file(f"{DMI}/bios_vendor", "ACME"),
    "sysinfo/bios/entry": sees_file(f"{DMI}/bios_vendor", "ACME"),
    "sysinfo/bios/entry@name": sees_file(f"{DMI}/bios_date", "01/02/2023"),
    "sysinfo/system": sees_file(f"{DMI}/sys_vendor", "ACME"),
    "sysinfo/system/entry": sees_file(f"{DMI}/product_name", "Anvil"),
    "sysinfo/system/entry@name": sees_file(f"{DMI}/product_uuid", UUID),
    "sysinfo/baseBoard": sees_file(f"{DMI}/board_serial", "B-1"),
    "sysinfo/baseBoard/entry": sees_file(f"{DMI}/board_serial", "B-1"),
    "sysinfo/baseBoard/entry@name": sees_file(f"{DMI}/board_serial", "B-1"),
    "sysinfo/chassis": sees_file(f"{DMI}/chassis_asset_tag", "C-1"),
    "sysinfo/chassis/entry": sees_file(f"{DMI}/chassis_asset_tag", "C-1"),
    "sysinfo/chassis/entry@name": sees_file(f"{DMI}/chassis_asset_tag", "C-1"),
    "sysinfo/oemStrings": sees(
        "tr '\\0' '\\n' </sys/firmware/dmi/tables/DMI | grep -xc second", "1"),
    "sysinfo/oemStrings/entry": sees(
        "tr '\\0' '\\n' </sys/firmware/dmi/tables/DMI | grep -c 'first$'",
        "1"),
}

FEATURES = {
    "features": sees(FLAG + "hypervisor", "1"),
    "features/acpi": sees("head -c 4 /sys/firmware/acpi/tables/FACP", "FACP"),
    "features/apic": sees(FLAG + "apic", "1"),
    "features/pae": sees(FLAG + "pae", "1"),
    "features/kvm": cpuid_is(0x40000100, "B", 0),
    "features/kvm/hidden": cpuid_is(0x40000100, "B", 0),
    "features/kvm/hidden@state": cpuid_is(0x40000100, "B", 0),
    "features/ioapic": sees("grep -cE 'IO-APIC.*(acpi|rtc0|ttyS)' "
                            "/proc/interrupts", re.compile("^[1-9]")),
    "features/ioapic@driver": sees("grep -cE 'IO-APIC.*(acpi|rtc0|ttyS)' "
                                   "/proc/interrupts", re.compile("^[1-9]")),
    "features/msrs": sees("/cpu-facts msr 0x5f000", "refused"),
    "features/msrs@unknown": sees("/cpu-facts msr 0x5f000", "refused"),
    "pm": sees("dmesg | grep -o 'ACPI: PM: (supports .*'",
               "ACPI: PM: (supports S0 S5)"),
    "clock": A_HOUR_LATE,
    "clock@offset": A_HOUR_LATE,
    "clock@adjustment": A_HOUR_LATE,
    "clock@basis": A_HOUR_LATE,
    "clock/timer": cpuid_bit(0x40000003, "A", 9),
    "clock/timer@name": sees(
        "cat /sys/devices/system/clocksource/clocksource0/current_clocksource",
        "hyperv_clocksource_tsc_page"),
    "clock/timer@present": sees(
        "grep -cE 'hpet|kvm-clock' "
        "/sys/devices/system/clocksource/clocksource0/available_clocksource; "
        "ls /sys/firmware/acpi/tables | grep -c HPET", "0\n0"),
    "clock/timer@mode": sees(FLAG + "tsc", "1"),
    **{f"pm/suspend-to-{where}{attribute}":
       sees("dmesg | grep -o 'ACPI: PM: (supports .*'",
            "ACPI: PM: (supports S0 S5)")
       for where in ("mem", "disk") for attribute in ("", "@enabled")},
}

# Where each enlightenment is in CPUID: TLFS "Feature and Interface Discovery",
# and, of those that QEMU has names for, its docs/system/i386/hyperv.rst
BITS = {
    "relaxed": (0x40000004, "A", 5), "vapic": (0x40000003, "A", 4),
    "vpindex": (0x40000003, "A", 6), "runtime": (0x40000003, "A", 0),
    "synic": (0x40000003, "A", 2), "stimer": (0x40000003, "A", 3),
    "stimer/direct": (0x40000003, "D", 19), "reset": (0x40000003, "A", 7),
    "frequencies": (0x40000003, "A", 11),
    "reenlightenment": (0x40000003, "A", 13),
    "tlbflush": (0x40000004, "A", 2),
    "tlbflush/extended": (0x40000003, "D", 14),
    "ipi": (0x40000004, "A", 10), "avic": (0x40000004, "A", 9),
    "xmm_input": (0x40000003, "D", 4),
    # of nested guests
    "evmcs": (0x40000004, "A", 14), "tlbflush/direct": (0x4000000A, "A", 17),
    "emsr_bitmap": (0x4000000A, "A", 19),
}
NESTED = ("evmcs", "tlbflush/direct", "emsr_bitmap")

HYPERV = {
    "features/hyperv": CUSTOM,
    "features/hyperv@mode": CUSTOM,
    **{f"features/hyperv/{name}{attribute}":
       cpuid_bit(*bit, on=name not in NESTED)
       for name, bit in BITS.items() for attribute in ("", "@state")},
    "features/hyperv/spinlocks": cpuid_is(0x40000004, "B", 8191),
    "features/hyperv/spinlocks@state": cpuid_is(0x40000004, "B", 8191),
    "features/hyperv/spinlocks@retries": cpuid_is(0x40000004, "B", 8191),
    "features/hyperv/vendor_id": cpuid_is(0x40000000, "B", 0x7263694D),
    "features/hyperv/vendor_id@state": cpuid_is(0x40000000, "C", 0x666F736F),
    "features/hyperv/vendor_id@value": cpuid_is(0x40000000, "D", 0x76482074),
}

# 1 MiB/s, and 2 until 10 MiB more have gone
READS_IN_BURSTS = bursts("if", "ROOT-1", "64k", 64, pieces=8)
BURST = ("read_bytes_sec", "read_bytes_sec_max", "read_bytes_sec_max_length")
DISKS = {
    "devices/controller": on_vmbus("scsi"),
    "devices/controller@type": on_vmbus("ide"),
    "devices/controller@index": has_two_controllers,
    "devices/controller@model": on_vmbus("scsi"),
    "devices/disk": ROOT_THERE,
    "devices/disk@type": DATA_THERE,
    "devices/disk@device": sees("cat /sys/block/sr0/device/type", "5"),
    "devices/disk/driver": ROOT_THERE,
    "devices/disk/driver@type": sees("grep -c ' / ext4' /proc/mounts", "1"),
    "devices/disk/driver@cache": goes_around_the_page_cache,
    "devices/disk/driver@io": served_with("--aio=io_uring"),
    "devices/disk/driver@discard": sees(
        f"test $(cat /sys/block/{ROOT}/queue/discard_max_bytes) -gt 0 && "
        f"cat /sys/block/{DATA}/queue/discard_max_bytes", re.compile(r"^\d")),
    "devices/disk/driver@detect_zeroes": served_with("detect-zeroes=unmap"),
    "devices/disk/source": DATA_THERE,
    "devices/disk/source@file": DATA_THERE,
    "devices/disk/target": sees(f"readlink /sys/block/{ROOT}/device",
                                re.compile(r":0:0:5$")),
    "devices/disk/target@dev": on_vmbus("ide"),
    "devices/disk/target@bus": on_vmbus("ide"),
    "devices/disk/transient": throws_away,
    "devices/disk/serial": sees(f"echo {ROOT}", re.compile("^sd")),
    "devices/disk/wwn": root("device/wwid", "naa.5000c50015ea71aa"),
    "devices/disk/vendor": root("device/vendor", "ACME"),
    "devices/disk/product": root("device/model", "Anvil"),
    "devices/disk/iotune": does_not_wait_for_another,
    **{f"devices/disk/iotune/{name}": READS_IN_BURSTS for name in BURST},
    "devices/disk/iotune/total_iops_sec": counts_large_operations,
    "devices/disk/iotune/size_iops_sec": counts_large_operations,
    "devices/disk/blockio": root("queue/logical_block_size", "512"),
    "devices/disk/blockio@logical_block_size":
        root("queue/logical_block_size", "512"),
    **{f"devices/disk/address{part}": sees(
        f"readlink /sys/block/{ROOT}/device", re.compile(r":0:0:5$"))
       for part in ("", "@type", "@controller", "@bus", "@target", "@unit")},
    "devices/disk/readonly": sees(f"cat /sys/block/{DATA}/ro", "1"),
    "devices/disk/shareable": others_may_write,
}

CARDS = {
    "devices/interface": NET0,
    "devices/interface@type": on_vmbus("net", 2),
    "devices/interface/mac": NET0,
    "devices/interface/mac@address": NET0,
    "devices/interface/model": sees(
        f"basename $(readlink /sys/class/net/$(card_of {MAC})/device/driver)",
        "hv_netvsc"),
    "devices/interface/model@type": sees(
        f"basename $(readlink /sys/class/net/$(card_of {MAC})/device/driver)",
        "hv_netvsc"),
    "devices/interface/mtu": sees(
        f"cat /sys/class/net/$(card_of {MAC})/mtu", "1400"),
    "devices/interface/mtu@size": sees(
        f"cat /sys/class/net/$(card_of {MAC})/mtu", "1400"),
    **{f"devices/interface/ip{part}": sees(DHCP, re.compile(
        r"^10\.9\.\d+\.\d+/(16|255\.255\.0\.0) "))
       for part in ("", "@family", "@address", "@prefix")},
    "devices/interface/portForward": echoes(2222, 22),
    "devices/interface/portForward@proto": echoes(2222, 22),
    "devices/interface/portForward@address": forwards_from_this_address_only,
    "devices/interface/portForward/range": forwards_all_of_the_range,
    "devices/interface/portForward/range@start": forwards_all_of_the_range,
    "devices/interface/portForward/range@end": forwards_all_of_the_range,
    "devices/interface/portForward/range@to": echoes(2222, 22),
    "devices/interface/alias": says("linux-full.pcapng",
                                    bytes.fromhex(MAC.replace(":", ""))),
    "devices/interface/alias@name": says("linux-full.pcapng",
                                         bytes.fromhex(MAC.replace(":", ""))),
    "devices/interface/driver": sees(
        "ls -d /sys/class/net/*/queues/rx-1 | wc -l", TWO_LEVELS),
    "devices/interface/driver@queues": sees(
        "ls -d /sys/class/net/*/queues/rx-1 | wc -l", TWO_LEVELS),
}

OTHERS = {
    "devices": sees("ls /sys/bus/vmbus/devices | wc -l",
                    re.compile("^[1-9][0-9]?$")),
    "devices/serial": second_port_is_a_socket,
    "devices/serial@type": second_port_is_a_socket,
    "devices/serial/source": second_port_is_a_socket,
    "devices/serial/source@mode": second_port_is_a_socket,
    "devices/serial/source@path": second_port_is_a_socket,
    "devices/serial/target": second_port_is_a_socket,
    "devices/serial/target@port": second_port_is_a_socket,
    "devices/serial/target@type": sees(
        "cat /sys/class/tty/ttyS1/io_type /sys/class/tty/ttyS1/port",
        re.compile("0\n0x2F8", re.I)),
    "devices/serial/log": says("linux-full.log", b"kvmbus-test: ready=yes"),
    "devices/serial/log@file": says("linux-full.log",
                                    b"kvmbus-test: ready=yes"),
    "devices/serial/log@append": says("linux-full.log", b"Linux version"),
    "devices/input": on_vmbus("keyboard"),
    "devices/input@type": on_vmbus("mouse"),
    "devices/memballoon": on_vmbus("balloon"),
    "devices/memballoon@model": on_vmbus("balloon"),
    "devices/vsock": takes_connections,
    "devices/vsock@model": takes_connections,
    "devices/panic": cpuid_bit(0x40000003, "D", 10),
    "devices/panic@model": cpuid_bit(0x40000003, "D", 10),
}

OWN = {
    "kvmbus:machine": cpuid_is(0x40000002, "A", 17763),
    "kvmbus:machine/kvmbus:profile": cpuid_is(0x40000002, "A", 17763),
    "kvmbus:machine/kvmbus:profile@name": cpuid_is(0x40000002, "A", 17763),
    "kvmbus:machine/kvmbus:vmbus": sees(
        "dmesg | sed -n 's/.*Vmbus version://p' | sort -u", "5.0"),
    "kvmbus:machine/kvmbus:vmbus@max": sees(
        "dmesg | sed -n 's/.*Vmbus version://p' | sort -u", "5.0"),
    "kvmbus:machine/kvmbus:ic": on_vmbus("kvp", 0),
    "kvmbus:machine/kvmbus:ic@heartbeat": on_vmbus("heartbeat"),
    "kvmbus:machine/kvmbus:ic@kvp": on_vmbus("kvp", 0),
    "kvmbus:machine/kvmbus:ic@vss": on_vmbus("vss", 0),
    "kvmbus:machine/kvmbus:vsock": takes_connections,
    "kvmbus:machine/kvmbus:vsock@path": takes_connections,
    "kvmbus:machine/kvmbus:device": polls,
    "kvmbus:machine/kvmbus:device@alias": polls,
    "kvmbus:machine/kvmbus:device@pcap": says(
        "linux-full.pcapng", bytes.fromhex(MAC.replace(":", ""))),
    "kvmbus:machine/kvmbus:device@hostname": sees(
        DHCP, re.compile("hostname=full$")),
    "kvmbus:machine/kvmbus:device@ipv6": sees(
        f"{DHCP} >/dev/null; ip -6 address show dev $(card_of {MAC}) | "
        "grep -c 'scope \\(global\\|site\\)'", "0"),
    "kvmbus:machine/kvmbus:device@poll": polls,
}

CHECKS = {**MACHINE, **FEATURES, **HYPERV, **DISKS, **CARDS, **OTHERS, **OWN}
