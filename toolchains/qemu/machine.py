"""The machine every run and test uses: from a few choices to QEMU's command line."""

import os
import subprocess
import tempfile
from dataclasses import dataclass, field
from typing import List, Optional

# The guest ends QEMU by writing v to this port; QEMU's status is then (v << 1) | 1.
DEBUG_EXIT_PORT = 0xF4

# A ROM whose reset vector ends QEMU: mov al, 0x10; out 0xf4, al; hlt.
PROBE_ROM_SIZE = 64 << 10
PROBE_CODE = bytes([0xB0, 0x10, 0xE6, DEBUG_EXIT_PORT, 0xF4])
PROBE_STATUS = (0x10 << 1) | 1
PROBE_SECONDS = 10

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
        code_at = PROBE_ROM_SIZE - 16
        rom.write(bytes(code_at) + PROBE_CODE.ljust(16, b"\0"))
        rom.flush()
        argv = qemu.command() + base_options("kvm") + ["-m", "16", "-bios", rom.name]
        try:
            done = subprocess.run(argv, env=qemu.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, timeout=PROBE_SECONDS)
        except subprocess.TimeoutExpired:
            return "tcg"
    return "kvm" if done.returncode == PROBE_STATUS else "tcg"


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
        argv = base_options(accel, machine.cpu)
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
