"""A share's life on a node through nothing but gRPC, while its proxy and its node are killed."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import leaks
from tests.crash.calls import Request
from tests.emulated import PLUGINS, PODS
from tests.running import Running, until
from tests.samba import HOST, USER, Samba

pytestmark = pytest.mark.foreign

SERVICE, FIRST, SMB, FILES = "csi-proxy/v1beta1", "csi-proxy/v1alpha1", "smb/v1", "filesystem/v1"
PLUGIN, POD = 0, 1
SHARE = r"\\files\data"
STAGING, PUBLISHED = PLUGINS + r"\pv\globalmount", PODS + r"\uid\volumes\pv\mount"


class Ground:
    """A node and its proxy, both processes, and a server; what they say and write is kept for a search."""

    def __init__(self, directory: Path, samba: Samba) -> None:
        self.directory, self.samba = directory, samba
        self.user = samba.user()
        self.behind = samba.share()
        self.running = Running(directory, [SERVICE, FIRST, SMB, FILES])
        self.running.control.set_smb_server("files", HOST, samba.port)
        self.listings: list[str] = []

    def call(self, contract: str, rpc: str, **fields: object) -> dict:
        """The call succeeds; its audit record goes where logs are kept."""
        outcome = self.running.proxy.call(Request(contract, rpc, fields))
        record = self.running.proxy.record()
        with open(self.directory / "audit.jsonl", "a") as file:
            file.write(f"{record}\n")
        assert outcome.failure == "", (rpc, outcome, record)
        return record

    def code(self, contract: str, rpc: str, **fields: object) -> int:
        """The Windows code that a call fails with."""
        outcome = self.running.proxy.call(Request(contract, rpc, fields))
        record = self.running.proxy.record()
        assert outcome.failure
        return record["windows_code"]

    @property
    def login(self) -> dict[str, str]:
        return {"username": self.user, "password": self.samba.passwords[USER]}

    def host(self, path: str) -> Path:
        return Path(self.running.node.path, "c", *path.split("\\")[1:])

    def look(self) -> None:
        """Look at all processes as anyone on the host may."""
        listing = leaks.process_listing()
        assert not leaks.look(listing)
        with open(self.directory / "processes", "a") as file:
            file.write(listing)

    def mounts(self) -> list[str]:
        with open("/proc/self/mountinfo") as file:
            return [line for line in file if str(self.directory) in line]

    def processes(self) -> list[str]:
        listing = subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout
        return [line for line in listing.splitlines() if "smb_mount" in line and str(self.directory) in line]

    def mappings(self) -> list[str]:
        return [one.text("RemotePath") for one in self.running.host.cim.instances("MSFT_SmbGlobalMapping")]

    def links(self) -> list[Path]:
        found = (
            Path(base, name)
            for base, names, files in os.walk(self.host(r"C:\var"))
            for name in (*names, *files)
        )
        return [path for path in found if path.is_symlink()]


@pytest.fixture
def ground(samba, foreign) -> Iterator[Ground]:
    foreign("fusermount3")
    directory = Path(tempfile.mkdtemp(prefix="cp-", dir="/tmp"))
    ground = Ground(directory, samba)
    yield ground
    ground.running.close()
    assert (ground.mounts(), ground.processes()) == ([], [])
    leaks.search(directory)
    shutil.rmtree(directory)


def test_a_share_that_csi_proxy_service_mounts_carries_data_until_nothing_is_left_of_it(ground):
    for path, context in ((PLUGINS + r"\pv", PLUGIN), (STAGING, PLUGIN), (PODS + r"\uid", POD),
                          (PODS + r"\uid\volumes", POD), (PODS + r"\uid\volumes\pv", POD)):  # fmt: skip
        ground.call(SERVICE, "Mkdir", path=path, context=context)
    for _ in range(2):
        ground.call(SERVICE, "MountSMBShare", remote_share=SHARE, host_path=STAGING, **ground.login)
        ground.call(SERVICE, "LinkPath", source_path=PUBLISHED, target_path=STAGING)
    pod = ground.host(PUBLISHED)
    (pod / "life").write_text("one")
    assert (ground.behind / "life").read_text() == "one"
    ground.look()

    with open(pod / "life", "a") as file:
        ground.running.proxy.kill()
        file.write(" two")
        file.flush()
        os.fsync(file.fileno())
        assert (ground.behind / "life").read_text() == "one two"
        ground.running.restart_proxy()
        file.write(" three")
    assert (pod / "life").read_text() == "one two three"
    ground.call(SERVICE, "MountSMBShare", remote_share=SHARE, host_path=STAGING, **ground.login)
    assert ground.mappings() == [SHARE]

    # The node dies: the pod gets errors, never a directory of this host, until somebody mounts again.
    ground.running.node.kill()
    until(lambda: not ground.mounts())
    with pytest.raises(OSError):
        (pod / "lost").write_text("nowhere")
    until(lambda: not ground.processes())
    ground.running.node.connect()
    assert ground.call(SERVICE, "PathExists", path=STAGING)
    record = ground.call(SERVICE, "MountSMBShare", remote_share=SHARE, host_path=STAGING, **ground.login)
    assert [note["event"] for note in record["notes"]] == ["stale-mapping", "unmapping"]
    assert (pod / "life").read_text() == "one two three"

    for _ in range(2):
        ground.call(SERVICE, "UnlinkPath", path=PUBLISHED)
        ground.call(SERVICE, "UnmountSMBShare", host_path=STAGING)
    assert (ground.mappings(), ground.links(), ground.mounts(), ground.processes()) == ([], [], [], [])
    assert (ground.behind / "life").read_text() == "one two three"


def test_v1alpha1_unmounts_a_share_by_rmdir(ground):
    ground.host(STAGING).mkdir(parents=True)
    ground.call(FIRST, "MountSMBShare", remote_share=SHARE, host_path=STAGING, **ground.login)
    (ground.host(STAGING) / "kept").write_text("1")
    ground.call(FIRST, "Rmdir", path=STAGING, context=PLUGIN)
    assert (ground.mappings(), ground.links(), ground.mounts()) == ([], [], [])
    assert (ground.behind / "kept").read_text() == "1"


def test_two_volumes_on_one_share_come_and_go_by_the_groups_and_never_lose_a_file(ground):
    (ground.behind / "sub").mkdir(exist_ok=True)
    first, second = PLUGINS + r"\a\globalmount", PLUGINS + r"\b\globalmount"
    for path in (first, second):
        ground.call(FILES, "Mkdir", path=path.rpartition("\\")[0])
        for _ in range(2):
            ground.call(
                SMB, "NewSmbGlobalMapping", remote_path=SHARE + r"\sub", local_path=path, **ground.login
            )
    (ground.host(first) / "seen").write_text("by both")
    assert (ground.host(second) / "seen").read_text() == "by both"
    assert (ground.behind / "sub" / "seen").read_text() == "by both"
    ground.running.proxy.kill()
    ground.running.restart_proxy()
    for path in (first, second):
        ground.call(SMB, "RemoveSmbGlobalMapping", remote_path=SHARE + r"\sub")
        assert (ground.host(second) / "seen").read_text() == "by both"
        ground.call(FILES, "Rmdir", path=path, force=True)
    assert (ground.mappings(), ground.links(), ground.mounts()) == ([], [], [])
    assert (ground.behind / "sub" / "seen").read_text() == "by both"


def test_removing_a_tree_with_a_link_inside_never_enters_the_share(ground):
    link = PLUGINS + r"\c\deep\globalmount"
    ground.call(FILES, "Mkdir", path=link.rpartition("\\")[0])
    ground.call(SMB, "NewSmbGlobalMapping", remote_path=SHARE, local_path=link, **ground.login)
    (ground.host(link) / "precious").write_text("1")
    ground.call(FILES, "Rmdir", path=PLUGINS + r"\c", force=True)
    assert not ground.host(PLUGINS + r"\c").exists()
    assert (ground.behind / "precious").read_text() == "1"


def test_what_the_service_refuses_has_the_codes_of_the_contract(ground, secret):
    ground.host(STAGING).mkdir(parents=True)
    full, file = PLUGINS + r"\full", PLUGINS + r"\file"
    (ground.host(full) / "x").mkdir(parents=True)
    ground.host(file).touch()
    ground.host(PLUGINS + r"\planted").symlink_to("/etc")

    def refused(share: str = SHARE, path: str = STAGING, **fields: object) -> int:
        return ground.code(
            SERVICE, "MountSMBShare", remote_share=share, host_path=path, **{**ground.login, **fields}
        )

    assert refused(SHARE + r"\sub") == 123
    assert refused(r"\\127.0.0.1\data") == 5
    assert refused(path=PLUGINS + r"\missing") == 2
    assert refused(path=full) == 145
    assert refused(path=file) == 267
    assert refused(path=PLUGINS + r"\planted") == 4395
    assert refused(path=PODS + r"\uid") == 5
    assert refused(readonly=True) == 50
    assert refused(password=secret()) == 1326
    assert refused(username="nobody") == 1312
    assert refused(r"\\files\nothing") == 67
    assert refused(r"\\nobody.invalid\data") == 53
    assert ground.code(SERVICE, "UnmountSMBShare", host_path=full) == 4390
    assert ground.code(SERVICE, "UnmountSMBShare", host_path=PLUGINS + r"\planted") == 4395
    ground.call(SERVICE, "UnmountSMBShare", host_path=PLUGINS + r"\missing")
    assert (ground.mappings(), ground.mounts()) == ([], [])
