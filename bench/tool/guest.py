"""Boots a guest for measuring and reads its console until a last line, noting when each line came."""

import os
import re
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Callable, List, Optional, Tuple

import machine as machines

ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[()][A-Z0-9]|[=>78cDEHMNOZ])")

# The CPU that both kernels get. REP string instructions count one for each step where instructions are counted; with ERMS Linux would copy
# bytewise and look up to eight times worse. PKRU is dear under emulation. See docs/performance.md.
CPU = "max,la57=off,erms=off,fsrm=off,pku=off"

MEMORY_MIB = 1024
EXIT_SECONDS = 60


@dataclass
class Transcript:
    command: List[str]
    lines: List[Tuple[float, str]] = field(default_factory=list)  # seconds since QEMU's start, text
    ended: bool = False  # whether the awaited line came

    def text(self) -> str:
        return "\n".join(line for _, line in self.lines) + "\n"

    def when(self, beginning: str) -> Optional[float]:
        return next((seconds for seconds, line in self.lines if line.startswith(beginning)), None)


def guest_machine(system: dict, append: str, icount: Optional[int], smp: int = 1, memory_mib: int = MEMORY_MIB,
                  extra: Optional[List[str]] = None) -> machines.Machine:
    return machines.Machine(boot="kernel", kernel=system["kernel"], initramfs=system["initramfs"], smp=smp, memory_mib=memory_mib, cpu=CPU,
                            icount=icount, cmdline=" ".join(filter(None, [system["cmdline"], append])), extra=extra or [])


def boot(qemu: machines.Qemu, machine: machines.Machine, accel: str, last: Callable[[str], bool], seconds: float) -> Transcript:
    """Runs the machine until a line for which last() is true, the end of QEMU, or the limit. An unfinished line counts as well: a prompt."""
    argv = qemu.command() + machines.options(qemu, machine, accel)
    argv += ["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]
    transcript = Transcript(argv)
    started = time.monotonic()
    process = subprocess.Popen(argv, env=qemu.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
                               start_new_session=True)
    try:
        rest = ""
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while time.monotonic() - started < seconds and not transcript.ended:
                if not selector.select(1.0):
                    continue
                data = os.read(process.stdout.fileno(), 65536)
                now = time.monotonic() - started
                if not data:  # it has ended, or is about to: a plugin may still be writing what it counted
                    process.wait(timeout=EXIT_SECONDS)
                    break
                rest += data.decode("utf-8", errors="replace")
                *lines, rest = rest.split("\n")
                for line in lines:
                    line = ESCAPES.sub("", line).replace("\r", "")
                    transcript.lines.append((now, line))
                    transcript.ended = transcript.ended or last(line)
                if not transcript.ended and last(ESCAPES.sub("", rest)):
                    transcript.lines.append((now, ESCAPES.sub("", rest)))
                    transcript.ended = True
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        _, said = process.communicate()
        if said and not transcript.ended:
            print(f"qemu: {said.decode(errors='replace').strip()}", file=sys.stderr)
    return transcript


def version(qemu: machines.Qemu) -> str:
    done = subprocess.run(qemu.command()[:1] + ["--version"], env=qemu.environment(), stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().splitlines()[0]
