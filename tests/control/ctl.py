#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ctl.py KVMBUS: `kvmbus ctl` against running machines, on /dev/kvm

The guests are a few instructions each.
"""
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "../support"))
sys.path.insert(0, str(HERE / "../report"))
sys.dont_write_bytecode = True
import check_schema  # noqa: E402
from tiny_guest import HALT, LOAD, image, out  # noqa: E402

SCHEMA = json.loads(
    (HERE / "../../configs/report.schema.json").read_text(encoding="utf-8"))
KVMBUS = sys.argv.pop(1) if len(sys.argv) > 1 else "kvmbus"
BOUND_S = 60

POWEROFF = out(0x404, 5 << 10 | 1 << 13, 2) + HALT
# again: print a dot; jmp again
DOTS = out(0x3F8, ord("."))
DOTS += b"\xe9" + struct.pack("<i", -len(DOTS) - 5)
READY = out(0x3F8, ord("R")) + HALT
# mov dx, PM1 status; again: in ax, dx; test ah, 1 (power button); jz again
BUTTON = out(0x3F8, ord("R")) + \
    b"\x66\xba\x00\x04\x66\xed\xf6\xc4\x01\x74\xf9" + POWEROFF
# lidt of a descriptor of zeros, so that an NMI is a triple fault
NO_NMI = b"\x0f\x01\x1d" + struct.pack("<I", LOAD + 0x800) + READY


class Ctl(unittest.TestCase):
    def new_folder(self):
        folder = tempfile.TemporaryDirectory(prefix="kvmbus-ctl.")
        self.addCleanup(folder.cleanup)
        return folder.name

    def start(self, code, *options):
        folder = self.new_folder()
        self.kernel = pathlib.Path(folder, "image")
        self.kernel.write_bytes(image(code))
        self.socket = os.path.join(folder, "socket")
        self.report = pathlib.Path(folder, "report.json")
        self.vm = subprocess.Popen(
            [KVMBUS, "run", "--kernel", str(self.kernel), "--vcpus", "2",
             "--memory", "64", "--control", self.socket, "--timeout",
             str(BOUND_S), "--report", str(self.report), *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        self.addCleanup(self.vm.stdout.close)
        self.addCleanup(self.vm.wait)
        self.addCleanup(self.vm.kill)
        self.assertIn(self.vm.stdout.read(1), (b".", b"R"))

    def ctl(self, *words, code=0):
        run = subprocess.run([KVMBUS, "ctl", self.socket, *words],
                             stdin=subprocess.DEVNULL, capture_output=True,
                             timeout=BOUND_S, check=False, text=True)
        self.assertEqual(run.returncode, code, run.stderr)
        return run.stdout if not code else run.stderr

    def status(self):
        return json.loads(self.ctl("status"))

    def ends(self, code, kind):
        self.assertEqual(self.vm.wait(timeout=BOUND_S), code)
        report = json.loads(self.report.read_text(encoding="utf-8"))
        self.assertEqual(report["outcome"]["kind"], kind)
        self.assertFalse(os.path.exists(self.socket))
        return report

    def test_status_and_quit(self):
        self.start(READY, "--profile", "ws2019")
        status = self.status()
        self.assertEqual(status["state"], "running")
        self.assertEqual(status["profile"], "ws2019")
        self.assertEqual(status["vcpus"], 2)
        self.assertEqual(status["memory_bytes"], 64 << 20)
        self.assertEqual(status["guest"], "none")
        self.assertEqual(self.ctl("quit"), "")
        self.ends(0, "quit")
        self.assertIn("No such file", self.ctl("status", code=4))

    def drain(self, seconds):
        """Read for so long; did anything come?"""
        os.set_blocking(self.vm.stdout.fileno(), False)
        end, came = time.monotonic() + seconds, False
        while time.monotonic() < end:
            came = bool(self.vm.stdout.read(1 << 20)) or came
            time.sleep(0.01)
        return came

    def expect_dots(self):
        """More come than what was under way, however slow the machine is."""
        self.drain(0.2)
        self.assertTrue(any(self.drain(0.2) for _ in range(BOUND_S)))

    def expect_no_dots(self):
        """What was under way comes, and then no more."""
        self.drain(0.5)
        self.assertFalse(self.drain(0.3))

    def test_pause_and_resume(self):
        self.start(DOTS)
        self.expect_dots()
        self.ctl("pause")
        self.assertEqual(self.status()["state"], "paused")
        self.ctl("pause")
        self.expect_no_dots()
        # Looking does not wake it, nor does a reset.
        self.ctl("inspect")
        self.ctl("reset")
        self.expect_no_dots()
        self.ctl("resume")
        self.ctl("resume")
        self.expect_dots()
        self.assertEqual(self.status()["resets"], 1)
        self.ctl("quit")
        self.ends(0, "quit")

    def test_a_paused_machine_quits(self):
        self.start(READY)
        self.ctl("pause")
        self.ctl("quit")
        self.ends(0, "quit")

    def test_a_paused_machine_ends_in_time(self):
        self.start(READY, "--timeout", "2")
        self.ctl("pause")
        self.ends(124, "timeout")

    def test_reset(self):
        self.start(READY, "--on-reboot", "destroy")
        self.ctl("reset")
        self.assertEqual(self.vm.stdout.read(1), b"R")
        self.assertEqual(self.status()["resets"], 1)
        self.ctl("quit")
        self.assertEqual(self.ends(0, "quit")["guest"]["resets"], 1)

    def test_power_button(self):
        self.start(BUTTON)
        self.ctl("power-button")
        self.ends(0, "poweroff")

    def test_nmi(self):
        self.start(NO_NMI)
        self.ctl("nmi")
        self.ends(33, "triple_fault")

    def test_dump(self):
        self.start(DOTS)
        path = pathlib.Path(self.new_folder(), "core")
        self.ctl("dump", str(path))
        core = path.read_bytes()
        self.assertEqual(core[:7], b"\x7fELF\x02\x01\x01")
        headers, count = struct.unpack_from("<32xQ16xH", core)
        loads = {}
        for i in range(count):
            kind, _, offset, _, gpa, size = struct.unpack_from(
                "<IIQQQQ", core, headers + 56 * i)
            if kind == 1:
                loads[gpa] = (offset, size)
            else:
                notes = core[offset:offset + size]
        self.assertEqual(list(loads), [0])
        offset, size = loads[0]
        self.assertEqual(size, 64 << 20)
        self.assertEqual(len(core), offset + size)
        self.assertEqual(core[offset + LOAD:][:0x1000], image(DOTS))
        # Two processors, each with both notes; the first is in the loop.
        self.assertEqual(notes.count(b"CORE\0"), 2)
        self.assertEqual(notes.count(b"QEMU\0"), 2)
        rip = struct.unpack_from("<Q", notes, 12 + 8 + 112 + 16 * 8)[0]
        self.assertTrue(LOAD <= rip < LOAD + 0x1000, hex(rip))
        self.expect_dots()
        self.assertIn("No such file",
                      self.ctl("dump", "/nowhere/core", code=1))
        path.unlink()
        self.ctl("dump-guest-memory", "paging=false", f"protocol=file:{path}")
        self.assertEqual(path.stat().st_size, len(core))
        for words, why in (
                (["paging=true", "protocol=file:x"], "physical"),
                (["paging=false", "protocol=fd:x"], "only file:"),
                (["paging=false", "protocol=file:x", "format=kdump-lzo"],
                 "only elf")):
            self.assertIn(why, self.ctl("dump-guest-memory", *words, code=1))
        self.ctl("quit")
        self.ends(0, "quit")

    def image(self, name, size):
        path = pathlib.Path(self.folder.name, name)
        with open(path, "wb") as f:
            f.truncate(size)
        return str(path)

    def scsi(self):
        return json.loads(self.ctl("inspect"))["devices"]["scsi0"]

    def test_disks_come_and_go(self):
        self.folder = tempfile.TemporaryDirectory(prefix="kvmbus-disk.")
        self.addCleanup(self.folder.cleanup)
        first = self.image("first", 1 << 20)
        more = self.image("more", 2 << 20)
        self.start(READY, "--disk", first, "--disk", ",dvd")
        self.assertEqual(self.ctl("disk-add", more + ",serial=x").strip(),
                         "scsi0:2")
        self.assertEqual(self.scsi()["lun2_bytes"], 2 << 20)
        self.assertIn("uses it", self.ctl("disk-add", more, code=1))
        os.truncate(more, 3 << 20)
        self.ctl("disk-resize", "scsi0:2")
        self.assertEqual(self.scsi()["lun2_bytes"], 3 << 20)
        self.ctl("disk-limits", "scsi0:2", "iops=100,bps=1M")
        self.ctl("disk-limits", "scsi0:2", "none")
        self.ctl("disk-remove", "scsi0:2")
        self.assertNotIn("lun2_bytes", self.scsi())
        # Its image was let go of; its place is taken again last.
        self.assertEqual(self.ctl("disk-add", more).strip(), "scsi0:3")
        self.ctl("dvd-insert", "scsi0:1", first + "x", code=1)
        disc = self.image("disc", 1 << 20)
        self.ctl("dvd-insert", "scsi0:1", disc)
        self.assertIn("there is a disc",
                      self.ctl("dvd-insert", "scsi0:1", disc, code=1))
        self.assertEqual(self.scsi()["lun1_bytes"], 1 << 20)
        self.ctl("dvd-eject", "scsi0:1")
        self.assertIn("no disc", self.ctl("dvd-eject", "scsi0:1", code=1))
        for words, why in (
                (("disk-remove", "scsi0:9"), "no such disk"),
                (("disk-resize", "scsi0:1"), "no disk that has a size"),
                (("disk-limits", "scsi0:0", "iops=no"), "iops"),
                (("dvd-eject", "scsi0:0"), "not a DVD drive"),
                (("disk-add", "x,bus=ide"), "IDE"),
                (("disk-add", "x,colour=red"), "colour"),
                (("disk-add", "/nowhere"), "/nowhere")):
            self.assertIn(why, self.ctl(*words, code=1))
        self.ctl("quit")
        self.ends(0, "quit")

    def test_network_cards(self):
        capture = os.path.join(self.new_folder(), "capture")
        self.start(READY, "--net", "user,link=down", "--net", "null",
                   "--pcap", capture)
        cards = json.loads(self.ctl("inspect"))["devices"]
        self.assertEqual(cards["net0"]["backend"], "user")
        self.assertEqual(cards["net1"]["backend"], "null")
        self.assertEqual(cards["net0"]["mac"][:8], "00:15:5d")
        self.assertNotEqual(cards["net0"]["mac"], cards["net1"]["mac"])
        self.ctl("net-link", "net0", "up")
        self.ctl("net-link", "net0", "down")
        self.assertIn("up or down", self.ctl("net-link", "net0", "on", code=1))
        self.assertIn("no such", self.ctl("net-link", "net2", "up", code=1))
        self.ctl("quit")
        self.ends(0, "quit")
        self.assertEqual(pathlib.Path(capture).read_bytes()[:4],
                         b"\x0a\x0d\x0d\x0a")

    def test_a_net_that_cannot_be_had(self):
        run = subprocess.run(
            [KVMBUS, "run", "--kernel", "/dev/null", "--net", "bridge=no"],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=BOUND_S,
            check=False, text=True)
        self.assertIn(run.returncode, (3, 4))

    def test_a_controller_comes_with_its_first_disk(self):
        folder = tempfile.TemporaryDirectory(prefix="kvmbus-ctl.")
        self.addCleanup(folder.cleanup)
        disk = pathlib.Path(folder.name, "disk")
        disk.write_bytes(bytes(1 << 20))
        self.start(READY)
        self.assertIn("neither a file",
                      self.ctl("disk-add", "/dev/null", code=1))
        self.assertIn("none of its disks has limits", self.ctl(
            "disk-add", f"{disk},throttle-group=g", code=1))
        self.assertNotIn("scsi0", self.ctl("inspect"))
        self.assertIn("scsi0:0", self.ctl("disk-add", str(disk)))
        self.assertIn("another program uses it",
                      self.ctl("disk-add", str(disk), code=1))
        self.assertIn("scsi0:1", self.ctl("disk-add", ",dvd"))
        self.assertIn('"scsi0"', self.ctl("inspect"))
        self.ctl("disk-remove", "scsi0:0")
        self.assertIn("scsi0:2", self.ctl("disk-add", str(disk)))
        self.ctl("quit")
        self.ends(0, "quit")

    def refused(self, disk):
        """Run with a disk that cannot be: what does it say?"""
        run = subprocess.run(
            [KVMBUS, "run", "--kernel", str(self.kernel), "--disk", disk],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=BOUND_S,
            check=False, text=True)
        self.assertEqual(run.returncode, 3, run.stderr)
        return run.stderr

    def test_bad_images_are_refused(self):
        folder = tempfile.TemporaryDirectory(prefix="kvmbus-ctl.")
        self.addCleanup(folder.cleanup)
        disk = pathlib.Path(folder.name, "disk")
        disk.write_bytes(bytes(1 << 20))
        self.start(READY, "--disk", str(disk))
        self.assertIn("another program uses it", self.refused(str(disk)))
        short = pathlib.Path(folder.name, "short")
        short.write_bytes(b"short")
        self.assertIn("not one block", self.refused(str(short)))
        self.assertIn("No such file", self.refused(str(short) + "er"))
        self.assertIn("neither a file", self.refused("/dev/null"))
        if shutil.which("qemu-nbd"):
            self.assertIn(str(short), self.refused(f"{short},format=qcow2"))
        self.ctl("quit")
        self.ends(0, "quit")

    def test_inspect(self):
        self.start(READY)
        report = json.loads(self.ctl("inspect"))
        self.assertNotIn("outcome", report)
        self.assertGreaterEqual(report["exits"]["io"], 1)
        report["outcome"] = {"kind": "quit", "exit_code": 0}
        self.assertEqual(list(check_schema.check(report, SCHEMA)), [])
        self.ctl("quit")
        self.ends(0, "quit")

    def test_devices_without_drivers(self):
        self.start(READY)
        for words in (["type", "hello"], ["key", "ctrl-alt-delete"],
                      ["mouse", "0", "32767"], ["click"],
                      ["click", "right"], ["scroll", "-1"],
                      ["balloon", "2"], ["memory-add", "128"]):
            self.assertIn("has no driver for the", self.ctl(*words, code=1))
        self.assertEqual(json.loads(self.ctl("balloon"))["ready"], False)
        self.assertEqual(json.loads(self.ctl("memory-add")), {
            "ready": False, "busy": False, "limited": False, "target_mib": 0,
            "added_mib": 0, "unit_mib": 0, "room_mib": 0})
        for words, why in ((["type", "\u00e4"], "no key types it"),
                           (["key", "ctrl-odd"], "odd: no such key"),
                           (["mouse", "0", "32768"], "out of range"),
                           (["click", "odd"], "no button 'odd'"),
                           (["scroll", "128"], "no number from -127"),
                           (["rescind", "odd"], "no device 'odd'"),
                           (["offer", "odd"], "no device 'odd'")):
            self.assertIn(why, self.ctl(*words, code=1))
        for command in ("shutdown", "reboot", "hibernate", "time-sync"):
            self.assertIn("no driver", self.ctl(command, code=1))
        for words in (["kvp-get", "a"], ["kvp-set", "a", "b"],
                      ["kvp-delete", "a", "guest"], ["kvp-list", "auto"],
                      ["kvp-ip", "00:15:5D:01:02:03"], ["freeze-check"],
                      ["freeze"], ["copy-file", __file__, "/tmp"]):
            self.assertIn("no driver", self.ctl(*words, code=1))
        self.assertIn("already", self.ctl("thaw", code=1))
        self.assertIn("argument is wrong", self.ctl("kvp-ip", "", code=1))
        self.assertIn("no pool 'odd'", self.ctl("kvp-list", "odd", code=1))
        self.assertIn("/nowhere: No such file",
                      self.ctl("copy-file", "/nowhere", "/", code=1))
        self.assertIn("argument is wrong",
                      self.ctl("copy-file", "/tmp", "/", code=1))
        for _ in range(3):
            self.ctl("rescind", "keyboard")
            self.ctl("rescind", "keyboard")
            self.ctl("offer", "keyboard")
            self.ctl("offer", "keyboard")
        self.ctl("quit")
        self.ends(0, "quit")

    def test_ends_while_a_guest_is_asked(self):
        self.start(READY, "--profile", "ws2012")
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(self.socket)
            client.sendall(b'{"execute":"qmp_capabilities"}' +
                           b'{"execute":"kvmbus-shutdown"}' * 3)
            self.ctl("quit")
            self.ends(0, "quit")

    def test_the_socket_is_taken(self):
        self.start(READY)
        run = subprocess.run(
            [KVMBUS, "run", "--kernel", str(self.kernel), "--control",
             self.socket], stdin=subprocess.DEVNULL, capture_output=True,
            timeout=BOUND_S, check=False, text=True)
        self.assertEqual(run.returncode, 4)
        self.assertIn(self.socket + ": exists", run.stderr)
        self.assertEqual(self.status()["state"], "running")
        self.ctl("quit")
        self.ends(0, "quit")

    def test_many_clients(self):
        self.start(READY)
        clients = [socket.socket(socket.AF_UNIX) for _ in range(60)]
        for i, client in enumerate(clients):
            client.settimeout(BOUND_S)
            client.connect(self.socket)
            client.sendall(b'{"execute":"qmp_capabilities"}'
                           b'{"id":%d,"execute":"kvmbus-status"}' % i)
        for i, client in enumerate(clients):
            with client, client.makefile() as lines:
                self.assertIn("QMP", json.loads(lines.readline()))
                self.assertEqual(json.loads(lines.readline()), {"return": {}})
                self.assertEqual(json.loads(lines.readline())["id"], i)
        self.ctl("quit")
        self.ends(0, "quit")


if __name__ == "__main__":
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("skip: /dev/kvm is not there, or not for this user")
        sys.exit(77)
    unittest.main()
