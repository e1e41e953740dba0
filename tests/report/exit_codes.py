#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""exit_codes.py KVMBUS: each way a run can end, its exit code and its report

The guests are a few instructions each, in a multiboot image made here.  They
run on /dev/kvm; every report is held against configs/report.schema.json.
"""
import json
import os
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE / "../support"))
sys.dont_write_bytecode = True
import check_schema  # noqa: E402
from tiny_guest import HALT, LOAD, image, out, wrmsr  # noqa: E402

SCHEMA = json.loads(
    (HERE / "../../configs/report.schema.json").read_text(encoding="utf-8"))
KVMBUS = sys.argv.pop(1) if len(sys.argv) > 1 else "kvmbus"
BOUND_S = 60

MSR_GUEST_OS_ID = 0x40000000
MSR_CRASH_P0 = 0x40000100
MSR_CRASH_CTL = 0x40000105
CRASH_NOTIFY = 1 << 63

POWEROFF = out(0x404, 5 << 10 | 1 << 13, 2) + HALT
RESET = out(0xCF9, 6) + HALT
READY = out(0x3F8, ord("R")) + HALT
TEST_EXIT = out(0xF4, 5) + HALT
# lidt of a descriptor of zeros, behind the code; ud2
TRIPLE = b"\x0f\x01\x1d" + struct.pack("<I", LOAD + 0x800) + b"\x0f\x0b" + HALT
PANIC = wrmsr(MSR_GUEST_OS_ID, 0x8100060100000000) + b"".join(
    wrmsr(MSR_CRASH_P0 + i, 0x1000 + i) for i in range(5)) + \
    wrmsr(MSR_CRASH_CTL, CRASH_NOTIFY) + HALT


class ExitCodes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="kvmbus-exit.")
        self.addCleanup(folder.cleanup)
        self.kernel = pathlib.Path(folder.name, "image")
        self.report = pathlib.Path(folder.name, "report.json")

    def command(self, code, *options):
        self.kernel.write_bytes(image(code))
        return [KVMBUS, "run", "--kernel", str(self.kernel), "--vcpus", "1",
                "--memory", "64", "--report", str(self.report), *options]

    def run_guest(self, code, *options):
        return subprocess.run(
            self.command(code, *options), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            timeout=BOUND_S, check=False)

    def ends(self, run, exit_code, kind):
        """Return: the report, after the exit code and the schema."""
        self.assertEqual(run.returncode, exit_code, run.stderr)
        report = json.loads(self.report.read_text(encoding="utf-8"))
        self.assertEqual(list(check_schema.check(report, SCHEMA)), [])
        self.assertEqual(report["outcome"]["kind"], kind)
        self.assertEqual(report["outcome"]["exit_code"], exit_code)
        return report

    def refused(self, run, exit_code, words):
        self.assertEqual(run.returncode, exit_code, run.stderr)
        self.assertIn(words, run.stderr.decode())
        self.assertFalse(self.report.exists())

    def reached(self, report):
        return {m["name"] for m in report["milestones"] if m["reached"]}

    def test_poweroff_is_0(self):
        report = self.ends(self.run_guest(POWEROFF), 0, "poweroff")
        self.assertEqual(self.reached(report), {"poweroff"})

    def test_requirement_met_is_0(self):
        run = self.run_guest(POWEROFF, "--require", "poweroff")
        self.ends(run, 0, "poweroff")

    def test_requirement_not_met_is_1(self):
        run = self.run_guest(POWEROFF, "--require", "poweroff,synic")
        self.ends(run, 1, "requirement")
        self.assertIn(b"synic", run.stderr)

    def test_usage_is_2(self):
        self.refused(self.run_guest(POWEROFF, "--odd"), 2, "--odd")
        self.refused(self.run_guest(POWEROFF, "--require", "odd"), 2, "odd")
        self.refused(self.run_guest(POWEROFF, "--profile", "odd"), 2, "odd")

    def test_configuration_is_3(self):
        self.refused(self.run_guest(POWEROFF, "--memory", "1"), 3, "memory")
        self.refused(self.run_guest(POWEROFF, "--initrd", "/nowhere"), 3,
                     "/nowhere")

    def test_image_is_3(self):
        command = self.command(b"")
        self.kernel.write_bytes(b"no kernel at all")
        run = subprocess.run(command, capture_output=True, timeout=BOUND_S,
                             stdin=subprocess.DEVNULL, check=False)
        self.refused(run, 3, str(self.kernel))

    def test_reset_is_32(self):
        run = self.run_guest(RESET, "--on-reboot", "destroy")
        self.ends(run, 32, "reset")

    def test_triple_fault_is_33(self):
        self.ends(self.run_guest(TRIPLE), 33, "triple_fault")

    def flight(self, run):
        """Return: the lines of the flight recorder; None where it is silent."""
        before, head, after = run.stderr.decode().partition(
            "kvmbus: what happened last (kvmbus-trace(7)):\n")
        self.assertNotIn("what happened", before)
        if not head:
            return None
        return [line for line in after.splitlines()
                if not line.startswith("kvmbus:")]

    def test_a_bad_end_prints_what_happened_last(self):
        run = self.run_guest(wrmsr(MSR_GUEST_OS_ID, 0x8100060100000000) +
                             TRIPLE)
        self.ends(run, 33, "triple_fault")
        lines = self.flight(run)
        # seconds, VP, device, category, what was done, to what
        self.assertEqual(
            [line.split()[1:6] for line in lines
             if "reached" not in line and "pauses" not in line],
            [["-", "-", "control", "machine", "runs"],
             ["vp0", "-", "msr", "write", "GUEST_OS_ID"],
             ["-", "-", "control", "machine", "ends"]], lines)
        times = [float(line.split()[0]) for line in lines]
        self.assertEqual(times, sorted(times))

    def test_other_bad_ends_print_it_too(self):
        for code, options in ((PANIC, ()), (HALT, ("--timeout", "1"))):
            with self.subTest(options):
                self.assertTrue(self.flight(self.run_guest(code, *options)))

    def test_a_good_end_does_not(self):
        for code, options, end in (
                (POWEROFF, (), 0), (RESET, ("--on-reboot", "destroy"), 32),
                (TEST_EXIT, ("--test-devices",), 11)):
            with self.subTest(options):
                run = self.run_guest(code, *options)
                self.assertEqual(run.returncode, end, run.stderr)
                self.assertIsNone(self.flight(run))

    def test_flight_says_how_many(self):
        for n in (0, 1):
            with self.subTest(n):
                run = self.run_guest(TRIPLE, "--flight", str(n))
                self.assertEqual(len(self.flight(run) or []), n, run.stderr)

    def test_panic_is_34(self):
        report = self.ends(self.run_guest(PANIC), 34, "panic")
        crash = report["outcome"]["crash"]
        self.assertEqual([int(crash[f"p{i}"], 16) for i in range(5)],
                         [0x1000 + i for i in range(5)])
        self.assertIn("guest_os_id", self.reached(report))

    def test_timeout_is_124(self):
        self.ends(self.run_guest(HALT, "--timeout", "1"), 124, "timeout")

    def test_signal_is_128_and_its_number(self):
        with subprocess.Popen(self.command(READY), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as run:
            bound = threading.Timer(BOUND_S, run.kill)
            bound.start()
            self.assertEqual(run.stdout.read(1), b"R")
            # The first asks the guest, which does not listen.
            run.send_signal(signal.SIGTERM)
            self.assertIn(b"once more", run.stderr.readline())
            run.send_signal(signal.SIGTERM)
            run.communicate()
            bound.cancel()
        self.ends(run, 128 + signal.SIGTERM, "signal")

    def test_test_exit_is_what_the_guest_says(self):
        run = self.run_guest(TEST_EXIT, "--test-devices")
        self.ends(run, 5 << 1 | 1, "test_exit")

    def test_no_test_exit_unless_asked_for(self):
        run = self.run_guest(TEST_EXIT, "--timeout", "1")
        self.ends(run, 124, "timeout")

    def test_report_on_standard_output(self):
        run = self.run_guest(POWEROFF, "--report", "-")
        self.assertEqual(run.returncode, 0, run.stderr)
        report = json.loads(run.stdout)
        self.assertEqual(list(check_schema.check(report, SCHEMA)), [])


if __name__ == "__main__":
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("skip: no /dev/kvm that this user may open")
        sys.exit(77)
    unittest.main()
