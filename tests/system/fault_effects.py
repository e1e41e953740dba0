#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fault_effects.py SCENARIO CONSOLE REPORT: did a misbehaving host have its effect?

For run-fault.  Prints the rules of the report, each behind a '#', then a line
for each thing that is wrong: no rule has hit, or the guest is not as EFFECTS
says of the scenario.  What other scenarios do to a guest run-fault prints, for
people.
"""
import json
import pathlib
import re
import sys


class Seen:
    """What a guest said and what the report has."""

    def __init__(self, console, report):
        self.said, self.log = {}, []
        for line in console.splitlines():
            word = re.search(r"kvmbus-test: (\w+)=(.*)", line)
            log = re.search(r"kernel-log: (.*)", line)
            if word:
                self.said[word[1]] = word[2].strip()
            elif log:
                self.log.append(log[1].strip())
        self.report = report


def said(key, *wanted):
    """The guest says one of these of it."""
    def check(seen):
        value = seen.said.get(key)
        if value not in wanted:
            return f"{key} is {value!r}, want {' or '.join(wanted)}"
        return None
    return check


def within(key, low, high):
    """The guest says a number of it."""
    def check(seen):
        value = seen.said.get(key, "")
        if not re.fullmatch(r"-?\d+", value) or not low <= int(value) <= high:
            return f"{key} is {value!r}, want {low} to {high}"
        return None
    return check


def pings(lost=(0, 0), twice=(0, 0), overtaken=(0, 0)):
    """So many of the 100 had no answer, or two, or came after a later one."""
    def check(seen):
        order = [int(n) for n in seen.said.get("ping_order", "").split()]
        late = sum(a > b for a, b in zip(order, order[1:]))
        for what, n, (low, high) in (
                ("lost", 100 - len(set(order)), lost),
                ("answered twice", len(order) - len(set(order)), twice),
                ("overtaken", late, overtaken)):
            if not low <= n <= high:
                return f"{n} pings are {what}, want {low} to {high}"
        return None
    return check


def round_trip(low, high):
    """The shortest of a ping, ms"""
    def check(seen):
        found = re.search(r"min/avg/max = ([\d.]+)", seen.said.get("ping", ""))
        if not found or not low <= float(found[1]) <= high:
            return f"ping is {seen.said.get('ping')!r}, want {low} to {high} ms"
        return None
    return check


def log(pattern):
    """The guest's kernel says so."""
    def check(seen):
        if not any(re.search(pattern, line) for line in seen.log):
            return f"the kernel does not say '{pattern}'"
        return None
    return check


def version(name, *wanted):
    """Which one of its protocol a device of the report has spoken"""
    def check(seen):
        value = seen.report["devices"].get(name, {}).get("version")
        if value not in wanted:
            return f"{name} speaks {value}, want {' or '.join(wanted)}"
        return None
    return check


def device(name, keys, low, high):
    """A number of the report."""
    def check(seen):
        value = seen.report["devices"].get(name)
        for key in keys.split("."):
            value = value.get(key) if value else None
        if value is None or not low <= value <= high:
            return f"{name} {keys} is {value}, want {low} to {high}"
        return None
    return check


def finding(rule):
    def check(seen):
        if not any(f["rule"] == rule for f in seen.report["findings"]):
            return f"no finding {rule}"
        return None
    return check


def ended(seen):
    """The guest powered off."""
    if seen.report["outcome"]["exit_code"]:
        return f"the outcome is {seen.report['outcome']['kind']}"
    return None


# No warning, oops or hang.
quiet = said("findings", "")
disk_works = [said("read", "0"), said("write", "0")]
net_works = [said("net", "0")]
well = [ended, quiet, *disk_works, *net_works]

# One channel of the disk does it all: 601 reads and writes, and some more.
alone = [*well, device("scsi0", "channel.packets_in", 601, 5000)]

LONG = 100000  # ms; a step that takes longer hangs

EFFECTS = {
    "bus-answer-lost": alone,
    "bus-answers-twice": well,
    "bus-busy": well,
    "bus-device-missing": [ended, quiet, *disk_works, said("net", "1")],
    "bus-late-messages": [*well, within("others_ms", 2500, LONG)],
    "bus-message-storm": well,
    "bus-offers-overtaken": well,
    "bus-old-version": [*well, log("Vmbus version:4.0")],
    "bus-request-lost": alone,
    "bus-requests-twice": [*well, finding("contact-without-unload"),
                           finding("offers-again")],
    "bus-version-refused": [*well, log("Vmbus version:5.2")],
    "disk-busy": [*well, within("read_ms", 1500, LONG)],
    "disk-controller-silent": [said("storvsc", "hangs")],
    "disk-lost-command": [said("read", "hangs"), said("write", "0"),
                          *net_works],
    "disk-old-protocol": [*well, version("scsi0", "6.0")],
    "disk-read-errors": [ended, quiet, said("read", "1"), said("write", "0"),
                         *net_works],
    # 200 writes, 50 ms each
    "disk-slow": [*net_works, within("write_ms", 10000, LONG)],
    "disk-unit-attention": well,
    "ic-silent": well,
    "ic-twice": well,
    "interrupt-storm": [*well, device("scsi0", "channel.signals_out",
                                      5000, 1000000)],
    # 400 reads, 20 ms each
    "interrupts-late": [*well, within("read_ms", 8000, LONG)],
    "memory-pressure": [*well, device("balloon", "ballooned_bytes",
                                      16 << 20, 128 << 20)],
    "net-answer-lost": [quiet, *disk_works, said("netvsc", "hangs"),
                        said("net", "1")],
    "net-link-flaps": [ended, quiet, *disk_works,
                       within("carrier_changes", 2, 12)],
    "net-old-version": [*well, version("net0", "6.0")],
    "net-rescind": [ended, quiet, *disk_works, said("net", "1"),
                    pings(lost=(5, 95))],
    "packets-late": [*well, round_trip(50, 1000)],
    "packets-lost": [*well, pings(lost=(5, 40))],
    "packets-overtaken": [*well, pings(lost=(0, 5), overtaken=(1, 40))],
    "packets-twice": [*well, pings(lost=(0, 5), twice=(5, 40))],
    "ring-stalls": well,
    "time-jump": [*well, within("clock_ahead", 8, 12)],
    "time-migration": [*well, within("clock_ahead", -2, 2)],
    "timer-late": well,
}


def wrong(scenario, seen):
    """What is not as it should be"""
    faults = seen.report["faults"]
    problems = []
    if not any(f["hit"] for f in faults):
        problems.append("no rule has hit")
    for check in EFFECTS.get(scenario, []):
        problem = check(seen)
        if problem:
            problems.append(problem)
    return problems


def main():
    scenario, console, report = sys.argv[1:]
    try:
        text = pathlib.Path(report).read_text(encoding="utf-8")
        seen = Seen(pathlib.Path(console).read_text(encoding="utf-8",
                                                    errors="replace"),
                    json.loads(text))
    except (OSError, ValueError) as error:
        print(f"no report: {error!r}")
        return
    for f in seen.report["faults"]:
        print("# rule", f["rule"], "seen", f["seen"], "hit", f["hit"])
    for problem in wrong(scenario, seen):
        print(problem)


if __name__ == "__main__":
    main()
