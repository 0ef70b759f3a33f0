"""Transitions: build a dependency for a platform of our choice, so that no command line needs --platforms."""

_PLATFORMS = "//command_line_option:platforms"

def _to_kernel(_settings, _attr):
    return {_PLATFORMS: "//toolchains/platforms:kernel_x86_64"}

def _to_userland(_settings, _attr):
    return {_PLATFORMS: "//toolchains/platforms:userland_x86_64"}

# For `cfg =` of a rule (the whole target) or of one attribute. The rule needs TRANSITION_ALLOWLIST in its attrs.
kernel_transition = transition(implementation = _to_kernel, inputs = [], outputs = [_PLATFORMS])
userland_transition = transition(implementation = _to_userland, inputs = [], outputs = [_PLATFORMS])

def _to_fortress(_settings, _attr):
    return {"//kernel:profile": "fortress"}

fortress_transition = transition(implementation = _to_fortress, inputs = [], outputs = ["//kernel:profile"])

def _to_performance(_settings, _attr):
    return {"//kernel:profile": "performance"}

performance_transition = transition(implementation = _to_performance, inputs = [], outputs = ["//kernel:profile"])

TRANSITION_ALLOWLIST = {
    "_allowlist_function_transition": attr.label(
        default = "@bazel_tools//tools/allowlists/function_transition_allowlist",
    ),
}

def _forward_impl(ctx):
    files = depset(transitive = [src[DefaultInfo].files for src in ctx.attr.srcs])
    runfiles = ctx.runfiles(transitive_files = files)
    for src in ctx.attr.srcs:
        runfiles = runfiles.merge(src[DefaultInfo].default_runfiles)
    return [DefaultInfo(files = files, runfiles = runfiles)]

def _forward_rule(platform_transition, doc):
    return rule(
        implementation = _forward_impl,
        doc = doc,
        attrs = dict(TRANSITION_ALLOWLIST, srcs = attr.label_list(mandatory = True, allow_files = True)),
        cfg = platform_transition,
    )

for_fortress = _forward_rule(fortress_transition, "The files of `srcs`, built with --//kernel:profile=fortress.")
for_performance = _forward_rule(performance_transition, "The files of `srcs`, built with --//kernel:profile=performance.")
for_kernel = _forward_rule(kernel_transition, "The files of `srcs`, built for the kernel platform.")
for_userland = _forward_rule(userland_transition, "The files of `srcs`, built for the userland platform.")
