#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""libvirtd.py KVMBUS MODULES: a domain of a real libvirtd is run by its name

The daemon is this test's own, in namespaces of its own, with empty folders
where it keeps things; it is started by its path and ended by its id.  Wants
root, libvirtd with its drivers for QEMU and networks, virsh, dnsmasq, and
QEMU, by which libvirt finds out what a host can do.
"""
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "../../support"))
sys.dont_write_bytecode = True
from qmp_client import QmpClient  # noqa: E402
from tiny_guest import HALT, image, out  # noqa: E402

BOUND_S = 60
URI = "qemu:///system"
CONFIG = {
    "libvirtd.conf": 'auth_unix_rw = "none"\nauth_unix_ro = "none"\n',
    "qemu.conf": 'user = "root"\ngroup = "root"\nsecurity_driver = "none"\n'
                 'stdio_handler = "file"\ncgroup_controllers = [ ]\n'}
# What libvirt has a user for, and wants the name of even so
USERS = {"passwd": "libvirt-qemu:x:64055:64055::/:/bin/false",
         "group": "libvirt-qemu:x:64055:\nkvm:x:64056:"}
# Open: no rules of a firewall are wanted.
NETWORK = """<network>
  <name>default</name>
  <forward mode='open'/>
  <bridge name='virbr0' stp='off'/>
  <ip address='192.168.122.1' netmask='255.255.255.0'>
    <dhcp><range start='192.168.122.2' end='192.168.122.254'/></dhcp>
  </ip>
</network>"""
MAC = "52:54:00:aa:bb:cc"
DOMAIN = """<domain type='kvm'>
  <name>web01</name>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64'>hvm</type>
    <kernel>{folder}/image</kernel>
  </os>
  <devices>
    <disk type='volume' device='disk'>
      <source pool='images' volume='data.qcow2'/>
      <target dev='sda' bus='scsi'/>
    </disk>
    <interface type='network'>
      <mac address='{mac}'/>
      <source network='default'/>
      <model type='netvsc'/>
    </interface>
  </devices>
</domain>"""
DISK_BYTES = 16 << 20
# "R", then: mov dx, PM1 status; again: in ax, dx; test ah, 1 (power button);
# jz again; off
BUTTON = out(0x3F8, ord("R")) + \
    b"\x66\xba\x00\x04\x66\xed\xf6\xc4\x01\x74\xf9" + \
    out(0x404, 5 << 10 | 1 << 13, 2) + HALT
# What DHCP has told
LEASE = "#!/bin/sh\n[ $1 != bound ] || echo $ip $router >{folder}/lease\n"


def must(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True,
                          timeout=BOUND_S, stdin=subprocess.DEVNULL).stdout


def virsh(*words, patience_s=BOUND_S):
    return subprocess.run(
        ["virsh", "-q", "-c", URI, *words], check=True, capture_output=True,
        text=True, timeout=patience_s, stdin=subprocess.DEVNULL).stdout


def hide_the_host():
    must("ip", "link", "set", "lo", "up")
    for folder in ("/run", "/etc/libvirt", "/var/lib", "/var/cache",
                   "/var/log"):
        must("mount", "-t", "tmpfs", "tmpfs", folder)
    os.mkdir("/var/lib/misc")
    for name, line in USERS.items():
        text = pathlib.Path("/etc", name).read_text(encoding="utf-8")
        pathlib.Path("/run", name).write_text(f"{text}{line}\n",
                                              encoding="utf-8")
        must("mount", "--bind", f"/run/{name}", f"/etc/{name}")
    for name, text in CONFIG.items():
        pathlib.Path("/etc/libvirt", name).write_text(text, encoding="ascii")


def end_dnsmasq():
    with contextlib.suppress(OSError, ValueError):
        os.kill(int(pathlib.Path("/run/libvirt/network/default.pid")
                    .read_text(encoding="ascii")), signal.SIGTERM)


class Libvirtd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="kvmbus-libvirtd.")
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        hide_the_host()
        cls.start()
        cls.define()

    @classmethod
    def start(cls):
        with open(cls.folder / "log", "wb") as log:
            daemon = subprocess.Popen(
                ["/usr/sbin/libvirtd", "--config",
                 "/etc/libvirt/libvirtd.conf", "--pid-file",
                 str(cls.folder / "pid")], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)
        cls.addClassCleanup(daemon.wait)
        cls.addClassCleanup(daemon.terminate)
        end = time.monotonic() + BOUND_S
        while True:
            try:
                return virsh("version", patience_s=5)
            except subprocess.SubprocessError as error:
                if daemon.poll() is not None or time.monotonic() > end:
                    log = (cls.folder / "log").read_text(encoding="utf-8")
                    raise AssertionError(log[-2000:]) from error
            time.sleep(0.1)

    @classmethod
    def write(cls, name, text):
        (cls.folder / name).write_text(text, encoding="utf-8")
        return str(cls.folder / name)

    @classmethod
    def define(cls):
        virsh("net-define", cls.write("network.xml", NETWORK))
        virsh("net-start", "default")
        cls.addClassCleanup(end_dnsmasq)
        images = cls.folder / "images"
        images.mkdir()
        virsh("pool-create-as", "images", "dir", "--target", str(images))
        virsh("vol-create-as", "images", "data.qcow2", str(DISK_BYTES),
              "--format", "qcow2")
        (cls.folder / "image").write_bytes(image(BUTTON))
        virsh("define", cls.write("domain.xml", DOMAIN.format(
            folder=cls.folder, mac=MAC)))

    def check(self):
        run = subprocess.run(
            [KVMBUS, "check", "--connect", URI, "--domain", "web01"],
            capture_output=True, text=True, check=False, timeout=BOUND_S)
        return run.returncode, run.stdout + run.stderr

    def run_it(self):
        where = str(self.folder / "socket")
        vm = subprocess.Popen(
            [KVMBUS, "run", "--connect", URI, "--domain", "web01",
             "--control", where, "--timeout", str(BOUND_S)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.addCleanup(vm.stdout.close)
        self.addCleanup(vm.wait)
        self.addCleanup(vm.kill)
        self.assertEqual(vm.stdout.read(1), b"R")
        client = QmpClient(where)
        self.addCleanup(client.close)
        return vm, client

    def test_a_domain_runs_by_its_name(self):
        code, said = self.check()
        self.assertEqual(code, 0, said)
        self.assertIn(", 0 refused", said)
        vm, q = self.run_it()
        (disk,) = q.execute("query-block")
        self.assertEqual(disk["inserted"]["image"]["filename"],
                         str(self.folder / "images/data.qcow2"))
        # as qcow2: the file itself is shorter
        self.assertEqual(disk["inserted"]["image"]["virtual-size"],
                         DISK_BYTES)
        (card,) = q.execute("query-rx-filter")
        self.assertEqual(card["main-mac"], MAC)
        ports = must("ip", "-o", "link", "show", "master", "virbr0")
        self.assertEqual(len(ports.splitlines()), 1, ports)
        q.execute("system_powerdown")
        self.assertEqual(vm.wait(timeout=BOUND_S), 0)

    def test_the_network_gives_addresses(self):
        """To who is on its bridge, as the guest's card is."""
        script = self.write("script", LEASE.format(folder=self.folder))
        os.chmod(script, 0o755)
        must("ip", "link", "add", "peer", "type", "veth", "peer", "port")
        self.addCleanup(must, "ip", "link", "delete", "peer")
        # udhcpc looks at checksums, which nobody would fill in.
        must("ethtool", "-K", "port", "tx", "off")
        must("ip", "link", "set", "port", "master", "virbr0", "up")
        must("ip", "link", "set", "peer", "up")
        must("busybox", "udhcpc", "-n", "-q", "-f", "-t", "10", "-i", "peer",
             "-s", script)
        address, router = (self.folder / "lease").read_text(
            encoding="ascii").split()
        self.assertEqual(router, "192.168.122.1")
        self.assertIn(f"{address}/24", virsh("net-dhcp-leases", "default"))

    def test_what_does_not_run_is_said(self):
        virsh("net-destroy", "default")
        code, said = self.check()
        virsh("net-start", "default")
        self.assertEqual(code, 3, said)
        self.assertIn(f"virsh -c {URI} net-start default", said)


def skip(why):
    print(f"skip: {why}")
    sys.exit(77)


if __name__ == "__main__":
    if "KVMBUS_NETNS" not in os.environ:
        if os.geteuid():
            skip("namespaces of one's own want root")
        if not os.access("/dev/kvm", os.R_OK | os.W_OK):
            skip("/dev/kvm is not there, or not for this user")
        os.environ["KVMBUS_NETNS"] = "1"
        # The shell is process 1, and waits for those who have lost their parent:
        # libvirtd's QEMU.
        os.execvp("unshare", ["unshare", "-mnpf", "--mount-proc", "--", "sh",
                              "-c", "\"$@\"; exit $?", "sh", *sys.argv])
    KVMBUS = os.path.abspath(sys.argv.pop(1))
    os.environ["KVMBUS_MODULES"] = os.path.abspath(sys.argv.pop(1))
    unittest.main()
