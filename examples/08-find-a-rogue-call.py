"""The audit trail: is it as it was written, and which calls did no PersistentVolume ask for?

Two pods' volumes are staged and published on an emulated node, as a CSI driver does it, and somebody else
partitions a third disk.  Kubernetes' own audit log (kubernetes-audit.jsonl, as an API server writes it at
level Request) knows the pods and their volumes, so the one call stands out.
"""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from csiproxy import connect
from csiproxy.client import Client
from csiproxy.testing import Node

KUBERNETES_LOG = Path(__file__).with_name("kubernetes-audit.jsonl")
KUBELET = r"C:\var\lib\kubelet"
DRIVER = "disk.csi.azure.com"


def main() -> None:
    with Node.temporary() as node:
        trail, log = node.directory / "audit.jsonl", node.directory / "kubernetes-audit.jsonl"
        events = recent(KUBERNETES_LOG.read_text())
        log.write_text("".join(f"{json.dumps(event)}\n" for event in events))
        with connect(node.endpoints) as client:
            for pod, volume, handle in pods(events):
                publish(client, node.attach(size=64 << 20).number, pod, volume, handle)
            client.disk.partition_disk(node.attach(size=64 << 20).number)  # whose is that?

        audit("verify", trail)
        audit("query", trail, "--rpc", "MountVolume")
        audit("correlate", trail, "--kubernetes-log", log, "--node", "win-1")

        # Somebody takes the call out of the trail.
        lines = trail.read_text().splitlines(keepends=True)
        (rogue,) = [line for line in lines if '"disk_number":3' in line and "PartitionDisk" in line]
        trail.write_text("".join(line for line in lines if line != rogue))
        audit("verify", trail)


def publish(client: Client, disk: int, pod: str, volume: str, handle: str) -> None:
    """Stage a disk and publish it to a pod."""
    staging = (
        rf"{KUBELET}\plugins\kubernetes.io\csi\{DRIVER}\{sha256(handle.encode()).hexdigest()}\globalmount"
    )
    published = rf"{KUBELET}\pods\{pod}\volumes\kubernetes.io~csi\{volume}\mount"
    client.disk.rescan()
    client.disk.partition_disk(disk)
    (guid,) = client.volume.list_volumes_on_disk(disk)
    if not client.volume.is_volume_formatted(guid):
        client.volume.format_volume(guid)
    client.filesystem.mkdir(staging)
    client.volume.mount_volume(guid, staging)
    client.filesystem.mkdir(published.rpartition("\\")[0])
    client.filesystem.create_symlink(source_path=staging, target_path=published)


def pods(events: list[dict]) -> list[tuple[str, str, str]]:
    """The pods in the log: UID, PersistentVolume, its handle."""
    objects = [event["requestObject"] for event in events if "requestObject" in event]
    volumes = {o["spec"]["claimRef"]["name"]: o for o in objects if o.get("kind") == "PersistentVolume"}
    created = [
        event["responseObject"] for event in events if event.get("responseObject", {}).get("kind") == "Pod"
    ]
    found = []
    for pod in created:
        volume = volumes[pod["spec"]["volumes"][0]["persistentVolumeClaim"]["claimName"]]
        name, handle = volume["metadata"]["name"], volume["spec"]["csi"]["volumeHandle"]
        found.append((pod["metadata"]["uid"], name, handle))
    return found


def recent(text: str) -> list[dict]:
    """The log as if it had begun just now."""
    events = [json.loads(line) for line in text.splitlines()]
    since = datetime.now(UTC) - datetime.fromisoformat(events[0]["stageTimestamp"]) - timedelta(seconds=5)
    for event in events:
        for name in ("requestReceivedTimestamp", "stageTimestamp"):
            event[name] = (datetime.fromisoformat(event[name]) + since).isoformat().replace("+00:00", "Z")
    return events


def audit(command: str, trail: Path, *options: str | Path) -> None:
    """Run a command of csi-proxy audit and show what it says."""
    print(f"$ csi-proxy audit {command} {trail.name} {' '.join(map(str, options))}", flush=True)
    subprocess.run(["csi-proxy", "audit", command, trail, *options], check=False)


if __name__ == "__main__":
    main()
