import os
import subprocess
import sys

import click
import pytest
from tests.cli.conftest import CommandLine

from csiproxy import __version__
from csiproxy.cli import commands


def test_the_help_names_every_command_by_section_and_what_to_type_first(csi_proxy: CommandLine) -> None:
    shown = csi_proxy("--help")
    assert shown.code == 0
    for section, entries in commands.SECTIONS.items():
        assert f"{section}:" in shown.out
        for entry in entries:
            assert f"  {entry.name} " in shown.out
    assert "\n    csi-proxy demo " in shown.out


@pytest.mark.parametrize("name", list(commands.ENTRIES))
def test_every_command_of_the_list_exists_under_its_name(name: str) -> None:
    command = commands.Commands().get_command(click.Context(commands.root), name)
    assert command is not None
    assert command.name == name
    assert command.help


@pytest.mark.parametrize("name", [name for name in commands.ENTRIES if name != "serve"])
def test_every_command_has_a_help(name: str, csi_proxy: CommandLine) -> None:
    shown = csi_proxy(name, "--help")
    assert shown.code == 0
    assert f"usage: csi-proxy {name}" in shown.out.lower()


def test_the_version_is_the_programs(csi_proxy: CommandLine) -> None:
    assert csi_proxy("--version").out == f"csi-proxy {__version__}\n"


def test_an_unknown_command_gets_the_nearest_name(csi_proxy: CommandLine) -> None:
    shown = csi_proxy("verisons")
    assert shown.code == 2
    assert "there is no command 'verisons'; did you mean 'versions'?" in shown.err


def test_no_command_is_a_question_for_help(csi_proxy: CommandLine) -> None:
    shown = csi_proxy()
    assert "What to type first" in shown.out + shown.err


def test_a_wrong_option_is_a_line_and_exit_code_2(csi_proxy: CommandLine) -> None:
    shown = csi_proxy("versions", "--colour")
    assert shown.code == 2
    assert "No such option" in shown.err
    assert "Traceback" not in shown.err


def test_a_reader_that_has_gone_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as nobody:
        done = subprocess.run(
            [sys.executable, "-m", "csiproxy", "versions"], stdout=nobody, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 141
    assert done.stderr == b""


def test_the_list_of_commands_loads_none_of_them() -> None:
    program = (
        "import sys; from csiproxy.cli import commands; commands.main(['--help']);"
        "print(sorted(m for m in sys.modules if m.startswith('csiproxy.') or m == 'google.protobuf'))"
    )
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=True, text=True)
    loaded = done.stdout.splitlines()[-1]
    assert "google.protobuf" not in loaded
    assert "csiproxy.emulator" not in loaded
    assert "csiproxy.api" not in loaded
