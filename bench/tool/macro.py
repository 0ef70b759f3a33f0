#!/usr/bin/env python3
"""bazelw run //bench:macro — work that people do, with Debian's programs, on Linux and Kevlar in turn; writes macro.md and macro.json.

    ./bazelw run //bench:macro -- [--out=FOLDER] [--runs=7] [--minutes=M] [--only=NAME,NAME] [--smp=2] [--check]

The folder is bench/out of the workspace unless named (bench/out/partial with --only). With --check each goal is judged, and the end is 1 if one is missed.
Time is the wall clock's, under KVM where /dev/kvm exists and else under plain emulation; the kernels take turns (A B C A B C …). A run that is not complete
is refused.
"""

import argparse
import json
import os
import sys

import document
import goals
import machine as machines
import measure
import render
import report
import results

MEMORY_MIB = 3072  # the archive of the root file system, what it unpacks to, and what the work writes


def arguments(argv):
    parser = argparse.ArgumentParser(prog="//bench:macro", description=__doc__.splitlines()[0])
    parser.add_argument("--out", metavar="FOLDER", help="where the report goes; bench/out of the workspace unless named")
    parser.add_argument("--only", default="", metavar="NAMES", help="this work, with commas between the names")
    parser.add_argument("--runs", type=int, default=results.GOOD_RUNS, metavar="N")
    parser.add_argument("--minutes", type=float, metavar="M", help="as many of the runs as fit into this time, at least one")
    parser.add_argument("--smp", type=int, default=2, metavar="CPUS")
    parser.add_argument("--check", action="store_true", help="judge the goals; ends with 1 if one is missed")
    return parser.parse_args(argv)


def markdown(value, clock, wanted):
    summary = value["summary"][clock]
    rows = []
    for name in wanted:
        entry = summary[name]
        row = [name]
        for figure in [entry["kevlar"], *(entry["linux"][c] for c in sorted(entry["linux"]))]:
            row += [f"{figure['median'] / 1e9:.2f}", f"{figure['spread']:.1%}"]
        rows.append(row + [f"{entry['ratio']:.3f}", entry["verdict"]])
    configurations = sorted(summary[wanted[0]]["linux"])
    headings = ["work", "Kevlar, s", "±"] + [h for c in configurations for h in (c + ", s", "±")] + ["ratio", ""]
    mean = results.geometric_mean([summary[name]["ratio"] for name in wanted])
    lines = document.title("Macro work: Kevlar against Linux", value)
    lines += ["", f"{render.CLOCK_TITLES[clock].split(',')[0]}; median, and the distance between the quartiles.", "",
              f"Geometric mean of the ratios to the better Linux: **{mean:.3f}**.", ""] + render.table(headings, rows)
    for configuration, command in value["commands"][clock].items():
        lines += [f"{configuration} ({value['runs_of'][clock][configuration]} runs):", "", "```", command, "```", ""]
    return "\n".join(lines)


def measure_all(qemu, systems, clock, args, wanted, out):
    """Whole rounds only, a run of each system in every one. They take minutes: an interrupt ends the measuring and keeps those there are."""
    runs = []
    try:
        for number in measure.rounds(args.runs, args.minutes):
            one_round = []
            for configuration, system in systems.items():
                one_round.append(measure.run_once(qemu, system, configuration, clock, number, wanted, os.path.join(out, "raw-macro"), smp=args.smp,
                                                  memory_mib=MEMORY_MIB))
                print(f"  run {number}: {configuration}: {one_round[-1].kernel}", flush=True)
            runs += one_round
    except KeyboardInterrupt:
        if not runs:
            raise
        print(f"  interrupted in round {number}", flush=True)
    return runs


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        config = json.load(f)
    args = arguments(sys.argv[2:])
    with open(config["files"]["works"], encoding="utf-8") as f:
        works = f.read().split()
    wanted = args.only.split(",") if args.only else works
    if not set(wanted) <= set(works):
        raise SystemExit(f"--only: there is no {', '.join(sorted(set(wanted) - set(works)))}")
    qemu = machines.Qemu(**config["qemu"])
    clock = "kvm" if machines.accelerator(qemu) == "kvm" else "wall"
    partial = f"--only={args.only}" if args.only else ""
    out = document.folder(args.out, partial)
    try:
        runs = measure_all(qemu, config["systems"], clock, args, wanted, out)
        value = report.build("macro", partial, runs, [], qemu, [clock], wanted)
    except results.Incomplete as why:
        print(f"refused: {why}\n  the console's text is in {os.path.join(out, 'raw-macro')}", file=sys.stderr)
        return 1
    document.write(value, out, "macro", {"macro.md": markdown(value, clock, wanted)})
    for name in wanted:
        entry = value["summary"][clock][name]
        print(f"  {name:20} {entry['kevlar']['median'] / 1e9:8.2f} s  {entry['ratio']:.3f} {entry['verdict']}")
    print(f"written: {os.path.join(out, 'macro.md')}, macro.json")
    return 1 if args.check and goals.judge(value) else 0


if __name__ == "__main__":
    sys.exit(main())
