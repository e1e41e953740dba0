# SPDX-License-Identifier: MIT
"""table - for each element and attribute of domain XML that
kvmbus-domain(5) says is honoured: where it is seen

A domain has its own module with `XML`, `prepare()`, `options()` and CHECKS,
which has what of it is seen there.  test_table.py compares all of them with the
table of the manual page, which is the program's own.
"""
import xml.etree.ElementTree as ElementTree

from domain import alone, devices, full, life

DOMAINS = {"full": full, "devices": devices, "life": life, "alone": alone}
OWN = "{urn:kvmbus:domain:1}"

# What no test of a domain can see, and why.
EXPLAINED = {
    "clock/timer@tickpolicy":
        "of ticks that came too late, which want a host that stalls; which "
        "policy KVM is given is tests/config/domain's",
    "kvmbus:machine/kvmbus:throttle":
        "of a guest that signals for nothing, which Linux does not; "
        "tests/vsp/vmbus has one that does",
    "kvmbus:machine/kvmbus:throttle@signals":
        "of a guest that signals for nothing, which Linux does not; "
        "tests/vsp/vmbus has one that does",
    "features/hyperv/*":
        "is what libvirt may come to know: refused, or ignored if it is off",
    "features/hyperv/*@*":
        "is what libvirt may come to know: refused, or ignored if it is off",
}


def name_of(tag):
    return tag.replace(OWN, "kvmbus:")


def paths_of(xml):
    """The elements and attributes of a file, named as in kvmbus-domain(5),
    each attribute with its value, too."""
    found = set()

    def walk(node, path):
        found.add(path)
        for key, value in node.attrib.items():
            found.update((f"{path}@{key}", f"{path}@{key}={value}"))
        for child in node:
            name = name_of(child.tag)
            own = name == "kvmbus:machine"
            walk(child, name if own or path == "domain" else f"{path}/{name}")

    walk(ElementTree.parse(xml).getroot(), "domain")
    return found


def checks_of(name):
    return DOMAINS[name].CHECKS
