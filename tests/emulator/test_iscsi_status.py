"""The codes are Windows' own, and every status of a login response has one."""

from csiproxy.emulator.iscsi_status import LOGIN_STATUS, IscsiFailure, IscsiStatus


def test_every_code_is_one_of_the_initiators_failures():
    assert {code >> 16 for code in IscsiStatus} == {0xEFFF}
    assert len(set(IscsiStatus)) == len(IscsiStatus)


def test_every_failure_that_a_login_response_can_say_has_a_code():
    redirections, initiator, target = range(0x0101, 0x0103), range(0x0200, 0x020A), range(0x0300, 0x0303)
    assert set(LOGIN_STATUS) == {*redirections, *initiator, *target}


def test_a_failure_carries_its_code_and_text():
    failure = IscsiFailure(IscsiStatus.CONNECTION_FAILED, "nothing answers")
    assert (failure.status, str(failure)) == (0xEFFF0003, "nothing answers")
