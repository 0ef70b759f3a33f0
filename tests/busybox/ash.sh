#!/bin/sh
# Runs the tests that lie with BusyBox's shell (shell/ash_test in its source) and reports their verdicts as TAP.
#
# Four are left out. ash-z_slow is one script that computes for as long as all the others together and asks nothing of a kernel; last_amp fails where a shell
# does not start within the second that a clock has just begun, which is for the host to say; exitcode_trap2 and exitcode_trap6 want a signal that one child sends
# to come only when the shell has forked another, and no kernel promises that.
# As in suite.sh a failure is marked as a known one: whether a case must pass is for the comparison with Linux to say.
export PATH=/usr/sbin:/usr/bin
cd /usr/share/busybox/shell/ash_test || exit 1
rm ash-misc/last_amp.tests ash-misc/exitcode_trap2.tests ash-misc/exitcode_trap6.tests
# shellcheck disable=SC2046 # one word a folder
./run-all $(ls -d ash-* | grep -v z_slow) </dev/null 2>&1 | awk '
    match($0, /^ash-[^: ]+:/) {
        name = substr($0, 1, RLENGTH - 1)
        cases++
        if (/: ok$/)
            print "ok " cases " - " name
        else if (/: skip/)
            print "ok " cases " - " name " # SKIP not built"
        else
            print "not ok " cases " - " name " # TODO the suite says it fails"
        fflush()
        next
    }
    { print "# " $0; fflush() }
    END { print "1.." cases + 0 }'
for report in *.fail; do # none, but for those of cases that fail
    [ ! -s "$report" ] || sed "s|^|# $report: |" "$report"
done
