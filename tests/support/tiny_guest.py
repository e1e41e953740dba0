# SPDX-License-Identifier: MIT
"""tiny_guest: guests of a few instructions, as multiboot images"""
import struct

LOAD = 0x100000
HALT = b"\xfa\xf4\xeb\xfd"  # cli; again: hlt; jmp again


def out(port, value, size=1):
    """mov dx, port; mov eax, value; out dx, al|ax|eax"""
    opcode = {1: b"\xee", 2: b"\x66\xef", 4: b"\xef"}[size]
    return b"\x66\xba" + struct.pack("<H", port) + \
        b"\xb8" + struct.pack("<I", value) + opcode


def wrmsr(msr, value):
    return b"\xb9" + struct.pack("<I", msr) + \
        b"\xb8" + struct.pack("<I", value & 0xFFFFFFFF) + \
        b"\xba" + struct.pack("<I", value >> 32) + b"\x0f\x30"


def image(code):
    """A multiboot 1 image with load addresses: no ELF needed."""
    size = 0x1000
    flags = 1 << 16
    header = struct.pack("<8I", 0x1BADB002, flags,
                         -(0x1BADB002 + flags) & 0xFFFFFFFF,
                         LOAD, LOAD, LOAD + size, LOAD + size, LOAD + 0x20)
    return (header + code).ljust(size, b"\0")
