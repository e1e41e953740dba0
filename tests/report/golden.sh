#!/bin/bash
# SPDX-License-Identifier: MIT
# golden.sh KVMBUS [--write]: what `kvmbus report` makes of the reports in
# golden/, and that it is as it was; --write takes what it is now
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kvmbus=$1 write=${2-} cases=0 failures=0
cd "$here/golden"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# makes CODE FILE COMMAND...: `kvmbus report COMMAND` prints FILE
makes()
{
	local want=$1 file=$2 rc=0
	shift 2

	cases=$((cases + 1))
	NO_COLOR=1 "$kvmbus" report "$@" >"$work/out" 2>&1 || rc=$?
	[[ ! $write ]] || cp "$work/out" "$file"
	if [[ $rc != "$want" ]] || ! diff "$file" "$work/out"; then
		echo "report $*: exit code $rc, want $want; see $file"
		failures=$((failures + 1))
	fi
}

makes 0 a.txt show a.json
makes 1 a-b.txt diff a.json b.json
makes 1 b-a.txt diff b.json a.json
makes 1 a-c.txt diff a.json c.json
makes 0 same.txt diff a.json a.json
makes 0 b.txt show b.json
makes 0 b.xml junit a.json b.json
makes 0 b.tap tap a.json b.json
makes 0 b.html html b.json
makes 2 usage.txt dance
makes 2 usage-files.txt diff a.json
makes 3 not-there.txt show not-there.json
makes 3 no-report.txt show no-report.json

# What reads them can.
for file in a b c; do
	cases=$((cases + 1))
	python3 ../check_schema.py "$here/../../configs/report.schema.json" "$file.json" ||
		failures=$((failures + 1))
done
cases=$((cases + 1))
python3 - <<'EOF2' || failures=$((failures + 1))
import html.parser
import xml.etree.ElementTree

root = xml.etree.ElementTree.parse("b.xml").getroot()
suites = root.findall("testsuite")
assert len(suites) == 2, suites
assert suites[1].get("failures") == "3", suites[1].attrib
assert len(suites[1].findall("testcase/failure")) == 3


class Page(html.parser.HTMLParser):
    """Every element is closed, and nothing is fetched."""
    OPEN = ("meta", "br")

    def __init__(self):
        super().__init__()
        self.stack = []

    def handle_starttag(self, tag, attrs):
        assert not {"src", "href"} & {key for key, _ in attrs}, attrs
        assert tag not in ("script", "link"), tag
        if tag not in self.OPEN:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag, tag


page = Page()
page.feed(open("b.html", encoding="utf-8").read())
assert not page.stack, page.stack
EOF2

echo "$cases cases, $failures failed"
[[ $failures == 0 ]]
