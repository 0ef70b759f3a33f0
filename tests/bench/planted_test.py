#!/usr/bin/env python3
"""A regression planted in open(2) is caught: CI's comparison fails on the planted kernel, names open_close, and passes on the kernel as it is.

    planted_test.py BASELINE.PY PLAIN.json PLANTED.json BASELINE.json
"""

import subprocess
import sys

program, plain, planted, baseline = sys.argv[1:]


def compare(run):
    done = subprocess.run([sys.executable, "-B", program, run, baseline], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    print(f"--- {run}: status {done.returncode}\n{done.stdout}")
    slower = [line.split()[2] for line in done.stdout.splitlines() if line.startswith("slower: icount")]
    return done.returncode, slower


assert compare(plain) == (0, []), "the kernel as it is does not pass: refresh the baseline first"
status, slower = compare(planted)
assert status == 1, "the planted regression passed"
assert "open_close" in slower, slower
assert not {"getpid", "read_null", "pipe", "stat"} & set(slower), slower  # what opens nothing is not slower
