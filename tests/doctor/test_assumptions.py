"""The table of assumptions is whole: each has a self-test that exists, or says what to do by hand."""

import ast
from pathlib import Path

import pytest

import csiproxy.doctor
from csiproxy.doctor.assumptions import ASSUMPTIONS

SOURCE = Path(csiproxy.doctor.__file__).parent


def functions(module: str) -> dict[str, str | None]:
    tree = ast.parse((SOURCE / f"{module}.py").read_text())
    return {node.name: ast.get_docstring(node) for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("assumption", ASSUMPTIONS, ids=lambda one: one.name)
def test_an_assumption_says_how_it_is_tried(assumption):
    assert "|" not in f"{assumption.text}{assumption.where}{assumption.source}{assumption.tries}"
    if assumption.test:
        module, _, name = assumption.test.partition(":")
        assert functions(module)[name], "a self-test says what it does"
    else:
        assert assumption.tries.startswith("by hand")


def test_names_are_used_once_and_every_self_test_is_in_the_table():
    names = [assumption.name for assumption in ASSUMPTIONS]
    assert len(set(names)) == len(names)
    used = {assumption.test for assumption in ASSUMPTIONS}
    modules = {test.partition(":")[0] for test in used if test}
    public = {
        f"{module}:{name}" for module in modules for name in functions(module) if not name.startswith("_")
    }
    assert public - used == {"files:code_of"}


def test_what_asks_past_the_port_is_of_windows_alone():
    windows_alone = {
        path.stem for path in SOURCE.glob("*.py") if 'assert sys.platform == "win32"' in path.read_text()
    }
    for assumption in ASSUMPTIONS:
        module = assumption.test.partition(":")[0]
        assert assumption.of_windows_alone == (module in windows_alone), assumption.name
