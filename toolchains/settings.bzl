"""string_flag: a build setting that takes one of a few words."""

StringFlagInfo = provider("The value of a string_flag.", fields = ["value"])

def _string_flag_impl(ctx):
    value = ctx.build_setting_value
    if value not in ctx.attr.values:
        fail("--{}={}: the value must be one of {}".format(
            str(ctx.label).replace("@//", "//"),
            value,
            ", ".join(ctx.attr.values),
        ))
    return [StringFlagInfo(value = value)]

string_flag = rule(
    implementation = _string_flag_impl,
    build_setting = config.string(flag = True),
    attrs = {"values": attr.string_list(mandatory = True)},
)

def choice(name, values, default, visibility = ["//visibility:public"]):
    """Declares the flag `name` and, for each of its values, a condition `name`_VALUE to select() on.

    Args:
      name: the flag: --//package:name=VALUE.
      values: what it may be.
      default: what it is when not given.
      visibility: of the flag and the conditions.
    """
    string_flag(
        name = name,
        build_setting_default = default,
        values = values,
        visibility = visibility,
    )
    for value in values:
        native.config_setting(
            name = name + "_" + value,
            flag_values = {":" + name: value},
            visibility = visibility,
        )
