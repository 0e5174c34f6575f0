"""Write the pages that are made from tables in the code: docs/versions.md and docs/errors.md.

``python tools/generate_docs.py [DIRECTORY]``; the directory is docs/ unless given.
"""

import sys
from pathlib import Path

from csiproxy import errors
from csiproxy.api.overview import VersionRow, versions_table
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


PAGE_MAKERS = {"versions.md": versions_page, "errors.md": errors_page}


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "docs"
    for name, make in PAGE_MAKERS.items():
        (target / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
