#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""vmbus_sysfs.py CONSOLE REPORT KERNELDIR VCPUS

Compares what a Linux guest's sysfs said of its devices on VMbus (lines of
guest-test.sh, "sysfs") with the host's report, and prints what does not
agree, a line each.  What the files mean: Linux
Documentation/ABI/stable/sysfs-bus-vmbus and drivers/hv/vmbus_drv.c.

Exit: 0 all agrees; 1 not.
"""
import fnmatch
import json
import pathlib
import re
import sys

OPENED = "3"  # Linux include/linux/hyperv.h:enum vmbus_channel_state
MARK = "kvmbus-test: sysfs="


def parse(lines):
    """What was said of each device, by instance: a list of dictionaries."""
    devices = {}
    for line in lines:
        _, mark, rest = line.strip().partition(MARK)
        if mark:
            instance, *words = rest.split()
            files = dict(word.partition(":")[::2] for word in words)
            devices.setdefault(instance, []).append(files)
    return devices


def patterns(kernel):
    """The VMbus devices that this kernel has drivers for."""
    found = set()
    for name in ("modules.alias", "modules.builtin.modinfo"):
        for path in pathlib.Path(kernel).glob(f"lib/modules/*/{name}"):
            text = path.read_bytes().decode(errors="replace")
            found.update(re.findall(r"vmbus:[0-9a-f]+\*?", text))
    return found


def counted(files, host, relid):
    """Each saw no more signals than the other sent."""
    for file, ours in (("interrupts", "signals_out"),
                       ("events", "signals_in")):
        n = int(files[f"{relid}/{file}"])
        if n > host[ours]:
            yield f"{file} is {n}, the host has {host[ours]}"
    # The other way the host may have been looking all the time.
    if host["packets_out"] and files[f"{relid}/interrupts"] == "0":
        yield f"interrupts is 0 after {host['packets_out']} packets"


def rings(files, host, relid):
    """Empty, as nothing is under way; nobody masks the other's interrupts."""
    wanted = {
        "in_read_bytes_avail": 0,
        "in_write_bytes_avail": host["ring_out_bytes"],
        "out_read_bytes_avail": 0,
        "out_write_bytes_avail": host["ring_in_bytes"],
        "in_intr_mask": 0,
        "out_intr_mask": 0,
        f"{relid}/in_mask": 0,
        f"{relid}/out_mask": 0,
        f"{relid}/read_avail": 0,
        f"{relid}/write_avail": host["ring_in_bytes"],
    }
    for way, size in (("in", host["ring_out_bytes"]),
                      ("out", host["ring_in_bytes"])):
        index = int(files[f"{way}_read_index"])
        wanted[f"{way}_write_index"] = index
        if index % 8 or index >= size:
            yield f"{way}_read_index is {index}, of {size}"
    for name, value in wanted.items():
        if int(files[name]) != value:
            yield f"{name} is {files[name]}, want {value}"


def monitor(files, host, relid):
    """Its files are there if the channel has a bit in the monitor pages."""
    wanted = host.get("monitor_id")
    names = [name for name in files if "monitor" in name or
             name in (f"{relid}/pending", f"{relid}/latency")]
    if wanted is None:
        if names:
            yield f"there is {', '.join(names)}"
        return
    for name, value in (("monitor_id", wanted),
                        (f"{relid}/monitor_id", wanted),
                        (f"{relid}/pending", 0),
                        (f"{relid}/latency", host["monitor_latency_100ns"])):
        if int(files.get(name, -1)) != value:
            yield f"{name} is {files.get(name)}, want {value}"
    if host["packets_in"] and not host["signals_by_page"]:
        yield "the guest never used its monitor page"


def identity(files, instance, host, vcpus):
    """Who it is, and where its interrupts go."""
    relid, cpu = host["relid"], host["target_vp"]
    for name, value in (("device_id", "{" + instance + "}"), ("id", relid),
                        ("state", OPENED), (f"{relid}/cpu", cpu),
                        (f"{relid}/subchannel_id", 0),
                        ("channel_vp_mapping", f"{relid}:{cpu}")):
        if files.get(name) != str(value):
            yield f"{name} is {files.get(name)}, want {value}"
    if cpu >= vcpus:
        yield f"its interrupts go to processor {cpu}"


def check_device(files, instance, host, vcpus):
    yield from identity(files, instance, host, vcpus)
    for look in (counted, rings, monitor):
        try:
            yield from look(files, host, host["relid"])
        except KeyError as error:
            yield f"{error} is not there"


def best(said, instance, host, vcpus):
    """A look that agrees; packets may have been on their way in another."""
    return min((list(check_device(files, instance, host, vcpus))
                for files in said), key=len)


def is_unread(device, host):
    """Linux' hv_kvp reads nothing before its daemon is there."""
    return device == "kvp" and not host["packets_in"]


def check(lines, report, kernel, vcpus):
    """Yield what does not agree."""
    said, drivers = parse(lines), patterns(kernel)
    for device, facts in report["devices"].items():
        host, instance = facts.get("channel"), facts["instance"]
        if not host or not host["relid"]:
            continue
        looks = said.pop(instance, None)
        if not looks:
            yield f"{device}: the guest does not have it"
            continue
        alias = looks[0].get("modalias", "none")
        known = any(fnmatch.fnmatch(alias, p) for p in drivers)
        if "DRIVER" not in looks[0]:
            if known:
                yield f"{device}: is not bound"
        elif host["open"]:
            for problem in best(looks, instance, host, vcpus):
                if not is_unread(device, host) or "avail" not in problem \
                        and "_index" not in problem:
                    yield f"{device}: {problem}"
        elif "uio" not in looks[0]["DRIVER"]:
            yield f"{device}: is bound, but not open"
    for instance in said:
        yield f"{instance}: the host has no such device"


def main():
    console, report, kernel, vcpus = sys.argv[1:]
    lines = pathlib.Path(console).read_text(errors="replace").splitlines()
    report = json.loads(pathlib.Path(report).read_text(encoding="utf-8"))
    problems = list(check(lines, report, kernel, int(vcpus)))
    print("".join(f"sysfs: {problem}\n" for problem in problems), end="")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
