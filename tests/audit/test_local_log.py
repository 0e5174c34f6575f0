"""Records reach journald and syslog as each of them wants them."""

import os
import re
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from csiproxy.audit.copies import Entry, Level
from csiproxy.audit.local_log import Journald, Syslog

TEXT = '{"rpc":"/v1.Disk/Rescan"}'


@contextmanager
def daemon(path: str) -> Iterator[socket.socket]:
    """A log daemon's socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
        made.bind(path)
        made.settimeout(20)
        yield made


@pytest.fixture
def path() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="l") as directory:
        yield f"{directory}/log"


def test_journald_gets_fields(path):
    with daemon(path) as log:
        sink = Journald(path)
        sink.write(Entry("/v1.Disk/Rescan", Level.WARNING, TEXT))
        fields = dict(line.split("=", 1) for line in log.recv(65536).decode().splitlines())
        sink.close()
    assert fields == {
        "MESSAGE": TEXT,
        "PRIORITY": "4",
        "SYSLOG_IDENTIFIER": "csi-proxy",
        "SYSLOG_FACILITY": "10",
        "CSI_PROXY_RECORD": "/v1.Disk/Rescan",
    }


def test_no_name_adds_a_field(path):
    with daemon(path) as log:
        sink = Journald(path)
        sink.write(Entry("/x\nMESSAGE=forged", Level.INFO, TEXT))
        assert len(log.recv(65536).decode().splitlines()) == 5
        sink.close()


def test_journald_gets_a_record_that_is_larger_than_a_datagram_as_a_sealed_file(path):
    with daemon(path) as log:
        sink = Journald(path)
        large = '{"pad":"' + "x" * 1_000_000 + '"}'
        sink.write(Entry("start", Level.INFO, large))
        _, descriptors, _, _ = socket.recv_fds(log, 100, 1)
        with os.fdopen(descriptors[0], "rb") as file:
            file.seek(0)
            assert file.read().startswith(f"MESSAGE={large}\n".encode())
        with pytest.raises(OSError):
            os.truncate(f"/proc/self/fd/{descriptors[0]}", 0)
        sink.close()


def test_syslog_gets_a_line_with_priority_time_and_name(path):
    with daemon(path) as log:
        sink = Syslog(path)
        sink.write(Entry("start", Level.ERROR, TEXT))
        line = log.recv(65536).decode()
        sink.close()
    assert re.fullmatch(
        r"<83>[A-Z][a-z]{2} [ 123]\d \d\d:\d\d:\d\d csi-proxy\[\d+\]: " + re.escape(TEXT), line
    )


@pytest.mark.parametrize("kind", [Journald, Syslog])
def test_a_log_that_is_not_there_is_an_error_and_one_that_comes_back_is_used(path, kind):
    sink = kind(path)
    with pytest.raises(OSError):
        sink.write(Entry("start", Level.INFO, TEXT))
    with daemon(path) as log:
        sink.write(Entry("start", Level.INFO, TEXT))
        assert TEXT.encode() in log.recv(65536)
    with pytest.raises(OSError):
        sink.write(Entry("start", Level.INFO, TEXT))
    Path(path).unlink()
    with daemon(path) as log:
        sink.write(Entry("stop", Level.INFO, TEXT))
        assert TEXT.encode() in log.recv(65536)
    sink.close()


@pytest.mark.parametrize("kind", [Journald, Syslog])
def test_a_log_that_takes_no_more_does_not_hold_up(path, kind):
    with daemon(path):
        sink = kind(path)

        def fill() -> None:
            for _ in range(100_000):
                sink.write(Entry("start", Level.INFO, TEXT))

        with pytest.raises(BlockingIOError):
            fill()
        sink.close()
