"""Write the pages that are made from tables in the code: docs/versions.md, docs/errors.md, docs/events.md,
the part about classes in docs/emulator.md, and what is assumed of Windows in docs/windows.md.

``python tools/generate_docs.py [DIRECTORY]``; the directory is docs/ unless given.
"""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from csiproxy import errors
from csiproxy.api.overview import VersionRow, versions_table
from csiproxy.doctor.assumptions import ASSUMPTIONS
from csiproxy.emulator.fidelity import Fidelity, Point, providers
from csiproxy.host.schema import CimClass
from csiproxy.server.event_kinds import CHECKPOINT, LEFT_OUT, OTHER_CALL, SECURITY, STARTED, STOPPED, kinds
from csiproxy.server.event_trail import MOST_WAITING, READS_A_SECOND, READS_AT_ONCE
from csiproxy.storage.codes import CIM, HRESULT, ISCSI, SERVICE, WIN32

GENERATED = "<!-- Made by tools/generate_docs.py; change the tables, not this page. -->\n\n"
VERSIONS_INTRODUCTION = r"""\
Every version of a group has an endpoint of its own. The socket file is the endpoint's name with `.sock`,
the Windows pipe `\\.\pipe\` and the name. `csi-proxy versions` prints the same table.

An RPC or field is kept after its announced deprecation for 12 months or 3 releases when its version is
stable, 9 months or 3 releases when it is beta, whichever is longer; alpha versions promise nothing
(KEP-1122). Nothing is deprecated now unless the table says so.

"""
ERRORS_INTRODUCTION = """\
Clients of the groups get a gRPC status; the Windows code travels in `grpc-status-details-bin` as
`google.rpc.ErrorInfo` (`windows_code`, `windows_name`, `origin`). Clients of CSIProxyService get status OK
with the Windows code in `error_code`, 0 for success; a status only for what never became a call.

## What a client can act on

"""
WINDOWS_CODES = """
## Windows codes

From [System Error Codes](https://learn.microsoft.com/windows/win32/debug/system-error-codes). Others give
INTERNAL and are passed on as they are.

"""
RETURN_VALUES = """
## Return values of the storage classes

What a method of MSFT_Disk, MSFT_Partition, MSFT_Volume or MSFT_StorageSetting returns. Microsoft documents no
Win32 code for these; the third column is this project's choice. Where Windows calls the disk itself failed
(MSFT_Disk.OperationalStatus 53268: its partition table cannot be read), 2 and 4 are DATA_LOSS with 1393.

"""
SERVICES = """
## Return values of services

What [Win32_Service](https://learn.microsoft.com/windows/win32/cimwin32prov/win32-service) returns from
StartService and
StopService.

"""
INITIATOR = """
## Status codes of the iSCSI initiator

What the MSFT_iSCSI classes fail with, as a return value or an HRESULT; from
[iSCSI status qualifiers](https://learn.microsoft.com/windows-hardware/drivers/storage/iscsi-status-qualifiers).
Microsoft documents no Win32 code for these; the third column is this project's choice.

"""
HRESULTS = """
## HRESULTs of WMI

From [WMI Error Constants](https://learn.microsoft.com/windows/win32/wmisdk/wmi-error-constants). An HRESULT
`0x8007nnnn` is the Windows code `nnnn`.

"""
EVENTS_INTRODUCTION = """\
On Windows every RPC is an event in the log Application, from the source `csi-proxy`: a line that says what
was called by whom and how it ended, and the [audit record](running.md) as JSON. Secrets are in neither.
`--event-log=false` turns this off.

```console
> wevtutil qe Application /q:"*[System[Provider[@Name='csi-proxy'] and (EventID=604)]]" /f:text /rd:true /c:5
> Get-WinEvent -FilterHashtable @{{LogName='Application'; ProviderName='csi-proxy'; Level=2,3}}
```

The level is Information where the call was done, Warning where it was refused for a reason that its caller
can act on, and Error where the node or csi-proxy itself is at fault (UNKNOWN, INTERNAL, UNAVAILABLE,
DATA_LOSS). Of calls that only read, {burst} at once and then {rate:g} a second are told one by one; the
others are summed up once a minute (event {left_out}). No call waits for the log: at most {waiting} events
wait to be written, and what finds no room is counted in that event, too. The audit trail has every call in
any case.

"""
EVENTS_OF_CALLS = """
## Calls

Older versions' RPCs have the ids of their newest names ([versions](versions.md)).

"""
CLASSES_BEGIN = "<!-- Made by tools/generate_docs.py up to the next mark; change the classes, not this. -->"
ASSUMPTIONS_BEGIN = (
    "<!-- Made by tools/generate_docs.py of src/csiproxy/doctor/assumptions.py; change that, not this. -->"
)
CLASSES_END = "<!-- Made up to here. -->"
CLASSES_INTRODUCTION = """\
What each class of the emulated CIM server has, what of Windows' class it leaves out, and how each further
point is known. Common to all: every property has Windows' name and type, every method Windows' parameters
(`tests/host/test_schema.py`); an instance has exactly the properties of its class, and a call that does
not fit fails as in WMI (`tests/emulator/test_session.py`). A method that is left out is answered as one that
the provider does not implement (0x80041055).

"""
DOCS = Path(__file__).parents[1] / "docs"
WMI = Path(__file__).parents[1] / "tests" / "host" / "wmi"
PAGES = "https://learn.microsoft.com/windows-hardware/drivers/storage/"


def table(*rows: tuple[str, ...]) -> str:
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|---" * len(rows[0]) + "|", *body, ""])


def versions_page() -> str:
    rows = versions_table()
    parts = [
        "# Versions\n\n",
        GENERATED,
        VERSIONS_INTRODUCTION,
        table(
            ("version", "stage", "gRPC service", "endpoint", "RPCs", "deprecated in", "removed in"),
            *(
                (
                    f"[{row.contract}](#{anchor(row)})",
                    row.stage,
                    f"`{row.service}`",
                    f"`{row.endpoint}`",
                    str(len(row.rpcs)),
                    row.lifecycle.deprecated_in or "—",
                    row.lifecycle.removed_in or "—",
                )
                for row in rows
            ),
        ),
    ]
    for row in rows:
        parts.append(f"\n## {row.contract}\n\n")
        parts.append(
            table(
                ("RPC", "operation", "deprecated in", "removed in"),
                *(
                    (
                        f"`{rpc.name}`",
                        f"`{rpc.operation}`",
                        rpc.lifecycle.deprecated_in or "—",
                        rpc.lifecycle.removed_in or "—",
                    )
                    for rpc in row.rpcs
                ),
            )
        )
    return "".join(parts)


def anchor(row: VersionRow) -> str:
    return row.contract.replace("/", "")


def errors_page() -> str:
    classes = [
        found
        for found in vars(errors).values()
        if isinstance(found, type)
        and issubclass(found, errors.CsiProxyError)
        and found is not errors.CsiProxyError
    ]
    return "".join(
        (
            "# Errors\n\n",
            GENERATED,
            ERRORS_INTRODUCTION,
            table(
                ("status", "meaning", "Windows code unless a better one is known"),
                *(
                    (
                        found.code.name,
                        (found.__doc__ or "").strip().splitlines()[0],
                        str(int(found.default_windows_code)),
                    )
                    for found in classes
                ),
            ),
            WINDOWS_CODES,
            table(
                ("code", "status", "meaning"),
                *((str(code), found.code.name, text) for code, (found, text) in sorted(WIN32.items())),
            ),
            RETURN_VALUES,
            table(
                ("value", "status", "Windows code", "meaning", "page"),
                *(
                    (
                        str(value),
                        meaning.error.code.name,
                        str(meaning.windows_code),
                        meaning.text,
                        f"[{meaning.page}]({PAGES}{meaning.page})",
                    )
                    for value, meaning in sorted(CIM.items())
                ),
            ),
            SERVICES,
            table(
                ("value", "status", "Windows code", "meaning"),
                *(
                    (str(value), meaning.error.code.name, str(meaning.windows_code), meaning.text)
                    for value, meaning in sorted(SERVICE.items())
                ),
            ),
            INITIATOR,
            table(
                ("code", "status", "Windows code", "meaning"),
                *(
                    (f"`0x{value:08x}`", meaning.error.code.name, str(meaning.windows_code), meaning.text)
                    for value, meaning in sorted(ISCSI.items())
                ),
            ),
            HRESULTS,
            table(
                ("HRESULT", "status", "Windows code", "meaning"),
                *(
                    (f"`0x{value:08x}`", found.code.name, str(code), text)
                    for value, (found, code, text) in sorted(HRESULT.items())
                ),
            ),
        )
    )


def emulator_page() -> str:
    """The page as it is, with the part between the two marks made anew."""
    page = (DOCS / "emulator.md").read_text(encoding="utf-8")
    before, found, rest = page.partition(CLASSES_BEGIN)
    _, end, after = rest.partition(CLASSES_END)
    if not (found and end):
        raise SystemExit(f"docs/emulator.md lacks one of its marks: {CLASSES_BEGIN} or {CLASSES_END}")
    accounts = "".join(class_account(kind.schema, kind.fidelity) for kind in providers())
    made = f"{CLASSES_BEGIN}\n\n{CLASSES_INTRODUCTION}{joins_table()}{accounts}\n{CLASSES_END}"
    return before + made + after


def windows_page() -> str:
    """The page as it is, with the list of assumptions made anew."""
    page = (DOCS / "windows.md").read_text(encoding="utf-8")
    before, found, rest = page.partition(ASSUMPTIONS_BEGIN)
    _, end, after = rest.partition(CLASSES_END)
    if not (found and end):
        raise SystemExit(f"docs/windows.md lacks one of its marks: {ASSUMPTIONS_BEGIN} or {CLASSES_END}")
    rows = (
        (one.text, one.where, one.source, f"`{one.name}`: {one.tries}" if one.test else one.tries)
        for one in ASSUMPTIONS
    )
    listed = table(("what is assumed", "where", "source", "self-test"), *rows)
    return f"{before}{ASSUMPTIONS_BEGIN}\n\n{listed}\n{CLASSES_END}{after}"


def joins_table() -> str:
    """What joins the classes; a test holds the node's own associations against these facts."""
    rows = []
    for path in sorted((WMI / "associations").glob("*.json"), key=lambda path: path.stem.lower()):
        roles: Mapping[str, str] = json.loads(path.read_text())["roles"]
        rows.append((f"`{path.stem}`", ", ".join(f"`{role}`: {name}" for role, name in roles.items())))
    return table(("association", "roles"), *rows)


def class_account(schema: CimClass, fidelity: Fidelity) -> str:
    """One class: what there is of it, what is left out, and each point with its test."""
    windows = json.loads((WMI / f"{schema.name}.json").read_text())
    missing = [*without(windows, schema, "properties"), *without(windows, schema, "methods")]
    lines = [
        f"\n### {schema.name}\n\n[On Windows]({fidelity.page}).\n\n",
        f"* Properties: {listed(schema.properties)}\n",
        f"* Methods: {listed(schema.methods)}\n",
        f"* Left out: {listed(missing)}\n\n",
    ]
    rows = [("as on Windows", point) for point in fidelity.like]
    rows += [("differs", point) for point in fidelity.unlike]
    return "".join(lines) + table(
        ("", "point", "verified by"), *((kind, point.text, verified(point)) for kind, point in rows)
    )


def without(windows: Mapping[str, Mapping[str, object]], schema: CimClass, what: str) -> list[str]:
    """What Windows' class has and ours has not."""
    return [name for name in windows[what] if name not in getattr(schema, what)]


def listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def verified(point: Point) -> str:
    return f"`{point.module}`: {point.test.removeprefix('test_').replace('_', ' ')}"


def events_page() -> str:
    own = (
        (STARTED, "calls are answered", "Information"),
        (STOPPED, "no more calls are answered", "Information"),
        (SECURITY, "somebody has an endpoint who should not", "Error"),
        (LEFT_OUT, "reading calls that were left out; Warning: events were lost", "Information, Warning"),
        (OTHER_CALL, "a call of a method that does not exist (limited like one that reads)", "Warning"),
        (CHECKPOINT, "a signed checkpoint of the audit trail", "Information"),
    )
    introduction = EVENTS_INTRODUCTION.format(
        burst=READS_AT_ONCE, rate=READS_A_SECOND, left_out=LEFT_OUT, waiting=MOST_WAITING
    )
    return "".join(
        [
            "# Events\n\n",
            GENERATED,
            introduction,
            table(("event", "what", "level"), *((str(event), *rest) for event, *rest in own)),
            EVENTS_OF_CALLS,
            table(
                ("event", "group", "RPC", "limited"),
                *(
                    (str(kind.id), group, f"`{kind.name}`", "yes" if kind.reads else "")
                    for group, kind in kinds()
                ),
            ),
        ]
    )


PAGE_MAKERS = {
    "versions.md": versions_page,
    "errors.md": errors_page,
    "events.md": events_page,
    "emulator.md": emulator_page,
    "windows.md": windows_page,
}


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCS
    for name, make in PAGE_MAKERS.items():
        (target / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
