#!/usr/bin/env python3
"""bazelw run //bench:macro — work that people do, with Debian's programs, on Linux and Kevlar in turn; writes macro.md and macro.json.

    ./bazelw run //bench:macro -- [--out=FOLDER] [--runs=5] [--minutes=M] [--only=NAME,NAME] [--smp=2]

The folder is bench/out of the workspace unless named. Time is the wall clock's, under KVM where /dev/kvm exists and else under plain emulation; the
kernels take turns (A B C A B C …). A run that is not complete is refused.
"""

import argparse
import json
import os
import sys
from dataclasses import asdict

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
    parser.add_argument("--runs", type=int, default=5, metavar="N")
    parser.add_argument("--minutes", type=float, metavar="M", help="as many of the runs as fit into this time, at least one")
    parser.add_argument("--smp", type=int, default=2, metavar="CPUS")
    return parser.parse_args(argv)


def markdown(value, clock, wanted):
    summary = value["summary"]
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
    lines = ["# Macro work: Kevlar against Linux", "", f"Measured {value['date']} on {value['host']}, by {render.CLOCK_TITLES[clock].split(',')[0].lower()}.", ""]
    lines += [f"* {name}: {text}" for name, text in value["versions"].items()]
    lines += ["", f"Geometric mean of the ratios to the better Linux: **{mean:.3f}**.", ""] + render.table(headings, rows)
    for configuration, command in value["commands"][clock].items():
        lines += [f"{configuration} ({value['runs_of'][clock][configuration]} runs):", "", "```", command, "```", ""]
    return "\n".join(lines)


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
    out = report.folder(args.out)
    runs = []
    try:
        for number in measure.rounds(args.runs, args.minutes):
            for configuration, system in config["systems"].items():
                runs.append(measure.run_once(qemu, system, configuration, clock, number, wanted, os.path.join(out, "raw-macro"), smp=args.smp,
                                             memory_mib=MEMORY_MIB))
                print(f"  run {number}: {configuration}: {runs[-1].kernel}", flush=True)
        value = report.build(runs, [], qemu, wanted)
    except results.Incomplete as why:
        print(f"refused: {why}\n  the console's text is in {os.path.join(out, 'raw-macro')}", file=sys.stderr)
        return 1
    value["summary"] = {name: asdict(c) for name, c in results.summarise(runs, clock, wanted).items()}
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, "macro.json"), "w", encoding="utf-8") as f:
        json.dump(value, f, indent=1)
    with open(os.path.join(out, "macro.md"), "w", encoding="utf-8") as f:
        f.write(markdown(value, clock, wanted))
    for name in wanted:
        entry = value["summary"][name]
        print(f"  {name:20} {entry['kevlar']['median'] / 1e9:8.2f} s  {entry['ratio']:.3f} {entry['verdict']}")
    print(f"written: {os.path.join(out, 'macro.md')}, macro.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
