"""Kubernetes' YAML, as far as it says something about storage: StorageClass, PersistentVolumeClaim, Pod.

What is read is checked; what would change how a volume is used and is not played here is refused by name,
never passed over.  The rest of a manifest (images, commands, resources) is of no concern.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import yaml

from csiproxy.testing.node_sim import quantity

T = TypeVar("T")
NAMESPACE: Final = "default"
ACCESS_MODES: Final = ("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod")


class ManifestError(ValueError):
    """A manifest cannot be played; the text says which and why."""


@dataclass(frozen=True, slots=True)
class StorageClass:
    """How volumes of a class are provisioned."""

    name: str
    provisioner: str
    parameters: Mapping[str, str]
    mount_options: tuple[str, ...]
    expansion: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """A PersistentVolumeClaim; ``size`` in bytes."""

    name: str
    namespace: str
    storage_class: str
    access_mode: str
    size: int


@dataclass(frozen=True, slots=True)
class Mount:
    """A claim in a container, at a path there."""

    container: str
    claim: str
    path: str
    read_only: bool


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod with claims in its containers."""

    name: str
    namespace: str
    mounts: tuple[Mount, ...]

    @property
    def claims(self) -> tuple[str, ...]:
        """The claims that it uses, each once."""
        return tuple(dict.fromkeys(mount.claim for mount in self.mounts))


@dataclass(frozen=True, slots=True)
class Manifests:
    """Everything that was read, by name."""

    classes: Mapping[str, StorageClass]
    claims: Mapping[str, Claim]
    pods: Mapping[str, Pod]


Document = Mapping[str, Any]  # what YAML says; every access to it is checked


def read(texts: Iterable[str]) -> Manifests:
    """Read YAML documents; ManifestError for what cannot be played, or names what is not there."""
    classes: dict[str, StorageClass] = {}
    claims: dict[str, Claim] = {}
    pods: dict[str, Pod] = {}
    for document in _documents(texts):
        kind, name = document.get("kind"), _text(document, "metadata", "name")
        where = f"{kind} {name}"
        if kind == "StorageClass":
            classes[name] = _storage_class(name, document, where)
        elif kind == "PersistentVolumeClaim":
            claims[name] = _claim(name, document, where)
        elif kind == "Pod":
            pods[name] = _pod(name, document, where)
        else:
            raise ManifestError(
                f"{where} is not played here: only StorageClass, PersistentVolumeClaim and Pod are"
            )
    for pod in pods.values():
        _see(pod.claims, claims, f"Pod {pod.name} uses the claim")
    _see((claim.storage_class for claim in claims.values()), classes, "a claim asks for the class")
    return Manifests(classes, claims, pods)


def _documents(texts: Iterable[str]) -> Iterable[Document]:
    for text in texts:
        try:
            documents = list(yaml.safe_load_all(text))
        except yaml.YAMLError as error:
            raise ManifestError(f"this is no YAML: {' '.join(str(error).split())}") from error
        for document in documents:
            if document is None:
                continue
            if not isinstance(document, dict):
                raise ManifestError("a document of the YAML is no object of Kubernetes")
            yield document


def _storage_class(name: str, document: Document, where: str) -> StorageClass:
    if document.get("reclaimPolicy", "Delete") != "Delete":
        raise ManifestError(f"{where}: reclaimPolicy is Delete here")
    return StorageClass(
        name,
        _text(document, "provisioner"),
        {
            key: str(value)
            for key, value in _get(document, dict, "parameters", default={}).items()
            if not str(key).startswith("csi.storage.k8s.io/")  # those are for the provisioner itself
        },
        tuple(str(option) for option in _get(document, list, "mountOptions", default=[])),
        _get(document, bool, "allowVolumeExpansion", default=False),
    )


def _claim(name: str, document: Document, where: str) -> Claim:
    modes = _get(document, list, "spec", "accessModes")
    if len(modes) != 1 or modes[0] not in ACCESS_MODES:
        raise ManifestError(f"{where}: accessModes is one of {', '.join(ACCESS_MODES)}")
    if _get(document, str, "spec", "volumeMode", default="Filesystem") != "Filesystem":
        raise ManifestError(f"{where}: volumeMode is Filesystem on Windows")
    try:
        size = quantity.read(str(_get(document, object, "spec", "resources", "requests", "storage")))
    except ValueError as error:
        raise ManifestError(f"{where}: {error}") from error
    namespace = _get(document, str, "metadata", "namespace", default=NAMESPACE)
    return Claim(name, namespace, _text(document, "spec", "storageClassName"), modes[0], size)


def _pod(name: str, document: Document, where: str) -> Pod:
    volumes: dict[str, tuple[str, bool]] = {}
    for volume in _objects(document, where, "spec", "volumes"):
        source = _get(volume, dict, "persistentVolumeClaim", default={})
        if source:
            claim = _text(source, "claimName")
            volumes[_text(volume, "name")] = claim, _get(source, bool, "readOnly", default=False)
    mounts = []
    for container in _objects(document, where, "spec", "containers"):
        for mount in _get(container, list, "volumeMounts", default=[]):
            used = volumes.get(_text(mount, "name"))
            if used is None:
                continue  # a config map, a secret: no storage of ours
            if mount.get("subPath"):
                raise ManifestError(f"{where}: subPath is not played here")
            claim, read_only = used
            read_only = read_only or _get(mount, bool, "readOnly", default=False)
            mounts.append(Mount(_text(container, "name"), claim, _text(mount, "mountPath"), read_only))
    if not mounts:
        raise ManifestError(f"{where}: no container mounts a claim")
    return Pod(name, _get(document, str, "metadata", "namespace", default=NAMESPACE), tuple(mounts))


def _objects(document: Document, where: str, *path: str) -> list[Document]:
    found = _get(document, list, *path, default=[])
    if not all(isinstance(item, dict) for item in found):
        raise ManifestError(f"{where}: {'.'.join(path)} is a list of objects")
    return found


def _text(document: Document, *path: str) -> str:
    found = _get(document, str, *path)
    if not found:
        raise ManifestError(f"{'.'.join(path)} is empty")
    return found


_MISSING: Final = object()


def _get(document: Document, kind: type[T], *path: str, default: object = _MISSING) -> T:
    """What stands at a path; ManifestError when it is missing without a default, or of another kind."""
    found: object = document
    for key in path:
        found = found.get(key, _MISSING) if isinstance(found, dict) else _MISSING
        if found is _MISSING or found is None:
            found = default
            break
    if found is _MISSING:
        raise ManifestError(f"{'.'.join(path)} is missing")
    if not isinstance(found, kind):
        raise ManifestError(f"{'.'.join(path)} is a {kind.__name__}")
    return found


def _see(names: Iterable[str], there: Mapping[str, object], what: str) -> None:
    for name in names:
        if name not in there:
            raise ManifestError(f"{what} {name}, which is in none of the files")
