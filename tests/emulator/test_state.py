"""The state file: whole after any kill, never taken over from others, deterministic when seeded."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import csiproxy
from csiproxy.emulator.state import LAYOUT_VERSION, State, StateError

SOURCE = str(Path(csiproxy.__file__).parents[1])
NOTES = ("CREATE TABLE IF NOT EXISTS notes (text TEXT UNIQUE)",)


def notes(state: State) -> list[str]:
    with state.transaction() as db:
        return [row[0] for row in db.execute("SELECT text FROM notes ORDER BY rowid")]


def note(state: State, text: str) -> None:
    with state.transaction() as db:
        db.execute("INSERT INTO notes VALUES (?)", (text,))


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "state.db")


@pytest.fixture
def state(path):
    opened = State(path, NOTES)
    yield opened
    opened.close()


def test_what_was_committed_is_there_after_a_restart(path):
    first = State(path, NOTES)
    note(first, "kept")
    first.close()
    second = State(path, NOTES)
    assert notes(second) == ["kept"]
    second.close()


def test_a_failed_change_leaves_nothing(state):
    def change() -> None:
        with state.transaction() as db:
            db.execute("INSERT INTO notes VALUES ('half')")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change()
    assert notes(state) == []


def test_an_inner_transaction_belongs_to_the_outer_one(state):
    def change() -> None:
        with state.transaction():
            note(state, "inner")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change()
    assert notes(state) == []


def test_a_broken_rule_is_the_callers_to_handle(state):
    note(state, "once")
    with pytest.raises(sqlite3.IntegrityError):
        note(state, "once")
    assert notes(state) == ["once"]


def test_a_kill_inside_a_change_leaves_the_state_before_it(path):
    program = (
        "import os, signal, sys\n"
        "from csiproxy.emulator.state import State\n"
        f"state = State(sys.argv[1], {NOTES!r})\n"
        "with state.transaction() as db:\n"
        "    db.execute(\"INSERT INTO notes VALUES ('whole')\")\n"
        "with state.transaction() as db:\n"
        "    db.execute('PRAGMA cache_size = 1')\n"
        "    for n in range(5000):\n"
        "        db.execute('INSERT INTO notes VALUES (?)', (f'half {n}',))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, path], env={**os.environ, "PYTHONPATH": SOURCE})
    assert done.returncode == -signal.SIGKILL
    state = State(path, NOTES)
    assert notes(state) == ["whole"]
    state.close()


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_database_is_refused_and_left_alone(path, content):
    with open(path, "wb") as file:
        file.write(content)
    with pytest.raises(StateError, match="move it away"):
        State(path, NOTES)
    with open(path, "rb") as file:
        assert file.read() == content


def test_a_database_of_another_program_is_refused_and_left_alone(path):
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    with open(path, "rb") as file:
        before = file.read()
    with pytest.raises(StateError, match="another program"):
        State(path, NOTES)
    with open(path, "rb") as file:
        assert file.read() == before


def test_a_newer_file_is_refused_and_left_alone(path):
    State(path, NOTES).close()
    with sqlite3.connect(path) as newer:
        newer.execute(f"PRAGMA user_version = {LAYOUT_VERSION + 1}")
    newer.close()
    with open(path, "rb") as file:
        before = file.read()
    with pytest.raises(StateError, match="newer release"):
        State(path, NOTES)
    with open(path, "rb") as file:
        assert file.read() == before


def test_a_damaged_file_is_refused_and_left_alone(path):
    state = State(path, NOTES)
    with state.transaction() as db:
        db.executemany("INSERT INTO notes VALUES (?)", [(f"{n}" * 20,) for n in range(500)])
    state.close()
    with open(path, "r+b") as file:
        size = os.path.getsize(path)
        file.seek(size // 2)
        file.write(b"\xff" * (size // 4))
        file.flush()
        file.seek(0)
        before = file.read()
    with pytest.raises(StateError):
        State(path, NOTES)
    with open(path, "rb") as file:
        assert file.read() == before


def test_damage_that_sqlite_cannot_quote_is_refused_and_left_alone(path):
    State(path, NOTES).close()
    data = bytearray(Path(path).read_bytes())
    at = data.index(b"CREATE TABLE")
    data[at : at + 12] = b"CRE\xfeTXX\0\0\0\0\0"  # no SQL, and no UTF-8 in what SQLite says about it
    Path(path).write_bytes(data)
    with pytest.raises(StateError, match="cannot be read"):
        State(path, NOTES)
    assert Path(path).read_bytes() == data


def test_a_missing_directory_is_named(tmp_path):
    with pytest.raises(StateError, match="exist and writable"):
        State(str(tmp_path / "missing" / "state.db"))


def test_a_seed_decides_all_identifiers(tmp_path):
    sequences = []
    for name in ("one", "two", "other"):
        state = State(str(tmp_path / name))
        state.seed("other" if name == "other" else "same")
        first = [state.fresh_guid() for _ in range(3)]
        state.close()
        state = State(str(tmp_path / name))
        sequences.append(first + [state.fresh_guid() for _ in range(3)])
        state.close()
    assert sequences[0] == sequences[1]
    assert sequences[0] != sequences[2]
    assert len(set(sequences[0])) == 6


def test_without_a_seed_identifiers_are_never_the_same(state):
    assert len({state.fresh_guid() for _ in range(100)}) == 100


def test_threads_take_turns(state):
    def add(name: str) -> None:
        for n in range(20):
            note(state, f"{name} {n}")

    threads = [threading.Thread(target=add, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(notes(state)) == 80
