import inspect

import pytest

from csiproxy.cli.demo.csi_proxy_service import CsiProxyService
from csiproxy.cli.demo.dialect import PUBLISHED, STAGING, Dialect
from csiproxy.cli.demo.groups import Groups
from csiproxy.operations.paths import parse

METHODS = [name for name in vars(Dialect) if not name.startswith("_")]


@pytest.mark.parametrize("kind", [Groups, CsiProxyService])
@pytest.mark.parametrize("name", METHODS)
def test_every_contract_answers_every_question_of_the_script(name: str, kind: type) -> None:
    assert inspect.signature(getattr(kind, name)) == inspect.signature(getattr(Dialect, name))


@pytest.mark.parametrize("path", [STAGING, PUBLISHED])
def test_the_paths_of_the_script_are_legal(path: str) -> None:
    assert parse(path)[0] == "C:"
