#!/usr/bin/env python3
"""bazelw run //bench:scale — what one operation costs as its world grows, on Linux and on Kevlar: scale.md, scale.json and scale.svg.

    ./bazelw run //bench:scale -- [--out=FOLDER] [--only=CURVE,CURVE] [--cpus=1,2,4,8,16] [--parts=curves,cpus,memory] [--check]

Guest instructions are counted, so one run of each kernel is enough. The folder is bench/out of the workspace unless named, and bench/out/partial for a report
that leaves something out. With --check each goal is judged (goals.py), and the end is 1 if one is missed. A run that is not complete, or
in which the two kernels have different points, is refused.
"""

import argparse
import json
import math
import os
import re
import shlex
import sys
from dataclasses import asdict
from typing import Dict, List, Tuple
from xml.sax.saxutils import escape

import document
import goals
import guest
import machine as machines
import results

LIMIT_SECONDS = 3600
# Kevlar has one try. Stock Linux with many CPUs now and then oopses under QEMU 7.2 on code that it has just patched: it has three.
SEEDS = ((1,), (1, 2, 3))
MEMORY_MIB = 3072  # ten thousand processes
SCALE = re.compile(r"^SCALE (?P<name>\w+) (?P<size>\d+) (?P<iterations>\d+) (?P<ns>\d+) (?P<per>\d+\.\d)$")
MEMORY = re.compile(r"^MEMORY (?P<name>\w+) (?P<count>\d+) (?P<bytes>-?\d+) (?P<per>-?\d+\.\d)$")

Curves = Dict[str, Dict[int, float]]  # curve to size to instructions an operation


def refuse_incomplete(title, transcript) -> None:
    """Raises results.Incomplete if something was left out, or if the guest did not come to its end."""
    skipped = [line for _, line in transcript.lines if line.startswith("SCALE_SKIP")]
    if skipped or not any(line == "SCALE_END" for _, line in transcript.lines):
        raise results.Incomplete(f"{title}: {skipped[0] if skipped else 'no SCALE_END'}")


def run_once(qemu, system, configuration, words, seed, smp, memory_mib, raw_folder) -> Tuple[List[str], List[str]]:
    """One boot; gives the lines that begin with SCALE or MEMORY, and the command. Raises results.Incomplete."""
    machine = guest.guest_machine(system, words, seed, smp=smp)
    machine.memory_mib = memory_mib
    transcript = guest.boot(qemu, machine, "tcg", lambda line: line == "SCALE_END", LIMIT_SECONDS)
    os.makedirs(raw_folder, exist_ok=True)
    name = f"{configuration}.scale.{words.split()[0].split('=')[1]}.{smp}.txt"
    with open(os.path.join(raw_folder, name), "w", encoding="utf-8") as f:
        f.write(transcript.text())
    refuse_incomplete(f"{configuration}, {words}", transcript)
    return [line for _, line in transcript.lines if line.startswith(("SCALE", "MEMORY"))], transcript.command


def curves_of(lines: List[str]) -> Curves:
    curves: Curves = {}
    for line in lines:
        if match := SCALE.match(line):
            curves.setdefault(match["name"], {})[int(match["size"])] = int(match["ns"]) / int(match["iterations"])
    return curves


def memory_of(lines: List[str]) -> Dict[str, float]:
    return {match["name"]: int(match["bytes"]) / int(match["count"]) for match in map(MEMORY.match, lines) if match}


def merge(into: Curves, more: Curves) -> None:
    for name, points in more.items():
        into.setdefault(name, {}).update(points)


def measure(qemu, systems, args, raw):
    """Configuration to {curves, memory, commands, warnings}."""
    found = {c: {"curves": {}, "memory": {}, "commands": [], "warnings": []} for c in systems}
    only = f" scale_only={args.only}" if args.only else ""

    def boot(configuration, words, smp, memory_mib):
        for seed in SEEDS[configuration != "kevlar"]:
            try:
                lines, command = run_once(qemu, systems[configuration], configuration, words, seed, smp, memory_mib, raw)
                break
            except results.Incomplete as e:
                if seed == SEEDS[configuration != "kevlar"][-1]:
                    raise
                print(f"  {e}; once more with seed {seed + 1}", flush=True)
        if seed != 1:
            found[configuration]["warnings"].append(f"{configuration}: {words}: the run with seed {seed}, not 1: the others before it were not complete")
        found[configuration]["commands"].append(shlex.join(command))
        merge(found[configuration]["curves"], curves_of(lines))
        found[configuration]["memory"].update(memory_of(lines))
        print(f"  {configuration}: {words}", flush=True)

    for configuration in systems:
        if "curves" in args.parts:
            boot(configuration, "scale_what=curves" + only, 1, MEMORY_MIB)
        if "memory" in args.parts:
            boot(configuration, "scale_what=memory", 1, guest.MEMORY_MIB)
        for cpus in args.cpus if "cpus" in args.parts else []:
            boot(configuration, f"scale_what=cpus scale_cpus={cpus}" + only, cpus, guest.MEMORY_MIB)
    return found


def check(found) -> None:
    """All configurations must have the same points."""
    points = {c: {(name, size) for name, curve in v["curves"].items() for size in curve} | set(v["memory"]) for c, v in found.items()}
    every = set().union(*points.values())
    for configuration, have in points.items():
        if every - have:
            raise results.Incomplete(f"{configuration}: not measured: {sorted(map(str, every - have))}")
    if not every:
        raise results.Incomplete("nothing was measured")


def best_linux(found, pick) -> float:
    return min(pick(v) for c, v in found.items() if c != "kevlar")


def comparison(found, pick) -> results.Comparison:
    figures = {c: results.Figure.of([pick(v)]) for c, v in found.items()}
    return results.compare(figures.pop("kevlar"), figures, "icount")


def build(found, partial, qemu_version) -> dict:
    """The report in the common shape: a point is the benchmark `CURVE SIZE`, the memory of one of each is a figure of the system."""
    points = {f"{name} {size}": comparison(found, lambda v, name=name, size=size: v["curves"][name][size])
              for name, curve in found["kevlar"]["curves"].items() for size in sorted(curve)}
    memory = {c: {name: asdict(results.Figure.of([value])) for name, value in v["memory"].items()} for c, v in found.items()}
    report = document.new("scale", partial, qemu_version, {"icount": points}, memory)
    report["warnings"] = [warning for v in found.values() for warning in v["warnings"]]
    return {**report, "commands": {c: v["commands"] for c, v in found.items()}}


def markdown(report, found) -> str:
    lines = document.title("Scaling: Kevlar against Linux", report)
    lines += ["Guest instructions an operation, and bytes of memory.", "",
             "A ratio is Kevlar's figure over the lower one of the Linux configurations. The order is the exponent between a curve's ends: 0 does not grow, 1 is in proportion.", ""]
    if any(v["curves"] for v in found.values()):
        others = [c for c in found if c != "kevlar"]
        lines += ["| curve | size | kevlar | " + " | ".join(others) + " | ratio |", "| --- | ---: |" + " ---: |" * (len(others) + 2)]
        for name, points in found["kevlar"]["curves"].items():
            for size in sorted(points):
                best = best_linux(found, lambda v, name=name, size=size: v["curves"][name][size])
                cells = [f"{found[c]['curves'][name][size]:,.0f}" for c in others]
                lines.append(f"| {name} | {size:,} | {points[size]:,.0f} | " + " | ".join(cells) + f" | {points[size] / best:.3f} |")
            lines.append(f"| {name} | order | {results.order(points):.2f} | " + " | ".join(f"{results.order(found[c]['curves'][name]):.2f}" for c in others) + " | |")
        lines.append("")
    if found["kevlar"]["memory"]:
        others = [c for c in found if c != "kevlar"]
        lines += ["| bytes of memory for one | kevlar | " + " | ".join(others) + " | ratio |", "| --- |" + " ---: |" * (len(others) + 2)]
        for name, value in found["kevlar"]["memory"].items():
            best = best_linux(found, lambda v, name=name: v["memory"][name])
            lines.append(f"| {name.replace('_', ' ')} | {value:,.0f} | " + " | ".join(f"{found[c]['memory'][name]:,.0f}" for c in others) + f" | {value / best:.3f} |")
        lines.append("")
    for configuration, commands in report["commands"].items():
        lines += [f"{configuration}:", "", "```", *commands, "```", ""]
    return "\n".join(lines)


# --- The curves as small pictures, both axes logarithmic. ---

PANEL_WIDTH, PANEL_HEIGHT, MARGIN, COLUMNS = 260, 170, 46, 4
COLOURS = ("#2f6f9f", "#d08a2e", "#999999", "#5b8f3a")


def panel(name, found, left, top) -> List[str]:
    curves = {c: v["curves"][name] for c, v in sorted(found.items()) if name in v["curves"]}
    sizes = sorted({size for points in curves.values() for size in points})
    values = [value for points in curves.values() for value in points.values()]
    low, high = math.log(min(values) / 1.5), math.log(max(values) * 1.5)
    width, height = PANEL_WIDTH - MARGIN - 14, PANEL_HEIGHT - 50
    span = math.log(sizes[-1] / sizes[0]) or 1.0

    def place(size, value):
        x = left + MARGIN + width * math.log(size / sizes[0]) / span
        return f"{x:.1f},{top + 24 + height * (high - math.log(value)) / (high - low):.1f}"

    parts = [f'<text x="{left + MARGIN}" y="{top + 14}" font-weight="bold">{escape(name)}</text>',
             f'<rect x="{left + MARGIN}" y="{top + 24}" width="{width}" height="{height}" fill="none" stroke="#ccc"/>',
             f'<text x="{left + MARGIN - 4}" y="{top + 32}" text-anchor="end">{math.exp(high):,.0f}</text>',
             f'<text x="{left + MARGIN - 4}" y="{top + 24 + height}" text-anchor="end">{math.exp(low):,.0f}</text>',
             f'<text x="{left + MARGIN}" y="{top + 38 + height}">{sizes[0]:,}</text>',
             f'<text x="{left + MARGIN + width}" y="{top + 38 + height}" text-anchor="end">{sizes[-1]:,}</text>']
    for (configuration, points), colour in zip(curves.items(), COLOURS):
        line = " ".join(place(size, points[size]) for size in sorted(points))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"><title>{escape(configuration)}</title></polyline>')
    return parts


def picture(found) -> str:
    curves = list(found["kevlar"]["curves"])
    rows = (len(curves) + COLUMNS - 1) // COLUMNS
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{COLUMNS * PANEL_WIDTH}" height="{rows * PANEL_HEIGHT + 30}" font-family="sans-serif" font-size="10">',
             '<rect width="100%" height="100%" fill="#fff"/>']
    for (configuration, colour), i in zip(zip(sorted(found), COLOURS), range(len(found))):
        parts.append(f'<rect x="{20 + i * 160}" y="8" width="10" height="10" fill="{colour}"/><text x="{34 + i * 160}" y="17">{escape(configuration)}</text>')
    for i, name in enumerate(curves):
        parts += panel(name, found, i % COLUMNS * PANEL_WIDTH, 26 + i // COLUMNS * PANEL_HEIGHT)
    return "\n".join(parts + ["</svg>", ""])


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as f:
        config = json.load(f)
    parser = argparse.ArgumentParser(prog="//bench:scale", description=__doc__.splitlines()[0])
    parser.add_argument("--out", metavar="FOLDER")
    parser.add_argument("--only", default="", metavar="CURVES")
    parser.add_argument("--cpus", default="1,2,4,8,16")
    parser.add_argument("--parts", default="curves,cpus,memory")
    parser.add_argument("--check", action="store_true", help="judge the goals; ends with 1 if one is missed")
    args = parser.parse_args(sys.argv[2:])
    left_out = [f"--{name}={getattr(args, name)}" for name in ("only", "cpus", "parts") if getattr(args, name) != parser.get_default(name)]
    args.cpus, args.parts = [int(n) for n in args.cpus.split(",")], args.parts.split(",")
    partial = " ".join(left_out)
    out = document.folder(args.out, partial)
    qemu = machines.Qemu(**config["qemu"])
    try:
        found = measure(qemu, config["systems"], args, os.path.join(out, "raw"))
        check(found)
    except results.Incomplete as why:
        print(f"refused: {why}\n  the console's text is in {os.path.join(out, 'raw')}", file=sys.stderr)
        return 1
    report = build(found, partial, guest.version(qemu))
    pictures = {"scale.svg": picture(found)} if found["kevlar"]["curves"] else {}
    document.write(report, out, "scale", {"scale.md": markdown(report, found), **pictures})
    for warning in report["warnings"]:
        print(f"warning: {warning}")
    print(", ".join([f"written: {os.path.join(out, 'scale.md')}", "scale.json", *pictures]))
    return 1 if args.check and goals.judge(report) else 0


if __name__ == "__main__":
    sys.exit(main())
