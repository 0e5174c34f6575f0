"""``python -m tests.rpc.conformance.page``: write docs/protocol.md from the table."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.rpc.conformance.absent import ABSENT
from tests.rpc.conformance.client_rows import ClientRow
from tests.rpc.conformance.table import CLIENT_ROWS, SERVER_ROWS

from csiproxy.errors import Code

PATH = Path(__file__).parents[3] / "docs" / "protocol.md"
INTRODUCTION = """\
<!-- Made by `python -m tests.rpc.conformance.page`; change the table there, not this page. -->

# HTTP/2 and gRPC conformance

Each row is a rule of [RFC 9113](https://www.rfc-editor.org/rfc/rfc9113) (HTTP/2),
[RFC 7541](https://www.rfc-editor.org/rfc/rfc7541) (HPACK) or
[gRPC over HTTP/2](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md), in our words, with what a
peer sends and what must come of it. `tests/rpc/conformance` sends the bytes to a real server or channel, and
to the protocol part alone, once as a whole and once byte by byte.

GOAWAY ends the connection, RST_STREAM one call; an error of one stream may end the connection (RFC 9113
5.4.1). Where nothing else is said, the connection goes on. The limits on what a peer may ask for are in
`csiproxy.rpc.limits`, each with its reason.
"""


def table(heads: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [" | ".join(heads), " | ".join("---" for _ in heads)]
    lines += [" | ".join(cell.replace("|", "\\|").replace("<", "&lt;") for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines) + "\n"


def server() -> Iterator[Sequence[str]]:
    for row in SERVER_ROWS.values():
        yield (
            row.section,
            row.rule,
            row.when,
            "; ".join(dict.fromkeys(outcome.text for outcome in row.outcomes)),
        )


def client() -> Iterator[Sequence[str]]:
    for row in CLIENT_ROWS.values():
        yield row.section, row.rule, row.when, outcome(row)


def outcome(row: ClientRow) -> str:
    status = f"status {row.outcome.name}" if isinstance(row.outcome, Code) else "the reply"
    if row.ends is not None:
        return f"GOAWAY {row.ends.name}; {status}"
    return status if row.resets is None else f"RST_STREAM {row.resets.name}; {status}"


def differing() -> Iterator[Sequence[str]]:
    """How the other implementation differs, how often and where."""
    sections: dict[str, list[str]] = {}
    for row in SERVER_ROWS.values():
        if row.h2:
            sections.setdefault(row.h2, []).append(row.section)
    for difference, found in sections.items():
        yield difference, str(len(found)), ", ".join(dict.fromkeys(found))


def text() -> str:
    heads = ("section", "rule", "the peer sends", "what comes of it")
    absent = ((rule.section, rule.rule, rule.reason) for rule in ABSENT)
    return "\n".join(
        (
            INTRODUCTION,
            "## The serving end\n",
            table(heads, server()),
            "## The calling end\n",
            table(heads, client()),
            "## Rules without a row\n",
            table(("section", "rule", "reason"), absent),
            "## Where h2 differs\n",
            "The Python library [h2](https://pypi.org/project/h2/) is given the bytes of every row for the\n"
            "serving end, too. It does the same, except here.\n",
            table(("h2", "rows", "sections"), differing()),
        )
    )


if __name__ == "__main__":
    PATH.write_text(text())
