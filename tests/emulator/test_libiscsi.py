"""The library's calls, driven with deadlines, against a real target and against one that says nothing."""

import socket

import pytest
from tests.iscsi_target import SECRET, TARGET_SECRET, TARGET_USER, USER, WRONG

from csiproxy.emulator import libiscsi, scsi
from csiproxy.emulator.libiscsi import CheckCondition, Context, LibiscsiError, LibiscsiMissing, LinkLost

pytestmark = pytest.mark.foreign
INITIATOR = "iqn.1991-05.com.microsoft:test"
SECONDS = 20.0


@pytest.fixture
def iqn(target_server):
    return target_server.offer()


@pytest.fixture
def portal(target_server):
    return f"{target_server.address}:{target_server.port}"


@pytest.fixture
def context(iqn, portal):
    context = Context(INITIATOR, iqn)
    context.connect(portal, SECONDS)
    context.log_in(SECONDS)
    with pytest.raises(CheckCondition, match="UNIT_ATTENTION"):  # told once to each new session
        context.command(1, scsi.read_capacity(), SECONDS, expect=scsi.CAPACITY_LENGTH)
    yield context
    context.close()


@pytest.fixture
def mute():
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_a_library_that_is_not_there_is_named_with_its_package():
    with pytest.raises(LibiscsiMissing, match=r"libnothing.*libiscsi7"):
        libiscsi.load("libnothing.so.0")


def test_a_library_without_what_is_needed_is_not_taken():
    with pytest.raises(LibiscsiMissing):
        libiscsi.load("libc.so.6")


def test_discovery_names_targets_and_their_portals(target_server, iqn, portal):
    other = target_server.offer("other")
    context = Context(INITIATOR)
    context.connect(portal, SECONDS)
    context.log_in(SECONDS)
    assert sorted(context.discover(SECONDS)) == [(iqn, [f"{portal},1"]), (other, [f"{portal},1"])]
    context.log_out(SECONDS)
    context.close()


def test_a_session_answers_pings_and_ends_with_its_logout(target_server, context, iqn):
    context.ping(SECONDS)
    assert target_server.sessions(iqn) == 1
    context.log_out(SECONDS)
    assert target_server.sessions(iqn) == 0


def test_a_connection_that_is_closed_leaves_no_session(target_server, context, iqn):
    context.close()
    context.close()
    while target_server.sessions(iqn):
        pass
    with pytest.raises(LinkLost, match="ended"):
        context.ping(SECONDS)


def test_what_is_written_is_read_and_is_in_the_targets_file(target_server, context):
    data = bytes(range(256)) * 4
    context.command(1, scsi.write(3, 2), SECONDS, data=data)
    assert context.command(1, scsi.read(3, 2), SECONDS, expect=1024) == data
    context.command(1, scsi.synchronize_cache(), SECONDS)
    with open(target_server.image(), "rb") as file:
        file.seek(3 * 512)
        assert file.read(1024) == data


def test_a_megabyte_goes_in_one_command(context):
    data = bytes(range(256)) * 4096
    context.command(1, scsi.write(0, 2048), SECONDS, data=data)
    assert context.command(1, scsi.read(0, 2048), SECONDS, expect=len(data)) == data


def test_a_unit_that_refuses_says_why(context):
    with pytest.raises(CheckCondition) as caught:
        context.command(1, scsi.read(1 << 40, 1), SECONDS, expect=512)
    assert caught.value.key == 5
    assert "LBA_OUT_OF_RANGE" in str(caught.value)
    context.ping(SECONDS)


def test_a_login_that_the_target_refuses_is_an_error_and_no_more(portal, iqn):
    context = Context(INITIATOR, "iqn.2026-01.test:nothing")
    context.connect(portal, SECONDS)
    with pytest.raises(LibiscsiError, match=r"\(515\)"):
        context.log_in(SECONDS)
    context.close()


@pytest.mark.parametrize(
    ("kind", "own", "name", "demanded", "fits"),
    [
        ("one-way", SECRET, "", "", True),
        ("one-way", WRONG, "", "", False),
        ("one-way", "", "", "", False),
        ("mutual", SECRET, "", "", True),
        ("mutual", SECRET, TARGET_USER, TARGET_SECRET, True),
        ("mutual", SECRET, TARGET_USER, WRONG, False),
        ("mutual", SECRET, "nobody", TARGET_SECRET, False),
        ("mutual", WRONG, TARGET_USER, TARGET_SECRET, False),
        ("one-way", SECRET, TARGET_USER, TARGET_SECRET, False),
        ("", SECRET, TARGET_USER, TARGET_SECRET, False),
    ],
)
def test_both_ends_prove_what_is_demanded(target_server, portal, kind, own, name, demanded, fits):
    context = Context(INITIATOR, target_server.offer("chap", chap=kind))
    if own:
        context.authenticate(USER, own)
    if demanded:
        context.demand(name, demanded)
    context.connect(portal, SECONDS)
    if fits:
        context.log_in(SECONDS)
    else:
        with pytest.raises(LibiscsiError) as caught:
            context.log_in(SECONDS)
        assert not {own, demanded} - {""} & {str(caught.value)}
    context.close()


def test_who_does_not_answer_is_lost_at_the_deadline(mute):
    context = Context(INITIATOR, "iqn.2026-01.test:mute")
    context.connect(mute, SECONDS)
    with pytest.raises(LinkLost, match="in time"):
        context.log_in(0.2)
    with pytest.raises(LinkLost, match="ended"):
        context.log_in(SECONDS)
    context.close()


def test_a_frozen_target_is_lost_at_the_deadline_and_stays_lost(target_server, context):
    target_server.freeze()
    with pytest.raises(LinkLost, match="in time"):
        context.command(1, scsi.read(0, 1), 0.2, expect=512)
    target_server.thaw()
    with pytest.raises(LinkLost, match="ended"):
        context.command(1, scsi.read(0, 1), SECONDS, expect=512)


def test_a_killed_target_is_lost_at_once(target_server, context):
    target_server.kill()
    with pytest.raises(LibiscsiError):
        context.command(1, scsi.write(0, 1), SECONDS, data=bytes(512))
    with pytest.raises(LinkLost):
        context.ping(SECONDS)


def test_a_port_where_nobody_listens_is_refused(target_server, portal, iqn):
    target_server.kill()
    context = Context(INITIATOR, iqn)
    with pytest.raises(LinkLost, match="refused"):
        context.connect(portal, SECONDS)
    with pytest.raises(LinkLost):
        context.log_in(SECONDS)
    context.close()


def test_a_login_that_is_cut_off_leaves_nothing_that_breaks_later(mute):
    for _ in range(20):
        context = Context(INITIATOR, "iqn.2026-01.test:mute")
        context.connect(mute, SECONDS)
        with pytest.raises(LinkLost):
            context.log_in(0.01)
        context.close()
