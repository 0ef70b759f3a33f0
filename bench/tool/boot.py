"""The whole system's boot: how long to init and to the login prompt and how much memory is used there, on each kernel.

A QEMU plugin (bench/boot/stamps.c) says when the kernel was entered, when init's first instruction ran and when getty's place was reached, by the host's
clock and in executed instructions. The guest's TSC is not enough: where instructions are counted it also counts the time for which the guest slept.
"""

import os
import re
import tempfile
from dataclasses import asdict, dataclass
from typing import Dict, List

import guest
import results

LOGIN = re.compile(r"^BENCH_LOGIN (?P<ticks>\d+) (?P<total>\d+) (?P<free>\d+) (?P<available>\d+)$", re.MULTILINE)
LIMIT_SECONDS = 900

# The places of the plugin, in the order a boot comes to them: where QEMU's loader enters a kernel (the boot protocol's setup code, at 0x10000 + 0x200); the
# first user code of a dynamically linked program, in the upper half of user space; login_stamp, linked at an address of its own.
PLACES = ("10200-10200", "500000000000-7fffffffffff", "20000000-200fffff")


@dataclass
class Boot:
    """One boot of //:initramfs with getty's stamp in it."""

    configuration: str
    clock: str
    number: int
    command: List[str]
    ticks: int  # the TSC when getty started: guest instructions since reset, where they are counted
    seconds: float  # from QEMU's start to the prompt, by the host's clock
    kernel_to_init: float  # seconds by the host's clock, or executed instructions
    kernel_to_login: float
    reset_to_login: float  # executed instructions, or 0 on the wall clock
    kernel_bytes: int  # of the file
    total_kib: int
    free_kib: int
    available_kib: int


def stamps_of(log, where):
    """The plugin's lines: (seconds of the host's clock, executed instructions) of each place."""
    with open(log, encoding="utf-8") as f:
        lines = [[int(word, 16) for word in line.split()] for line in f]
    if [line[0] for line in lines] != list(range(len(PLACES))):
        raise results.Incomplete(f"{where}: of the {len(PLACES)} places of a boot, {len(lines)} were reached")
    return [(ns / 1e9, executed) for _, ns, executed in lines]


def boot_once(qemu, system, configuration, clock, number, stamps, raw_folder) -> Boot:
    counted = clock == "icount"
    where = f"{configuration}, boot by {clock}, run {number}"
    with tempfile.TemporaryDirectory(prefix="boot") as scratch:
        log = os.path.join(scratch, "log")
        plugin = ",".join([os.path.abspath(stamps), *("at=" + place for place in PLACES), *(["count=1"] if counted else [])])
        machine = guest.guest_machine(system, "", number if counted else None, extra=["-plugin", plugin, "-d", "plugin", "-D", log] if clock != "kvm" else [])
        transcript = guest.boot(qemu, machine, "kvm" if clock == "kvm" else "tcg", lambda line: line.endswith("login: "), LIMIT_SECONDS)
        os.makedirs(raw_folder, exist_ok=True)
        with open(os.path.join(raw_folder, f"{configuration}.login.{clock}.{number}.txt"), "w", encoding="utf-8") as f:
            f.write(transcript.text())
        match = LOGIN.search(transcript.text())
        if not transcript.ended or not match:
            raise results.Incomplete(f"{where}: no {'stamp' if transcript.ended else 'login prompt'}")
        if "0" in match.groups():
            raise results.Incomplete(f"{where}: no memory figures: {match[0]}")
        places = stamps_of(log, where) if clock != "kvm" else [(0.0, 0)] * len(PLACES)  # a plugin sees nothing under KVM
    entry, init, login = (place[1 if counted else 0] for place in places)
    return Boot(configuration, clock, number, transcript.command, int(match["ticks"]), round(transcript.lines[-1][0], 3), init - entry, login - entry,
                places[2][1], os.path.getsize(system["kernel"]), int(match["total"]), int(match["free"]), int(match["available"]))


def measure_all(qemu, systems, count, clocks, stamps, raw_folder) -> List[Boot]:
    """`count` boots of each system under each clock, in turn."""
    boots = []
    for clock in clocks:
        for number in range(1, count + 1):
            for configuration, system in systems.items():
                one = boot_once(qemu, system, configuration, clock, number, stamps, raw_folder)
                print(f"  {clock} {number}: {configuration}: login after {one.seconds:.1f} s", flush=True)
                boots.append(one)
    return boots


def summarise(runs: List[results.Run], boots: List[Boot]) -> Dict[str, Dict[str, dict]]:
    """Configuration to the name of a figure to the figure."""
    values: Dict[str, Dict[str, List[float]]] = {}

    def add(configuration, name, value):
        values.setdefault(configuration, {}).setdefault(name, []).append(value)

    for run in runs:
        if run.clock == "kvm":
            add(run.configuration, "reset_to_init_seconds_kvm", run.init_seconds)
    for one in boots:
        if one.clock == "icount":
            add(one.configuration, "kernel_entry_to_init,_million_instructions", one.kernel_to_init / 1e6)
            add(one.configuration, "kernel_entry_to_login,_million_instructions", one.kernel_to_login / 1e6)
            add(one.configuration, "reset_to_login,_million_instructions", one.reset_to_login / 1e6)
            add(one.configuration, "reset_to_login,_milliseconds_of_guest_time", one.ticks / 1e6)
        else:
            if one.clock == "wall":
                add(one.configuration, "kernel_entry_to_init,_seconds", one.kernel_to_init)
                add(one.configuration, "kernel_entry_to_login,_seconds", one.kernel_to_login)
            add(one.configuration, f"reset_to_login,_seconds,_{one.clock}", one.seconds)
        add(one.configuration, "kernel_file,_KiB", one.kernel_bytes / 1024)
        add(one.configuration, "memory_used_at_login,_KiB_(machine_less_MemFree)", guest.MEMORY_MIB * 1024 - one.free_kib)
        add(one.configuration, "memory_used_at_login,_KiB_(MemTotal_less_MemAvailable)", one.total_kib - one.available_kib)
    return {c: {name: asdict(results.Figure.of(v)) for name, v in figures.items()} for c, figures in values.items()} if boots else {}
