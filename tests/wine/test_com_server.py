"""Programs that know nothing of this project find an emulated node in WMI; so does this one, and it heals."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import find_foreign, windows_of_its_own
from tests.emulated import MIB, EmulatedNode
from tests.emulator.entered import Entered, entered
from tests.wine import go_programs
from tests.wine.wmi import over_com, standing_in, started
from tools.wine.prefix import Prefix, windows_path

from csiproxy.errors import HostUnreachable
from csiproxy.host.cim import Session

pytestmark = pytest.mark.wine

SCRIPT = Path(__file__).with_name("disks.vbs")

# win32com's own way of late binding: it asks for a method as a property first.
CLIENT = """
import win32com.client
locator = win32com.client.Dispatch("WbemScripting.SWbemLocator")
wmi = locator.ConnectServer(".", r"root\\Microsoft\\Windows\\Storage")
[disk] = wmi.ExecQuery("SELECT * FROM MSFT_Disk WHERE Number = 1")
print(disk.Number, repr(disk.Size), disk.Refresh(), disk.Properties_("BusType").Value)
partitions = disk.Associators_("MSFT_DiskToPartition", "MSFT_Partition")
print(disk.Path_.Class, [row.PartitionNumber for row in partitions])
"""

# The registry's word on who stands behind the name.
WHO = "import pywintypes; print(pywintypes.IID('WbemScripting.SWbemLocator'))"
WINES_OWN = "{76A64158-CB41-11D1-8B02-00600806D9B6}"


@pytest.fixture(scope="module")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prefix]:
    """Not the Windows of other tests, which would find these nodes in its WMI, or none."""
    with windows_of_its_own(tmp_path_factory.mktemp("wine")) as prefix:
        yield prefix


@pytest.fixture
def node(tmp_path: Path) -> Iterator[EmulatedNode]:
    node = EmulatedNode(tmp_path)
    yield node
    node.close()


@pytest.fixture
def far(node: EmulatedNode, tmp_path: Path) -> Iterator[Entered]:
    with entered(node.machine, str(tmp_path / "token")) as far:
        yield far


@pytest.fixture
def token(far: Entered) -> Path:
    return Path(far.token_file)


def test_a_script_of_vbscript_makes_a_volume(wine: Prefix, node: EmulatedNode, token: Path) -> None:
    number = node.attach(64 * MIB)
    with standing_in(wine, token):
        ended = wine.run("cscript", "//nologo", windows_path(SCRIPT))
    assert ended.stdout.splitlines() == [
        f"Number Long {number}",
        f"Size String {64 * MIB}",
        "IsOffline Boolean False",
        "Initialize Long 0",
        "style 2, status Null",
        "again Long 41001",
        f"disk {number} is initialized already",
        "CreatePartition Long 0",
        "PartitionNumber Long 2",
        "DriveLetter Integer 0",
        "GetSupportedSize Long 0",
        "SizeMin String 1048576",
        "Format 0",
        "FileSystem String NTFS",
        "AllocationUnitSize Long 4096",
        "OperationalStatus 2",
        "rescan 0",
        "services 1",
        "refused 80041017 True",
    ], ended.stderr
    [report] = [disk for disk in node.machine.inventory() if disk.number == number]
    assert (report.style, len(report.volumes)) == ("GPT", 1)


@pytest.fixture(scope="module")
def go_disks(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(go_programs.build(tmp_path_factory.mktemp("go"), find_foreign("go"), "disks"))


def test_a_go_program_initializes_a_disk(
    wine: Prefix, node: EmulatedNode, token: Path, go_disks: str
) -> None:
    number = node.attach(64 * MIB)
    with standing_in(wine, token):
        ended = wine.run(go_disks)
        assert ended.stdout == f'{number} "{64 * MIB}" false 0\n', ended.stderr
        assert wine.run(go_disks).stdout == ""  # no disk is raw any more
    [report] = [disk for disk in node.machine.inventory() if disk.number == number]
    assert report.style == "GPT"


def test_a_program_of_win32com_reads_calls_and_follows(wine: Prefix, node: EmulatedNode, token: Path) -> None:
    node.volume(64 * MIB)
    with standing_in(wine, token):
        ended = wine.run_python(["-c", CLIENT])
    assert ended.stdout.splitlines() == [f"1 '{64 * MIB}' 0 10", "MSFT_Disk [1, 2]"], ended.stderr


def test_wines_own_wmi_stays_within_reach_and_is_back_in_the_end(wine: Prefix, token: Path) -> None:
    with standing_in(wine, token):
        assert wine.run_python(["-c", WHO]).stdout.strip() != WINES_OWN
        own = (
            "from csiproxy.windows.com import ComSession\n"
            "from csiproxy.windows.late_binding import open_namespace\n"
            f"session = ComSession(lambda namespace: open_namespace(namespace, '{WINES_OWN}'))\n"
            "print(session.instances('Win32_BIOS')[0].text('Manufacturer'))"
        )
        assert "Wine" in wine.run_python(["-c", own]).stdout
    interrupted = (
        "import _thread, threading\n"
        "from csiproxy.emulator import com_server\n"
        f"com_server.run({windows_path(token)!r}, _thread.interrupt_main)"
    )
    assert wine.run_python(["-c", interrupted]).returncode == 0
    assert wine.run_python(["-c", WHO]).stdout.strip() == WINES_OWN


def test_a_session_heals_when_wmi_was_restarted(wine: Prefix, token: Path, tmp_path: Path) -> None:
    with standing_in(wine, token) as first, over_com(wine, tmp_path / "com") as session:
        assert len(session.instances("MSFT_Disk")) == 1
        first.kill()
        first.wait()
        with pytest.raises(HostUnreachable):
            session.instances("MSFT_Disk")
        with standing_in(wine, token):
            [disk] = session.instances("MSFT_Disk")
            assert session.invoke(disk, "Refresh").return_value == 0


def test_a_node_that_has_gone_is_unreachable(wine: Prefix, node: EmulatedNode, tmp_path: Path) -> None:
    token = tmp_path / "t"
    with entered(node.machine, str(token)) as far:
        with standing_in(wine, token), over_com(wine, tmp_path / "com") as session:
            assert len(session.instances("MSFT_Disk")) == 1
            far.node.stop()
            with pytest.raises(HostUnreachable):
                _ask_on(session)  # until it has stopped


def _ask_on(session: Session) -> None:
    while True:
        session.instances("MSFT_Disk")


def test_without_a_node_it_says_so_and_ends(wine: Prefix, tmp_path: Path) -> None:
    ended = wine.run_python(
        ["-m", "csiproxy", "emulator", "com-server", "--node", windows_path(tmp_path / "none")]
    )
    assert ended.returncode == 1
    assert len(ended.stderr.strip().splitlines()) <= 2
    assert "Traceback" not in ended.stderr


def test_a_program_that_is_killed_leaves_nothing_to_wait_for(wine: Prefix, token: Path) -> None:
    hold = (
        "import sys\n"
        "from csiproxy.windows.late_binding import open_namespace\n"
        r"wmi = open_namespace(r'root\Microsoft\Windows\Storage')" + "\n"
        "rows = list(wmi.call('ExecQuery', 'SELECT * FROM MSFT_Disk').each())\n"
        "print('ready', flush=True)\n"
        "sys.stdin.read()"
    )
    with standing_in(wine, token):
        for _ in range(2):
            with started(wine, "-c", hold) as process:
                assert isinstance(process, subprocess.Popen)
        assert wine.run_python(["-c", hold]).stdout.strip() == "ready"
