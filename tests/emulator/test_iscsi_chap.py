"""What Windows' initiator refuses of names and secrets, and that secrets are not shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.emulator import iscsi_chap
from csiproxy.emulator.iscsi_chap import MUTUAL, NO_CHAP, NONE, ONE_WAY, Chap
from csiproxy.emulator.iscsi_status import IscsiFailure, IscsiStatus

OWN = "initiator-secret"


def refusal(*arguments: str) -> IscsiStatus:
    with pytest.raises(IscsiFailure) as caught:
        iscsi_chap.agreed(*arguments)
    return caught.value.status


def test_without_chap_nothing_is_proved():
    assert iscsi_chap.agreed(NONE, "ignored", "ignored", OWN) is NO_CHAP


def test_one_way_proves_the_initiator_alone():
    assert iscsi_chap.agreed(ONE_WAY, "user", "x" * 12, OWN) == Chap(ONE_WAY, "user", "x" * 12)


def test_mutual_demands_the_initiators_secret_of_the_target():
    assert iscsi_chap.agreed(MUTUAL, "user", "x" * 16, OWN) == Chap(MUTUAL, "user", "x" * 16, OWN)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("onewaychap", "user", "x" * 12, OWN), IscsiStatus.INVALID_LOGON_AUTH_TYPE),
        ((ONE_WAY, "", "x" * 12, OWN), IscsiStatus.INVALID_CHAP_USER_NAME),
        ((ONE_WAY, "u" * 224, "x" * 12, OWN), IscsiStatus.INVALID_CHAP_USER_NAME),
        ((ONE_WAY, "us\0er", "x" * 12, OWN), IscsiStatus.INVALID_CHAP_USER_NAME),
        ((ONE_WAY, "user", "x" * 11, OWN), IscsiStatus.SHORT_CHAP_SECRET),
        ((ONE_WAY, "user", "", OWN), IscsiStatus.SHORT_CHAP_SECRET),
        ((ONE_WAY, "user", "x" * 17, OWN), IscsiStatus.INVALID_CHAP_SECRET),
        ((ONE_WAY, "user", "x" * 12 + "\0", OWN), IscsiStatus.INVALID_CHAP_SECRET),
        ((MUTUAL, "user", "x" * 12, ""), IscsiStatus.INVALID_INITIATOR_CHAP_SECRET),
        ((MUTUAL, "user", OWN, OWN), IscsiStatus.INVALID_INITIATOR_CHAP_SECRET),
    ],
)
def test_what_windows_refuses_is_refused(arguments, status):
    assert refusal(*arguments) is status


@given(st.text(min_size=12, max_size=16), st.text(min_size=12, max_size=16))
def test_secrets_are_shown_nowhere(secret, target_secret):
    chap = Chap(MUTUAL, "user", "<<" + secret, "<<" + target_secret)
    assert "<<" not in repr(chap)
    with pytest.raises(IscsiFailure) as caught:
        iscsi_chap.check_secret("<<" + secret * 2)
    assert "<<" not in str(caught.value)


def test_a_secret_counts_in_bytes():
    iscsi_chap.check_secret("é" * 8)
    with pytest.raises(IscsiFailure):
        iscsi_chap.check_secret("é" * 9)


def test_a_login_whose_secret_died_with_its_process_is_not_tried():
    assert NO_CHAP.is_known
    assert Chap(ONE_WAY, "user", "x" * 12).is_known
    assert not Chap(ONE_WAY, "user").is_known
