#!/bin/sh
# contract_cases_test.sh GEN_TABLE TABLE — every call that is done names contract cases, every case named is there and makes the call, and there are enough.
set -eu
LEAST=1050
cases=$(cat tests/contract/*.c | grep -c '^CASE(')
[ "$cases" -ge $LEAST ] || { echo "only $cases contract cases, $LEAST at least are wanted" >&2; exit 1; }
python3 -B "$1" "$2" kernel/abi/*.h --check-tests tests/contract

# The check can fail: a call that names nothing, a case that is nowhere, and one that does not make the call must each be reported.
expect_report() { # EXPECTED-TEXT
    if said=$(python3 -B gen_table.py table.txt ../kernel/abi/*.h --check-tests ../tests/contract 2>&1); then
        echo "not noticed: $1" >&2
        exit 1
    fi
    case $said in
        *"$1"*) ;;
        *) echo "reported as: $said" >&2; exit 1 ;;
    esac
}
mkdir work
cp "$1" "$(dirname "$1")/call_table.py" "$(dirname "$1")/case_calls.py" work
cd work
awk '/^[ 0-9]+ \| / { call = $3 } !(call == "alarm" && /^      tests:/)' "../$2" >table.txt
expect_report "alarm: done, but names no contract case"
sed 's/alarm_returns_remaining_seconds/alarm_makes_coffee/' "../$2" >table.txt
expect_report "there is no contract case alarm_makes_coffee"
sed 's/alarm_returns_remaining_seconds/pipe_passes_bytes_in_order/' "../$2" >table.txt
expect_report "alarm: the case pipe_passes_bytes_in_order of pipe.c does not make the call"
