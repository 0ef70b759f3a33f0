"""Every outside repository, one paragraph each. The bytes are pinned in lock.bzl."""

load("//third_party:boot.bzl", "boot_repositories")
load("//third_party/llvm:module_map.bzl", "FREESTANDING_MODULE_MAP")
load("//third_party:userland.bzl", "userland_repositories")
load("//toolchains:archives.bzl", "debian_archive", "upstream_archive")
load("//toolchains:bazel_needs.bzl", "native_python_rules", "no_coverage_tools")

def kevlar_repositories():
    """Declares the repositories; each is fetched only when a target needs it."""
    _bazel_own_needs()
    _toolchain()
    boot_repositories()
    userland_repositories()

def _bazel_own_needs():
    # Bazel's built-in WORKSPACE would reach for these over the network; Debian packages the same rules.
    debian_archive(
        name = "rules_cc",
        patches = ["//third_party/rules_cc:bazel-4.patch"],
        remove = ["usr"],
        strip_prefix = "usr/share/bazel/rules/cc",
    )
    debian_archive(
        name = "bazel_skylib",
        remove = ["usr"],
        strip_prefix = "usr/share/bazel/tools/skylib",
    )
    debian_archive(
        name = "rules_java",
        remove = ["usr"],
        strip_prefix = "usr/share/bazel/rules/java",
    )

    native_python_rules(name = "rules_python")
    no_coverage_tools(name = "remote_coverage_tools")

def _toolchain():
    debian_archive(
        name = "llvm",
        build_file = "//third_party/llvm:BUILD.llvm.bazel",
        extra_files = {"freestanding.modulemap": FREESTANDING_MODULE_MAP},
        tools = {tool: "usr/lib/llvm-19/bin/" + tool for tool in [
            "clang",
            "ld.lld",
            "llvm-ar",
            "llvm-nm",
            "llvm-objcopy",
            "llvm-profdata",
            "llvm-ranlib",
            "llvm-readelf",
            "llvm-strip",
        ]},
    )
    upstream_archive(
        name = "musl",
        build_file = "//third_party/musl:BUILD.musl.bazel",
    )
    debian_archive(
        name = "linux_headers",
        build_file = "//third_party/linux_headers:BUILD.linux_headers.bazel",
    )
