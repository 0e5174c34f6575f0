"""The driver on emulated Windows nodes: run ``pytest`` here.

The fixtures come with csi-proxy for Python.
"""

import pytest
from driver import Driver

# As kubelet spells them.
STAGING = r"\var\lib\kubelet\plugins\kubernetes.io\csi\demo\abc\globalmount"
TARGET = r"\var\lib\kubelet\pods\uid\volumes\kubernetes.io~csi\pv\mount"


def test_a_pods_data_is_there_after_its_driver_and_its_proxy_were_restarted(csi_proxy_node):
    node = csi_proxy_node
    node.attach("data.img", serial="DISK-1")
    with node.client() as client:
        Driver(client).stage("DISK-1", STAGING)
        Driver(client).publish(STAGING, TARGET)
    (node.path(TARGET) / "row").write_text("42")

    node.kill_proxy()
    node.start()

    with node.client() as client:
        driver = Driver(client)
        driver.stage("DISK-1", STAGING)
        driver.publish(STAGING, TARGET)
        assert (node.path(TARGET) / "row").read_text() == "42"
        for _ in range(2):
            driver.unpublish(TARGET)
        for _ in range(2):
            driver.unstage("DISK-1", STAGING)


def test_a_pod_that_moves_to_another_node_finds_its_data(csi_proxy_nodes):
    first, second = csi_proxy_nodes.first, csi_proxy_nodes.second
    disk = first.attach("data.img", serial="DISK-1")
    with first.client() as client:
        driver = Driver(client)
        driver.stage("DISK-1", STAGING)
        driver.publish(STAGING, TARGET)
        (first.path(TARGET) / "row").write_text("42")
        driver.unpublish(TARGET)
        driver.unstage("DISK-1", STAGING)
    csi_proxy_nodes.move(disk, to=second, serial="DISK-1")
    with second.client() as client:
        Driver(client).stage("DISK-1", STAGING)
        Driver(client).publish(STAGING, TARGET)
    assert (second.path(TARGET) / "row").read_text() == "42"


def test_a_disk_that_is_not_attached_is_said_so(csi_proxy_node):
    with csi_proxy_node.client() as client, pytest.raises(LookupError, match="DISK-9"):
        Driver(client).stage("DISK-9", STAGING)
