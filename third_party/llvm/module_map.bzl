"""The module map of clang's freestanding headers, which layering_check lets every file include."""

_INCLUDE = "usr/lib/llvm-19/lib/clang/19/include/"

# C23's freestanding headers and the CPU identification one, with the parts that they include themselves.
_HEADERS = [
    "__stdarg___gnuc_va_list.h",
    "__stdarg___va_copy.h",
    "__stdarg_header_macro.h",
    "__stdarg_va_arg.h",
    "__stdarg_va_copy.h",
    "__stdarg_va_list.h",
    "__stddef_header_macro.h",
    "__stddef_max_align_t.h",
    "__stddef_null.h",
    "__stddef_nullptr_t.h",
    "__stddef_offsetof.h",
    "__stddef_ptrdiff_t.h",
    "__stddef_rsize_t.h",
    "__stddef_size_t.h",
    "__stddef_unreachable.h",
    "__stddef_wchar_t.h",
    "__stddef_wint_t.h",
    "cpuid.h",
    "float.h",
    "iso646.h",
    "limits.h",
    "stdalign.h",
    "stdarg.h",
    "stdatomic.h",
    "stdbool.h",
    "stdckdint.h",
    "stddef.h",
    "stdint.h",
    "stdnoreturn.h",
]

# Bazel looks for a module of this name.
FREESTANDING_MODULE_MAP = "module \"crosstool\" [system] {\n" + "".join([
    "  textual header \"" + _INCLUDE + header + "\"\n"
    for header in _HEADERS
]) + "}\n"
