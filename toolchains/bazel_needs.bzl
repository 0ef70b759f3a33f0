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
