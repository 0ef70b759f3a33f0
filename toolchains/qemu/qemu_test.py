#!/usr/bin/env python3
"""Boots one guest and drives it by a console script: the program behind qemu_test, guest_test and contract_test.

    qemu_test.py CONFIG.json [--log=FILE]

Ends with 0 if the script passed. CONFIG.json is written by defs.bzl. With --log the console's text is written there.
If the configuration names an oracle (the same guest's log from Linux), the TAP streams are compared case by case; if it names
a transcript, the console must show exactly its lines, from its first to its last, but for the kernel's name and release.
"""

import argparse
import difflib
import json
import os
import re
import shutil
import sys
import tempfile

import console
import machine as machines
import script as scripts
import tap


# What the script sees and types at, by its name in the guest.
CONSOLES = {
    "hvc0": ["-device", "virtio-serial-pci", "-device", "virtconsole,chardev=console"],
    "ttyS0": ["-serial", "chardev:console"],
}


def prepare(config, scratch):
    """QEMU's command line and environment; nothing below the build's folders is ever written."""
    qemu = machines.Qemu(**config["qemu"])
    machine = machines.Machine(**config["machine"])
    if machine.disk and machine.write_disk:
        copy = os.path.join(scratch, "disk.img")
        shutil.copyfile(machine.disk, copy)
        machine.disk = copy
    argv = qemu.command() + machines.options(qemu, machine, machines.accelerator(qemu))
    argv += ["-chardev", "stdio,id=console,signal=off"] + CONSOLES[config["console"]]
    env = qemu.environment()
    env["TMPDIR"] = scratch  # where snapshot=on puts what the guest writes
    return argv, env


def load_script(config):
    with open(config["script"], encoding="utf-8") as f:
        text = f.read()
    return scripts.parse(scripts.substitute(text, config["variables"], config["script"]), config["script"])


def load_known_failures(path):
    """Case name to reason; every line needs both."""
    known = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                name, reason = line.strip().split(None, 1)
                known[name] = reason
    return known


def compare(oracle_log, text, known, minimum=0):
    """Prints how Kevlar's cases stand to Linux's; returns the number of problems. Fewer than `minimum` cases that pass on both are one."""
    with open(oracle_log, encoding="utf-8") as f:
        linux, kevlar = tap.parse(f.read()), tap.parse(text)
    expected = set()
    for case in kevlar.cases:
        if case.name in known and not case.ok and case.name in linux.by_name() and linux.by_name()[case.name].passed:
            print(f"  known failure: {case.name}: {known[case.name]}")
            expected.add(case.name)
    problems = ["Linux: " + p for p in linux.problems()] + ["Kevlar: " + p for p in kevlar.problems()]
    problems = [p for p in problems if p not in {"Kevlar: not ok: " + name for name in expected}]
    problems += [f"{c.name}: listed as a known failure, but it passes: delete its line"
                 for c in kevlar.cases if c.name in known and c.ok]
    ours = kevlar.by_name()
    problems += [f"{name}: Linux reports it, Kevlar does not" for name in linux.by_name() if name not in ours]
    agreed = 0
    for name, case in ours.items():
        oracle = linux.by_name().get(name)
        if oracle is None:
            problems.append(f"{name}: Kevlar reports it, Linux does not")
        elif case.passed != oracle.passed and name not in expected:
            problems.append(f"{name}: {verdict(oracle)} on Linux, {verdict(case)} on Kevlar")
        elif case.passed:
            agreed += 1
    if agreed < minimum:
        problems.append(f"only {agreed} cases pass on both, {minimum} at least are wanted")
    print(f"{agreed} of {len(linux.cases)} cases pass on both; Linux: {left_out(linux)}; Kevlar: {left_out(kevlar)}")
    for problem in problems:
        print("  " + problem)
    return len(problems)


def left_out(report):
    """How many cases say nothing: those that did not run, and those whose failure is expected."""
    directives = [case.directive for case in report.cases]
    return f"{directives.count('skip')} skipped, {directives.count('todo')} known to fail"


def verdict(case):
    return case.directive or ("passed" if case.ok else "failed")


# What may differ between two kernels, and what a transcript has in its place.
RELEASE = re.compile(r"(is starting up) \S+ \S+ \(")
ANY_RELEASE = r"\1 Linux RELEASE ("


def same_transcript(transcript, text):
    """Whether the console's `text` has the transcript's lines, none more and none fewer; prints what differs."""
    with open(transcript, encoding="utf-8") as f:
        wanted = f.read().rstrip().splitlines()
    got = RELEASE.sub(ANY_RELEASE, text).splitlines()
    if wanted[0] not in got:
        print(f"FAILED: the console never shows the transcript's first line: {wanted[0]}")
        return False
    got = got[got.index(wanted[0]):]
    for number, line in enumerate(got):
        if line.startswith(wanted[-1]):  # the prompt; what is typed at it is not of the transcript
            got = got[:number] + [wanted[-1]]
            break
    if got == wanted:
        print(f"  the console's {len(wanted)} lines are those of {os.path.basename(transcript)}")
        return True
    print("FAILED: the console differs from the transcript:")
    for line in difflib.unified_diff(wanted, got, transcript, "console", lineterm="", n=1):
        print("  " + line)
    return False


def run_once(config, steps, known, log):
    """One boot, with all that is asked of it. Writes the console's text to `log`, or adds it there if the guest boots several times."""
    with tempfile.TemporaryDirectory(prefix="qemu") as scratch:
        stderr_path = os.path.join(scratch, "stderr")
        argv, env = prepare(config, scratch)
        guest = console.Console(argv, env, stderr_path)
        passed = console.run(steps, config["name"], guest, stderr_path)
    if log:
        with open(log, "a" if config.get("times", 1) > 1 else "w", encoding="utf-8") as f:
            f.write(guest.text)
    for name, value in sorted(guest.captures.items()):
        print(f"  {name} = {value}")
    if passed and config.get("oracle"):
        passed = compare(config["oracle"], guest.text, known, config["minimum"]) == 0
    if passed and config.get("transcript"):
        passed = same_transcript(config["transcript"], guest.text)
    sys.stdout.flush()
    return passed


def record(config, steps, log):
    """Linux's run for a comparison: the first of `attempts` whose script and cases all passed, else the last.

    It is a build action, which Bazel never tries again, and Linux, too, now and then is late where the machine is busy.
    """
    for _ in range(config["attempts"]):
        passed = run_once(config, steps, {}, log)
        if passed:
            with open(log, encoding="utf-8") as f:
                problems = tap.parse(f.read()).problems()
            if not problems:
                break
            print("  " + "\n  ".join(problems))
    return passed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("config")
    parser.add_argument("--log")
    args = parser.parse_args()
    with open(args.config, encoding="utf-8") as f:
        config = json.load(f)
    try:
        steps = load_script(config)
        known = load_known_failures(config["known_failures"]) if config.get("known_failures") else {}
    except scripts.ScriptError as e:
        print(f"FAILED: {config['name']}: {e}")
        return 1
    outputs = os.environ.get("TEST_UNDECLARED_OUTPUTS_DIR")
    log = args.log or (outputs and os.path.join(outputs, "console.log"))
    if config.get("attempts"):
        return 0 if record(config, steps, log) else 1
    times = config.get("times", 1)
    failed = sum(not run_once(config, steps, known, log) for _ in range(times))
    if times > 1:
        print(f"{times - failed} of {times} runs passed")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
