#!/usr/bin/env python3
"""bazelw run //bench:report — boots Linux and Kevlar in turn, measures, and writes report.md, report.json and chart.svg.

    ./bazelw run //bench:report -- [--out=FOLDER] [--clocks=icount,wall,kvm] [--only=NAME,NAME] [--icount-runs=3] [--wall-runs=7] [--minutes=M] [--no-boot | --boot-only]

The folder is bench/out of the workspace unless named. A run that is not complete is refused: the report is not written, the console's text is in
FOLDER/raw. Runs on the wall clock take turns (A B C A B C …); counted instructions need no quiet machine, and their runs differ by the guest's seed.
"""

import argparse
import datetime
import json
import os
import platform
import shlex
import sys
from dataclasses import asdict

import boot
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
    return parser.parse_args(argv)


def clocks_of(asked, accel):
    if asked == "auto":
        return [c for c in CLOCKS if c != "kvm" or accel == "kvm"]
    chosen = asked.split(",")
    if not set(chosen) <= set(CLOCKS):
        raise SystemExit(f"--clocks={asked}: of {', '.join(CLOCKS)}")
    return chosen


def folder(out):
    if out:
        return os.path.join(os.environ.get("BUILD_WORKING_DIRECTORY", os.getcwd()), out)
    return os.path.join(os.environ.get("BUILD_WORKSPACE_DIRECTORY", os.getcwd()), "bench", "out")


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


def build(runs, boots, qemu, only):
    versions = {"QEMU": guest.version(qemu)}
    versions.update({run.configuration: run.kernel for run in runs})
    commands, counts = commands_of(runs, boots)
    wanted = only or names.ALL
    summary = {clock: {name: asdict(c) for name, c in results.summarise(runs, clock, wanted).items()} for clock in CLOCKS}
    return {
        "format": 1,
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "host": f"{platform.machine()}, {os.cpu_count()} CPUs, {cpu_model()}",
        "versions": versions,
        "warnings": results.clock_warnings(runs),
        "summary": summary,
        "systems": boot.summarise(runs, boots),
        "commands": commands,
        "runs_of": counts,
        "runs": [run.to_json() for run in runs],
        "boots": [asdict(b) for b in boots],
    }


def cpu_model():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            return next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), "unknown CPU")
    except OSError:
        return "unknown CPU"


def write(report, out):
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "report.json"), "w", encoding="utf-8") as f:
        json.dump(report, f, indent=1)
    with open(os.path.join(out, "report.md"), "w", encoding="utf-8") as f:
        f.write(render.markdown(report))
    chart = render.chart(report)
    if chart:
        with open(os.path.join(out, "chart.svg"), "w", encoding="utf-8") as f:
            f.write(chart)


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        config = json.load(f)
    args = arguments(sys.argv[2:])
    qemu = machines.Qemu(**config["qemu"])
    clocks = clocks_of(args.clocks, machines.accelerator(qemu))
    only = args.only.split(",") if args.only else None
    if only and not set(only) <= set(names.ALL):
        raise SystemExit(f"--only: there is no {', '.join(sorted(set(only) - set(names.ALL)))}")
    out = folder(args.out)
    systems = config["systems"]
    print(f"measuring {', '.join(systems)} by {', '.join(clocks)}; the report goes to {out}", flush=True)
    try:
        runs = [] if args.boot_only else measure_all(qemu, systems, clocks, args, only, out)
        boots = []
        if not args.no_boot and not only:
            boots = boot.measure_all(qemu, config["login_systems"], args.boot_runs, clocks, config["files"]["stamps"],
                                     os.path.join(out, "raw"))
        report = build(runs, boots, qemu, only)
    except results.Incomplete as why:
        print(f"refused: {why}\n  the console's text is in {os.path.join(out, 'raw')}", file=sys.stderr)
        return 1
    write(report, out)
    for warning in report["warnings"]:
        print(f"warning: {warning}")
    for clock, summary in report["summary"].items():
        if summary:
            print(f"{render.CLOCK_TITLES[clock]}:")
            print("\n".join("  " + line for line in render.means(summary) if line))
    print(f"written: {os.path.join(out, 'report.md')}, report.json, chart.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
