#!/usr/bin/env python3
"""Kevlar's counted instructions against the committed baseline: the check that CI runs, and the command that writes the baseline anew.

    baseline.py RUN.json BASELINE.json            ends with 1 if a benchmark became slower beyond the tolerance (compare.py), or so much faster
                                                  that the baseline would no longer notice if it became slower again
    baseline.py RUN.json BASELINE.json --refresh  writes the baseline of the workspace from the run

RUN.json is one boot of Kevlar, made by log.py as a build action: it is measured again only when the kernel or the benchmarks change.
"""

import json
import os
import sys

import compare
import results


# A benchmark that needs so much less than its baseline says: what it won could be lost unnoticed.
STALE = 0.10


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def baseline_of(run: results.Run) -> dict:
    return {
        "about": "Guest instructions an iteration, of Kevlar balanced. Written by: ./bazelw run //bench:baseline",
        "kernel": run.kernel,
        "tolerance": compare.TOLERANCE,
        "baseline": {name: round(result.per_iteration, 1) for name, result in run.results.items()},
    }


def is_stale(change: compare.Change) -> bool:
    return change.better() and change.ratio < 1 - STALE


def refresh(value: dict) -> int:
    workspace = os.environ.get("BUILD_WORKSPACE_DIRECTORY")
    if not workspace:
        print("the baseline is written by: ./bazelw run //bench:baseline", file=sys.stderr)
        return 1
    path = os.path.join(workspace, "bench", "baseline.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(value, f, indent=1)
        f.write("\n")
    print(f"written: {path}")
    return 0


def main() -> int:
    run = results.Run.from_json(load(sys.argv[1]))
    old, new = load(sys.argv[2]), baseline_of(run)
    try:
        changes = compare.changes(old, new, old["tolerance"])
        worse = compare.report(changes)
    except ValueError as e:
        print(f"FAILED: {e}")
        return 1
    if "--refresh" in sys.argv[3:]:
        return refresh(new)
    if worse:
        print("FAILED: Kevlar became slower. Where the instructions go: ./bazelw run //bench:profile -- NAME\n"
              "If the price is right, write the baseline anew and commit it: ./bazelw run //bench:baseline")
    stale = [change.name for change in changes if is_stale(change)]
    if stale:
        print(f"FAILED: Kevlar became more than {STALE:.0%} faster, so that the baseline guards nothing there: {' '.join(stale)}\n"
              "Write the baseline anew and commit it with the change that made it so: ./bazelw run //bench:baseline")
    return 1 if worse or stale else 0


if __name__ == "__main__":
    sys.exit(main())
