"""The same bytes at another implementation (h2): does the connection end, which streams are reset."""

from dataclasses import dataclass

import h2.config
import h2.connection
import h2.exceptions
import h2.settings
from h2.settings import SettingCodes
from tests.rpc.conformance.row import ConnectionEnds, Row, StreamEnds
from tests.rpc.wire import read_frames

from csiproxy.rpc import frames
from csiproxy.rpc.frames import Reason


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an end does about the protocol; what is served over it is left out."""

    goaway: Reason | None
    resets: frozenset[tuple[int, Reason]]


def expected(row: Row) -> Verdict:
    """What the table says."""
    ends = [outcome.reason for outcome in row.outcomes if isinstance(outcome, ConnectionEnds)]
    resets = frozenset(
        (outcome.stream, outcome.reason)
        for outcome in row.outcomes
        if isinstance(outcome, StreamEnds) and outcome.reason is not Reason.NO_ERROR
    )
    return Verdict(ends[0] if ends else None, resets)


def judged(row: Row) -> Verdict:
    """What h2 says, with the settings that our server announces."""
    end = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
    room = row.limits.message_bytes + 5 + 64 * 1024
    end.local_settings = h2.settings.Settings(
        client=False,
        initial_values={
            SettingCodes.MAX_CONCURRENT_STREAMS: row.limits.streams,
            SettingCodes.INITIAL_WINDOW_SIZE: room,
            SettingCodes.MAX_HEADER_LIST_SIZE: row.limits.header_list_bytes,
        },
    )
    end.initiate_connection()
    end.increment_flow_control_window(1 << 22)
    goaway = None
    try:
        end.receive_data(row.opening + row.wire + row.then)
    except h2.exceptions.ProtocolError as error:
        goaway = Reason(error.error_code)
    resets = frozenset(
        (frame.stream_id, Reason(frame.error_code))
        for frame in read_frames(end.data_to_send())
        if frame.type == frames.RST_STREAM
    )
    return Verdict(goaway, resets)
