# third_party/busybox/autoconf.awk — turns a BusyBox configuration into autoconf.h.
#
# For every symbol: ENABLE_X is 1 or 0, CONFIG_X is defined where it is set, IF_X(...) and IF_NOT_X(...) expand where it is (not).
function switches(name, on) {
    print "#define ENABLE_" name " " on
    print "#define IF_" name "(...) " (on ? "__VA_ARGS__" : "")
    print "#define IF_NOT_" name "(...) " (on ? "" : "__VA_ARGS__")
}
BEGIN {
    print "#pragma once"
    print "#define BB_VER \"" version "\""
    print "#define AUTOCONF_TIMESTAMP \"\""
}
/^CONFIG_[A-Za-z0-9_]+=/ {
    name = substr($0, 8, index($0, "=") - 8)
    value = substr($0, index($0, "=") + 1)
    print "#define CONFIG_" name " " (value == "y" ? 1 : value)
    switches(name, 1)
}
/^# CONFIG_[A-Za-z0-9_]+ is not set$/ {
    switches(substr($2, 8), 0)
}
