"""The kernel's build rules: libraries, unit tests on the build host, and the boot file."""

load("//toolchains:link.bzl", "kernel_elf")

# What makes it kernel code, on any CPU. What a CPU asks for (registers, red zone) is in //toolchains/cc:config.bzl.
_FREESTANDING = [
    "-ffreestanding",
    "-fpie",
    "-fdirect-access-external-data",
    "-fvisibility=hidden",
    "-mno-omit-leaf-frame-pointer",
    "-fno-asynchronous-unwind-tables",
]

_LANGUAGE = [
    "-std=c23",
    "-fno-strict-aliasing",
    "-fno-delete-null-pointer-checks",
    "-fwrapv",
    "-fno-common",
]

_WARNINGS = [
    "-Wthread-safety",
    "-Wframe-larger-than=2048",
    "-Wvla",
    "-Wno-unused-command-line-argument",
]

# The fortress profile checks itself at run time; these are its kernel-only halves (kernel/debug has what they call). clang knows the
# address sanitiser for kernels, but its driver does not offer it for a bare machine. Access checks, and the shadow of local
# variables, are calls, so that the runtime alone knows where the shadow is.
FORTRESS_CHECKS = [
    "-DKERNEL_ASAN=1",
    "-DKERNEL_UBSAN=1",
    "-DKERNEL_CHECK_LISTS=1",
    "-fno-sanitize-trap=all",
    "-Wframe-larger-than=4096",
    "-Xclang",
    "-fsanitize=kernel-address",
    "-mllvm",
    "-asan-instrumentation-with-call-threshold=0",
    "-mllvm",
    "-asan-mapping-offset=0",
    "-mllvm",
    "-asan-max-inline-poisoning-size=0",
    "-mllvm",
    "-asan-stack=1",
    "-Xclang",
    "-fsanitize-address-use-after-scope",
    "-mllvm",
    "-asan-destructor-kind=none",
]

FORTRESS_FLAGS = [
    "-DKERNEL_FORTRESS=1",
    "-DKERNEL_LOCK_CHECK=1",
    "-fstack-protector-strong",
    "-ftrivial-auto-var-init=pattern",
    "-fsanitize=array-bounds,bool,builtin,enum,integer-divide-by-zero,nonnull-attribute,returns-nonnull-attribute,shift,unreachable,vla-bound",
    "-fsanitize-trap=all",
]

# The trade-off that --//kernel:profile= chooses: ARCHITECTURE.md, "Locks, memory order, profiles".
_PROFILE = select({
    "//kernel:profile_balanced": [
        "-fstack-protector-strong",
        "-ftrivial-auto-var-init=zero",
        "-fsanitize=array-bounds",
        "-fsanitize-trap=array-bounds",
    ],
    "//kernel:profile_fortress": FORTRESS_FLAGS,
    "//kernel:profile_performance": ["-DKERNEL_NO_ASSERT=1"],
})

# Link-time optimisation: functions of one folder are inlined into those of another. The kernel that checks itself does without, so that reports
# name the functions of the source.
_LTO = select({
    "//kernel:lto_kernel": ["-flto"],
    "//conditions:default": [],
}) + select({
    "//kernel:fortress_kernel": ["-fno-lto"],
    "//conditions:default": [],
})

_GUARD = select({
    "@platforms//os:none": ["-mstack-protector-guard=global"],
    "//conditions:default": [],
})

_CHECKS = select({
    "//kernel:fortress_kernel": FORTRESS_CHECKS,
    "//conditions:default": [],
})

# A CPU's inline half ("cpu/irqflags.h"): a port adds its line.
_ARCH_INCLUDE = select({
    "@platforms//cpu:x86_64": ["-iquotearch/x86_64/include"],
})

KERNEL_ONLY = ["@platforms//os:none"]

def kernel_copts(profile = True):
    """The flags of kernel code; without `profile`, those of code that runs before the kernel can check itself."""
    flags = _LANGUAGE + _WARNINGS + select({
        "@platforms//os:none": _FREESTANDING,
        "//conditions:default": [],
    }) + _ARCH_INCLUDE
    return flags + _PROFILE + _GUARD + _CHECKS + _LTO if profile else flags

def kernel_library(name, deps = [], copts = [], host_testable = False, early = False, layered = False, **kwargs):
    """A library of the kernel. Includes are written from the repository's root: "kernel/base/list.h", or "cpu/irqflags.h".

    Args:
      name: the target.
      deps: the libraries whose headers it may include.
      copts: further flags.
      host_testable: it builds for the build host as well, for unit tests there.
      layered: refuse headers of indirect dependencies as well (clang's strict module-map check). Headers that no dependency,
        direct or not, declares are always refused.
      early: code that runs before the stack protector and the checks can work.
      **kwargs: srcs, hdrs, visibility and the rest of cc_library.
    """
    native.cc_library(
        name = name,
        copts = kernel_copts(profile = not early) + copts,
        features = ["module_maps"] + (["layering_check"] if layered else []) + kwargs.pop("features", []),
        linkstatic = True,
        target_compatible_with = [] if host_testable else KERNEL_ONLY,
        deps = deps,
        **kwargs
    )

def host_test(name, srcs, deps = [], copts = [], size = "small", **kwargs):
    """A unit test of kernel code that runs on the build host, as a static program of our own musl."""
    native.cc_test(
        name = name,
        size = size,
        srcs = srcs,
        copts = _LANGUAGE + _ARCH_INCLUDE + copts,
        linkstatic = True,
        deps = deps + ["//third_party/musl:static"],
        **kwargs
    )

def kernel_image(name, deps, script, loader_deps, loader_script, flags = [], tags = [], visibility = None):
    """The boot file `name`.efi, and beside it `name`.elf (the kernel with symbols, for gdb) and `name`_loader.elf.

    Args:
      name: the boot file.
      deps: the kernel's libraries; every object of them is linked, since sections register themselves.
      script: the kernel's linker script.
      loader_deps: the libraries of the boot loader part.
      loader_script: its linker script.
      flags: further arguments of the kernel's link.
      tags: as usual.
      visibility: as usual.
    """
    kernel_elf(
        name = name + ".elf",
        flags = [
            "-pie",
            "--no-dynamic-linker",
            "--pack-dyn-relocs=relr",
            "-z",
            "text",
            "-z",
            "separate-code",
            # A stack frame that inlining made too large is a warning of the linker's.
            "--fatal-warnings",
        ] + flags,
        script = script,
        tags = tags,
        visibility = visibility,
        deps = deps,
    )
    kernel_elf(
        name = name + "_loader.elf",
        flags = [
            "-pie",
            "--no-dynamic-linker",
            "-z",
            "text",
        ],
        script = loader_script,
        tags = tags,
        visibility = visibility,
        deps = loader_deps,
    )
    native.genrule(
        name = name,
        srcs = [
            name + "_loader.elf",
            name + ".elf",
        ],
        outs = [name + ".efi"],
        cmd = "python3 $(location //tools/kimage:kimage.py) $(location {name}_loader.elf) $(location {name}.elf) $@".format(name = name),
        message = "Packing",
        tags = tags,
        tools = [
            "//tools/kimage",
            "//tools/kimage:kimage.py",
        ],
        visibility = visibility,
    )
