"""The digests are those of the standards, and of hashlib and hmac."""

import hashlib
import hmac
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from csiproxy.audit.digest import hmac_sha256, sha256


@given(st.binary(max_size=300))
def test_sha256_is_hashlibs(data):
    assert sha256(data).digest() == hashlib.sha256(data).digest()


@given(st.binary(max_size=64), st.binary(max_size=300))
def test_hmac_is_the_librarys(key, message):
    assert hmac_sha256(key, message).digest() == hmac.digest(key, message, "sha256")


def test_hmac_is_that_of_rfc_4231():
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert hmac_sha256(b"Jefe", b"what do ya want for nothing?").hexdigest() == expected


def test_nothing_of_it_loads_openssl():
    program = "import sys, csiproxy.audit.chained_file; print('_hashlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
