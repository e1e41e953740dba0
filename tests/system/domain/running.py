# SPDX-License-Identifier: MIT
"""running - a domain of libvirt's XML that runs, and what is to be seen
of it: in its guest, by guest-domain.sh, and on this host.

For run-domain.  A check is a function that is called with the domain while it
runs, and that raises Failed; those below make some.
"""
import functools
import json
import os
import pathlib
import re
import socket
import subprocess
import time

from linux_guest import Failed, SteppedGuest, expect

GUEST, HOST = "in the guest", "on the host"
MIB = 1 << 20
# Classes of devices on VMbus: Linux include/linux/hyperv.h
CLASSES = {
    "scsi": "ba6163d9-04a1-4d29-b605-72e2ffb1dc7f",
    "ide": "32412632-86cb-44a2-9b5c-50d1417354f5",
    "net": "f8615163-df3e-46c5-913f-f2d2f965ed0e",
    "keyboard": "f912ad6d-2b17-48ea-bd65-f927a61c7684",
    "mouse": "cfa8b69e-5b4a-4cc0-b98b-8ba1a1f3f95a",
    "heartbeat": "57164f39-9115-4e78-ab55-382f3bd5422d",
    "timesync": "9527e630-d0ae-497b-adce-e80ab0175caf",
    "shutdown": "0e0b6031-5213-4934-818b-38d90ced39db",
    "kvp": "a9a0f4e7-5a45-4d96-b827-8a841e8c03e6",
    "vss": "35fa2e29-ea23-4236-96ae-3a6ebacba440",
    "fcopy": "34d14be3-dee4-41c8-9ae7-6b174977c192",
    "balloon": "525074dc-8985-46e2-8057-a307dc18a502",
}


class Domain(SteppedGuest):
    """One that runs: `xml` is its file; what it names is in `folder`, and its
    images are in `images`."""

    def __init__(self, bound_s, kvmbus, xml, folder, images, options=(),
                 port=None):
        """port: the guest's console calls this one, which nobody is at when the
        machine begins."""
        self.xml, self.images, self.facts = xml, images, {}
        self.port, self.connection = port, None
        self.first_bytes, self.called_after = b"", 0
        self.started = time.time()
        super().__init__(bound_s, (kvmbus, "", "", "", "1"), "", str(folder),
                         options)

    def command(self, initramfs, profile, bound_s, test, options):
        return [self.kvmbus, "run", "--timeout", str(bound_s),
                "--control", self.socket, *options, str(self.xml)]

    def lines(self):
        if not self.port:
            yield from self.vm.stdout
            return
        deadline = time.monotonic() + 60
        while not os.path.exists(self.socket) and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1)
        with socket.create_server(("127.0.0.1", self.port)) as server:
            server.settimeout(60)
            self.connection, _ = server.accept()
        self.called_after = time.time() - self.started
        for line in self.connection.makefile("rb"):
            self.first_bytes = self.first_bytes or line
            yield line.decode("latin-1")

    def type(self, text):
        if self.connection:
            self.connection.sendall(text.encode())
        else:
            super().type(text)

    # --- in the guest -------------------------------------------------------

    def run(self, command):
        return super().run(command).replace("~", "\n").strip()

    def fact(self, command):
        """The same, asked once."""
        if command not in self.facts:
            self.facts[command] = self.run(command)
        return self.facts[command]

    @functools.cached_property
    def cpuid(self):
        """(leaf, subleaf): (EAX, EBX, ECX, EDX) of the last processor"""
        words = (line.split() for line in self.run(
            "/cpu-facts $(($(nproc) - 1))").splitlines())
        return {tuple(int(n, base) for n, base in zip(
            where.split("."), (16, 10))): tuple(int(r, 16) for r in registers)
            for where, *registers in words}

    # --- on the host --------------------------------------------------------

    @functools.cached_property
    def config(self):
        """What --print-config says."""
        return json.loads(subprocess.run(
            [*self.vm.args[:2], "--print-config", *self.vm.args[2:]],
            check=True, capture_output=True, text=True).stdout)

    def status(self, name):
        text = pathlib.Path(f"/proc/{self.vm.pid}/status").read_text(
            encoding="ascii")
        return int(re.search(rf"^{name}:\s*(\d+)", text, re.M).group(1))

    def mappings(self):
        """What smaps says of each, "head" is its first line; in KiB."""
        text = pathlib.Path(f"/proc/{self.vm.pid}/smaps").read_text(
            encoding="utf-8")
        for part in re.split(r"^(?=[0-9a-f]+-[0-9a-f]+ )", text, flags=re.M):
            head, _, rest = part.partition("\n")
            said = dict(re.findall(r"^(\w+):\s+(.*?)(?: kB)?\s*$", rest, re.M))
            if "Size" in said:
                yield {"head": head.split(), **said}

    def ram(self):
        """Of the largest, which is most of the guest's memory"""
        return max(self.mappings(), key=lambda mapping: int(mapping["Size"]))

    def huge_kib(self):
        return sum(int(mapping["AnonHugePages"])
                   for mapping in self.mappings())

    def open_as(self, file):
        """The flags that a process of the machine has a file open with."""
        pids = subprocess.run(["pgrep", "-P", str(self.vm.pid)], text=True,
                              capture_output=True, check=False).stdout.split()
        for pid in (str(self.vm.pid), *pids):
            for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
                try:
                    if os.readlink(link) != str(file):
                        continue
                except OSError:
                    continue
                info = pathlib.Path(f"/proc/{pid}/fdinfo/{link.name}")
                return int(re.search(r"flags:\s*0*([0-7]+)", info.read_text(
                    encoding="ascii")).group(1), 8)
        raise Failed(f"nobody has {file} open")

    def servers(self):
        """Command lines of the programs that kvmbus has started."""
        said = subprocess.run(["ps", "-o", "args=", "--ppid",
                               str(self.vm.pid)], text=True,
                              capture_output=True, check=False)
        return said.stdout

    def device(self, name):
        found = self.inspect(name)
        if not found:
            raise Failed(f"there is no device {name}")
        return found


# --- checks that many elements have ------------------------------------------

def place(where):
    """Say of a check where it looks."""
    def mark(check):
        check.place = where
        return check
    return mark


def sees(command, wanted):
    """The guest's shell prints this; a pattern: matches it."""
    @place(GUEST)
    def check(domain):
        got = domain.fact(command)
        if not isinstance(wanted, re.Pattern):
            expect(command, got, wanted)
        elif not wanted.search(got):
            raise Failed(f"{command}: '{got}', want {wanted.pattern}")
    return check


def sees_file(file, wanted):
    return sees(f"cat {file}", wanted)


def on_vmbus(name, count=1):
    return sees(f"class_of {CLASSES[name]}", str(count))


def cpuid_bit(leaf, register, bit, on=True, subleaf=0):
    @place(GUEST)
    def check(domain):
        words = domain.cpuid.get((leaf, subleaf), (0, 0, 0, 0))
        got = words["ABCD".index(register)] >> bit & 1
        expect(f"{leaf:#x} E{register}X[{bit}]", got, int(on))
    return check


def cpuid_is(leaf, register, wanted, mask=0xFFFFFFFF):
    @place(GUEST)
    def check(domain):
        got = domain.cpuid[leaf, 0]["ABCD".index(register)] & mask
        expect(f"{leaf:#x} E{register}X", hex(got), hex(wanted))
    return check


def at_the_end(check):
    """After all others, as it ends the run."""
    check.last = True
    return check


def guest(check):
    return place(GUEST)(check)


def host(check):
    return place(HOST)(check)


def says(host_file, wanted):
    """A file of the host has this text; `host_file` is in the folder."""
    @host
    def check(domain):
        path = domain.folder / host_file
        domain.until(f"{path.name} has {wanted!r}",
                     lambda: wanted in path.read_bytes(), 30)
    return check


def bursts(direction, serial, block, count, pieces=6):
    """A piece is what the limit lets through in four seconds; at first the
    disk is twice as fast, and is not any more when the burst is over, which is
    before the last piece."""
    @guest
    def check(domain):
        times = [int(ms) / 1000 for ms in domain.fact(
            f"pieces {direction} {serial} {block} {count} {pieces}"
        ).splitlines()]
        print(f"# {serial}: {times} s", flush=True)
        within("seconds at first", times[0], 1.8, 3.2)
        within("seconds at last", times[-1], 3.6, 8)
    return check


def within(what, got, least, most):
    if not least <= got <= most:
        raise Failed(f"{what}: {got}, want {least} to {most}")


def echo_at(port, message=b"there and back", seconds=60):
    """What the guest echoes at a port of this host."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with socket.socket(socket.AF_INET) as server:
                server.settimeout(5)
                server.connect(("127.0.0.1", port))
                server.send(message)
                got = server.recv(1000)
                if got == message:
                    return
        except OSError as error:
            got = error
        if time.monotonic() > deadline:
            raise Failed(f"port {port}: {got}")
        time.sleep(0.2)
