"""Outside repositories of the userland, beside its C library. The bytes are pinned in lock.bzl."""

load("//toolchains:archives.bzl", "debian_archive", "upstream_archive")

def userland_repositories():
    """Declares them; each is fetched only when a target needs it."""
    upstream_archive(
        name = "busybox",
        build_file = "//third_party/busybox:BUILD.busybox.bazel",
    )
    debian_archive(
        name = "debian",
        build_file = "//third_party/debian:BUILD.packages.bazel",
        unpack = "tar",
    )
    debian_archive(
        name = "glibc_dev",
        build_file = "//third_party/glibc_dev:BUILD.glibc_dev.bazel",
    )
    debian_archive(
        name = "glibc_tools",
        sets = ["glibc_tools"],
        build_file = "//third_party/glibc_tools:BUILD.debian.bazel",
    )
    debian_archive(
        name = "openrc_debian",
        sets = ["openrc"],
        build_file = "//third_party/openrc:BUILD.openrc_debian.bazel",
    )
    upstream_archive(
        name = "openrc_source",
        build_file = "//third_party/openrc:BUILD.openrc_source.bazel",
    )
