"""choice_setting: a build setting with a fixed set of values, for the command line."""

ChoiceInfo = provider(doc = "The value of a choice_setting.", fields = {"value": "string"})

def _choice_setting_impl(ctx):
    value = ctx.build_setting_value
    if value not in ctx.attr.values:
        fail("--{} must be one of {}, not {}".format(ctx.label, "|".join(ctx.attr.values), value))
    return [ChoiceInfo(value = value)]

choice_setting = rule(
    implementation = _choice_setting_impl,
    attrs = {"values": attr.string_list(mandatory = True, doc = "What it may be set to.")},
    build_setting = config.string(flag = True),
)
