"""clang_toolchain: one toolchain for one platform flavour and CPU."""

load(":config.bzl", "clang_toolchain_config")

_RESOURCE_DIR = "usr/lib/llvm-19/lib/clang/19"

def clang_toolchain(name, flavour, cpu, triple, target_compatible_with):
    """Declares the cc_toolchain `name` and its registration target `name`_toolchain.

    Args:
      name: e.g. linux_x86_64.
      flavour: "none" (freestanding) or "linux".
      cpu: "x86_64" or "aarch64".
      triple: clang's name of the target.
      target_compatible_with: the constraints of the platforms that it builds for.
    """
    clang_toolchain_config(
        name = name + "_config",
        ar = "@llvm//:bin/llvm-ar",
        builtins = _RESOURCE_DIR + "/lib/linux/libclang_rt.builtins-" + cpu + ".a",
        clang = "@llvm//:bin/clang",
        cpu = cpu,
        flavour = flavour,
        lld = "@llvm//:bin/ld.lld",
        resource_dir = _RESOURCE_DIR,
        strip = "@llvm//:bin/llvm-strip",
        triple = triple,
    )
    native.filegroup(
        name = name + "_compiler",
        srcs = [
            "@llvm//:clang",
            "@llvm//:resource_headers",
        ],
    )
    native.filegroup(
        name = name + "_linker",
        srcs = [
            "@llvm//:builtins_" + cpu,
            "@llvm//:clang",
            "@llvm//:ld.lld",
        ],
    )
    native.filegroup(
        name = name + "_all",
        srcs = [
            name + "_compiler",
            name + "_linker",
            "@llvm//:llvm-ar",
            "@llvm//:llvm-objcopy",
            "@llvm//:llvm-strip",
        ],
    )
    native.cc_toolchain(
        name = name,
        all_files = name + "_all",
        ar_files = "@llvm//:llvm-ar",
        as_files = name + "_compiler",
        compiler_files = name + "_compiler",
        dwp_files = name + "_all",
        linker_files = name + "_linker",
        module_map = "@llvm//:freestanding.modulemap" if flavour == "none" else None,
        objcopy_files = "@llvm//:llvm-objcopy",
        strip_files = "@llvm//:llvm-strip",
        supports_param_files = 1,
        toolchain_config = name + "_config",
    )
    native.toolchain(
        name = name + "_toolchain",
        exec_compatible_with = [
            "@platforms//cpu:x86_64",
            "@platforms//os:linux",
        ],
        target_compatible_with = target_compatible_with,
        toolchain = name,
        toolchain_type = "@bazel_tools//tools/cpp:toolchain_type",
    )
