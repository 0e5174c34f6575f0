import contextlib

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.cli.page83 import KINDS, identifiers_callback, parse_identifier
from csiproxy.host.win32 import Association, CodeSet, IdentifierType, StorageIdentifier


@pytest.mark.parametrize(
    ("text", "code_set", "kind", "identifier"),
    [
        ("naa:6001405a1b2c3d4e", CodeSet.BINARY, IdentifierType.FCPH_NAME, bytes.fromhex("6001405a1b2c3d4e")),
        (
            "naa:0x6001405a1b2c3d4e",
            CodeSet.BINARY,
            IdentifierType.FCPH_NAME,
            bytes.fromhex("6001405a1b2c3d4e"),
        ),
        ("eui:0011223344556677", CodeSet.BINARY, IdentifierType.EUI64, bytes.fromhex("0011223344556677")),
        ("t10:ATA disk", CodeSet.ASCII, IdentifierType.VENDOR_ID, b"ATA disk"),
        ("scsi:naa.6001:x", CodeSet.ASCII, IdentifierType.SCSI_NAME_STRING, b"naa.6001:x"),
        ("vendor:Google pvc-1", CodeSet.ASCII, IdentifierType.VENDOR_SPECIFIC, b"Google pvc-1"),
        ("vendor:größe", CodeSet.UTF8, IdentifierType.VENDOR_SPECIFIC, "größe".encode()),
    ],
)
def test_each_kind_becomes_its_descriptor_of_the_device(
    text: str, code_set: CodeSet, kind: IdentifierType, identifier: bytes
) -> None:
    assert parse_identifier(text) == StorageIdentifier(code_set, kind, Association.DEVICE, identifier)


@pytest.mark.parametrize(
    "text",
    ["", "naa", "naa:", "naa:xyz", "naa:6001", "eui:00112233445566778", "uuid:1", "vendor:", "vendor:a\nb"],
)
def test_what_no_disk_could_report_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="identifier"):
        parse_identifier(text)


@given(st.sampled_from([*KINDS, "other"]), st.text())
def test_no_text_makes_it_fail_otherwise(kind: str, text: str) -> None:
    with contextlib.suppress(ValueError):
        assert 0 < len(parse_identifier(f"{kind}:{text}").identifier) <= 255


def test_a_parameter_says_what_is_wrong() -> None:
    context, parameter = click.Context(click.Command("x")), click.Option(["--page83"])
    found = identifiers_callback(context, parameter, ("t10:x", "t10:y"))
    assert [item.identifier for item in found] == [b"x", b"y"]
    with pytest.raises(click.BadParameter, match="16 or 32 hexadecimal digits"):
        identifiers_callback(context, parameter, ("t10:x", "naa:6"))
