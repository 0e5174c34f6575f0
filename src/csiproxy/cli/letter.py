"""``csi-proxy emulator letter``: the drive letters of the node's data volumes."""

from dataclasses import asdict

import click

from csiproxy.cli.node_control import control
from csiproxy.cli.output import Output, output_option, table
from csiproxy.cli.places import node_directory, state_option


@click.group("letter")
def letter() -> None:
    r"""Give volumes drive letters, as Windows or an administrator does.

    \b
      csi-proxy emulator letter give --state /tmp/node D '\\?\Volume{…}\'
      csi-proxy emulator letter take --state /tmp/node D
      csi-proxy emulator letter list --state /tmp/node

    Windows' classes show a letter; nothing can be reached under it.
    """


@letter.command("give")
@state_option
@click.argument("letter_", metavar="LETTER")
@click.argument("volume")
@output_option
@click.pass_obj
def give(output: Output, letter_: str, volume: str, state: str | None, host: str | None) -> None:
    """Give a volume a letter, in place of the one that it has."""
    with control(node_directory(state, host)) as node:
        node.give_letter(letter_, volume)
    output.done(f"volume {volume} is {letter_}:", letter=letter_, volume=volume)


@letter.command("take")
@state_option
@click.argument("letter_", metavar="LETTER")
@output_option
@click.pass_obj
def take(output: Output, letter_: str, state: str | None, host: str | None) -> None:
    """Take a letter back; the volume stays."""
    with control(node_directory(state, host)) as node:
        node.take_letter(letter_)
    output.done(f"no volume is {letter_}: any more", letter=letter_)


@letter.command("list")
@state_option
@output_option
@click.pass_obj
def list_letters(output: Output, state: str | None, host: str | None) -> None:
    """List the letters that were given."""
    with control(node_directory(state, host)) as node:
        found = node.letters()
    rows = [(one.letter, one.volume) for one in found]
    output.result(
        [asdict(one) for one in found], lambda screen: screen.print(table(("LETTER", "VOLUME"), rows))
    )
