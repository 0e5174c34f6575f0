"""Drive letters of data volumes: given by an operator, or by Windows when it finds a disk.

A letter here is what Windows' classes show of it, and nothing can be reached under it: the namespace has
drive C: alone, which is no matter of this table.
"""

from collections.abc import Callable

from csiproxy.emulator.inventory import LetterReport
from csiproxy.emulator.state import State
from csiproxy.errors import Win32Error, WindowsCode

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS drive_letters (
         letter TEXT PRIMARY KEY,      -- one capital
         volume TEXT NOT NULL UNIQUE   -- its name, lower case
       )""",
)
_LETTERS = frozenset("DEFGHIJKLMNOPQRSTUVWXYZ")


class DriveLetters:
    """The letters of a node.  ``named`` gives the name of a volume that is there, and raises for another."""

    def __init__(self, state: State, named: Callable[[str], str]) -> None:
        self._state = state
        self._named = named

    def give(self, letter: str, volume: str) -> None:
        """Give a volume a letter, in place of the one that it has.  183: taken; 1168: no such volume."""
        capital = letter.upper()
        if capital not in _LETTERS:
            text = f"{letter} is no letter from D to Z"
            raise Win32Error(WindowsCode.INVALID_PARAMETER, "SetVolumeMountPointW", text)
        name = self._named(volume).lower()
        with self._state.transaction() as db:
            row = db.execute("SELECT volume FROM drive_letters WHERE letter = ?", (capital,)).fetchone()
            if row and row[0] != name:
                text = f"{capital}: is {row[0]}"
                raise Win32Error(WindowsCode.ALREADY_EXISTS, "SetVolumeMountPointW", text)
            db.execute("DELETE FROM drive_letters WHERE volume = ?", (name,))
            db.execute("INSERT OR REPLACE INTO drive_letters VALUES (?, ?)", (capital, name))

    def take(self, letter: str) -> None:
        """Take a letter back; 2 when no volume has it."""
        with self._state.transaction() as db:
            done = db.execute("DELETE FROM drive_letters WHERE letter = ?", (letter.upper(),))
            if not done.rowcount:
                text = f"no volume has the letter {letter}"
                raise Win32Error(WindowsCode.FILE_NOT_FOUND, "DeleteVolumeMountPointW", text)

    def of(self, volume: str) -> str:
        """The letter of a volume, "" when it has none."""
        with self._state.transaction() as db:
            row = db.execute(
                "SELECT letter FROM drive_letters WHERE volume = ?", (volume.lower(),)
            ).fetchone()
        return str(row[0]) if row else ""

    def reports(self) -> tuple[LetterReport, ...]:
        """Every letter that was given."""
        with self._state.transaction() as db:
            rows = db.execute("SELECT letter, volume FROM drive_letters ORDER BY letter").fetchall()
        return tuple(LetterReport(str(letter), str(volume)) for letter, volume in rows)

    def reset(self) -> None:
        """Take all letters back."""
        with self._state.transaction() as db:
            db.execute("DELETE FROM drive_letters")
