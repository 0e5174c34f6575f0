import contextlib

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.cli.sizes import parse_size, show_size, size_callback


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1048576", 1 << 20),
        ("512B", 512),
        ("64MiB", 64 << 20),
        ("64 MiB", 64 << 20),
        ("2gib", 2 << 30),
        (" 3TiB ", 3 << 40),
    ],
)
def test_binary_units_and_bytes_are_understood(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1.5GiB", "1GB", "64 M", "0x10", "1e9", "٣MiB", "9" * 21])
def test_anything_else_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="write bytes, or a number with KiB"):
        parse_size(text)


@given(st.text())
def test_no_text_makes_it_fail_otherwise(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_size(text) >= 0


@given(st.integers(0, 1023), st.sampled_from(["B", "KiB", "MiB", "GiB", "TiB"]))
def test_a_whole_size_reads_back_as_it_is_shown(number: int, unit: str) -> None:
    size = parse_size(f"{number}{unit}")
    assert parse_size(show_size(size)) == size


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (239 << 20, "239 MiB"), (1 << 60, "1024 PiB")],
)
def test_a_size_is_shown_in_the_largest_unit_that_keeps_a_whole_number(size: int, text: str) -> None:
    assert show_size(size) == text


def test_a_parameter_gives_bytes() -> None:
    context, parameter = click.Context(click.Command("x")), click.Option(["--size"])
    assert size_callback(context, parameter, "2KiB") == 2048
    assert size_callback(context, parameter, None) is None
    with pytest.raises(click.BadParameter, match="is no size"):
        size_callback(context, parameter, "much")
