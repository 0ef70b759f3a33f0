"""system_headers: a tree of headers that dependents include with <...>."""

def _system_headers_impl(ctx):
    root = ctx.label.workspace_root
    prefix = root + "/" if root else ""
    return [
        DefaultInfo(files = depset(ctx.files.hdrs)),
        CcInfo(compilation_context = cc_common.create_compilation_context(
            headers = depset(ctx.files.hdrs),
            system_includes = depset([prefix + folder for folder in ctx.attr.includes]),
        )),
    ]

system_headers = rule(
    implementation = _system_headers_impl,
    doc = "Headers below the folders `includes` of this repository, searched with -isystem.",
    attrs = {
        "hdrs": attr.label_list(allow_files = True, mandatory = True),
        "includes": attr.string_list(mandatory = True),
    },
    provides = [CcInfo],
)
