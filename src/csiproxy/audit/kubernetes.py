"""What a Kubernetes audit log tells of pods and their volumes.

The log's lines are Events of audit.k8s.io/v1, one JSON object each
(https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/).  How much they tell depends on the
audit policy's level for pods, persistentvolumeclaims, persistentvolumes and volumeattachments: ``Request``
shows which claims a pod names and which volume a claim is bound to, ``RequestResponse`` shows UIDs at
creation as well, ``Metadata`` has names alone.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final

from csiproxy.audit.calls import time_of
from csiproxy.audit.subjects import share_of

_RESOURCES: Final = {
    "pods": "Pod",
    "persistentvolumeclaims": "PersistentVolumeClaim",
    "persistentvolumes": "PersistentVolume",
    "volumeattachments": "VolumeAttachment",
}


@dataclass
class Pod:
    """A pod as far as the log shows it; ``claims`` and ``inline`` are None while its spec was not seen."""

    namespace: str
    name: str
    uid: str = ""
    node: str = ""
    claims: set[str] | None = None
    inline: set[str] | None = None
    seen: datetime | None = None
    ended: datetime | None = None

    @property
    def title(self) -> str:
        """What people call it."""
        return f"{self.namespace}/{self.name}"


@dataclass
class PersistentVolume:
    """A PersistentVolume; ``claim`` is ``namespace/name``, "" while the log does not tell."""

    name: str
    claim: str = ""
    claim_uid: str = ""
    driver: str = ""
    handle: str = ""
    shares: set[str] = field(default_factory=set)
    targets: set[str] = field(default_factory=set)
    seen: datetime | None = None
    ended: datetime | None = None

    @property
    def staging(self) -> str:
        """The name of its staging directory, "" while its handle is not known."""
        return sha256(self.handle.encode()).hexdigest() if self.handle else ""


@dataclass
class Cluster:
    """All that a log tells.  Pods are by UID and, while that is not known, by name; volumes by name."""

    pods: dict[str, Pod] = field(default_factory=dict)
    volumes: dict[str, PersistentVolume] = field(default_factory=dict)
    claims: dict[str, str] = field(default_factory=dict)
    """The volume's name by the claim's ``namespace/name``."""
    attached: dict[str, list[tuple[datetime, str]]] = field(default_factory=dict)
    """When a volume was asked to be attached, and to which node."""
    first: datetime | None = None
    last: datetime | None = None
    events: int = 0
    skipped: int = 0
    with_objects: bool = False

    def volume_of(self, claim: str) -> str:
        """The volume that a claim is bound to, "" for an unknown one."""
        return self.claims.get(claim, "")


def read(lines: Iterable[str | bytes]) -> Cluster:
    """Read a log's lines; those that are no events are counted and skipped."""
    reader = _Reader()
    for line in lines:
        if line.strip():
            reader.line(line)
    reader.finish()
    return reader.cluster


class _Reader:
    def __init__(self) -> None:
        self.cluster = Cluster()
        self._named: dict[str, Pod] = {}
        """The latest pod of each name; a name is used again when its pod is gone."""

    def line(self, line: str | bytes) -> None:
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            self.cluster.skipped += 1
            return
        for event in _items(document):
            if event.get("kind", "Event") != "Event" or "auditID" not in event:
                self.cluster.skipped += 1
            elif event.get("stage") == "ResponseComplete":
                self._event(event)

    def _event(self, event: Mapping[str, object]) -> None:
        code = _map(event.get("responseStatus")).get("code", 200)
        try:
            time = time_of(str(event.get("stageTimestamp") or event.get("requestReceivedTimestamp")))
        except ValueError:
            self.cluster.skipped += 1
            return
        cluster = self.cluster
        cluster.events += 1
        cluster.first = min(cluster.first or time, time)
        cluster.last = max(cluster.last or time, time)
        if not isinstance(code, int) or not 200 <= code < 300:
            return
        reference = _map(event.get("objectRef"))
        if _text(reference, "resource") in _RESOURCES:
            self._reference(reference, _text(event, "verb"), event, time)

    def _reference(
        self, reference: Mapping[str, object], verb: str, event: Mapping[str, object], time: datetime
    ) -> None:
        resource, name = _text(reference, "resource"), _text(reference, "name")
        asked, answered = _map(event.get("requestObject")), _map(event.get("responseObject"))
        self.cluster.with_objects |= bool(asked or answered)
        for seen in (asked, answered):
            for item in _items(seen):
                self._object(_RESOURCES[resource], reference, item, time)
        if verb == "delete":
            self._deleted(resource, reference, time, _text(_map(asked.get("preconditions")), "uid"))
        elif not asked and not answered and name and verb in ("create", "update", "patch"):
            self._object(_RESOURCES[resource], reference, {}, time)

    def _object(
        self, kind: str, reference: Mapping[str, object], item: Mapping[str, object], time: datetime
    ) -> None:
        said = _text(item, "kind")
        if said == "Binding":
            self._binding(reference, item, time)
            return
        if said and said != kind:
            return  # a Status, an Eviction, DeleteOptions
        metadata, spec = _map(item.get("metadata")), _map(item.get("spec"))
        name = _text(metadata, "name") or _text(reference, "name")
        namespace = _text(metadata, "namespace") or _text(reference, "namespace")
        uid = _text(metadata, "uid") or _text(reference, "uid")
        if not name:
            return  # generateName: the answer, or a later event, tells
        if kind == "Pod":
            self._pod(namespace, name, uid, spec, time)
        elif kind == "PersistentVolumeClaim":
            if volume := _text(spec, "volumeName"):
                self.cluster.claims[f"{namespace}/{name}"] = volume
        elif kind == "PersistentVolume":
            self._volume(name, spec, time)
        elif volume := _text(_map(spec.get("source")), "persistentVolumeName"):
            self.cluster.attached.setdefault(volume.lower(), []).append((time, _text(spec, "nodeName")))

    def _pod(self, namespace: str, name: str, uid: str, spec: Mapping[str, object], time: datetime) -> Pod:
        title = f"{namespace}/{name}"
        pod = self._named.get(title)
        if pod is None or (uid and pod.uid and pod.uid != uid):
            pod = self.cluster.pods.get(uid.lower()) if uid else None
            pod = pod or Pod(namespace, name)
            self._named[title] = pod
        if uid and not pod.uid:
            pod.uid = uid
            self.cluster.pods[uid.lower()] = pod
        pod.seen = min(pod.seen or time, time)
        pod.node = _text(spec, "nodeName") or pod.node
        if "containers" in spec or "volumes" in spec:
            pod.claims, pod.inline = pod.claims or set(), pod.inline or set()
            for volume in _maps(spec.get("volumes")):
                claimed = _text(_map(volume.get("persistentVolumeClaim")), "claimName")
                if claimed:
                    pod.claims.add(f"{namespace}/{claimed}")
                if "ephemeral" in volume:
                    pod.claims.add(f"{namespace}/{name}-{_text(volume, 'name')}")
                if "csi" in volume:
                    pod.inline.add(_text(volume, "name").lower())
        return pod

    def _binding(self, reference: Mapping[str, object], item: Mapping[str, object], time: datetime) -> None:
        metadata = _map(item.get("metadata"))
        name = _text(metadata, "name") or _text(reference, "name")
        namespace = _text(metadata, "namespace") or _text(reference, "namespace")
        uid = _text(metadata, "uid") or _text(reference, "uid")
        if name:
            self._pod(namespace, name, uid, {"nodeName": _text(_map(item.get("target")), "name")}, time)

    def _volume(self, name: str, spec: Mapping[str, object], time: datetime) -> None:
        volume = self.cluster.volumes.setdefault(name.lower(), PersistentVolume(name))
        volume.seen = min(volume.seen or time, time)
        claim = _map(spec.get("claimRef"))
        if claim:
            volume.claim = f"{_text(claim, 'namespace')}/{_text(claim, 'name')}"
            volume.claim_uid = _text(claim, "uid")
            self.cluster.claims.setdefault(volume.claim, name)
        csi = _map(spec.get("csi"))
        if csi:
            volume.driver, volume.handle = _text(csi, "driver"), _text(csi, "volumeHandle")
            told = [volume.handle, *map(str, _map(csi.get("volumeAttributes")).values())]
            volume.shares.update(filter(None, (share_of(_with_slashes(text)) for text in told)))
            volume.targets.update(filter(_is_target, map(str.lower, told)))
        if iqn := _text(_map(spec.get("iscsi")), "iqn"):
            volume.targets.add(iqn.lower())

    def _deleted(self, resource: str, reference: Mapping[str, object], time: datetime, uid: str) -> None:
        name, namespace = _text(reference, "name"), _text(reference, "namespace")
        if resource == "pods":
            pod = self.cluster.pods.get(uid.lower()) or self._named.get(f"{namespace}/{name}")
            if pod is not None:
                pod.ended = max(pod.ended or time, time)
        elif resource == "persistentvolumes" and name.lower() in self.cluster.volumes:
            self.cluster.volumes[name.lower()].ended = time

    def finish(self) -> None:
        """Volumes that were only ever named by claims are volumes, too."""
        for claim, name in self.cluster.claims.items():
            volume = self.cluster.volumes.setdefault(name.lower(), PersistentVolume(name))
            volume.claim = volume.claim or claim


def _is_target(text: str) -> bool:
    return text.startswith(("iqn.", "eui.", "naa."))


def _with_slashes(text: str) -> str:
    """A share as drivers' handles begin: ``server/share#…`` or ``//server/share``."""
    return text if text.startswith(("\\\\", "//")) else f"//{text.partition('#')[0]}"


def _items(document: object) -> Iterator[Mapping[str, object]]:
    """The objects of a list, or the one object."""
    found = _map(document)
    if isinstance(found.get("items"), list):
        yield from _maps(found["items"])
    elif found:
        yield found


def _map(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _maps(value: object) -> list[Mapping[str, object]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _text(holder: Mapping[str, object], name: str) -> str:
    value = holder.get(name)
    return value if isinstance(value, str) else ""
