"""The clang toolchain's features: every flag that a compile or link command carries is written here.

There are two flavours. `none` builds the kernel: freestanding code for a bare CPU. `linux` builds programs; it brings no C
library of its own: //third_party/musl is an ordinary dependency (headers, start files, libc), see //toolchains:userland.bzl.
That is why musl itself needs no special toolchain, and why no compile can see a header that it did not ask for.
"""

load("@bazel_tools//tools/build_defs/cc:action_names.bzl", "ACTION_NAMES")
load(
    "@bazel_tools//tools/cpp:cc_toolchain_config_lib.bzl",
    "action_config",
    "feature",
    "flag_group",
    "flag_set",
    "tool",
    "variable_with_value",
    "with_feature_set",
)

_COMPILE = [
    ACTION_NAMES.c_compile,
    ACTION_NAMES.cpp_compile,
    ACTION_NAMES.preprocess_assemble,
    ACTION_NAMES.assemble,
]

_C = [
    ACTION_NAMES.c_compile,
    ACTION_NAMES.cpp_compile,
]

_LINK = [
    ACTION_NAMES.cpp_link_executable,
    ACTION_NAMES.cpp_link_dynamic_library,
    ACTION_NAMES.cpp_link_nodeps_dynamic_library,
]

_LINK_SHARED = [
    ACTION_NAMES.cpp_link_dynamic_library,
    ACTION_NAMES.cpp_link_nodeps_dynamic_library,
]

_ARCHIVE = [ACTION_NAMES.cpp_link_static_library]

# What the CPU asks of kernel code: no vector registers, no red zone under the stack pointer (interrupts land there).
_KERNEL_CPU_FLAGS = {
    "x86_64": [
        "-mgeneral-regs-only",
        "-mno-red-zone",
        "-fcf-protection=none",
    ],
    "aarch64": ["-mgeneral-regs-only"],
}

def _feature(name, actions, flags = [], groups = None, enabled = True, **kwargs):
    return feature(
        name = name,
        enabled = enabled,
        flag_sets = [flag_set(
            actions = actions,
            flag_groups = groups or [flag_group(flags = flags)],
        )] if groups or flags else [],
        **kwargs
    )

def _per_item(variable, flag):
    return flag_group(
        flags = [flag.replace("$", "%{" + variable + "}")],
        iterate_over = variable,
        expand_if_available = variable,
    )

def _base_compile_flags(ctx):
    """Flags of every compile: target, and what keeps the output the same on every machine and in every folder."""
    flags = [
        "--target=" + ctx.attr.triple,
        "-no-canonical-prefixes",
        "-resource-dir=" + ctx.file.clang.owner.workspace_root + "/" + ctx.attr.resource_dir,
        "-nostdlibinc",
        "-ffile-compilation-dir=.",
        "-fno-ident",
        "-Wno-builtin-macro-redefined",
        "-D__DATE__=\"redacted\"",
        "-D__TIME__=\"redacted\"",
        "-D__TIMESTAMP__=\"redacted\"",
        "-g",
        "-fno-omit-frame-pointer",
        "-ffunction-sections",
        "-fdata-sections",
    ]
    if ctx.attr.flavour == "none":
        return flags + _KERNEL_CPU_FLAGS[ctx.attr.cpu]
    return flags + ["-fPIC"]

def _compile_features(ctx):
    return [
        _feature("base_compile_flags", _COMPILE, _base_compile_flags(ctx)),
        feature(
            name = "optimisation",
            enabled = True,
            flag_sets = [
                flag_set(
                    actions = _C,
                    flag_groups = [flag_group(flags = ["-Og"])],
                    with_features = [with_feature_set(features = ["dbg"])],
                ),
                flag_set(
                    actions = _C,
                    flag_groups = [flag_group(flags = ["-O2"])],
                    with_features = [with_feature_set(not_features = ["dbg"])],
                ),
            ],
        ),
        # Our own code compiles without a warning; other people's code is compiled in silence (`third_party`).
        feature(
            name = "warnings",
            enabled = True,
            flag_sets = [flag_set(
                actions = _C,
                flag_groups = [flag_group(flags = ["-Wall", "-Wextra", "-Werror"])],
                with_features = [with_feature_set(not_features = ["third_party"])],
            )],
        ),
        _feature("third_party", _COMPILE, ["-w"], enabled = False),
        _feature("preprocessor_defines", _COMPILE, groups = [_per_item("preprocessor_defines", "-D$")]),
        _feature("includes", _COMPILE, groups = [flag_group(
            flags = ["-include", "%{includes}"],
            iterate_over = "includes",
            expand_if_available = "includes",
        )]),
        _feature("include_paths", _COMPILE, groups = [
            flag_group(
                flags = ["-iquote", "%{quote_include_paths}"],
                iterate_over = "quote_include_paths",
            ),
            flag_group(
                flags = ["-I%{include_paths}"],
                iterate_over = "include_paths",
            ),
            flag_group(
                flags = ["-isystem", "%{system_include_paths}"],
                iterate_over = "system_include_paths",
            ),
        ]),
        _feature("legacy_compile_flags", _COMPILE, groups = [_per_item("legacy_compile_flags", "$")]),
        _feature("user_compile_flags", _COMPILE, groups = [_per_item("user_compile_flags", "$")]),
        _feature("dependency_file", _C + [ACTION_NAMES.preprocess_assemble], groups = [flag_group(
            flags = ["-MD", "-MF", "%{dependency_file}"],
            expand_if_available = "dependency_file",
        )]),
        _feature("compiler_input_flags", _COMPILE, groups = [flag_group(
            flags = ["-c", "%{source_file}"],
            expand_if_available = "source_file",
        )]),
        _feature("compiler_output_flags", _COMPILE, groups = [flag_group(
            flags = ["-o", "%{output_file}"],
            expand_if_available = "output_file",
        )]),
    ]

def _library_group(kind, flag):
    return flag_group(
        flags = [flag],
        expand_if_equal = variable_with_value(name = "libraries_to_link.type", value = kind),
    )

def _link_features(ctx):
    libraries = flag_group(
        iterate_over = "libraries_to_link",
        expand_if_available = "libraries_to_link",
        flag_groups = [
            flag_group(
                flags = ["-Wl,--start-lib"],
                expand_if_equal = variable_with_value(name = "libraries_to_link.type", value = "object_file_group"),
            ),
            flag_group(flags = ["-Wl,-whole-archive"], expand_if_true = "libraries_to_link.is_whole_archive"),
            flag_group(
                flags = ["%{libraries_to_link.object_files}"],
                iterate_over = "libraries_to_link.object_files",
                expand_if_equal = variable_with_value(name = "libraries_to_link.type", value = "object_file_group"),
            ),
            _library_group("object_file", "%{libraries_to_link.name}"),
            _library_group("interface_library", "%{libraries_to_link.name}"),
            _library_group("static_library", "%{libraries_to_link.name}"),
            _library_group("dynamic_library", "-l%{libraries_to_link.name}"),
            _library_group("versioned_dynamic_library", "-l:%{libraries_to_link.name}"),
            flag_group(flags = ["-Wl,-no-whole-archive"], expand_if_true = "libraries_to_link.is_whole_archive"),
            flag_group(
                flags = ["-Wl,--end-lib"],
                expand_if_equal = variable_with_value(name = "libraries_to_link.type", value = "object_file_group"),
            ),
        ],
    )
    workspace_root = ctx.file.clang.owner.workspace_root
    return [
        _feature("base_link_flags", _LINK, [
            "--target=" + ctx.attr.triple,
            "-no-canonical-prefixes",
            "--ld-path=" + ctx.file.lld.path,
            "-nostdlib",
            "-Wl,--build-id=none",
            "-Wl,--gc-sections",
            "-Wl,-z,relro,-z,now,-z,noexecstack",
        ]),
        _feature("shared_flag", _LINK_SHARED, ["-shared"]),
        _feature("output_execpath_flags", _LINK, groups = [flag_group(
            flags = ["-o", "%{output_execpath}"],
            expand_if_available = "output_execpath",
        )]),
        _feature("library_search_directories", _LINK, groups = [_per_item("library_search_directories", "-L$")]),
        _feature("libraries_to_link", _LINK, groups = [libraries]),
        _feature("user_link_flags", _LINK, groups = [_per_item("user_link_flags", "$")]),
        # The compiler's own helper routines come last: anything above may need them, they need nothing.
        _feature("builtins", _LINK, [workspace_root + "/" + ctx.attr.builtins]),
        _feature("strip_debug_symbols", _LINK, groups = [flag_group(
            flags = ["-Wl,-S"],
            expand_if_available = "strip_debug_symbols",
        )]),
        _feature("linker_param_file", _LINK + _ARCHIVE, groups = [flag_group(
            flags = ["@%{linker_param_file}"],
            expand_if_available = "linker_param_file",
        )]),
        # D: no timestamps, owners or modes in archives.
        _feature("archiver_flags", _ARCHIVE, groups = [
            flag_group(flags = ["rcsD"]),
            flag_group(flags = ["%{output_execpath}"], expand_if_available = "output_execpath"),
            flag_group(
                iterate_over = "libraries_to_link",
                expand_if_available = "libraries_to_link",
                flag_groups = [
                    _library_group("object_file", "%{libraries_to_link.name}"),
                    flag_group(
                        flags = ["%{libraries_to_link.object_files}"],
                        iterate_over = "libraries_to_link.object_files",
                        expand_if_equal = variable_with_value(
                            name = "libraries_to_link.type",
                            value = "object_file_group",
                        ),
                    ),
                ],
            ),
        ]),
        _feature("stripping", [ACTION_NAMES.strip], groups = [
            flag_group(flags = ["-S", "-o", "%{output_file}"]),
            flag_group(flags = ["%{input_file}"]),
        ]),
    ]

def _module_map_features():
    # layering_check: a file may include only headers of the packages its BUILD file names in `deps`, and clang's own.
    return [
        feature(name = "module_maps"),
        _feature("use_module_maps", _C, groups = [
            flag_group(flags = ["-fmodule-name=%{module_name}"], expand_if_available = "module_name"),
            flag_group(flags = ["-fmodule-map-file=%{module_map_file}"], expand_if_available = "module_map_file"),
        ], enabled = False),
        feature(
            name = "layering_check",
            implies = ["use_module_maps", "module_maps"],
            flag_sets = [flag_set(
                actions = _C,
                flag_groups = [
                    flag_group(flags = ["-fmodules-strict-decluse", "-Wprivate-header"]),
                    flag_group(
                        flags = ["-fmodule-map-file=%{dependent_module_map_files}"],
                        iterate_over = "dependent_module_map_files",
                    ),
                ],
            )],
        ),
    ]

def _config_impl(ctx):
    tools = {
        ctx.file.clang: _COMPILE + _LINK,
        ctx.file.ar: _ARCHIVE,
        ctx.file.strip: [ACTION_NAMES.strip],
    }
    actions = [
        action_config(action_name = action, enabled = True, tools = [tool(tool = program)])
        for program, names in tools.items()
        for action in names
    ]
    return cc_common.create_cc_toolchain_config_info(
        ctx = ctx,
        toolchain_identifier = "clang_{}_{}".format(ctx.attr.flavour, ctx.attr.cpu),
        host_system_name = "local",
        target_system_name = ctx.attr.triple,
        target_cpu = ctx.attr.cpu,
        target_libc = "musl" if ctx.attr.flavour == "linux" else "none",
        compiler = "clang",
        abi_version = "local",
        abi_libc_version = "local",
        action_configs = actions,
        cxx_builtin_include_directories = [
            ctx.file.clang.owner.workspace_root + "/" + ctx.attr.resource_dir + "/include",
        ],
        features = [
            feature(name = "no_legacy_features"),
            feature(name = "opt"),
            feature(name = "dbg"),
            feature(name = "fastbuild"),
            feature(name = "static_linking_mode"),
        ] + _compile_features(ctx) + _link_features(ctx) + (_module_map_features() if ctx.attr.flavour == "none" else []),
    )

clang_toolchain_config = rule(
    implementation = _config_impl,
    doc = "One flavour of the clang toolchain for one CPU.",
    attrs = {
        "ar": attr.label(allow_single_file = True, mandatory = True),
        "builtins": attr.string(mandatory = True, doc = "compiler-rt's builtins archive, below the LLVM tree."),
        "clang": attr.label(allow_single_file = True, mandatory = True),
        "cpu": attr.string(mandatory = True, values = ["x86_64", "aarch64"]),
        "flavour": attr.string(mandatory = True, values = ["none", "linux"]),
        "lld": attr.label(allow_single_file = True, mandatory = True),
        "resource_dir": attr.string(mandatory = True, doc = "Clang's resource folder, below the LLVM tree."),
        "strip": attr.label(allow_single_file = True, mandatory = True),
        "triple": attr.string(mandatory = True),
    },
    provides = [CcToolchainConfigInfo],
)
