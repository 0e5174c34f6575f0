"""The same calls in this process, as a HostProcess pod makes them: no proxy, no pipe."""

import tempfile
from pathlib import Path

import csiproxy
from csiproxy.emulator.control import Control


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        node, audit = Path(directory, "node"), Path(directory, "audit.jsonl")
        # On a Windows node the host is the machine itself; here it is an emulated one.
        with csiproxy.local(f"emulator:{node}", audit_log=str(audit)) as client:
            for ids in client.disk.list_disk_ids():
                print(f"disk {ids.disk_number}: serial number {ids.serial_number}")
            print(f"{client.system.get_service('MSiSCSI').display_name} is installed")
        print(f"{len(audit.read_text().splitlines())} calls are in the audit log")
        with Control(str(node)) as control:
            control.stop()


if __name__ == "__main__":
    main()
