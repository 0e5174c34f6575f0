"""Each self-test of directories is content with the emulated node, and finds out one that does otherwise."""

from dataclasses import replace

import pytest
from tests.windows.adapted import adapted

from csiproxy.doctor import files
from csiproxy.doctor.outcome import Differs
from csiproxy.errors import Win32Error
from csiproxy.host import Host
from csiproxy.host.win32 import Entry, EntryKind

SELF_TESTS = (files.link, files.link_of_a_directory, files.walk_meets_link, files.removal_of_what_is_open)


@pytest.mark.parametrize("self_test", SELF_TESTS)
def test_a_node_that_does_what_is_assumed_is_found_to(ground, self_test):
    assert self_test(ground)


class Differing:
    """A port that answers some calls differently."""

    def __init__(self, win32, **answers) -> None:
        self._win32 = win32
        self._answers = answers

    def __getattr__(self, name):
        answer = self._answers.get(name)
        if answer is None:
            return getattr(self._win32, name)
        return lambda *arguments, **named: answer(getattr(self._win32, name), *arguments, **named)


def refuses(code):
    def refuse(call, *arguments, **named):
        raise Win32Error(code, "call", "as the test says")

    return refuse


def refuses_links(call, parent, name):
    return refuses(5)(call) if name == "link" else call(parent, name)


def is_directory(call, parent, name):
    return Entry(name, EntryKind.DIRECTORY)


@pytest.mark.parametrize(
    ("self_test", "answers", "text"),
    [
        (files.link, {"entry": is_directory}, "the link is"),
        (files.link_of_a_directory, {"set_link": refuses(50)}, "with content gave: 50"),
        (files.link_of_a_directory, {"entry": is_directory}, "it became"),
        (files.walk_meets_link, {"open_child": refuses_links}, "open gave: 5"),
        (
            files.removal_of_what_is_open,
            {"final_path": lambda call, directory: "C:\\x"},
            "where it is gave: 0",
        ),
    ],
)
def test_a_node_that_does_something_else_is_found_out(node, bent, self_test, answers, text):
    plain = bent()
    # Cleaning up goes through the same port, so what is bent is bent for files of the self-test alone.
    ground = replace(plain, host=Host(plain.host.cim, Differing(adapted(node.host.win32), **answers)))
    with pytest.raises((Differs, Win32Error), match=text):
        self_test(ground)


def test_a_code_is_0_where_nothing_fails():
    assert files.code_of(lambda: None) == 0
    assert files.code_of(lambda: refuses(5)(None)) == 5
