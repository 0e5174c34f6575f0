"""``csi-proxy node-plugin`` as the list of commands knows it."""

import click


@click.command(
    "node-plugin",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.pass_context
def command(context: click.Context) -> None:
    """Serve CSI's Identity and Node services."""
    from csiproxy.node.plugin import program

    context.exit(program.main(context.args))
