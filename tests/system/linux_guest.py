# SPDX-License-Identifier: MIT
"""linux_guest - a stock Linux guest that does what it is told

For run-ctl, run-disks, run-qmp and run-rounds: kvmbus runs in a process, guest-test.sh
reads what it shall do from the console, word by word, and says there what came
of it.
"""
import contextlib
import json
import os
import pathlib
import queue
import socket
import subprocess
import sys
import tempfile
import threading
import time

# For a step: long, as an emulated machine is slow
STEP_S = 180
# Of a stream, at once
PIECE = 1 << 16


class Failed(Exception):
    pass


class Refused(Failed):
    """Nobody listens in the guest."""


# What a guest, or kvmbus, that fails may raise here
FAILURES = (Failed, OSError, KeyError, ValueError, subprocess.TimeoutExpired)


class LinuxGuest:
    def __init__(self, bound_s, machine, test, options=()):
        """machine: KVMBUS KERNELDIR INITRAMFS PROFILE VCPUS FOLDER"""
        self.kvmbus, self.kernel, initramfs, profile, vcpus, folder = machine
        self.vcpus = int(vcpus)
        self.socket = os.path.join(folder, "socket")
        self.hvsock = os.path.join(folder, "hvsock")
        self.console = []
        self.said = queue.Queue()
        self.deadline = time.monotonic() + bound_s
        self.vm = subprocess.Popen(
            self.command(initramfs, profile, bound_s, test, options),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, errors="replace")
        # Apart: what kvmbus says would end up in the guest's lines.
        threading.Thread(target=self.listen, daemon=True).start()
        threading.Thread(target=self.overhear, daemon=True).start()

    def command(self, initramfs, profile, bound_s, test, options):
        return [
            self.kvmbus, "run", "--kernel", f"{self.kernel}/vmlinuz",
            "--initrd", initramfs, "--memory", "512,max=768",
            "--vcpus", str(self.vcpus),
            "--profile", profile, "--timeout", str(bound_s),
            "--control", self.socket, "--hvsock", self.hvsock, *options,
            "--append", f"console=ttyS0 quiet loglevel=4 kvmbus.test={test}"]

    def end(self):
        self.vm.kill()
        self.vm.wait()

    def overhear(self):
        for line in self.vm.stderr:
            self.console.append(line)

    def lines(self):
        """Of its console."""
        return self.vm.stdout

    def listen(self):
        for line in self.lines():
            self.console.append(line)
            mark, _, rest = line.strip().partition("kvmbus-test: ")
            key, _, value = rest.partition("=")
            if line.startswith("guest-init: up"):
                self.said.put(("up", ""))
            elif not mark and key:
                self.said.put((key, value))
        self.said.put(("ended", ""))

    def bound(self, seconds):
        return min(self.deadline, time.monotonic() + seconds)

    def hear(self, wanted):
        """The value of the next line about `wanted`."""
        deadline = self.bound(STEP_S)
        while True:
            left = deadline - time.monotonic()
            try:
                key, value = self.said.get(timeout=max(left, 0))
            except queue.Empty:
                raise Failed(f"the guest never said {wanted}") from None
            if key == wanted:
                return value
            if key in ("ended", "error"):
                raise Failed(f"before {wanted}: the guest {key} {value}")

    def type(self, text):
        self.vm.stdin.write(text)
        self.vm.stdin.flush()

    def say(self, words):
        self.type(words + "\n")

    def ask(self, words):
        """Have the guest do something and say what came of it."""
        self.say(words)
        return self.hear(words.split()[0])

    def must(self, words):
        expect(words, self.ask(words), "yes")

    def until(self, what, condition, seconds=STEP_S):
        """Wait until condition() is true, asking now and then."""
        deadline = self.bound(seconds)
        while not condition():
            if time.monotonic() > deadline:
                raise Failed(f"never: {what}")
            time.sleep(0.1)

    def print_console(self):
        print("".join(f"# {line}" for line in self.console[-80:]))


def expect(what, got, wanted):
    if got != wanted:
        raise Failed(f"{what}: '{got}', want '{wanted}'")


def echo(what, connection, data):
    """Send all, end, and have all of it back."""
    got = bytearray()

    def send():
        # what is missing then is seen below
        with contextlib.suppress(OSError):
            # sendall()'s timeout is for all that it is given
            for at in range(0, len(data), PIECE):
                connection.sendall(data[at:at + PIECE])
            connection.shutdown(socket.SHUT_WR)

    threading.Thread(target=send, daemon=True).start()
    while piece := connection.recv(PIECE):
        got += piece
    if bytes(got) != data:
        raise Failed(f"{what}: {len(got)} bytes, or others, came back")


def echo_through(path, port, data, seconds=60):
    """The same with who listens in the guest: kvmbus(1), --hvsock."""
    with socket.socket(socket.AF_UNIX) as to_guest:
        to_guest.settimeout(seconds)
        to_guest.connect(path)
        to_guest.sendall(b"CONNECT %d\n" % port)
        answer = b""
        while not answer.endswith(b"\n"):
            byte = to_guest.recv(1)
            if not byte:
                raise Refused("the guest does not take a connection")
            answer += byte
        echo("host to guest", to_guest, data)


class SteppedGuest(LinuxGuest):
    """One that is tested step by step, by its shell and `kvmbus ctl`.  Files
    are in `folder`."""

    def __init__(self, bound_s, machine, test, folder, options=()):
        self.folder = pathlib.Path(folder)
        self.failures = []
        self.report = self.folder / "report.json"
        super().__init__(bound_s, (*machine, folder), test,
                         ("--report", str(self.report), *options))

    def run(self, command):
        """Have the guest's shell do something; what it prints."""
        try:
            return self.ask(f"run {command}").strip()
        except Failed as error:
            raise Failed(f"{command}: {error}") from None

    def ctl(self, *words):
        run = subprocess.run([self.kvmbus, "ctl", self.socket, *words],
                             stdin=subprocess.DEVNULL, capture_output=True,
                             timeout=STEP_S, check=False, text=True)
        if run.returncode:
            raise Failed(f"ctl {' '.join(words)}: {run.stderr.strip()}")
        return run.stdout.strip()

    def ctl_fails(self, why, *words):
        try:
            self.ctl(*words)
        except Failed as error:
            if why in str(error):
                return
            raise
        raise Failed(f"ctl {' '.join(words)}: worked, but should not")

    def try_step(self, step):
        """The others may still show something."""
        started = time.monotonic()
        try:
            step(self)
        except FAILURES as error:
            self.failures.append(f"{step.__name__}: {error!r}")
            print(f"# {self.failures[-1]}")
        print(f"# {step.__name__}: {time.monotonic() - started:.1f} s",
              flush=True)

    def asks(self, *words):
        return json.loads(self.ctl(*words))

    def inspect(self, device):
        return json.loads(self.ctl("inspect"))["devices"].get(device)


def main(make_guest, run):
    """All of a program that tests one: make_guest(machine, test, folder), and
    run(guest).  Says "ok", or why not; the exit code."""
    *machine, test = sys.argv[1:]
    name = f"{os.path.basename(machine[1])} {machine[3]} " \
           f"vcpus={machine[4]} {test}"
    with tempfile.TemporaryDirectory() as folder:
        guest = make_guest(machine, test, folder)
        try:
            run(guest)
        except FAILURES as error:
            guest.failures.append(error)
        finally:
            guest.end()
        if guest.failures:
            print(f"not ok - {name}")
            print("".join(f"# {error}\n" for error in guest.failures), end="")
            guest.print_console()
            return 1
    print(f"ok - {name}")
    return 0
