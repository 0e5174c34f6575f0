"""The page of metrics over HTTP."""

import http.client
import socket
from collections.abc import Iterator

import pytest

from csiproxy.server.metrics_page import MetricsPage


@pytest.fixture
def page() -> Iterator[MetricsPage]:
    served = MetricsPage("127.0.0.1:0", lambda: "up 1\n")
    yield served
    served.close()


def get(page: MetricsPage, path: str, method: str = "GET") -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=20)
    connection.request(method, path)
    answer = connection.getresponse()
    found = answer.status, answer.getheader("Content-Type", ""), answer.read()
    connection.close()
    return found


def test_it_is_served_as_prometheus_reads_it(page: MetricsPage) -> None:
    assert get(page, "/metrics") == (200, "text/plain; version=0.0.4; charset=utf-8", b"up 1\n")
    assert get(page, "/metrics?x=1")[0] == 200


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/", 404), ("POST", "/metrics", 501)])
def test_nothing_else_is_there(page: MetricsPage, method: str, path: str, status: int) -> None:
    assert get(page, path, method)[0] == status


def test_junk_and_clients_that_break_off_do_no_harm(page: MetricsPage) -> None:
    for junk in (b"\x00\xff" * 100, b"GET /metrics HTTP/1.1\r\n", b""):
        with socket.create_connection(("127.0.0.1", page.port), timeout=20) as client:
            client.sendall(junk)
    assert get(page, "/metrics")[0] == 200


def test_an_address_in_use_is_an_error(page: MetricsPage) -> None:
    with pytest.raises(OSError):
        MetricsPage(f"127.0.0.1:{page.port}", lambda: "")


def test_any_host_may_be_left_out() -> None:
    served = MetricsPage(":0", lambda: "up 1\n")
    assert get(served, "/metrics")[0] == 200
    served.close()
