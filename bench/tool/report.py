#!/usr/bin/env python3
"""bazelw run //bench:report — boots Linux and Kevlar in turn, measures, and writes report.md, report.json and chart.svg.

    ./bazelw run //bench:report -- [--out=FOLDER] [--clocks=icount,wall,kvm] [--only=NAME,NAME] [--icount-runs=3] [--wall-runs=7] [--minutes=M] [--no-boot | --boot-only] [--check]

The folder is bench/out of the workspace unless named; a report that leaves something out is marked as partial and goes to bench/out/partial. With --check
each goal is judged (goals.py), and the end is 1 if one is missed. A run that is not complete is refused: the report is not written, the console's text is in
FOLDER/raw. Runs on the wall clock take turns (A B C A B C …); counted instructions need no quiet machine, and their runs differ by the guest's seed.
"""

import argparse
import json
import os
import shlex
import sys
from dataclasses import asdict

import boot
import document
import goals
import guest
import machine as machines
import measure
import names
import render
import results

CLOCKS = ("icount", "wall", "kvm")


def arguments(argv):
    parser = argparse.ArgumentParser(prog="//bench:report", description=__doc__.splitlines()[0])
    parser.add_argument("--out", metavar="FOLDER", help="where the report goes; bench/out of the workspace unless named")
    parser.add_argument("--clocks", default="auto", help="of icount, wall, kvm; all that this machine has, unless said")
    parser.add_argument("--only", default="", metavar="NAMES", help="these benchmarks, with commas between them; no boot figures then")
    parser.add_argument("--icount-runs", type=int, default=3, metavar="N")
    parser.add_argument("--wall-runs", type=int, default=7, metavar="N", help="for wall and kvm")
    parser.add_argument("--minutes", type=float, metavar="M", help="as many of the wall runs as fit into this time, at least one")
    parser.add_argument("--boot-runs", type=int, default=3, metavar="N")
    parser.add_argument("--no-boot", action="store_true", help="no boot and memory figures")
    parser.add_argument("--boot-only", action="store_true", help="the boot and memory figures alone")
    parser.add_argument("--check", action="store_true", help="judge the goals; ends with 1 if one is missed")
    return parser.parse_args(argv)


def clocks_of(asked, accel):
    if asked == "auto":
        return [c for c in CLOCKS if c != "kvm" or accel == "kvm"]
    chosen = asked.split(",")
    if not set(chosen) <= set(CLOCKS):
        raise SystemExit(f"--clocks={asked}: of {', '.join(CLOCKS)}")
    return chosen


def partial_of(args, clocks, accel):
    """The options by which the report lacks something that this machine could measure; empty for a whole one."""
    left_out = [option for option in ("no_boot", "boot_only") if getattr(args, option)] + (["only=" + args.only] if args.only else [])
    if args.boot_runs < 1:
        left_out.append(f"boot-runs={args.boot_runs}")
    if set(clocks) < set(clocks_of("auto", accel)):
        left_out.append("clocks=" + ",".join(clocks))
    return " ".join("--" + option.replace("_", "-") for option in left_out)


def measure_all(qemu, systems, clocks, args, only, out):
    runs = []
    for clock in clocks:
        counted = clock == "icount"
        for number in measure.rounds(args.icount_runs if counted else args.wall_runs, None if counted else args.minutes):
            for configuration, system in systems.items():
                run = measure.run_once(qemu, system, configuration, clock, number, only, os.path.join(out, "raw"))
                print(f"  {clock} {number}: {configuration}: {run.kernel}", flush=True)
                runs.append(run)
    return runs


def commands_of(runs, boots):
    """Clock (and ", boot") to configuration to the command line of its first run, and the number of runs."""
    commands, counts = {}, {}
    for clock, run in [(run.clock, run) for run in runs] + [(one.clock + ", boot", one) for one in boots]:
        commands.setdefault(clock, {}).setdefault(run.configuration, shlex.join(run.command))
        counts.setdefault(clock, {}).setdefault(run.configuration, 0)
        counts[clock][run.configuration] += 1
    return commands, counts


def build(kind, partial, runs, boots, qemu, clocks, wanted):
    """A report's value, but for the lines that it prints."""
    commands, counts = commands_of(runs, boots)
    report = document.new(kind, partial, guest.version(qemu), {clock: results.summarise(runs, clock, wanted) for clock in clocks}, boot.summarise(runs, boots))
    for run in runs:
        report["versions"].setdefault(run.configuration, run.kernel)
    report["warnings"] = results.clock_warnings(runs) + results.run_warnings(runs)
    return {**report, "commands": commands, "runs_of": counts, "runs": [run.to_json() for run in runs], "boots": [asdict(b) for b in boots]}


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        config = json.load(f)
    args = arguments(sys.argv[2:])
    qemu = machines.Qemu(**config["qemu"])
    accel = machines.accelerator(qemu)
    clocks = clocks_of(args.clocks, accel)
    only = args.only.split(",") if args.only else None
    if only and not set(only) <= set(names.ALL):
        raise SystemExit(f"--only: there is no {', '.join(sorted(set(only) - set(names.ALL)))}")
    partial = partial_of(args, clocks, accel)
    out = document.folder(args.out, partial)
    systems = config["systems"]
    print(f"measuring {', '.join(systems)} by {', '.join(clocks)}; the report goes to {out}", flush=True)
    try:
        runs = [] if args.boot_only else measure_all(qemu, systems, clocks, args, only, out)
        boots = []
        if not args.no_boot and not only:
            boots = boot.measure_all(qemu, config["login_systems"], args.boot_runs, clocks, config["files"]["stamps"],
                                     os.path.join(out, "raw"))
        report = build("report", partial, runs, boots, qemu, CLOCKS, only or names.ALL)
    except results.Incomplete as why:
        print(f"refused: {why}\n  the console's text is in {os.path.join(out, 'raw')}", file=sys.stderr)
        return 1
    chart = render.chart(report)
    document.write(report, out, "report", {"report.md": render.markdown(report), **({"chart.svg": chart} if chart else {})})
    for warning in report["warnings"]:
        print(f"warning: {warning}")
    for clock, summary in report["summary"].items():
        if summary:
            print(f"{render.CLOCK_TITLES[clock]}:")
            print("\n".join("  " + line for line in render.means(summary) if line))
    print(f"written: {os.path.join(out, 'report.md')}, report.json{', chart.svg' if chart else ''}")
    return 1 if args.check and goals.judge(report) else 0


if __name__ == "__main__":
    sys.exit(main())
