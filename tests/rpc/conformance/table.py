"""The whole table."""

from tests.rpc.conformance import (
    client_rows,
    connection_rows,
    frame_rows,
    grpc_rows,
    hpack_rows,
    message_rows,
)
from tests.rpc.conformance.client_rows import ClientRow
from tests.rpc.conformance.row import Row, numbered

SERVER_ROWS: dict[str, Row] = numbered(
    (*connection_rows.ROWS, *frame_rows.ROWS, *message_rows.ROWS, *hpack_rows.ROWS, *grpc_rows.ROWS)
)
CLIENT_ROWS: dict[str, ClientRow] = numbered(client_rows.ROWS)
