"""Bootable images: a unified kernel image, an EFI system partition around it, and a GPT disk around that.

The conventions are those of the UAPI group, which bootctl, systemd-boot and others read: the unified kernel image (UKI) is
systemd's stub with the kernel, initramfs and command line as sections; it lies in the EFI system partition at the
path that firmware starts by itself. Any kernel that Linux's EFI protocol describes fits; swapping it is swapping one file."""

load(":initramfs.bzl", "IMAGE_MTIME")
load(":python.bzl", "run_python")

ESP_TYPE = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
FALLBACK_LOADER = "/EFI/BOOT/BOOTX64.EFI"

def _uki_impl(ctx):
    cmdline = ctx.actions.declare_file(ctx.label.name + ".cmdline")
    ctx.actions.write(cmdline, ctx.attr.cmdline)

    # No .osrel: systemd's stub would hand it to the kernel as one more file of the initramfs, and the guest would see a
    # root file system that no description holds.
    sections = [
        (".cmdline", cmdline),
        (".initrd", ctx.file.initramfs),
        (".linux", ctx.file.kernel),
    ]
    output = ctx.actions.declare_file(ctx.label.name + ".efi")
    args = ctx.actions.args()
    for name, content in sections:
        args.add_all(["--add-section", "{}={}".format(name, content.path)])
        args.add_all(["--set-section-flags", name + "=data,readonly"])
    args.add(ctx.file._stub)
    args.add(output)
    ctx.actions.run(
        executable = ctx.file._objcopy,
        arguments = [args],
        inputs = depset([content for _, content in sections] + [ctx.file._stub], transitive = [ctx.attr._objcopy_files.files]),
        outputs = [output],
        mnemonic = "UnifiedKernelImage",
    )
    return [DefaultInfo(files = depset([output]), runfiles = ctx.runfiles(files = [output]))]

uki = rule(
    implementation = _uki_impl,
    doc = "A unified kernel image: one EFI application that starts `kernel` with `initramfs` and `cmdline`.",
    attrs = {
        "cmdline": attr.string(mandatory = True),
        "initramfs": attr.label(mandatory = True, allow_single_file = True),
        "kernel": attr.label(mandatory = True, allow_single_file = True, doc = "An EFI application that follows Linux's boot protocol."),
        "_objcopy": attr.label(default = "@llvm//:bin/llvm-objcopy", allow_single_file = True),
        "_objcopy_files": attr.label(default = "@llvm//:llvm-objcopy"),
        "_stub": attr.label(default = "@systemd_boot//:usr/lib/systemd/boot/efi/linuxx64.efi.stub", allow_single_file = True),
    },
)

def _esp_impl(ctx):
    output = ctx.actions.declare_file(ctx.label.name + ".img")
    arguments = [
        "esp",
        "--output=" + output.path,
        "--mkfs=" + ctx.file._mkfs.path,
        "--mtools=" + ctx.file._mtools.path,
        "--mtime=" + str(IMAGE_MTIME),
    ]
    sources = []
    for target, dest in ctx.attr.files.items():
        source = target.files.to_list()[0]
        sources.append(source)
        arguments.append("--file={}:{}".format(source.path, dest))
    run_python(
        ctx,
        tool = ctx.file._disk_tool,
        arguments = arguments,
        inputs = depset(sources),
        outputs = [output],
        tools = [ctx.attr._mkfs_files.files, ctx.attr._mtools_files.files],
        mnemonic = "EfiSystemPartition",
    )
    return [DefaultInfo(files = depset([output]), runfiles = ctx.runfiles(files = [output]))]

esp = rule(
    implementation = _esp_impl,
    doc = "An EFI system partition: FAT32, as large as its files ask for.",
    attrs = {
        "files": attr.label_keyed_string_dict(mandatory = True, allow_files = True, doc = "File to its path in the partition."),
        "_disk_tool": attr.label(default = "//toolchains/image:disk_tool.py", allow_single_file = True),
        "_mkfs": attr.label(default = "@image_tools//:bin/mkfs.fat", allow_single_file = True),
        "_mkfs_files": attr.label(default = "@image_tools//:mkfs.fat"),
        "_mtools": attr.label(default = "@image_tools//:bin/mtools", allow_single_file = True),
        "_mtools_files": attr.label(default = "@image_tools//:mtools"),
    },
)

def _gpt_disk_impl(ctx):
    output = ctx.actions.declare_file(ctx.label.name + ".img")
    run_python(
        ctx,
        tool = ctx.file._disk_tool,
        arguments = [
            "gpt",
            "--output=" + output.path,
            "--sgdisk=" + ctx.file._sgdisk.path,
            "--disk-guid=" + ctx.attr.disk_guid,
            "--partition={}:{}:esp:{}".format(ctx.attr.esp_guid, ESP_TYPE, ctx.file.esp.path),
        ],
        inputs = depset([ctx.file.esp]),
        outputs = [output],
        tools = [ctx.attr._sgdisk_files.files],
        mnemonic = "GptDisk",
    )
    return [DefaultInfo(files = depset([output]), runfiles = ctx.runfiles(files = [output]))]

gpt_disk = rule(
    implementation = _gpt_disk_impl,
    doc = "A disk image: a GPT with an EFI system partition. GUIDs are fixed, so that two builds are equal.",
    attrs = {
        "disk_guid": attr.string(default = "4b45564c-4152-4449-534b-000000000001"),
        "esp": attr.label(mandatory = True, allow_single_file = True),
        "esp_guid": attr.string(default = "4b45564c-4152-4553-5030-000000000001"),
        "_disk_tool": attr.label(default = "//toolchains/image:disk_tool.py", allow_single_file = True),
        "_sgdisk": attr.label(default = "@image_tools//:bin/sgdisk", allow_single_file = True),
        "_sgdisk_files": attr.label(default = "@image_tools//:sgdisk"),
    },
)

def uefi_disk(name, kernel, initramfs, cmdline, visibility = None):
    """A UEFI disk image that boots one kernel: NAME, with NAME_uki and NAME_esp on the way.

    Args:
      name: the target's name.
      kernel: the kernel file.
      initramfs: the initramfs target.
      cmdline: the kernel's command line.
      visibility: as usual.
    """
    uki(name = name + "_uki", kernel = kernel, initramfs = initramfs, cmdline = cmdline, visibility = visibility)
    esp(name = name + "_esp", files = {":" + name + "_uki": FALLBACK_LOADER}, visibility = visibility)
    gpt_disk(name = name, esp = ":" + name + "_esp", visibility = visibility)
