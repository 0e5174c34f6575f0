"""Every rule of the table that concerns the serving end, through a real server and through its core."""

from collections.abc import Iterator

import pytest
from tests.rpc.conformance.row import PROBE, Seen
from tests.rpc.conformance.served import Servers, alone
from tests.rpc.conformance.table import SERVER_ROWS

from csiproxy.rpc import frames


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    made = Servers(tmp_path_factory.mktemp("s"))
    yield made
    made.stop()


def said(seen: Seen) -> str:
    return f"{seen.all} resets {seen.resets} goaway {seen.goaway}"


@pytest.mark.parametrize("name", SERVER_ROWS)
def test_a_server_follows_the_rule(servers: Servers, name: str) -> None:
    row = SERVER_ROWS[name]
    seen = servers.play(row)
    assert row.holds(seen), said(seen)
    assert row.unexpected(seen) == []
    assert seen.all[0].type == frames.SETTINGS
    assert "ACK" not in seen.all[0].flags
    assert all(len(frame.serialize()) <= 9 + frames.FRAME_BYTES for frame in seen.all)


@pytest.mark.parametrize("name", SERVER_ROWS)
def test_the_core_follows_the_rule_in_whatever_pieces_the_bytes_come(name: str) -> None:
    row = SERVER_ROWS[name]
    wire = row.opening + row.wire + row.then + PROBE
    whole = alone(row, iter([row.opening, row.wire, row.then, PROBE]))
    single = alone(row, (wire[at : at + 1] for at in range(len(wire))))
    for seen in (whole, single):
        assert row.holds(seen), said(seen)
        assert row.unexpected(seen) == []
    if not row.ends:  # calls of the same data as a connection's error are dropped
        assert (whole.resets, whole.heads, whole.data) == (single.resets, single.heads, single.data)
