"""Looks whether a trail is as it was written: nothing changed, removed, added, put elsewhere or cut off.

What it goes by: the chain (each line's number and digest), the first lines of files, the signatures of
checkpoints, and the head.  The chain and the numbers of files need no secret; a checkpoint is as good as the
secrecy of the key, the head as the privacy of its file.  Whoever may write to the files can make a whole
chain anew, so a trail without its key or its head is not as it was written, unless less is asked for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from csiproxy.audit import chain, files
from csiproxy.audit.chain import CHECKPOINT_EVERY, START, Link, Position
from csiproxy.audit.files import TrailFile
from csiproxy.audit.head import End

MOST_FINDINGS: Final = 1000
MOST_UNSIGNED: Final = 2 * CHECKPOINT_EVERY
"""Records at the end that may wait for a signature; it is due long before, and a full disk can delay it."""

NO_SIGNATURE: Final = "that the service wrote these records, as no signature was looked at"
NO_END: Final = "that none are missing at the end, as there is no head"
"""What is not proven without a key, and without a head."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was written.

    ``file`` and ``line`` (from 1; 0 for the end, or the whole file) say where to look, ``first`` and ``last``
    which records it is about (0 and 0 for whole files).
    """

    file: str
    line: int
    first: int
    last: int
    text: str


@dataclass(slots=True)
class Report:
    """What was found.  ``notes`` are no findings, but what else there is to know.

    ``last`` is where the trail ends, ``sealed`` the last record that a good signature covers.  ``unproven``
    says what nothing shows: that a key or a head would have to.
    """

    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)
    files: int = 0
    records: int = 0
    checkpoints: int = 0
    last: Position = START
    sealed: int = 0


@dataclass(frozen=True, slots=True)
class Heads:
    """What the head said before the files were read, and after: a running service goes on meanwhile."""

    before: End
    after: End


def verify(
    path: str, keys: Mapping[str, bytes], head: Callable[[], End | None], *, unsigned: bool = False
) -> Report:
    """Look at the files of the trail ``path``, oldest first.

    ``keys`` are the secrets by their names; without any, signatures are not looked at.  ``head`` reads the
    head; None where there is none.  Either is a finding, as somebody could have taken them away; with
    ``unsigned`` the report only says what is unproven.  Raise OSError.
    """
    walk = _Walk(path, keys, demands=not unsigned)
    before = head()
    for file in files.all_files(path):
        walk.file(file)
    after = head()
    walk.end(None if before is None or after is None else Heads(before, after))
    return walk.report


class _Walk:
    """One way through a trail."""

    def __init__(self, path: str, keys: Mapping[str, bytes], *, demands: bool) -> None:
        self.report = Report()
        self._keys = keys
        self._demands = demands
        self._path = path
        self._at: Position | None = None
        """The last line, as it says of itself."""
        self._first_file = self._file = self._kept = 0
        self._odd: tuple[int, bytes] | None = None
        """A line that is none of the trail, with its number; the next one may explain it."""
        self._missing: set[int] = set()
        self._unknown_keys: set[str] = set()

    # --- files

    def file(self, file: TrailFile) -> None:
        """Look at the next file."""
        self._path = file.path
        self.report.files += 1
        begun = False
        for number, line in enumerate(files.lines(file.path), 1):
            link = chain.read(line[:-1]) if line.endswith(b"\n") else None
            if link is None:
                self._cannot_explain()
                self._odd = number, line
                continue
            record = files.record_of(line) or {}
            if not begun:
                begun = True
                self._begin(file, link, record, number)
            self._line(number, link, record)
        if file.number:  # only the growing file may end in the middle of a line
            self._cannot_explain()
            if not begun:
                self._find(0, 0, 0, "the file holds no record of the trail")

    def _begin(self, file: TrailFile, link: Link, record: Mapping[str, object], line: int) -> None:
        """See which file this is, and what it follows."""
        before, seq = self._file, link.claim.seq
        number, kept = record.get("number"), record.get("kept")
        if record.get("event") != chain.FILE or not isinstance(number, int) or not isinstance(kept, int):
            if before or self._odd is None:  # the very first line of a trail may have been torn
                self._find(line, seq, seq, "the file does not begin as files of a trail do")
            self._file = before + 1
        else:
            self._file, self._kept = number, kept
            if file.number and file.number != number:
                self._find(line, seq, seq, f"this is file {number} under the name of file {file.number}")
            if before and number > before + 1:
                self._find(0, 0, 0, f"{_count('file', before + 1, number - 1)} missing before this one")
            elif before and number <= before:
                self._find(0, 0, 0, f"file {number} stands behind file {before}")
        if missed := record.get("missed"):
            which = f"file {missed} (records {record.get('missed_first')} to {record.get('missed_last')})"
            how = f"was {record.get('missed_how')} while the service wrote it, and the service said so"
            self.report.notes.append(f"{which} {how}")
        if self._at is None:
            self._first_file = self._file
            follows = _digest(record.get("follows"))
            self._at = START if self._file == 1 else Position(seq - 1, follows)

    # --- lines

    def _line(self, number: int, link: Link, record: Mapping[str, object]) -> None:
        at, claim = self._at or START, link.claim
        before: Position | None = at
        if link.follows(at):
            self._explain(record)
        else:
            self._cannot_explain()
            if claim.seq <= at.seq:
                self._misplaced(number, claim.seq, at.seq)
                return
            before = None
            if claim.seq > at.seq + 1:
                self._missing.update(range(at.seq + 1, min(claim.seq, at.seq + MOST_FINDINGS)))
                gone = _count("record", at.seq + 1, claim.seq - 1)
                self._find(number, at.seq + 1, claim.seq - 1, f"{gone} missing before record {claim.seq}")
            else:
                text = f"record {claim.seq} was changed, or the one before it: its digest does not fit"
                self._find(number, at.seq, claim.seq, text)
        if record.get("event") == chain.CHECKPOINT:
            self._checkpoint(number, link, record, before)
        self._at = claim
        self.report.records += 1

    def _misplaced(self, number: int, seq: int, at: int) -> None:
        text = f"record {seq} stands behind record {at}: "
        if seq in self._missing:
            self._find(number, seq, at, text + "lines were put into another order")
        else:
            self._find(number, seq, seq, text + "it was put there, or is there twice")

    def _checkpoint(
        self, number: int, link: Link, record: Mapping[str, object], before: Position | None
    ) -> None:
        """Hold a checkpoint against its signature, and against the line before it where that is known."""
        self.report.checkpoints += 1
        if not self._keys:
            return
        seq, first, name = link.claim.seq, self.report.sealed + 1, str(record.get("key"))
        secret = self._keys.get(name)
        if secret is None:
            if name not in self._unknown_keys:
                self._unknown_keys.add(name)
                self._find(
                    number, first, seq, f"checkpoint {seq} has the key {name[:32]}, which is not given"
                )
        elif not chain.signed(secret, link):
            self._find(number, first, seq, f"the signature of checkpoint {seq} is wrong")
        elif before is not None and record.get("digest") != before.digest.hex():
            text = f"checkpoint {seq} was signed for other records than those from {first} to {seq - 1}"
            self._find(number, first, seq - 1, f"{text}: they were written anew")
        else:
            self.report.sealed = seq

    def _explain(self, record: Mapping[str, object]) -> None:
        """A line that was torn is told by the one behind it, for which the chain stands."""
        if self._odd is None:
            return
        number, torn = self._odd[0], self._odd[1].removesuffix(b"\n")
        if (
            record.get("event") == chain.RESUMED
            and record.get("torn") == len(torn)
            and record.get("torn_sha256") == sha256(torn).hexdigest()
        ):
            self._odd = None
            text = "is torn: it was being written when the service was killed, and the service said so"
            self.report.notes.append(f"{self._path}: line {number} {text}")
        self._cannot_explain()

    def _cannot_explain(self) -> None:
        if self._odd is not None:
            number, line = self._odd
            self._odd = None
            after = self._at.seq if self._at else 0
            text = f"line {number} ({len(line)} bytes) behind record {after} is no record of the trail"
            self._find(number, after, after + 1, text)

    # --- the end

    def end(self, heads: Heads | None) -> None:
        """Look at the end of the trail, and at which files there should be."""
        at = self.report.last = self._at or START
        if self._odd is not None and not self._odd[1].endswith(b"\n"):
            said = None if heads is None else (heads.before, heads.after)
            if said is None or any(head.there.seq <= at.seq < head.under_way.seq for head in said):
                text = "is torn: it is being written, or was when the service was killed"
                self.report.notes.append(f"{self._path}: line {self._odd[0]} {text}")
                self._odd = None
        self._cannot_explain()
        due = max(1, self._file - self._kept)
        if self._kept and self._first_file > due:
            gone = _count("file", due, self._first_file - 1)
            self._find(0, 0, 0, f"{gone} missing: {self._kept} full ones are kept")
        self._hold_against(heads, at)
        if not self._keys:
            self._cannot_show(NO_SIGNATURE, 1, at.seq)
        elif at.seq - self.report.sealed > MOST_UNSIGNED:
            rest = _count("record", self.report.sealed + 1, at.seq)
            self._find(0, self.report.sealed + 1, at.seq, f"{rest} not signed, though that was long due")
        elif at.seq > self.report.sealed:
            rest = _count("record", self.report.sealed + 1, at.seq)
            vouched = "" if heads is None else "; the head vouches for them"
            self.report.notes.append(f"{rest} not signed yet{vouched}")

    def _hold_against(self, heads: Heads | None, at: Position) -> None:
        if heads is None:
            self._cannot_show(NO_END, at.seq, at.seq)
            return
        there, limit = heads.before.there, heads.after.under_way
        if at.seq < there.seq:
            gone = _count("record", at.seq + 1, there.seq)
            self._find(0, at.seq + 1, there.seq, f"{gone} missing at the end of the trail")
        elif at.seq > limit.seq:
            text = "at the end, which the service did not write"
            self._find(0, limit.seq + 1, at.seq, f"{_count('record', limit.seq + 1, at.seq)} {text}")
        elif any(at.seq == end.seq and at.digest != end.digest for end in (there, heads.after.there)):
            self._find(0, at.seq, at.seq, f"record {at.seq}, the last one, is not the one that was written")

    def _cannot_show(self, what: str, first: int, last: int) -> None:
        self.report.unproven.append(what)
        if self._demands:
            self._find(0, first, last, f"nothing shows {what}")

    def _find(self, line: int, first: int, last: int, text: str) -> None:
        if len(self.report.findings) < MOST_FINDINGS:
            self.report.findings.append(Finding(self._path, line, first, last, text))


def _digest(text: object) -> bytes:
    try:
        return bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError:
        return b""


def _count(what: str, first: int, last: int) -> str:
    return f"{what} {first} is" if first == last else f"{what}s {first} to {last} are"
