#!/bin/sh
# coverage_page_is_current.sh GEN_TABLE TABLE PAGE — docs/abi-coverage.md is what the table gives.
set -eu
python3 -B "$1" "$2" kernel/abi/*.h --md "$TEST_TMPDIR/page.md"
if ! diff -u "$3" "$TEST_TMPDIR/page.md"; then
    echo "docs/abi-coverage.md is not what kernel/syscall/table.txt gives: run tools/update-docs" >&2
    exit 1
fi
