#!/usr/bin/env python3
"""bazelw run //bench:locks — how many of the instructions of work on many CPUs are spent in waiting for locks, on Linux and on Kevlar.

    ./bazelw run //bench:locks -- [--cpus=1,4,16] [--only=cpu_files,...] [--kernels=kevlar,linux] [--show]

The work is that of //bench:scale on all CPUs at once. Counted are the instructions of the functions in which a kernel is only when a lock is not free: the
slow paths of spinlocks, mutexes and reader-writer locks, and what these spin and queue with. Instructions that a sleeper costs elsewhere (the switch, the
wake-up) are not in it. QEMU takes its CPUs in turn here and ends a CPU's turn at each PAUSE instruction, so a spinner costs few instructions: the figure
says how often a lock was busy, not for how long. --show names the functions.
"""

import argparse
import json
import re
import sys
from typing import Dict, Tuple

import machine as machines
import profile
import results
import scale

WORKS = ("cpu_files", "cpu_memory", "cpu_fork", "cpu_sockets")

# By each kernel's own names: kernel/sync of Kevlar; of Linux what /proc/kallsyms calls so. (A number stands behind a name that a static function of another
# file has too, where the kernel is linked as one program.)
WAITING = {
    "kevlar": re.compile(r"^(spin_lock_slow|queue_and_take|mutex_(lock|unlock)_slow|mutex_(try|spin|leave_queue)|(down|up)_(read|write)_slow_"
                         r"|(mutex_lock|down_write)_uninterruptible_|wait_in_queue|take_back_stray_count|wake_first|waiter_try|only_readers_before|leave_queue|spin"
                         r"|try_take)(\.\d+)?$"),
    "linux": re.compile(r"^(native_|__pv_|pv_)?queued?_?(spin|read|write)_lock_slowpath|^__mutex_(lock|unlock)|^mutex_spin_on_owner|^mutex_optimistic_spin"
                        r"|^rwsem_(down|up|wake|mark_wake|spin|optimistic|can_spin|del)|^osq_(lock|unlock|wait_next)|^__(down|up)_(read|write)"),
}

# Where the waiting begins: a kernel that does not have these any more would seem not to wait.
BEGINNINGS = {
    "kevlar": ("spin_lock_slow$", "mutex_lock_slow$", "down_read_slow_$", "down_write_(slow|uninterruptible)_$", "wait_in_queue$"),
    "linux": ("(native_)?queued_spin_lock_slowpath", "__mutex_lock", "rwsem_down_read_slowpath", "rwsem_down_write_slowpath"),
}


def check_names(symbols: profile.Symbols, family: str) -> None:
    """Raises results.Incomplete if the kernel lacks one of the BEGINNINGS, or if WAITING does not count it."""
    for beginning in BEGINNINGS[family]:
        names = [name for _, name in symbols.pairs if re.match(beginning, name)]
        if not any(WAITING[family].search(name) for name in names):
            raise results.Incomplete(f"{family}: no function is called {beginning.rstrip('$')}: locks.py names those in which a kernel waits")


def share(counts: Dict[int, int], kernel: profile.Symbols, waiting) -> Tuple[int, Dict[str, int]]:
    """Executed instructions in all, and those of each function that waits."""
    functions: Dict[str, int] = {}
    for address, executed in counts.items():
        name = kernel.name(address) if address >= profile.KERNEL_SPACE else ""
        if waiting.search(name):
            functions[name] = functions.get(name, 0) + executed
    return sum(counts.values()), functions


def measure(qemu, config, kernel: str, work: str, cpus: int) -> Tuple[int, int, Dict[str, int]]:
    """Operations, instructions, and those spent in waiting by function. Raises results.Incomplete."""
    files = config["files"]
    words = f"scale_what=cpus scale_cpus={cpus} scale_only={work}"
    counts, transcript = profile.count(qemu, config["systems"][kernel], words, files["plugin"], profile.Symbols(profile.elf_symbols(files["program"])), cpus)
    scale.refuse_incomplete(f"{kernel}, {words}", transcript)
    match = next((match for match in (scale.SCALE.match(line) for _, line in transcript.lines) if match), None)
    if not match or not counts:
        raise results.Incomplete(f"{kernel}, {words}: no figure")
    family, symbols = "kevlar" if kernel == "kevlar" else "linux", profile.kernel_symbols(files, kernel)
    check_names(symbols, family)
    instructions, functions = share(counts, symbols, WAITING[family])
    return int(match["iterations"]), instructions, functions


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as f:
        config = json.load(f)
    parser = argparse.ArgumentParser(prog="//bench:locks", description=__doc__.splitlines()[0])
    parser.add_argument("--cpus", default="1,4,16")
    parser.add_argument("--only", default=",".join(WORKS), metavar="WORK,WORK")
    parser.add_argument("--kernels", default="kevlar,linux")
    parser.add_argument("--show", action="store_true", help="name the functions too")
    args = parser.parse_args(sys.argv[2:])
    qemu = machines.Qemu(**config["qemu"])
    print("| work | CPUs | kernel | instructions an operation | of which waiting for locks | share |\n| --- | ---: | --- | ---: | ---: | ---: |")
    for work in args.only.split(","):
        for cpus in args.cpus.split(","):
            for kernel in args.kernels.split(","):
                try:
                    operations, instructions, functions = measure(qemu, config, kernel, work, int(cpus))
                except results.Incomplete as why:
                    print(f"refused: {why}", file=sys.stderr)
                    return 1
                waiting = sum(functions.values())
                print(f"| {work} | {cpus} | {kernel} | {instructions / operations:,.0f} | {waiting / operations:,.1f} | {waiting / instructions:.2%} |", flush=True)
                for name, executed in sorted(functions.items(), key=lambda item: -item[1]) if args.show else []:
                    print(f"    {executed / operations:10,.1f}  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
