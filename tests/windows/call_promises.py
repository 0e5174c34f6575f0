"""What the adapter relies on in Windows' file calls: the fake keeps it, and so does a real Windows.

Each promise gets the calls and a directory of the object manager's (``\\??\\C:\\base``) that is empty.
"""

from collections.abc import Callable

import pytest

from csiproxy.errors import Win32Error
from csiproxy.windows import directory_listing, nt
from csiproxy.windows.file_calls import NO_HANDLE, FileCalls

PROMISES: list[Callable[[FileCalls, str], None]] = []
every_promise = pytest.mark.parametrize("keep", PROMISES, ids=lambda one: one.__name__)

LOOK = nt.FILE_LIST_DIRECTORY | nt.FILE_TRAVERSE | nt.FILE_READ_ATTRIBUTES
ITSELF = nt.FILE_OPEN_REPARSE_POINT
NEW = nt.FILE_DIRECTORY_FILE | ITSELF


def promise(function: Callable[[FileCalls, str], None]) -> Callable[[FileCalls, str], None]:
    PROMISES.append(function)
    return function


def code_of(call, *arguments) -> int:
    try:
        call(*arguments)
    except Win32Error as error:
        return error.windows_code
    return 0


def base(calls: FileCalls, path: str) -> int:
    return calls.open(NO_HANDLE, path, LOOK, nt.SHARE_ALL, nt.FILE_OPEN, nt.FILE_DIRECTORY_FILE)


def make(
    calls: FileCalls, parent: int, name: str, access: int = nt.FILE_READ_ATTRIBUTES, more: int = 0
) -> int:
    return calls.open(parent, name, access, nt.SHARE_ALL, nt.FILE_CREATE, NEW | more)


def look(calls: FileCalls, parent: int, name: str, access: int = LOOK) -> int:
    return calls.open(parent, name, access, nt.SHARE_ALL, nt.FILE_OPEN, ITSELF)


def names(calls: FileCalls, directory: int) -> list[str]:
    again = look(calls, directory, "")
    found: list[str] = []
    while data := calls.listing(again):
        found += [listed.name for listed in directory_listing.read(data)]
    calls.close(again)
    return sorted(found)


@promise
def an_empty_name_is_the_directory_again(calls: FileCalls, path: str) -> None:
    root = base(calls, path)
    again = look(calls, root, "")
    calls.close(root)
    calls.close(make(calls, again, "x"))
    assert names(calls, again) == ["x"]
    calls.close(again)


@promise
def names_are_found_whatever_their_case_and_say_how_they_are_spelt(calls: FileCalls, path: str) -> None:
    root = base(calls, path)
    calls.close(make(calls, root, "Pods"))
    found = look(calls, root, "pODS")
    assert calls.final_path(found, nt.VOLUME_NAME_NONE).rpartition("\\")[2] == "Pods"
    assert calls.final_path(found, nt.VOLUME_NAME_DOS) == "\\\\?\\" + path.removeprefix("\\??\\") + "\\Pods"
    assert calls.final_path(found, nt.VOLUME_NAME_GUID).startswith("\\\\?\\Volume{")
    calls.close(found)
    calls.close(root)


@promise
def what_is_missing_or_there_already_is_said(calls: FileCalls, path: str) -> None:
    root = base(calls, path)
    assert code_of(look, calls, root, "none") == 2
    assert code_of(base, calls, path + r"\none") == 2
    assert code_of(base, calls, path + r"\none\none") == 3
    calls.close(make(calls, root, "x"))
    assert code_of(make, calls, root, "X") == 183
    calls.close(root)


@promise
def attributes_tell_a_directory(calls: FileCalls, path: str) -> None:
    root = base(calls, path)
    standing = calls.standing(root)
    assert standing.attributes & nt.FILE_ATTRIBUTE_DIRECTORY
    assert (standing.tag, standing.removed) == (0, False)
    calls.close(root)


@promise
def a_listing_ends_and_holds_the_two_dots(calls: FileCalls, path: str) -> None:
    root = base(calls, path)
    calls.close(make(calls, root, "x"))
    again = look(calls, root, "")
    data = calls.listing(again)
    assert ".".encode("utf-16-le") in data
    assert [listed.name for listed in directory_listing.read(data)] == ["x"]
    assert calls.listing(again) == b""
    calls.close(again)
    calls.close(root)


@promise
def what_was_made_to_go_goes_with_its_handle(calls: FileCalls, path: str) -> None:
    root = base(calls, path)
    access = nt.DELETE | nt.FILE_READ_ATTRIBUTES
    made = make(calls, root, "x", access, nt.FILE_DELETE_ON_CLOSE)
    assert names(calls, root) == ["x"]
    calls.close(made)
    assert names(calls, root) == []
    calls.close(root)


@promise
def what_was_made_to_go_can_be_kept(calls: FileCalls, path: str) -> None:
    root = base(calls, path)
    access = nt.DELETE | nt.FILE_READ_ATTRIBUTES
    made = make(calls, root, "x", access, nt.FILE_DELETE_ON_CLOSE)
    calls.keep(made)
    calls.close(made)
    assert names(calls, root) == ["x"]
    calls.close(root)


@promise
def a_directory_with_content_cannot_be_deleted(calls: FileCalls, path: str) -> None:
    root = base(calls, path)
    outer = make(calls, root, "outer", LOOK | nt.DELETE)
    calls.close(make(calls, outer, "inner"))
    assert code_of(calls.delete, outer) == 145
    calls.close(outer)
    assert names(calls, root) == ["outer"]
    calls.close(root)


@promise
def what_is_deleted_has_gone_when_its_handle_is_closed(calls: FileCalls, path: str) -> None:
    root = base(calls, path)
    made = make(calls, root, "x", nt.DELETE | nt.FILE_READ_ATTRIBUTES)
    calls.delete(made)
    calls.close(made)
    assert names(calls, root) == []
    calls.close(root)


@promise
def a_plain_directory_has_no_reparse_data(calls: FileCalls, path: str) -> None:
    root = base(calls, path)
    room = nt.MAXIMUM_REPARSE_DATA_BUFFER_SIZE
    assert code_of(calls.control, root, nt.FSCTL_GET_REPARSE_POINT, b"", room) == 4390
    calls.close(root)


@promise
def a_handle_that_was_closed_is_none(calls: FileCalls, path: str) -> None:
    root = base(calls, path)
    calls.close(root)
    assert code_of(calls.close, root) == 6
    assert code_of(calls.standing, root) == 6
    assert code_of(look, calls, root, "x") == 6


@promise
def no_volume_of_a_name_has_no_paths(calls: FileCalls, path: str) -> None:
    volume = r"\\?\Volume{00000000-0000-4000-8000-00000000dead}" + "\\"
    assert code_of(calls.volume_paths, volume) == 2


@promise
def a_device_that_is_not_there_cannot_be_opened(calls: FileCalls, path: str) -> None:
    assert code_of(calls.open_device, r"\\?\nothing#at#all") in (2, 3, 123)
