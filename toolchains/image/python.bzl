"""How rules run the Python programs of the tree: the host's python3 (3.9 or newer), the standard library only."""

def run_python(ctx, tool, arguments, inputs, outputs, mnemonic, tools = [], progress_message = None):
    """Registers an action that runs the Python program `tool`.

    Args:
      ctx: the rule's context.
      tool: the program's File.
      arguments: list of strings, or Args.
      inputs: depset of Files.
      outputs: list of Files.
      mnemonic: the action's name.
      tools: depsets of Files that the program runs or imports.
      progress_message: what Bazel shows.
    """
    ctx.actions.run_shell(
        command = "exec python3 -B \"$@\"",
        arguments = [tool.path] + arguments if type(arguments) == "list" else [tool.path, arguments],
        inputs = depset([tool], transitive = [inputs] + tools),
        outputs = outputs,
        mnemonic = mnemonic,
        progress_message = progress_message,
    )
