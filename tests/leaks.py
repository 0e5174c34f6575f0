"""Secrets for tests, and a search for them in everything that tests leave.

Every password comes from :func:`draw`, which notes it for the whole run, whichever worker draws it.  What a
test writes is searched when the test is over, before it is removed (:func:`search`); what tests say, and what
is left in the end, is searched after the last one.  A secret that is found fails the run.
"""

import base64
import errno
import os
import secrets
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

# Where the secrets that were drawn, and those that were found, are noted; workers inherit it.
REGISTRY = "CSI_PROXY_TEST_SECRETS"
# Ours are told from all other texts by this, and have what is escaped in Windows' texts, JSON and shells.
_BEGINNING = 'hush:\\"'
_CHUNK, _OVERLAP = 1 << 20, 1 << 10


def draw() -> str:
    """A password that no other test has."""
    secret = _BEGINNING + secrets.token_hex(12)
    _note("drawn", secret)
    return secret


def search(*places: Path | str) -> None:
    """Look for every secret of this run in files, directories and all below; what is found fails the run."""
    wanted = _forms(_noted("drawn"))
    for place in places:
        for path in _files(Path(place)):
            if any(form in content for content in _contents(path) for form in wanted):
                _note("found", str(path))


def found() -> list[str]:
    """Where secrets of this run have been found so far."""
    return _noted("found")


def look(text: str) -> bool:
    """Whether a text has a secret in it."""
    return any(form in text.encode("utf-8", "replace") for form in _forms(_noted("drawn")))


def process_listing() -> str:
    """The command lines and environments of all processes, as ``ps`` would show them."""
    shown = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                shown += [
                    (process / name).read_bytes().decode("utf-8", "replace")
                    for name in ("cmdline", "environ")
                ]
            except OSError:
                continue  # it has ended meanwhile, or is somebody else's
    return "\n".join(shown).replace("\0", " ")


def _forms(drawn: Iterable[str]) -> list[bytes]:
    """How a secret may look in a file.  The random part is enough, however the rest of it is escaped."""
    parts = [secret.removeprefix(_BEGINNING) for secret in drawn]
    forms = [part.encode(encoding) for part in parts for encoding in ("ascii", "utf-16-le", "utf-16-be")]
    for secret in drawn:
        forms += [base64.b64encode(secret.encode()), secret.encode().hex().encode()]
    return forms


def _files(place: Path) -> Iterator[Path]:
    if place.is_symlink():
        return
    if place.is_file():
        yield place
    elif place.is_dir() and not os.path.ismount(place):
        for below in sorted(place.iterdir()):
            yield from _files(below)


def _contents(path: Path) -> Iterator[bytes]:
    """A file's bytes in pieces that overlap by more than a secret has; holes of an image are passed over."""
    try:
        with path.open("rb", buffering=0) as file:
            at = 0
            while (at := _next_data(file.fileno(), at)) >= 0:
                file.seek(at)
                if not (piece := file.read(_CHUNK)):
                    return
                yield piece
                at += len(piece) if len(piece) < _CHUNK else len(piece) - _OVERLAP
    except OSError:
        return  # removed meanwhile


def _next_data(descriptor: int, at: int) -> int:
    """Where a file goes on with data: -1 at its end; ``at`` itself where no system call tells of holes."""
    if sys.platform == "win32":
        return at
    try:
        return os.lseek(descriptor, at, os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return -1
        raise


def _note(kind: str, text: str) -> None:
    with open(os.environ[REGISTRY], "a", encoding="utf-8") as file:
        file.write(f"{kind} {text}\n")  # one write, and the file is opened for appending: lines stay whole


def _noted(kind: str) -> list[str]:
    with open(os.environ[REGISTRY], encoding="utf-8") as file:
        lines = [line.rstrip("\n").partition(" ") for line in file]
    return [text for found, _, text in lines if found == kind]


# --- the run -----------------------------------------------------------------------------------------------


class Run:
    """What the process that runs or controls the tests does about secrets."""

    def __init__(self, registry: str) -> None:
        self._registry = registry
        self._said: list[tuple[str, str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a test has said; its secrets may be noted later."""
        text = "\n".join([report.longreprtext, *(content for _, content in report.sections)])
        if text.strip():
            self._said.append((report.nodeid, text))

    @pytest.hookimpl(tryfirst=True)  # before pytest removes its directories
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Search what is left, and fail the run for what was found."""
        factory = getattr(session.config, "_tmp_path_factory", None)
        if factory is not None and factory._basetemp is not None:
            search(factory.getbasetemp())
        places = found() + [f"what {name} says" for name, text in self._said if look(text)]
        os.unlink(self._registry)
        del os.environ[REGISTRY]
        if places:
            reporter = session.config.pluginmanager.get_plugin("terminalreporter")
            for place in places:
                reporter.write_line(f"SECRET FOUND in {place}", red=True)
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def configure(config: pytest.Config) -> None:
    """Begin a run; a worker of one takes part in it."""
    if REGISTRY not in os.environ:
        handle, registry = tempfile.mkstemp(prefix="csi-proxy-test-secrets-")
        os.close(handle)
        os.environ[REGISTRY] = registry
        config.pluginmanager.register(Run(registry), "secrets of tests")
