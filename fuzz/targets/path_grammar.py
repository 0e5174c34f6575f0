"""The text of paths: :mod:`csiproxy.operations.paths` and beside it the rules stated once more.

An input is a byte of choices and a text, as UTF-8 or as UTF-16, in which lone surrogates are possible.
"""

import unicodedata
from collections.abc import Iterable

from csiproxy.errors import InvalidArgument, PermissionDenied
from csiproxy.host import paths
from csiproxy.host.names import equality_key, same_name
from csiproxy.operations.paths import MAX_LONG_PATH, MAX_PATH, Confinement, parse, shown
from fuzz.broken import demand
from fuzz.cuts import Cuts

PREFIXES = (r"C:\var\lib\kubelet\pods", r"C:\var\lib\kubelet", r"d:\work\straße")
PROTECTED = (r"C:\var\lib\kubelet\plugins\kubernetes.io\csi",)
CONFINEMENT = Confinement(PREFIXES, PROTECTED)

_FORBIDDEN = set('<>:"/\\|?*') | {chr(code) for code in range(32)}
_DEVICES = {"CON", "NUL", "AUX", "PRN", "CONIN$", "CONOUT$"} | {
    port + digit for port in ("COM", "LPT") for digit in "0123456789¹²³"
}
_LONGEST_NAME = 255


def run(data: bytes) -> None:
    """A path is accepted exactly when the second statement accepts it, and bound to the right prefix."""
    cuts = Cuts(data)
    choices = cuts.number()
    rest = cuts.rest()
    if choices & 4:
        text = rest[: len(rest) // 2 * 2].decode("utf-16-le", "surrogatepass")
    else:
        text = rest.decode("utf-8", "replace")
    if choices & 8:
        text = PREFIXES[choices >> 4 & 1] + text
    limit, rooted = (MAX_LONG_PATH if choices & 1 else MAX_PATH), bool(choices & 2)
    expected = _second_statement(text, limit, rooted)
    try:
        found: tuple[str, ...] | None = parse(text, limit=limit, rooted=rooted)
    except InvalidArgument as error:
        found = None
        demand(str(error).isprintable() and len(str(error)) < 13 * MAX_PATH, "a refusal can be shown")
    demand(found == expected, f"both statements agree on {shown(text)}: {found} {expected}")
    if found is None:
        _nowhere(text, limit, rooted)
    else:
        _accepted(text, found, limit, rooted)


def _second_statement(text: str, limit: int, rooted: bool) -> tuple[str, ...] | None:
    """The rules of a path, character by character; None where it is refused."""
    if len(text.encode("utf-16-le", "surrogatepass")) > 2 * limit:
        return None
    if rooted and text[:1] == "\\" and text[1:2] != "\\" and text[1:4] != "??\\":
        text = "C:" + text
    if not (text[:1].isascii() and text[:1].isalpha() and text[1:3] == ":\\"):
        return None
    found: list[str] = []
    name = ""
    for character in text[3:]:
        if character == "\\":
            if not name:
                return None
            found.append(name)
            name = ""
        elif character in _FORBIDDEN:
            return None
        else:
            name += character
    found += [name] if name else []
    return None if any(map(_is_no_name, found)) else (text[0].upper() + ":", *found)


def _is_no_name(name: str) -> bool:
    stem = name
    while "." in stem:
        stem = stem[: stem.rindex(".")]
    while stem[-1:] == " ":
        stem = stem[:-1]
    return (
        set(name) <= {"."}
        or any(unicodedata.category(character) == "Cs" for character in name)
        or name[-1] in (".", " ")
        or "".join(c.upper() if c.isascii() else c for c in stem) in _DEVICES
        or len(name.encode("utf-16-le", "surrogatepass")) > 2 * _LONGEST_NAME
    )


def _nowhere(text: str, limit: int, rooted: bool) -> None:
    for confine in (CONFINEMENT.confine, CONFINEMENT.confine_change):
        try:
            path = confine(text, limit=limit, rooted=rooted)
        except (InvalidArgument, PermissionDenied):
            continue
        demand(False, f"what is no path lies nowhere: {path}")


def _accepted(text: str, parts: tuple[str, ...], limit: int, rooted: bool) -> None:
    whole = "\\".join(parts)
    demand(
        parse(whole + ("\\" if len(parts) == 1 else ""), limit=MAX_LONG_PATH) == parts,
        "what was read is a path",
    )
    _host_agrees(parts)
    inside = [prefix for prefix in PREFIXES if _is_under(parts, prefix)]
    try:
        path = CONFINEMENT.confine(text, limit=limit, rooted=rooted)
    except PermissionDenied as error:
        demand(not inside, f"what is under a prefix is allowed: {error}")
        return
    demand(bool(inside), f"what is under no prefix is refused: {path}")
    closest = max(inside, key=len)
    demand(equality_key(path.prefix) == equality_key(closest), "a path gets the closest prefix")
    demand(path.names == parts[len(closest.split("\\")) :], "the names below the prefix are the path's own")
    demand(CONFINEMENT.follow(str(path)) == path, "a confined path is a path to the same place")
    _change(text, parts, limit, rooted)


def _host_agrees(parts: tuple[str, ...]) -> None:
    """The emulated node takes paths apart by itself."""
    drive, rest = paths.split("\\".join(parts) + "\\", "fuzz")
    demand((drive + ":", *rest) == parts, "the node reads the same path")


def _is_under(parts: tuple[str, ...], prefix: str) -> bool:
    names_of_prefix = prefix.split("\\")
    return len(parts) >= len(names_of_prefix) and all(map(same_name, names_of_prefix, parts))


def _change(text: str, parts: tuple[str, ...], limit: int, rooted: bool) -> None:
    key = [equality_key(part) for part in parts]
    kept = any(
        [equality_key(name) for name in prefix.split("\\")][: len(key)] == key
        for prefix in PREFIXES + PROTECTED
    )
    try:
        CONFINEMENT.confine_change(text, limit=limit, rooted=rooted)
    except PermissionDenied:
        demand(kept, "what is below the operator's directories may be changed")
    else:
        demand(not kept, "the operator's directories, and what holds them, may not be changed")


def seeds() -> Iterable[bytes]:
    """Paths under each prefix and beside it, and every rule broken once."""
    for text in (
        r"C:\var\lib\kubelet\pods\a", r"c:\VAR\LIB\KUBELET", r"C:\var\lib\kubelet-evil\a", r"D:\work\STRAßE",
        r"D:\work\strasse\x", r"\var\lib\kubelet\plugins\x", r"\\server\share", r"\\?\C:\x", r"\??\C:\x",
        r"C:x", "C:\\", r"C:\var/lib", r"C:\a\..\b", r"C:\a\.\b", r"C:\a..b", r"C:\a.", r"C:\a ", r"C:\CON",
        r"C:\com¹.txt", r"C:\con .x", r"C:\a:b", "C:\\a\tb", "C:\\a\\", r"C:\a\\b", r"C:\CONIN$", r"C:\lpt²",
        r"C:\var\lib\kubelet\plugins\kubernetes.io\csi", "C:\\" + "a" * 256, r"C:\conın$",
        "C:\\var\\lib\\kubelet" + "\\b" * 130,
    ):  # fmt: skip
        for choices in (0, 3):
            yield bytes((choices,)) + text.encode()
    yield b"\x04" + "C:\\var\\lib\\kubelet\\\ud800x".encode("utf-16-le", "surrogatepass")
    for tail in ("\\a\\b", "-evil", "", "\\", "\\pods", "\\plugins\\kubernetes.io", "\\İı\\ǆ"):
        yield b"\x08" + tail.encode()
        yield b"\x18" + tail.encode()
