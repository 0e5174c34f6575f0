"""Group smb in all its versions, called by clients that share nothing with the program."""

import os
import subprocess
import sys

import pytest
from tests import leaks
from tests.conformance.running import Running
from tests.conformance.wire import names_of_protos
from tests.samba import HOST, OTHER, USER

from csiproxy.emulator.connect import connect

pytestmark = pytest.mark.foreign
VERSIONS = [name for name in names_of_protos() if name.startswith("smb/")]
# Their replies have an error text, which stays empty.
WITH_ERROR = ("smb/v1alpha1", "smb/v1beta1")
SHARE = r"\\files\data"


@pytest.fixture(params=VERSIONS)
def name(request) -> str:
    return request.param


@pytest.fixture
def server(running, samba, foreign):
    foreign("fusermount3")
    running.control.set_smb_server("files", HOST, samba.port)
    samba.user()
    samba.share()
    yield samba
    leaks.search(running.directory)


def login(server, user: str = USER) -> dict[str, str]:
    return {"username": server.user(user), "password": server.passwords[user]}


def mapped(running: Running) -> list[str]:
    found = connect(running.node, start=False).cim.instances("MSFT_SmbGlobalMapping")
    return [one.text("RemotePath") for one in found]


def test_every_version_of_the_group_is_in_the_suite(apis):
    assert [name for name in apis if name.startswith("smb/")] == VERSIONS
    assert len(VERSIONS) == 4


def test_a_share_is_linked_used_and_given_back(running, claim, server, name):
    smb, files = running.client(name), running.client("filesystem/v1")
    for _ in range(2):
        reply = smb("NewSmbGlobalMapping", remote_path=SHARE, local_path=claim.staging, **login(server))
        assert getattr(reply, "error", "") == ""
        assert hasattr(reply, "error") == (name in WITH_ERROR)
    files("CreateSymlink", source_path=claim.staging, target_path=claim.published)
    assert files("IsSymlink", path=claim.staging).is_symlink
    assert files("IsSymlink", path=claim.published).is_symlink
    file = f"{name.replace('/', '-')}-{os.path.basename(running.on_host(claim.pod.rpartition(chr(92))[0]))}"
    running.write(claim.published + f"\\{file}", name)
    assert (server.share() / file).read_text() == name
    files("Rmdir", path=claim.published, force=True)
    for _ in range(2):
        smb("RemoveSmbGlobalMapping", remote_path=SHARE + r"\sub")
        assert mapped(running) == [SHARE]  # the staging link still uses it
    files("Rmdir", path=claim.staging, force=True)
    assert mapped(running) == []
    smb("RemoveSmbGlobalMapping", remote_path=SHARE)
    assert (server.share() / file).read_text() == name


def test_a_mapping_alone_comes_and_goes(running, server, name):
    smb = running.client(name)
    smb("NewSmbGlobalMapping", remote_path="//FILES/Data/", **login(server))
    assert mapped(running) == [SHARE]
    smb("RemoveSmbGlobalMapping", remote_path=r"\\files\DATA" + "\\")
    assert mapped(running) == []


def test_refusals_carry_a_status_a_windows_code_and_a_sentence(running, claim, server, name):
    smb = running.client(name)

    def refused(remote: str = SHARE, **fields: str) -> list:
        return list(smb.refused("NewSmbGlobalMapping", **{"remote_path": remote, **login(server), **fields}))

    assert refused("") == ["INVALID_ARGUMENT", 123]
    assert refused(r"\\files") == ["INVALID_ARGUMENT", 123]
    assert refused(r"\\localhost\c$") == ["PERMISSION_DENIED", 5]
    assert refused(local_path=r"C:\Windows\x") == ["PERMISSION_DENIED", 5]
    assert refused(local_path=r"relative") == ["INVALID_ARGUMENT", 161]
    assert refused(local_path=claim.staging + r"\missing\x") == ["NOT_FOUND", 3]
    assert refused(local_path=claim.pod) == ["ALREADY_EXISTS", 183]
    assert refused(r"\\files\nothing") == ["NOT_FOUND", 67]
    assert refused(r"\\nobody.invalid\data") == ["UNAVAILABLE", 53]
    assert refused(username="nobody") == ["INVALID_ARGUMENT", 1312]
    assert refused(password=leaks.draw()) == ["PERMISSION_DENIED", 1326]
    assert mapped(running) == []
    smb("NewSmbGlobalMapping", remote_path=SHARE, local_path=claim.staging, **login(server))
    server.share("more")
    assert refused(r"\\files\more", **login(server, OTHER)) == ["FAILED_PRECONDITION", 1219]
    running.client("filesystem/v1")("Rmdir", path=claim.staging, force=True)
    smb("RemoveSmbGlobalMapping", remote_path=SHARE)


def test_mapped_shares_are_shown_on_the_command_line(running, claim, server, name):
    smb = running.client(name)
    smb("NewSmbGlobalMapping", remote_path=SHARE, local_path=claim.staging, **login(server))
    shown = _shown(running, "get", "shares")
    assert SHARE in shown
    assert claim.staging in shown
    assert " OK " in shown
    assert "share " + SHARE in _shown(running, "tree")
    assert "files" in _shown(running, "emulator", "smb-server", "list")
    running.client("filesystem/v1")("Rmdir", path=claim.staging, force=True)
    smb("RemoveSmbGlobalMapping", remote_path=SHARE)


def _shown(running: Running, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "csiproxy", *command, "--state", running.node],
        env={**os.environ, "COLUMNS": "500"},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout
