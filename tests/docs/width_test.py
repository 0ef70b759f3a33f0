"""width_test.py — no line of the kernel's or the contract tests' C is wider than .clang-format says."""

import os
import re
import sys


def limit():
    with open(".clang-format") as f:
        return int(re.search(r"^ColumnLimit: (\d+)$", f.read(), re.M).group(1))


def wide(path, text, columns):
    return ["%s:%d: %d columns, %d at most" % (path, number, len(line), columns) for number, line in enumerate(text.splitlines(), 1) if len(line) > columns]


def main():
    columns, found, files = limit(), [], 0
    for top in ("arch", "kernel", "tests"):
        for folder, _, names in os.walk(top):
            for name in names:
                if name.endswith((".c", ".h", ".S")):
                    files += 1
                    path = os.path.join(folder, name)
                    with open(path, encoding="utf-8") as f:
                        found += wide(path, f.read(), columns)
    if files < 400:
        raise SystemExit("only %d source files are here" % files)
    # It can fail: a line that is one column too wide is seen, one that is not is not.
    if len(wide("planted", "x" * columns + "\n" + "y" * (columns + 1), columns)) != 1:
        found.append("a wide line was not noticed")
    print("\n".join(found) or "the lines of %d files are within %d columns" % (files, columns))
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
