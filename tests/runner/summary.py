#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""summary.py FILE.xml: count what ctest --output-junit wrote

Prints one line 'passed failed skipped', then for each skipped test
'skip NAME: REASON' (the last line it printed that says why) and for each
failed test 'fail NAME: STATUS' followed by the end of its output.
"""
import sys
import xml.etree.ElementTree

TAIL_LINES = 40


def reason(output):
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for line in lines:
        if line.lower().startswith("skip"):
            return line.split(":", 1)[-1].strip() or line
    return lines[-1] if lines else "it did not say why"


def main():
    root = xml.etree.ElementTree.parse(sys.argv[1]).getroot()
    passed, skips, fails = 0, [], []
    for case in root.iter("testcase"):
        name = case.get("name")
        output = case.findtext("system-out") or ""
        if case.find("skipped") is not None or case.get("status") == "disabled":
            skips.append((name, reason(output)))
        elif case.get("status") == "run":
            passed += 1
        else:
            fault = case.find("failure")
            status = fault.get("message") if fault is not None else ""
            fails.append((name, status or case.get("status"), output))
    print(passed, len(fails), len(skips))
    for name, why in skips:
        print(f"skip {name}: {why}")
    for name, status, output in fails:
        print(f"fail {name}: {status}")
        for line in output.splitlines()[-TAIL_LINES:]:
            print(f"    {line}")


if __name__ == "__main__":
    main()
