"""The numbers are those of Windows' headers, made of their parts."""

from csiproxy.windows import nt


def control_code(device: int, function: int, method: int, access: int) -> int:
    """CTL_CODE of the headers."""
    return device << 16 | access << 14 | function << 2 | method


def test_control_codes_are_made_of_their_parts():
    file_system, mass_storage, buffered, any_access = 9, 0x2D, 0, 0
    assert control_code(file_system, 41, buffered, any_access) == nt.FSCTL_SET_REPARSE_POINT
    assert control_code(file_system, 42, buffered, any_access) == nt.FSCTL_GET_REPARSE_POINT
    assert control_code(file_system, 43, buffered, any_access) == nt.FSCTL_DELETE_REPARSE_POINT
    assert control_code(mass_storage, 0x500, buffered, any_access) == nt.IOCTL_STORAGE_QUERY_PROPERTY
    assert control_code(mass_storage, 0x420, buffered, any_access) == nt.IOCTL_STORAGE_GET_DEVICE_NUMBER


def test_everything_shared_is_all_three():
    assert nt.SHARE_ALL == 7
