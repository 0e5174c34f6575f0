"""A key is 64 hexadecimal digits, and its name gives nothing of it away."""

import pytest

from csiproxy.audit import key
from csiproxy.audit.key import BadKey, Key


def test_a_new_key_can_be_read_and_is_another_one_each_time():
    one, other = Key.read(key.make()), Key.read(key.make())
    assert one.secret != other.secret
    assert one.id != other.id
    assert len(one.secret) == 32


def test_a_key_does_not_show_itself():
    made = Key.read(b"5a" * 32 + b"\r\n")
    assert "Z" * 3 not in repr(made)
    assert made.secret.hex() not in made.id
    assert made.id in repr(made)


@pytest.mark.parametrize(
    "text", [b"", b"5a" * 31, b"5a" * 33, b"zz" * 32, b"5A" * 32, b"5a" * 32 + b"\nmore"]
)
def test_anything_else_is_no_key(text):
    with pytest.raises(BadKey):
        Key.read(text)
