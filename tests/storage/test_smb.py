"""Mappings are read as Windows has them, and its codes arrive as what they mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.operations.refusals import refused

from csiproxy.emulator.smb import _parts
from csiproxy.errors import CimError, FailedPrecondition, NotFound, PermissionDenied, Unavailable
from csiproxy.host.cim import Instance, Result
from csiproxy.operations.secret import Secret
from csiproxy.storage.smb import MAPPING, SmbMapping, SmbMappings, Status, credential

SHARE = r"\\files\data"


class Windows:
    """A CIM server with one class, which answers as it is told."""

    def __init__(self, *, status: int = 0, code: int = 0, failure: CimError | None = None) -> None:
        self.found = [
            Instance(MAPPING, SHARE, {"RemotePath": SHARE, "Status": status, "RequirePrivacy": True})
        ]
        self._code, self._failure = code, failure
        self.called: list[tuple] = []

    def instances(self, class_name, **where):
        assert class_name == MAPPING
        return [one for one in self.found if all(one.properties[name] == where[name] for name in where)]

    def associated(self, instance, association, result_class, result_role=""):
        raise AssertionError(association)

    def invoke(self, target, method, **parameters):
        self.called.append((target, method, parameters))
        if self._failure:
            raise self._failure
        return Result(self._code, {})


@pytest.mark.parametrize(
    ("number", "status"), [*((status.value, status) for status in Status), (77, Status.UNAVAILABLE)]
)
def test_a_status_that_is_not_known_is_not_known_to_work(number, status):
    windows = Windows(status=number)
    [mapping] = SmbMappings(windows).all()
    assert mapping == SmbMapping(SHARE, status, True, windows.found[0])
    assert mapping.is_ok is (number == 0)


def test_a_share_without_a_mapping_has_none():
    mappings = SmbMappings(Windows())
    assert mappings.find(SHARE).remote_path == SHARE
    assert mappings.find(r"\\files\other") is None


def test_a_mapping_is_made_with_named_parameters():
    windows = Windows()
    SmbMappings(windows).create(SHARE, r"corp\us:er", Secret("pa:ss\\"), require_privacy=True)
    SmbMappings(windows).create(SHARE, "", Secret(""), require_privacy=False)
    assert windows.called == [
        (
            MAPPING,
            "Create",
            {"RemotePath": SHARE, "RequirePrivacy": True, "Credential": "corp\\\\us\\:er:pa:ss\\"},
        ),
        (MAPPING, "Create", {"RemotePath": SHARE, "RequirePrivacy": False}),
    ]


@given(user=st.text(min_size=1), password=st.text())
def test_what_create_is_told_can_be_taken_apart_again(user, password):
    assert _parts(credential("corp\\" + user, password)) == ("corp\\" + user, password)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (53, Unavailable),
        (67, NotFound),
        (1219, FailedPrecondition),
        (1326, PermissionDenied),
        (65, PermissionDenied),
    ],
)
def test_a_code_and_the_hresult_that_wraps_it_arrive_alike(code, error):
    hresult = CimError(0x80070000 | code, "ExecMethod")
    for windows in (Windows(code=code), Windows(failure=hresult)):
        with refused(error, code):
            SmbMappings(windows).create(SHARE, r"a\b", Secret("x"), require_privacy=True)


@pytest.mark.parametrize(
    "windows", [Windows(code=2250), Windows(code=1168), Windows(failure=CimError(0x80041002, "ExecMethod"))]
)
def test_a_mapping_that_has_gone_meanwhile_is_as_good_as_removed(windows):
    SmbMappings(windows).remove(SmbMappings(windows).all()[0])
    assert windows.called == [(windows.found[0], "Remove", {"Force": True})]


@pytest.mark.parametrize(
    ("windows", "code"), [(Windows(code=5), 5), (Windows(failure=CimError(0x80041003, "ExecMethod")), 5)]
)
def test_another_failure_to_remove_one_is_told(windows, code):
    with refused(PermissionDenied, code):
        SmbMappings(windows).remove(SmbMappings(windows).all()[0])
