"""Repository rules for pinned outside files: upstream tarballs and Debian archives.

Every file is named by sha256, so Bazel's repository cache and --distdir serve it without the network. Otherwise the places are
tried in order: the upstream address (tarballs), the Debian mirrors of this machine (KEVLAR_DEBIAN_MIRROR, else what apt is
configured with), and last Debian's public snapshot service, which keeps every file that Debian ever published.
"""

load("//third_party:lock.bzl", "DEBIAN", "UPSTREAM")

_SNAPSHOT = "https://snapshot.debian.org/archive/"

def _debian_mirrors(ctx):
    """The base addresses of the Debian mirrors this machine knows, without a trailing slash."""
    named = ctx.os.environ.get("KEVLAR_DEBIAN_MIRROR", "")
    if not named and ctx.which("apt-get"):
        asked = ctx.execute(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Origin: Debian"])
        if asked.return_code == 0:
            named = asked.stdout
    mirrors = []
    for word in named.replace("\n", " ").split(" "):
        mirror = word.strip().rstrip("/")
        if mirror and mirror not in mirrors:
            mirrors.append(mirror)
    return mirrors

def _url_path(path):
    # A pool path may hold "+" and "~"; mirrors accept both as they are.
    return path.replace(" ", "%20")

def _debian_urls(mirrors, path, snapshot):
    """Where the file at the pool path `path` may be found: the fitting mirrors first, then the snapshot service."""
    archive = "debian-security" if path.startswith("pool/updates/") else "debian"
    fitting = [m for m in mirrors if m.endswith("-security") == (archive == "debian-security")]
    others = [m for m in mirrors if m not in fitting]
    urls = [m + "/" + _url_path(path) for m in fitting + others]
    if snapshot:
        urls.append(_SNAPSHOT + archive + "/" + snapshot + "/" + _url_path(path))
    return urls

def _basename(path):
    return path.split("/")[-1]

def _explain_and_fail(ctx, what, urls, sha256, path, mirrors, refresh):
    """Finds out why no place had the file, and stops with one sentence that says so."""
    answer = ["unknown"]
    python = ctx.which("python3")
    if python:
        words = [python, ctx.path(Label("//toolchains:why_not.py")), sha256]
        for mirror in mirrors:
            words += ["--mirror", mirror]
        asked = ctx.execute(words + urls)
        answer = asked.stdout.strip().split(" ")
    if answer[0] == "mismatch":
        fail("wrong sha256: {} at {} has {}, third_party/lock.bzl wants {}{}".format(
            what,
            answer[1],
            answer[2],
            sha256,
            "; if the change is meant, run `{}`".format(refresh) if refresh else "",
        ))
    if answer[0] == "gone" and refresh:
        fail("{} has left the Debian mirror: run `{}` to move the pin to what the mirror holds today".format(what, refresh))
    if answer[0] == "gone":
        fail("{} is not on the mirrors that answer (tried {}): name another in KEVLAR_DEBIAN_MIRROR, or put {} into a folder and build with --distdir=FOLDER".format(
            what,
            ", ".join(urls),
            _basename(urls[0]),
        ))
    if path and not mirrors:
        fail("no Debian mirror is known for {}: configure apt, or name a mirror in KEVLAR_DEBIAN_MIRROR".format(what))
    if path and answer[0] == "unreachable":
        fail("no Debian mirror can be reached for {} (tried {}): check the network, or name a mirror in KEVLAR_DEBIAN_MIRROR".format(
            what,
            ", ".join(mirrors),
        ))
    fail("{} cannot be fetched from any of {}: check the network, or build with --distdir (see tools/distdir)".format(
        what,
        ", ".join(urls),
    ))

def _fetch(ctx, what, output, urls, sha256, path = "", mirrors = [], refresh = ""):
    """Downloads one pinned file to `output`, trying `urls` in order."""

    # The repository cache (by sha256) and --distdir (by base name) answer the first call without the network.
    for url in urls:
        if ctx.download([url], output, sha256 = sha256, allow_fail = True).success:
            return
    _explain_and_fail(ctx, what, urls, sha256, path, mirrors, refresh)

def _unpack_deb(ctx, deb):
    """Adds the content of a .deb to this repository's folder, as `unpack` says."""
    dpkg_deb = ctx.which("dpkg-deb")
    if dpkg_deb and ctx.attr.unpack == "tree":
        done = ctx.execute([dpkg_deb, "--extract", deb, "."])
    else:
        python = ctx.which("python3")
        if not python:
            fail("unpacking {} needs python3, which is not installed".format(deb))
        options = ["--data"] if ctx.attr.unpack == "tar" else []
        done = ctx.execute([python, ctx.path(Label("//toolchains:undeb.py"))] + options + [deb, "."])
    if done.return_code != 0:
        fail("cannot unpack {}: {}".format(deb, done.stderr))

def _finish(ctx):
    """What all archive rules do after unpacking: drop, patch, and lay the BUILD file over it."""
    for path in ctx.attr.remove:
        ctx.delete(path)
    for patch in ctx.attr.patches:
        ctx.patch(patch, strip = 1)
    for path, content in ctx.attr.extra_files.items():
        ctx.file(path, content, executable = False)
    ctx.file("WORKSPACE", "workspace(name = \"{}\")\n".format(ctx.name))
    if ctx.attr.build_file:
        for stale in ("BUILD", "BUILD.bazel"):
            ctx.delete(stale)
        ctx.symlink(ctx.attr.build_file, "BUILD.bazel")

_COMMON_ATTRS = {
    "build_file": attr.label(allow_single_file = True, doc = "The BUILD file laid over the tree."),
    "extra_files": attr.string_dict(doc = "Files to add: path to content."),
    "patches": attr.label_list(allow_files = True, doc = "Patches, -p1."),
    "remove": attr.string_list(doc = "Files and folders to leave out."),
}

# Runs a program of the tree under the tree's own loader and libraries, so that nothing of the host is mapped.
# The C library loads character sets as modules; it looks for them in the tree as well, and neither for them nor for locales on the host.
# --argv0 keeps the wrapper's name: a program that starts itself again (clang does) comes back through the wrapper.
_TOOL_WRAPPER = """#!/bin/sh
case $0 in
    */*) root=${{0%/*}}/.. ;;
    *) root=.. ;;
esac
lib=$root/lib/x86_64-linux-gnu
unset LD_PRELOAD LD_AUDIT LOCPATH
export GCONV_PATH="$root/usr/lib/x86_64-linux-gnu/gconv"
exec "$lib/ld-linux-x86-64.so.2" --inhibit-cache --argv0 "$0" --library-path "{library_path}" "$root/{program}" "$@"
"""

def _write_tools(ctx):
    """Writes bin/NAME for each of the `tools`."""
    folders = ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"] + ctx.attr.library_folders
    for name, program in ctx.attr.tools.items():
        ctx.file(
            "bin/" + name,
            _TOOL_WRAPPER.format(library_path = ":".join(["$root/" + f for f in folders]), program = program),
            executable = True,
        )

def _debian_archive_impl(ctx):
    mirrors = _debian_mirrors(ctx)
    refresh = "tools/lock refresh " + ctx.attr.set
    for line in ctx.attr.files:
        package, version, path, sha256 = line.split(" ")
        _fetch(
            ctx,
            "Debian's {} {}".format(package, version),
            _basename(path),
            _debian_urls(mirrors, path, ctx.attr.snapshot),
            sha256,
            path,
            mirrors,
            refresh,
        )
        if path.endswith(".deb") and ctx.attr.unpack != "no":
            _unpack_deb(ctx, _basename(path))
            ctx.delete(_basename(path))
    if ctx.attr.strip_prefix:
        done = ctx.execute(["sh", "-c", 'set -e; mv "$0" .root; for f in .root/*; do rm -rf "${f#.root/}"; mv "$f" .; done; rm -rf .root', ctx.attr.strip_prefix])
        if done.return_code != 0:
            fail("cannot move {} to the top of {}: {}".format(ctx.attr.strip_prefix, ctx.name, done.stderr))
    _write_tools(ctx)
    _finish(ctx)

_debian_archive = repository_rule(
    implementation = _debian_archive_impl,
    doc = "Several Debian packages of one set of the lock file, unpacked into one tree.",
    attrs = dict(_COMMON_ATTRS, **{
        "files": attr.string_list(mandatory = True, doc = "Each: package, version, pool path and sha256, space separated."),
        "library_folders": attr.string_list(doc = "Further library folders for the tools."),
        "set": attr.string(mandatory = True, doc = "The set's name in the lock file, for messages."),
        "snapshot": attr.string(),
        "strip_prefix": attr.string(doc = "A folder of the tree that becomes its top."),
        "tools": attr.string_dict(doc = "Wrappers to write: bin/NAME to the program's path in the tree."),
        "unpack": attr.string(
            default = "tree",
            values = ["no", "tar", "tree"],
            doc = "All packages into one tree; or each as PACKAGE.tar.xz, with the owners and modes of its files; or the .deb files as they are.",
        ),
    }),
)

def debian_archive(name, sets = None, packages = None, **kwargs):
    """A repository made of pinned Debian packages.

    Args:
      name: the repository's name.
      sets: sets of third_party/lock.bzl to merge; by default the one called `name`.
      packages: only these packages of the sets; by default all.
      **kwargs: build_file, remove, patches, extra_files, strip_prefix, unpack; `tools` writes bin/NAME wrappers that run a
        program of the tree under the tree's own loader and libraries (the set must hold its library closure, libc6 included).
    """
    sets = sets or [name]
    files = []
    for one in sets:
        for package, (version, path, sha256) in DEBIAN[one]["files"].items():
            if packages == None or package in packages:
                files.append(" ".join([package, version, path, sha256]))
    _debian_archive(
        name = name,
        files = files,
        set = sets[0],
        snapshot = DEBIAN[sets[0]]["snapshot"],
        **kwargs
    )

def _upstream_archive_impl(ctx):
    mirrors = _debian_mirrors(ctx) if ctx.attr.debian_path else []
    urls = ctx.attr.urls + (_debian_urls(mirrors, ctx.attr.debian_path, "") if ctx.attr.debian_path else [])
    archive = _basename(ctx.attr.urls[0])
    _fetch(ctx, "{} {}".format(ctx.name, ctx.attr.version), archive, urls, ctx.attr.sha256, ctx.attr.debian_path, mirrors)
    if ctx.attr.unpack:
        ctx.extract(archive, stripPrefix = ctx.attr.strip_prefix)
        ctx.delete(archive)
    _finish(ctx)

_upstream_archive = repository_rule(
    implementation = _upstream_archive_impl,
    doc = "One upstream release of the lock file, unpacked.",
    attrs = dict(_COMMON_ATTRS, **{
        "debian_path": attr.string(),
        "sha256": attr.string(mandatory = True),
        "strip_prefix": attr.string(),
        "unpack": attr.bool(default = True),
        "urls": attr.string_list(mandatory = True),
        "version": attr.string(),
    }),
)

def upstream_archive(name, entry = None, **kwargs):
    """A repository made of one upstream release.

    Args:
      name: the repository's name.
      entry: its name in third_party/lock.bzl; by default `name`.
      **kwargs: build_file, remove, patches, extra_files, unpack.
    """
    pinned = UPSTREAM[entry or name]
    _upstream_archive(
        name = name,
        urls = pinned["urls"],
        sha256 = pinned["sha256"],
        version = pinned["version"],
        strip_prefix = pinned.get("strip_prefix", ""),
        debian_path = pinned.get("debian_path", ""),
        **kwargs
    )
