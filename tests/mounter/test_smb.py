r"""Shares: logins from options, and mappings with links on a real server."""

import pytest
from tests.samba import HOST, USER

from csiproxy.client import connect
from csiproxy.errors import AlreadyExists, CsiProxyError, InvalidArgument, PermissionDenied
from csiproxy.mounter import smb
from csiproxy.mounter.smb import Login, login


@pytest.mark.parametrize(
    ("options", "sensitive", "found"),
    [
        ([], [], Login()),
        (["rw"], [], Login()),
        (["username=u"], ["password=p"], Login("u", "p")),
        (["user=u", "dom=D", "_netdev"], ["pass=p=q"], Login(r"D\u", "p=q")),
        (["domain=D"], [r"username=E\u", "password=p"], Login(r"E\u", "p")),
        ([r"AZURE\u"], ["password=looks named"], Login(r"AZURE\u", "password=looks named")),
        ([], ["u", "p"], Login("u", "p")),
    ],
)
def test_user_and_password_are_read_named_or_alone(options, sensitive, found):
    assert login(options, sensitive) == found


@pytest.mark.parametrize(
    ("options", "sensitive"),
    [(["u"], ["p", "q"]), (["vers=3.0"], []), (["username=u"], ["hidden"]), (["ro"], []), ([], ["hidden"])],
)
def test_anything_else_is_refused_without_showing_what_is_sensitive(options, sensitive):
    with pytest.raises(InvalidArgument) as refused:
        login(options, sensitive)
    assert "hidden" not in str(refused.value)


def test_a_login_that_is_printed_hides_its_password():
    assert "hidden" not in repr(Login("u", "hidden"))


@pytest.mark.foreign
def test_a_share_is_mounted_again_and_unmounted(node, client, mounter, samba, staging):
    samba.share("mounter")
    user, password = samba.user(), samba.passwords[USER]
    node.control.set_smb_server("files", HOST, samba.port)
    node.path(staging).mkdir(parents=True)
    for _ in range(2):
        mounter.mount_sensitive(
            "//files/mounter", staging, "cifs", [f"username={user}"], [f"password={password}"]
        )
    assert mounter.is_mount_point(staging)
    for _ in range(2):
        smb.unmount(client, staging, "//files/mounter")
    assert not node.path(staging).is_symlink()


@pytest.mark.foreign
def test_a_wrong_password_is_said_by_our_server(node, samba, staging):
    samba.share("mounter")
    node.control.set_smb_server("files", HOST, samba.port)
    with connect(node.endpoints) as client, pytest.raises(PermissionDenied) as refused:
        smb.mount(client, r"\\files\mounter", staging, Login(samba.user(), "hidden and wrong"))
    assert refused.value.windows_code == 1326
    assert "hidden" not in str(refused.value)


def test_what_stands_at_the_target_is_not_replaced(node, client, mounter, staging, published):
    node.path(staging).mkdir(parents=True)
    (node.path(staging) / "precious").write_text("data")
    with pytest.raises(CsiProxyError):
        smb.mount(client, r"\\files\mounter", staging)
    assert (node.path(staging) / "precious").exists()
    with pytest.raises(CsiProxyError):
        smb.unmount(client, staging)


@pytest.mark.foreign
def test_a_link_that_leads_elsewhere_is_told_by_our_server(node, samba, mounter, staging, published):
    samba.share("mounter")
    node.control.set_smb_server("files", HOST, samba.port)
    node.path(published).mkdir(parents=True)
    mounter.mount(published, staging, options=["bind"])
    with connect(node.endpoints) as client, pytest.raises(AlreadyExists):
        smb.mount(client, r"\\files\mounter", staging, Login(samba.user(), samba.passwords[USER]))
