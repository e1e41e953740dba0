#!/bin/bash
# SPDX-License-Identifier: MIT
# findings.sh [ROOT]: each rule of src/base/findings.h has its cases in a test
# (support/finding_cases.h)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=${1:-$here/../..}

rules=$(sed -n '/^enum finding {/,/^};/p' "$root/src/base/findings.h" |
	grep -oE '\bFINDING_[A-Z_]+' | sort)
tested=$(grep -rhoE '^[[:space:]]*\{FINDING_[A-Z_]+,' "$root/tests" \
	--include='test_*findings.c' | grep -oE 'FINDING_[A-Z_]+' | sort -u)
missing=$(comm -23 <(echo "$rules") <(echo "$tested"))
for rule in $missing; do
	echo "tests: no case for $rule"
done
echo "$(wc -l <<<"$rules") rules"
[[ -z $missing ]]
