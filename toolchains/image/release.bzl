"""release: the files of a release in one folder, with SHA256SUMS and the SPDX list of every pinned part."""

load(":initramfs.bzl", "IMAGE_MTIME")
load(":python.bzl", "run_python")

def _release_impl(ctx):
    folder = ctx.label.name + "/"
    pairs, inputs, outputs = [], [], []
    for target, name in ctx.attr.files.items():
        source = target.files.to_list()[0]
        output = ctx.actions.declare_file(folder + name)
        ctx.actions.symlink(output = output, target_file = source)
        outputs.append(output)
        inputs.append(source)
        pairs.append(name + "=" + source.path)
    sums = ctx.actions.declare_file(folder + "SHA256SUMS")
    spdx = ctx.actions.declare_file(folder + ctx.attr.spdx)
    run_python(
        ctx,
        tool = ctx.file._tool,
        arguments = [
            "--lock=" + ctx.file._lock.path,
            "--licenses=" + ctx.file._licenses.path,
            "--time=" + str(IMAGE_MTIME),
            "--sums=" + sums.path,
            "--spdx=" + spdx.path,
        ] + pairs,
        inputs = depset(inputs + [ctx.file._lock, ctx.file._licenses]),
        outputs = [sums, spdx],
        mnemonic = "Release",
    )
    files = outputs + [sums, spdx]
    return [DefaultInfo(files = depset(files), runfiles = ctx.runfiles(files = files))]

release = rule(
    implementation = _release_impl,
    doc = "Gathers `files` (label to file name) in the folder NAME/.",
    attrs = {
        "files": attr.label_keyed_string_dict(mandatory = True, allow_files = True),
        "spdx": attr.string(mandatory = True, doc = "File name of the SPDX list."),
        "_licenses": attr.label(default = "//third_party:debian_licenses.json", allow_single_file = True),
        "_lock": attr.label(default = "//third_party:lock.bzl", allow_single_file = True),
        "_tool": attr.label(default = "//toolchains/image:release_tool.py", allow_single_file = True),
    },
)
