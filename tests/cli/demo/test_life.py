import os
import re
from pathlib import Path

import pytest

from csiproxy.cli.demo.groups import Groups
from csiproxy.cli.demo.life import Life
from csiproxy.cli.demo.player import Player, StepFailed, require
from csiproxy.cli.demo.screen import Screen


class Forgetful(Groups):
    """A contract that finds nothing again after the proxy was killed."""

    def still_there(self, staged, link) -> None:
        problem = f"{staged.path} and {link} are gone"
        self._player.step("look again", lambda: problem, lambda text: str(require(False, text)))


def test_a_step_that_fails_leaves_no_process_and_keeps_the_logs(
    short_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(StepFailed, match="look again: "):
        Life(Player(Screen(plain=True)), str(short_directory), Forgetful).play()
    shown = capsys.readouterr().out
    assert shown.splitlines()[-1].startswith("FAILED  look again: ")
    pids = [int(pid) for pid in re.findall(r"process (\d+)", shown)]
    assert len(pids) == 4  # the node, two proxies, the workload
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    logs = {path.name for path in short_directory.rglob("*.log")}
    assert {"node.log", "proxy.log", "workload.log"} <= logs
    assert (short_directory / "first" / "audit.jsonl").stat().st_size > 0
