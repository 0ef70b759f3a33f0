"""initramfs: a newc cpio archive of a rootfs description, plain or compressed with zstd."""

load(":python.bzl", "run_python")
load(":rootfs.bzl", "RootfsInfo", "write_description")

# The time of every file in an image: 2025-01-01 00:00 UTC. Not zero: OpenRC takes times of 1970 for a skewed clock.
IMAGE_MTIME = 1735689600

# Fixed level and one thread: the bytes depend on the input and the version of zstd alone.
_ZSTD_OPTIONS = ["-19", "--single-thread", "--no-progress", "--quiet", "--force"]

def _initramfs_impl(ctx):
    info = ctx.attr.rootfs[RootfsInfo]
    description = ctx.actions.declare_file(ctx.label.name + ".description")
    write_description(ctx, info, description)
    plain = ctx.actions.declare_file(ctx.label.name + (".cpio.plain" if ctx.attr.compress == "zstd" else ".cpio"))
    listing = ctx.actions.declare_file(ctx.label.name + ".list")
    run_python(
        ctx,
        tool = ctx.file._rootfs_tool,
        arguments = [
            "--description=" + description.path,
            "--cpio=" + plain.path,
            "--listing=" + listing.path,
            "--mtime=" + str(IMAGE_MTIME),
        ],
        inputs = depset([description], transitive = [info.files]),
        outputs = [plain, listing],
        mnemonic = "Initramfs",
    )
    result = plain
    if ctx.attr.compress == "zstd":
        result = ctx.actions.declare_file(ctx.label.name + ".cpio.zst")
        ctx.actions.run(
            executable = ctx.file._zstd,
            arguments = _ZSTD_OPTIONS + ["-o", result.path, plain.path],
            inputs = depset([plain], transitive = [ctx.attr._zstd_files.files]),
            outputs = [result],
            mnemonic = "Zstd",
        )
    return [
        DefaultInfo(files = depset([result]), runfiles = ctx.runfiles([result])),
        OutputGroupInfo(listing = depset([listing])),
    ]

initramfs = rule(
    implementation = _initramfs_impl,
    doc = "The archive; output group `listing` is a text list of what it holds.",
    attrs = {
        "compress": attr.string(default = "zstd", values = ["none", "zstd"]),
        "rootfs": attr.label(mandatory = True, providers = [RootfsInfo]),
        "_rootfs_tool": attr.label(default = "//toolchains/image:rootfs_tool.py", allow_single_file = True),
        "_zstd": attr.label(default = "@image_tools//:bin/zstd", allow_single_file = True),
        "_zstd_files": attr.label(default = "@image_tools//:zstd"),
    },
)
