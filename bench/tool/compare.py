#!/usr/bin/env python3
"""bazelw run //bench:compare -- OLD.json NEW.json — Kevlar's figures of two reports; ends with 1 if one became worse beyond the spread.

    compare.py OLD NEW [--tolerance=0.04]

OLD and NEW are report.json files, or a baseline (bench/baseline.json) for either. The tolerance holds for counted instructions, where runs have next to no
spread; on the wall clock a difference counts when it is beyond the larger spread of the two sides, and beyond the tolerance.
"""

import argparse
import json
import os
import sys
from dataclasses import dataclass
from typing import Dict, List

# A single name moves by up to 3 % when the kernel is linked anew (alignment, load address); a planted loop moves it by more.
TOLERANCE = 0.04
# Of a call of 75 instructions, 4 % are three: a change of so few is no regression anybody planted.
LEAST = 4.0


@dataclass
class Change:
    clock: str
    name: str
    old: float
    new: float
    allowed: float  # how much more is still level

    @property
    def ratio(self) -> float:
        return self.new / self.old

    def worse(self) -> bool:
        return self.new > self.old + self.allowed

    def better(self) -> bool:
        return self.new < self.old - self.allowed

    def __str__(self) -> str:
        return f"{self.clock:7} {self.name:22} {self.old:14,.1f} {self.new:14,.1f}  {self.ratio:6.3f}"


def figures(value: dict) -> Dict[str, Dict[str, dict]]:
    """Clock to name to {median, spread}, of a report or of a baseline."""
    if "baseline" in value:
        return {"icount": {name: {"median": median, "spread": 0.0} for name, median in value["baseline"].items()}}
    return {clock: {name: entry["kevlar"] for name, entry in summary.items()} for clock, summary in value["summary"].items() if summary}


def changes(old: dict, new: dict, tolerance: float) -> List[Change]:
    """Every figure that both have. Raises ValueError if the new one lacks a name of the old one."""
    before, after = figures(old), figures(new)
    found = []
    for clock in before:
        if clock not in after:
            continue
        missing = sorted(set(before[clock]) - set(after[clock]))
        if missing:
            raise ValueError(f"{clock}: no longer measured: {' '.join(missing)}")
        for name, was in before[clock].items():
            now = after[clock][name]
            share = tolerance if clock == "icount" else max(tolerance, was["spread"], now["spread"])
            found.append(Change(clock, name, was["median"], now["median"], max(share * was["median"], LEAST if clock == "icount" else 0.0)))
    if not found:
        raise ValueError("the two have no clock in common")
    return found


def report(found: List[Change]) -> int:
    """Prints what changed; returns how many figures became worse."""
    worse = [c for c in found if c.worse()]
    better = [c for c in found if c.better()]
    for title, group in (("slower", worse), ("faster", better)):
        if group:
            print(f"{title}: {'clock':7} {'benchmark':22} {'old':>14} {'new':>14}   ratio")
            for change in sorted(group, key=lambda c: c.ratio, reverse=title == "slower"):
                print(f"{title}: {change}")
    print(f"{len(found)} figures: {len(worse)} slower, {len(better)} faster, {len(found) - len(worse) - len(better)} level")
    return len(worse)


def load(path: str) -> dict:
    with open(os.path.join(os.environ.get("BUILD_WORKING_DIRECTORY", os.getcwd()), path), encoding="utf-8") as f:
        return json.load(f)


def main() -> int:
    parser = argparse.ArgumentParser(prog="//bench:compare", description=__doc__.splitlines()[0])
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--tolerance", type=float, default=TOLERANCE)
    args = parser.parse_args()
    try:
        return 1 if report(changes(load(args.old), load(args.new), args.tolerance)) else 0
    except (OSError, ValueError, KeyError) as e:
        print(f"compare: {e}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
