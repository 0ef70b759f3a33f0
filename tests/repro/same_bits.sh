#!/bin/bash
# tests/repro/same_bits.sh — [--here] TARGET...: two builds in different folders and output bases, from nothing, give the same bytes.
#
# --here  the first of the two is this checkout's own, with whatever is built in it already
own_home=$HOME
. "$(dirname "$(readlink -f "$0")")/copy.sh"

here=no
if [ "${1:-}" = --here ]; then
    here=yes
    shift
fi
[ $# -gt 0 ] || set -- //:release

# sums EVENTS BAZEL...: the sha256 of every output file of the targets, by its path below bazel-out, sorted.
sums() {
    events=$1
    shift
    root=$("$@" info execution_root 2>/dev/null)
    "$@" build --build_event_json_file="$events" "${targets[@]}" >&2
    python3 - "$events" "$root" <<'PYTHON'
import hashlib
import json
import os
import sys

events, root = sys.argv[1:]
paths = set()
for line in open(events, encoding="utf-8"):
    for file in json.loads(line).get("namedSetOfFiles", {}).get("files", []):
        paths.add("/".join(file.get("pathPrefix", []) + [file["name"]]))
for path in sorted(paths):
    with open(os.path.join(root, path), "rb") as f:
        print(hashlib.sha256(f.read()).hexdigest(), path)
PYTHON
}

targets=("$@")
if [ $here = yes ]; then
    cd "$workspace"
    sums "$scratch/events1" env HOME="$own_home" "$workspace/bazelw" >"$scratch/sums1"
else
    copy_workspace "$scratch/one"
    sums "$scratch/events1" bazel_in "$scratch/one" "$scratch/base1" >"$scratch/sums1"
fi
copy_workspace "$scratch/a-longer-folder/two"
sums "$scratch/events2" bazel_in "$scratch/a-longer-folder/two" "$scratch/base-of-the-second-build" >"$scratch/sums2"

[ -s "$scratch/sums1" ] || fail "the build gave no files"
if ! diff "$scratch/sums1" "$scratch/sums2"; then
    fail "two builds of ${targets[*]} differ in the files above"
fi
cat "$scratch/sums1"
echo "$(wc -l <"$scratch/sums1") files are the same in both builds"
