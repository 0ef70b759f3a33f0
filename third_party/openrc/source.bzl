"""What OpenRC's meson build makes of its source, as data: programs, the further names they go by, and shell files."""

# Program to (folder below src/, where it is installed, its other names).
PROGRAMS = {
    "checkpath": ("checkpath", "/usr/lib/rc/bin", []),
    "einfo": ("einfo", "/usr/lib/rc/bin", [
        "ebegin",
        "eend",
        "eerror",
        "eerrorn",
        "eindent",
        "einfon",
        "eoutdent",
        "esyslog",
        "eval_ecolors",
        "ewaitfile",
        "ewarn",
        "ewarnn",
        "ewend",
        "vebegin",
        "veend",
        "veindent",
        "veinfo",
        "veoutdent",
        "vewarn",
        "vewend",
    ]),
    "fstabinfo": ("fstabinfo", "/usr/lib/rc/bin", []),
    "is_newer_than": ("is_newer_than", "/usr/lib/rc/bin", []),
    "is_older_than": ("is_older_than", "/usr/lib/rc/bin", []),
    "kill_all": ("kill_all", "/usr/lib/rc/bin", []),
    "mark_service_starting": ("mark_service", "/usr/lib/rc/sbin", [
        "mark_service_" + state
        for state in [
            "crashed",
            "failed",
            "hotplugged",
            "inactive",
            "started",
            "stopped",
            "stopping",
            "wasinactive",
        ]
    ]),
    "mountinfo": ("mountinfo", "/usr/lib/rc/bin", []),
    "openrc": ("openrc", "/usr/sbin", []),
    "openrc-run": ("openrc-run", "/usr/sbin", []),
    "rc-abort": ("rc-abort", "/usr/lib/rc/sbin", []),
    "rc-depend": ("rc-depend", "/usr/lib/rc/bin", []),
    "rc-service": ("rc-service", "/usr/sbin", []),
    "rc-status": ("rc-status", "/usr/bin", []),
    "rc-update": ("rc-update", "/usr/sbin", []),
    "seedrng": ("seedrng", "/usr/lib/rc/sbin", []),
    "service_get_value": ("value", "/usr/lib/rc/bin", [
        "get_options",
        "save_options",
        "service_set_value",
    ]),
    "service_starting": ("service", "/usr/lib/rc/bin", [
        "service_" + state
        for state in [
            "crashed",
            "hotplugged",
            "inactive",
            "started",
            "started_daemon",
            "stopped",
            "stopping",
            "wasinactive",
        ]
    ]),
    "shell_var": ("shell_var", "/usr/lib/rc/bin", []),
    "start-stop-daemon": ("start-stop-daemon", "/usr/lib/rc/sbin", []),
    "supervise-daemon": ("supervise-daemon", "/usr/sbin", []),
    "swclock": ("swclock", "/usr/lib/rc/sbin", []),
}

# Installed shell file to its source; a source NAME.in is taken where there is no NAME.
SCRIPTS = dict(
    {
        "usr/lib/rc/sh/" + name: "sh/" + name
        for name in [
            "cgroup-release-agent.sh",
            "functions.sh",
            "gendepends.sh",
            "openrc-run.sh",
            "rc-cgroup.sh",
            "rc-functions.sh",
            "rc-mount.sh",
            "runit.sh",
            "s6.sh",
            "start-stop-daemon.sh",
            "supervise-daemon.sh",
        ]
    },
    **{
        "etc/init.d/cgroups": "init.d/cgroups",
        "etc/init.d/savecache": "init.d/savecache",
        "usr/lib/rc/bin/on_ac_power": "src/on_ac_power/on_ac_power",
        "usr/lib/rc/sh/init-early.sh": "sh/init-early.sh.Linux",
        "usr/lib/rc/sh/init.sh": "sh/init.sh.Linux",
    }
)

# What the build substitutes for @NAME@.
SUBSTITUTIONS = {
    "BINDIR": "/bin",
    "LIB": "lib",
    "LIBEXECDIR": "/usr/lib/rc",
    "LOCAL_PREFIX": "/usr/local",
    "PKG_PREFIX": "/usr",
    "PREFIX": "",
    "SBINDIR": "/sbin",
    "SHELL": "/bin/sh",
    "SYSCONFDIR": "/etc",
    "UUCP_GROUP": "uucp",
    "VCS_TAG": "0.56",
}
