"""grub_esp: an EFI system partition with GRUB and a kernel beside it, booted by GRUB's `linux` and `initrd` commands."""

load(":disk.bzl", "FALLBACK_LOADER", "esp", "gpt_disk")

_CONFIG = """\
serial --unit=0 --speed=115200
terminal_input serial
terminal_output serial
search --no-floppy --file --set=root {kernel}
echo GRUB starts {kernel}
linux {kernel} {cmdline}
initrd {initramfs}
boot
"""

_MODULES = ["boot", "echo", "fat", "linux", "normal", "part_gpt", "search", "search_fs_file", "serial", "terminal"]

_KERNEL_PATH = "/kernel"
_INITRAMFS_PATH = "/initramfs"

def _grub_efi_impl(ctx):
    config = ctx.actions.declare_file(ctx.label.name + ".cfg")
    ctx.actions.write(config, _CONFIG.format(
        cmdline = ctx.attr.cmdline,
        initramfs = _INITRAMFS_PATH,
        kernel = _KERNEL_PATH,
    ))
    output = ctx.actions.declare_file(ctx.label.name + ".efi")
    ctx.actions.run(
        executable = ctx.file._mkimage,
        arguments = [
            "--format=x86_64-efi",
            "--directory=" + ctx.file._modules_anchor.dirname,
            "--prefix=/grub",
            "--config=" + config.path,
            "--output=" + output.path,
        ] + _MODULES,
        inputs = depset([config], transitive = [ctx.attr._mkimage_files.files, ctx.attr._modules.files]),
        outputs = [output],
        mnemonic = "GrubImage",
    )
    return [DefaultInfo(files = depset([output]), runfiles = ctx.runfiles(files = [output]))]

grub_efi = rule(
    implementation = _grub_efi_impl,
    doc = "GRUB as one EFI application that boots /kernel and /initramfs of its partition with `cmdline`.",
    attrs = {
        "cmdline": attr.string(mandatory = True),
        "_mkimage": attr.label(default = "@grub//:bin/grub-mkimage", allow_single_file = True),
        "_mkimage_files": attr.label(default = "@grub//:grub-mkimage"),
        "_modules": attr.label(default = "@grub//:modules"),
        "_modules_anchor": attr.label(default = "@grub//:usr/lib/grub/x86_64-efi/kernel.img", allow_single_file = True),
    },
)

def grub_disk(name, kernel, initramfs, cmdline, **kwargs):
    """A UEFI disk on which GRUB boots a kernel by the Linux boot protocol.

    Args:
      name: the target's name.
      kernel: the kernel file.
      initramfs: the initramfs target.
      cmdline: the kernel's command line.
      **kwargs: testonly, visibility, tags.
    """
    grub_efi(name = name + "_grub", cmdline = cmdline, **kwargs)
    esp(
        name = name + "_esp",
        files = {
            ":" + name + "_grub": FALLBACK_LOADER,
            initramfs: _INITRAMFS_PATH,
            kernel: _KERNEL_PATH,
        },
        **kwargs
    )
    gpt_disk(name = name, esp = ":" + name + "_esp", **kwargs)
