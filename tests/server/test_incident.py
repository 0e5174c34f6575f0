"""A report about an unforeseen failure is useful and holds nothing of the request."""

import io
import os
import re

import pytest

from csiproxy.server import incident

PASSWORD = "hunter2-from-the-request"


def _fail(password: str) -> None:
    try:
        int(password)
    except ValueError as error:
        raise KeyError(password) from error


def _caught(fail, *args) -> BaseException:
    with pytest.raises(Exception) as caught:
        fail(*args)
    return caught.value


def test_a_report_names_the_classes_and_the_places_and_no_value() -> None:
    log = io.StringIO()
    number = incident.report(_caught(_fail, PASSWORD), "csi-proxy-smb-v1", log)
    text = log.getvalue()
    assert re.fullmatch("[0-9a-f]{12}", number)
    assert number in text
    assert "csi-proxy-smb-v1" in text
    assert "builtins.KeyError" in text
    assert "builtins.ValueError" in text
    assert "test_incident.py" in text
    assert ", in _fail" in text
    assert "hunter2" not in text


def test_the_report_about_an_exhausted_stack_is_short() -> None:
    def deeper(n: int) -> int:
        return deeper(n + 1) + 1

    log = io.StringIO()
    incident.report(_caught(deeper, 0), "csi-proxy-disk-v1", log)
    assert "RecursionError" in log.getvalue()
    assert len(log.getvalue()) < 10_000


def test_a_chain_that_leads_to_itself_ends() -> None:
    one, two = ValueError(), TypeError()
    one.__cause__, two.__cause__ = two, one
    log = io.StringIO()
    incident.report(one, "csi-proxy-disk-v1", log)
    assert log.getvalue().count("raised while handling") < 20


def test_a_closed_log_is_survived() -> None:
    log = io.StringIO()
    log.close()
    assert incident.report(ValueError(), "csi-proxy-disk-v1", log)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_log_is_survived() -> None:
    with io.TextIOWrapper(io.FileIO("/dev/full", "w"), write_through=True) as log:
        assert incident.report(ValueError(), "csi-proxy-disk-v1", log)


def test_every_incident_has_a_number_of_its_own() -> None:
    log = io.StringIO()
    assert incident.report(ValueError(), "e", log) != incident.report(ValueError(), "e", log)
