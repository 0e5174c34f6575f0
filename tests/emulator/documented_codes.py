"""Call a method and hold its return value against the codes that its page documents."""

import json
from pathlib import Path

from tests.emulator.storage_ground import StorageGround, message

from csiproxy.host.cim import Instance

DOCUMENTED = {
    path.stem: json.loads(path.read_text())
    for path in (Path(__file__).parents[1] / "host" / "wmi").glob("*.json")
}

# Refusals that the method's page does not list, and that a client may still get from Windows.
UNLISTED = {
    *(("MSFT_Disk", method, 8) for method in ("Initialize", "CreatePartition", "Refresh", "Online")),
    ("MSFT_Disk", "Initialize", 41002),
    ("MSFT_Disk", "Initialize", 41003),
    ("MSFT_Disk", "Initialize", 41009),
    ("MSFT_Disk", "SetAttributes", 41002),
    *(("MSFT_Partition", method, 8) for method in ("Resize", "GetSupportedSize", "Online", "DeleteObject")),
    *(("MSFT_Partition", method, 41003) for method in ("Resize", "GetSupportedSize", "DeleteObject")),
    ("MSFT_Partition", "Resize", 41002),
    ("MSFT_Partition", "Offline", 42010),
    ("MSFT_Partition", "DeleteObject", 42010),
    *(("MSFT_Volume", method, 8) for method in ("Format", "Flush", "SetFileSystemLabel")),
    ("MSFT_Volume", "Format", 4097),
    ("MSFT_Volume", "Format", 43014),
    ("MSFT_Volume", "SetFileSystemLabel", 41002),
}


def check(storage: StorageGround, target: Instance, method: str, parameters: dict, code: int) -> None:
    result = storage.session.invoke(target, method, **parameters)
    assert (result.return_value, message(result) if result.return_value != code else "") == (code, "")
    outputs = DOCUMENTED[target.class_name]["methods"][method]["out"]
    assert set(result.out) == set(outputs)
    if code and "ExtendedStatus" in outputs:
        assert message(result)
    listed = DOCUMENTED[target.class_name]["methods"][method]["returns"]
    assert code in listed or (target.class_name, method, code) in UNLISTED
