"""Drives a guest over its serial console, as a person at a terminal would, from a console script."""

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from typing import Dict, List, Pattern

import script as scripts
import tap

ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[()][A-Z0-9]|[=>78cDEHMNOZ])")
UNFINISHED_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[()])?$")

# Limits count the guest's own processor time, so that a loaded host does not fail a test; a guest that waits
# (for an interrupt that never comes) uses none, and is ended after this many times the limit on the wall clock.
IDLE_FACTOR = 4
EXIT_SECONDS = 30
TICKS = os.sysconf("SC_CLK_TCK")

# What calibrate() measures on the reference machine (one core of a 2020s server, no KVM).
REFERENCE_LOOP_SECONDS = 0.11
MAX_STRETCH = 10.0

REPORT_LINES = 40


class Failure(Exception):
    """The guest did not do what the script wants."""


def calibrate() -> float:
    """How many times slower than the reference machine one core of this one is; never below 1."""
    start, total = time.process_time(), 0
    for i in range(600_000):
        total += i ^ (total & 0xFF)
    return min(max((time.process_time() - start) / REFERENCE_LOOP_SECONDS, 1.0), MAX_STRETCH)


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and its threads: proc(5), /proc/PID/stat, utime and stime."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            fields = f.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


class Console:
    """One run of QEMU with its serial port on a pipe."""

    def __init__(self, argv: List[str], env: Dict[str, str], stderr_path: str) -> None:
        self.text = ""  # everything so far, escape sequences removed
        self.held = ""  # the beginning of an escape sequence
        self.matched = 0  # the end of what the last wait matched
        self.never: Dict[Pattern, int] = {}  # to where watching for it began
        self.captures: Dict[str, str] = {}
        self.stretch = calibrate()
        self.started = time.monotonic()
        with open(stderr_path, "wb") as stderr:
            self.qemu = subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, bufsize=0,
                                         start_new_session=True)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.qemu.stdout, selectors.EVENT_READ)
        self.closed = False

    def read(self, seconds: float) -> None:
        """Takes what the guest wrote, waiting at most `seconds` for it."""
        if self.closed or not self.selector.select(seconds):
            return
        data = os.read(self.qemu.stdout.fileno(), 65536)
        if not data:
            self.closed = True
            return
        text = self.held + data.decode("utf-8", errors="replace")
        unfinished = UNFINISHED_ESCAPE.search(text)
        self.held = unfinished.group() if unfinished else ""
        text = text[:len(text) - len(self.held)]
        unfinished_line = self.text.rfind("\n") + 1
        self.text += ESCAPES.sub("", text).replace("\r", "")
        for pattern, since in self.never.items():
            match = pattern.search(self.text, max(since, unfinished_line))
            if match:
                raise Failure(f"the console shows {scripts.quoted(match[0])}, which must never appear")

    def wait(self, done, seconds: float, awaited: str) -> None:
        """Reads until done() is true or the limit, stretched for this machine, has passed."""
        limit = seconds * self.stretch
        wall, cpu = time.monotonic(), cpu_seconds(self.qemu.pid)
        while not done():
            if self.closed:
                raise Failure(f"QEMU ended before {awaited}")
            wall_used, cpu_used = time.monotonic() - wall, cpu_seconds(self.qemu.pid) - cpu
            used = min(wall_used, max(cpu_used, wall_used / IDLE_FACTOR))
            if used >= limit:
                raise Failure(f"{awaited} did not come: {wall_used:.0f} s on the clock, {cpu_used:.0f} s of processor time; "
                              f"the limit is {seconds:g} s, stretched {self.stretch:.1f} times for this machine")
            self.read(1.0)

    def expect(self, step: scripts.Step) -> None:
        pattern = re.compile(step.text if step.verb == "expect-re" else re.escape(step.text), re.MULTILINE)
        found = []

        def done():
            match = pattern.search(self.text, self.matched)
            if match:
                found.append(match)
            return bool(match)

        self.wait(done, step.seconds, scripts.quoted(step.text))
        self.matched = found[0].end()
        self.captures.update({k: v for k, v in found[0].groupdict().items() if v is not None})

    def whole_tap(self, step: scripts.Step) -> None:
        def lines():
            return self.text[self.matched:self.text.rfind("\n") + 1]

        self.wait(lambda: tap.parse(lines()).complete(), step.seconds, f"a whole TAP stream ({step.text})")
        report = tap.parse(lines())
        if report.problems():
            raise Failure(f"TAP of {step.text}: " + "; ".join(report.problems()))

    def type(self, text: str) -> None:
        try:
            self.qemu.stdin.write(text.encode())
        except BrokenPipeError:
            raise Failure(f"QEMU ended before {scripts.quoted(text)} could be typed") from None

    def status(self, wanted: int) -> None:
        self.wait(lambda: self.closed, EXIT_SECONDS, "the end of QEMU")
        status = self.qemu.wait(timeout=EXIT_SECONDS)
        if status != wanted:
            raise Failure(f"QEMU ended with status {status}, wanted {wanted}")

    def step(self, step: scripts.Step) -> None:
        if step.verb in ("expect", "expect-re", "end"):
            self.expect(step)
        elif step.verb == "tap":
            self.whole_tap(step)
        elif step.verb == "send":
            self.type(step.text + "\r")
        elif step.verb == "type":
            self.type(step.text)
        elif step.verb in ("never", "never-re"):
            self.never[re.compile(step.text if step.verb == "never-re" else re.escape(step.text), re.MULTILINE)] = len(self.text)
        elif step.verb == "status":
            self.status(step.status)

    def kill(self) -> None:
        """Ends QEMU if it still runs; one that has closed its console is given a moment to end by itself."""
        if self.closed:
            try:
                self.qemu.wait(timeout=EXIT_SECONDS)
            except subprocess.TimeoutExpired:
                pass
        if self.qemu.poll() is None:
            os.killpg(self.qemu.pid, signal.SIGKILL)
        self.qemu.wait()
        self.qemu.stdout.close()
        self.qemu.stdin.close()

    def elapsed(self) -> float:
        return time.monotonic() - self.started


def run(steps: List[scripts.Step], name: str, console: Console, stderr_path: str) -> bool:
    """Runs the script; prints a report if it fails. Returns whether it passed. QEMU is gone in any case."""
    current = steps[0]
    try:
        for current in steps:
            console.step(current)
    except Failure as failure:
        console.kill()
        report(name, current, failure, console, stderr_path)
        return False
    finally:
        console.kill()
    print(f"passed: {name} in {console.elapsed():.1f} s")
    return True


def report(name: str, step: scripts.Step, failure: Failure, console: Console, stderr_path: str) -> None:
    last = console.text.splitlines()[-REPORT_LINES:]
    print(f"FAILED: {name}:{step.line}: {step}\n  {failure}\n  after {console.elapsed():.0f} s; "
          f"QEMU's status: {console.qemu.returncode} (-9: ended by this test)")
    with open(stderr_path, encoding="utf-8", errors="replace") as f:
        said = f.read().strip()
    if said:
        print(f"  QEMU said: {said}")
    print(f"  the last {len(last)} lines of the console:")
    for line in last:
        print(f"    | {line}")
    sys.stdout.flush()
