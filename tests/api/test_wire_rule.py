"""An RPC that the table does not list is wire-identical to its hub's; proven for every endpoint."""

import pytest
from tests.api.invented import message
from tests.api.wire_rule import reply_faults, request_faults

from csiproxy.api.versions import CONTRACTS

METHODS = {path: method for found in CONTRACTS for path, method in found.methods().items()}
EVERY = pytest.mark.parametrize("path", METHODS)


@EVERY
def test_a_request_without_a_converter_is_the_same_on_the_wire_both_ways(path):
    method = METHODS[path]
    faults = list(request_faults(method.request.DESCRIPTOR, method.hub_request.DESCRIPTOR))
    if method.to_hub is None:
        assert faults == []
    else:
        assert faults, "this converter is not needed"


@EVERY
def test_a_reply_without_a_converter_is_a_subset_of_the_old_one(path):
    method = METHODS[path]
    faults = list(reply_faults(method.reply.DESCRIPTOR, method.hub_reply.DESCRIPTOR))
    if method.from_hub is None:
        assert faults == []
    else:
        assert faults, "this converter is not needed"


def test_few_message_sides_differ():
    groups = [m for path, m in METHODS.items() if not path.startswith("/csiproxy.")]
    assert len(groups) == 139
    assert sum(method.to_hub is not None for method in groups) == 16
    assert sum(method.from_hub is not None for method in groups) == 9


@pytest.mark.parametrize(
    ("old", "hub", "fault"),
    [
        (message("1 string path"), message("1 string target"), ""),
        (message("1 string path"), message("1 string path", "2 bool force"), "only the hub has force (2)"),
        (
            message("1 string path", "2 bool force"),
            message("1 string path"),
            "only the old version has force (2)",
        ),
        (message("1 string id"), message("1 uint32 id"), "id (1): string here, uint32 in the hub"),
        (message("1 int64 id"), message("1 uint32 id"), "id (1): int64 here, uint32 in the hub"),
        (
            message("1 string id"),
            message("1 repeated string id"),
            "id (1): string here, repeated string in the hub",
        ),
        (message("1 enum kind"), message("1 enum kind", enum=(0, 1, 2)), "kind (1): enum values differ"),
        (message("1 enum kind", enum=(0, 1, 2)), message("1 enum kind"), "kind (1): enum values differ"),
        (message("1 message inner"), message("1 message inner"), ""),
    ],
)
def test_the_rule_for_requests_finds_every_difference(old, hub, fault):
    assert list(request_faults(old, hub)) == ([fault] if fault else [])


@pytest.mark.parametrize(
    ("old", "hub", "fault"),
    [
        (message("1 string error", "2 bool exists"), message("2 bool exists"), ""),
        (message("1 string error"), message(), ""),
        (message(), message("1 string id"), "only the hub has id (1)"),
        (message("1 int64 number"), message("1 uint32 number"), ""),
        (message("1 uint32 number"), message("1 int64 number"), "number (1): uint32 here, int64 in the hub"),
        (message("1 enum kind", enum=(0, 1, 2)), message("1 enum kind"), ""),
        (
            message("1 enum kind"),
            message("1 enum kind", enum=(0, 1, 2)),
            "kind (1): the hub has more enum values",
        ),
        (
            message("1 repeated string id"),
            message("1 string id"),
            "id (1): repeated string here, string in the hub",
        ),
    ],
)
def test_the_rule_for_replies_lets_a_subset_pass_and_nothing_else(old, hub, fault):
    assert list(reply_faults(old, hub)) == ([fault] if fault else [])


def test_the_rule_looks_inside_messages():
    old, hub = message("1 message inner"), message("1 message inner")
    other = message("1 string a", "2 string b")
    assert list(request_faults(old, hub)) == []
    assert list(request_faults(old.fields[0].message_type, other)) == ["only the hub has b (2)"]
