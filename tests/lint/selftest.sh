#!/bin/bash
# SPDX-License-Identifier: MIT
# selftest.sh [ROOT]: each lint passes a clean tree and catches what it is for
#
# A check that cannot fail says nothing.  Builds a small tree in a temporary
# folder, runs the lint on it, plants one fault, runs it again and looks for
# the words that name the fault, takes the fault away.
set -euo pipefail
shopt -s lastpipe # catches() counts in this shell, not in a child
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "${1:-$here/../..}" && pwd)
tree=$(mktemp -d "${TMPDIR:-/tmp}/kvmbus-lint.XXXXXX")
trap 'rm -rf "$tree"' EXIT
cases=0 failures=0

clean_tree()
{
	mkdir -p "$tree"/{src/mem,src/base,include/proto,build,tests}
	cp -r "$root/tests/lint" "$tree/tests/"
	cp "$root/.clang-format" "$root/.clang-tidy" "$tree/"
	cp "$root/tests/.clang-tidy" "$tree/tests/"
	cat >"$tree/src/mem/good.h" <<'END'
/* SPDX-License-Identifier: MIT */
int good_add(int a, int b);
END
	cat >"$tree/src/mem/good.c" <<'END'
/* SPDX-License-Identifier: MIT */
#include "mem/good.h"

int good_add(int a, int b)
{
	return a + b;
}
END
	cat >"$tree/src/base/floor.h" <<'END'
/* SPDX-License-Identifier: MIT */
int floor_level(void);
END
	git -C "$tree" init -q
}

# database FILE...: a compile_commands.json for these
database()
{
	local comma='' file

	for file in "$@"; do
		printf '%s{"directory":"%s","file":"%s","command":"cc -I%s -c %s"}' \
			"$comma" "$tree" "$tree/$file" "$tree/src" "$tree/$file"
		comma=,
	done | sed 's/^/[/; s/$/]/' >"$tree/build/compile_commands.json"
}

lint()
{
	local name=$1

	git -C "$tree" add -A
	case $name in
	tidy) "$tree/tests/lint/tidy.py" "$tree/build" "$tree" ;;
	cppcheck) "$tree/tests/lint/cppcheck.sh" "$tree/build" "$tree" ;;
	*) "$tree/tests/lint/$name.sh" "$tree" ;;
	esac
}

# passes LINT: it has nothing to say about the tree as it is
passes()
{
	local out rc=0

	cases=$((cases + 1))
	out=$(lint "$1" 2>&1) || rc=$?
	if [[ $rc == 77 ]]; then
		echo "$1: $out"
		return 77
	fi
	if [[ $rc != 0 ]]; then
		printf '%s: refuses a clean tree:\n%s\n' "$1" "$out"
		failures=$((failures + 1))
	fi
}

# catches LINT WORDS FILE <<TEXT: with FILE holding TEXT it fails with WORDS
catches()
{
	local name=$1 words=$2 file=$tree/$3 out rc=0 keep=

	cases=$((cases + 1))
	if [[ -f $file ]]; then
		keep=$(<"$file")
	fi
	mkdir -p "$(dirname "$file")"
	cat >"$file"
	out=$(lint "$name" 2>&1) || rc=$?
	if [[ $rc == 0 || $rc == 77 ]]; then
		echo "$name: lets pass: $words"
		failures=$((failures + 1))
	elif [[ $out != *"$words"* ]]; then
		printf '%s: fails, but not for "%s":\n%s\n' "$name" "$words" "$out"
		failures=$((failures + 1))
	fi
	if [[ $keep ]]; then
		printf '%s\n' "$keep" >"$file"
	else
		rm -f "$file"
	fi
}

c_file()
{
	printf '/* SPDX-License-Identifier: MIT */\n%b' "$1"
}

test_format()
{
	passes format || return 0
	c_file 'int  x ;\n' | catches format 'clang-format' src/mem/bad.c
}

test_layers()
{
	passes layers || return 0
	c_file '#include "mem/good.h"\n' |
		catches layers 'base may not include mem' src/base/bad.c
	c_file '  #  include "mem/good.h"\n' |
		catches layers 'base may not include mem' src/base/bad.h
	c_file '#include "good.h"\n' |
		catches layers 'is not a file of the tree' src/mem/bad.c
	c_file '#include <base/floor.h>\n' |
		catches layers 'is ours' src/mem/bad.c
	c_file '#include <linux/kvm.h>\n' |
		catches layers 'mem may not include <linux/kvm.h>' src/mem/bad.c
	c_file '#include <json-c/json.h>\n' |
		catches layers 'mem may not include <json-c/json.h>' src/mem/bad.c
	c_file 'int x;\n' | catches layers 'no layer holds' src/new/bad.c
	{
		cat "$tree/tests/lint/layers.txt"
		echo 'layer odd src/odd : nobody'
	} >"$tree/rules"
	catches layers 'no layer nobody' tests/lint/layers.txt <"$tree/rules"
	rm "$tree/rules"
}

test_words()
{
	passes words || return 0
	c_file '/* see /ho''me/me/notes */\n' |
		catches words 'one person' src/mem/bad.c
	c_file '/* TO''DO: later */\n' |
		catches words 'without an issue' src/mem/bad.c
	c_file 'int x; /* NO''LINT */\n' |
		catches words 'a suppression' src/mem/bad.c
	c_file 'int x; /* NO''LINT(misc-x) */\n' |
		catches words 'a suppression' src/mem/bad.c
	c_file '/* cppcheck-''suppress memleak */\n' |
		catches words 'a suppression' src/mem/bad.c
	c_file 'int x; \n' | catches words 'white space' src/mem/bad.c
	echo 'int x;' | catches words 'no SPDX' src/mem/bad.c
	c_file '' | catches words 'has no owner' src/mem/mem_util.c
	c_file '' | catches words 'has no owner' src/helpers/x.c
	c_file '/* TO''DO(#7): x */\nint y; /* NO''LINT(misc-x): why */\n' \
		>"$tree/src/mem/fine.c"
	passes words
	rm "$tree/src/mem/fine.c"
}

test_sizes()
{
	passes sizes || return 0
	{
		c_file ''
		printf 'int x;\n%.0s' {1..700}
	} >"$tree/long"
	catches sizes '701 lines' src/mem/bad.c <"$tree/long"
	mv "$tree/long" "$tree/tests/fine.c"
	passes sizes
	cat "$tree/tests/fine.c" "$tree/tests/fine.c" |
		catches sizes '1402 lines' tests/bad.c
	rm "$tree/tests/fine.c"
}

test_shell()
{
	printf '#!/bin/sh\necho ok\n' >"$tree/fine"
	chmod +x "$tree/fine"
	passes shell || return 0
	# shellcheck disable=SC2016 # not to be expanded here
	printf '#!/bin/bash\nrm -r $1/*\n' | catches shell 'SC2086' bad.sh
	printf '#!/bin/sh\necho 1\n' |
		catches shell 'not executable' bad
	rm "$tree/fine"
}

test_proto()
{
	local table=hypercalls/table.c exceptions=tests/lint/proto-exceptions.txt
	local rows='static const struct row table[] = {'

	mkdir -p "$tree"/{hypercalls,src/partition,vsp/vmbus}
	: >"$tree/$exceptions"
	c_file '#define CHANNELMSG_A 1\n' >"$tree/include/proto/messages.h"
	c_file "$rows\n\tCHANNELMSG_A,\n};\n" >"$tree/vsp/vmbus/chanmsg.c"
	c_file '#define HVCALL_A 0x0001\n#define HVCALL_B 0x0002 /* b */\n' \
		>"$tree/include/proto/calls.h"
	c_file '#define HV_X64_MSR_A 0x40000001u\n#define HV_X64_MSR_A_BIT 0x1u\n' \
		>"$tree/include/proto/msrs.h"
	c_file "#define M(n) HV_X64_MSR_A + n\n$rows\n};\n" \
		>"$tree/src/partition/msr.c"
	c_file "$rows\n\tHVCALL_A,\n\tHVCALL_B,\n};\n" >"$tree/$table"
	passes proto
	c_file "$rows\n\tHVCALL_A, /* not\nHVCALL_B */\n};\n" |
		catches proto 'HVCALL_B: no row' "$table"
	c_file "$rows\n\tHVCALL_A,\n\tHVCALL_B2,\n};\nint b = HVCALL_B;\n" |
		catches proto 'HVCALL_B: no row' "$table"
	c_file "$rows\n};\n" |
		catches proto 'HV_X64_MSR_A: no row' src/partition/msr.c
	c_file "$rows\n};\n" |
		catches proto 'CHANNELMSG_A: no row' vsp/vmbus/chanmsg.c
	echo 'HVCALL_A: why not' |
		catches proto 'has a row, and an exception' "$exceptions"
	echo 'HVCALL_C: why not' |
		catches proto 'HVCALL_C: an exception for' "$exceptions"
	c_file "$rows\n\tHVCALL_A,\n};\n" >"$tree/$table"
	echo 'HVCALL_B:' | catches proto 'HVCALL_B: no row' "$exceptions"
	echo 'HVCALL_B: not for guests' >"$tree/$exceptions"
	passes proto
	rm -r "$tree"/{hypercalls,src/partition,vsp/vmbus,include/proto}/*
}

test_cppcheck()
{
	passes cppcheck || return 0
	c_file 'int f(void);\nint f(void)\n{\n\tint a[2] = {0};\n\n\treturn a[2];\n}\n' |
		catches cppcheck 'arrayIndexOutOfBounds' src/mem/bad.c
}

test_tidy()
{
	database src/mem/good.c
	passes tidy || return 0
	c_file 'int x;\n' | catches tidy 'nothing compiles it' src/mem/bad.c
	database src/mem/good.c src/mem/bad.c
	c_file 'int f(int a);\nint f(int a)\n{\n\tif (a != 1)\n\t\treturn 2;\n\treturn 2 / (a - 1);\n}\n' |
		catches tidy 'clang-analyzer-core.DivideZero' src/mem/bad.c
	{
		c_file 'int f(int a);\nint f(int a)\n{\n'
		printf '\ta++;\n%.0s' {1..101}
		printf '\treturn a;\n}\n'
	} | catches tidy 'readability-function-size' src/mem/bad.c
	database src/mem/good.c
	sed 's/-bugprone-easily/-misc-odd,\n&/' "$root/.clang-tidy" |
		catches tidy '-misc-odd without a reason' .clang-tidy
}

clean_tree
for name in format layers words sizes shell proto cppcheck tidy; do
	"test_$name"
done
echo "$cases cases, $failures failed"
[[ $failures == 0 ]]
