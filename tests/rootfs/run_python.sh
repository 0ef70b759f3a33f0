#!/bin/sh
# tests/rootfs/run_python.sh — runs a Python program of the tree as a test.
exec python3 -B "$@"
