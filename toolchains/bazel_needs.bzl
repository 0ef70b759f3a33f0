"""What Bazel itself would fetch from the network without being asked."""

def _no_coverage_tools_impl(ctx):
    # Every test names Bazel's coverage tools as an input, though only `bazel coverage` runs them.
    ctx.file("WORKSPACE", "workspace(name = \"{}\")\n".format(ctx.name))
    ctx.file("BUILD.bazel", """
package(default_visibility = ["//visibility:public"])

[
    filegroup(
        name = name,
        srcs = ["unavailable.sh"],
    )
    for name in ["coverage_report_generator", "lcov_merger"]
]
""")
    ctx.file("unavailable.sh", """#!/bin/sh
echo "coverage is not set up in this workspace" >&2
exit 1
""", executable = True)

no_coverage_tools = repository_rule(
    implementation = _no_coverage_tools_impl,
    doc = "Stands in for @remote_coverage_tools: says that coverage is not set up, and fails.",
)

def _native_python_rules_impl(ctx):
    ctx.file("WORKSPACE", "workspace(name = \"{}\")\n".format(ctx.name))
    ctx.file("BUILD.bazel", "")
    ctx.file("python/BUILD.bazel", "exports_files([\"defs.bzl\"])\n")
    ctx.file("python/defs.bzl", """
py_binary = native.py_binary
py_library = native.py_library
py_test = native.py_test
""")

native_python_rules = repository_rule(
    implementation = _native_python_rules_impl,
    doc = "Stands in for @rules_python, whose rules Bazel 7's own BUILD files load: the ones that Bazel has built in.",
)
