# SPDX-License-Identifier: MIT
"""life - life.xml in the lab: what becomes of a machine that powers off,
reboots and panics, and a console that calls this host"""
import datetime
import json
import pathlib
import time
import zoneinfo

from domain.full import rtc_shows
from domain.running import at_the_end, guest, host, on_vmbus, says, sees
from linux_guest import Failed, expect

HERE = pathlib.Path(__file__).resolve().parent
XML = HERE / "life.xml"
CONSOLE = 7002 # the port that it calls
SYSRQ = "echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger"


def prepare(folder, _images, kernel, initramfs):
    (folder / "vmlinuz").symlink_to(f"{kernel}/vmlinuz")
    (folder / "initrd.img").symlink_to(initramfs)
    (folder / "console.log").write_text("before\n", encoding="ascii")
    (folder / "dumps").mkdir()
    xml = folder / XML.name
    xml.write_text(XML.read_text(encoding="utf-8").replace(
        "@WORK@", str(folder)), encoding="utf-8")
    return xml


def options(folder):
    return ["--dump-dir", str(folder / "dumps")]


def comes_again_after(command):
    @guest
    @at_the_end
    def check(domain):
        domain.run("touch /tmp/old")
        domain.say(f"run {command}")
        domain.hear("ready")
        expect("what was in memory", domain.run("ls /tmp"), "")
    return check


@host
@at_the_end
def leaves_a_dump(domain):
    """An ELF file, as large as the memory at least; and then it is over."""
    domain.say(f"run {SYSRQ}")
    expect("exit code", domain.vm.wait(timeout=180), 34)
    said = json.loads(domain.report.read_text(encoding="utf-8"))
    expect("outcome", said["outcome"]["kind"], "panic")
    expect("resets", said["guest"]["resets"], 2)
    dumps = list((domain.folder / "dumps").iterdir())
    expect("dumps", len(dumps), 1)
    with open(dumps[0], "rb") as dump:
        expect("magic", dump.read(4), b"\x7fELF")
    if dumps[0].stat().st_size < 250 << 20:
        raise Failed(f"the dump has {dumps[0].stat().st_size} bytes")


def in_kolkata(_domain):
    there = datetime.datetime.now(zoneinfo.ZoneInfo("Asia/Kolkata"))
    return time.time() + there.utcoffset().total_seconds()


@guest
def called_when_somebody_listened(domain):
    """The server was not there when the machine began."""
    expect("when it called", domain.called_after > 0, True)
    expect("what is typed there", domain.run("echo typed"), "typed")


@host
def speaks_telnet(domain):
    expect("IAC WILL or DO", any(mark in domain.first_bytes for mark in (
        b"\xff\xfb", b"\xff\xfd")), True)


@host
def log_is_behind_what_was_there(domain):
    expect("begins with", (domain.folder / "console.log").read_bytes()[:7],
           b"before\n")


LOGS = says("console.log", b"kvmbus-test: ready=yes")
CALLS = called_when_somebody_listened
RTC = rtc_shows(in_kolkata)

CHECKS = {
    "cpu/topology@clusters": sees(
        "cat /sys/devices/system/cpu/cpu0/topology/core_cpus_list", "0"),
    "clock@offset": RTC,
    "clock@timezone": RTC,
    "devices/console": CALLS,
    "devices/console@type": CALLS,
    "devices/console/source": CALLS,
    "devices/console/source@mode": CALLS,
    "devices/console/source@host": CALLS,
    "devices/console/source@service": CALLS,
    "devices/console/source/reconnect": CALLS,
    "devices/console/source/reconnect@enabled": CALLS,
    "devices/console/source/reconnect@timeout": CALLS,
    "devices/console/protocol": speaks_telnet,
    "devices/console/protocol@type": speaks_telnet,
    "devices/console/log": LOGS,
    "devices/console/log@file": LOGS,
    "devices/console/log@append": log_is_behind_what_was_there,
    "devices/console/target": sees("cat /sys/class/tty/console/active",
                                   "ttyS0"),
    "devices/console/target@port": sees("cat /sys/class/tty/console/active",
                                        "ttyS0"),
    "devices/console/target@type": sees("cat /sys/class/tty/ttyS0/io_type",
                                        "0"),
    "kvmbus:machine/kvmbus:ic@balloon": on_vmbus("balloon", 0),
    "on_poweroff": comes_again_after("poweroff -f"),
    "on_reboot": comes_again_after("reboot -f"),
    "on_crash": leaves_a_dump,
}
