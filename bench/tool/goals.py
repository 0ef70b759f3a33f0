#!/usr/bin/env python3
"""bazelw run //bench:goals -- REPORT.json... — what Kevlar set out to show, each goal met or missed, with its figure; ends with 1 if one is missed.

Takes report.json, macro.json and scale.json, and judges of each what it is about; report, macro and scale do the same with --check. What was not
measured is missed. The Linux to beat is the lower configuration, figure by figure.
"""

import argparse
import sys
from dataclasses import dataclass
from typing import Dict, Iterable, List, Optional, Tuple

import document
import names
import results


@dataclass
class Goal:
    title: str
    met: bool
    figure: str

    def __str__(self) -> str:
        return f"{'met   ' if self.met else 'MISSED'}  {self.title}: {self.figure}"


def at_most(title: str, value: Optional[float], limit: float, where: str = "", digits: int = 3) -> Goal:
    if value is None:
        return Goal(f"{title} at most {limit:,g}", False, "not measured")
    return Goal(f"{title} at most {limit:,g}", value <= limit, f"{value:,.{digits}f}" + (f" ({where})" if where else ""))


# --- The micro-benchmarks. ---

SETS = (("single system calls", names.CALLS, 0.30), ("what programs feel", names.PROGRAMS, 0.40))
WALL_WORST, WALL_MEAN = 1.10, 0.70


def ratios(summary: Dict[str, dict], members: Iterable[str]) -> Optional[Dict[str, float]]:
    """Name to ratio, or None unless every member was measured."""
    members = list(members)
    return {name: summary[name]["ratio"] for name in members} if all(name in summary for name in members) else None


def worst_and_mean(title: str, found: Optional[Dict[str, float]], worst_limit: float, mean_limit: float) -> List[Goal]:
    worst = max(found, key=found.get) if found else ""
    return [at_most(f"{title}, worst", found[worst] if found else None, worst_limit, worst),
            at_most(f"{title}, geometric mean", results.geometric_mean(list(found.values())) if found else None, mean_limit)]


def spread_of(entry: dict) -> float:
    return max(entry["kevlar"]["spread"], entry["linux"][entry["best"]]["spread"])


def micro(summary: Dict[str, Dict[str, dict]]) -> List[Goal]:
    goals = []
    for title, members, mean in SETS:
        goals += worst_and_mean(f"instructions of {title}", ratios(summary.get("icount", {}), members), 1.0, mean)
    wall = summary.get("wall", {})
    found = ratios(wall, names.ALL)
    slower = [name for name in found or {} if found[name] > WALL_WORST + spread_of(wall[name]) or wall[name]["verdict"] == results.SPREAD_UNKNOWN]
    worst = max(found, key=found.get) if found else ""
    goals.append(Goal(f"time under plain emulation, none above {WALL_WORST:.2f} beyond the spread", bool(found) and not slower,
                      f"worst {found[worst]:.3f} ({worst})" + (f"; above, or without a spread: {' '.join(slower)}" if slower else "") if found else "not measured"))
    goals.append(at_most("time under plain emulation, geometric mean", results.geometric_mean(list(found.values())) if found else None, WALL_MEAN))
    return goals


# --- Boot and memory. ---

KIB_OF_KERNEL_FILE = 2048
BOOT = (
    ("kernel_entry_to_init,_million_instructions", 0.10),
    ("kernel_entry_to_init,_seconds", 0.10),
    ("reset_to_login,_million_instructions", 0.20),
    ("reset_to_login,_seconds,_wall", 0.50),
    ("memory_used_at_login,_KiB_(machine_less_MemFree)", 0.25),
    ("memory_used_at_login,_KiB_(MemTotal_less_MemAvailable)", 0.25),
)


def to_lower_linux(systems: Dict[str, Dict[str, dict]], name: str) -> Optional[float]:
    """Kevlar's median over the lower Linux's."""
    ours = systems.get("kevlar", {}).get(name)
    linux = [figures[name]["median"] for configuration, figures in systems.items() if configuration != "kevlar" and name in figures]
    return ours["median"] / min(linux) if ours and linux and min(linux) > 0 else None


def boot(systems: Dict[str, Dict[str, dict]], figures: Iterable[Tuple[str, float]] = BOOT) -> List[Goal]:
    goals = [at_most(f"{name.replace('_', ' ')}, of Linux's", to_lower_linux(systems, name), limit) for name, limit in figures]
    kernel_file = systems.get("kevlar", {}).get("kernel_file,_KiB")
    return goals + [at_most("kernel file, KiB", kernel_file["median"] if kernel_file else None, KIB_OF_KERNEL_FILE, digits=0)]


# --- Scaling: curves as `NAME SIZE` in the summary. ---

# Two exponents nearer than this are of one order: the curves have ends, and constants beside what grows.
SAME_ORDER = 0.05


def curves_of(summary: Dict[str, dict]) -> Dict[str, Dict[int, dict]]:
    curves: Dict[str, Dict[int, dict]] = {}
    for point, entry in summary.items():
        name, size = point.rsplit(" ", 1)
        curves.setdefault(name, {})[int(size)] = entry
    return curves


def steeper(points: Dict[int, dict]) -> Tuple[bool, str]:
    """Whether Kevlar's curve is of a higher order than that of each Linux, and the orders. One that grows by no more instructions from its first point to its
    last is not, whatever the exponents say: the same growth on a lower beginning is a larger exponent."""
    ends = min(points), max(points)

    def pair(values):
        return results.order(dict(zip(ends, values))), values[1] - values[0]

    ours, growth = pair([points[size]["kevlar"]["median"] for size in ends])
    linux = [pair([points[size]["linux"][c]["median"] for size in ends]) for c in points[ends[0]]["linux"]]
    higher = all(ours > order + SAME_ORDER and growth > more for order, more in linux)
    return higher, f"order {ours:.2f}, Linux's {min(order for order, _ in linux):.2f}"


def scale(summary: Dict[str, dict]) -> List[Goal]:
    goals = []
    for name, points in curves_of(summary).items():
        worst = max(points, key=lambda size: points[size]["ratio"])
        above = [f"{size:,}: {points[size]['ratio']:.3f}" for size in sorted(points) if points[size]["ratio"] > 1]
        goals.append(Goal(f"curve {name}, each of {len(points)} points at most Linux's", not above,
                          "above at " + ", ".join(above) if above else f"worst {points[worst]['ratio']:.3f} at {worst:,}"))
        if len(points) > 1:
            higher, orders = steeper(points)
            goals.append(Goal(f"curve {name}, of no higher order", not higher, orders))
    return goals or [Goal("curves", False, "not measured")]


def memory_each(systems: Dict[str, Dict[str, dict]]) -> List[Goal]:
    """What one of each costs: at most what it costs on Linux."""
    return [at_most(f"bytes of memory for one: {name.replace('_', ' ')}, of Linux's", to_lower_linux(systems, name), 1.0)
            for name in systems.get("kevlar", {})] or [Goal("memory for one of each", False, "not measured")]


# --- Macro work. ---

MACRO_MEAN = 0.85


def macro(summary: Dict[str, Dict[str, dict]]) -> List[Goal]:
    goals = []
    for clock, found in summary.items():
        slower = [name for name, entry in found.items() if entry["verdict"] in ("slower", results.SPREAD_UNKNOWN)]
        worst = max(found, key=lambda name: found[name]["ratio"])
        goals.append(Goal(f"macro work by {clock}, none slower beyond the spread", not slower,
                          f"worst {found[worst]['ratio']:.3f} ({worst})" + (f"; slower, or without a spread: {' '.join(slower)}" if slower else "")))
        goals.append(at_most(f"macro work by {clock}, geometric mean", results.geometric_mean([entry["ratio"] for entry in found.values()]), MACRO_MEAN))
    return goals or [Goal("macro work", False, "not measured")]


JUDGES = {
    "macro": lambda report: macro(report["summary"]),
    "report": lambda report: micro(report["summary"]) + boot(report["systems"]),
    "scale": lambda report: scale(report["summary"].get("icount", {})) + memory_each(report["systems"]),
}


def judge(report: dict) -> int:
    """Prints each goal of this kind of report; returns how many are missed. A partial report misses the goal of being whole. Raises ValueError for a baseline."""
    if "baseline" in report:
        raise ValueError("a baseline is no report")
    goals = JUDGES[report["kind"]](report)
    if report["partial"]:
        goals.append(Goal("a whole report", False, f"partial: {report['partial']}"))
    for goal in goals:
        print(goal)
    missed = sum(not goal.met for goal in goals)
    print(f"{len(goals)} goals: {len(goals) - missed} met, {missed} missed")
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(prog="//bench:goals", description=__doc__.splitlines()[0])
    parser.add_argument("reports", nargs="+", metavar="REPORT.json")
    try:
        return 1 if sum(judge(document.load(path)) for path in parser.parse_args().reports) else 0
    except (OSError, ValueError, KeyError) as e:
        print(f"goals: {e}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
