"""Kubelet tries again until it is done, unless the request is wrong."""

import threading

import pytest
from tests.soak.client import Refused
from tests.soak.kubelet import Kubelet, Stopped, Violation


def kubelet(mended: list[str], stop: threading.Event | None = None) -> Kubelet:
    return Kubelet(mended.append, stop or threading.Event())


def failing(*errors: Exception):
    left = list(errors)

    def action() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return action


def test_what_fails_is_mended_and_tried_again():
    mended: list[str] = []
    work = kubelet(mended)
    action = failing(Refused("Rescan", "UNAVAILABLE", ""), OSError("away"), Refused("Rescan", "INTERNAL", ""))
    assert work.persist("stage", action) == "done"
    assert mended == ["UNAVAILABLE", "", "INTERNAL"]
    assert work.retries == 3


@pytest.mark.parametrize(
    "error", [OSError("no disk has the number 55"), Refused("SetDiskState", "NOT_FOUND", "")]
)
def test_an_operator_who_fails_does_not_end_the_tries(error):
    """A fault may take the disk away between an operator's look and his grip."""
    mend = failing(error)
    work = Kubelet(lambda _: mend(), threading.Event())
    assert work.persist("stage", failing(OSError("away"), OSError("away"))) == "done"
    assert work.retries == 2


@pytest.mark.parametrize("status", ["INVALID_ARGUMENT", "PERMISSION_DENIED", "OUT_OF_RANGE", "DATA_LOSS"])
def test_a_wrong_request_or_lost_data_are_told_at_once(status):
    mended: list[str] = []
    with pytest.raises(Violation, match=status):
        kubelet(mended).persist("stage", failing(Refused("Rescan", status, "")))
    assert mended == []


@pytest.mark.parametrize("code", [5, 87, 1117, 4395])
def test_so_are_windows_codes_that_say_the_same(code):
    with pytest.raises(Violation, match=str(code)):
        kubelet([]).persist("stage", failing(Refused("Rescan", "error_code", "", code)))


def test_a_device_that_may_be_away_is_tried_again():
    away = [Refused("Rescan", "DATA_LOSS", "", outages=True)]
    away.append(Refused("Rescan", "error_code", "", 1117, outages=True))
    assert kubelet([]).persist("stage", failing(*away)) == "done"


def test_a_broken_promise_is_not_tried_again():
    with pytest.raises(Violation, match="lost"):
        kubelet([]).persist("read", failing(Violation("lost")))


def test_the_end_of_the_run_ends_the_tries():
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        kubelet([], stop).persist("stage", failing(OSError("away")))
