#!/bin/sh
# tests/toolchain/programs_run.sh — READELF LD-MUSL STATIC STATIC-PIE DYNAMIC: each program is what it should be, and runs.
set -eu
readelf=$1 loader=$2 static=$3 static_pie=$4 dynamic=$5

fail() {
    echo "FAIL: $*"
    exit 1
}

expect() {
    [ "$2" = "$3" ] || fail "$1 printed '$2', not '$3'"
}

has() {
    "$readelf" -hldW "$1" | grep -q "$2"
}

hello='hello tester 0.667 4'
expect "$static" "$("$static" tester)" "$hello"
expect "$static_pie" "$("$static_pie" tester)" "$hello"
expect "$dynamic" "$("$loader" "$dynamic" tester)" "$hello"

has "$static" 'Type: *EXEC' || fail "$static is not a fixed-address program"
! has "$static" INTERP || fail "$static asks for an interpreter"
has "$static_pie" 'Type: *DYN' || fail "$static_pie cannot be relocated"
! has "$static_pie" INTERP || fail "$static_pie asks for an interpreter"
has "$dynamic" 'interpreter: /lib/ld-musl-x86_64.so.1' || fail "$dynamic does not ask for ld-musl-x86_64.so.1"
has "$dynamic" 'NEEDED.*\[libc.so\]' || fail "$dynamic does not need libc.so"
[ "$("$readelf" -dW "$dynamic" | grep -c NEEDED)" = 1 ] || fail "$dynamic needs more than libc.so"

# No path of the machine that built it.
for program in "$static" "$static_pie" "$dynamic" "$loader"; do
    ! grep -q -a -e '/execroot/' -e '/sandbox/' "$program" || fail "$program holds a path of the build machine"
done
echo "all programs are as they should be"
