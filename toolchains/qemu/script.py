"""Console scripts: what a test waits for on the console and what it types.

One step a line; `#` begins a comment; texts are quoted as in C ("\\n", "\\r", "\\x1b", "\\"", "\\\\").

    expect "TEXT" SECONDS      waits for TEXT after what the last wait matched
    expect-re "REGEX" SECONDS  the same for a Python regular expression; named groups are kept for the result
    send "TEXT"                types TEXT and Enter
    type "TEXT"                types TEXT as it is
    never "TEXT"               from here on TEXT must not appear
    never-re "REGEX"           the same for a regular expression, within one line
    tap "NAME" SECONDS         waits for a whole TAP stream, which must pass; NAME is for the report
    end "TEXT" SECONDS         the end marker: like expect, and the test passes only if it was seen
    status N                   QEMU must end by itself with status N, soon after the end marker
    include "NAME"             the steps of NAME.steps, which lies beside this file

${NAME} stands for a variable of the test. A script has exactly one `end` and one `status`, at its end. SECONDS are of a quiet reference machine without KVM;
console.py stretches them for slower ones.
"""

import ast
import os
import re
from dataclasses import dataclass
from typing import Dict, List, Optional

WITH_SECONDS = ("expect", "expect-re", "tap", "end")
WITH_TEXT = ("send", "type", "never", "never-re", "include")
REGULAR = ("expect-re", "never-re")
INCLUDED = os.path.dirname(os.path.abspath(__file__))


class ScriptError(Exception):
    """A console script that cannot be read: file, line and why."""


@dataclass
class Step:
    verb: str
    text: str = ""
    seconds: float = 0.0
    status: int = 0
    line: int = 0

    def __str__(self) -> str:
        if self.verb == "status":
            return f"status {self.status}"
        seconds = f" {self.seconds:g}" if self.verb in WITH_SECONDS else ""
        return f'{self.verb} {quoted(self.text)}{seconds}'


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "\\r").replace("\n", "\\n") + '"'


LINE = re.compile(r'\s*(?P<verb>[a-z-]+)(?:\s+(?P<text>"(?:[^"\\]|\\.)*"))?(?:\s+(?P<number>\d+(?:\.\d+)?))?\s*(?:#.*)?$')


def parse_line(line: str, number: int) -> Optional[Step]:
    if not line.strip() or line.lstrip().startswith("#"):
        return None
    match = LINE.match(line)
    if not match:
        raise ScriptError(f"line {number}: cannot be read: {line.strip()}")
    verb, text, count = match["verb"], match["text"], match["number"]
    wants_text, wants_number = verb in WITH_SECONDS + WITH_TEXT, verb in WITH_SECONDS + ("status",)
    if not wants_text and not wants_number:
        raise ScriptError(f"line {number}: there is no step {verb}")
    if (text is not None) != wants_text or (count is not None) != wants_number:
        raise ScriptError(f"line {number}: {verb} wants {'a text' if wants_text else 'no text'} and {'a number' if wants_number else 'no number'}")
    step = Step(verb, line=number)
    if wants_text:
        step.text = ast.literal_eval(text) if verb not in REGULAR else text[1:-1].replace('\\"', '"')
    if verb == "status":
        step.status = int(count)
    elif wants_number:
        step.seconds = float(count)
    if verb in REGULAR:
        try:
            re.compile(step.text)
        except re.error as e:
            raise ScriptError(f"line {number}: {e}") from None
    return step


def substitute(text: str, variables: Dict[str, str], name: str) -> str:
    """Puts the test's variables in place of ${NAME}; every other $ is left for the guest's shell."""

    def value(match):
        if match[1] not in variables:
            raise ScriptError(f"{name}: the test gives no value for ${{{match[1]}}}")
        return variables[match[1]]

    return re.sub(r"\$\{(\w+)\}", value, text)


def included(step: Step, folder: str) -> List[Step]:
    """The steps that an `include` stands for; reports name the line of the `include`."""
    path = os.path.join(folder, step.text + ".steps")
    try:
        with open(path, encoding="utf-8") as f:
            steps = parse_lines(f.read(), None)
    except FileNotFoundError:
        raise ScriptError(f"line {step.line}: there is no {step.text}.steps in {folder}") from None
    if not steps:
        raise ScriptError(f"line {step.line}: {step.text}.steps has no step")
    for one in steps:
        one.line = step.line
    return steps


def parse_lines(text: str, folder: Optional[str]) -> List[Step]:
    steps: List[Step] = []
    for number, line in enumerate(text.splitlines(), 1):
        step = parse_line(line, number)
        if step and step.verb == "include":
            if folder is None:
                raise ScriptError(f"line {number}: what is included can not include")
            steps += included(step, folder)
        elif step:
            steps.append(step)
    return steps


def parse(text: str, name: str, folder: str = INCLUDED) -> List[Step]:
    try:
        steps = parse_lines(text, folder)
        verbs = [s.verb for s in steps]
        if verbs[-2:] != ["end", "status"] or verbs.count("end") != 1 or verbs.count("status") != 1:
            raise ScriptError("the last two steps, and only they, must be `end` and `status`")
    except ScriptError as e:
        raise ScriptError(f"{name}: {e}") from None
    return steps
