"""Rules that measure: a program of bench/tool run with QEMU and systems, by `bazel run`, as a build action or as a test."""

load("//toolchains/qemu:defs.bzl", "QEMU_ATTRS", "SystemInfo", "qemu_config", "qemu_inputs")

_LAUNCHER = """#!/bin/sh
if [ -d "$0.runfiles/{workspace}" ]; then cd "$0.runfiles/{workspace}" || exit 1; fi
PYTHONPATH="$(dirname {machine})" exec python3 -B {program} {arguments} "$@"
"""

def _short_path(f):
    return f.short_path

def _path(f):
    return f.path

def _system(target, path):
    info = target[SystemInfo]
    return {"cmdline": info.cmdline, "initramfs": path(info.initramfs), "kernel": path(info.kernel)}

def _systems(targets, path):
    """Name to system; `targets` is label to name, and its order is the order of the runs."""
    return {name: _system(target, path) for target, name in targets.items()}

def _machine_py(ctx):
    for f in ctx.files._programs:
        if f.basename == "machine.py":
            return f
    fail("//toolchains/qemu has no machine.py")

def _tool(ctx):
    for f in ctx.files._tools:
        if f.basename == ctx.attr.tool:
            return f
    fail("bench/tool has no " + ctx.attr.tool)

_ATTRS = dict(QEMU_ATTRS, **{
    "tool": attr.string(mandatory = True, doc = "The program of bench/tool."),
    "_tools": attr.label(default = "//bench:tools"),
})

def _config_file(ctx, value):
    config = ctx.actions.declare_file(ctx.label.name + ".config.json")
    ctx.actions.write(config, json.encode_indent(value, indent = "  ") + "\n")
    return config

def _launcher(ctx, arguments, inputs):
    executable = ctx.actions.declare_file(ctx.label.name + ".sh")  # not the bare name: a folder of sources beside it may have that
    ctx.actions.write(executable, _LAUNCHER.format(
        arguments = " ".join(arguments),
        machine = _machine_py(ctx).short_path,
        program = _tool(ctx).short_path,
        workspace = ctx.workspace_name,
    ), is_executable = True)
    runfiles = ctx.runfiles(files = ctx.files._tools, transitive_files = depset(transitive = inputs + [qemu_inputs(ctx)]))
    return [DefaultInfo(executable = executable, runfiles = runfiles)]

def _bench_run_impl(ctx):
    config = {
        "files": {name: target.files.to_list()[0].short_path for target, name in ctx.attr.files.items()},
        "login_systems": _systems(ctx.attr.login_systems, _short_path),
        "qemu": qemu_config(ctx, _short_path),
        "systems": _systems(ctx.attr.systems, _short_path),
    }
    config_file = _config_file(ctx, config)
    targets = ctx.attr.systems.keys() + ctx.attr.login_systems.keys() + ctx.attr.files.keys()
    return _launcher(ctx, [config_file.short_path], [depset([config_file])] + [t.files for t in targets])

bench_run = rule(
    implementation = _bench_run_impl,
    doc = "`bazel run` starts a program of bench/tool: its first argument is the configuration, then the command line's.",
    executable = True,
    attrs = dict(_ATTRS, **{
        "files": attr.label_keyed_string_dict(allow_files = True, doc = "Further files to their names in the configuration."),
        "login_systems": attr.label_keyed_string_dict(providers = [SystemInfo], doc = "Whole systems, which boot to a login prompt."),
        "systems": attr.label_keyed_string_dict(mandatory = True, providers = [SystemInfo], doc = "System to the name of its configuration."),
    }),
)

def _bench_log_impl(ctx):
    config = _config_file(ctx, {
        "clock": "icount",
        "configuration": ctx.attr.configuration,
        "files": {name: target.files.to_list()[0].path for target, name in ctx.attr.files.items()},
        "qemu": qemu_config(ctx, _path),
        "system": _system(ctx.attr.system, _path),
    })
    log = ctx.actions.declare_file(ctx.label.name + ".json")
    ctx.actions.run_shell(
        command = "PYTHONPATH=\"$1\" exec python3 -B \"$2\" \"$3\" \"$4\"",
        arguments = [_machine_py(ctx).dirname, _tool(ctx).path, config.path, log.path],
        inputs = depset([config] + ctx.files._tools, transitive = [ctx.attr.system.files, qemu_inputs(ctx)] + [t.files for t in ctx.attr.files]),
        outputs = [log],
        mnemonic = "BenchLog",
        progress_message = "Counting instructions: %s" % ctx.label,
    )
    return [DefaultInfo(files = depset([log]), runfiles = ctx.runfiles(files = [log]))]

bench_log = rule(
    implementation = _bench_log_impl,
    doc = "One boot with counted instructions, as a build output: the same inputs give the same figures, so it is run only once for them.",
    attrs = dict(_ATTRS, **{
        "configuration": attr.string(mandatory = True),
        "files": attr.label_keyed_string_dict(allow_files = True, doc = "Further files to their names in the configuration."),
        "system": attr.label(mandatory = True, providers = [SystemInfo]),
    }),
)
