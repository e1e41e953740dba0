# SPDX-License-Identifier: MIT
"""alone - alone.xml in the lab: a guest that is told nothing, and says what it
sees into a file"""
import pathlib

from domain.life import prepare as prepare_life
from domain.running import guest, host, says
from linux_guest import expect

XML = pathlib.Path(__file__).resolve().parent / "alone.xml"
ALONE = True # it ends by itself; what is to be seen is left then


def prepare(folder, images, kernel, initramfs):
    prepare_life(folder, images, kernel, initramfs)
    (folder / "console.txt").write_text("before\n", encoding="ascii")
    xml = folder / XML.name
    xml.write_text(XML.read_text(encoding="utf-8").replace(
        "@WORK@", str(folder)), encoding="utf-8")
    return xml


def options(_folder):
    return []


@host
def is_behind_what_was_there(domain):
    expect("begins with", (domain.folder / "console.txt").read_bytes()[:7],
           b"before\n")


# Linux has no VMbus without the enlightenments that it wants for it.
NO_DEVICES = guest(says("console.txt", b"kvmbus-test: devices=0"))

CHECKS = {
    "devices/console@type": says("console.txt", b"kvmbus-test: ready=yes"),
    "devices/console/source@path": says("console.txt",
                                        b"kvmbus-test: ready=yes"),
    "devices/console/source@append": is_behind_what_was_there,
    "kvmbus:machine/kvmbus:hyperv": NO_DEVICES,
    "kvmbus:machine/kvmbus:hyperv@incomplete": NO_DEVICES,
}
