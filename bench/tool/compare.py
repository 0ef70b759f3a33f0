#!/usr/bin/env python3
"""bazelw run //bench:compare -- OLD.json NEW.json — Kevlar's figures of two reports; ends with 1 if one became worse beyond the spread.

    compare.py OLD NEW [--tolerance=0.04] [--partial]

OLD and NEW are report.json, macro.json or scale.json files, or a baseline (bench/baseline.json) for either. The tolerance holds for counted instructions,
where runs have next to no spread; on the wall clock a difference counts when it is beyond the larger spread of the two sides, and beyond the tolerance.
Whatever OLD has, NEW must have: every clock, every benchmark, boot and memory. A partial report is refused unless --partial says that it is meant.
"""

import argparse
import re
import sys
from dataclasses import dataclass
from typing import Dict, List

import document
import results

# A single name moves by up to 3 % when the kernel is linked anew (alignment, load address); a planted loop moves it by more.
TOLERANCE = 0.04
# Of a call of 75 instructions, 4 % are three: a change of so few is no regression anybody planted.
LEAST = 4.0

SYSTEM = "system"
NAME_WIDTH = 22


@dataclass
class Change:
    clock: str  # or SYSTEM, for boot and memory
    name: str
    old: float
    new: float
    allowed: float  # how much more is still level

    @property
    def ratio(self) -> float:
        return self.new / self.old if self.old else 1.0

    def worse(self) -> bool:
        return self.new > self.old + self.allowed

    def better(self) -> bool:
        return self.new < self.old - self.allowed

    def __str__(self) -> str:
        return f"{self.clock:7} {self.name:{NAME_WIDTH}} {self.old:14,.1f} {self.new:14,.1f}  {self.ratio:6.3f}"


def figures(value: dict) -> Dict[str, Dict[str, dict]]:
    """Clock (or SYSTEM) to name to {median, spread}, of a report or of a baseline."""
    if "baseline" in value:
        return {"icount": {name: {"median": median, "spread": 0.0, "runs": 1} for name, median in value["baseline"].items()}}
    found = {clock: {name: entry["kevlar"] for name, entry in summary.items()} for clock, summary in value["summary"].items() if summary}
    if value["systems"].get("kevlar"):
        found[SYSTEM] = value["systems"]["kevlar"]
    return found


def is_counted(clock: str, name: str) -> bool:
    """Instructions, KiB and the milliseconds of a guest whose instructions are its time, which hardly differ from run to run; not seconds."""
    return clock == "icount" or clock == SYSTEM and not re.search("(?<![a-z])seconds", name)


def refuse_partial(title: str, value: dict) -> None:
    if value.get("partial"):
        raise ValueError(f"{title} is partial: {value['partial']}")


def changes(old: dict, new: dict, tolerance: float) -> List[Change]:
    """Every figure of the old one. Raises ValueError if the new one lacks a clock or a name of it, or if a figure has no spread to be judged by."""
    before, after = figures(old), figures(new)
    found = []
    for clock in before:
        if clock not in after:
            raise ValueError(f"{clock}: no longer measured")
        missing = sorted(set(before[clock]) - set(after[clock]))
        if missing:
            raise ValueError(f"{clock}: no longer measured: {' '.join(missing)}")
        for name, was in before[clock].items():
            now = after[clock][name]
            counted = is_counted(clock, name)
            if not counted and min(was["runs"], now["runs"]) < results.LEAST_RUNS:
                raise ValueError(f"{clock}: {name}: {results.SPREAD_UNKNOWN}: {results.LEAST_RUNS} runs at least are wanted")
            share = tolerance if clock == "icount" else max(tolerance, was["spread"], now["spread"])
            found.append(Change(clock, name, was["median"], now["median"], max(share * abs(was["median"]), LEAST if clock == "icount" else 0.0)))
    if not found:
        raise ValueError("there is nothing to compare")
    return found


def report(found: List[Change]) -> int:
    """Prints what changed; returns how many figures became worse."""
    worse = [c for c in found if c.worse()]
    better = [c for c in found if c.better()]
    for title, group in (("slower", worse), ("faster", better)):
        if group:
            print(f"{title}: {'clock':7} {'benchmark':{NAME_WIDTH}} {'old':>14} {'new':>14}   ratio")
            for change in sorted(group, key=lambda c: c.ratio, reverse=title == "slower"):
                print(f"{title}: {change}")
    print(f"{len(found)} figures: {len(worse)} slower, {len(better)} faster, {len(found) - len(worse) - len(better)} level")
    return len(worse)


def main() -> int:
    parser = argparse.ArgumentParser(prog="//bench:compare", description=__doc__.splitlines()[0])
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--tolerance", type=float, default=TOLERANCE)
    parser.add_argument("--partial", action="store_true", help="partial reports are meant to be compared")
    args = parser.parse_args()
    try:
        old, new = document.load(args.old), document.load(args.new)
        if not args.partial:
            refuse_partial(args.old, old)
            refuse_partial(args.new, new)
        return 1 if report(changes(old, new, args.tolerance)) else 0
    except (OSError, ValueError, KeyError) as e:
        print(f"compare: {e}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
