import os
import signal
import subprocess
import sys

import pytest

PROGRAM = """
import sys
from csiproxy.csi.process import Ending, serve, write_ready
from csiproxy.csi.serving import server
ending = Ending()
if len(sys.argv) > 2:
    ending.end(int(sys.argv[2]))
sys.exit(serve(server({}), ending, lambda: write_ready(int(sys.argv[1]))))
"""


def start(*arguments):
    ready, told = os.pipe()
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(told), *arguments], pass_fds=[told])
    os.close(told)
    with os.fdopen(ready, "rb") as reader:
        assert reader.read() == b"READY\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_an_orderly_end(number):
    process = start()
    process.send_signal(number)
    assert process.wait(30) == 0


def test_the_program_may_end_itself_with_a_code():
    assert start("7").wait(30) == 7
