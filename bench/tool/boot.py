"""The whole system's boot: how long to the login prompt and how much memory is used there, on each kernel."""

import os
import re
from dataclasses import asdict, dataclass
from typing import Dict, List

import guest
import results

LOGIN = re.compile(r"^BENCH_LOGIN (?P<ticks>\d+) (?P<total>\d+) (?P<free>\d+) (?P<available>\d+)$", re.MULTILINE)
LIMIT_SECONDS = 900


@dataclass
class Boot:
    """One boot of //:initramfs with getty's stamp in it."""

    configuration: str
    clock: str
    number: int
    command: List[str]
    ticks: int  # the TSC when getty started: guest instructions since reset, where they are counted
    seconds: float  # from QEMU's start to the prompt, by the host's clock
    total_kib: int
    free_kib: int
    available_kib: int


def boot_once(qemu, system, configuration, clock, number, raw_folder) -> Boot:
    machine = guest.guest_machine(system, "", number if clock == "icount" else None)
    accel = "kvm" if clock == "kvm" else "tcg"
    transcript = guest.boot(qemu, machine, accel, lambda line: line.endswith("login: "), LIMIT_SECONDS)
    os.makedirs(raw_folder, exist_ok=True)
    with open(os.path.join(raw_folder, f"{configuration}.login.{clock}.{number}.txt"), "w", encoding="utf-8") as f:
        f.write(transcript.text())
    match = LOGIN.search(transcript.text())
    if not transcript.ended or not match:
        raise results.Incomplete(f"{configuration}, boot by {clock}, run {number}: no {'stamp' if transcript.ended else 'login prompt'}")
    if "0" in match.groups():
        raise results.Incomplete(f"{configuration}, boot by {clock}, run {number}: no memory figures: {match[0]}")
    return Boot(configuration, clock, number, transcript.command, int(match["ticks"]), round(transcript.lines[-1][0], 3), int(match["total"]),
                int(match["free"]), int(match["available"]))


def measure_all(qemu, systems, count, clocks, raw_folder) -> List[Boot]:
    """`count` boots of each system under each clock, in turn."""
    boots = []
    for clock in clocks:
        for number in range(1, count + 1):
            for configuration, system in systems.items():
                one = boot_once(qemu, system, configuration, clock, number, raw_folder)
                print(f"  {clock} {number}: {configuration}: login after {one.seconds:.1f} s", flush=True)
                boots.append(one)
    return boots


def summarise(runs: List[results.Run], boots: List[Boot]) -> Dict[str, Dict[str, dict]]:
    """Configuration to the name of a figure to the figure."""
    values: Dict[str, Dict[str, List[float]]] = {}

    def add(configuration, name, value):
        values.setdefault(configuration, {}).setdefault(name, []).append(value)

    for run in runs:
        if run.clock == "icount":
            add(run.configuration, "reset_to_init_million_instructions", run.init_ticks / 1e6)
        else:
            add(run.configuration, f"reset_to_init_seconds_{run.clock}", run.init_seconds)
    for one in boots:
        if one.clock == "icount":
            add(one.configuration, "reset_to_login_million_instructions", one.ticks / 1e6)
        else:
            add(one.configuration, f"reset_to_login_seconds_{one.clock}", one.seconds)
        add(one.configuration, "memory_used_at_login_KiB_(machine_less_MemFree)", guest.MEMORY_MIB * 1024 - one.free_kib)
        add(one.configuration, "memory_used_at_login_KiB_(MemTotal_less_MemAvailable)", one.total_kib - one.available_kib)
    return {c: {name: asdict(results.Figure.of(v)) for name, v in figures.items()} for c, figures in values.items()} if boots else {}
