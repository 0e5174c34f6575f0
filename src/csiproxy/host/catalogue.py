"""All classes of the port, by name."""

from collections.abc import Mapping

from csiproxy.host import schema
from csiproxy.host.iscsi_schema import ISCSI_CLASSES
from csiproxy.host.schema import CimClass

_CLASSES: Mapping[str, CimClass] = {
    one.name.lower(): one
    for one in (
        schema.MSFT_DISK,
        schema.MSFT_PARTITION,
        schema.MSFT_VOLUME,
        schema.MSFT_STORAGE_EXTENDED_STATUS,
        schema.MSFT_STORAGE_SETTING,
        schema.WIN32_SERVICE,
        schema.WIN32_BIOS,
        schema.CIM_BIOS_ELEMENT,
        schema.WIN32_PAGE_FILE_USAGE,
        schema.WIN32_OS_RECOVERY_CONFIGURATION,
        schema.MSFT_SMB_GLOBAL_MAPPING,
        *ISCSI_CLASSES,
    )
}


def described(class_name: str) -> CimClass:
    """What is known of a class, its name in whichever case; of an unknown one nothing."""
    return _CLASSES.get(class_name.lower()) or CimClass(class_name, "", {}, {})


def known() -> tuple[CimClass, ...]:
    """Every class."""
    return tuple(_CLASSES.values())
