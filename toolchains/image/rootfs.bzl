"""One description of a root file system, in layers; initramfs.bzl and disk.bzl make images of it."""

load("//toolchains:transition.bzl", "TRANSITION_ALLOWLIST", "userland_transition")

RootfsInfo = provider(
    doc = "A root file system's description.",
    fields = {
        "files": "depset of the files it takes content from",
        "layers": "depset, first layer first, of struct(name, lines): lines as rootfs_tool.py reads them",
    },
)

def _quote(word):
    """A word of the description, quoted as in a shell."""
    return "'" + word.replace("'", "'\\''") + "'"

def _owner(word, where):
    if word.count(":") != 1:
        fail("{}: owner {} should be UID:GID".format(where, word))
    return word.replace(":", " ")

def _place(text, where, mode):
    """Splits "PATH [MODE] [UID:GID]" into (path, mode, "uid gid")."""
    words = text.split(" ")
    if len(words) > 3 or not words[0].startswith("/"):
        fail("{}: \"{}\" should be /PATH [MODE] [UID:GID]".format(where, text))
    if len(words) > 1:
        mode = words[1]
    return words[0], mode, _owner(words[2] if len(words) > 2 else "0:0", where)

def _single_file(target):
    files = target.files.to_list()
    if len(files) != 1:
        fail("{} has {} files; one is wanted (use trees for many)".format(target.label, len(files)))
    return files[0]

def _tree_lines(target, text):
    """A tree's lines: a folder artifact as a whole; a group of files by their paths below the package or `strip`."""
    words = text.split(" ")
    dest, mode, strip = words[0].rstrip("/"), "auto", ""
    for word in words[1:]:
        if word.startswith("strip="):
            strip = word[len("strip="):].strip("/")
        elif word.startswith("mode="):
            mode = word[len("mode="):]
        else:
            fail("{}: \"{}\" should be /PATH [strip=PREFIX] [mode=MODE]".format(target.label, text))
    base = "/".join([p for p in [target.label.package, strip] if p])
    lines = []
    for f in target.files.to_list():
        if f.is_directory:
            lines.append("tree {} {} 0 0".format(_quote(dest or "/"), _quote(f.path)))
            continue
        path = f.short_path
        if path.startswith("../"):  # ../REPOSITORY/…
            path = "/".join(path.split("/")[2:])
        if base:
            if not path.startswith(base + "/"):
                fail("{}: {} is not below {}".format(target.label, path, base))
            path = path[len(base) + 1:]
        lines.append("file {} {} {} 0 0".format(_quote(dest + "/" + path), _quote(f.path), mode))
    return lines

def _rootfs_impl(ctx):
    name = str(ctx.label)
    lines = ["archive " + _quote(f.path) for f in ctx.files.archives]
    lines += ["remove " + _quote(path) for path in ctx.attr.remove]
    for path, text in ctx.attr.dirs.items():
        path, mode, owner = _place(path + " " + text, name, "0755")
        lines.append("dir {} {} {}".format(_quote(path), mode, owner))
    for path, target in ctx.attr.symlinks.items():
        lines.append("slink {} {} 0777 0 0".format(_quote(path), _quote(target)))
    for path, text in ctx.attr.devices.items():
        words = text.split(" ")
        if len(words) not in (4, 5) or words[0] not in ("b", "c"):
            fail("{}: {}: \"{}\" should be (b|c) MAJOR MINOR MODE [UID:GID]".format(name, path, text))
        owner = _owner(words[4] if len(words) == 5 else "0:0", name)
        lines.append("nod {} {} {} {} {} {}".format(_quote(path), words[3], owner, words[0], words[1], words[2]))
    for target, text in ctx.attr.files.items():
        path, mode, owner = _place(text, name, "0644")
        lines.append("file {} {} {} {}".format(_quote(path), _quote(_single_file(target).path), mode, owner))
    for target, text in ctx.attr.trees.items():
        lines += _tree_lines(target, text)
    for target, text in ctx.attr.links.items():
        lines.append("links {} {}".format(_quote(_single_file(target).path), _quote(text)))

    sources = [t.files for t in ctx.attr.files.keys() + ctx.attr.trees.keys() + ctx.attr.links.keys() + ctx.attr.archives]
    info = RootfsInfo(
        files = depset(transitive = sources + [d[RootfsInfo].files for d in ctx.attr.deps]),
        layers = depset(
            [struct(name = name, lines = tuple(lines))],
            order = "postorder",
            transitive = [d[RootfsInfo].layers for d in ctx.attr.deps],
        ),
    )
    description = ctx.actions.declare_file(ctx.label.name + ".rootfs")
    write_description(ctx, info, description)
    return [info, DefaultInfo(files = depset([description]))]

def write_description(ctx, info, output):
    """Writes the description of `info` as one file for rootfs_tool.py; the sources' paths are those of an action."""
    lines = []
    for layer in info.layers.to_list():
        lines.append("layer " + _quote(layer.name))
        lines += list(layer.lines)
    ctx.actions.write(output, "\n".join(lines) + "\n")

rootfs = rule(
    implementation = _rootfs_impl,
    cfg = userland_transition,
    doc = """A layer of a root file system, built for the userland platform.

Paths are the guest's and absolute. A later layer (this one after its `deps`) replaces equal paths of earlier ones; within a
layer a path may appear once. Parent folders are made as needed, 0755 root:root. A path may run through the symbolic
links of the description.""",
    attrs = dict(TRANSITION_ALLOWLIST, **{
        "archives": attr.label_list(
            allow_files = True,
            doc = "tar archives of whole packages: each is a layer of its own before this one, with the owners, modes and links it holds.",
        ),
        "deps": attr.label_list(providers = [RootfsInfo], doc = "Earlier layers, in order."),
        "devices": attr.string_dict(doc = "Path to \"(b|c) MAJOR MINOR MODE [UID:GID]\"."),
        "dirs": attr.string_dict(doc = "Path to \"MODE [UID:GID]\"."),
        "files": attr.label_keyed_string_dict(
            allow_files = True,
            doc = "File to \"PATH [MODE] [UID:GID]\"; 0644 root:root unless said. MODE auto keeps the executable bit.",
        ),
        "links": attr.label_keyed_string_dict(
            allow_files = True,
            doc = "A text file with one path a line (BusyBox's applets) to what all of them link to.",
        ),
        "remove": attr.string_list(doc = "Paths of earlier layers, and of this one's archives, to leave out, with all below them."),
        "symlinks": attr.string_dict(doc = "Path to target."),
        "trees": attr.label_keyed_string_dict(
            allow_files = True,
            doc = "Files or a folder to \"PATH [strip=PREFIX] [mode=MODE]\": each lands below PATH as it lies below its package " +
                  "(and PREFIX). The executable bit is kept unless a mode is given.",
        ),
    }),
)
