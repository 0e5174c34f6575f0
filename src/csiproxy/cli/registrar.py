"""``csi-proxy registrar`` as the list of commands knows it; its flags are those of node-driver-registrar."""

import click


@click.command(
    "registrar",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.pass_context
def command(context: click.Context) -> None:
    """Introduce a CSI plugin to kubelet."""
    from csiproxy.node.registrar import program

    context.exit(program.main(context.args))
