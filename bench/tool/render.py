"""A report's Markdown and its chart, from the report's JSON value alone."""

import math
from typing import Dict, List, Optional
from xml.sax.saxutils import escape

import document
import names
import results

CLOCK_TITLES = {
    "icount": "Guest instructions an iteration",
    "wall": "Time under plain emulation, ns an iteration",
    "kvm": "Time under KVM, ns an iteration",
}
SETS = (("single system calls", names.CALLS), ("what programs feel", names.PROGRAMS))


def number(value: float) -> str:
    return f"{value:,.1f}" if value < 10000 else f"{value:,.0f}"


def table(headings: List[str], rows: List[List[str]]) -> List[str]:
    lines = ["| " + " | ".join(headings) + " |", "| --- |" + " ---: |" * (len(headings) - 1)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def means(summary: Dict[str, dict]) -> List[str]:
    lines = []
    for title, members in SETS:
        ratios = [summary[name]["ratio"] for name in members if name in summary]
        if ratios:
            verdicts = [summary[name]["verdict"] for name in members if name in summary]
            lines.append(f"* {title}: geometric mean **{results.geometric_mean(ratios):.3f}** of {len(ratios)}; "
                         f"{verdicts.count('faster')} faster, {verdicts.count('tie')} level, {verdicts.count('slower')} slower"
                         + (f", {verdicts.count(results.SPREAD_UNKNOWN)} without a spread" if results.SPREAD_UNKNOWN in verdicts else "") + f"; worst {max(ratios):.3f}")
    return lines + [""]


def clock_section(clock: str, summary: Dict[str, dict]) -> List[str]:
    configurations = sorted(next(iter(summary.values()))["linux"])
    headings = ["benchmark", "Kevlar", "±"]
    for configuration in configurations:
        headings += [configuration, "±"]
    headings += ["ratio", ""]
    lines = [f"## {CLOCK_TITLES[clock]}", ""] + means(summary)
    for title, members in SETS:
        rows = []
        for name in members:
            if name not in summary:
                continue
            entry = summary[name]
            row = [name, number(entry["kevlar"]["median"]), f"{entry['kevlar']['spread']:.1%}"]
            for configuration in configurations:
                figure = entry["linux"][configuration]
                row += [number(figure["median"]), f"{figure['spread']:.1%}"]
            rows.append(row + [f"{entry['ratio']:.3f}", entry["verdict"]])
        if rows:
            lines += [f"### {title}", ""] + table(headings, rows)
    return lines


def system_section(systems: Dict[str, dict]) -> List[str]:
    """Boot and memory: configuration to {figure name: Figure}. The ratio is to the lower Linux."""

    def number(value: float) -> str:
        return f"{value:,.3f}" if value < 10 else f"{value:,.1f}"

    rows = []
    for name in sorted({name for values in systems.values() for name in values}):
        row = [name.replace("_", " ")]
        for configuration in systems:
            figure = systems[configuration].get(name)
            row.append(f"{number(figure['median'])} ({number(figure['low'])} to {number(figure['high'])})" if figure else "")
        linux = [values[name]["median"] for configuration, values in systems.items() if configuration != "kevlar" and name in values]
        ours = systems.get("kevlar", {}).get(name)
        rows.append(row + [f"{ours['median'] / min(linux):.3f}" if ours and linux and min(linux) else ""])
    return ["## Boot, and memory at the login prompt", ""] + table(["median (lowest to highest)", *systems, "ratio"], rows)


def markdown(report: dict) -> str:
    lines = document.title("Kevlar against Linux", report)
    lines += ["A ratio is Kevlar's median over that of the lower Linux configuration. ± is the distance between the quartiles of the runs (of the "
              "extremes, below four runs) as a part of the median. A difference within it is a tie, and so is one below "
              f"{results.ICOUNT_TIE:.0%} of counted instructions; on the wall clock, fewer than {results.LEAST_RUNS} runs give no verdict. A loop costs three instructions an iteration; that is not subtracted.", ""]
    for clock, summary in report["summary"].items():
        if summary:
            lines += clock_section(clock, summary)
    if report.get("systems"):
        lines += system_section(report["systems"])
    lines += ["## How it was measured", ""]
    for clock, configurations in report["commands"].items():
        for configuration, command in configurations.items():
            lines += [f"{configuration}, {clock} ({report['runs_of'][clock][configuration]} runs):", "", "```", command, "```", ""]
    lines += ["The raw lines of every run are in report.json (`runs`, `raw`) and, as the console showed them, in raw/.", ""]
    return "\n".join(lines)


# --- The chart: one bar for each benchmark and clock, on a logarithmic scale with Linux as the line in the middle. ---

ROW, LABEL, WIDTH, TOP = 16, 180, 640, 60
LOWEST, HIGHEST = 0.05, 8.0
COLOURS = {"icount": "#2f6f9f", "wall": "#d08a2e", "kvm": "#5b8f3a"}


def x_of(ratio: float) -> float:
    clamped = min(max(ratio, LOWEST), HIGHEST)
    return LABEL + WIDTH * (math.log(clamped) - math.log(LOWEST)) / (math.log(HIGHEST) - math.log(LOWEST))


def text(x: float, y: float, words: str, anchor: str = "start", colour: str = "#222") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'


def chart(report: dict) -> Optional[str]:
    clocks = [clock for clock, summary in report["summary"].items() if summary]
    if not clocks:
        return None
    rows = [name for name in names.ALL if name in report["summary"][clocks[0]]]
    height = TOP + len(rows) * ROW + 30
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LABEL + WIDTH + 70}" height="{height}" font-family="sans-serif" font-size="11">',
             '<rect width="100%" height="100%" fill="#fff"/>',
             text(LABEL, 18, "Kevlar's cost over that of the better Linux configuration: left of the line is faster")]
    for i, clock in enumerate(clocks):
        parts.append(f'<rect x="{LABEL + i * 220}" y="27" width="10" height="10" fill="{COLOURS[clock]}"/>')
        parts.append(text(LABEL + i * 220 + 15, 36, CLOCK_TITLES[clock].split(",")[0]))
    for mark in (0.0625, 0.125, 0.25, 0.5, 1, 2, 4, 8):
        parts.append(f'<line x1="{x_of(mark):.1f}" y1="{TOP - 6}" x2="{x_of(mark):.1f}" y2="{height - 24}" '
                     f'stroke="{"#b22" if mark == 1 else "#ddd"}" stroke-width="{2 if mark == 1 else 1}"/>')
        parts.append(text(x_of(mark), height - 10, f"{mark:g}", "middle"))
    for row, name in enumerate(rows):
        y = TOP + row * ROW
        parts.append(text(LABEL - 6, y + 10, name, "end"))
        bar = (ROW - 3) / len(clocks)
        for i, clock in enumerate(clocks):
            if name not in report["summary"][clock]:
                continue
            ratio = report["summary"][clock][name]["ratio"]
            left, right = sorted((x_of(1), x_of(ratio)))
            parts.append(f'<rect x="{left:.1f}" y="{y + i * bar:.1f}" width="{right - left:.1f}" height="{bar:.1f}" fill="{COLOURS[clock]}">'
                         f"<title>{escape(name)}, {clock}: {ratio:.3f}</title></rect>")
        parts.append(text(LABEL + WIDTH + 8, y + 10, f'{report["summary"][clocks[0]][name]["ratio"]:.2f}'))
    return "\n".join(parts + ["</svg>", ""])
