#!/bin/bash
# tests/repro/same_bits.sh — TARGET...: two builds in different folders and output bases, from nothing, give the same bytes.
. "$(dirname "$(readlink -f "$0")")/copy.sh"

[ $# -gt 0 ] || set -- //:release

# sums FOLDER BASE: the sha256 of every output file of the targets, by its path below bazel-out, sorted.
sums() {
    root=$(bazel_in "$1" "$2" info execution_root 2>/dev/null)
    bazel_in "$1" "$2" build --build_event_json_file="$2.events" "${targets[@]}" >&2
    python3 - "$2.events" "$root" <<'PYTHON'
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
copy_workspace "$scratch/one"
copy_workspace "$scratch/a-longer-folder/two"
sums "$scratch/one" "$scratch/base1" >"$scratch/sums1"
sums "$scratch/a-longer-folder/two" "$scratch/base-of-the-second-build" >"$scratch/sums2"

[ -s "$scratch/sums1" ] || fail "the build gave no files"
if ! diff "$scratch/sums1" "$scratch/sums2"; then
    fail "two builds of ${targets[*]} differ in the files above"
fi
cat "$scratch/sums1"
echo "$(wc -l <"$scratch/sums1") files are the same in both builds"
