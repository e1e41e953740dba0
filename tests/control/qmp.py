#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""qmp.py KVMBUS: a whole life by QMP, on /dev/kvm

The guests are a few instructions each.
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "../support"))
sys.dont_write_bytecode = True
from qmp_client import QmpClient, QmpError  # noqa: E402
from tiny_guest import HALT, image, out, wrmsr  # noqa: E402

KVMBUS = sys.argv.pop(1) if len(sys.argv) > 1 else "kvmbus"
BOUND_S = 60
MEMORY = 64 << 20

POWEROFF = out(0x404, 5 << 10 | 1 << 13, 2) + HALT
READY = out(0x3F8, ord("R")) + HALT
# mov dx, PM1 status; again: in ax, dx; test ah, 1 (power button); jz again
BUTTON = out(0x3F8, ord("R")) + \
    b"\x66\xba\x00\x04\x66\xed\xf6\xc4\x01\x74\xf9" + POWEROFF


class Qmp(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="kvmbus-qmp.")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.where = str(self.folder / "socket")

    def start(self, code=BUTTON, *options):
        (self.folder / "image").write_bytes(image(code))
        self.vm = subprocess.Popen(
            [KVMBUS, "run", "--kernel", str(self.folder / "image"), "--vcpus",
             "2", "--memory", "64", "--control", self.where, "--timeout",
             str(2 * BOUND_S), *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        self.addCleanup(self.vm.stdout.close)
        self.addCleanup(self.vm.wait)
        self.addCleanup(self.vm.kill)
        self.assertEqual(self.vm.stdout.read(1), b"R")
        client = QmpClient(self.where)
        self.addCleanup(client.close)
        return client

    def file(self, name, size):
        path = self.folder / name
        with open(path, "wb") as f:
            f.truncate(size)
        return str(path)

    def refuses(self, kind, why, client, command, **arguments):
        with self.assertRaises(QmpError) as caught:
            client.execute(command, **arguments)
        self.assertEqual(caught.exception.kind, kind)
        self.assertIn(why, str(caught.exception))

    def test_a_whole_life(self):
        q = self.start(BUTTON, "--disk", self.file("first", 1 << 20))
        self.assertEqual(q.greeting["capabilities"], [])
        self.assertEqual(q.execute("query-status")["status"], "running")
        q.execute("stop")
        self.assertEqual(q.wait_event("STOP"), {})
        self.assertEqual(q.execute("query-status"), {
            "running": False, "singlestep": False, "status": "paused"})
        q.execute("cont")
        self.assertEqual(q.wait_event("RESUME"), {})
        self.disk(q)
        self.card(q)
        q.execute("system_reset")
        self.assertEqual(q.wait_event("RESET"), {
            "guest": False, "reason": "host-qmp-system-reset"})
        self.assertEqual(self.vm.stdout.read(1), b"R")
        q.execute("system_powerdown")
        q.wait_event("POWERDOWN")
        self.assertEqual(q.wait_event("SHUTDOWN"), {
            "guest": True, "reason": "guest-shutdown"})
        self.assertEqual(q.wait_event("KVMBUS_OUTCOME")["exit-code"], 0)
        self.assertEqual(self.vm.wait(timeout=BOUND_S), 0)

    def disk(self, q):
        path = self.file("a,b", 2 << 20)
        q.call("blockdev-add", {
            "node-name": "n1", "driver": "raw", "read-only": False,
            "cache": {"direct": False, "no-flush": False},
            "discard": "unmap", "detect-zeroes": "on",
            "file": {"driver": "file", "filename": path}})
        q.execute("device_add", driver="scsi-hd", id="d1", drive="n1",
                  serial="x,y")
        disks = {d["qdev"]: d for d in q.execute("query-block")}
        self.assertEqual(set(disks), {"scsi0:0", "d1"})
        inserted = disks["d1"]["inserted"]
        self.assertEqual(inserted["node-name"], "n1")
        self.assertEqual(inserted["drv"], "raw")
        self.assertEqual(inserted["image"]["filename"], path)
        self.assertEqual(inserted["image"]["virtual-size"], 2 << 20)
        self.assertEqual(inserted["detect_zeroes"], "on")
        self.assertEqual(disks["d1"]["device"], "scsi0:1")
        stats = {d["qdev"]: d for d in q.execute("query-blockstats")}
        self.assertEqual(stats["d1"]["stats"]["rd_bytes"], 0)
        q.execute("block_resize", node__name="n1", size=3 << 20)
        self.assertEqual(os.path.getsize(path), 3 << 20)
        self.refuses("GenericError", "does not shrink", q, "block_resize",
                     device="scsi0:1", size=1 << 20)
        self.refuses("DeviceNotFound", "no disk", q, "block_resize",
                     device="x", size=1 << 20)
        self.refuses("GenericError", "uses 'n1'", q, "blockdev-del",
                     node__name="n1")
        self.refuses("GenericError", "there is a device", q, "device_add",
                     driver="scsi-hd", id="d1", drive="n1")
        self.refuses("GenericError", "uses 'n1'", q, "device_add",
                     driver="scsi-hd", id="d2", drive="n1")
        self.refuses("GenericError", "its place", q, "device_add",
                     driver="scsi-cd", lun=3)
        self.refuses("GenericError", "serial: is null", q, "device_add",
                     driver="scsi-cd", serial=None)
        q.execute("device_del", id="d1")
        self.assertEqual(q.wait_event("DEVICE_DELETED"),
                         {"device": "d1", "path": "scsi0:1"})
        self.assertEqual(len(q.execute("query-block")), 1)
        q.execute("blockdev-del", node__name="n1")
        self.refuses("DeviceNotFound", "no 'n1'", q, "blockdev-del",
                     node__name="n1")

    def card(self, q):
        q.call("netdev_add", {"type": "user", "id": "h1", "restrict": True,
                              "net": "10.9.8.0/24"})
        q.execute("device_add", driver="netvsc", id="c1", netdev="h1",
                  mac="02:00:00:01:02:03")
        cards = q.execute("query-rx-filter")
        self.assertEqual([(c["name"], c["main-mac"]) for c in cards],
                         [("net0", "02:00:00:01:02:03")])
        self.assertEqual(q.execute("query-rx-filter", name="c1"), cards)
        q.execute("set_link", name="c1", up=False)
        q.execute("set_link", name="net0", up=True)
        self.refuses("DeviceNotFound", "no such", q, "set_link", name="c2",
                     up=True)
        self.refuses("GenericError", "uses 'h1'", q, "netdev_del", id="h1")
        q.execute("device_del", id="c1")
        self.assertEqual(q.wait_event("DEVICE_DELETED"),
                         {"device": "c1", "path": "net0"})
        q.execute("netdev_del", id="h1")
        self.assertEqual(q.execute("query-rx-filter"), [])
        self.refuses("DeviceNotFound", "no network card", q,
                     "query-rx-filter", name="net0")

    def test_cards_come_and_go(self):
        q = self.start(READY, "--net", "null")
        q.call("netdev_add", {"type": "user", "id": "h"})
        for _ in range(20):
            q.execute("device_add", driver="netvsc", id="c", netdev="h")
            q.execute("device_del", id="c")
        # Eight at most; each has an address of its own.
        names = [self.ctl("net-add", "null").strip() for _ in range(7)]
        self.assertEqual(len(set(names)), 7)
        macs = {c["main-mac"] for c in q.execute("query-rx-filter")}
        self.assertEqual(len(macs), 8)
        self.assertIn("8 network cards at most",
                      self.ctl("net-add", "null", code=1))
        for name in ["net0", *names]:
            self.ctl("net-remove", name)
        self.assertIn("no such", self.ctl("net-remove", "net0", code=1))
        self.assertIn("no such", self.ctl("net-remove", "scsi0:0", code=1))
        self.assertEqual(q.execute("query-rx-filter"), [])
        q.execute("quit")
        self.assertEqual(self.vm.wait(timeout=BOUND_S), 0)

    def ctl(self, *words, code=0):
        run = subprocess.run([KVMBUS, "ctl", self.where, *words],
                             stdin=subprocess.DEVNULL, capture_output=True,
                             timeout=BOUND_S, check=False, text=True)
        self.assertEqual(run.returncode, code, run.stderr)
        return run.stdout if not code else run.stderr

    def test_drives(self):
        q = self.start(READY)
        q.execute("device_add", driver="scsi-cd", id="cd")
        (drive,) = q.execute("query-block")
        self.assertTrue(drive["removable"])
        self.assertNotIn("inserted", drive)
        one, two = self.file("one", 1 << 20), self.file("two", 2 << 20)
        q.call("blockdev-change-medium", {"id": "cd", "filename": one})
        self.assertEqual(q.wait_event("DEVICE_TRAY_MOVED"), {
            "device": "scsi0:0", "id": "cd", "tray-open": False})
        q.call("blockdev-change-medium", {"id": "cd", "filename": two})
        (drive,) = q.execute("query-block")
        self.assertEqual(drive["inserted"]["file"], two)
        q.execute("eject", id="cd")
        self.refuses("GenericError", "no disc", q, "eject", device="scsi0:0")
        self.refuses("GenericError", "is missing", q, "eject")

    def test_a_disk_of_an_nbd_server(self):
        if not shutil.which("qemu-nbd"):
            self.skipTest("qemu-nbd is not installed")
        where, image_ = str(self.folder / "nbd"), self.file("image.raw", 1 << 20)
        server = subprocess.Popen(
            ["qemu-nbd", "--persistent", "--shared=16", "--format=raw",
             "--export-name=one", "--socket", where, image_],
            stdin=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        end = time.monotonic() + BOUND_S
        while not os.path.exists(where) and time.monotonic() < end:
            time.sleep(0.01)
        uri = f"nbd+unix:///one?socket={where}"
        q = self.start(READY, "--disk", uri)
        (disk,) = q.execute("query-block")
        self.assertEqual(disk["inserted"]["file"], uri)
        self.assertEqual(disk["inserted"]["drv"], "raw")
        self.assertEqual(disk["inserted"]["image"]["virtual-size"], 1 << 20)
        q.call("blockdev-add", {
            "driver": "nbd", "node-name": "n", "export": "one",
            "server": {"type": "unix", "path": where}})
        q.execute("device_add", driver="scsi-hd", id="d", drive="n")
        self.assertEqual([d["inserted"]["file"] for d in
                          q.execute("query-block")], [uri, uri])
        q.execute("quit")
        self.assertEqual(self.vm.wait(timeout=BOUND_S), 0)

    def test_backends_that_are_refused(self):
        q = self.start(READY)
        for what, why in (
                ({"driver": "qcow2"}, "filename"),
                ({"driver": "file", "filename": 1}, "filename"),
                ({"driver": "nbd", "server": {}}, "server"),
                ({"driver": "qcow2", "file": "x"}, "no such node"),
                ({"driver": "qcow2", "file": {"driver": "raw", "file": {
                    "driver": "file", "filename": "x"}}}, "over a format"),
                ({"driver": "raw", "file": {"driver": "raw", "file": {
                    "driver": "raw", "file": {}}}}, "over a format"),
                ({"driver": "file", "filename": "x", "cache": {"x": 1}},
                 "cache"),
                ({"driver": "file", "filename": "x", "read-only": 1},
                 "true or false")):
            with self.assertRaises(QmpError) as caught:
                q.call("blockdev-add", {"node-name": "n", **what})
            self.assertIn(why, str(caught.exception))
        for what, why in (
                ({"type": "vde"}, "expected user"),
                ({"type": "user", "smb": "x"}, "smb"),
                ({"type": "user", "hostfwd": [1]}, "hostfwd"),
                ({"type": "tap", "script": "/bin/x"}, "script"),
                ({"type": "bridge", "helper": "x"}, "helper"),
                ({"type": "stream", "addr": {"type": "inet"}}, "host and port")):
            with self.assertRaises(QmpError) as caught:
                q.call("netdev_add", {"id": "n", **what})
            self.assertIn(why, str(caught.exception))
        # What cannot be had shows when a device wants it.
        q.call("blockdev-add", {"node-name": "a", "driver": "file",
                                "filename": "/nowhere"})
        q.call("blockdev-add", {"node-name": "b", "driver": "qcow2",
                                "file": "a"})
        self.refuses("GenericError", "/nowhere", q, "device_add",
                     driver="scsi-hd", drive="b")
        q.call("netdev_add", {"type": "bridge", "id": "b", "br": "no-such"})
        self.refuses("GenericError", "net", q, "device_add", driver="netvsc",
                     netdev="b")
        q.call("netdev_add", {
            "type": "stream", "id": "s", "server": True,
            "addr": {"type": "unix", "path": str(self.folder / "net,1")}})
        q.execute("device_add", driver="netvsc", netdev="s")
        self.assertTrue((self.folder / "net,1").exists())
        self.refuses("GenericError", "not a valid device model", q,
                     "device_add", driver="e1000")

    def test_queries(self):
        q = self.start(READY, "--uuid", "01234567-89ab-cdef-0123-456789abcdef")
        names = {c["name"] for c in q.execute("query-commands")}
        self.assertLessEqual({
            "qmp_capabilities", "query-status", "stop", "cont", "quit",
            "system_reset", "system_powerdown", "device_add", "device_del",
            "blockdev-add", "blockdev-del", "netdev_add", "netdev_del",
            "kvmbus-inspect"}, names)
        schema = {e["name"]: e for e in q.execute("query-qmp-schema")}
        self.assertEqual({n for n, e in schema.items()
                          if e["meta-type"] == "command"}, names)
        for entry in schema.values():
            for member in entry.get("members", []):
                self.assertIn(member["type"], schema)
            for key in ("arg-type", "ret-type"):
                self.assertIn(entry.get(key, "any"), schema)
        self.assertEqual(schema["STOP"]["meta-type"], "event")
        version = q.execute("query-version")
        self.assertEqual(set(version["qemu"]), {"major", "minor", "micro"})
        self.assertEqual(q.greeting["version"], version)
        self.assertEqual(q.execute("query-uuid")["UUID"],
                         "01234567-89ab-cdef-0123-456789abcdef")
        self.assertEqual(q.execute("query-kvm"),
                         {"enabled": True, "present": True})
        threads = [c["thread-id"] for c in q.execute("query-cpus-fast")]
        tasks = f"/proc/{self.vm.pid}/task"
        self.assertEqual([
            pathlib.Path(tasks, str(t), "comm").read_text(
                encoding="ascii").strip() for t in threads],
            ["vcpu/0", "vcpu/1"])
        self.assertEqual(q.execute("query-memory-size-summary"),
                         {"base-memory": MEMORY, "plugged-memory": 0})
        self.assertEqual(q.execute("query-balloon"), {"actual": MEMORY})
        self.refuses("DeviceNotActive", "no driver", q, "balloon",
                     value=MEMORY // 2)
        self.refuses("DeviceNotActive", "no driver", q, "send-key", keys=[
            {"type": "qcode", "data": k} for k in ("ctrl", "alt", "delete")])
        self.refuses("GenericError", "expected a list", q, "send-key",
                     keys=[{"type": "number", "data": 1}])
        self.refuses("GenericError", "no human monitor", q,
                     "human-monitor-command", command__line="info status")
        self.refuses("CommandNotFound", "not been found", q, "migrate",
                     uri="x")

    # --- clients that are a nuisance

    def test_who_never_reads_stalls_nobody(self):
        q = self.start(READY)
        with socket.socket(socket.AF_UNIX) as deaf:
            deaf.connect(self.where)
            deaf.setblocking(False)
            deaf.sendall(b'{"execute":"qmp_capabilities"}')
            request = b'{"execute":"query-qmp-schema"}' * 100
            for _ in range(100):
                try:
                    deaf.send(request)
                except BlockingIOError:
                    break
            for _ in range(300):
                q.execute("stop")
                q.execute("cont")
            self.assertEqual(q.execute("query-status")["status"], "running")
        q.execute("quit")
        self.assertEqual(self.vm.wait(timeout=BOUND_S), 0)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.vm.pid}/fd"))

    def resident_kib(self):
        status = pathlib.Path(f"/proc/{self.vm.pid}/status").read_text(
            encoding="ascii")
        return int(status.split("VmRSS:")[1].split()[0])

    def many_connects(self, n):
        for i in range(n):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(self.where)
                if i % 3:
                    client.sendall(b'{"execute":"qmp_capabilities"}'
                                   b'{"execute":"query-qmp-schema"}'
                                   b'{"execute":"query-st')
                if i % 5 == 0:
                    client.recv(100)

    def test_a_thousand_connects_leak_nothing(self):
        q = self.start(READY)
        before = self.descriptors()
        self.many_connects(200)
        q.execute("query-status")
        resident = self.resident_kib()
        self.many_connects(1000)
        end = time.monotonic() + BOUND_S
        while self.descriptors() > before and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(self.descriptors(), before)
        self.assertLess(self.resident_kib() - resident, 4096)
        q.execute("quit")
        self.assertEqual(self.vm.wait(timeout=BOUND_S), 0)

    # --- what happens

    def test_a_panic_is_told(self):
        q = self.start(out(0x3F8, ord("R")) +
                       b"\x66\xba\x00\x04\x66\xed\xf6\xc4\x01\x74\xf9" +
                       b"".join(wrmsr(0x40000100 + i, 0x1000 + i)
                                for i in range(5)) +
                       wrmsr(0x40000105, 1 << 63) + HALT)
        q.execute("system_powerdown")
        self.assertEqual(q.wait_event("GUEST_PANICKED"), {
            "action": "poweroff", "info": {
                "type": "hyper-v",
                **{f"arg{i + 1}": 0x1000 + i for i in range(5)}}})
        self.assertEqual(q.wait_event("SHUTDOWN")["reason"], "guest-panic")
        self.assertEqual(self.vm.wait(timeout=BOUND_S), 34)

    def test_a_signal_is_told(self):
        q = self.start(READY)
        self.vm.send_signal(signal.SIGHUP)
        self.assertEqual(q.wait_event("SHUTDOWN")["reason"], "host-signal")
        with self.assertRaises(EOFError):
            q.wait_event("X")


if __name__ == "__main__":
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("skip: /dev/kvm is not there, or not for this user")
        sys.exit(77)
    unittest.main()
