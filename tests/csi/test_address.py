import pytest

from csiproxy.csi import address
from csiproxy.errors import InvalidArgument


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("unix:///csi/csi.sock", "/csi/csi.sock"),
        ("unix:/csi/csi.sock", "/csi/csi.sock"),
        ("/run/csi/socket", "/run/csi/socket"),
        (r"unix://C:\csi\csi.sock", r"C:\csi\csi.sock"),
        (r"unix://C:\\csi\\csi.sock", r"C:\\csi\\csi.sock"),
        ("csi.sock", "csi.sock"),
    ],
)
def test_an_address_of_a_unix_socket_is_its_path(text, path):
    assert address.socket_path(text) == path


@pytest.mark.parametrize("text", ["", "unix://", "tcp://127.0.0.1:10000", "http://x/y", "unix://a\0b"])
def test_what_is_no_unix_socket_is_refused(text):
    with pytest.raises(InvalidArgument, match="unix:///csi"):
        address.socket_path(text)


def test_a_listener_makes_its_directory_and_a_client_reaches_it(short_directory):
    path = str(short_directory / "new" / "s.sock")
    listener = address.listen(path, "x")
    address.dial(path).close()
    listener.close()
    with pytest.raises(OSError):
        address.dial(path)
