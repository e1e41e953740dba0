#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""test_table.py DOMAIN-ELEMENTS

The table of checks is the table of the manual page: what DOMAIN-ELEMENTS prints,
which is in kvmbus-domain(5), is honoured or not by the same rows that read the
XML.  An element without a check fails, and a check without an element.
"""
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.dont_write_bytecode = True
from domain.table import (DOMAINS, EXPLAINED, checks_of,  # noqa: E402
                          paths_of)


def honoured(program):
    """The rows of the manual page that are honoured."""
    said = subprocess.run([program], capture_output=True, text=True,
                          check=True).stdout.replace("\\", "")
    return set(re.findall(r"^\*(\S+)\*(?: = .*)?, honoured\+\+$", said, re.M))


def main():
    elements = honoured(sys.argv[1])
    problems = []
    checked = set()
    for name, module in DOMAINS.items():
        here = set(checks_of(name))
        paths = paths_of(module.XML)
        checked |= here
        problems += [f"{name}: {path} is checked, but not in {module.XML.name}"
                     for path in sorted(here - paths)]
        problems += [f"{name}: {path}: its check does not say where it looks"
                     for path, check in sorted(checks_of(name).items())
                     if not getattr(check, "place", None)]
    for path in sorted(paths_of(DOMAINS["full"].XML) & elements
                       - checked - set(EXPLAINED)):
        problems.append(f"linux-full.xml: {path} has no check")
    problems += [f"{path} is honoured, but has no check"
                 for path in sorted(elements - checked - set(EXPLAINED))]
    problems += [f"{path} has a check, but is not honoured"
                 for path in sorted((checked | set(EXPLAINED)) - elements)]
    problems += [f"{path} has a check and is explained"
                 for path in sorted(checked & set(EXPLAINED))]
    problems += [f"{path} is explained by nothing"
                 for path, why in EXPLAINED.items() if len(why) < 20]
    print("".join(f"{problem}\n" for problem in problems), end="")
    print(f"{len(elements)} elements, {len(checked)} with a check, "
          f"{len(EXPLAINED)} explained")
    return 1 if problems or len(elements) < 200 else 0


if __name__ == "__main__":
    sys.exit(main())
