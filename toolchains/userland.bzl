"""Programs and libraries of our musl.

The C library is a dependency like any other, so the macros below only add it: //third_party/musl:static, :static_pie,
:dynamic or :shared to what is linked, :headers to what is only compiled.
"""

_MUSL = "//third_party/musl:"

_HARDENING = ["-fstack-protector-strong"]

def _features(third_party, features):
    return (["third_party"] if third_party else []) + features

def musl_library(name, deps = [], copts = [], third_party = False, features = [], **kwargs):
    """A cc_library compiled against musl's headers. `third_party` silences warnings; our own code has -Wall -Wextra -Werror."""
    native.cc_library(
        name = name,
        copts = _HARDENING + copts,
        features = _features(third_party, features),
        linkstatic = True,
        deps = deps + [_MUSL + "headers"],
        **kwargs
    )

def musl_binary(name, linkage = "dynamic", deps = [], copts = [], third_party = False, features = [], **kwargs):
    """A program. `linkage` is dynamic (a PIE for ld-musl-x86_64.so.1), static, or static_pie."""
    native.cc_binary(
        name = name,
        copts = _HARDENING + copts,
        features = _features(third_party, features),
        linkstatic = True,
        deps = deps + [_MUSL + linkage],
        **kwargs
    )

def musl_shared_library(name, soname = None, deps = [], copts = [], linkopts = [], third_party = False, features = [], **kwargs):
    """A shared library `name` (e.g. libeinfo.so.1); `soname` is `name` unless given."""
    native.cc_binary(
        name = name,
        copts = _HARDENING + copts,
        features = _features(third_party, features),
        linkopts = ["-Wl,-soname," + (soname or name)] + linkopts,
        linkshared = True,
        linkstatic = True,
        deps = deps + [_MUSL + "shared"],
        **kwargs
    )
