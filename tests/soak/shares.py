"""What CSI drivers of shares call."""

from collections.abc import Mapping
from typing import Any

from tests.soak.client import Client
from tests.soak.drivers import PLUGIN, POD, V1, Links, Usage, make_directories


class GroupsShareDriver:
    """By the groups smb and filesystem; ``remote`` is a directory of a share."""

    def __init__(
        self, client: Client, remote: str, login: Mapping[str, str], staging: str, published: str
    ) -> None:
        self._client = client
        self._remote, self._login = remote, login
        self._staging, self._published = staging, published
        self._links = Links(lambda rpc, **values: client("filesystem/v1", rpc, **values), V1)

    def stage(self) -> str:
        self._client("filesystem/v1", "Mkdir", path=self._staging.rpartition("\\")[0])
        fields = {"remote_path": self._remote, "local_path": self._staging, **self._login}
        self._client("smb/v1", "NewSmbGlobalMapping", **fields)
        return ""

    def publish(self) -> None:
        self._links.make(self._staging, self._published)

    def mounted(self) -> str:
        return ""

    def stats(self) -> Usage | None:
        return None

    def grow(self, size: int) -> None:
        """A share is as large as its server has it."""

    def unpublish(self) -> None:
        self._client("filesystem/v1", "Rmdir", path=self._published, force=True)

    def unstage(self) -> None:
        self._client("smb/v1", "RemoveSmbGlobalMapping", remote_path=self._remote)
        self._client("filesystem/v1", "Rmdir", path=self._staging, force=True)


class ServiceShareDriver:
    """By the KEP's own service, which mounts whole shares."""

    def __init__(
        self, client: Client, remote: str, login: Mapping[str, str], staging: str, published: str
    ) -> None:
        self._client = client
        self._remote, self._login = remote, login
        self._staging, self._published = staging, published

    def stage(self) -> str:
        make_directories(self._do, self._staging, PLUGIN, levels=2)
        self._do("MountSMBShare", remote_share=self._remote, host_path=self._staging, **self._login)
        return ""

    def publish(self) -> None:
        make_directories(self._do, self._published.rpartition("\\")[0], POD, levels=3)
        self._do("LinkPath", source_path=self._published, target_path=self._staging)

    def mounted(self) -> str:
        return ""

    def stats(self) -> Usage | None:
        return None

    def grow(self, size: int) -> None:
        """A share is as large as its server has it."""

    def unpublish(self) -> None:
        self._do("UnlinkPath", path=self._published)

    def unstage(self) -> None:
        self._do("UnmountSMBShare", host_path=self._staging)

    def _do(self, rpc: str, **values: object) -> Any:
        return self._client("csi-proxy/v1beta1", rpc, **values)
