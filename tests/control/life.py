#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""life.py KVMBUS: kvmbus as a program among others, on /dev/kvm

Signals, the terminal, the pid file, systemd, events.  The guests are a few
instructions each.
"""
import json
import os
import pathlib
import pty
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "../support"))
sys.dont_write_bytecode = True
from tiny_guest import HALT, image, out, wrmsr  # noqa: E402

KVMBUS = sys.argv.pop(1) if len(sys.argv) > 1 else "kvmbus"
BOUND_S = 60

POWEROFF = out(0x404, 5 << 10 | 1 << 13, 2) + HALT
READY = out(0x3F8, ord("R")) + HALT
# mov dx, PM1 status; again: in ax, dx; test ah, 1 (power button); jz again
BUTTON = out(0x3F8, ord("R")) + \
    b"\x66\xba\x00\x04\x66\xed\xf6\xc4\x01\x74\xf9" + POWEROFF
# The crash registers, then "notify"
PANIC = b"".join(wrmsr(0x40000100 + i, 0x1000 + i) for i in range(5)) + \
    wrmsr(0x40000105, 1 << 63) + HALT
RAW_OFF = termios.ICANON | termios.ECHO | termios.ISIG


class Life(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="kvmbus-life.")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def command(self, code, *options):
        kernel = self.folder / "image"
        kernel.write_bytes(image(code))
        return [KVMBUS, "run", "--kernel", str(kernel), "--vcpus", "1",
                "--memory", "64", "--timeout", str(BOUND_S), *options]

    def start(self, code, *options, ready=b"R", **how):
        how = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
               "stderr": subprocess.PIPE, **how}
        vm = subprocess.Popen(self.command(code, *options), **how)
        self.addCleanup(vm.wait)
        self.addCleanup(vm.kill)
        for pipe in (vm.stdout, vm.stderr):
            if pipe:
                self.addCleanup(pipe.close)
        if ready and vm.stdout:
            self.assertEqual(vm.stdout.read(1), ready)
        return vm

    def ends(self, vm, code):
        self.assertEqual(vm.wait(timeout=BOUND_S), code)

    # --- signals

    def test_a_signal_asks_the_guest(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            vm = self.start(BUTTON)
            vm.send_signal(number)
            self.ends(vm, 0)
            self.assertIn(b"asked to power off", vm.stderr.read())

    def test_a_second_one_ends_it(self):
        for first, second in ((signal.SIGINT, signal.SIGINT),
                              (signal.SIGTERM, signal.SIGINT)):
            vm = self.start(READY)
            vm.send_signal(first)
            self.assertIn(b"once more", vm.stderr.readline())
            vm.send_signal(second)
            self.ends(vm, 128 + second)

    def test_hanging_up_ends_it(self):
        vm = self.start(READY)
        vm.send_signal(signal.SIGHUP)
        self.ends(vm, 128 + signal.SIGHUP)

    def test_hanging_up_is_ignored_by_nohup(self):
        vm = self.start(BUTTON,
                        preexec_fn=lambda: signal.signal(signal.SIGHUP,
                                                         signal.SIG_IGN))
        vm.send_signal(signal.SIGHUP)
        vm.send_signal(signal.SIGTERM)
        self.ends(vm, 0)

    def test_a_paused_guest_is_not_asked(self):
        where = str(self.folder / "socket")
        vm = self.start(BUTTON, "--control", where)
        subprocess.run([KVMBUS, "ctl", where, "pause"], check=True,
                       timeout=BOUND_S)
        vm.send_signal(signal.SIGTERM)
        self.ends(vm, 128 + signal.SIGTERM)

    # --- the terminal

    def raw(self):
        flags = termios.tcgetattr(self.slave)[3]
        return not flags & RAW_OFF

    def wait_until(self, condition):
        end = time.monotonic() + BOUND_S
        while not condition() and time.monotonic() < end:
            time.sleep(0.01)
        self.assertTrue(condition())

    def start_on_terminal(self, code=READY, *options):
        self.master, self.slave = pty.openpty()
        self.addCleanup(os.close, self.master)
        self.addCleanup(os.close, self.slave)
        self.before = termios.tcgetattr(self.slave)
        vm = self.start(code, *options, stdin=self.slave, stdout=self.slave,
                        start_new_session=True)
        self.wait_until(self.raw)
        return vm

    def test_whatever_ends_it_restores_the_terminal(self):
        for number in (signal.SIGHUP, signal.SIGQUIT, signal.SIGSEGV,
                       signal.SIGABRT, signal.SIGALRM, signal.SIGUSR1,
                       signal.SIGXCPU, signal.SIGSYS):
            vm = self.start_on_terminal()
            vm.send_signal(number)
            vm.wait(timeout=BOUND_S)
            self.assertEqual(termios.tcgetattr(self.slave), self.before,
                             number)

    def test_so_does_what_ends_it_before_it_runs(self):
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            # It waits for who reads its events, with a raw terminal.
            path = self.folder / "events"
            os.mkfifo(path)
            vm = self.start_on_terminal(READY, "--events", str(path))
            vm.send_signal(number)
            self.ends(vm, -number)
            self.assertEqual(termios.tcgetattr(self.slave), self.before,
                             number)
            path.unlink()

    def test_a_guest_that_ends_restores_the_terminal(self):
        vm = self.start_on_terminal(BUTTON)
        vm.send_signal(signal.SIGTERM)
        self.ends(vm, 0)
        self.assertEqual(termios.tcgetattr(self.slave), self.before)

    def test_the_escape_key_leaves(self):
        vm = self.start_on_terminal()
        os.write(self.master, b"\x1d")
        self.ends(vm, 0)
        self.assertEqual(termios.tcgetattr(self.slave), self.before)

    def test_stopped_and_continued(self):
        vm = self.start_on_terminal()
        for _ in range(3):
            vm.send_signal(signal.SIGTSTP)
            _, status = os.waitpid(vm.pid, os.WUNTRACED)
            self.assertTrue(os.WIFSTOPPED(status))
            self.assertEqual(termios.tcgetattr(self.slave), self.before)
            vm.send_signal(signal.SIGCONT)
            self.wait_until(self.raw)
        vm.send_signal(signal.SIGHUP)
        self.ends(vm, 128 + signal.SIGHUP)

    def test_input_may_be_anything(self):
        (self.folder / "file").write_bytes(b"x")
        with open(self.folder / "file", "rb") as file:
            self.ends(self.start(POWEROFF, ready=None, stdin=file), 0)
        # no input at all
        run = subprocess.run(
            ["sh", "-c", "exec \"$@\" <&-", "sh", *self.command(POWEROFF)],
            capture_output=True, timeout=BOUND_S, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)

    # --- other programs

    def test_pidfile(self):
        path = self.folder / "pid"
        vm = self.start(BUTTON, "--pidfile", str(path))
        self.assertEqual(path.read_text(encoding="ascii"), f"{vm.pid}\n")
        second = subprocess.run(
            self.command(BUTTON, "--pidfile", str(path)),
            capture_output=True, timeout=BOUND_S, check=False)
        self.assertEqual(second.returncode, 4)
        self.assertIn(b"a process that runs has it", second.stderr)
        vm.send_signal(signal.SIGTERM)
        self.ends(vm, 0)
        self.assertFalse(path.exists())

    def test_systemd_is_told(self):
        path = str(self.folder / "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            manager.settimeout(BOUND_S)
            vm = self.start(BUTTON, env={**os.environ, "NOTIFY_SOCKET": path})
            self.assertIn(b"READY=1", manager.recv(4096).split(b"\n"))
            vm.send_signal(signal.SIGTERM)
            said = manager.recv(4096).split(b"\n")
            self.assertIn(b"STOPPING=1", said)
            self.assertIn(b"STATUS=poweroff (exit code 0)", said)
            self.ends(vm, 0)

    def greets(self, path):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(BOUND_S)
            client.connect(path)
            with client.makefile() as lines:
                self.assertIn("QMP", json.loads(lines.readline()))

    def test_a_socket_of_systemd(self):
        path = str(self.folder / "bound")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            # As systemd: descriptor 3, and whose it is.
            vm = subprocess.Popen(
                ["sh", "-c", "exec 3<&$1; shift; LISTEN_FDS=1 LISTEN_PID=$$ "
                 "exec \"$@\"", "sh", str(listener.fileno()),
                 *self.command(READY)],
                pass_fds=[listener.fileno()], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE)
        self.addCleanup(vm.stdout.close)
        self.addCleanup(vm.wait)
        self.addCleanup(vm.kill)
        self.assertEqual(vm.stdout.read(1), b"R")
        self.greets(path)
        subprocess.run([KVMBUS, "ctl", path, "quit"], check=True,
                       timeout=BOUND_S)
        self.ends(vm, 0)
        # Whoever made it takes it away.
        self.assertTrue(os.path.exists(path))

    def test_a_socket_by_its_number(self):
        path = str(self.folder / "bound")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            vm = self.start(READY, "--control", f"fd={listener.fileno()}",
                            pass_fds=[listener.fileno()])
        self.greets(path)
        vm.kill()
        for where, code in (("fd=0", 4), ("fd=x", 2), ("fd=999", 4)):
            run = subprocess.run(self.command(READY, "--control", where),
                                 stdin=subprocess.DEVNULL, timeout=BOUND_S,
                                 capture_output=True, check=False)
            self.assertEqual(run.returncode, code, run.stderr)

    # --- events

    def test_events(self):
        path = self.folder / "events"
        where = str(self.folder / "socket")
        vm = self.start(BUTTON, "--events", str(path), "--control", where)
        for verb in ("pause", "resume", "reset"):
            subprocess.run([KVMBUS, "ctl", where, verb], check=True,
                           timeout=BOUND_S)
        self.assertEqual(vm.stdout.read(1), b"R")
        subprocess.run([KVMBUS, "ctl", where, "powerdown"], check=True,
                       timeout=BOUND_S)
        self.ends(vm, 0)
        events = [json.loads(line) for line in
                  path.read_text(encoding="utf-8").splitlines()]
        self.assertEqual([e["event"] for e in events], [
            "STOP", "RESUME", "RESET", "POWERDOWN", "KVMBUS_MILESTONE",
            "SHUTDOWN", "KVMBUS_OUTCOME"])
        self.assertEqual([e["data"] for e in events], [
            {}, {}, {"guest": False, "reason": "host-qmp-system-reset"}, {},
            {"name": "poweroff", "ms": events[4]["data"]["ms"]},
            {"guest": True, "reason": "guest-shutdown"},
            {"kind": "poweroff", "exit-code": 0}])
        for event in events:
            self.assertLess(abs(event["timestamp"]["seconds"] - time.time()),
                            BOUND_S)

    @staticmethod
    def events_of(path):
        """The last of each kind."""
        lines = path.read_text(encoding="utf-8").splitlines()
        return {event["event"]: event["data"]
                for event in map(json.loads, lines)}

    def test_events_of_a_panic(self):
        path = self.folder / "events"
        vm = self.start(PANIC, "--events", str(path), ready=None)
        self.ends(vm, 34)
        events = self.events_of(path)
        self.assertEqual(events["GUEST_PANICKED"]["info"]["type"], "hyper-v")
        self.assertEqual(events["GUEST_PANICKED"]["info"]["arg5"], 0x1004)
        self.assertEqual(events["SHUTDOWN"]["reason"], "guest-panic")
        self.assertEqual(events["KVMBUS_OUTCOME"]["exit-code"], 34)

    # --- dumps of what has crashed

    def dump_of(self, action, code, exit_code, *options):
        """Its bytes, and what was told."""
        folder, path = self.folder / "dumps", self.folder / "events"
        started = time.time()
        vm = self.start(code, "--events", str(path), "--on-crash", action,
                        "--dump-dir", str(folder), *options, ready=None)
        self.ends(vm, exit_code)
        events = self.events_of(path)
        self.assertEqual(events["DUMP_COMPLETED"],
                         {"result": {"status": "completed"}})
        (dump,) = folder.iterdir()
        said = vm.stderr.read().decode()
        self.assertIn(str(dump), said)
        name = f"{vm.pid}-kvmbus-"
        self.assertTrue(dump.name.startswith(name))
        when = time.mktime(time.strptime(dump.name[len(name):],
                                         "%Y-%m-%d-%H:%M:%S"))
        self.assertLess(abs(when - started), BOUND_S)
        return dump.read_bytes(), events

    def test_a_crash_is_dumped(self):
        code = b"\xc7\x05" + (0x200000).to_bytes(4, "little") + \
            b"mark" + PANIC
        dump, _ = self.dump_of("coredump-destroy", code, 34)
        self.assertEqual(dump[:4], b"\x7fELF")
        self.assertIn(b"mark", dump)
        self.assertEqual(dump.count(b"mark"), 2)  # in the code, and put

    def test_a_crash_is_dumped_and_boots_again(self):
        # CMOS keeps a byte over a reset: the second time it powers off.
        # out 0x70, 0x40; in al, 0x71; test al, al; jnz off; out 0x71, 1
        code = b"\xb0\x40\xe6\x70\xe4\x71\x84\xc0\x75" + \
            bytes([4 + len(PANIC)]) + b"\xb0\x01\xe6\x71" + PANIC + POWEROFF
        dump, events = self.dump_of("coredump-restart", code, 0)
        self.assertEqual(dump[:4], b"\x7fELF")
        self.assertEqual(events["RESET"]["reason"], "guest-panic")
        self.assertEqual(events["SHUTDOWN"]["reason"], "guest-shutdown")

    def test_a_folder_that_cannot_be_is_refused(self):
        run = subprocess.run(
            self.command(PANIC, "--on-crash", "coredump-destroy",
                         "--dump-dir", "/dev/null/x"),
            stdin=subprocess.DEVNULL, capture_output=True, timeout=BOUND_S,
            check=False)
        self.assertEqual(run.returncode, 4)
        self.assertIn(b"--dump-dir", run.stderr)


if __name__ == "__main__":
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("skip: /dev/kvm is not there, or not for this user")
        sys.exit(77)
    unittest.main()
