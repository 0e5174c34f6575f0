"""Names of servers lead where the operator says, and else into the network."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.emulator.inventory import SmbServerReport
from csiproxy.emulator.smb_servers import SCHEMA, SmbServers, parse
from csiproxy.emulator.state import State
from csiproxy.errors import Win32Error


@pytest.fixture
def servers(tmp_path):
    state = State(str(tmp_path / "state.db"), SCHEMA)
    yield SmbServers(state)
    state.close()


def test_a_name_without_a_place_is_the_networks(servers):
    assert servers.place("files.test") == ("files.test", 445)
    assert servers.place("fe80--7s2.ipv6-literal.net") == ("fe80::7%2", 445)


def test_a_place_is_kept_whatever_the_case_of_the_name_until_it_is_removed(servers):
    servers.set("Files", "127.0.0.1", 1445)
    servers.set("FILES", "127.0.0.1", 2445)
    assert servers.place("files") == ("127.0.0.1", 2445)
    assert servers.reports() == (SmbServerReport("FILES", "127.0.0.1", 2445),)
    servers.remove("fileS")
    assert servers.place("files") == ("files", 445)
    with pytest.raises(Win32Error) as caught:
        servers.remove("files")
    assert caught.value.windows_code == 1168


@pytest.mark.parametrize(
    ("name", "host", "port"), [("", "h", 1), ("a/b", "h", 1), ("a", "", 1), ("a", "h", 65536)]
)
def test_what_is_no_place_is_refused(servers, name, host, port):
    with pytest.raises(Win32Error) as caught:
        servers.set(name, host, port)
    assert caught.value.windows_code == 87
    assert servers.reports() == ()


@pytest.mark.parametrize(
    ("text", "report"),
    [
        ("files=127.0.0.1:1445", SmbServerReport("files", "127.0.0.1", 1445)),
        ("a.b-c_d=host:1", SmbServerReport("a.b-c_d", "host", 1)),
        ("files=[::1]:445", SmbServerReport("files", "::1", 445)),
    ],
)
def test_an_operators_text_names_a_place(text, report):
    assert parse(text) == report


@given(text=st.text(alphabet="ab=:[]19./ ", max_size=20))
def test_any_other_text_is_refused(text):
    try:
        found = parse(text)
    except ValueError:
        return
    assert text.startswith(f"{found.name}=")
    assert int(text.rpartition(":")[2]) == found.port
    assert 0 < found.port < 65536
