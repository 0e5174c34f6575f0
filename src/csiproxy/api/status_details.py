"""The Windows error behind a gRPC status, in the form that gRPC has for it.

``grpc-status-details-bin`` holds a ``google.rpc.Status`` (https://google.aip.dev/193) whose one detail is a
``google.rpc.ErrorInfo``: reason ``WINDOWS_5``, domain ``csi-proxy``, and as metadata ``windows_code``,
``windows_name``, ``origin`` (the Windows call that failed) and ``rail`` (the guard rail that stood in the
way), the last three only where there is one.

Protobuf is imported by the calls, not by this module: only failures need it.
"""

from dataclasses import dataclass

from csiproxy.errors import Code, WindowsCode

DOMAIN = "csi-proxy"
TEXT_LIMIT = 1024
"""Characters of a text that travel: trailers share 8 KiB in many clients, and base64 adds a third."""


@dataclass(frozen=True, slots=True)
class StatusDetails:
    """What :func:`decode` finds.

    ``code`` is the gRPC status (a number, as a later server may know more than :class:`Code`);
    ``windows_code`` is None and the other texts are empty where the status carries no Windows error.
    """

    code: int
    message: str
    windows_code: int | None = None
    windows_name: str = ""
    origin: str = ""
    rail: str = ""
    domain: str = ""


def encode(
    code: Code, message: str, *, windows_code: int, origin: str, rail: str = "", domain: str = DOMAIN
) -> bytes:
    """Return the serialized ``google.rpc.Status`` for a failure; long texts are cut."""
    from google.rpc.error_details_pb2 import ErrorInfo
    from google.rpc.status_pb2 import Status

    info = ErrorInfo(reason=f"WINDOWS_{windows_code}", domain=domain)
    info.metadata["windows_code"] = str(windows_code)
    for key, text in (
        ("windows_name", windows_name(windows_code)),
        ("origin", _text(origin)),
        ("rail", rail),
    ):
        if text:
            info.metadata[key] = text
    status = Status(code=int(code), message=_text(message))
    status.details.add().Pack(info)
    data: bytes = status.SerializeToString(deterministic=True)
    return data


def decode(data: bytes) -> StatusDetails | None:
    """Return what a serialized ``google.rpc.Status`` says; None when the bytes are no such message.

    Nothing is trusted: a detail of another kind, or one that does not parse, counts as absent.
    """
    from google.protobuf.message import DecodeError
    from google.rpc.error_details_pb2 import ErrorInfo
    from google.rpc.status_pb2 import Status

    info = ErrorInfo()
    try:
        status = Status.FromString(data)
        found = any(detail.Is(ErrorInfo.DESCRIPTOR) and detail.Unpack(info) for detail in status.details)
    except DecodeError:
        return None
    if not found:
        return StatusDetails(status.code, status.message)
    number = info.metadata.get("windows_code", "")
    return StatusDetails(
        status.code,
        status.message,
        int(number) if number.isascii() and number.isdigit() and len(number) <= len(str(2**32)) else None,
        info.metadata.get("windows_name", ""),
        info.metadata.get("origin", ""),
        info.metadata.get("rail", ""),
        info.domain,
    )


def windows_name(code: int) -> str:
    """Return the name in Microsoft's headers (``ERROR_ACCESS_DENIED``); empty for a code not known here."""
    try:
        name = WindowsCode(code).name
    except ValueError:
        return ""
    return name if name.startswith("RPC_S_") else f"ERROR_{name}"


def _text(text: str) -> str:
    """Cut a text and replace what UTF-8 cannot carry: Windows names may hold half a surrogate pair."""
    return text[:TEXT_LIMIT].encode("utf-8", "replace").decode("utf-8")
