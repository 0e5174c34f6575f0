"""What an initiator keeps in the node's state: portals, targets, persistent sessions, units it has seen.

Windows keeps the same in its registry.  No secret is among it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from csiproxy.emulator.attachment import Attachment, OfflineReason
from csiproxy.emulator.state import State

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS iscsi_portals (
         address TEXT NOT NULL COLLATE NOCASE,
         port    INTEGER NOT NULL,
         PRIMARY KEY (address, port)
       )""",
    """CREATE TABLE IF NOT EXISTS iscsi_targets (   -- what the portals said that they offer
         name    TEXT NOT NULL,
         address TEXT NOT NULL COLLATE NOCASE,
         port    INTEGER NOT NULL,
         PRIMARY KEY (name, address, port)
       )""",
    """CREATE TABLE IF NOT EXISTS iscsi_sessions (  -- the persistent ones
         target         TEXT PRIMARY KEY,
         id             TEXT NOT NULL,
         address        TEXT NOT NULL,
         port           INTEGER NOT NULL,
         authentication TEXT NOT NULL,
         chap_name      TEXT NOT NULL
       )""",
    """CREATE TABLE IF NOT EXISTS iscsi_units (     -- how Windows had disks that have gone
         name           TEXT PRIMARY KEY,
         number         INTEGER NOT NULL,
         read_only      INTEGER NOT NULL,
         offline        INTEGER NOT NULL,
         offline_reason INTEGER NOT NULL
       )""",
)
_TABLES = ("iscsi_portals", "iscsi_targets", "iscsi_sessions", "iscsi_units")


@dataclass(frozen=True, slots=True)
class Portal:
    """Where a target listens: a DNS name or an IP address, and a TCP port."""

    address: str
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A persistent session: with whom, where, and under what CHAP name."""

    target: str
    id: str
    portal: Portal
    authentication: str
    chap_name: str


@dataclass(frozen=True, slots=True)
class UnitRecord:
    """How Windows had a unit's disk."""

    number: int
    read_only: bool
    offline: bool
    offline_reason: OfflineReason


# Windows' default for disks on a bus that hosts share: offline and read-only until somebody decides.
NEVER_SEEN = UnitRecord(0, True, True, OfflineReason.POLICY)


class Records:
    """The tables above."""

    def __init__(self, state: State) -> None:
        self._state = state

    def portals(self) -> list[Portal]:
        """The registered portals."""
        with self._state.transaction() as db:
            rows = db.execute("SELECT address, port FROM iscsi_portals ORDER BY address, port").fetchall()
        return [Portal(address, port) for address, port in rows]

    def add_portal(self, portal: Portal, targets: Sequence[str]) -> None:
        """Register a portal with what it offers."""
        with self._state.transaction() as db:
            db.execute("INSERT OR IGNORE INTO iscsi_portals VALUES (?, ?)", (portal.address, portal.port))
            self.set_targets(portal, targets)

    def set_targets(self, portal: Portal, targets: Sequence[str]) -> None:
        """Keep what a portal offers now, if it is registered still."""
        place = (portal.address, portal.port)
        with self._state.transaction() as db:
            db.execute("DELETE FROM iscsi_targets WHERE address = ? AND port = ?", place)
            known = db.execute("SELECT 1 FROM iscsi_portals WHERE address = ? AND port = ?", place)
            if known.fetchone():
                rows = [(name, *place) for name in targets]
                db.executemany("INSERT OR IGNORE INTO iscsi_targets VALUES (?, ?, ?)", rows)

    def remove_portal(self, portal: Portal) -> None:
        """Forget a portal and what it offers."""
        place = (portal.address, portal.port)
        with self._state.transaction() as db:
            db.execute("DELETE FROM iscsi_portals WHERE address = ? AND port = ?", place)
            db.execute("DELETE FROM iscsi_targets WHERE address = ? AND port = ?", place)

    def targets(self) -> dict[str, list[Portal]]:
        """Every target that a portal offers, with those portals."""
        with self._state.transaction() as db:
            rows = db.execute("SELECT name, address, port FROM iscsi_targets ORDER BY name, address, port")
            found: dict[str, list[Portal]] = {}
            for name, address, port in rows.fetchall():
                found.setdefault(name, []).append(Portal(address, port))
        return found

    def sessions(self) -> list[SessionRecord]:
        """The persistent sessions."""
        with self._state.transaction() as db:
            rows = db.execute(
                "SELECT target, id, address, port, authentication, chap_name FROM iscsi_sessions"
            ).fetchall()
        return [
            SessionRecord(target, key, Portal(address, port), authentication, name)
            for target, key, address, port, authentication, name in rows
        ]

    def keep_session(self, record: SessionRecord) -> None:
        """Make a session persistent."""
        portal = record.portal
        values = (
            record.target, record.id, portal.address, portal.port, record.authentication, record.chap_name,
        )  # fmt: skip
        with self._state.transaction() as db:
            db.execute("INSERT OR REPLACE INTO iscsi_sessions VALUES (?, ?, ?, ?, ?, ?)", values)

    def forget_session(self, target: str) -> None:
        """Make a session persistent no longer."""
        with self._state.transaction() as db:
            db.execute("DELETE FROM iscsi_sessions WHERE target = ?", (target,))

    def unit(self, name: str) -> UnitRecord:
        """How Windows had the disk of that unit; a new one is as policy has it."""
        with self._state.transaction() as db:
            row = db.execute(
                "SELECT number, read_only, offline, offline_reason FROM iscsi_units WHERE name = ?", (name,)
            ).fetchone()
        return UnitRecord(row[0], bool(row[1]), bool(row[2]), OfflineReason(row[3])) if row else NEVER_SEEN

    def keep_unit(self, disk: Attachment) -> None:
        """Remember how Windows has the disk of a unit."""
        values = (disk.image, disk.number, disk.read_only, disk.offline, int(disk.offline_reason))
        with self._state.transaction() as db:
            db.execute("INSERT OR REPLACE INTO iscsi_units VALUES (?, ?, ?, ?, ?)", values)

    def clear(self) -> None:
        """Forget everything."""
        with self._state.transaction() as db:
            for table in _TABLES:
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - constant names
