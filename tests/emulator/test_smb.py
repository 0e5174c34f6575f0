"""MSFT_SmbGlobalMapping as its clients see it: its codes, its status, and what a restart leaves of it."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import leaks
from tests.emulated import PODS, EmulatedNode
from tests.samba import HOST, OTHER, USER, Samba

from csiproxy.emulator.smb import DISCONNECTED, OK, _parts
from csiproxy.errors import Win32Error
from csiproxy.storage.smb import credential

CLASS = "MSFT_SmbGlobalMapping"
ROOT = r"\\files\data"


class Client:
    """A program that maps shares on a node."""

    def __init__(self, node: EmulatedNode, samba: Samba) -> None:
        self.node, self.samba = node, samba
        samba.share()
        node.machine.smb_servers.set("files", HOST, samba.port)

    def create(self, path: str | None = ROOT, user: str = USER, **parameters) -> int:
        name = self.samba.user(user)
        parameters.setdefault("Credential", credential(name, self.samba.passwords[user]))
        session = self.node.machine.session
        result = session.invoke(CLASS, "Create", RemotePath=path, RequirePrivacy=True, **parameters)
        made = result.instance("CreatedMapping")
        assert (made is not None) == (result.return_value == 0)
        return result.return_value

    def found(self, **where) -> list[tuple[str, int]]:
        instances = self.node.machine.session.instances(CLASS, **where)
        return [(one.text("RemotePath"), one.number("Status")) for one in instances]

    def remove(self) -> int:
        [instance] = self.node.machine.session.instances(CLASS)
        assert self.node.machine.session.invoke(instance, "Remove", Force=True).return_value == 0
        return self.node.machine.session.invoke(instance, "Remove", Force=True).return_value


@pytest.fixture
def client(samba, tmp_path):
    node = EmulatedNode(tmp_path)
    client = Client(node, samba)
    yield client
    client.node.close()


def test_a_mapping_is_listed_with_its_properties_until_it_is_removed(client):
    assert client.create() == 0
    [instance] = client.node.machine.session.instances(CLASS)
    assert dict(instance.properties) == {
        "LocalPath": "",
        "RemotePath": ROOT,
        "RequireIntegrity": False,
        "RequirePrivacy": True,
        "Status": OK,
        "UseWriteThrough": False,
    }
    assert client.found(RemotePath=r"\\FILES\data") == [(ROOT, OK)]
    assert client.found(RemotePath=r"\\files\other") == []
    assert client.remove() == 2250
    assert client.found() == []


@pytest.mark.parametrize(
    ("path", "parameters", "code"),
    [
        (None, {}, 87),
        (r"\\files", {}, 87),
        (ROOT + "\\", {}, 87),
        (ROOT + r"\sub", {}, 87),
        ("//files/data", {}, 87),
        (ROOT, {"LocalPath": "Z:"}, 50),
        (ROOT, {"Credential": None}, 1326),
        (ROOT, {"Credential": "no colon"}, 87),
        (ROOT, {"Credential": "user:password"}, 1312),
    ],
)
def test_what_windows_refuses_is_refused_before_the_server_is_asked(client, path, parameters, code):
    client.samba.stop()
    try:
        assert client.create(path, **parameters) == code
    finally:
        client.samba.start()
    assert client.found() == []


def test_one_path_is_mapped_once_and_one_server_with_one_account(client):
    client.samba.share("more")
    assert client.create() == 0
    assert client.create() == 1219
    assert client.create(r"\\files\more", OTHER) == 1219
    assert client.create(r"\\FILES\more") == 0
    assert client.found() == [(ROOT, OK), (r"\\FILES\more", OK)]


def test_after_a_restart_a_mapping_is_disconnected_and_in_the_way(client, tmp_path):
    assert client.create() == 0
    client.node.close()
    client.node = EmulatedNode(tmp_path)
    assert client.found() == [(ROOT, DISCONNECTED)]
    assert client.create() == 1219
    assert client.remove() == 2250
    assert client.create() == 0
    assert client.found() == [(ROOT, OK)]


def test_the_status_follows_the_server(client):
    assert client.create() == 0
    client.samba.stop()
    assert client.found() == [(ROOT, DISCONNECTED)]
    client.samba.start()
    assert client.found() == [(ROOT, DISCONNECTED)]  # it does not connect again by itself


def test_a_reset_ends_every_mapping_and_keeps_the_places_of_servers(client):
    assert client.create() == 0
    client.node.machine.reset()
    assert client.found() == []
    assert [one.name for one in client.node.machine.smb_servers.reports()] == ["files"]


def test_the_nodes_directory_has_no_password(client, tmp_path):
    assert client.create() == 0
    leaks.search(tmp_path)
    assert client.samba.passwords[USER].encode() not in (tmp_path / "node" / "state.db").read_bytes()


@given(text=st.text(max_size=30))
def test_whatever_is_given_as_a_credential_is_taken_apart_or_refused(text):
    try:
        user, password = _parts(text)
    except Win32Error as error:
        assert error.windows_code in (87, 1312)
        return
    assert credential(user, password) == text or "\\" in text


def test_a_link_to_a_share_that_nobody_has_mapped_leads_nowhere(client):
    client.node.make(PODS)
    link = PODS + r"\link"
    with client.node.machine.win32.open_root(PODS) as pods:
        client.node.machine.win32.set_link(pods, "link", r"\\files\data\sub", replace=False)
        entry = client.node.machine.win32.entry(pods, "link")
    assert entry.target == r"\\files\data\sub"
    with pytest.raises(OSError):
        os.listdir(client.node.on_host(link))
