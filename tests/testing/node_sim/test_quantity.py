import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.testing.node_sim.quantity import read, show


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("5Gi", 5 << 30), ("512Mi", 512 << 20), ("1G", 10**9), ("1k", 1000), ("7", 7), ("1.5Gi", 3 << 29),
        ("0.5", 1), ("1.1Ki", 1127),
    ],
)  # fmt: skip
def test_quantities_are_read_as_kubernetes_reads_them(text, size):
    assert read(text) == size


@pytest.mark.parametrize("text", ["", "Gi", "5GB", "-1", "1e3", "5 Gi", "1.Gi", "٥", "9" * 30])
def test_what_is_no_quantity_is_refused(text):
    with pytest.raises(ValueError, match="write 5Gi"):
        read(text)


@given(st.integers(0, 1 << 62))
def test_what_is_shown_is_read_as_the_same(size):
    assert read(show(size)) == size
