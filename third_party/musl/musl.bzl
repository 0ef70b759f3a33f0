"""How musl's own tree maps to targets: which sources a CPU has, its public headers, and how programs link with it."""

def musl_sources(arch, folders):
    """The sources of `folders` (patterns), with a CPU's own version of a file in place of the portable one."""
    own = native.glob([
        "{}/{}/*.{}".format(folder, arch, suffix)
        for folder in folders
        for suffix in ["c", "s", "S"]
    ], allow_empty = True)
    replaced = [path.replace("/" + arch + "/", "/").rpartition(".")[0] + ".c" for path in own]
    return own + native.glob([folder + "/*.c" for folder in folders], exclude = replaced)

def _musl_headers_impl(ctx):
    # One folder with every public header, the way `make install-headers` lays it out: what `headers` names first wins.
    outputs = {}
    for header in ctx.files.headers:
        path = header.short_path.partition("/include/")[2]
        if not path:
            path = "bits/" + header.basename
        if path not in outputs:
            output = ctx.actions.declare_file("sysroot/include/" + path)
            ctx.actions.symlink(output = output, target_file = header)
            outputs[path] = output
    headers = depset(outputs.values())
    root = "/".join([part for part in [ctx.bin_dir.path, ctx.label.workspace_root, ctx.label.package] if part])
    return [
        DefaultInfo(files = headers),
        CcInfo(compilation_context = cc_common.create_compilation_context(
            headers = headers,
            system_includes = depset([root + "/sysroot/include"]),
        )),
    ]

musl_headers = rule(
    implementation = _musl_headers_impl,
    attrs = {"headers": attr.label_list(allow_files = True, mandatory = True)},
    provides = [CcInfo],
)

def _libc_impl(ctx):
    files = ([ctx.file.start] if ctx.file.start else []) + [ctx.file.library] + ctx.files.others
    linker_input = cc_common.create_linker_input(
        owner = ctx.label,
        user_link_flags = depset(ctx.attr.linkopts + [f.path for f in files]),
        additional_inputs = depset(files),
    )
    return [
        DefaultInfo(files = depset(files)),
        CcInfo(
            compilation_context = ctx.attr.headers[CcInfo].compilation_context,
            linking_context = cc_common.create_linking_context(linker_inputs = depset([linker_input])),
        ),
    ]

libc = rule(
    implementation = _libc_impl,
    doc = "A C library as a dependency: its headers, the start file of programs, the library and how to link them.",
    attrs = {
        "headers": attr.label(providers = [CcInfo], mandatory = True),
        "library": attr.label(allow_single_file = True, mandatory = True),
        "linkopts": attr.string_list(),
        "others": attr.label_list(allow_files = True, doc = "What is linked behind the library."),
        "start": attr.label(allow_single_file = True),
    },
    provides = [CcInfo],
)
