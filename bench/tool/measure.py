"""Measures: boots the benchmark system on one kernel under one clock and gives the run back, or says why it cannot be used."""

import os
import time
from typing import Iterator, List, Optional

import guest
import names
import results

LIMIT_SECONDS = 1800


def rounds(count: int, minutes: Optional[float]) -> Iterator[int]:
    """The numbers of the rounds, from 1 to `count`; with `minutes`, no round is begun that would end later than that, after the first."""
    started = time.monotonic()
    for number in range(1, count + 1):
        used = (time.monotonic() - started) / 60
        if minutes and number > 1 and used + used / (number - 1) > minutes:
            print(f"  {number - 1} of {count} rounds fit into {minutes:g} minutes", flush=True)
            return
        yield number


def run_once(qemu, system: dict, configuration: str, clock: str, number: int, only: Optional[List[str]] = None,
             raw_folder: Optional[str] = None, **shape) -> results.Run:
    """One boot. `clock` is icount, wall (plain emulation) or kvm; `number` counts from 1 and seeds the guest's random numbers under icount.

    `shape` is the machine's, where it is not the usual one: smp, memory_mib. The console's text is kept in raw_folder, also of a run that is refused. Raises results.Incomplete.
    """
    wanted = only or names.ALL
    append = f"bench_clock={'icount' if clock == 'icount' else 'wall'}"
    if only:
        append += " bench_only=" + ",".join(only)
    machine = guest.guest_machine(system, append, number if clock == "icount" else None, **shape)
    transcript = guest.boot(qemu, machine, "kvm" if clock == "kvm" else "tcg", lambda line: line == "BENCH_END", LIMIT_SECONDS)
    if raw_folder:
        os.makedirs(raw_folder, exist_ok=True)
        with open(os.path.join(raw_folder, f"{configuration}.{clock}.{number}.txt"), "w", encoding="utf-8") as f:
            f.write(transcript.text())
    run = results.parse(results.Run(configuration, clock, number, transcript.command), transcript.text(), wanted)
    run.init_seconds = round(transcript.when("BENCH_INIT") or 0.0, 3)
    return run
