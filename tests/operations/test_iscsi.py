"""Group iscsi: every promise of its RPCs, against a real target."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.emulated import PLUGINS
from tests.iscsi_node import run_service
from tests.iscsi_target import SECRET, TARGET_SECRET, USER, WRONG
from tests.operations.ground import events

from csiproxy.emulator.faults import Action, Fault
from csiproxy.errors import (
    Aborted,
    CsiProxyError,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unavailable,
)
from csiproxy.host.cim import Instance
from csiproxy.operations.context import Context
from csiproxy.operations.iscsi import (
    AuthenticationType,
    IscsiGroup,
    TargetPortal,
    check_secret,
    checked_login,
    checked_name,
    checked_portal,
)
from csiproxy.operations.secret import Secret

foreign = pytest.mark.foreign
NONE, ONE_WAY, MUTUAL = AuthenticationType


@pytest.fixture
def call() -> Context:
    return Context()


@pytest.fixture
def group(node) -> IscsiGroup:
    run_service(node.machine)
    return node.operations().iscsi


@pytest.fixture
def portal(target_server) -> TargetPortal:
    return TargetPortal(target_server.address, target_server.port)


@pytest.fixture
def iqn(group, target_server, portal, call) -> str:
    iqn = target_server.offer()
    group.add_target_portal(call, target_portal=portal)
    return iqn


def connect(group, call, portal, iqn, kind=NONE, user="", secret="") -> None:
    group.connect_target(
        call, target_portal=portal, iqn=iqn, auth_type=kind, chap_username=user, chap_secret=Secret(secret)
    )


def disks(group, call, portal, iqn) -> tuple[str, ...]:
    return group.get_target_disks(call, target_portal=portal, iqn=iqn).disk_ids


def refusal(wanted: type[CsiProxyError], call) -> CsiProxyError:
    with pytest.raises(wanted) as caught:
        call()
    assert not [secret for secret in (SECRET, TARGET_SECRET, WRONG) if secret in str(caught.value)]
    return caught.value


# --- portals ---------------------------------------------------------------------------------------------


@foreign
def test_a_portal_is_added_once_however_often_it_is_added(group, call, portal, iqn):
    group.add_target_portal(call, target_portal=portal)
    assert group.list_target_portals(call).target_portals == (portal,)


@foreign
def test_a_portal_that_does_not_answer_is_unavailable(group, call, target_server, portal):
    target_server.kill()
    error = refusal(Unavailable, lambda: group.add_target_portal(call, target_portal=portal))
    assert error.windows_code == 1225
    assert group.list_target_portals(call).target_portals == ()


@foreign
def test_discovery_sees_targets_that_were_made_later(group, call, target_server, portal, iqn):
    other = target_server.offer("later")
    assert group.discover_target_portal(call, target_portal=portal).iqns == (iqn, other)


@foreign
def test_a_portal_that_is_not_registered_is_not_found(group, call, portal):
    for question in (
        lambda: group.discover_target_portal(call, target_portal=portal),
        lambda: disks(group, call, portal, "iqn.2026-01.test:x"),
        lambda: connect(group, call, portal, "iqn.2026-01.test:x"),
    ):
        assert "add it first" in str(refusal(NotFound, question))


@foreign
def test_a_portal_that_is_removed_twice_is_gone(node, group, call, portal, iqn):
    group.remove_target_portal(call, target_portal=portal)
    group.remove_target_portal(call, target_portal=portal)
    assert group.list_target_portals(call).target_portals == ()


@foreign
def test_a_portal_that_goes_while_it_is_removed_is_gone(node, group, call, portal, iqn):
    node.machine.faults.order(Fault("MSFT_iSCSITargetPortal.Remove", Action.FAIL, code=0xEFFF0043))
    group.remove_target_portal(call, target_portal=portal)
    assert events(call) == ["portal-has-gone"]


def test_the_port_of_iscsi_is_the_one_that_is_not_said():
    assert checked_portal(TargetPortal("10.0.0.1", 0)) == TargetPortal("10.0.0.1", 3260)


def test_nothing_works_while_the_service_does_not_run(node, call):
    group = node.operations().iscsi
    portal = TargetPortal("127.0.0.1", 1)
    for question in (
        lambda: group.add_target_portal(call, target_portal=portal),
        lambda: group.list_target_portals(call),
        lambda: connect(group, call, portal, "iqn.2026-01.test:x"),
        lambda: group.disconnect_target(call, target_portal=portal, iqn="iqn.2026-01.test:x"),
        lambda: group.set_mutual_chap_secret(call, mutual_chap_secret=Secret(TARGET_SECRET)),
    ):
        error = refusal(FailedPrecondition, question)
        assert (error.windows_code, "MSiSCSI" in str(error)) == (1062, True)


# --- logins ----------------------------------------------------------------------------------------------


@foreign
def test_a_login_shows_its_disks_and_a_second_one_is_success(group, call, target_server, portal, iqn):
    assert disks(group, call, portal, iqn) == ()
    connect(group, call, portal, iqn)
    connect(group, call, portal, iqn)
    assert disks(group, call, portal, iqn) == ("1",)
    assert target_server.sessions(iqn) == 1


@foreign
def test_disks_of_several_luns_come_by_number(group, call, target_server, portal):
    iqn = target_server.offer("many", luns=12)
    group.add_target_portal(call, target_portal=portal)
    connect(group, call, portal, iqn)
    assert disks(group, call, portal, iqn) == tuple(str(number) for number in range(1, 13))


@foreign
def test_a_target_made_after_the_discovery_is_found(group, call, target_server, portal, iqn):
    connect(group, call, portal, target_server.offer("later"))


@foreign
def test_a_target_that_the_portal_does_not_offer_is_not_found(group, call, portal, iqn):
    for question in (connect, disks):
        refusal(NotFound, lambda question=question: question(group, call, portal, "iqn.2026-01.test:none"))


@foreign
@pytest.mark.parametrize(
    ("kind", "login", "own"),
    [
        ("", (NONE,), ""),
        ("one-way", (ONE_WAY, USER, SECRET), ""),
        ("mutual", (ONE_WAY, USER, SECRET), ""),
        ("mutual", (MUTUAL, USER, SECRET), TARGET_SECRET),
    ],
)
def test_every_kind_of_chap_logs_in(group, call, target_server, portal, kind, login, own):
    iqn = target_server.offer("chap", chap=kind)
    group.add_target_portal(call, target_portal=portal)
    if own:
        group.set_mutual_chap_secret(call, mutual_chap_secret=Secret(own))
    connect(group, call, portal, iqn, *login)
    assert target_server.sessions(iqn) == 1


@foreign
@pytest.mark.parametrize(
    ("kind", "login", "own"),
    [
        ("one-way", (NONE,), ""),
        ("one-way", (ONE_WAY, USER, WRONG), ""),
        ("one-way", (ONE_WAY, "nobody", SECRET), ""),
        ("mutual", (MUTUAL, USER, SECRET), WRONG),
        ("one-way", (MUTUAL, USER, SECRET), TARGET_SECRET),
    ],
)
def test_a_login_that_either_side_cannot_prove_is_denied(
    group, call, target_server, portal, kind, login, own
):
    iqn = target_server.offer("chap", chap=kind)
    group.add_target_portal(call, target_portal=portal)
    if own:
        group.set_mutual_chap_secret(call, mutual_chap_secret=Secret(own))
    error = refusal(PermissionDenied, lambda: connect(group, call, portal, iqn, *login))
    assert error.windows_code == 1326
    assert disks(group, call, portal, iqn) == ()


@foreign
def test_mutual_chap_without_the_initiators_secret_says_to_set_it(group, call, target_server, portal):
    iqn = target_server.offer("chap", chap="mutual")
    group.add_target_portal(call, target_portal=portal)
    error = refusal(FailedPrecondition, lambda: connect(group, call, portal, iqn, MUTUAL, USER, SECRET))
    assert "set it first" in str(error)


@foreign
def test_a_login_that_somebody_else_was_faster_with_is_success(node, group, call, portal, iqn):
    node.machine.faults.order(Fault("MSFT_iSCSITarget.Connect", Action.FAIL, code=0xEFFF003F))
    connect(group, call, portal, iqn)
    assert events(call) == ["logged-in-meanwhile"]


@foreign
def test_logins_of_many_callers_at_once_make_one_session(node, group, target_server, portal, iqn):
    failures = []

    def attempt():
        try:
            connect(node.operations().iscsi, Context(), portal, iqn)
        except CsiProxyError as error:
            failures.append(error)

    threads = [threading.Thread(target=attempt) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (failures, target_server.sessions(iqn)) == ([], 1)


# --- logouts ---------------------------------------------------------------------------------------------


@foreign
def test_a_logout_takes_the_disks_away_and_twice_is_once(group, call, target_server, portal, iqn):
    connect(group, call, portal, iqn)
    group.disconnect_target(call, target_portal=portal, iqn=iqn)
    group.disconnect_target(call, target_portal=portal, iqn=iqn)
    assert (disks(group, call, portal, iqn), target_server.sessions(iqn)) == ((), 0)


@foreign
def test_a_logout_works_without_the_portal_and_of_an_unknown_target(group, call, target_server, portal, iqn):
    connect(group, call, portal, iqn)
    group.remove_target_portal(call, target_portal=portal)
    for _ in range(2):  # the second time nobody knows the target any more
        group.disconnect_target(call, target_portal=portal, iqn=iqn)
    assert target_server.sessions(iqn) == 0


@foreign
def test_a_persistent_session_is_made_an_ordinary_one_first(node, group, call, target_server, portal, iqn):
    connect(group, call, portal, iqn)
    [session] = node.machine.session.instances("MSFT_iSCSISession")
    node.machine.session.invoke(session, "Register")
    # Killed between the two, or refused: the next call finishes it.
    node.machine.faults.order(Fault("MSFT_iSCSITarget.Disconnect", Action.FAIL, code=0xEFFF001F))
    refusal(Aborted, lambda: group.disconnect_target(call, target_portal=portal, iqn=iqn))
    [session] = node.machine.session.instances("MSFT_iSCSISession")
    assert not session.flag("IsPersistent")
    group.disconnect_target(call, target_portal=portal, iqn=iqn)
    assert target_server.sessions(iqn) == 0


@foreign
def test_a_target_with_a_mounted_volume_is_in_use(node, group, call, target_server, portal, iqn):
    groups = node.operations()
    connect(group, call, portal, iqn)
    [session] = node.machine.session.instances("MSFT_iSCSISession")
    node.machine.session.invoke(session, "Register")
    groups.disk.partition_disk(call, disk_number=1)
    [volume] = groups.volume.list_volumes_on_disk(call, disk_number=1, partition_number=0).volume_ids
    groups.volume.format_volume(call, volume_id=volume)
    at = node.make(PLUGINS + r"\pv")
    groups.volume.mount_volume(call, volume_id=volume, target_path=at)
    error = refusal(FailedPrecondition, lambda: group.disconnect_target(call, target_portal=portal, iqn=iqn))
    assert error.windows_code == 2404
    assert at in str(error)
    [session] = node.machine.session.instances("MSFT_iSCSISession")
    assert session.flag("IsPersistent"), "nothing was done"
    groups.volume.unmount_volume(call, volume_id=volume, target_path=at)
    group.disconnect_target(call, target_portal=portal, iqn=iqn)
    assert target_server.sessions(iqn) == 0


@foreign
def test_a_host_that_does_not_say_where_a_volume_is_mounted_is_judged(node, group, call, portal, iqn):
    connect(group, call, portal, iqn)
    node.operations().disk.partition_disk(call, disk_number=1)
    node.machine.faults.order(Fault("mount_points", Action.FAIL, code=170))
    error = refusal(Aborted, lambda: group.disconnect_target(call, target_portal=portal, iqn=iqn))
    assert error.windows_code == 170
    group.disconnect_target(call, target_portal=portal, iqn=iqn)


@foreign
def test_a_device_that_windows_calls_busy_is_in_use(node, group, call, portal, iqn):
    connect(group, call, portal, iqn)
    node.machine.faults.order(Fault("MSFT_iSCSITarget.Disconnect", Action.FAIL, code=0xEFFF0040))
    error = refusal(FailedPrecondition, lambda: group.disconnect_target(call, target_portal=portal, iqn=iqn))
    assert error.windows_code == 2404


@foreign
def test_a_session_that_goes_meanwhile_has_gone(node, group, call, portal, iqn):
    connect(group, call, portal, iqn)
    node.machine.faults.order(Fault("MSFT_iSCSITarget.Disconnect", Action.FAIL, code=0xEFFF001C))
    group.disconnect_target(call, target_portal=portal, iqn=iqn)
    assert events(call) == ["session-has-gone"]


class WithoutSessions:
    """A host that shows no session of a connected target yet, as Windows does for a moment."""

    def __init__(self, session) -> None:
        self._session = session

    def __getattr__(self, name):
        return getattr(self._session, name)

    def associated(self, instance: Instance, association: str, result_class: str, result_role: str = ""):
        if result_class == "MSFT_iSCSISession":
            return []
        return self._session.associated(instance, association, result_class, result_role)


@foreign
def test_a_connected_target_without_a_session_is_for_a_later_try(node, group, call, portal, iqn):
    connect(group, call, portal, iqn)
    early = node.operations(cim=WithoutSessions(node.machine.session)).iscsi
    refusal(Aborted, lambda: early.disconnect_target(call, target_portal=portal, iqn=iqn))


# --- what a request may say ------------------------------------------------------------------------------


@pytest.mark.parametrize("portal", [None, TargetPortal("", 3260), TargetPortal("", 0)])
def test_a_portal_must_be_given(node, call, portal):
    group = node.operations().iscsi
    for question in (
        lambda: group.add_target_portal(call, target_portal=portal),
        lambda: group.discover_target_portal(call, target_portal=portal),
        lambda: group.remove_target_portal(call, target_portal=portal),
        lambda: connect(group, call, portal, "iqn.2026-01.test:x"),
        lambda: group.disconnect_target(call, target_portal=portal, iqn="iqn.2026-01.test:x"),
        lambda: disks(group, call, portal, "iqn.2026-01.test:x"),
    ):
        refusal(InvalidArgument, question)


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "portal",
        "portal.example.",
        "san-1.Example.COM",
        "fe80::1",
        "::1",
        "fe80::1%12",
        "::ffff:1.2.3.4",
    ],
)
def test_names_and_addresses_are_taken(address):
    assert checked_portal(TargetPortal(address, 1)).target_address == address


@pytest.mark.parametrize(
    "address",
    [
        "a b", "-a", "a-", "a..b", ".a", "a:b", "[::1]", "10.0.0.1:3260", "a/b", "a\\b", "a'", 'a"', "a\0b",
        "ä",        "x" * 64, "x." * 127 + "x", "::1%", "%1", "a%1", "iqn.2026-01.test:x", "\ud800",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(address):
    refusal(InvalidArgument, lambda: checked_portal(TargetPortal(address, 3260)))


def test_a_port_that_is_none_is_refused():
    refusal(InvalidArgument, lambda: checked_portal(TargetPortal("a", 65536)))
    assert checked_portal(TargetPortal("a", 65535)).target_port == 65535


@pytest.mark.parametrize(
    "name",
    [
        "iqn.2026-01.com.example", "iqn.2026-01.com.example:a.b-c_d:e", "IQN.1991-05.com.microsoft:Node",
        "eui.02004567A425678D", "naa.52004567BA64678D", "naa.62004567BA64678D0123456789ABCDEF",
        "iqn.2026-01." + "x" * 211,
    ],
)  # fmt: skip
def test_names_of_targets_are_taken(name):
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "", "iqn", "iqn.", "iqn.2026.com.example", "iqn.26-01.com.example", "disk",
        "iqn.2026-01.com.example:a b",        "iqn.2026-01.com:'", 'iqn.2026-01.com:"', "iqn.2026-01.com:\\",
        "eui.123", "eui.02004567A425678Z",
        "naa.1234", "iqn.2026-01." + "x" * 212, "iqn.2026-01.com:\n", "iqn.2026-01.com:ä", "\ud800",
    ],
)  # fmt: skip
def test_what_is_no_iscsi_name_is_refused(name):
    assert refusal(InvalidArgument, lambda: checked_name(name)).windows_code == 123


@pytest.mark.parametrize(
    ("login", "code"),
    [
        ((NONE, USER, ""), 87),
        ((NONE, "", SECRET), 87),
        ((ONE_WAY, "", SECRET), 2202),
        ((ONE_WAY, "x" * 224, SECRET), 2202),
        ((ONE_WAY, "a\nb", SECRET), 2202),
        ((ONE_WAY, USER, ""), 87),
        ((ONE_WAY, USER, "x" * 11), 87),
        ((MUTUAL, USER, "x" * 17), 87),
        ((ONE_WAY, USER, "x" * 12 + "\0"), 87),
    ],
)
def test_a_login_that_cannot_be_is_refused_before_anything_is_asked(node, call, login, code):
    kind, user, secret = login
    group = node.operations().iscsi  # whose service does not run: who asks it learns 1062
    portal = TargetPortal("10.0.0.1", 0)
    error = refusal(InvalidArgument, lambda: connect(group, call, portal, "iqn.2026-01.test:x", *login))
    assert error.windows_code == code
    refusal(InvalidArgument, lambda: checked_login(kind, user, Secret(secret)))


@pytest.mark.parametrize("secret", ["", "x" * 11, "x" * 17, "é" * 9, "x" * 12 + "\r"])
def test_a_mutual_secret_of_the_wrong_length_is_refused_before_anything_is_asked(node, call, secret):
    group = node.operations().iscsi
    error = refusal(
        InvalidArgument, lambda: group.set_mutual_chap_secret(call, mutual_chap_secret=Secret(secret))
    )
    assert error.windows_code == 87


@given(st.text(min_size=1))
def test_a_secret_is_never_in_what_is_said_of_it(secret):
    marked = "<<<" + secret
    try:
        check_secret(Secret(marked), "the secret")
    except InvalidArgument as error:
        assert "<<<" not in str(error)


@given(st.text())
def test_no_text_breaks_the_checks(text):
    for check in (lambda: checked_name(text), lambda: checked_portal(TargetPortal(text, 1))):
        try:
            check()
        except InvalidArgument as error:
            assert str(error).isprintable()
