"""The test bed itself: a Windows Python that has this project and everything that it needs."""

import pytest
from tools.wine.prefix import Prefix, windows_path

import csiproxy

pytestmark = pytest.mark.wine


def test_the_command_line_starts_in_a_windows_python(wine: Prefix) -> None:
    ended = wine.run_python(["-m", "csiproxy", "--version"])
    assert (ended.returncode, ended.stdout.strip()) == (0, f"csi-proxy {csiproxy.__version__}"), ended.stderr


def test_the_python_is_windows_own_and_sees_this_source(wine: Prefix) -> None:
    ended = wine.run_python(["-c", "import sys, csiproxy; print(sys.platform, csiproxy.__file__)"])
    assert ended.stdout.split() == ["win32", windows_path(csiproxy.__file__)], ended.stderr


def test_every_wheel_for_windows_can_be_imported(wine: Prefix) -> None:
    names = (
        "win32api, pythoncom, win32com.client, google.protobuf, google.rpc, click, rich, pytest, PyInstaller"
    )
    ended = wine.run_python(["-c", f"import {names}; from google._upb import _message"])
    assert ended.returncode == 0, ended.stderr


def test_what_a_program_writes_to_drive_c_is_in_this_prefix_alone(wine: Prefix) -> None:
    ended = wine.run_python(["-c", r"open(r'C:\windows\temp\note.txt', 'w').write('here')"])
    assert ended.returncode == 0, ended.stderr
    assert (wine.drive_c / "windows" / "temp" / "note.txt").read_text() == "here"


def test_killing_the_process_here_ends_the_program_there(wine: Prefix) -> None:
    started = wine.start(wine.python, "-c", "import os; print(os.getpid(), flush=True); input()", stdin=-1)
    with started:
        assert started.stdout is not None
        pid = int(started.stdout.readline())
        started.kill()
    assert started.wait() == -9
    found = wine.run_python(
        ["-c", f"import ctypes; print(ctypes.windll.kernel32.OpenProcess(4096, 0, {pid}))"]
    )
    assert found.stdout.strip() == "0", found.stderr


def test_names_may_have_letters_of_every_script(wine: Prefix) -> None:
    names = "ä ß 𐐨 例"
    ended = wine.run_python(["-c", f"open(r'C:\\windows\\temp\\{names}', 'w').close()"])
    assert ended.returncode == 0, ended.stderr
    assert (wine.drive_c / "windows" / "temp" / names).exists()
