#!/usr/bin/env python3
"""One boot for measuring, as a build action: log.py CONFIG.json OUT.json writes the run; fails if it is not complete."""

import json
import sys

import machine as machines
import measure
import results


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as f:
        config = json.load(f)
    qemu = machines.Qemu(**config["qemu"])
    try:
        run = measure.run_once(qemu, config["system"], config["configuration"], config["clock"], 1)
    except results.Incomplete as why:
        print(f"refused: {why}", file=sys.stderr)
        return 1
    with open(sys.argv[2], "w", encoding="utf-8") as f:
        json.dump(run.to_json(), f, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
