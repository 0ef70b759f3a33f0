"""The machine every run and test uses: from a few choices to QEMU's command line."""

import os
import struct
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from typing import List, Optional

# The guest ends QEMU by writing v to this port; QEMU's status is then (v << 1) | 1.
DEBUG_EXIT_PORT = 0xF4

# A ROM that ends QEMU from protected mode, after an instruction that KVM's own emulator does not know (where the processor
# has it): a KVM without hardware support behind it emulates the guest's kernel mode, and gives up on such instructions.
PROBE_ROM_SIZE = 64 << 10
PROBE_BASE = 0x1_0000_0000 - PROBE_ROM_SIZE
PROBE_STATUS = (0x10 << 1) | 1
PROBE_SECONDS = 10
PROBE_CODE_AT = 0xFF00
PROBE_GDT_AT = 0xFF80
PROBE_PROTECTED_AT = PROBE_CODE_AT + 0x20
PROBE_GDT = bytes.fromhex("0000000000000000" "ffff0000009bcf00")  # the null descriptor, and flat 32-bit code


def probe_rom() -> bytes:
    """The ROM that accelerator() runs: its last 16 bytes are where the processor begins, in real mode."""
    pieces = {
        PROBE_CODE_AT: bytes([0x66, 0x2E, 0x0F, 0x01, 0x16]) + struct.pack("<H", PROBE_GDT_AT + len(PROBE_GDT))  # lgdt
        + bytes.fromhex("0f20c0" "0c01" "0f22c0")  # mov eax, cr0; or al, 1; mov cr0, eax
        + bytes([0x66, 0xEA]) + struct.pack("<IH", PROBE_BASE + PROBE_PROTECTED_AT, 8),  # jmp 8:protected
        PROBE_PROTECTED_AT: bytes.fromhex(
            "31c0" "0fa2" "83f807" "7216"  # xor eax, eax; cpuid; cmp eax, 7; jb end
            "b807000000" "31c9" "0fa2"  # mov eax, 7; xor ecx, ecx; cpuid
            "f7c300010000" "7405"  # test ebx, BMI2; jz end
            "c4e271f7c0"  # shlx eax, eax, ecx
            "b010" "e6f4" "f4"),  # end: mov al, 0x10; out DEBUG_EXIT_PORT, al; hlt
        PROBE_GDT_AT: PROBE_GDT + struct.pack("<HI", len(PROBE_GDT) - 1, PROBE_BASE + PROBE_GDT_AT),
        PROBE_ROM_SIZE - 16: bytes([0xE9]) + struct.pack("<h", PROBE_CODE_AT - (PROBE_ROM_SIZE - 13)),  # jmp code
    }
    rom = bytearray(PROBE_ROM_SIZE)
    for at, code in pieces.items():
        rom[at:at + len(code)] = code
    return bytes(rom)


# systemd's stub appends the value of this SMBIOS string to the command line that is built into the image.
STUB_CMDLINE = "io.systemd.stub.kernel-cmdline-extra="


@dataclass
class Qemu:
    """The unpacked Debian packages of QEMU; bin/qemu-system-x86_64 runs it under its own loader and libraries."""

    root: str
    ovmf_code: str
    ovmf_vars: str

    def command(self) -> List[str]:
        argv = [os.path.join(self.root, "bin/qemu-system-x86_64")]
        for data in ("usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu"):
            argv += ["-L", os.path.join(self.root, data)]
        return argv

    def environment(self) -> dict:
        env = dict(os.environ)
        env["QEMU_MODULE_DIR"] = os.path.join(self.root, "usr/lib/x86_64-linux-gnu/qemu")
        return env


@dataclass
class Machine:
    """One guest. `boot` is `uefi` (the disk's boot loader by OVMF) or `kernel` (QEMU's own Linux loader)."""

    boot: str = "uefi"
    kernel: Optional[str] = None
    initramfs: Optional[str] = None
    disk: Optional[str] = None
    cmdline: str = ""  # the whole line for `kernel`; what the image's line lacks for `uefi`
    smp: int = 1
    memory_mib: int = 1024
    reboot: bool = False  # may the guest reset itself, or does that end QEMU
    write_disk: bool = False  # else changes are forgotten at the end
    cpu: str = "max,la57=off"
    cpus_take_turns: bool = False  # without KVM: one thread of the host for all CPUs, not one for each
    icount: Optional[int] = None  # count guest instructions: virtual time is their number; the value seeds the guest's random numbers
    extra: List[str] = field(default_factory=list)


def comma(text: str) -> str:
    """Escapes a value of a QEMU option: a comma is doubled."""
    return text.replace(",", ",,")


def accelerator(qemu: Qemu) -> str:
    """`kvm` where a guest really runs under it (that /dev/kvm can be opened is no proof), else `tcg`.

    KEVLAR_ACCEL=kvm|tcg in the environment decides without a trial.
    """
    asked = os.environ.get("KEVLAR_ACCEL", "auto")
    if asked in ("kvm", "tcg"):
        return asked
    if asked != "auto":
        raise SystemExit(f"KEVLAR_ACCEL={asked}: must be auto, kvm or tcg")
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    with tempfile.NamedTemporaryFile(suffix=".rom") as rom:
        rom.write(probe_rom())
        rom.flush()
        argv = qemu.command() + base_options("kvm") + ["-no-reboot", "-m", "16", "-bios", rom.name]
        probe = subprocess.Popen(argv, env=qemu.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE)
        # A KVM that gives up says so and leaves QEMU waiting; a timer ends a silent one.
        timer = threading.Timer(PROBE_SECONDS, probe.kill)
        timer.start()
        for line in probe.stderr:
            if b"KVM internal error" in line:
                probe.kill()
        status = probe.wait()
        timer.cancel()
        probe.stderr.close()
    return "kvm" if status == PROBE_STATUS else "tcg"


def base_options(accel: str, cpu: str = Machine.cpu) -> List[str]:
    return [
        "-machine", "q35,hpet=on",
        "-accel", accel,
        "-cpu", cpu,
        "-nodefaults", "-no-user-config",
        "-display", "none",
        "-device", f"isa-debug-exit,iobase={DEBUG_EXIT_PORT:#x},iosize=0x04",
    ]


def options(qemu: Qemu, machine: Machine, accel: str) -> List[str]:
    """Everything of QEMU's command line but the program and the serial port."""
    if machine.icount is None:
        argv = base_options("tcg,thread=single" if accel == "tcg" and machine.cpus_take_turns else accel, machine.cpu)
    else:  # one nanosecond of guest time is one instruction, an idle guest's time passes at once, and two runs are the same
        argv = base_options("tcg,thread=single", machine.cpu)
        argv += ["-icount", "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm", "-seed", str(machine.icount)]
    argv += ["-smp", str(machine.smp), "-m", str(machine.memory_mib), "-device", "virtio-rng-pci"]
    if not machine.reboot:
        argv.append("-no-reboot")
    if machine.boot == "kernel":
        argv += ["-kernel", machine.kernel]
        if machine.initramfs:
            argv += ["-initrd", machine.initramfs]
        if machine.cmdline:
            argv += ["-append", machine.cmdline]
    elif machine.boot == "uefi":
        argv += ["-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={comma(qemu.ovmf_code)}"]
        argv += ["-drive", f"if=pflash,unit=1,format=raw,snapshot=on,file={comma(qemu.ovmf_vars)}"]
        if machine.cmdline:
            argv += ["-smbios", "type=11,value=" + comma(STUB_CMDLINE + machine.cmdline)]
    else:
        raise SystemExit(f"--boot={machine.boot}: must be uefi or kernel")
    if machine.disk:
        snapshot = "off" if machine.write_disk else "on"
        argv += ["-drive", f"if=none,id=disk0,format=raw,snapshot={snapshot},file={comma(machine.disk)}"]
        argv += ["-device", "virtio-blk-pci,drive=disk0,bootindex=0"]
    return argv + machine.extra
