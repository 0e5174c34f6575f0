"""What Win32 codes mean."""

import pytest

from csiproxy.errors import CsiProxyError
from csiproxy.win32_codes import WIN32


@pytest.mark.parametrize("code", sorted(WIN32))
def test_a_code_means_something_that_a_caller_can_act_on_and_says_it_in_a_sentence(code):
    kind, text = WIN32[code]
    assert issubclass(kind, CsiProxyError)
    assert 0 < code < 1 << 32
    assert text
    assert text[0].islower() or text.startswith("NTFS")
    assert not text.endswith(".")
