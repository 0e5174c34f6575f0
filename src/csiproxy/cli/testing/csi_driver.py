"""``csi-proxy testing csi-driver`` as the list of commands knows it."""

import click


@click.command(
    "csi-driver",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.pass_context
def csi_driver(context: click.Context) -> None:
    """Serve a whole CSI driver: the node plugin, and a controller whose volumes are images."""
    from csiproxy.testing.csi_driver import program

    context.exit(program.main(context.args))
