"""Pods, claims and volumes are read from Kubernetes' audit log, at whatever level it was written."""

import json
from datetime import timedelta
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st
from tests.audit.kubernetes_log import EXAMPLE, NOON, binding, event, gone, lines, pod, volume

from csiproxy.audit.kubernetes import read


def test_the_example_log_tells_its_pods_claims_and_volumes():
    with open(EXAMPLE, "rb") as log:
        cluster = read(log)
    assert (cluster.events, cluster.skipped, cluster.with_objects) == (18, 0, True)
    assert sorted(pod.title for pod in cluster.pods.values()) == ["shop/db-0", "shop/db-1"]
    first = next(pod for pod in cluster.pods.values() if pod.name == "db-0")
    assert (first.node, first.claims, first.ended) == ("win-1", {"shop/data-db-0"}, None)
    name = cluster.volume_of("shop/data-db-0")
    found = cluster.volumes[name]
    assert (found.claim, found.driver) == ("shop/data-db-0", "disk.csi.azure.com")
    assert found.staging == sha256(found.handle.encode()).hexdigest()
    second = next(pod for pod in cluster.pods.values() if pod.name == "db-1")
    assert second.ended is not None
    assert cluster.attached[name][0][1] == "win-1"


def test_what_was_refused_or_only_received_tells_nothing():
    forbidden = pod("a", "u-1", "data")
    forbidden["responseStatus"]["code"] = 403
    received = pod("b", "u-2", "data")
    received["stage"] = "RequestReceived"
    assert read(lines(forbidden, received)).pods == {}


def test_a_pod_has_its_uid_from_its_binding_where_its_creation_has_none():
    created = event(
        "create", "pods", "a", requestObject={"kind": "Pod", "spec": {"containers": [], "volumes": []}}
    )
    cluster = read(lines(created, binding("a", "U-1", "win-1", 1)))
    assert (cluster.pods["u-1"].node, cluster.pods["u-1"].claims) == ("win-1", set())


def test_a_name_that_is_used_again_is_another_pod():
    cluster = read(lines(pod("a", "u-1", "x"), gone("a", "u-1", 5), pod("a", "u-2", "y", 9)))
    assert (cluster.pods["u-1"].claims, cluster.pods["u-2"].claims) == ({"shop/x"}, {"shop/y"})
    assert cluster.pods["u-1"].ended == NOON + timedelta(seconds=5)
    assert cluster.pods["u-2"].ended is None


def test_claims_of_ephemeral_volumes_and_inline_volumes_are_the_pods_own():
    volumes = [{"name": "scratch", "ephemeral": {}}, {"name": "Secrets", "csi": {"driver": "x"}}]
    answer = {
        "kind": "Pod",
        "metadata": {"name": "a", "uid": "u"},
        "spec": {"containers": [], "volumes": volumes},
    }
    cluster = read(lines(event("create", "pods", "a", responseObject=answer)))
    assert cluster.pods["u"].claims == {"shop/a-scratch"}
    assert cluster.pods["u"].inline == {"secrets"}


def test_a_volume_tells_its_shares_and_targets():
    cluster = read(
        lines(
            volume("a", "x", "server/share#sub#", source="//Server/Share"),
            volume("b", "y", "b", iqn="IQN.2026-01.example:b"),
        )
    )
    assert cluster.volumes["a"].shares == {r"\\server\share"}
    assert cluster.volumes["b"].targets == {"iqn.2026-01.example:b"}


def test_lists_and_claims_that_are_bound_are_read():
    claim = {"metadata": {"name": "data", "namespace": "shop"}, "spec": {"volumeName": "PV-1"}}
    listed = event("list", "persistentvolumeclaims", "", responseObject={"kind": "List", "items": [claim]})
    cluster = read(lines(listed))
    assert cluster.volume_of("shop/data") == "PV-1"
    assert cluster.volumes["pv-1"].claim == "shop/data"


def test_names_alone_tell_of_volumes_at_the_level_of_metadata():
    cluster = read(lines(event("create", "persistentvolumes", "pvc-1"), event("get", "pods", "x")))
    assert list(cluster.volumes) == ["pvc-1"]
    assert not cluster.with_objects


def test_a_list_of_events_in_one_document_is_read_and_junk_is_counted():
    document = json.dumps({"kind": "EventList", "items": [pod("a", "u-1", "x")]})
    cluster = read([document, "no json", b"\xff\xfe", json.dumps({"kind": "Pod"}), "", "[1]"])
    assert list(cluster.pods) == ["u-1"]
    assert cluster.skipped == 3


TOP = ("kind", "auditID", "stage", "objectRef", "requestObject", "responseObject", "responseStatus", "verb")
INNER = ("metadata", "spec", "kind", "items", "resource", "name", "csi", "volumes", "stageTimestamp")
VALUES = st.recursive(
    st.none() | st.integers() | st.text() | st.sampled_from(["Event", "ResponseComplete", "pods"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(INNER), inner),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.sampled_from(TOP), VALUES)))
def test_no_event_is_too_odd(events):
    read(lines(*({**event("create", "pods", "a"), **changes} for changes in events)))
