#!/bin/sh
# tests/toolchain/kernel_objects_link.sh — READELF ELF: kernel code is relocatable, complete and keeps its debug information.
set -eu
readelf=$1 elf=$2

fail() {
    echo "FAIL: $*"
    exit 1
}

"$readelf" -hW "$elf" | grep -q 'Type: *DYN' || fail "$elf cannot be relocated"
"$readelf" -sW "$elf" | grep -q ' middle_sum$' || fail "$elf has no symbol middle_sum"
! "$readelf" -sW "$elf" | grep -q ' UND [a-z_]' || fail "$elf has undefined symbols"
"$readelf" -SW "$elf" | grep -q debug_info || fail "$elf has no debug information"
! "$readelf" -lW "$elf" | grep -q INTERP || fail "$elf asks for an interpreter"
echo "the kernel objects link"
