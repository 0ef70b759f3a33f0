"""Outside repositories of images, QEMU and the boot tests. The bytes are pinned in lock.bzl."""

load("//toolchains:archives.bzl", "debian_archive")

# The one character set that FAT's tools convert to and from. Debian's own file for it lies in gconv-modules.d, where glibc passes over
# links, and in a sandbox every file is one.
_CODE_PAGE_850 = """\
alias CP850// IBM850//
module IBM850// INTERNAL IBM850 1
module INTERNAL IBM850// IBM850 1
"""

def boot_repositories():
    """Declares them; each is fetched only when a target needs it."""
    debian_archive(
        name = "qemu",
        build_file = "//third_party/qemu:BUILD.qemu.bazel",
        tools = {"qemu-system-x86_64": "usr/bin/qemu-system-x86_64"},
    )
    debian_archive(
        name = "ovmf",
        build_file = "//third_party/ovmf:BUILD.ovmf.bazel",
    )
    debian_archive(
        name = "linux_image",
        build_file = "//third_party/linux_image:BUILD.linux_image.bazel",
    )
    debian_archive(
        name = "systemd_boot",
        build_file = "//third_party/systemd_boot:BUILD.systemd_boot.bazel",
    )
    debian_archive(
        name = "image_tools",
        build_file = "//third_party/image_tools:BUILD.image_tools.bazel",
        extra_files = {
            "usr/lib/x86_64-linux-gnu/gconv/gconv-modules": _CODE_PAGE_850,
        },
        tools = {
            "fsck.fat": "sbin/fsck.fat",
            "mkfs.fat": "sbin/mkfs.fat",
            "mtools": "usr/bin/mtools",
            "sgdisk": "sbin/sgdisk",
            "zstd": "usr/bin/zstd",
        },
    )
    debian_archive(
        name = "grub",
        build_file = "//third_party/grub:BUILD.grub.bazel",
        tools = {"grub-mkimage": "usr/bin/grub-mkimage"},
    )
    debian_archive(
        name = "nginx",
        build_file = "//third_party/nginx:BUILD.nginx.bazel",
        tools = {"nginx": "usr/sbin/nginx"},
    )
