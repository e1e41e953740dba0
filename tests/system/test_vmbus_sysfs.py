#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""vmbus_sysfs.py finds what a guest's sysfs may have wrong."""
import copy
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import vmbus_sysfs  # noqa: E402

INSTANCE = "fd149e91-82e0-4a7d-afa6-2a4166cbd7c0"
FILES = {
    "id": "3", "state": "3", "DRIVER": "hv_utils", "modalias": "vmbus:394f16",
    "device_id": "{" + INSTANCE + "}", "channel_vp_mapping": "3:1",
    "in_intr_mask": "0", "out_intr_mask": "0",
    "in_read_index": "80", "in_write_index": "80",
    "out_read_index": "72", "out_write_index": "72",
    "in_read_bytes_avail": "0", "in_write_bytes_avail": "4096",
    "out_read_bytes_avail": "0", "out_write_bytes_avail": "8192",
    "3/cpu": "1", "3/subchannel_id": "0", "3/in_mask": "0",
    "3/out_mask": "0", "3/read_avail": "0", "3/write_avail": "8192",
    "3/interrupts": "2", "3/events": "1",
}
MONITOR = {"monitor_id": "5", "3/monitor_id": "5", "3/pending": "0",
           "3/latency": "50000"}
HOST = {"relid": 3, "open": 1, "target_vp": 1, "ring_in_bytes": 8192,
        "ring_out_bytes": 4096, "packets_in": 1, "packets_out": 1,
        "signals_in": 1, "signals_out": 2}
MONITORED = {"monitor_id": 5, "monitor_latency_100ns": 50000,
             "signals_by_page": 1}


class VmbusSysfs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.kernel = folder.name
        modules = pathlib.Path(folder.name, "lib/modules/6.1")
        modules.mkdir(parents=True)
        (modules / "modules.alias").write_text("alias vmbus:394f16* hv_utils\n")
        self.files, self.host = dict(FILES), dict(HOST)

    def check(self, *looks):
        lines = [vmbus_sysfs.MARK + INSTANCE + " " +
                 " ".join(f"{k}:{v}" for k, v in look.items()) + "\r\n"
                 for look in looks or (self.files,)]
        report = {"devices": {"heartbeat": {"instance": INSTANCE,
                                            "channel": self.host}}}
        return list(vmbus_sysfs.check(lines, report, self.kernel, 2))

    def test_all_is_right(self):
        self.assertEqual(self.check(), [])

    def test_each_file_matters(self):
        wrong = {name: "7" for name in FILES
                 if name not in ("DRIVER", "modalias", "3/interrupts")}
        wrong["3/interrupts"] = "0"
        wrong["in_read_index"] = wrong["in_write_index"] = "81"
        for name, value in wrong.items():
            self.files = dict(FILES, **{name: value})
            self.assertNotEqual(self.check(), [], name)

    def test_each_file_must_be_there(self):
        for name in FILES:
            self.files = copy.copy(FILES)
            del self.files[name]
            if name != "modalias":
                self.assertNotEqual(self.check(), [], name)

    def test_one_look_is_enough(self):
        busy = dict(FILES, in_read_bytes_avail="8")
        self.assertEqual(self.check(busy, self.files), [])
        self.assertEqual(len(self.check(busy, busy)), 1)

    def test_bound_if_there_is_a_driver(self):
        del self.files["DRIVER"]
        self.host["open"] = 0
        self.assertEqual(self.check(), ["heartbeat: is not bound"])
        self.files["modalias"] = "vmbus:000000"
        self.assertEqual(self.check(), [])

    def test_a_device_too_few(self):
        report = {"devices": {"heartbeat": {"instance": INSTANCE,
                                            "channel": HOST}}}
        self.assertEqual(
            list(vmbus_sysfs.check([], report, self.kernel, 2)),
            ["heartbeat: the guest does not have it"])

    def test_a_device_too_many(self):
        self.host["relid"] = 0
        self.assertEqual(self.check(),
                         [f"{INSTANCE}: the host has no such device"])

    def test_monitor(self):
        self.files.update(MONITOR)
        self.assertEqual(len(self.check()), 1)
        self.host.update(MONITORED)
        self.assertEqual(self.check(), [])
        for name in MONITOR:
            self.files = dict(FILES, **MONITOR)
            self.files[name] = "6"
            self.assertEqual(len(self.check()), 1, name)
        self.files = dict(FILES, **MONITOR)
        self.host["signals_by_page"] = 0
        self.assertEqual(len(self.check()), 1)


if __name__ == "__main__":
    unittest.main()
