#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_schema.py itself, and the report's schema on made-up reports."""
import copy
import json
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True
import check_schema  # noqa: E402

SCHEMA = json.loads(
    (HERE / "../../configs/report.schema.json").read_text(encoding="utf-8"))
MILESTONES = (SCHEMA["properties"]["milestones"]["items"]["properties"]
              ["name"]["enum"])

GOOD = {
    "outcome": {"kind": "poweroff", "exit_code": 0},
    "host": {"kvm": "kvm-amd", "accel": "user", "overhead_bytes": 9000000},
    "profile": "ws2022",
    "guest": {"os_id": "0x8100060100000000", "name": "Linux 6.1.0",
              "vcpus": 2, "memory_bytes": 1 << 30, "resets": 0},
    "milestones": [{"name": name, "reached": False, "note": "not implemented"}
                   for name in MILESTONES[:-1]] +
                  [{"name": "poweroff", "reached": True, "ms": 12}],
    "msrs": [{"name": "HV_X64_MSR_VP_INDEX", "number": "0x40000002",
              "count": 2, "reads": 2, "writes": 0, "refused": 0}],
    "hypercalls": [{"name": "HvPostMessage", "number": "0x5c", "count": 3,
                    "statuses": {"0x0000": 2, "other": 1}, "refused": 0}],
    "exits": {"io": 7},
    "findings": [{"severity": "warning", "rule": "msr-unknown",
                  "where": "vp 0", "count": 1, "detail": "0x400000ff"}],
}

# what is wrong with it, and how to make it so
BAD_REPORTS = [
    ("lacks profile", lambda r: r.pop("profile")),
    ("has odd", lambda r: r.update(odd=1)),
    ("$.outcome.kind is none of", lambda r: r["outcome"].update(kind="x")),
    ("$.outcome.exit_code is above", lambda r: r["outcome"].update(exit_code=256)),
    ("$.outcome.exit_code is no integer", lambda r: r["outcome"].update(exit_code=True)),
    ("$.outcome.crash lacks p0",
     lambda r: r["outcome"].update(crash={
         "p1": "0x0", "p2": "0x0", "p3": "0x0", "p4": "0x0", "message": None})),
    ("$.guest.os_id does not match", lambda r: r["guest"].update(os_id="12")),
    ("$.guest.vcpus is below", lambda r: r["guest"].update(vcpus=0)),
    ("$.milestones[1] lacks reached", lambda r: r["milestones"][1].pop("reached")),
    ("$.milestones[0].name is none of", lambda r: r["milestones"][0].update(name="x")),
    ("$.milestones has 26 items", lambda r: r["milestones"].pop()),
    ("$.hypercalls[0].statuses has a member whose name does not match",
     lambda r: r["hypercalls"][0]["statuses"].update({"0x5": 1})),
    ("$.exits.io is below", lambda r: r["exits"].update(io=0)),
    ("$.findings is no array", lambda r: r.update(findings={})),
]


def faults(value, schema):
    return [f"${path} {fault}" for path, fault in
            check_schema.check(value, schema)]


class Schema(unittest.TestCase):
    def test_good_report(self):
        self.assertEqual(faults(GOOD, SCHEMA), [])

    def test_every_keyword_is_known(self):
        check_schema.check_schema(SCHEMA)

    def test_bad_reports(self):
        for what, spoil in BAD_REPORTS:
            with self.subTest(what):
                report = copy.deepcopy(GOOD)
                spoil(report)
                found = faults(report, SCHEMA)
                self.assertEqual(len(found), 1, found)
                self.assertIn(what, found[0])

    def test_unknown_keyword_is_refused_where_it_is_not_reached(self):
        schema = {"properties": {"a": {"items": {"oneOf": []}}}}
        with self.assertRaises(check_schema.BadSchema):
            check_schema.check_schema(schema)

    def test_true_is_not_one(self):
        self.assertTrue(faults(True, {"enum": [1]}))
        self.assertTrue(faults(True, {"type": "integer"}))
        self.assertFalse(faults(1, {"enum": [1]}))

    def test_min_items(self):
        self.assertTrue(faults([], {"minItems": 1}))


if __name__ == "__main__":
    unittest.main()
