"""``csi-proxy serve`` as the list of commands knows it; its flags are the daemon's own."""

import click


@click.command(
    "serve",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.pass_context
def command(context: click.Context) -> None:
    """Serve the storage operations of a node to CSI node plugins."""
    from csiproxy import daemon

    context.exit(daemon.main(context.args))
