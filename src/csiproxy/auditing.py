"""Where ``serve`` keeps its audit trail: files with key and head, the log, copies for other logs."""

import json
import os
import stat
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, TextIO

from csiproxy import __version__, private_file
from csiproxy.audit import key as keys
from csiproxy.audit.chained_file import Bounds, ChainedFile, Missed, bring_to_disk
from csiproxy.audit.copies import CopySink
from csiproxy.audit.digest import sha256
from csiproxy.audit.head import Head, Taken
from csiproxy.audit.key import BadKey, Key
from csiproxy.audit.plain_file import PlainFile
from csiproxy.audit.primary import Sink
from csiproxy.log import Output
from csiproxy.private_file import NotPrivate
from csiproxy.server.audit import Trail

if TYPE_CHECKING:
    from csiproxy.flags import Settings
    from csiproxy.server.server import Endpoints

COPIES: Final = ("journald", "syslog")
"""Other logs that records can be copied to."""
SEAL: Final = 30.0
"""Seconds after which records are signed and brought to the disk, where not so many came before."""


class Unusable(Exception):
    """The trail cannot be kept as the operator wants; the text says which flag to change."""


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """How the trail is kept.

    ``log`` is a file, ``-`` for the log; ``key`` the key's file, "" for the one beside the trail;
    ``largest`` bytes fill a file (0: never), of which ``kept`` full ones stay.
    """

    log: str
    key: str
    required: bool
    copies: tuple[str, ...]
    largest: int
    kept: int


class Audit:
    """The trail of this process, from its start to its end."""

    def __init__(self, trail: Trail, file: ChainedFile | None) -> None:
        self.trail = trail
        self._file = file

    def started(self, settings: "Settings") -> None:
        """Record the start, and how this process is configured."""
        configuration = asdict(settings)
        canonical = json.dumps(configuration, sort_keys=True, separators=(",", ":"))
        self.trail.event(
            "start",
            version=__version__,
            pid=os.getpid(),
            platform=sys.platform,
            configuration=configuration,
            configuration_sha256=sha256(canonical.encode()).hexdigest(),
        )

    def listens(self, endpoints: "Endpoints") -> None:
        """Record what became of each endpoint."""
        for name in endpoints.served:
            self.trail.event("endpoint-served", endpoint=name)
        untrusted = {text.partition(":")[0] for text in endpoints.untrusted}
        for name in endpoints.left:
            if name not in untrusted:  # those have a record that says more
                self.trail.event("endpoint-skipped", endpoint=name)

    def close(self) -> None:
        """Seal the trail; nobody writes to it any more."""
        self.trail.close()
        if self._file is not None:
            with suppress(OSError):  # what is there is there; a later start tells what is missing
                self._file.close()


def open_trail(settings: AuditSettings, raw: Output, log: TextIO) -> Audit:
    """Open the trail.  Raise Unusable."""
    copies = [(name, _copy(name)) for name in settings.copies]
    if settings.log == "-":
        trail = Trail(raw, log, required=settings.required)
        file = None
    elif _is_device(settings.log):
        trail = Trail(_device(settings.log), log, spill=raw, required=settings.required)
        file = None
    else:
        sink = _Late()
        trail = Trail(sink, log, spill=raw, required=settings.required)
        file = sink.file = _chained(settings, trail)
        sink.trail = trail
        if file.finding:
            log.write(f"csi-proxy serve: SECURITY: the audit trail is not as it was left: {file.finding}\n")
    for name, copy in copies:
        trail.copy_to(name, copy)
    return Audit(trail, file)


class _Late:
    """The chained file, sealed some time after something was written; file and trail come after the trail."""

    file: ChainedFile
    trail: Trail

    def __init__(self) -> None:
        self._open = False

    def write(self, line: bytes) -> None:
        self.file.write(line)
        if not self._open:
            self._open = True
            self.trail.keeper.ask(self._seal, SEAL)

    def _seal(self) -> None:
        self._open = False
        descriptor = self.trail.run(self.file.seal)
        if descriptor is not None:
            bring_to_disk(descriptor)
        elif not self._open:  # busy, or full
            self._open = True
            self.trail.keeper.ask(self._seal, SEAL)


def _is_device(path: str) -> bool:
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False


def _device(path: str) -> Sink:
    try:
        return PlainFile.open(path)
    except OSError as error:
        raise _cannot_open(path, error) from error


def _cannot_open(path: str, error: OSError) -> Unusable:
    return Unusable(
        f"--audit-log {path} cannot be opened ({error.strerror}): name a file that you may append to"
    )


def _chained(settings: AuditSettings, trail: Trail) -> ChainedFile:
    def missed(file: Missed) -> None:
        trail.file_missed(file.facts(), file.last - file.first + 1)

    path = os.path.abspath(settings.log)
    try:
        key = read_key(settings.key or f"{path}.key", create=True)
        head = Head(private_file.open_private(f"{path}.head", create=True))
    except (NotPrivate, BadKey) as error:
        raise Unusable(str(error)) from error
    except Taken:
        raise Unusable(
            f"--audit-log {path} is written by another process: name a file of its own for each csi-proxy"
        ) from None
    except OSError as error:
        raise _cannot_open(path, error) from error
    try:
        bounds = Bounds(settings.largest, settings.kept)
        return ChainedFile(path, key, head, bounds, signed=trail.signed, missed=missed)
    except OSError as error:
        head.close()
        raise _cannot_open(path, error) from error


def read_key(path: str, *, create: bool) -> Key:
    """Read a key; with ``create``, make it where there is none.  Raise NotPrivate, BadKey or OSError."""
    try:
        with os.fdopen(private_file.open_private(path, create=create), "r+b" if create else "rb") as file:
            content = file.read(256)
            if not content and create:
                content = keys.make()
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
    except NotPrivate as error:
        raise NotPrivate(
            f"the file {path} {error}, and who can read or change it can forge the audit trail: "
            "look into that trail, and remove the file"
        ) from error
    try:
        return Key.read(content)
    except BadKey as error:
        raise BadKey(f"the file {path} {error}: name another one with --audit-key") from error


def _copy(name: str) -> CopySink:
    """The sink of another log, not yet connected.  Raise Unusable."""
    if sys.platform == "win32":
        raise Unusable(f"--audit-copy {name}: this system has no such log")
    else:  # noqa: RET506  mypy tells platforms apart by branches only
        from csiproxy.audit import local_log

        return local_log.Journald() if name == "journald" else local_log.Syslog()
