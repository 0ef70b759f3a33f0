"""Rules that run QEMU: `system` (what can be booted), `qemu_run`, `qemu_test`, and the macros for guest programs."""

load("//toolchains/image:initramfs.bzl", "initramfs")
load("//toolchains/image:rootfs.bzl", "rootfs")

# Every CPU count a test may be asked to run with, and the two ways to boot.
CPUS = [1, 2, 4]

_LINUX = "@linux_image//:vmlinuz"
_KEVLAR = "//kernel:kevlar"
_KERNELS = {"kevlar": _KEVLAR, "linux": _LINUX}

SystemInfo = provider(
    doc = "One bootable system.",
    fields = {
        "cmdline": "the kernel's command line",
        "disk": "File of the UEFI disk image, or None; the command line is inside",
        "initramfs": "File of the initramfs, or None",
        "kernel": "File of the kernel",
        "symbols": "File with the kernel's symbols for a debugger, or None",
    },
)

def _system_impl(ctx):
    files = [f for f in [ctx.file.kernel, ctx.file.initramfs, ctx.file.disk, ctx.file.symbols] if f]
    return [
        SystemInfo(
            cmdline = ctx.attr.cmdline,
            disk = ctx.file.disk,
            initramfs = ctx.file.initramfs,
            kernel = ctx.file.kernel,
            symbols = ctx.file.symbols,
        ),
        DefaultInfo(files = depset(files)),
    ]

system = rule(
    implementation = _system_impl,
    doc = "A kernel with what it is booted with: by QEMU's loader (kernel, initramfs, cmdline) or from the disk image.",
    attrs = {
        "cmdline": attr.string(mandatory = True),
        "disk": attr.label(allow_single_file = True),
        "initramfs": attr.label(allow_single_file = True),
        "kernel": attr.label(mandatory = True, allow_single_file = True),
        "symbols": attr.label(allow_single_file = True),
    },
)

# --- Running the Python programs beside this file with a configuration. ---

_QEMU_ATTRS = {
    "_ovmf_code": attr.label(default = "@ovmf//:usr/share/OVMF/OVMF_CODE_4M.fd", allow_single_file = True),
    "_ovmf_vars": attr.label(default = "@ovmf//:usr/share/OVMF/OVMF_VARS_4M.fd", allow_single_file = True),
    "_programs": attr.label(default = "//toolchains/qemu:programs"),
    "_qemu": attr.label(default = "@qemu//:bin/qemu-system-x86_64", allow_single_file = True),
    "_qemu_files": attr.label(default = "@qemu//:qemu-system-x86_64"),
}

def _program(ctx, name):
    for f in ctx.files._programs:
        if f.basename == name:
            return f
    fail("there is no program " + name)

def _qemu_config(ctx, path):
    """The `qemu` part of a configuration; `path` says how a File is named where the program runs."""
    return {
        "ovmf_code": path(ctx.file._ovmf_code),
        "ovmf_vars": path(ctx.file._ovmf_vars),
        "root": path(ctx.file._qemu)[:-len("/bin/qemu-system-x86_64")],
    }

def _qemu_inputs(ctx):
    return depset(
        [ctx.file._qemu, ctx.file._ovmf_code, ctx.file._ovmf_vars],
        transitive = [ctx.attr._qemu_files.files, ctx.attr._programs.files],
    )

# For rules of other packages that run QEMU by programs of their own.
QEMU_ATTRS = _QEMU_ATTRS
qemu_config = _qemu_config
qemu_inputs = _qemu_inputs

def _to_json(value):
    return json.encode_indent(value, indent = "  ") + "\n"

_LAUNCHER = """#!/bin/sh
if [ -d "$0.runfiles/{workspace}" ]; then cd "$0.runfiles/{workspace}" || exit 1; fi
exec python3 -B {program} {config} {arguments} "$@"
"""

def _short_path(f):
    return f.short_path

def _path(f):
    return f.path

def _launcher(ctx, program, config, inputs, arguments = ""):
    """The executable and runfiles that run `program` with `config` (paths as in runfiles)."""
    config_file = ctx.actions.declare_file(ctx.label.name + ".json")
    ctx.actions.write(config_file, _to_json(config))
    executable = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.write(executable, _LAUNCHER.format(
        arguments = arguments,
        config = config_file.short_path,
        program = _program(ctx, program).short_path,
        workspace = ctx.workspace_name,
    ), is_executable = True)
    runfiles = ctx.runfiles(files = [config_file], transitive_files = depset(transitive = [inputs, _qemu_inputs(ctx)]))
    return [DefaultInfo(executable = executable, runfiles = runfiles)]

def _qemu_run_impl(ctx):
    systems = {}
    for target, name in ctx.attr.systems.items():
        info = target[SystemInfo]
        systems[name] = {
            "cmdline": info.cmdline,
            "disk": info.disk.short_path,
            "initramfs": info.initramfs.short_path,
            "kernel": info.kernel.short_path,
            "symbols": info.symbols.short_path if info.symbols else "",
        }
    config = {"default": ctx.attr.default, "qemu": _qemu_config(ctx, _short_path), "systems": systems}
    inputs = depset(transitive = [t.files for t in ctx.attr.systems])
    return _launcher(ctx, "run.py", config, inputs, "--gdb" if ctx.attr.gdb else "")

qemu_run = rule(
    implementation = _qemu_run_impl,
    doc = "`bazel run` boots one of the systems on the terminal; see run.py for the options.",
    executable = True,
    attrs = dict(_QEMU_ATTRS, **{
        "default": attr.string(mandatory = True, doc = "The system that is booted unless --kernel names another."),
        "gdb": attr.bool(doc = "Start stopped, with gdb attached."),
        "systems": attr.label_keyed_string_dict(mandatory = True, providers = [SystemInfo], doc = "System to its name."),
    }),
)

# --- Tests. ---

_GUEST_ATTRS = dict(_QEMU_ATTRS, **{
    "append": attr.string(doc = "Added to the system's command line."),
    "boot": attr.string(default = "kernel", values = ["kernel", "uefi"]),
    "cpus_take_turns": attr.bool(doc = "Without KVM, QEMU runs the guest's CPUs in turns, in one thread."),
    "console": attr.string(default = "ttyS0", values = ["hvc0", "ttyS0"], doc = "The guest's terminal that the script is at."),
    "memory_mib": attr.int(default = 1024),
    "qemu_options": attr.string_list(doc = "Further options of QEMU."),
    "script": attr.label(mandatory = True, allow_single_file = [".console"], doc = "What to expect and type: see script.py."),
    "smp": attr.int(default = 1, doc = "CPUs."),
    "system": attr.label(mandatory = True, providers = [SystemInfo]),
    "variables": attr.string_dict(doc = "Values of ${NAME} in the script."),
    "write_disk": attr.bool(doc = "Give the guest a copy of the disk image, not a snapshot of it."),
})

def _guest_config(ctx, path):
    info = ctx.attr.system[SystemInfo]
    machine = {
        "boot": ctx.attr.boot,
        "cmdline": ctx.attr.append,
        "cpus_take_turns": ctx.attr.cpus_take_turns,
        "extra": ctx.attr.qemu_options,
        "memory_mib": ctx.attr.memory_mib,
        "smp": ctx.attr.smp,
        "write_disk": ctx.attr.write_disk,
    }
    if ctx.attr.boot == "kernel":
        machine["cmdline"] = " ".join([w for w in [info.cmdline, ctx.attr.append] if w])
        machine["kernel"] = path(info.kernel)
        if info.initramfs:
            machine["initramfs"] = path(info.initramfs)
    if ctx.attr.boot == "uefi":
        if not info.disk:
            fail("{} has no disk image to boot by UEFI".format(ctx.attr.system.label))
        machine["disk"] = path(info.disk)
    return {
        "console": ctx.attr.console,
        "machine": machine,
        "name": str(ctx.label),
        "qemu": _qemu_config(ctx, path),
        "script": path(ctx.file.script),
        "variables": ctx.attr.variables,
    }

def _qemu_test_impl(ctx):
    config = _guest_config(ctx, _short_path)
    config["times"] = ctx.attr.times
    inputs = [ctx.file.script]
    if ctx.file.oracle:
        config["minimum"] = ctx.attr.minimum
        config["oracle"] = ctx.file.oracle.short_path
        inputs.append(ctx.file.oracle)
    if ctx.file.known_failures:
        config["known_failures"] = ctx.file.known_failures.short_path
        inputs.append(ctx.file.known_failures)
    if ctx.file.transcript:
        config["transcript"] = ctx.file.transcript.short_path
        inputs.append(ctx.file.transcript)
    return _launcher(ctx, "qemu_test.py", config, depset(inputs, transitive = [ctx.attr.system.files]))

_qemu_test = rule(
    implementation = _qemu_test_impl,
    test = True,
    attrs = dict(_GUEST_ATTRS, **{
        "known_failures": attr.label(allow_single_file = True, doc = "Cases that are known to fail on Kevlar: `NAME REASON` a line."),
        "minimum": attr.int(doc = "So many cases at least must pass on both kernels."),
        "oracle": attr.label(allow_single_file = True, doc = "Linux's log of the same guest, for comparison case by case."),
        "times": attr.int(default = 1, doc = "Boots, one after the other; each must pass."),
        "transcript": attr.label(allow_single_file = True, doc = "The lines the console must show, the kernel's name and release aside."),
    }),
)

def qemu_test(name, smp = 1, tags = [], timeout = "short", **kwargs):
    """Boots a system and drives its console by a script; passes when the script's end marker was seen and the status is right.

    Args:
      name: the test's name.
      smp: CPUs of the guest.
      tags: further tags.
      timeout: how long it takes here, roughly; the limits that matter are those of the script, and .bazelrc gives every test more.
      **kwargs: system, script, boot, console, memory_mib, append, variables, transcript, times, qemu_options, write_disk.
    """
    _qemu_test(
        name = name,
        smp = smp,
        # QEMU has a thread for each CPU of the guest; without KVM each of them keeps a CPU of the host busy.
        tags = tags + ["cpu:{}".format(min(smp, 2)), "smp{}".format(smp)],
        timeout = timeout,
        **kwargs
    )

def _qemu_log_impl(ctx):
    config = ctx.actions.declare_file(ctx.label.name + ".json")
    ctx.actions.write(config, _to_json(dict(_guest_config(ctx, _path), attempts = ctx.attr.attempts)))
    log = ctx.actions.declare_file(ctx.label.name + ".log")
    program = _program(ctx, "qemu_test.py")
    ctx.actions.run_shell(
        command = "exec python3 -B \"$@\"",
        arguments = [program.path, config.path, "--log=" + log.path],
        inputs = depset([config, ctx.file.script], transitive = [ctx.attr.system.files, _qemu_inputs(ctx)]),
        outputs = [log],
        mnemonic = "QemuLog",
        progress_message = "Running %s in QEMU" % ctx.label,
    )
    return [DefaultInfo(files = depset([log]), runfiles = ctx.runfiles(files = [log]))]

qemu_log = rule(
    implementation = _qemu_log_impl,
    doc = "The console log of a scripted run as a build output; the build fails if the script does.",
    attrs = dict(_GUEST_ATTRS, **{
        "attempts": attr.int(doc = "The log is TAP; so many runs at most until every case passes."),
    }),
)

# --- One guest program, many environments. ---

_GUEST_CMDLINE = "console=ttyS0 quiet loglevel=1 panic=-1 rdinit=/guest/init"

def _guest_append(kernel, smp, append):
    """What a guest's command line adds: init, and by it the program, finds guest_cpus in the environment.

    A warning of Kevlar's, too quiet for the guest's log level, is made a panic.
    """
    return " ".join(["guest_cpus={}".format(smp)] + (["panic_on_warn"] if kernel == "kevlar" else []) + ([append] if append else []))

def _guest_systems(name, program, files, kernels, layers = []):
    """Declares the initramfs of a guest program and a system for every kernel; returns nothing, the names are fixed."""
    rootfs(
        name = name + "_rootfs",
        files = dict(files, **{program: "/guest/program 0755"}),
        deps = layers + ["//tests/guest:rootfs"],
        testonly = True,
    )
    initramfs(
        name = name + "_initramfs",
        compress = "none",
        rootfs = ":" + name + "_rootfs",
        testonly = True,
    )
    for kernel in kernels:
        system(
            name = "{}_{}_system".format(name, kernel),
            cmdline = _GUEST_CMDLINE,
            initramfs = ":" + name + "_initramfs",
            kernel = _KERNELS[kernel],
            testonly = True,
        )

def guest_test(name, program, kernels = ["linux", "kevlar"], cpus = CPUS, files = {}, seconds = 60, append = "", tags = [], **kwargs):
    """A guest program that reports TAP, run on every kernel with every CPU count: NAME_linux_smp1, NAME_kevlar_smp4, …

    The program runs as the only one beside the guest's init; it passes when its TAP stream does and it exits with 0.
    NAME is the test suite of all variants. Tags for --test_tag_filters: linux, kevlar, smp1, smp2, smp4.

    Args:
      name: the suite's name.
      program: a program of the userland platform, best linked statically.
      kernels: of "linux" and "kevlar".
      cpus: the CPU counts.
      files: further files of the guest, label to "PATH [MODE] [UID:GID]".
      seconds: the program's time on a quiet machine.
      append: added to the kernel's command line.
      tags: further tags.
      **kwargs: memory_mib, qemu_options.
    """
    _guest_systems(name, program, files, kernels)
    variants = []
    for kernel in kernels:
        for smp in cpus:
            variant = "{}_{}_smp{}".format(name, kernel, smp)
            variants.append(":" + variant)
            qemu_test(
                name = variant,
                script = "//tests/guest:tap.console",
                append = _guest_append(kernel, smp, append),
                smp = smp,
                system = ":{}_{}_system".format(name, kernel),
                tags = tags + [kernel],
                variables = {"seconds": str(seconds)},
                **kwargs
            )
    native.test_suite(name = name, tests = variants, tags = [tag for tag in tags if tag == "manual"])

def oracle_for(smp, oracle_cpus):
    """The run of Linux that a test with `smp` CPUs is compared with: the smallest with as many, else the largest."""
    return min([n for n in oracle_cpus if n >= smp] or [max(oracle_cpus)])

def contract_test(name, program, minimum, cpus = CPUS, oracle_cpus = CPUS, files = {}, layers = [], seconds = 60, append = "", tags = [], **kwargs):
    """A guest program whose TAP cases must come out the same, and passed, on Linux and on Kevlar: NAME_smp1, NAME_smp2, …

    Linux's run is a cached build action (NAME_linux_smp1 …, a log); the test boots Kevlar and compares case by case. A case listed
    in testdata/contract/known_failures.txt must fail on Kevlar; when it passes, the test demands that the line be deleted.

    Args:
      name: the suite's name.
      program: a program of the userland platform, best linked statically.
      minimum: so many cases at least pass on both kernels: a suite that loses its cases does not pass unnoticed.
      cpus: the CPU counts.
      oracle_cpus: with how many CPUs Linux runs it, each once: fewer than `cpus` where its verdicts do not depend on that.
      files: further files of the guest, label to "PATH [MODE] [UID:GID]".
      layers: `rootfs` targets that lie below the guest's own files.
      seconds: the program's time on a quiet machine.
      append: added to the kernel's command line.
      tags: further tags.
      **kwargs: memory_mib, qemu_options.
    """
    _guest_systems(name, program, files, ["linux", "kevlar"], layers)
    variants = []
    common = dict(
        kwargs,
        script = "//tests/guest:contract.console",
        variables = {"seconds": str(seconds)},
    )
    for smp in {oracle_for(smp, oracle_cpus): None for smp in cpus}:
        qemu_log(
            name = "{}_linux_smp{}".format(name, smp),
            append = _guest_append("linux", smp, append),
            attempts = 2,
            # QEMU 7.2, with a thread for each CPU, now and then runs code that Linux has just patched: an oops on its int3.
            cpus_take_turns = smp > 1,
            smp = smp,
            system = ":{}_linux_system".format(name),
            tags = ["manual"],
            testonly = True,
            **common
        )
    for smp in cpus:
        variant = "{}_smp{}".format(name, smp)
        variants.append(":" + variant)
        qemu_test(
            name = variant,
            append = _guest_append("kevlar", smp, append),
            known_failures = "//testdata/contract:known_failures.txt",
            minimum = minimum,
            oracle = ":{}_linux_smp{}".format(name, oracle_for(smp, oracle_cpus)),
            smp = smp,
            system = ":{}_kevlar_system".format(name),
            tags = tags + ["contract", "kevlar"],
            **common
        )
    native.test_suite(name = name, tests = variants, tags = [tag for tag in tags if tag == "manual"])
