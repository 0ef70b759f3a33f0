#!/bin/sh
# third_party/busybox/sources_test.sh — sources.bzl is what sources.py makes of the configuration today.
# Arguments: sources.py, the configuration, sources.bzl, BusyBox's Makefile.
python3 "$1" "$2" "$(dirname "$4")" > "${TEST_TMPDIR:?}/sources.bzl" || exit 1
diff -u "$3" "$TEST_TMPDIR/sources.bzl" || {
    echo "sources.bzl is stale: run third_party/busybox/sources.py (its first lines say how)"
    exit 1
}
