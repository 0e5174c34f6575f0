"""What the proxy tells the event log, as Wine shows it, which keeps no event that could be read."""

import json
import re
from collections.abc import Iterator

import pytest
from tests.emulator.entered import Entered
from tests.wine.serving import Served, node, serving
from tools.wine.prefix import Prefix

pytestmark = pytest.mark.wine

SHOWN = {"WINEDEBUG": "-all,fixme+advapi,err+eventlog,warn+eventlog,trace+eventlog"}
KUBELET = r"C:\var\lib\kubelet"
TAKEN = re.compile(r"ReportEventW \(\w+,0x(\w{4}),0x0000,0x(\w{8}),")
TEXT = re.compile(r'eventlog:ReportEventW L"(.*)"')


@pytest.fixture(scope="module")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Entered]:
    with node(tmp_path_factory.mktemp("node")) as found:
        yield found


def events(served: Served) -> list[tuple[int, int]]:
    """Ids and levels of what was written."""
    found = TAKEN.findall("".join(served.log))
    return [(int(event, 16), int(level, 16)) for level, event in found]


def call(served: Served, rpc: str, **fields: object) -> None:
    arguments = ["-m", "csiproxy", "call", "filesystem/v1", rpc, json.dumps(fields)]
    served.prefix.run_python(arguments)


def test_the_start_every_call_and_the_end_are_events(wine: Prefix, emulated: Entered) -> None:
    with serving(wine, emulated, "--serve", "filesystem/v1", environment=SHOWN) as served:
        call(served, "Mkdir", path=KUBELET + r"\pods\event")
        call(served, "PathExists", path=KUBELET)
        call(served, "PathExists", path=r"C:\Windows")
        assert served.stop() == 0
    assert events(served) == [(1, 4), (201, 4), (200, 4), (200, 2), (2, 4)]
    lines = "\n".join(TEXT.findall("".join(served.log)))
    assert "Mkdir at csi-proxy-filesystem-v1, called by process " in lines
    assert "failed with PERMISSION_DENIED, Windows code 5" in lines


def test_a_flag_leaves_the_event_log_alone(wine: Prefix, emulated: Entered) -> None:
    flags = "--serve", "filesystem/v1", "-event-log=false"
    with serving(wine, emulated, *flags, environment=SHOWN) as served:
        call(served, "PathExists", path=KUBELET)
        assert served.stop() == 0
    assert events(served) == []
    assert len(served.records()) == 1
