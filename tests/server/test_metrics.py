"""Metrics as the Go csi-proxy names them."""

import re

from csiproxy.errors import Code
from csiproxy.server.metrics import BUCKETS, Losses, Metrics

DISK, LINK = "/v1.Disk/Rescan", "/v2alpha1.Filesystem/CreateSymlink"


def lines(metrics: Metrics) -> list[str]:
    return [line for line in metrics.render().splitlines() if not line.startswith("#")]


def test_a_call_shows_under_gos_names_labels_and_buckets() -> None:
    metrics = Metrics([DISK, LINK])
    metrics.started(LINK)
    metrics.ended(LINK, Code.OK, 0.25)
    labels = 'grpc_method="CreateSymlink",grpc_service="v2alpha1.Filesystem",grpc_type="unary"'
    found = lines(metrics)
    bounds = ["0.001", "0.01", "0.1", "0.3", "0.6", "1", "3", "6", "9", "20", "30", "60", "90", "120", "+Inf"]
    counts = [0, 0, 0] + [1] * 12
    assert [line for line in found if line.startswith("grpc_server")] == [
        f'grpc_server_handled_total{{grpc_code="OK",{labels}}} 1',
        *(
            f'grpc_server_handling_seconds_bucket{{{labels},le="{bound}"}} {count}'
            for bound, count in zip(bounds, counts, strict=True)
        ),
        f"grpc_server_handling_seconds_sum{{{labels}}} 0.25",
        f"grpc_server_handling_seconds_count{{{labels}}} 1",
        f"grpc_server_msg_received_total{{{labels}}} 1",
        f"grpc_server_msg_sent_total{{{labels}}} 1",
        f"grpc_server_started_total{{{labels}}} 1",
    ]


def test_a_call_that_still_runs_has_started_and_not_ended() -> None:
    metrics = Metrics([DISK])
    metrics.started(DISK)
    found = [line for line in lines(metrics) if line.startswith("grpc_server")]
    assert [line.partition("{")[0] for line in found] == [
        "grpc_server_msg_received_total",
        "grpc_server_started_total",
    ]


def test_codes_have_gos_names_and_errors_are_no_replies() -> None:
    metrics = Metrics([DISK])
    for code in Code:
        metrics.ended(DISK, code, 0.0)
    page = metrics.render()
    assert set(re.findall('grpc_code="([^"]+)"', page)) == {
        "OK",
        "Canceled",
        "Unknown",
        "InvalidArgument",
        "DeadlineExceeded",
        "NotFound",
        "AlreadyExists",
        "PermissionDenied",
        "ResourceExhausted",
        "FailedPrecondition",
        "Aborted",
        "OutOfRange",
        "Unimplemented",
        "Internal",
        "Unavailable",
        "DataLoss",
        "Unauthenticated",
    }
    assert re.search("grpc_server_msg_sent_total{.*} 1\n", page)


def test_a_method_that_is_not_served_makes_no_series() -> None:
    metrics = Metrics([DISK])
    metrics.started('/v1.Disk/"}\nevil')
    metrics.ended('/v1.Disk/"}\nevil', Code.UNIMPLEMENTED, 0.0)
    assert not [line for line in lines(metrics) if line.startswith("grpc_server")]


def test_every_duration_lands_in_one_bucket() -> None:
    metrics = Metrics([DISK])
    for seconds in (0.0, *BUCKETS, 1000.0):
        metrics.ended(DISK, Code.OK, seconds)
    counts = [int(line.rpartition(" ")[2]) for line in lines(metrics) if "_bucket" in line]
    assert counts == [2, *range(3, len(BUCKETS) + 2), len(BUCKETS) + 2]


def test_steps_of_the_host_and_the_build_are_told_too() -> None:
    metrics = Metrics([], lambda: Losses(held=1, spilled=2, lost=3, copies={"syslog": 4}, missed=5))
    metrics.step("MSFT_Disk", "Initialize", "41002", 0.5)
    page = metrics.render()
    assert 'csi_proxy_host_step_seconds_count{class="MSFT_Disk",code="41002",method="Initialize"} 1' in page
    assert "csi_proxy_audit_held 1\n" in page
    assert "csi_proxy_audit_spilled_total 2\n" in page
    assert "csi_proxy_audit_lost_total 3\n" in page
    assert "csi_proxy_audit_missed_total 5\n" in page
    assert 'csi_proxy_audit_copies_lost_total{log="syslog"} 4\n' in page
    assert re.search('^csi_proxy_build_info{python="3[0-9.a-z+]+",version="[^"]+"} 1$', page, re.MULTILINE)
    assert page.endswith("\n")
