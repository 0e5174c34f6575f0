"""Every code that storage/codes.py knows reaches a client of the operations as what the table says."""

import pytest

from csiproxy.emulator.faults import Action, Fault
from csiproxy.errors import CsiProxyError
from csiproxy.operations.context import Context
from csiproxy.storage import codes

SYSTEM_SERVICE = "StorSvc"


def failure(work) -> CsiProxyError:
    with pytest.raises(CsiProxyError) as caught:
        work()
    return caught.value


@pytest.mark.parametrize("value", codes.CIM)
def test_every_return_value_of_the_storage_classes_arrives(node, value):
    meaning = codes.CIM[value]
    node.machine.faults.order(Fault("MSFT_StorageSetting.UpdateHostStorageCache", Action.FAIL, code=value))
    error = failure(lambda: node.operations().disk.rescan(Context()))
    assert (type(error), error.windows_code) == (meaning.error, meaning.windows_code)
    assert error.origin == f"MSFT_StorageSetting.UpdateHostStorageCache returned {value}"


def test_a_return_value_that_nobody_documents_is_internal(node):
    node.machine.faults.order(Fault("MSFT_StorageSetting.*", Action.FAIL, code=54321))
    error = failure(lambda: node.operations().disk.rescan(Context()))
    assert (type(error).__name__, error.windows_code) == ("Internal", 31)


@pytest.mark.parametrize("value", codes.HRESULT)
def test_every_hresult_arrives(node, value):
    found, windows_code, _ = codes.HRESULT[value]
    node.machine.faults.order(Fault("MSFT_Disk", Action.FAIL, code=value))
    error = failure(lambda: node.operations().disk.get_disk_stats(Context(), disk_number=0))
    assert (type(error), error.windows_code) == (found, windows_code)


@pytest.mark.parametrize("code", codes.WIN32)
def test_every_win32_code_arrives_also_inside_an_hresult(node, code):
    found, _ = codes.WIN32[code]
    path = r"C:\var\lib\kubelet\pods\link"
    filesystem = node.operations().filesystem
    filesystem.create_symlink(Context(), source_path=r"C:\var\lib\kubelet\plugins", target_path=path)
    if code not in (2, 3):  # those mean here that there is nothing, which is no failure
        node.machine.faults.order(Fault("describe", Action.FAIL, code=code))
        error = failure(lambda: filesystem.path_exists(Context(), path=path))
        assert (type(error), error.windows_code) == (found, code)
    node.machine.faults.order(Fault("MSFT_Disk", Action.FAIL, code=0x80070000 | code))
    error = failure(lambda: node.operations().disk.get_disk_stats(Context(), disk_number=0))
    assert (type(error), error.windows_code) == (found, code)


@pytest.mark.parametrize("value", codes.SERVICE)
def test_every_return_value_of_services_arrives(node, value):
    meaning = codes.SERVICE[value]
    step, work = "StartService", node.operations().system.start_service
    arguments = {"name": "MSiSCSI"}
    if value == 10:  # running already is what was asked for, so it is asked of the other method
        step, work = "StopService", node.operations().system.stop_service
        arguments = {"name": SYSTEM_SERVICE, "force": False}
    node.machine.faults.order(Fault(f"Win32_Service.{step}", Action.FAIL, code=value))
    error = failure(lambda: work(Context(), **arguments))
    assert (type(error), error.windows_code) == (meaning.error, meaning.windows_code)
