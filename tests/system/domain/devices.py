# SPDX-License-Identifier: MIT
"""devices - devices.xml in the lab: what linux-full.xml has not, most of it
disks, cards and serial ports, and a check for each element of it

Around it: bridges and a tap, two servers of NBD, a loop device, libvirt's test
driver with a network and a volume.
"""
import os
import pathlib
import re
import socket
import subprocess
import time

from domain.full import BITS, rtc_shows
from domain.running import (MIB, at_the_end, bursts, cpuid_bit, cpuid_is,
                            guest, host, on_vmbus, says, sees, within)
from linux_guest import Failed, expect

HERE = pathlib.Path(__file__).resolve().parent
XML = HERE / "devices.xml"
START = 1700000000
IMAGES = ("loop", "one", "two", "volume", "forgets", "total-bytes", "other",
          "write-bytes", "total-iops", "read-iops", "write-iops")
BYTES = 24 * MIB
VHDX_BYTES = 16 * MIB


def sh(*commands):
    for command in commands:
        subprocess.run(command, shell=True, check=True,
                       stdout=subprocess.DEVNULL)


def prepare(folder, _images, kernel, initramfs):
    for name in IMAGES:
        with open(folder / name, "wb") as image:
            image.write(f"this is {name}\n".encode())
            image.truncate(BYTES)
    server = "qemu-nbd -t -e 16 --fork -f raw"
    (folder / "small").mkdir()
    sh(f"mount -t tmpfs -o size=1m small {folder}/small",
       f"truncate -s 8M {folder}/small/full",
       f"qemu-img create -f vhdx {folder}/named.of.no.format {VHDX_BYTES}",
       f"{server} -x one -b 127.0.0.1 -p 10810 {folder}/one",
       f"{server} -x two -k {folder}/nbd {folder}/two")
    for i in (0, 1):
        sh(f"ip link add kvbridge{i} type bridge",
           f"ip address add 10.1{i + 1}.0.1/24 dev kvbridge{i}",
           f"ip link set kvbridge{i} up")
    sh("ip tuntap add dev kvtap0 mode tap multi_queue vnet_hdr",
       "ip address add 10.13.0.1/24 dev kvtap0", "ip link set kvtap0 up")
    (folder / "vmlinuz").symlink_to(f"{kernel}/vmlinuz")
    (folder / "initrd.img").symlink_to(initramfs)
    (folder / "serial.txt").write_text("before\n", encoding="ascii")
    if not os.path.exists("/dev/loop-control"): # it brings the module
        sh("mknod /dev/loop-control c 10 237")
    loop = subprocess.run(["losetup", "-f", "--show", folder / "loop"],
                          stdout=subprocess.PIPE, text=True, check=True)
    for name in ("devices.xml", "node.xml"):
        text = (HERE / name).read_text(encoding="utf-8")
        text = text.replace("@WORK@", str(folder))
        (folder / name).write_text(text.replace(
            "@LOOP@", loop.stdout.strip()), encoding="utf-8")
    return folder / "devices.xml"


def clean(folder):
    sh(f"umount -l {folder}/small || true",
       f"losetup -j {folder}/loop | sed 's/:.*//' | xargs -r losetup -d")


def options(folder):
    return ["--connect", f"test://{folder}/node.xml"]


# --- memory ------------------------------------------------------------------

@host
def has_huge_pages(domain):
    """As it begins, all but what lies below overlays; later what is free is
    given back, and the pages of rings are replaced."""
    within("MiB in huge pages", domain.huge_at_start // 1024, 280, 448)


@host
def is_locked(domain):
    within("locked MiB", domain.status("VmLck") // 1024, 320, 1e6)


@guest
def can_have_448_mib(domain):
    domain.until("memory can be added",
                 lambda: domain.asks("memory-add")["ready"])
    expect("room", domain.asks("memory-add")["room_mib"], 128)


# --- disks -------------------------------------------------------------------

def has_content(serial, name):
    return sees(f"head -n 1 /dev/$(disk_of {serial})", f"this is {name}")


@host
def is_read_by_threads(domain):
    names = [file.read_text(encoding="ascii").strip() for file in
             pathlib.Path(f"/proc/{domain.vm.pid}/task").glob("*/comm")]
    if not any(name.startswith("blk/") for name in names):
        raise Failed(f"no blk/N among the threads {sorted(set(names))}")


@host
def uses_the_page_cache(domain):
    expect("O_DIRECT", domain.open_as(os.path.realpath(
        domain.config["disks"][0]["path"])) & 0o40000, 0)


@host
def nothing_is_copied(domain):
    """Blocks that were read are not written: the image has its old time."""
    VOLUME(domain)
    expect("written to", (domain.folder / "volume").stat().st_mtime <
           domain.started, True)


@guest
def forgets(domain):
    """The guest reads what it wrote; another program has the image."""
    where = "bs=512 count=1 seek=8 conv=notrunc,fsync"
    expect("what was written", domain.run(
        f"echo mine | dd of=/dev/$(disk_of FORGETS) {where} 2>/dev/null; "
        "dd if=/dev/$(disk_of FORGETS) bs=512 skip=8 count=1 iflag=direct "
        "2>/dev/null | head -n 1"), "mine")
    subprocess.run(["qemu-io", "-r", "-f", "raw", "-c", "read 65536 512",
                    domain.folder / "forgets"], check=True,
                   stdout=subprocess.DEVNULL)
    image = (domain.folder / "forgets").read_bytes()
    expect("in the image", b"mine\n" in image, False)


@guest
def stops_when_full(domain):
    """The machine waits until there is room; then the write has been done."""
    domain.say("run dd if=/dev/zero of=/dev/$(disk_of SMALL) bs=64k count=32 "
               "seek=16 oflag=direct 2>/dev/null && echo written")
    domain.until("it stops", lambda: domain.asks(
        "status")["state"] == "paused")
    if "stopped_by" not in domain.asks("status"):
        raise Failed(f"it does not say why: {domain.asks('status')}")
    sh(f"mount -o remount,size=9m {domain.folder}/small")
    domain.ctl("resume")
    expect("the write", domain.hear("run").strip("~"), "written")


@guest
def tells_what_cannot_be_read(domain):
    """The image is shorter now: the guest has an error, and goes on."""
    image = domain.folder / "small" / "full"
    os.truncate(image, MIB)
    expect("the read", domain.run(
        "dd if=/dev/$(disk_of SMALL) of=/dev/null bs=64k count=1 skip=100 "
        "iflag=direct 2>/dev/null || echo failed"), "failed")
    expect("state", domain.asks("status")["state"], "running")


@guest
def share_their_limit(domain):
    """Two at once take as long as both, one after the other."""
    domain.fact("pieces if TOTAL-BYTES 64k 64 6")
    read = "dd if=/dev/$(disk_of {}) of=/dev/null bs=64k count=48 iflag=direct"
    seconds = int(domain.run(
        f"took eval '{read.format('OTHER')} & {read.format('TOTAL-BYTES')}; "
        "wait $!'")) / 1000
    print(f"# two of a group: {seconds} s for 6 MiB", flush=True)
    within("seconds for 6 MiB", seconds, 4.5, 12)


# --- cards -------------------------------------------------------------------

def reaches(mac, network):
    """The guest's card is where the host's address 10.N.0.1 is."""
    return sees(f"card=$(card_of {mac}); ip link set $card up; "
                f"ip address add 10.{network}.0.2/24 dev $card; "
                f"ping -c 4 -W 3 10.{network}.0.1 >/dev/null && echo yes",
                "yes")


@host
def is_on_the_bridge(domain):
    said = subprocess.run(["ip", "-br", "link", "show", "master", "kvbridge0"],
                          capture_output=True, text=True, check=True).stdout
    expect("ports of kvbridge0", len(said.splitlines()), 1)


@host
def made_the_tap(domain):
    sh("ip -d link show kvtap1 | grep 'tun type tap'")


@guest
def is_a_cable(domain):
    """What one card sends the other gets."""
    one, other = (f"$(card_of 52:54:00:00:00:0{i})" for i in (7, 8))
    domain.run(f"ip link set {one} up; ip link set {other} up; "
               f"ip address add 10.19.0.1/24 dev {one}")
    domain.until("frames come", lambda: int(domain.run(
        "ping -c 1 -W 1 10.19.0.2 >/dev/null; "
        f"cat /sys/class/net/{other}/statistics/rx_packets")) > 0, 60)


USER = "52:54:00:00:00:05"
LEASE = f"lease $(card_of {USER})"


@guest
def forwards_udp(domain):
    """Nobody is at the guest's ports, and its kernel counts who asked."""
    count = "awk '/^Udp: [0-9]/ { print $3 }' /proc/net/snmp"
    domain.fact(LEASE)
    before = int(domain.run(count))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for port in (9000, 9002):
            sender.sendto(b"to the guest", ("127.0.0.1", port))
    domain.until("both arrive", lambda: int(domain.run(count)) >= before + 2,
                 60)


@host
def keeps_one_port(domain):
    said = subprocess.run(["ss", "-Hlun"], text=True, capture_output=True,
                          check=True).stdout
    expect("ports", re.findall(r"127\.0\.0\.1:(900\d)\s", said),
           ["9000", "9002"])


@guest
def reaches_nothing(domain):
    """A server of this host, which a guest finds at the router's address."""
    domain.fact(LEASE)
    with socket.create_server(("127.0.0.1", 9100)) as server:
        server.settimeout(1)
        expect("to the host", domain.run(
            "echo | nc -w 3 10.0.2.2 9100 >/dev/null 2>&1 && echo reached"), "")
        try:
            server.accept()
        except TimeoutError:
            return
    raise Failed("the guest reached a server of the host")


# --- serial ports ------------------------------------------------------------

@guest
def speaks_telnet(domain):
    """Its negotiation, RFC 854, and what the guest says."""
    with socket.create_connection(("127.0.0.1", 7001), timeout=60) as port:
        domain.run("echo by telnet >/dev/ttyS1")
        got = b""
        while b"by telnet" not in got:
            got += port.recv(100)
        expect("it negotiates", b"\xff\xfb" in got or b"\xff\xfd" in got, True)


@guest
def is_behind_what_was_there(domain):
    domain.run("echo from the guest >/dev/ttyS2")
    file = domain.folder / "serial.txt"
    domain.until("it arrives", lambda: b"from the guest" in file.read_bytes(),
                 30)
    expect("begins with", file.read_bytes()[:7], b"before\n")


@guest
def calls_again(domain):
    """Nobody listens at the start; somebody does, goes, and comes again."""
    path = str(domain.folder / "late")
    for words in ("once", "twice"):
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
            server.listen()
            server.settimeout(30)
            port, _ = server.accept()
            with port:
                port.settimeout(60)
                domain.run(f"echo {words} >/dev/ttyS3")
                expect("ttyS3", port.recv(100).strip(), words.encode())
        os.unlink(path)


# --- time --------------------------------------------------------------------

@guest
def is_set_right(domain):
    """A wrong clock is right after a period or two."""
    wanted = int(domain.run("date +%s"))
    domain.run(f"date -s @{wanted - 600} >/dev/null")
    started = time.monotonic()
    domain.until("the clock is right", lambda: int(domain.run(
        "date +%s")) > wanted - 300, 30)
    within("seconds", time.monotonic() - started, 0, 15)


@host
@at_the_end
def ends_when_powered_off(domain):
    domain.say("run poweroff -f")
    expect("exit code", domain.vm.wait(timeout=60), 0)


SAME_TIME = rtc_shows(lambda domain: START + time.time() - domain.started)
NULL = "$(card_of 52:54:00:00:00:06)"
TCP, UNIX = has_content("TCP", "one"), has_content("UNIX", "two")
BLOCK, VOLUME = has_content("BLOCK", "loop"), has_content("VOLUME", "volume")
VHDX = sees("blockdev --getsize64 /dev/$(disk_of VHDX)", str(VHDX_BYTES))
DRIVE = sees("cat /sys/block/sr0/device/type; cat /sys/block/sr0/size",
             re.compile(r"^5\n"))
BRIDGE, NETWORK = reaches("52:54:00:00:00:01", 11), reaches(
    "52:54:00:00:00:02", 12)
TAP, MADE = reaches("52:54:00:00:00:03", 13), made_the_tap
TWO = sees("grep -c ^processor /proc/cpuinfo", "2")

MACHINE = {
    "maxMemory": can_have_448_mib,
    "maxMemory@unit": can_have_448_mib,
    "maxMemory@slots": can_have_448_mib,
    "memoryBacking/hugepages": has_huge_pages,
    "memoryBacking/hugepages/page": has_huge_pages,
    "memoryBacking/hugepages/page@size": has_huge_pages,
    "memoryBacking/hugepages/page@unit": has_huge_pages,
    "memoryBacking/locked": is_locked,
    "vcpu@current": TWO,
    "vcpu@placement": TWO,
    "clock@offset": SAME_TIME,
    "clock@start": SAME_TIME,
    "features/msrs@unknown": sees("/cpu-facts msr 0x5f000", "0" * 16),
    "features/hyperv@mode": cpuid_bit(*BITS["xmm_input"]),
    "features/hyperv/reset": cpuid_bit(*BITS["reset"], on=False),
    "features/hyperv/reset@state": cpuid_bit(*BITS["reset"], on=False),
}

LIMITS = (("total_bytes", "if", "TOTAL-BYTES", "64k", 64),
          ("write_bytes", "of", "WRITE-BYTES", "64k", 64),
          ("total_iops", "if", "TOTAL-IOPS", "4k", 80),
          ("read_iops", "if", "READ-IOPS", "4k", 80),
          ("write_iops", "of", "WRITE-IOPS", "4k", 80))
TUNED = {}
for name, *how in LIMITS:
    limit = bursts(*how)
    TUNED |= {f"devices/disk/iotune/{name}_sec{part}": limit
              for part in ("", "_max", "_max_length")}

DISKS = {
    "devices/disk@type": VOLUME,
    "devices/disk/source@dev": BLOCK,
    "devices/disk/driver@cache=default": uses_the_page_cache,
    "devices/disk/driver@io": is_read_by_threads,
    "devices/disk/driver@copy_on_read": nothing_is_copied,
    "devices/disk/source@protocol": TCP,
    "devices/disk/source@name": TCP,
    "devices/disk/source@tls": TCP,
    "devices/disk/source/host": TCP,
    "devices/disk/source/host@name": TCP,
    "devices/disk/source/host@port": TCP,
    "devices/disk/source/host@transport": UNIX,
    "devices/disk/source/host@socket": UNIX,
    "devices/disk/source@pool": VOLUME,
    "devices/disk/source@volume": VOLUME,
    "devices/disk/alias": VHDX,
    "devices/disk/alias@name": VHDX,
    "devices/disk/transient@shareBacking": forgets,
    "devices/disk/source@startupPolicy": DRIVE,
    "devices/disk/driver@error_policy": stops_when_full,
    "devices/disk/driver@rerror_policy": tells_what_cannot_be_read,
    **TUNED,
    "devices/disk/iotune/group_name": share_their_limit,
}

CARDS = {
    "devices/interface@type": BRIDGE,
    "devices/interface/source": BRIDGE,
    "devices/interface/source@bridge": is_on_the_bridge,
    "devices/interface/source@network": NETWORK,
    "devices/interface/source@address": is_a_cable,
    "devices/interface/source@port": is_a_cable,
    "devices/interface/target": TAP,
    "devices/interface/target@dev": TAP,
    "devices/interface/target@managed": MADE,
    "devices/interface@managed": MADE,
    "devices/interface/link": sees(
        f"ip link set {NULL} up; cat /sys/class/net/{NULL}/carrier", "0"),
    "devices/interface/link@state": sees(
        f"ip link set {NULL} up; cat /sys/class/net/{NULL}/carrier", "0"),
    "devices/interface/portForward@proto": forwards_udp,
    "devices/interface/portForward/range@exclude": keeps_one_port,
    "devices/interface/backend": sees(LEASE, re.compile(r"^10\.0\.2\.15/")),
    "devices/interface/backend@type": sees(
        LEASE, re.compile(r"^10\.0\.2\.15/")),
}

OTHERS = {
    "devices/serial@type": calls_again,
    "devices/serial/source@path": calls_again,
    "devices/serial/source@mode": calls_again,
    "devices/serial/source/reconnect": calls_again,
    "devices/serial/source/reconnect@enabled": calls_again,
    "devices/serial/source/reconnect@timeout": calls_again,
    "devices/serial/source@host": speaks_telnet,
    "devices/serial/source@service": speaks_telnet,
    "devices/serial/protocol": speaks_telnet,
    "devices/serial/protocol@type": speaks_telnet,
    "devices/serial/source@append": is_behind_what_was_there,
    "kvmbus:machine": cpuid_is(0x40000002, "A", 20348),
    "kvmbus:machine/kvmbus:profile@name": cpuid_is(0x40000002, "A", 20348),
    "kvmbus:machine/kvmbus:ic@timesync": is_set_right,
    "kvmbus:machine/kvmbus:timesync": is_set_right,
    "kvmbus:machine/kvmbus:timesync@period": is_set_right,
    **{f"kvmbus:machine/kvmbus:ic@{name}": on_vmbus(name, 0)
       for name in ("heartbeat", "shutdown", "fcopy", "keyboard", "mouse")},
    **{f"kvmbus:machine/kvmbus:ic@{name}": on_vmbus(name)
       for name in ("kvp", "vss")},
    "kvmbus:machine/kvmbus:device@format": VHDX,
    "kvmbus:machine/kvmbus:device@restrict": reaches_nothing,
    "kvmbus:machine/kvmbus:device@monitor": sees(
        f"cat /sys/class/net/{NULL}/device/channels/*/latency",
        re.compile(r"^2000(\n2000)*$")),
    "devices": ends_when_powered_off,
}

CHECKS = {**MACHINE, **DISKS, **CARDS, **OTHERS}
