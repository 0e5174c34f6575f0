import re
import shutil
import subprocess
import sys
from pathlib import Path

DEMO = f"{sys.executable} -m csiproxy demo --plain"


def test_a_demo_that_fails_says_where_its_logs_are() -> None:
    # No file may grow beyond half a MiB, so the node cannot make its system disk.
    done = subprocess.run(
        ["sh", "-c", f"ulimit -f 1024; exec {DEMO}"], capture_output=True, check=False, text=True
    )
    assert done.returncode == 1
    assert "\nFAILED  emulator run: " in done.stdout
    (directory,) = re.findall(r"its states and logs are in (\S+)", done.stderr)
    assert Path(directory, "groups", "first", "node.log").stat().st_size > 0
    assert "Traceback" not in done.stderr
    shutil.rmtree(directory)


def test_a_directory_may_be_kept() -> None:
    command = [*DEMO.split(), "--keep", "--contract", "csi-proxy-service"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    (directory,) = re.findall(r"^kept: (\S+)$", done.stdout, re.MULTILINE)
    assert Path(directory, "service", "second", "audit.jsonl").stat().st_size > 0
    assert "disk/v1 Rescan" not in done.stdout
    shutil.rmtree(directory)


def test_an_unknown_contract_is_a_wrong_command_line() -> None:
    done = subprocess.run([*DEMO.split(), "--contract", "rest"], capture_output=True, check=False, text=True)
    assert done.returncode == 2
    assert "csi-proxy-service" in done.stderr
