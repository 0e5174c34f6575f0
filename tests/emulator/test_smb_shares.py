"""Mounts come and go with what they belong to, and links lead to them or nowhere."""

import json
import os
import signal
import subprocess
import sys

import pytest
from tests import leaks
from tests.running import until
from tests.samba import HOST, USER

from csiproxy.emulator import smb_mount
from csiproxy.emulator.smb_session import Login
from csiproxy.emulator.smb_shares import SCHEMA, Shares, Show, _unescaped, chosen
from csiproxy.emulator.state import State
from csiproxy.errors import Win32Error

pytestmark = pytest.mark.foreign


@pytest.fixture
def login(samba, foreign) -> Login:
    foreign("fusermount3")
    user = samba.user()
    samba.share()
    return Login("Files", "Data", HOST, samba.port, user, samba.passwords[USER], True)


@pytest.fixture
def shares(tmp_path):
    shares = Shares(str(tmp_path), Show.FUSE)
    yield shares
    shares.close()


def processes() -> list[str]:
    """The mounts' processes of this host, by their command lines."""
    listing = subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout
    return [line for line in listing.splitlines() if "csiproxy.emulator.smb_mount" in line]


def test_a_shares_files_are_there_while_it_is_mounted(shares, login, samba, tmp_path):
    directory = shares.directory("FILES", "data")
    assert directory == str(tmp_path / "smb" / "files" / "data" / "files")
    assert not os.path.exists(directory)
    shares.mount(login)
    with open(os.path.join(directory, "a"), "w") as file:
        file.write("text")
    assert (samba.share() / "a").read_text() == "text"
    shares.require_usable("files", "data", "call")
    assert shares.is_shown("files", "data")
    shares.unmount("files", "data")
    shares.unmount("files", "data")
    assert not os.path.exists(directory)
    assert not any(str(tmp_path) in line for line in processes())


def test_neither_command_line_nor_environment_nor_any_file_has_the_password(shares, login, tmp_path):
    shares.mount(login)
    listing = leaks.process_listing()
    assert str(tmp_path) in listing
    assert not leaks.look(listing)
    shares.close()
    leaks.search(tmp_path)


def test_a_mount_whose_process_dies_is_taken_away_and_noticed(shares, login, tmp_path):
    shares.mount(login)
    [mount] = shares._mounts.values()
    mount._process.kill()
    until(lambda: not shares.is_shown("files", "data"))
    shares.unmount("files", "data")
    shares.mount(login)
    assert os.path.isdir(shares.directory("files", "data"))


def test_somebody_who_is_in_there_does_not_keep_a_mount(shares, login):
    shares.mount(login)
    directory = os.open(shares.directory("files", "data"), os.O_RDONLY)
    shares.close()
    with pytest.raises(OSError):
        os.listdir(directory)
    os.close(directory)


def test_the_death_of_whoever_mounted_it_ends_a_mount(login, tmp_path):
    program = """
import json, sys, time
from csiproxy.emulator.smb_session import Login
from csiproxy.emulator.smb_shares import Shares, Show
Shares(sys.argv[1], Show.FUSE).mount(Login(*json.loads(sys.stdin.readline())))
print("mounted", flush=True)
time.sleep(1000)
"""
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    fields = [login.server, login.share, login.host, login.port, login.user, login.password, True]
    child.stdin.write(json.dumps(fields).encode() + b"\n")
    child.stdin.close()
    assert child.stdout.readline() == b"mounted\n"
    assert os.path.ismount(tmp_path / "smb" / "files" / "data")
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    until(lambda: not os.path.ismount(tmp_path / "smb" / "files" / "data"))
    until(lambda: not any(str(tmp_path) in line for line in processes()))


def test_the_dead_mount_of_an_earlier_node_is_taken_away_at_the_start(login, tmp_path):
    place = tmp_path / "smb" / "files" / "data"
    place.mkdir(parents=True)
    # Its process dies when there is no node any more, so nobody is left to take it away.
    command = [sys.executable, "-m", smb_mount.__name__, str(place)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as mounting:
        orders = {
            name: getattr(login, name) for name in ("host", "port", "share", "user", "password", "privacy")
        }
        mounting.stdin.write(json.dumps(orders).encode() + b"\n")
        mounting.stdin.flush()
        assert mounting.stdout.readline() == b"READY\n"
        mounting.kill()
    with pytest.raises(OSError):
        os.listdir(place)
    Shares(str(tmp_path), Show.FUSE)
    assert os.listdir(place) == []


def test_what_is_missing_is_named_and_a_share_without_it_can_be_mapped(login, tmp_path, monkeypatch):
    # A module of that name that cannot be imported, in front of all others.
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "mfusepy.py").write_text("raise ImportError('no such module')")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'path'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    shares = Shares(str(tmp_path), Show.FUSE)
    shares.mount(login)
    with pytest.raises(Win32Error) as caught:
        shares.require_usable("files", "data", "CreateSymbolicLinkW")
    assert caught.value.windows_code == 50
    assert "pip install 'csi-proxy[smb]'" in str(caught.value)
    assert "--smb-files none" in str(caught.value)
    assert shares.is_shown("files", "data")
    shares.unmount("files", "data")
    shares.require_usable("files", "data", "CreateSymbolicLinkW")


def test_nothing_is_mounted_where_the_operator_wants_nothing_shown(login, tmp_path):
    shares = Shares(str(tmp_path), Show.NONE)
    shares.mount(login)
    shares.require_usable("files", "data", "call")
    assert not os.path.exists(shares.directory("files", "data"))


def test_what_the_operator_chose_holds_until_he_chooses_again(tmp_path):
    state = State(str(tmp_path / "state.db"), SCHEMA)
    assert chosen(state, None) is Show.FUSE
    assert chosen(state, Show.NONE) is Show.NONE
    assert chosen(state, None) is Show.NONE
    state.close()


def test_the_kernels_spelling_of_a_mount_point_is_read():
    assert _unescaped(r"/a\040b/c\134d") == r"/a b/c\d"


@pytest.mark.parametrize("name", ["a/b", "..", "a?b"])
def test_a_name_that_is_none_has_no_directory(shares, name):
    with pytest.raises(Win32Error):
        shares.directory("files", name)
