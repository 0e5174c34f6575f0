"""A private file has an access list of its own, and one that others may open is told."""

import os
import sys
from pathlib import Path

import pytest

if sys.platform != "win32":
    pytest.skip("runs on Windows (make test-wine)", allow_module_level=True)

import win32security
from tests.audit.trails import KEY, TrailDirectory

from csiproxy.audit.head import Head, Taken
from csiproxy.audit.verification import verify
from csiproxy.windows import private_file

pytestmark = pytest.mark.windows


def test_a_new_file_is_opened_again_and_keeps_its_content(tmp_path: Path) -> None:
    path = str(tmp_path / "key")
    descriptor = private_file.open_private(path, create=True)
    os.write(descriptor, b"secret\n")
    os.close(descriptor)
    descriptor = private_file.open_private(path, create=False)
    assert os.read(descriptor, 100) == b"secret\n"
    os.close(descriptor)
    assert private_file.problem_with(path) == ""


def test_a_missing_file_is_not_made_unasked(tmp_path: Path) -> None:
    with pytest.raises(OSError) as caught:
        private_file.open_private(str(tmp_path / "missing"), create=False)
    assert caught.value.winerror == 2


def test_a_file_that_everybody_may_read_is_told(tmp_path: Path) -> None:
    path = str(tmp_path / "key")
    Path(path).write_bytes(b"")
    open_to_all = win32security.ConvertStringSecurityDescriptorToSecurityDescriptor(
        "D:P(A;;FR;;;WD)(A;;FA;;;BA)", win32security.SDDL_REVISION_1
    )
    win32security.SetFileSecurity(path, win32security.DACL_SECURITY_INFORMATION, open_to_all)
    assert "is open to" in private_file.problem_with(path)


def test_a_trail_is_chained_rotated_and_resumed_here_too(tmp_path: Path) -> None:
    trail = TrailDirectory(tmp_path / "t", largest=2000, kept=3)
    for _ in range(2):
        trail.write(range(30))
    report = verify(trail.path, {KEY.id: KEY.secret}, lambda: None, unsigned=True)
    assert report.findings == []
    assert report.files == 4


def test_a_head_has_one_owner(tmp_path: Path) -> None:
    path = str(tmp_path / "head")
    with Head(private_file.open_private(path, create=True)):
        with pytest.raises(Taken):
            Head(private_file.open_private(path, create=True))
    Head(private_file.open_private(path, create=True)).close()
