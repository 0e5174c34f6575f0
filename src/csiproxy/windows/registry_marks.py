"""Marks that proxies leave for those after them: values of a registry key that only administrators can write.

A value's name is the mark's digest, as names ignore case and marks do not; its data is the mark.
"""

import sys
import winreg
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

assert sys.platform == "win32"  # noqa: S101  mypy stops here for other systems, where this is never imported

from csiproxy.errors import Win32Error, WindowsCode

KEY: Final = r"SOFTWARE\csi-proxy\Marks"


class RegistryMarks:
    """:class:`csiproxy.windows.mounting.Marks` below HKEY_LOCAL_MACHINE."""

    def __init__(self, key: str = KEY) -> None:
        self._path = key

    def put(self, mark: str) -> None:
        """Leave a mark; on the disk when this returns."""
        with _failures("RegSetValueExW"), self._key(winreg.KEY_SET_VALUE) as key:
            winreg.SetValueEx(key, _name(mark), 0, winreg.REG_BINARY, _encoded(mark))
            winreg.FlushKey(key)

    def is_there(self, mark: str) -> bool:
        """Whether it was left."""
        with _failures("RegQueryValueExW"), self._key(winreg.KEY_QUERY_VALUE) as key:
            try:
                winreg.QueryValueEx(key, _name(mark))
            except FileNotFoundError:
                return False
            return True

    def take(self, mark: str) -> None:
        """Take it away."""
        with _failures("RegDeleteValueW"), self._key(winreg.KEY_SET_VALUE) as key:
            with suppress(FileNotFoundError):
                winreg.DeleteValue(key, _name(mark))
            winreg.FlushKey(key)

    def all(self) -> list[str]:
        """Every mark; values that are none are left out."""
        found = []
        with _failures("RegEnumValueW"), self._key(winreg.KEY_QUERY_VALUE) as key:
            # From the last to the first, so that one that is taken away meanwhile hides no other.
            for index in range(winreg.QueryInfoKey(key)[1] - 1, -1, -1):
                with suppress(FileNotFoundError):
                    name, data, _ = self._value(key, index)
                    if _digest(data) == name:
                        found.append(data.decode("utf-8", "surrogatepass"))
        return found

    @staticmethod
    def _value(key: "winreg.HKEYType", index: int) -> tuple[str, bytes, int]:
        try:
            name, data, kind = winreg.EnumValue(key, index)
        except OSError as error:
            raise FileNotFoundError from error
        if not isinstance(data, bytes):
            raise FileNotFoundError
        return name, data, kind

    @contextmanager
    def _key(self, access: int) -> "Iterator[winreg.HKEYType]":
        view = winreg.KEY_WOW64_64KEY
        with winreg.CreateKeyEx(winreg.HKEY_LOCAL_MACHINE, self._path, 0, access | view) as key:
            yield key


@contextmanager
def _failures(call: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        code = error.winerror or WindowsCode.GEN_FAILURE
        raise Win32Error(code, call, error.strerror or "") from error


def _name(mark: str) -> str:
    return _digest(_encoded(mark))


def _digest(data: bytes) -> str:
    from hashlib import sha256  # here, as it loads OpenSSL

    return sha256(data).hexdigest()


def _encoded(mark: str) -> bytes:
    return mark.encode("utf-8", "surrogatepass")
