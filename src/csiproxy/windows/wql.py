r"""Conditions and object paths as query text: the one place where values become part of a text.

Names come from the schema and are checked against it; values are typed, and a text is quoted so that no
character of it can end the quotes.
https://learn.microsoft.com/windows/win32/wmisdk/where-clause
https://learn.microsoft.com/windows/win32/wmisdk/describing-an-instance-object-path
"""

import re
from collections.abc import Mapping

from csiproxy.errors import CimError
from csiproxy.host.schema import CimClass, CimType, comparable

INVALID_QUERY = 0x80041017
INVALID_OBJECT_PATH = 0x8004103A
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_ONE_KEY = re.compile(r'(?P<class>\w+)\.(?P<key>\w+)="(?P<value>(?:[^"\\]|\\.)*)"', re.DOTALL)
_UNSPEAKABLE = re.compile("[\0\ud800-\udfff]")


class RelativePath(str):
    """The key of an instance that takes more than one value to name: the path that WMI gave."""

    __slots__ = ()


def select(known: CimClass, where: Mapping[str, bool | int | str]) -> str:
    """All instances of a class whose properties equal all of ``where``.

    CimError (invalid query) for a property that the class has not, or a value that its type cannot have.
    """
    conditions = []
    for name, value in where.items():
        kind = known.properties.get(name, "")
        if not kind or not comparable(value, kind):
            raise CimError(INVALID_QUERY, "ExecQuery", f"{known.name} has no {name} to compare so")
        conditions.append(f"{_name(name)} = {_literal(value, kind)}")
    clause = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT * FROM {_name(known.name)}{clause}"  # noqa: S608 - names and quoted values alone


def associators(path: str, association: str, result_class: str, result_role: str) -> str:
    """Everything of a class that an association joins to the instance with a relative path."""
    role = f" ResultRole = {_name(result_role)}" if result_role else ""
    return (
        f"ASSOCIATORS OF {{{path}}} WHERE AssocClass = {_name(association)} "
        f"ResultClass = {_name(result_class)}{role}"
    )


def object_path(known: CimClass, key: str) -> str:
    """The relative path of an instance, by its key."""
    if isinstance(key, RelativePath):
        return key
    if not known.key:
        raise CimError(INVALID_OBJECT_PATH, "Get", f"instances of {known.name} have no key")
    return f"{_name(known.name)}.{_name(known.key)}={_quoted(key, INVALID_OBJECT_PATH)}"


def key_of(path: str, known: CimClass) -> str | None:
    """The key in a relative path: what :func:`object_path` puts there; None for any other path.

    WMI names objects of some classes by several keys, or by those of a class derived from the one asked for.
    """
    match = _ONE_KEY.fullmatch(path)
    if match is None or (match["class"].lower(), match["key"].lower()) != (
        known.name.lower(),
        known.key.lower(),
    ):
        return None
    return re.sub(r"\\(.)", r"\1", match["value"], flags=re.DOTALL)


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise CimError(INVALID_QUERY, "ExecQuery", f"{name!a} is no name")
    return name


def _literal(value: bool | int | str, kind: CimType) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if kind == "char16" and isinstance(value, int) and not _UNSPEAKABLE.fullmatch(chr(value)):
        value = chr(value)  # in queries a character compares with text
    return str(value) if isinstance(value, int) else _quoted(value, INVALID_QUERY)


def _quoted(text: str, failure: int) -> str:
    if _UNSPEAKABLE.search(text):
        raise CimError(failure, "ExecQuery", "a text holds a character that no query can hold")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
