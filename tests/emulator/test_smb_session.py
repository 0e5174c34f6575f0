"""Sessions with a real server, and what Windows calls their failures."""

import socket
import struct
import subprocess
import sys
import threading

import pytest
from tests.running import until
from tests.samba import HOST, USER

from csiproxy.emulator.smb_session import CODES, Login, SmbSession
from csiproxy.errors import Win32Error


def login(samba, *, user=None, password=None, share="data", port=None, privacy=True, host=HOST) -> Login:
    name = samba.user()
    samba.share()
    return Login(
        "files", share, host, port or samba.port, user or name, password or samba.passwords[USER], privacy
    )


@pytest.mark.parametrize(("server", "privacy"), [("samba", True), ("samba", False), ("plain_samba", False)])
def test_a_session_lives_until_it_is_closed(server, privacy, request):
    session = SmbSession.open(login(request.getfixturevalue(server), privacy=privacy))
    # A server that can encrypt and would like to is not kept from it.
    assert session._session.encrypt_data is (server == "samba")
    assert session.is_alive()
    session.close()
    assert not session.is_alive()
    session.close()


def test_a_server_that_goes_away_is_noticed(samba):
    session = SmbSession.open(login(samba))
    samba.stop()
    assert not session.is_alive()
    samba.start()
    assert not session.is_alive()
    session.close()


def refusal(wanted: Login, **options: float) -> Win32Error:
    threads = threading.active_count()
    with pytest.raises(Win32Error) as caught:
        SmbSession.open(wanted, **options)
    assert wanted.password not in str(caught.value)
    until(lambda: threading.active_count() <= threads)
    return caught.value


def test_refusals_have_windows_codes(samba, secret):
    assert refusal(login(samba, password=secret())).windows_code == 1326
    assert refusal(login(samba, user=r"WORKGROUP\nobody-at-all")).windows_code == 1326
    assert refusal(login(samba, share="nothing")).windows_code == 67
    assert refusal(login(samba, host="nobody.invalid")).windows_code == 53


def test_a_share_that_the_user_may_not_use_is_access_denied(samba):
    samba.share("private", users="root")
    assert refusal(login(samba, share="private")).windows_code == 5


def test_a_server_without_encryption_is_refused_where_it_is_required(plain_samba):
    assert refusal(login(plain_samba)).windows_code == 65
    SmbSession.open(login(plain_samba, privacy=False)).close()


def test_what_does_not_speak_smb_is_not_found(samba):
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        wanted = login(samba, port=port)

        def answer() -> None:
            connection, _ = server.accept()
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        assert refusal(wanted).windows_code == 53
        thread.join()
    assert refusal(wanted).windows_code == 53  # and now nobody listens there


def test_a_connection_that_is_reset_is_an_error_and_no_noise():
    """On standard error, where a node's own failures stand."""
    program = """
import sys
from csiproxy.emulator.smb_session import Login, SmbSession
try:
    SmbSession.open(Login("s", "s", sys.argv[1], int(sys.argv[2]), "u", "p", True))
except Exception as error:
    print(error.windows_code)
"""
    with socket.create_server((HOST, 0)) as server:
        port = str(server.getsockname()[1])
        command = [sys.executable, "-c", program, HOST, port]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            connection, _ = server.accept()
            connection.recv(4096)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
            assert process.communicate() == ("53\n", "")


def test_every_code_is_one_of_windows():
    assert all(0 < code < 16000 for code in CODES.values())


def test_a_login_does_not_show_its_password(samba):
    shown = repr(login(samba))  # first: it is what makes the user
    assert samba.passwords[USER] not in shown


def test_the_module_is_imported_with_the_first_session_and_its_absence_names_the_command():
    program = """
import sys
from csiproxy.emulator import machine, node, smb_session
assert not [name for name in sys.modules if name.startswith(("smbprotocol", "spnego", "mfusepy"))]
sys.modules["smbprotocol"] = None
try:
    smb_session.SmbSession.open(smb_session.Login("s", "s", "h", 1, "u", "p", True))
except Exception as error:
    print(type(error).__name__, hex(error.hresult), error.detail)
"""
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert said.startswith("CimError 0x80070032 ")
    assert "pip install 'csi-proxy[smb]'" in said


def test_a_server_that_takes_the_connection_and_never_answers_is_given_up(samba):
    with socket.create_server((HOST, 0)) as server:
        wanted = login(samba, port=server.getsockname()[1])
        assert refusal(wanted, seconds=0.2).windows_code == 53
