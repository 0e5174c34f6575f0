"""The client as a whole, on a real node."""

import os
import subprocess
import sys
import time

import pytest

import csiproxy
from csiproxy.client import Client, connect
from csiproxy.errors import DeadlineExceeded


def test_three_lines_make_the_first_call(node):
    with csiproxy.connect(node.endpoints) as client:
        assert client.disk.list_disk_ids()[0].disk_number == 0


def test_the_environment_names_the_endpoints_where_nobody_else_does(node):
    code = "import csiproxy; print(csiproxy.connect().disk.list_disk_ids()[0].disk_number)"
    environment = {**os.environ, "CSI_PROXY_ENDPOINTS": str(node.endpoints)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "0\n"


def test_without_either_the_question_is_asked():
    environment = {key: value for key, value in os.environ.items() if key != "CSI_PROXY_ENDPOINTS"}
    code = "import csiproxy; csiproxy.connect()"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert "ValueError: where is the proxy?" in done.stderr


def test_the_earlier_of_two_deadlines_counts(client):
    soon = client.within(0.0)
    assert isinstance(soon, Client)
    with pytest.raises(DeadlineExceeded):
        soon.within(100.0).disk.rescan()
    later = client.within(100.0)
    later.disk.rescan()
    assert later.deadline is not None
    assert later.deadline > time.monotonic()
    assert later.within(1000.0).deadline == later.deadline


def test_importing_the_package_imports_neither_client_nor_service():
    code = "import csiproxy, sys; print([name for name in sys.modules if name.startswith('csiproxy.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['csiproxy.version']\n"
    with pytest.raises(AttributeError, match="no attribute 'disk'"):
        csiproxy.disk  # noqa: B018


def test_a_client_survives_its_proxy(node):
    with connect(node.endpoints) as client:
        client.disk.rescan()
        node.kill_proxy()
        node.start()
        client.disk.rescan()


def test_the_asynchronous_client_is_imported_when_it_is_asked_for(client):
    code = "import csiproxy.client as c, sys; print('asyncio' in sys.modules, c.AsyncClient.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False AsyncClient\n"
    with pytest.raises(AttributeError, match="no attribute 'Tape'"):
        csiproxy.client.Tape  # noqa: B018
