"""Reads the Test Anything Protocol (testanything.org, versions 12 to 14) out of a console log."""

import re
from dataclasses import dataclass, field
from typing import Dict, List, Optional

RESULT = re.compile(
    r"^(?P<not>not )?ok(?=\s|$)(?: +(?P<number>\d+)(?=\s|$))?(?: +-(?= ))?\s*(?P<name>[^#]*?)\s*"
    r"(?:#\s*(?:(?P<directive>skip|todo)\w*\s*(?P<reason>.*)|.*))?$", re.IGNORECASE)
PLAN = re.compile(r"^1\.\.(?P<count>\d+)(?:\s*#.*)?$")
BAIL = re.compile(r"^Bail out!\s*(?P<reason>.*)$")


@dataclass
class Case:
    name: str
    ok: bool
    directive: str = ""  # "skip", "todo" or none
    reason: str = ""

    @property
    def passed(self) -> bool:
        """True only for a case that ran and held. A skipped case did not run; a todo case is not counted either way."""
        return self.ok and not self.directive


@dataclass
class Report:
    cases: List[Case] = field(default_factory=list)
    plan: Optional[int] = None
    bail: Optional[str] = None

    def complete(self) -> bool:
        return self.bail is not None or (self.plan is not None and len(self.cases) >= self.plan)

    def problems(self) -> List[str]:
        """Why the stream as a whole does not pass; empty if it does."""
        found = []
        if self.bail is not None:
            found.append(f"bailed out: {self.bail}")
        if self.plan is None:
            found.append("no plan (1..N) was seen")
        elif len(self.cases) != self.plan:
            found.append(f"{self.plan} cases were planned, {len(self.cases)} reported")
        elif self.plan == 0:
            found.append("the plan holds no case")
        found += [f"not ok: {c.name}" for c in self.cases if not c.ok and c.directive != "todo"]
        names = [c.name for c in self.cases]
        found += [f"reported twice: {n}" for n in sorted({n for n in names if names.count(n) > 1})]
        if self.cases and all(c.directive == "skip" for c in self.cases):
            found.append("every case was skipped")
        return found

    def by_name(self) -> Dict[str, Case]:
        return {c.name: c for c in self.cases}


def parse(text: str) -> Report:
    """Takes the lines that are TAP and leaves the rest: the kernel may write between them."""
    report = Report()
    for line in text.splitlines():
        line = line.rstrip()
        if match := PLAN.match(line):
            report.plan = int(match["count"])
        elif match := BAIL.match(line):
            report.bail = match["reason"]
        elif match := RESULT.match(line):
            number = match["number"] or str(len(report.cases) + 1)
            name = match["name"].strip() or f"case {number}"
            report.cases.append(Case(name, match["not"] is None, (match["directive"] or "").lower(), match["reason"] or ""))
    return report
