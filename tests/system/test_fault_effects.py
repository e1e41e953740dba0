#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""fault_effects.py finds what is missing; each scenario has its guest."""
import copy
import pathlib
import re
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True
import fault_effects  # noqa: E402

CONSOLE = """guest-init: up 12.72
kvmbus-test: storvsc=0
kvmbus-test: read=0
kvmbus-test: write=0
kvmbus-test: net=0
kvmbus-test: carrier_changes=2
kvmbus-test: ping=100 packets transmitted round-trip min/avg/max = 53.3/59.4/74.8 ms
kvmbus-test: ping_order=@
kvmbus-test: findings=
kvmbus-test: clock_ahead=-1
kernel-log: [    9.758298] hv_vmbus: Vmbus version:5.2
""".replace("@", " ".join(map(str, range(100))))
REPORT = {
    "outcome": {"kind": "poweroff", "exit_code": 0},
    "faults": [{"rule": "a", "seen": 9, "hit": 0},
               {"rule": "b", "seen": 9, "hit": 1}],
    "devices": {"scsi0": {"channel": {"packets_in": 667}}, "hvsock": {},
                "net0": {"version": "6.0"}},
    "findings": [{"rule": "offers-again"},
                 {"rule": "contact-without-unload"}],
}


class FaultEffects(unittest.TestCase):
    def setUp(self):
        self.report = copy.deepcopy(REPORT)

    def wrong(self, scenario, *change):
        console = CONSOLE.replace(*change) if change else CONSOLE
        return fault_effects.wrong(
            scenario, fault_effects.Seen(console, self.report))

    def test_all_is_well(self):
        for scenario in ("bus-answer-lost", "bus-message-storm",
                         "bus-requests-twice", "bus-version-refused",
                         "one-without-a-row"):
            self.assertEqual(self.wrong(scenario), [], scenario)

    def test_a_rule_has_to_hit(self):
        self.report["faults"][1]["hit"] = 0
        self.assertEqual(self.wrong("one-without-a-row"),
                         ["no rule has hit"])

    def test_what_the_guest_says(self):
        self.assertEqual(self.wrong("bus-answers-twice", "read=0", "read=1"),
                         ["read is '1', want 0"])
        self.assertEqual(self.wrong("bus-answers-twice",
                                    "kvmbus-test: net=0\n", ""),
                         ["net is None, want 0"])
        self.assertEqual(self.wrong("bus-answers-twice", "findings=",
                                    "findings=1 BUG: x;"),
                         ["findings is '1 BUG: x;', want "])
        self.assertEqual(self.wrong("disk-controller-silent"),
                         ["storvsc is '0', want hangs"])

    def test_numbers_that_it_says(self):
        self.assertEqual(self.wrong("time-migration"), [])
        self.assertEqual(self.wrong("time-migration", "=-1", "=100"),
                         ["clock_ahead is '100', want -2 to 2"])
        self.assertEqual(self.wrong("time-migration", "=-1", "="),
                         ["clock_ahead is '', want -2 to 2"])

    def test_what_its_kernel_says(self):
        self.assertEqual(self.wrong("bus-version-refused", "5.2", "5.3"),
                         ["the kernel does not say 'Vmbus version:5.2'"])

    def test_what_the_report_has(self):
        self.report["devices"]["scsi0"]["channel"]["packets_in"] = 425
        self.assertEqual(
            self.wrong("bus-answer-lost"),
            ["scsi0 channel.packets_in is 425, want 601 to 5000"])
        del self.report["devices"]["scsi0"]
        self.assertEqual(
            self.wrong("bus-answer-lost"),
            ["scsi0 channel.packets_in is None, want 601 to 5000"])
        self.report["findings"].pop(0)
        self.assertEqual(self.wrong("bus-requests-twice"),
                         ["no finding offers-again"])
        self.report["outcome"] = {"kind": "timeout", "exit_code": 124}
        self.assertEqual(self.wrong("bus-message-storm"),
                         ["the outcome is timeout"])

    def test_pings(self):
        self.assertEqual(self.wrong("packets-lost"),
                         ["0 pings are lost, want 5 to 40"])
        self.assertEqual(self.wrong("packets-lost", "=0 1 2 3 4 5 6", "=6"),
                         [])
        self.assertEqual(self.wrong("packets-twice", " 7 8 9 10 11 ",
                                    " 7 7 8 8 9 9 10 10 11 11 "), [])
        self.assertEqual(self.wrong("packets-twice"),
                         ["0 pings are answered twice, want 5 to 40"])
        self.assertEqual(self.wrong("packets-overtaken", " 7 8 ", " 8 7 "), [])
        self.assertEqual(self.wrong("packets-overtaken"),
                         ["0 pings are overtaken, want 1 to 40"])
        self.assertEqual(self.wrong("packets-late"), [])
        self.assertEqual(len(self.wrong("packets-late", "53.3/", "3.3/")), 1)
        self.assertEqual(len(self.wrong("packets-late", "min/avg", "")), 1)

    def test_versions(self):
        self.assertEqual(self.wrong("net-old-version"), [])
        self.assertEqual(self.wrong("disk-old-protocol"),
                         ["scsi0 speaks None, want 6.0"])

    def test_scenarios_and_guests(self):
        scenarios = {path.stem for path in
                     (HERE / "../../configs/scenarios").glob("*.fault")}
        matrix = (HERE / "matrix").read_text(encoding="utf-8")
        rows = [row for row in matrix.splitlines() if not row.startswith("#")]
        run = set(re.findall(r"[ ,]fault-([a-z-]+)", "\n".join(rows)))
        self.assertEqual(run, scenarios)
        self.assertLessEqual(set(fault_effects.EFFECTS), scenarios)


if __name__ == "__main__":
    unittest.main()
