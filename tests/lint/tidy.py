#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tidy.py BUILD [ROOT]: clang-tidy 14 over every file that BUILD compiles

BUILD holds compile_commands.json.  One process per file, as many at a time
as there are processors.  A file that passed is not looked at again until it,
a header, its flags or the checks change: the stamp in BUILD/tidy is named
after a digest of all of them.
"""
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
FILE_SECONDS = 300


def find_tool():
    for name in ("clang-tidy-14", "clang-tidy"):
        path = shutil.which(name)
        if path:
            version = subprocess.run([path, "--version"], text=True,
                                     capture_output=True, check=True).stdout
            if "version 14." in version:
                return path
    print("skip: clang-tidy 14 is not installed")
    sys.exit(77)


def check_reasons(root):
    """Every check that a .clang-tidy switches off has a '# check: why'."""
    bad = 0
    for path in (root / ".clang-tidy", root / "tests" / ".clang-tidy"):
        if not path.exists():
            continue
        text = path.read_text()
        for check in re.findall(r"(?:^|[\s,'])-([a-z][\w.*-]+)", text):
            if not re.search(rf"^# {re.escape(check)}: \S", text, re.M):
                print(f"{path.relative_to(root)}: -{check} without a reason")
                bad += 1
    return bad


def arguments(entry):
    if "arguments" in entry:
        return entry["arguments"]
    return shlex.split(entry["command"])


def digest(entry, configs):
    """What clang-tidy would see, or None when it does not preprocess."""
    args = [a for a in arguments(entry) if not a.startswith("-fsanitize")]
    if "-o" in args:
        at = args.index("-o")
        del args[at:at + 2]
    args = ["clang"] + args[1:] + ["-w", "-E", "-C", "-o", "-"]
    run = subprocess.run(args, cwd=entry["directory"], capture_output=True)
    if run.returncode:
        return None
    value = hashlib.sha256(run.stdout)
    value.update(repr(args).encode())
    value.update(configs)
    return value.hexdigest()


def tidy(tool, build, stamps, configs, entry):
    """Return (file, None when it is clean or what is wrong)."""
    name = entry["file"]
    key = digest(entry, configs)
    stamp = stamps / key if key else None
    if stamp and stamp.exists():
        return name, None
    try:
        run = subprocess.run(
            [tool, "-p", str(build), "--quiet",
             "--extra-arg=-Wno-unknown-warning-option", name],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, timeout=FILE_SECONDS)
    except subprocess.TimeoutExpired:
        return name, f"{name}: no answer within {FILE_SECONDS} s\n"
    if run.returncode:
        return name, run.stdout or run.stderr
    if stamp:
        stamp.touch()
    return name, None


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    root = pathlib.Path(sys.argv[2] if len(sys.argv) > 2
                        else HERE.parent.parent).resolve()
    tool = find_tool()
    listed = subprocess.run([HERE / "tracked.sh", root, "*.c"], text=True,
                            stdout=subprocess.PIPE, check=True).stdout.split()
    database = json.loads((build / "compile_commands.json").read_text())
    entries = {os.path.relpath(os.path.join(e["directory"], e["file"]), root):
               e for e in database}
    entries = {f: e for f, e in entries.items() if f in listed}
    # Code for the guest is built by rules of its own, with other flags.
    missing = [f for f in listed if f not in entries
               and not f.startswith(("tests/guest/", "tests/system/"))]
    for name in missing:
        print(f"{name}: nothing compiles it, so nothing checks it")

    stamps = build / "tidy"
    stamps.mkdir(exist_ok=True)
    configs = b"".join(p.read_bytes() for p in sorted(root.rglob(".clang-tidy")))
    bad = check_reasons(root) + len(missing)
    lines = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(tidy, tool, build, stamps, configs, e)
                for _, e in sorted(entries.items())]
        for job in jobs:
            _, wrong = job.result()
            if wrong:
                bad += 1
                print(wrong, end="", flush=True)
                lines += re.findall(r"^.*: (?:error|warning): .*$", wrong, re.M)
    if not entries:
        print("tidy: no file to check")
        bad += 1
    # Once more without the reasoning, for who reads only the end.
    for line in sorted(set(lines)):
        print(line.replace(f"{root}/", ""))
    print(f"{len(entries)} files, {bad} with findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
