#!/bin/bash
# tests/repro/copy.sh — sourced: a copy of the workspace as it is now, committed or not, and Bazel calls that share nothing.
set -eu

workspace=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
scratch=$(mktemp -d "${TEST_TMPDIR:-${TMPDIR:-/tmp}}/repro.XXXXXX")
# The host's own download cache: what is compared here is building, not fetching.
export HOME="${KEVLAR_HOME:-$(getent passwd "$(id -u)" | cut -d: -f6)}"
repository_cache=$HOME/.cache/bazel/_bazel_$(id -un)/cache/repos/v1
# A test's own environment must not reach the inner Bazel.
unset RUNFILES_DIR TEST_SRCDIR RUNFILES_MANIFEST_FILE JAVA_RUNFILES PYTHON_RUNFILES 2>/dev/null || true

fail() {
    echo "FAIL: $*" >&2
    exit 1
}

# copy_workspace FOLDER
copy_workspace() {
    mkdir -p "$1"
    (cd "$workspace" && git ls-files -z --cached --others --exclude-standard |
        while IFS= read -r -d '' path; do [ -e "$path" ] && printf '%s\0' "$path"; done |
        tar --null --files-from=- --create --file=-) | tar --extract --file=- --directory="$1"
}

# bazel_in FOLDER OUTPUT-BASE COMMAND ARGUMENTS...
bazel_in() {
    folder=$1 base=$2 command=$3
    shift 3
    (cd "$folder" && ./bazelw --output_base="$base" --max_idle_secs=60 "$command" \
        --symlink_prefix=/ --repository_cache="$repository_cache" --noshow_progress "$@")
}

clean_up() {
    for base in "$scratch"/base*; do
        [ -d "$base" ] || continue
        pid=$(cat "$base/server/server.pid.txt" 2>/dev/null || true)
        [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
    done
    sleep 1
    chmod -R u+w "$scratch" 2>/dev/null || true
    rm -rf "$scratch"
}
trap clean_up EXIT
