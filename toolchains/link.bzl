"""elf_link: one ELF file linked by lld itself, for what is not an ordinary program: kernels, libc.so, start files."""

load(":transition.bzl", "TRANSITION_ALLOWLIST", "kernel_transition")

def cc_objects(deps):
    """The object files and archives that `deps` bring, in link order.

    Returns:
      (objects, archives): lists of File. An archive is given only where its objects are not known.
    """
    objects = []
    archives = []
    seen = {}
    for dep in deps:
        for linker_input in dep[CcInfo].linking_context.linker_inputs.to_list():
            for library in linker_input.libraries:
                found = library.pic_objects or library.objects
                if not found:
                    archive = library.pic_static_library or library.static_library
                    if archive and archive.path not in seen:
                        seen[archive.path] = True
                        archives.append(archive)
                for one in found:
                    if one.path not in seen:
                        seen[one.path] = True
                        objects.append(one)
    return objects, archives

def link_with_lld(ctx, output, deps, flags, inputs = [], libraries = []):
    """Registers the link action: every object of `deps`, wanted or not, since sections register themselves."""
    objects, archives = cc_objects(deps)
    arguments = ctx.actions.args()
    arguments.add_all(flags)
    arguments.add("--build-id=none")
    arguments.add("-o", output)
    arguments.add_all(objects)
    if archives:
        arguments.add("--whole-archive")
        arguments.add_all(archives)
        arguments.add("--no-whole-archive")
    arguments.add_all(libraries)
    arguments.use_param_file("@%s")
    ctx.actions.run(
        outputs = [output],
        inputs = depset(objects + archives + inputs + libraries, transitive = [ctx.attr._lld[DefaultInfo].files]),
        executable = ctx.file._lld_wrapper,
        arguments = [arguments],
        mnemonic = "ElfLink",
        progress_message = "Linking {}".format(output.short_path),
    )

LLD_ATTRS = {
    "_lld": attr.label(default = "@llvm//:ld.lld"),
    "_lld_wrapper": attr.label(default = "@llvm//:bin/ld.lld", allow_single_file = True),
}

def _elf_link_impl(ctx):
    output = ctx.actions.declare_file(ctx.attr.out or ctx.label.name)
    flags = list(ctx.attr.flags)
    inputs = list(ctx.files.additional_inputs)
    if ctx.file.script:
        flags += ["-T", ctx.file.script.path]
        inputs.append(ctx.file.script)
    flags = [ctx.expand_location(flag, ctx.attr.additional_inputs) for flag in flags]
    link_with_lld(ctx, output, ctx.attr.deps, flags, inputs, ctx.files.libraries)
    return [DefaultInfo(files = depset([output]), runfiles = ctx.runfiles([output]))]

_ELF_LINK_ATTRS = dict(
    LLD_ATTRS,
    additional_inputs = attr.label_list(allow_files = True, doc = "Files that `flags` name with $(location ...)."),
    deps = attr.label_list(providers = [CcInfo], mandatory = True),
    flags = attr.string_list(doc = "Arguments of ld.lld."),
    libraries = attr.label_list(allow_files = [".a"], doc = "Archives searched for what `deps` leave undefined."),
    out = attr.string(doc = "The file's name; by default the target's."),
    script = attr.label(allow_single_file = True, doc = "The linker script."),
)

elf_link = rule(
    implementation = _elf_link_impl,
    doc = "Links all objects of `deps` with ld.lld, for the platform it is asked for.",
    attrs = _ELF_LINK_ATTRS,
)

kernel_elf = rule(
    implementation = _elf_link_impl,
    doc = "Links all objects of `deps` with ld.lld, for the kernel platform.",
    attrs = dict(_ELF_LINK_ATTRS, **TRANSITION_ALLOWLIST),
    cfg = kernel_transition,
)

def _objcopy_impl(ctx):
    output = ctx.actions.declare_file(ctx.attr.out or ctx.label.name)
    arguments = ctx.actions.args()
    arguments.add_all(ctx.attr.flags)
    arguments.add(ctx.file.src)
    arguments.add(output)
    ctx.actions.run(
        outputs = [output],
        inputs = depset([ctx.file.src], transitive = [ctx.attr._objcopy[DefaultInfo].files]),
        executable = ctx.file._objcopy_wrapper,
        arguments = [arguments],
        mnemonic = "Objcopy",
    )
    return [DefaultInfo(files = depset([output]), runfiles = ctx.runfiles([output]))]

_OBJCOPY_ATTRS = {
    "flags": attr.string_list(doc = "Arguments of llvm-objcopy, e.g. -O binary."),
    "out": attr.string(doc = "The file's name; by default the target's."),
    "src": attr.label(allow_single_file = True, mandatory = True),
    "_objcopy": attr.label(default = "@llvm//:llvm-objcopy"),
    "_objcopy_wrapper": attr.label(default = "@llvm//:bin/llvm-objcopy", allow_single_file = True),
}

objcopy = rule(
    implementation = _objcopy_impl,
    doc = "One file through llvm-objcopy.",
    attrs = _OBJCOPY_ATTRS,
)

def _object_file_impl(ctx):
    objects, _ = cc_objects([ctx.attr.dep])
    if len(objects) != 1:
        fail("{} has {} objects, one is wanted".format(ctx.attr.dep.label, len(objects)))
    output = ctx.actions.declare_file(ctx.attr.out)
    ctx.actions.symlink(output = output, target_file = objects[0])
    return [DefaultInfo(files = depset([output]))]

object_file = rule(
    implementation = _object_file_impl,
    doc = "The only object of a cc_library, under a name of its own.",
    attrs = {
        "dep": attr.label(providers = [CcInfo], mandatory = True),
        "out": attr.string(mandatory = True),
    },
)
