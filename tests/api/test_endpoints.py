"""Pipes and sockets are where the field's drivers look for them."""

import os

import pytest
from tests.api import wire_tables

from csiproxy.api.endpoints import pipe_name, socket_path
from csiproxy.api.versions import CONTRACTS


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda found: found.name)
def test_a_pipe_has_its_published_name(contract):
    assert pipe_name(contract.endpoint) == wire_tables.load(contract.group)[contract.version]["pipe"]


def test_a_socket_lies_in_its_directory(tmp_path):
    assert socket_path(str(tmp_path), "csi-proxy-disk-v1") == f"{tmp_path}{os.sep}csi-proxy-disk-v1.sock"


def test_endpoints_are_all_different():
    assert len({contract.endpoint for contract in CONTRACTS}) == 25
