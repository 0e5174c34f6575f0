r"""The queries that programs send to WMI, as far as real ones go: SELECT, ASSOCIATORS OF, and object paths.

Words ignore case.  A text stands in either kind of quotes; a backslash before a quote or a backslash makes it
part of the text, and so does doubling the quote, which some programs do although no page allows it.
https://learn.microsoft.com/windows/win32/wmisdk/wql-sql-for-wmi
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

LONGEST = 1 << 16  # characters of a query or path

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<word>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<number>-?(?:0[xX][0-9A-Fa-f]{1,16}|[0-9]{1,20}))(?![\w.])
    | (?P<text>"(?:[^"\\]|\\.|"")*"|'(?:[^'\\]|\\.|'')*')
    | (?P<braced>\{(?:[^{}"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*\})
    | (?P<sign><>|!=|[*,=])
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED = re.compile(r"""\\(.)|(["'])\2""", re.DOTALL)
_PATH = re.compile(
    r"""(?:(?P<place>(?:\\\\|//)[^\\/:]+[\\/][^:"']*):)?
        (?P<name>[A-Za-z_][A-Za-z0-9_]*)
        (?P<keys>(?:\.|=).*)?""",
    re.VERBOSE | re.DOTALL,
)
_KEY = re.compile(
    r"""(?P<name>[A-Za-z_][A-Za-z0-9_]*)=
        (?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<number>-?[0-9]{1,20}))(?:,(?=.)|$)""",
    re.VERBOSE | re.DOTALL,
)

Literal = bool | int | str


class QueryError(ValueError):
    """A text is no query, or no path, that is understood here; it says where."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One condition: a property that equals, or does not equal, a value."""

    name: str
    equal: bool
    value: Literal


@dataclass(frozen=True, slots=True)
class Select:
    """``SELECT a, b FROM Class WHERE a = 1 AND b <> 'x'``; no ``properties`` are all."""

    class_name: str
    properties: tuple[str, ...]
    conditions: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True)
class ObjectPath:
    r"""``\\server\namespace:Class.Key="value"``; without keys the class itself.

    A key without a name (``Class="value"``) has the name "".
    """

    class_name: str
    keys: Mapping[str, int | str] = field(default_factory=dict)
    place: str = ""


@dataclass(frozen=True, slots=True)
class Associators:
    """``ASSOCIATORS OF {path} WHERE AssocClass = X ResultClass = Y …``; "" where nothing is said."""

    path: ObjectPath
    association: str = ""
    result_class: str = ""
    result_role: str = ""
    role: str = ""


_ASSOCIATORS = {
    "assocclass": "association",
    "resultclass": "result_class",
    "resultrole": "result_role",
    "role": "role",
}


def parse(text: str) -> Select | Associators:
    """Read a query."""
    tokens = _Tokens(text)
    if tokens.takes("select"):
        return _select(tokens)
    if tokens.takes("associators"):
        tokens.demand("of")
        return _associators(tokens)
    raise QueryError("a query begins with SELECT or ASSOCIATORS OF")


def parse_path(text: str) -> ObjectPath:
    """Read an object path."""
    match = _PATH.fullmatch(text) if len(text) <= LONGEST else None
    if match is None:
        raise QueryError("that is no object path")
    keys = match["keys"] or ""
    if keys in ("", "=@"):  # a class, or the one instance of one without keys
        return ObjectPath(match["name"], {}, match["place"] or "")
    # Class="value" names the only key by nothing.
    rest = keys[1:] if keys[0] == "." else f"_{keys}"
    found: dict[str, int | str] = {}
    at = 0
    while at < len(rest):
        key = _KEY.match(rest, at)
        if key is None or key["name"] in found:
            raise QueryError("the keys of an object path are Name=value, with commas between")
        found[key["name"]] = _text(key["text"]) if key["text"] else int(key["number"])
        at = key.end()
    if not found:
        raise QueryError("an object path ends where a key belongs")
    if keys[0] == "=":
        found = {"": found["_"]}
    return ObjectPath(match["name"], found, match["place"] or "")


class _Tokens:
    """The words and signs of a query, one after the other."""

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            raise QueryError(f"a query has at most {LONGEST} characters")
        self._found: list[tuple[str, str]] = []
        text = text.rstrip()
        at = 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None or match.lastgroup is None:
                raise QueryError(f"a query goes wrong at its character {at + 1}")
            self._found.append((match.lastgroup, match[match.lastgroup]))
            at = match.end()
        self._at = 0

    @property
    def is_over(self) -> bool:
        return self._at == len(self._found)

    def next(self, *kinds: str) -> tuple[str, str]:
        """The next token, which must be of one of these kinds."""
        if self.is_over or self._found[self._at][0] not in kinds:
            raise QueryError(f"a query misses a {' or '.join(kinds)}")
        self._at += 1
        return self._found[self._at - 1]

    def word(self) -> str:
        return self.next("word")[1]

    def takes(self, text: str) -> bool:
        """Whether the next token is this word or sign; if so it is taken."""
        if self.is_over or self._found[self._at][1].lower() != text:
            return False
        if self._found[self._at][0] not in ("word", "sign"):
            return False
        self._at += 1
        return True

    def demand(self, text: str) -> None:
        if not self.takes(text):
            raise QueryError(f"a query misses {text.upper()}")

    def end(self) -> None:
        if not self.is_over:
            raise QueryError(f"a query goes on after its end: {self._found[self._at][1][:40]}")


def _select(tokens: _Tokens) -> Select:
    properties: list[str] = []
    if not tokens.takes("*"):
        properties.append(tokens.word())
        while tokens.takes(","):
            properties.append(tokens.word())
    tokens.demand("from")
    class_name = tokens.word()
    conditions: list[Comparison] = []
    if tokens.takes("where"):
        conditions.append(_comparison(tokens))
        while tokens.takes("and"):
            conditions.append(_comparison(tokens))
    tokens.end()
    return Select(class_name, tuple(properties), tuple(conditions))


def _comparison(tokens: _Tokens) -> Comparison:
    name = tokens.word()
    _, sign = tokens.next("sign")
    if sign not in ("=", "<>", "!="):
        raise QueryError("conditions compare by = or <>")
    kind, value = tokens.next("text", "number", "word")
    if kind == "text":
        return Comparison(name, sign == "=", _text(value))
    if kind == "number":
        return Comparison(name, sign == "=", int(value, 0) if "x" in value.lower() else int(value))
    if value.lower() not in ("true", "false"):
        raise QueryError("a value is a text in quotes, a number, TRUE or FALSE")
    return Comparison(name, sign == "=", value.lower() == "true")


def _associators(tokens: _Tokens) -> Associators:
    path = parse_path(tokens.next("braced")[1][1:-1].strip())
    given: dict[str, str] = {}
    if tokens.takes("where"):
        while not tokens.is_over:
            word = _ASSOCIATORS.get(tokens.word().lower())
            if word is None or word in given:
                raise QueryError("AssocClass, ResultClass, ResultRole and Role can be said, each once")
            tokens.demand("=")
            given[word] = tokens.word()
    tokens.end()
    return Associators(path, **given)


def _text(quoted: str) -> str:
    quote = quoted[0]

    def plain(match: re.Match[str]) -> str:
        if match[1] is not None:
            return match[1] if match[1] in "\\\"'" else match[0]
        return quote if match[2] == quote else match[0]

    return _ESCAPED.sub(plain, quoted[1:-1])
