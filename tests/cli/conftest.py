"""A command line in this process, and a node with its proxy as processes."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from csiproxy.cli import commands
from csiproxy.cli.demo.node import Node


@dataclass(frozen=True)
class Run:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str


CommandLine = Callable[..., Run]


@pytest.fixture
def csi_proxy(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """Run a command in this process, with an environment that names no node."""
    for variable in ("CSI_PROXY_HOST", "CSI_PROXY_ENDPOINTS"):
        monkeypatch.delenv(variable, raising=False)

    def run(*arguments: str) -> Run:
        capfd.readouterr()
        code = commands.main(arguments)
        out, err = capfd.readouterr()
        return Run(code, out, err)

    return run


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    """A node and its proxy as processes of their own, with an empty disk 1 of 64 MiB."""
    directory = tempfile.mkdtemp(prefix="cp-", dir="/tmp")
    with Node("test", f"{directory}/n") as running:
        running.start_machine()
        running.start_proxy()
        running.attach(f"{directory}/disk.img", serial="SERIAL-1", lun=3, create=64 << 20)
        yield running
    shutil.rmtree(directory)
