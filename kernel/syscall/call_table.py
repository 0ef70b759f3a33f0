# kernel/syscall/call_table.py — reads kernel/syscall/table.txt, with the constants it names taken from the headers of kernel/abi.

import re
import sys

LEVELS = ("done", "partial", "absent")
# How the tracer prints an argument; kernel/syscall/trace.c has one printer for each, in this order.
ARG_TYPES = ("end", "int", "uint", "hex", "ptr", "size", "off", "fd", "dirfd", "path", "str", "buf", "mode", "oflags",
             "pid", "sig", "prot", "mapflags", "rlimit", "prctl", "fcntlcmd", "futexop")


class Arg:
    def __init__(self, text, where):
        match = re.fullmatch(r"(\w+):(\w+)", text)
        if not match or match[1] not in ARG_TYPES + ("hex64",):
            sys.exit(f"{where}: bad argument {text!r}")
        self.name, self.is_long = match[2], match[1] == "hex64"
        self.kind = "hex" if self.is_long else match[1]


class Takes:
    """A line `takes: ARG any of | one of NAMES [else ERRNO] [after FD] [in the handler] [lacks NAMES]`, or `takes: ARG anything …`."""

    def __init__(self, text, call, constants, where):
        words = text.split()
        names = [arg.name for arg in call.args]
        if not words or words[0] not in names:
            sys.exit(f"{where}: takes what? {text!r}")
        self.argument, self.index = words[0], names.index(words[0])
        self.error, self.after, self.in_handler, self.lacking, self.names = "EINVAL", None, False, [], []
        self.is_mask, self.is_listed, self.sentence = False, True, " ".join(words[1:])
        if words[1].startswith("anything"):
            self.is_listed = False
            return
        self.is_mask = words[1] in ("any", "none")
        words = words[1:] if words[1] == "none" else words[3:]
        rest = iter(words)
        into = self.names
        for word in rest:
            if word == "none":
                continue
            if word == "else":
                self.error = next(rest)
            elif word == "after":
                self.after = names.index(next(rest))
            elif word == "in":
                if [next(rest), next(rest)] != ["the", "handler"]:
                    sys.exit(f"{where}: expected 'in the handler'")
                self.in_handler = True
            elif word == "lacks":
                into = self.lacking
            elif word in constants or re.fullmatch(r"0x[0-9a-f]+|\d+", word):
                into.append((word, constants[word] if word in constants else int(word, 0)))
            else:
                sys.exit(f"{where}: {word} is in none of the headers")
        self.mask = 0
        for _, value in self.names:
            self.mask |= value

    def text(self):
        return f"`{self.argument}`: {self.sentence}"


class Call:
    def __init__(self, line, where):
        fields = [f.strip() for f in line.split("|")]
        if len(fields) != 5:
            sys.exit(f"{where}: expected five fields separated by |")
        self.nr, self.name, self.level, self.note = int(fields[0]), fields[1], fields[3], fields[4]
        if self.level not in LEVELS:
            sys.exit(f"{where}: level must be one of {', '.join(LEVELS)}")
        self.args = [Arg(text, where) for text in fields[2].split() if text != "-"]
        self.takes, self.tests, self.remarks = [], [], []

    def more(self, line, constants, where):
        """A line below the call's own, which says more about it."""
        key, _, text = line.strip().partition(": ")
        if key == "takes":
            self.takes.append(Takes(text, self, constants, where))
        elif key == "tests":
            self.tests += text.split()
        elif key == "note":
            self.remarks.append(text)
        else:
            sys.exit(f"{where}: expected takes:, tests: or note:")

    def dispatched(self):
        """What the dispatcher checks before the handler is called."""
        return [takes for takes in self.takes if takes.is_listed and not takes.in_handler]


def read_table(path, constants):
    calls = []
    with open(path, encoding="utf-8") as table:
        for number, line in enumerate(table, 1):
            where = f"{path}:{number}"
            if not line.strip() or line.startswith("#"):
                continue
            if line.startswith("      "):
                calls[-1].more(line, constants, where)
            else:
                calls.append(Call(line, where))
    numbers = [c.nr for c in calls]
    if numbers != sorted(set(numbers)):
        sys.exit(f"{path}: numbers must be unique and ascending")
    return calls


def read_constants(headers):
    """NAME: value for each #define and enumerator of the headers whose value is made of numbers and such names."""
    raw = {}
    for path in headers:
        with open(path, encoding="utf-8") as header:
            text = re.sub(r"//[^\n]*|/\*.*?\*/", "", header.read(), flags=re.S).replace("\\\n", " ")
        for name, value in re.findall(r"^\s*#define (\w+) +(\S.*)$", text, re.M):
            raw[name] = value
        for body in re.findall(r"\benum \w*\s*\{(.*?)\}", text, re.S):
            previous = "-1"
            for item in filter(None, (part.strip() for part in body.split(","))):
                name, _, value = (part.strip() for part in item.partition("="))
                raw[name] = previous = value or f"({previous}) + 1"
    values = {}

    def value_of(name, depth=0):
        if name not in values and name in raw and depth < 20:
            text = re.sub(r"\b(0x[0-9a-fA-F]+|\d+)[uUlL]+\b", r"\1", raw[name])
            text = re.sub(r"(?<![\w.])0([0-7]+)\b", r"0o\1", text)
            if re.fullmatch(r"[\w\s()|&~<+*-]+", text):
                known = {word: value_of(word, depth + 1) for word in set(re.findall(r"\b[A-Za-z_]\w*", text))}
                if None not in known.values():
                    try:
                        values[name] = eval(text, {"__builtins__": {}}, known)
                    except (SyntaxError, TypeError, NameError):
                        pass
        return values.get(name)

    for name in list(raw):
        value_of(name)
    return values
