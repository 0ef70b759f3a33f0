#!/bin/sh
# handlers_test.sh GEN_TABLE TABLE — every listed call has its handler in the kernel's sources, every handler is listed.
set -eu
[ "$(find . -name "*.c" | wc -l)" -gt 100 ] || { echo "the kernel's sources are not here" >&2; exit 1; }
python3 -B "$1" "$2" kernel/abi/*.h --check .

# The check can fail: with one call taken off the table, it must name that call.
sed -e 's/^\( *39 | getpid .*|\) done /\1 absent /' "$2" >"$TEST_TMPDIR/table.txt"
if said=$(python3 -B "$1" "$TEST_TMPDIR/table.txt" kernel/abi/*.h --check . 2>&1); then
    echo "an unlisted handler was not noticed" >&2
    exit 1
fi
case $said in
    getpid:*) echo "$(grep -c '^ *[0-9]' "$2") calls of the table agree with the handlers" ;;
    *) echo "an unlisted getpid was reported as: $said" >&2; exit 1 ;;
esac
