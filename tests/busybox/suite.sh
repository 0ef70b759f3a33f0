#!/bin/sh
# Runs BusyBox's own test suite for the applets listed in /guest/applets and reports its verdicts as TAP.
#
# A failure is marked as a known one: the suite has cases that no kernel can make pass with this C library or without a disk.
# Whether a case must pass is for the comparison with Linux to say, which knows `failed` from `passed` all the same.
export PATH=/usr/sbin:/usr/bin
cd /usr/share/busybox/testsuite || exit 1
# shellcheck disable=SC2046 # one word an applet
./runtest $(cat /guest/applets) </dev/null 2>&1 | awk '
    /^(PASS|FAIL|SKIPPED|UNTESTED): / {
        verdict = $1
        name = substr($0, length(verdict) + 2)
        gsub(/#/, "number sign", name)
        gsub(/[\\\t]/, "/", name)
        gsub(/^ +| +$/, "", name)
        if (++seen[name] > 1)
            name = name " (number " seen[name] ")"
        cases++
        if (verdict == "PASS:")
            print "ok " cases " - " name
        else if (verdict == "FAIL:")
            print "not ok " cases " - " name " # TODO the suite says it fails"
        else
            print "ok " cases " - " name " # SKIP not built"
        fflush()
        next
    }
    { print "# " $0; fflush() }
    END { print "1.." cases + 0 }'
