"""The shape that report.json, macro.json and scale.json share, so that one program compares them and one judges them.

    kind       report, macro or scale
    partial    empty for a whole report; else the options that left something out
    summary    clock to benchmark to {kevlar: Figure, linux: {configuration: Figure}, best, ratio, verdict}
    systems    configuration to the name of a figure (boot, memory) to the Figure
    date, host, versions, warnings, and what the kind adds: commands, runs, raw lines
"""

import datetime
import json
import os
import platform
from dataclasses import asdict
from typing import Dict, List

import results

FORMAT = 2


def cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            return next((line.split(":", 1)[1].strip() for line in f if line.startswith("model name")), "unknown CPU")
    except OSError:
        return "unknown CPU"


def new(kind: str, partial: str, qemu_version: str, summary: Dict[str, Dict[str, results.Comparison]], systems: Dict[str, Dict[str, dict]]) -> dict:
    return {
        "format": FORMAT,
        "kind": kind,
        "partial": partial,
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "host": f"{platform.machine()}, {os.cpu_count()} CPUs, {cpu_model()}",
        "versions": {"QEMU": qemu_version},
        "warnings": [],
        "summary": {clock: {name: asdict(comparison) for name, comparison in found.items()} for clock, found in summary.items()},
        "systems": systems,
    }


def folder(out: str, partial: str) -> str:
    """Where a report goes: what was asked for, else bench/out of the workspace, and a partial one in a folder below, where it replaces no whole one."""
    if out:
        return os.path.join(os.environ.get("BUILD_WORKING_DIRECTORY", os.getcwd()), out)
    whole = os.path.join(os.environ.get("BUILD_WORKSPACE_DIRECTORY", os.getcwd()), "bench", "out")
    return os.path.join(whole, "partial") if partial else whole


def title(words: str, report: dict) -> List[str]:
    """The first lines of a report's Markdown."""
    lines = [f"# {words}", "", f"Measured {report['date']} on {report['host']}.", ""]
    if report["partial"]:
        lines += [f"partial: {report['partial']}. This report does not have everything.", ""]
    lines += [f"* {name}: {value}" for name, value in report["versions"].items()] + [""]
    return lines + [f"**Warning: {warning}**" for warning in report["warnings"]]


def write(report: dict, out: str, name: str, texts: Dict[str, str]) -> None:
    """Writes NAME.json, and each text under its own name."""
    os.makedirs(out, exist_ok=True)
    with open(os.path.join(out, name + ".json"), "w", encoding="utf-8") as f:
        json.dump(report, f, indent=1)
    for file, text in texts.items():
        with open(os.path.join(out, file), "w", encoding="utf-8") as f:
            f.write(text)


def load(path: str) -> dict:
    """A report, or a baseline (bench/baseline.json), by its path where the command was given."""
    with open(os.path.join(os.environ.get("BUILD_WORKING_DIRECTORY", os.getcwd()), path), encoding="utf-8") as f:
        value = json.load(f)
    if "baseline" not in value and value.get("format") != FORMAT:
        raise ValueError(f"{path}: a report of another format: measure anew")
    return value
