"""A link is known by identity and text, and what was recorded outlives the process."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest

from csiproxy.emulator import links
from csiproxy.emulator.links import FEWEST_TO_LOOK_THROUGH, Change, Link, LinkTable
from csiproxy.emulator.state import State
from csiproxy.errors import Win32Error
from csiproxy.host.win32 import EntryKind

VOLUME = r"\\?\Volume{00000000-0000-4000-8000-000000000001}" + "\\"
LINK = Link((1, 2), "../x", EntryKind.SYMBOLIC_LINK, r"C:\x", r"C:\pods\link")
MOUNT = Link((1, 3), "../img", EntryKind.MOUNT_POINT, VOLUME, r"C:\stage")
CHANGE = Change("temporary", "C:\\pods", "link", makes_link=True)


@pytest.fixture
def state(tmp_path):
    state = State(str(tmp_path / "state.db"), links.SCHEMA)
    yield state
    state.close()


@pytest.fixture
def table(state):
    return LinkTable(state)


def test_a_link_is_found_by_identity_and_text_together(table):
    table.remember(LINK)
    assert table.find((1, 2), "../x") == LINK
    assert table.find((1, 2), "../other") is None
    assert table.find((9, 2), "../x") is None


def test_links_are_known_to_the_next_process(state, table):
    table.remember(MOUNT)
    table.remember(LINK)
    assert LinkTable(state).all() == [LINK, MOUNT]


def test_everything_is_there_when_the_state_is_opened_again(tmp_path):
    path = str(tmp_path / "again.db")
    odd = Link((1 << 63, (1 << 64) - 1), "../\udcff", EntryKind.JUNCTION, "C:\\y", "C:\\z")
    first = State(path, links.SCHEMA)
    table = LinkTable(first)
    for link in (LINK, MOUNT, odd):
        table.remember(link)
    table.forget(MOUNT.file)
    table.begin(CHANGE)
    first.close()
    second = State(path, links.SCHEMA)
    table = LinkTable(second)
    assert table.find(odd.file, odd.text) == odd
    assert table.all() == [LINK, odd]
    assert table.interrupted() == [CHANGE]
    second.close()


def test_text_that_is_not_utf8_survives(state, table):
    odd = Link((7, 7), "../\udcff", EntryKind.JUNCTION, "C:\\y", "C:\\z")
    table.remember(odd)
    assert LinkTable(state).find((7, 7), "../\udcff") == odd


def test_a_number_that_is_used_again_is_another_link(table):
    table.remember(LINK)
    again = Link((1, 2), "../y", EntryKind.JUNCTION, r"C:\y", r"C:\q")
    table.remember(again)
    assert table.all() == [again]


def test_mount_points_are_listed_by_volume(table):
    table.remember(LINK)
    table.remember(MOUNT)
    assert table.mounted(VOLUME) == [MOUNT]
    assert table.mounted("other") == []


def test_forgetting_is_for_good_and_twice_is_fine(state, table):
    table.remember(LINK)
    table.forget((1, 2), (8, 8))
    table.forget((1, 2))
    assert table.all() == LinkTable(state).all() == []


def test_a_link_found_elsewhere_keeps_everything_but_its_place(state, table):
    table.remember(LINK)
    table.moved(LINK, r"C:\new")
    found = LinkTable(state).find((1, 2), "../x")
    assert (found.place, found.target) == (r"C:\new", LINK.target)


def test_a_renumbered_link_is_the_same_link(state, table):
    table.remember(LINK)
    table.renumber([(LINK, (5, 6))])
    assert table.all() == LinkTable(state).all() == [replace(LINK, file=(5, 6))]


def test_links_may_take_each_others_numbers(state, table):
    third = replace(LINK, file=(1, 4), place=r"C:\third")
    for link in (LINK, MOUNT, third):
        table.remember(link)
    table.renumber([(LINK, MOUNT.file), (MOUNT, LINK.file), (third, (1, 5))])
    expected = [
        replace(LINK, file=MOUNT.file),
        replace(MOUNT, file=LINK.file),
        replace(third, file=(1, 5)),
    ]
    assert (
        sorted(table.all(), key=str) == sorted(LinkTable(state).all(), key=str) == sorted(expected, key=str)
    )


def test_links_of_many_threads_are_all_recorded(state, table):
    def work(number):
        table.remember(replace(LINK, file=(number, 0), place=rf"C:\{number}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(40)))
    assert len(table.all()) == len(LinkTable(state).all()) == 40


def test_a_state_that_cannot_be_written_fails_a_change_and_changes_nothing(state, table):
    table.remember(LINK)
    state.close()
    for change in (
        lambda: table.remember(MOUNT),
        lambda: table.moved(LINK, r"C:\new"),
        lambda: table.renumber([(LINK, (5, 6))]),
        lambda: table.begin(CHANGE),
    ):
        with pytest.raises(Win32Error) as caught:
            change()
        assert caught.value.windows_code == 31
        assert table.all() == [LINK]


def test_a_link_that_has_gone_is_forgotten_even_if_that_cannot_be_written(state, table):
    table.remember(LINK)
    state.close()
    table.forget(LINK.file)
    assert table.all() == []


def test_a_change_that_was_interrupted_is_known_to_the_next_process(state, table):
    table.begin(CHANGE)
    assert LinkTable(state).interrupted() == [CHANGE]


def test_a_change_that_is_over_is_not_interrupted(state, table):
    table.begin(CHANGE)
    table.over("temporary")
    assert table.interrupted() == []
    table.begin(Change("second", "C:\\", "x", makes_link=False))
    assert [change.temporary for change in LinkTable(state).interrupted()] == ["second"]


def test_what_is_over_stays_over_when_the_next_note_cannot_be_committed(state, table):
    table.begin(CHANGE)
    table.over(CHANGE.temporary)
    with state.transaction() as db:
        db.execute("PRAGMA busy_timeout = 0")
    with closing(sqlite3.connect(state.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM links").fetchall()
        with pytest.raises(Win32Error):
            table.begin(replace(CHANGE, temporary="second"))
    assert table.interrupted() == []
    table.begin(replace(CHANGE, temporary="third"))
    assert [change.temporary for change in LinkTable(state).interrupted()] == ["third"]


# --- links that others have removed ------------------------------------------------------------------------


def numbered(number: int) -> Link:
    return replace(LINK, file=(1, number), place=rf"C:\{number}")


def test_a_small_table_is_never_looked_through(table):
    for number in range(FEWEST_TO_LOOK_THROUGH - 1):
        table.remember(numbered(number))
    asked = []
    table.look_through(asked.append)
    assert asked == []


def test_links_that_are_gone_at_two_looks_are_forgotten_for_good(state, table):
    for number in range(FEWEST_TO_LOOK_THROUGH):
        table.remember(numbered(number))
    table.look_through(lambda link: link.file[1] % 2 == 0)
    assert len(table.all()) == FEWEST_TO_LOOK_THROUGH
    for number in range(FEWEST_TO_LOOK_THROUGH, 2 * FEWEST_TO_LOOK_THROUGH):
        table.remember(numbered(number))
    table.look_through(lambda link: link.file[1] % 4 == 0)
    kept = [n for n in range(2 * FEWEST_TO_LOOK_THROUGH) if n % 4 or n >= FEWEST_TO_LOOK_THROUGH]
    for known in (table, LinkTable(state)):
        assert sorted(link.file[1] for link in known.all()) == kept


def test_a_link_that_is_found_elsewhere_between_two_looks_is_kept(table):
    for number in range(FEWEST_TO_LOOK_THROUGH):
        table.remember(numbered(number))
    table.look_through(lambda _: True)
    table.moved(numbered(5), r"C:\elsewhere")
    for number in range(FEWEST_TO_LOOK_THROUGH, 2 * FEWEST_TO_LOOK_THROUGH):
        table.remember(numbered(number))
    table.look_through(lambda link: link.file[1] < FEWEST_TO_LOOK_THROUGH)
    assert table.find((1, 5), LINK.text) == replace(numbered(5), place=r"C:\elsewhere")
    assert len(table.all()) == FEWEST_TO_LOOK_THROUGH + 1


def test_a_table_of_links_that_go_away_stays_short_and_is_asked_little(table):
    asked = longest = 0
    made = 50 * FEWEST_TO_LOOK_THROUGH
    live = numbered(made)
    table.remember(live)

    def is_gone(link: Link) -> bool:
        nonlocal asked
        asked += 1
        return link != live

    for number in range(made):
        table.look_through(is_gone)
        table.remember(numbered(number))
        longest = max(longest, len(table.all()))
    assert longest <= 4 * FEWEST_TO_LOOK_THROUGH
    assert asked <= 3 * made
    assert live in table.all()
