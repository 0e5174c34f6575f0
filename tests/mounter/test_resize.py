"""ResizeFs on a real node."""

import pytest

from csiproxy.errors import CsiProxyError
from csiproxy.mounter import ResizeFs


def test_a_volume_grows_with_its_disk_and_says_when_it_could(
    node, client, mounter, disk, volume, staging, published
):
    resize = ResizeFs(client)
    mounter.mount(volume, staging)
    mounter.mount(staging, published, options=["bind"])
    assert resize.need_resize("", published) is False
    before = client.volume.get_volume_stats(volume).total_bytes
    node.grow(disk, 128 << 20)
    client.disk.rescan()
    assert resize.need_resize("", published) is True
    for _ in range(2):
        assert resize.resize("", published) is True
    assert client.volume.get_volume_stats(volume).total_bytes >= before + (60 << 20)
    assert resize.need_resize("", staging) is False


def test_where_no_volume_is_mounted_nothing_grows(client, staging):
    with pytest.raises(CsiProxyError):
        ResizeFs(client).resize("", staging)
