import os
import signal
import subprocess
import sys
import threading

import pytest

from csiproxy.emulator.locks import clear_abandoned, held, wait_until_free
from csiproxy.errors import Win32Error

HOLDER = """
import sys
from csiproxy.emulator.locks import held
with held(sys.argv[1], sys.argv[2], 60):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder():
    """Start processes that hold a lock until their standard input ends."""
    processes = []

    def hold(directory, name):
        environment = {**os.environ, "PYTHONPATH": os.path.abspath("src")}
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, directory, name],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield hold
    for process in processes:
        process.communicate()


def is_free(directory, name):
    try:
        with held(directory, name, 0):
            return True
    except Win32Error as error:
        assert error.windows_code == 258
        return False


def test_a_lock_excludes_another_process_until_it_is_released(tmp_path, holder):
    process = holder(str(tmp_path), "disk 1")
    assert not is_free(str(tmp_path), "disk 1")
    assert is_free(str(tmp_path), "disk 2")
    process.communicate()
    assert is_free(str(tmp_path), "disk 1")


def test_the_death_of_the_holder_frees_the_lock(tmp_path, holder):
    process = holder(str(tmp_path), "disk 1")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert is_free(str(tmp_path), "disk 1")


def test_files_of_dead_holders_are_cleared_away_and_no_others(tmp_path, holder):
    (tmp_path / "mark-1").touch()
    dead, alive = holder(str(tmp_path), "disk 1"), holder(str(tmp_path), "disk 2")
    dead.kill()
    dead.wait()
    assert len(os.listdir(tmp_path)) == 3
    clear_abandoned(str(tmp_path))
    assert len(os.listdir(tmp_path)) == 2
    assert (tmp_path / "mark-1").exists()
    assert not is_free(str(tmp_path), "disk 2")
    alive.communicate()
    assert os.listdir(tmp_path) == ["mark-1"]


def test_clearing_away_never_takes_a_lock_from_its_holder(tmp_path):
    stop = threading.Event()

    def clear():
        while not stop.is_set():
            clear_abandoned(str(tmp_path))

    cleaner = threading.Thread(target=clear)
    cleaner.start()
    for _ in range(200):
        with held(str(tmp_path), "x", 60):
            assert not is_free(str(tmp_path), "x")
    stop.set()
    cleaner.join()


def test_a_waiter_gets_the_lock_when_it_is_released(tmp_path):
    order = []

    def wait():
        with held(str(tmp_path), "x", 60):
            order.append("second")

    with held(str(tmp_path), "x", 0):
        waiter = threading.Thread(target=wait)
        waiter.start()
        assert not is_free(str(tmp_path), "x")
        order.append("first")
    waiter.join()
    assert order == ["first", "second"]


def test_threads_never_hold_one_lock_together_and_no_file_is_left(tmp_path):
    inside = []
    most = []

    def work():
        for _ in range(20):
            with held(str(tmp_path), "x", 60):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 120
    assert os.listdir(tmp_path) == []


def test_the_end_of_a_holder_is_waited_for_but_not_for_ever(tmp_path, holder):
    process = holder(str(tmp_path), "x")
    [file] = os.listdir(tmp_path)
    with pytest.raises(Win32Error) as timeout:
        wait_until_free(os.path.join(tmp_path, file), 0.01)
    assert timeout.value.windows_code == 258
    path = os.path.join(tmp_path, "other")
    os.link(os.path.join(tmp_path, file), path)
    process.communicate()
    wait_until_free(path, 60)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "a\0b", "\ud800", "x" * 10_000])
def test_any_text_names_a_lock(tmp_path, name):
    with held(str(tmp_path), name, 0):
        assert len(os.listdir(tmp_path)) == 1
