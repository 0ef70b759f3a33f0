"""c_sources: the source files behind a linked program, so that a test can read them."""

_Sources = provider(
    doc = "Source files of a target and its deps.",
    fields = {
        "files": "depset of File: its srcs",
        "headers": "depset of File: its hdrs",
    },
)

def _given(ctx, attr):
    return [f for src in getattr(ctx.rule.attr, attr, []) for f in src.files.to_list() if f.is_source]

def _collect_impl(_target, ctx):
    deps = [dep[_Sources] for dep in getattr(ctx.rule.attr, "deps", []) if _Sources in dep]
    return [_Sources(
        files = depset(_given(ctx, "srcs"), transitive = [d.files for d in deps]),
        headers = depset(_given(ctx, "hdrs"), transitive = [d.headers for d in deps]),
    )]

_collect = aspect(implementation = _collect_impl, attr_aspects = ["deps"])

def _c_sources_impl(ctx):
    files = depset(transitive = [dep[_Sources].files for dep in ctx.attr.deps] + (
        [dep[_Sources].headers for dep in ctx.attr.deps] if ctx.attr.headers else []
    ))
    return [DefaultInfo(files = files, runfiles = ctx.runfiles(transitive_files = files))]

c_sources = rule(
    implementation = _c_sources_impl,
    doc = "The source files, none of them generated, of `deps` and all that these link.",
    attrs = {
        "deps": attr.label_list(mandatory = True, aspects = [_collect]),
        "headers": attr.bool(doc = "Their headers as well."),
    },
)
