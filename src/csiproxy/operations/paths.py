r"""The text of a path from a request: what is legal, and under which prefix it lies.

The rules of KEP-1122 for paths, in this order: length, form, names, prefix.  What the text passes, the walk
by handle (``storage.namespace``) checks again on the real directories.

https://learn.microsoft.com/windows/win32/fileio/naming-a-file
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from csiproxy.errors import HostError, InvalidArgument, PermissionDenied, WindowsCode
from csiproxy.host.names import LONGEST_NAME, equality_key, fault, printable, utf16_length
from csiproxy.operations.context import Context
from csiproxy.storage.codes import judge
from csiproxy.storage.namespace import ConfinedPath

MAX_PATH = 260
MAX_LONG_PATH = 32_767
MAX_NAME = LONGEST_NAME
SYSTEM_DRIVE = "C:"

_FORM = re.compile(r"[A-Za-z]:\\")


def shown(text: str) -> str:
    """A text from a request as an error message may show it: printable, and not endless."""
    cut = text[:MAX_PATH] + ("…" if len(text) > MAX_PATH else "")
    return f'"{printable(cut)}"'


def parse(text: str, *, limit: int = MAX_PATH, rooted: bool = False) -> tuple[str, ...]:
    r"""Split a path into its drive (``C:``, upper case) and names, or raise InvalidArgument.

    ``limit`` is in UTF-16 code units.  With ``rooted``, ``\var\lib`` is read as ``C:\var\lib``, which Go's
    ``filepath.Join`` makes of ``/var/lib`` on Windows and drivers send.
    """
    if utf16_length(text) > limit:
        raise InvalidArgument(
            f"the path is longer than {limit} characters: {shown(text)}", WindowsCode.FILENAME_EXCED_RANGE
        )
    if rooted and text.startswith("\\") and not text.startswith(("\\\\", "\\??\\")):
        text = SYSTEM_DRIVE + text
    rest = text[3:].removesuffix("\\")
    names = tuple(rest.split("\\")) if rest else ()
    if not _FORM.match(text) or "/" in text or "" in names or text.endswith("\\\\"):
        raise InvalidArgument(
            f"the path is not of the form C:\\name\\name with backslashes: {shown(text)}",
            WindowsCode.BAD_PATHNAME,
        )
    for name in names:
        if reason := fault(name):
            raise InvalidArgument(f"{shown(name)} cannot be a name: {reason}", WindowsCode.INVALID_NAME)
    return (text[:2].upper(), *names)


class Confinement:
    """The prefixes that one kind of request may work under, and all that the operator configured.

    ``prefixes`` bound the requests; ``protected`` are the prefixes that no request may remove or replace,
    its own and everybody else's.
    """

    def __init__(self, prefixes: Iterable[str], protected: Iterable[str] = ()) -> None:
        parsed = [parse(prefix, limit=MAX_LONG_PATH) for prefix in prefixes]
        # The longest first, so that a path gets the closest prefix.
        self._prefixes = sorted(
            ((tuple(map(equality_key, prefix)), _text(prefix)) for prefix in parsed),
            key=lambda p: -len(p[0]),
        )
        self._protected = [key for key, _ in self._prefixes] + [
            tuple(map(equality_key, parse(prefix, limit=MAX_LONG_PATH))) for prefix in protected
        ]
        self._names = ", ".join(name for _, name in self._prefixes)

    def confine(self, text: str, *, limit: int = MAX_PATH, rooted: bool = False) -> ConfinedPath:
        """Check a path's text and bind it to its prefix; outside of all is PermissionDenied (5)."""
        parts = parse(text, limit=limit, rooted=rooted)
        key = tuple(map(equality_key, parts))
        for prefix, name in self._prefixes:
            if key[: len(prefix)] == prefix:
                return ConfinedPath(name, parts[len(prefix) :])
        raise PermissionDenied(f"the path {shown(text)} is not under {self._names}")

    def confine_change(self, text: str, *, limit: int = MAX_PATH, rooted: bool = False) -> ConfinedPath:
        """Like :meth:`confine`, for a path that is to be removed, replaced or mounted at.

        A configured prefix, and a directory that one lies in, is the operator's: PermissionDenied (5).
        """
        path = self.confine(text, limit=limit, rooted=rooted)
        key = tuple(map(equality_key, parse(text, limit=limit, rooted=rooted)))
        if not path.names or any(prefix[: len(key)] == key for prefix in self._protected):
            raise PermissionDenied(f"{shown(text)} is, or holds, a directory that the operator configured")
        return path

    def changeable(self, text: str) -> ConfinedPath | None:
        """A path that the host gave, if a request might change it; None where it is not ours to change."""
        try:
            return self.confine_change(text, limit=MAX_LONG_PATH)
        except (InvalidArgument, PermissionDenied):
            return None

    def follow(self, text: str) -> ConfinedPath:
        """Bind the target of a link; whatever is not under the prefixes is PermissionDenied (5)."""
        try:
            return self.confine(text, limit=MAX_LONG_PATH)
        except InvalidArgument as error:
            raise PermissionDenied(f"a link leads to {shown(text)}, not under {self._names}") from error


def _text(parts: tuple[str, ...]) -> str:
    """A parsed path as text; the root of a drive keeps its backslash."""
    return "\\".join(parts) if len(parts) > 1 else parts[0] + "\\"


@contextmanager
def acting(context: Context, doing: str) -> Iterator[None]:
    """Judge host failures, and leave a note for the auditor where a link stood in the way or led outside."""
    try:
        yield
    except (HostError, PermissionDenied) as error:
        failure = judge(error, doing) if isinstance(error, HostError) else error
        # What has no origin was refused here, by the confinement: a link led out of the prefixes.
        if isinstance(failure, PermissionDenied) and (
            failure.windows_code == WindowsCode.REPARSE_POINT_ENCOUNTERED or not failure.origin
        ):
            context.note("escape-attempt", refused=doing)
        if failure is error:
            raise
        raise failure from error
