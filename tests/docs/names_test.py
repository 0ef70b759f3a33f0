"""names_test.py PAGE… — what the pages for developers name is in the tree: paths, files, functions, structures; the functions that comments of the
kernel name are there; and LOCKS.md has the ranks of kernel/sync/lock_class.h, in their order."""

import os
import re
import sys

TOPS = "arch|bench|docs|kernel|testdata|tests|third_party|toolchains|tools|userland"
PATH = re.compile(r"(?<![\w/.@-])(?:%s)/[\w./<>{},-]*[\w/>}]" % TOPS)
FENCE = re.compile(r"^```.*?^```", re.M | re.S)
QUOTED = re.compile(r"`([^`\n]+)`")
CALL = re.compile(r"^([A-Za-z_]\w*)\(\)$")
NAME = re.compile(r"^[a-z]\w*_\w+$")
STRUCT = re.compile(r"^struct (\w+)$")
PLACEHOLDER = re.compile(r"[<{]|(?<=/)[A-Z]+(?=/|$)")  # `<family>`, `{etc,usr}`, `NAME`
WRITTEN = ("bench/out",)  # what commands write, which is not in the tree
COMMENT = re.compile(r"//.*")
CALL_IN_COMMENT = re.compile(r"(?<![\w.>])([A-Za-z_]\w*)\(\)")  # not `ops->open()`, which is a member
FILE = re.compile(r"^[\w-]+\.(?:c|h|S|py|bzl)$")


class Tree:
    """The files of the tree that were given to the test, and the words of its sources."""

    def __init__(self):
        self.files, self.words, self.called, self.structs, self.sources = set(), set(), set(), set(), {}
        for top in TOPS.split("|"):
            for folder, _, names in os.walk(top):
                self.files.update(os.path.join(folder, name) for name in names)
        for path in self.files:
            if path.endswith((".c", ".h", ".S", ".inc")) and path.startswith(("kernel/", "arch/")):
                with open(path, errors="replace") as f:
                    text = f.read()
                self.sources[path] = text
                code = COMMENT.sub("", text)
                self.words.update(re.findall(r"\w+", text))
                self.called.update(re.findall(r"\b(\w+)\)?\(", code))  # also `(*hook)(`
                if path.endswith(".S"):  # labels
                    self.called.update(re.findall(r"^(\w+):", code, re.M))
                self.structs.update(re.findall(r"\bstruct (?:CAPABILITY\([^)]*\) )?(\w+) \{", text))
                self.called.update("sys_" + name for name in re.findall(r"\bSYSCALL\d\((\w+)", code))
        for path in self.files:  # rules and platforms
            if path.endswith((".bzl", ".bazel")):
                with open(path) as f:
                    self.words.update(re.findall(r"\w+", f.read()))
        self.basenames = {os.path.basename(path) for path in self.files}

    def has_path(self, path):
        if PLACEHOLDER.search(path):  # the folder that it is in
            path = os.path.dirname(PLACEHOLDER.split(path)[0] + "x")
        return path.startswith(WRITTEN) or os.path.exists(path.rstrip("/"))


def unknown_names(tree, text):
    """What `text` names that is not there."""
    missing = [path for path in PATH.findall(text) if not tree.has_path(path)]
    for token in QUOTED.findall(FENCE.sub("", text)):
        call, struct = CALL.match(token), STRUCT.match(token)
        if call and call.group(1) not in tree.called:
            missing.append(token)
        elif struct and struct.group(1) not in tree.structs:
            missing.append(token)
        elif FILE.match(token) and token not in tree.basenames:
            missing.append(token)
        elif NAME.match(token) and token not in tree.words | {"sys_" + w for w in tree.words}:
            missing.append(token)
    return missing


def unknown_calls(tree, path, text):
    """The functions that comments of `text` name and no source has; a system call may go by its own name."""
    return ["%s:%d: %s() is not in the tree" % (path, number, name) for number, line in enumerate(text.splitlines(), 1)
            for comment in COMMENT.findall(line) for name in CALL_IN_COMMENT.findall(comment) if not {name, "sys_" + name} & tree.called]


def ranks_of_page(text):
    """The names in the first column of the table, row by row."""
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("|")]
    return [re.findall(r"`([A-Z_]+)`(?! [+-])", row) for row in rows if "`" in row]


def ranks_of_header(text):
    found = {name: int(value) for name, value in re.findall(r"^\s*RANK_(\w+) = (\d+)", text, re.M)}
    found.pop("NONE")
    return found


def rank_differences(page, header):
    rows, ranks = ranks_of_page(page), ranks_of_header(header)
    named = [name for row in rows for name in row]
    found = ["LOCKS.md lacks " + name for name in ranks if name not in named]
    found += ["LOCKS.md has %s, lock_class.h has not" % name for name in named if name not in ranks]
    found += ["LOCKS.md names %s twice" % name for name in set(named) if named.count(name) > 1]
    values = [ranks[name] for name in named if name in ranks]
    found += ["LOCKS.md: %s is not in its place" % named[i + 1] for i in range(len(values) - 1) if values[i] >= values[i + 1]]
    return found


def read(path):
    with open(path) as f:
        return f.read()


def main():
    tree = Tree()
    if len(tree.files) < 400:
        raise SystemExit("only %d files of the tree are here" % len(tree.files))
    found = []
    for page in sys.argv[1:]:
        text = read(page)
        names = unknown_names(tree, text)
        found += ["%s: %s is not in the tree" % (page, name) for name in names]
        # It can fail: names of nothing are seen.
        planted = "`no_such_name` `no_such_call()` `struct no_such` `no_such_file.c` kernel/no/such.c\n"
        if len(unknown_names(tree, planted + text)) != len(names) + 5:
            found.append("%s: names of nothing were not noticed" % page)
    for path in sorted(tree.sources):
        found += unknown_calls(tree, path, tree.sources[path])
    if len(unknown_calls(tree, "planted", "f(); // no_such_call() after main_loop->member()\nno_such_call();\n")) != 1:
        found.append("a comment that names a function of nothing was not noticed")
    page, header = read("LOCKS.md"), read("kernel/sync/lock_class.h")
    found += rank_differences(page, header)
    for changed in (page.replace("`FUTEX`", "`FUTEXES`"), page.replace("`PIPE`, `SOCKET`", "`SOCKET`, `PIPE`"), page.replace("| `RCU` |", "| RCU |")):
        if not rank_differences(changed, header):
            found.append("a difference between LOCKS.md and lock_class.h was not noticed")
    print("\n".join(found) or "the names of %d pages and the comments of %d sources are in the tree; ranks agree" % (len(sys.argv) - 1, len(tree.sources)))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
