"""``python -m tools.wine.build_exe``: csi-proxy.exe, one folder, made by PyInstaller under Wine.

One folder rather than one file: a single file unpacks itself into a temporary folder at every start, runs as
two processes, and its place cannot be protected.
"""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from tools.wine.prefix import SOURCE, Prefix, windows_path
from tools.wine.prepare import Unavailable, prepare

import csiproxy

PLACE: Final = SOURCE / "dist" / "windows" / "csi-proxy"
"""The folder to copy to a Windows machine."""
_ENTRY: Final = """\
import sys
from csiproxy.cli import main
sys.exit(main())
"""
_NEEDED: Final = (
    "csiproxy.api",
    "csiproxy.cli",
    "csiproxy.doctor",
    "csiproxy.windows",
    "csiproxy.server",
    "csiproxy.emulator",
)
"""Packages of which modules are imported by name."""
_HIDDEN: Final = ("win32com",)
"""Modules that a library in C imports: pythoncom asks this one for the classes of objects."""
_NOT_NEEDED: Final = (
    *("tkinter", "unittest", "pytest", "hypothesis", "PyInstaller", "setuptools", "Pythonwin"),
    # PyInstaller's own start would load these every time.
    *("multiprocessing", "bz2", "lzma"),
    # Python's own digests do, and OpenSSL is one thing less to keep up to date.
    *("ssl", "_ssl", "_hashlib"),
)
_VERSION: Final = """\
VSVersionInfo(
  ffi=FixedFileInfo(filevers={numbers}, prodvers={numbers}, mask=0x3f, flags=0x0, OS=0x40004, fileType=0x1),
  kids=[
    StringFileInfo([StringTable('040904B0', [
      StringStruct('FileDescription', 'CSI Proxy for Python'),
      StringStruct('FileVersion', '{version}'),
      StringStruct('InternalName', 'csi-proxy'),
      StringStruct('OriginalFilename', 'csi-proxy.exe'),
      StringStruct('ProductName', 'CSI Proxy for Python'),
      StringStruct('ProductVersion', '{version}'),
      StringStruct('LegalCopyright', 'Apache License 2.0'),
    ])]),
    VarFileInfo([VarStruct('Translation', [0x409, 1200])]),
  ],
)
"""


def build(place: Path = PLACE) -> Path:
    """Build into ``place``, which is replaced; give the program's path.  Raise Unavailable, RuntimeError."""
    bed = prepare()
    with tempfile.TemporaryDirectory() as scratch, Prefix(bed, Path(scratch, "prefix")) as prefix:
        entry, version = Path(scratch, "csi-proxy.py"), Path(scratch, "version.txt")
        entry.write_text(_ENTRY)
        numbers = tuple(int(part) for part in (csiproxy.__version__.split(".") + ["0"] * 4)[:4])
        version.write_text(_VERSION.format(numbers=numbers, version=csiproxy.__version__))
        flags = ["--onedir", "--console", "--noconfirm", "--clean", "--name=csi-proxy", "--log-level=ERROR"]
        flags += [f"--version-file={windows_path(version)}", f"--paths={windows_path(SOURCE / 'src')}"]
        flags += [f"--distpath={windows_path(scratch)}\\dist", f"--workpath={windows_path(scratch)}\\work"]
        flags += [f"--specpath={windows_path(scratch)}"]
        flags += [f"--collect-submodules={package}" for package in _NEEDED]
        flags += [f"--hidden-import={module}" for module in _HIDDEN]
        flags += [f"--exclude-module={module}" for module in _NOT_NEEDED]
        ended = prefix.run_python(["-m", "PyInstaller", *flags, windows_path(entry)], timeout=900)
        made = Path(scratch, "dist", "csi-proxy")
        if ended.returncode or not (made / "csi-proxy.exe").exists():
            raise RuntimeError(f"PyInstaller failed:\n{ended.stdout}{ended.stderr}")
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(made, place)
    return place / "csi-proxy.exe"


if __name__ == "__main__":
    try:
        print(build())
    except (Unavailable, RuntimeError) as problem:
        sys.exit(f"csi-proxy.exe cannot be built: {problem}")
