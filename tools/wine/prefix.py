"""A Wine prefix: a small Windows with a drive C: of its own, that ends with whoever made it."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from tools.wine.prepare import HERE, WINE, WINESERVER, Bed, wine_environment

SOURCE: Final = Path(__file__).parents[2]


def windows_path(path: Path | str) -> str:
    r"""Spell a path of this system as programs under Wine see it: ``Z:\tmp\x``."""
    return "Z:" + str(path).replace("/", "\\")


def _text(file: IO[bytes]) -> str:
    """All of a file, with this system's line ends."""
    file.seek(0)
    return file.read().decode("utf-8", "replace").replace("\r\n", "\n")


class Prefix:
    """A prefix in ``folder``, which must not exist.  A context manager; its programs end with it.

    Windows programs start with a Linux path or with a name that Windows finds (``sc``).  ``PYTHONPATH`` is
    this project's source and tests.
    """

    def __init__(self, bed: Bed, folder: Path) -> None:
        self._bed = bed
        self.folder = folder
        folder.mkdir(parents=True)
        for name in ("system.reg", "user.reg", "userdef.reg", ".update-timestamp"):
            shutil.copy2(bed.prefix / name, folder / name)
        shutil.copytree(bed.prefix / "dosdevices", folder / "dosdevices", symlinks=True)
        # Folders of its own, files that are links to the first prefix's: Windows sees plain files.
        subprocess.run(["cp", "-a", "--symbolic-link", bed.prefix / "drive_c", folder], check=True)
        self.environment = wine_environment(folder) | {
            "PYTHONPATH": f"{windows_path(SOURCE / 'src')};{windows_path(SOURCE)}",
            "PYTHONUTF8": "1",
        }
        self._keeper = self._start_keeper()

    def _start_keeper(self) -> "subprocess.Popen[str]":
        """Start what keeps Wine's own services up between programs, until its input ends: with this process.

        Services, and the desktop that consoles need, inherit the output of the program that made them start;
        this way that is nobody's.
        """
        code = (
            "import ctypes, sys; ctypes.windll.user32.GetDesktopWindow();"
            "print('up', flush=True); sys.stdin.read()"
        )
        keeper = self.start(self.python, "-c", code, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert keeper.stdout is not None
        if keeper.stdout.readline().strip() != "up":
            raise OSError(f"Wine does not start in {self.folder}")
        return keeper

    @property
    def drive_c(self) -> Path:
        r"""Where ``C:\\`` is on this system."""
        return self.folder / "drive_c"

    @property
    def python(self) -> str:
        """The Windows Python, as a program for :meth:`start` and :meth:`run`."""
        return str(self._bed.python / "python.exe")

    def command(self, program: str, *arguments: str) -> list[str]:
        """The command that runs a Windows program; it wants :attr:`environment`."""
        return [str(HERE / "enter"), str(self._bed.root), WINE, program, *arguments]

    def start(
        self,
        program: str,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        stdin: int | None = subprocess.DEVNULL,
        stdout: int | None = subprocess.PIPE,
        stderr: int | None = subprocess.PIPE,
    ) -> "subprocess.Popen[str]":
        """Start a Windows program; its process here is the Windows process, so killing it kills that."""
        return subprocess.Popen(
            self.command(program, *arguments),
            env=self.environment | dict(environment or {}),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            encoding="utf-8",
            errors="replace",
        )

    def run(
        self,
        program: str,
        *arguments: str,
        environment: Mapping[str, str] | None = None,
        timeout: float = 120,
    ) -> "subprocess.CompletedProcess[str]":
        """Run a Windows program to its end.  Raise TimeoutExpired; the exit code is the caller's business.

        What it writes goes to files: Wine's desktop, which a program may start, inherits its output
        and stays.
        """
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = self.start(
                program, *arguments, environment=environment, stdout=out.fileno(), stderr=err.fileno()
            )
            try:
                code = process.wait(timeout)
            except BaseException:
                process.kill()
                process.wait()
                raise
            return subprocess.CompletedProcess(process.args, code, _text(out), _text(err))

    def run_python(
        self, arguments: Sequence[str], *, environment: Mapping[str, str] | None = None, timeout: float = 120
    ) -> "subprocess.CompletedProcess[str]":
        """Run the Windows Python to its end."""
        return self.run(self.python, *arguments, environment=environment, timeout=timeout)

    def end_programs(self) -> None:
        """End every program in the prefix, as pulling the plug would."""
        enter = [str(HERE / "enter"), str(self._bed.root), WINESERVER]
        subprocess.run([*enter, "-k"], env=self.environment, check=False)
        subprocess.run([*enter, "-w"], env=self.environment, check=False, timeout=60)
        self._keeper.communicate()

    def restart(self) -> None:
        """Pull the plug and start again."""
        self.end_programs()
        self._keeper = self._start_keeper()

    def close(self) -> None:
        """End every program and remove the folder.  Harmless when repeated."""
        if self.folder.exists():
            self.end_programs()
            shutil.rmtree(self.folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
