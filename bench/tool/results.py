"""From the benchmark program's lines to figures: reading them, refusing what is incomplete, medians, spreads, ratios, ties."""

import math
import re
import statistics
from dataclasses import asdict, dataclass, field
from typing import Dict, List, Optional

BENCH = re.compile(r"^BENCH (?P<name>\w+) (?P<iterations>\d+) (?P<ns>\d+) (?P<per>\d+\.\d)$")
TSC = re.compile(r"^BENCH_TSC (?P<name>\w+) (?P<ticks>\d+)$")
START = re.compile(r"^BENCH_START (?P<clock>icount|wall) (?P<count>\d+)$")

# Counted instructions: a relinked program or another load address moves a single name by as much (QEMU 7.2, Linux 6.1 and 6.12).
ICOUNT_TIE = 0.03

# On the wall clock: fewer runs than these have no spread that a verdict could rest on, and fewer than those a poor one.
LEAST_RUNS, GOOD_RUNS = 3, 7

# How far two kernels' clocks may be apart, measured by the TSC, before the report says so.
CLOCK_TOLERANCE = 0.01


class Incomplete(Exception):
    """A run that must not be reported: what is missing in it."""


@dataclass
class Result:
    iterations: int
    ns: int  # by the guest's CLOCK_MONOTONIC
    ticks: int = 0  # by the TSC

    @property
    def per_iteration(self) -> float:
        return self.ns / self.iterations


@dataclass
class Run:
    """One boot of one kernel with all its lines."""

    configuration: str
    clock: str  # icount, wall or kvm
    number: int
    command: List[str]
    raw: List[str] = field(default_factory=list)  # the lines that begin with BENCH
    results: Dict[str, Result] = field(default_factory=dict)
    kernel: str = ""
    init_ticks: int = 0  # the TSC at process 1's first instructions
    init_seconds: float = 0.0  # from QEMU's start, by the host's clock

    def to_json(self) -> dict:
        return asdict(self)

    @staticmethod
    def from_json(value: dict) -> "Run":
        run = Run(**{k: v for k, v in value.items() if k != "results"})
        run.results = {name: Result(**r) for name, r in value["results"].items()}
        return run

    def ticks_per_ns(self) -> float:
        return sum(r.ticks for r in self.results.values()) / sum(r.ns for r in self.results.values())


def parse(run: Run, text: str, wanted: List[str]) -> Run:
    """Fills `run` from the console's text. Raises Incomplete unless every wanted benchmark was measured and the end was reached."""
    where = f"{run.configuration}, {run.clock}, run {run.number}"
    run.raw = [line.rstrip() for line in text.splitlines() if line.startswith("BENCH")]
    started = False
    for line in run.raw:
        if match := BENCH.match(line):
            if match["name"] in run.results:
                raise Incomplete(f"{where}: {match['name']} is reported twice")
            run.results[match["name"]] = Result(int(match["iterations"]), int(match["ns"]))
        elif (match := TSC.match(line)) and match["name"] in run.results:
            run.results[match["name"]].ticks = int(match["ticks"])
        elif match := START.match(line):
            started = True
            if (match["clock"] == "icount") != (run.clock == "icount"):
                raise Incomplete(f"{where}: the program ran with the counts of {match['clock']}")
        elif line.startswith("BENCH_KERNEL "):
            run.kernel = line.split(" ", 1)[1]
        elif line.startswith("BENCH_INIT "):
            run.init_ticks = int(line.split()[1])
        elif line.startswith("BENCH_SKIP "):
            raise Incomplete(f"{where}: {line}")
    if not started:
        raise Incomplete(f"{where}: no BENCH_START")
    missing = [name for name in wanted if name not in run.results]
    if missing:
        raise Incomplete(f"{where}: not measured: {' '.join(missing)}")
    if "BENCH_END" not in run.raw:
        raise Incomplete(f"{where}: no BENCH_END")
    for name, result in run.results.items():
        if result.iterations == 0 or result.ns == 0 or result.ticks == 0:
            raise Incomplete(f"{where}: {name} has no time or no TSC figure")
    return run


@dataclass
class Figure:
    """Several runs of one benchmark on one kernel."""

    median: float
    spread: float  # between the quartiles, as a part of the median
    low: float
    high: float
    runs: int

    @staticmethod
    def of(values: List[float]) -> "Figure":
        median = statistics.median(values)
        if len(values) >= 4:
            quartiles = statistics.quantiles(values, n=4, method="inclusive")
            between = quartiles[2] - quartiles[0]
        else:
            between = max(values) - min(values)
        return Figure(median, between / median if median else 0.0, min(values), max(values), len(values))


def spread_is_known(runs: int, clock: str) -> bool:
    """Counted instructions hardly differ from run to run (ICOUNT_TIE); on the wall clock one or two runs say nothing of the next."""
    return clock == "icount" or runs >= LEAST_RUNS


SPREAD_UNKNOWN = "spread unknown"


@dataclass
class Comparison:
    """Kevlar against the lower of the Linux configurations, for one benchmark and one clock."""

    kevlar: Figure
    linux: Dict[str, Figure]
    best: str  # the lower configuration
    ratio: float
    verdict: str  # faster, tie, slower, or SPREAD_UNKNOWN


def compare(kevlar: Figure, linux: Dict[str, Figure], clock: str) -> Comparison:
    """A difference within the spread of either side, or within the tie of counted instructions, is a tie. No verdict without a spread."""
    best = min(linux, key=lambda name: linux[name].median)
    ratio = kevlar.median / linux[best].median
    band = max(kevlar.spread, linux[best].spread, ICOUNT_TIE if clock == "icount" else 0.0)
    if not spread_is_known(min(kevlar.runs, linux[best].runs), clock):
        verdict = SPREAD_UNKNOWN
    elif abs(ratio - 1) <= band:
        verdict = "tie"
    else:
        verdict = "faster" if ratio < 1 else "slower"
    return Comparison(kevlar, linux, best, ratio, verdict)


def summarise(runs: List[Run], clock: str, names: List[str], ours: str = "kevlar") -> Dict[str, Comparison]:
    """Every benchmark's comparison under one clock; empty if one side was not measured."""
    by_configuration: Dict[str, List[Run]] = {}
    for run in runs:
        if run.clock == clock:
            by_configuration.setdefault(run.configuration, []).append(run)
    if ours not in by_configuration or len(by_configuration) < 2:
        return {}
    summary = {}
    for name in names:
        figures = {}
        for configuration, group in by_configuration.items():
            counts = {run.results[name].iterations for run in runs if run.clock == clock}
            if len(counts) != 1:
                raise Incomplete(f"{name}, {clock}: the runs have different iteration counts {sorted(counts)}")
            figures[configuration] = Figure.of([run.results[name].per_iteration for run in group])
        kevlar = figures.pop(ours)
        summary[name] = compare(kevlar, figures, clock)
    return summary


def order(points: Dict[int, float]) -> float:
    """The exponent between a curve's first and last point: 0 for a cost that does not grow, 1 for one in proportion to the size."""
    sizes = sorted(points)
    if len(sizes) < 2:
        return 0.0
    return math.log(points[sizes[-1]] / points[sizes[0]]) / math.log(sizes[-1] / sizes[0])


def geometric_mean(values: List[float]) -> Optional[float]:
    return math.exp(sum(math.log(v) for v in values) / len(values)) if values else None


def run_warnings(runs: List[Run]) -> List[str]:
    """Clocks of the wall's kind with few runs."""
    warnings = []
    for clock in sorted({run.clock for run in runs} - {"icount"}):
        fewest = min(sum(run.clock == clock and run.configuration == c for run in runs) for c in {run.configuration for run in runs if run.clock == clock})
        if fewest < GOOD_RUNS:
            warnings.append(f"{clock}: {fewest} run{'s' if fewest > 1 else ''} of a configuration, where {GOOD_RUNS} give a spread that can be trusted" +
                            (f"; no verdict below {LEAST_RUNS}" if fewest < LEAST_RUNS else ""))
    return warnings


def clock_warnings(runs: List[Run]) -> List[str]:
    """What the TSC says about the guests' clocks: all kernels of one clock must count the same ticks to a nanosecond."""
    warnings = []
    for clock in sorted({run.clock for run in runs}):
        group = [run for run in runs if run.clock == clock]
        expected = 1.0 if clock == "icount" else statistics.median(run.ticks_per_ns() for run in group)
        for run in group:
            rate = run.ticks_per_ns()
            if abs(rate / expected - 1) > CLOCK_TOLERANCE:
                warnings.append(f"{run.configuration}, {clock}, run {run.number}: its clock counts {rate:.4f} TSC ticks to a nanosecond, "
                                f"{expected:.4f} expected: its times are wrong by {abs(rate / expected - 1):.1%}")
    return warnings
