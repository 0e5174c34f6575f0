import os
from contextlib import suppress

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.testing.node_sim import manifests
from csiproxy.testing.node_sim.manifests import ManifestError, Mount, read

STORY = os.path.join(os.path.dirname(manifests.__file__), "sql-server.yaml")


@pytest.fixture
def documents():
    with open(STORY) as file:
        return list(yaml.safe_load_all(file))


def play(documents):
    return read([yaml.safe_dump_all(documents)])


def test_the_user_story_is_read(documents):
    found = play(documents)
    storage = found.classes["windows-disk"]
    assert storage.parameters == {"type": "disk"}
    assert storage.expansion
    claim = found.claims["sql-data"]
    assert (claim.size, claim.access_mode, claim.storage_class) == (
        256 << 20,
        "ReadWriteOnce",
        "windows-disk",
    )
    pod = found.pods["sql-server"]
    assert pod.mounts == (Mount("database", "sql-data", r"C:\data", read_only=False),)
    assert pod.claims == ("sql-data",)


def test_objects_may_be_in_several_files_and_in_any_order(documents):
    assert read([yaml.safe_dump(one) for one in reversed(documents)]) == play(documents)


def put(documents, kind, path, value):
    [document] = [one for one in documents if one["kind"] == kind]
    for key in path[:-1]:
        document = document[key]
    document[path[-1]] = value


@pytest.mark.parametrize(
    ("kind", "path", "value", "word"),
    [
        ("Pod", ("kind",), "Deployment", "Deployment"),
        ("Pod", ("metadata",), {}, "metadata.name"),
        ("Pod", ("spec", "volumes", 0, "persistentVolumeClaim", "claimName"), "other", "other"),
        ("Pod", ("spec", "volumes"), [], "mounts a claim"),
        ("Pod", ("spec", "volumes"), "x", "spec.volumes"),
        ("Pod", ("spec", "containers", 0, "volumeMounts", 0, "subPath"), "a", "subPath"),
        ("StorageClass", ("reclaimPolicy",), "Retain", "reclaimPolicy"),
        ("StorageClass", ("provisioner",), "", "provisioner"),
        ("StorageClass", ("allowVolumeExpansion",), "yes", "allowVolumeExpansion"),
        ("PersistentVolumeClaim", ("spec", "storageClassName"), "other", "other"),
        ("PersistentVolumeClaim", ("spec", "accessModes"), [], "accessModes"),
        ("PersistentVolumeClaim", ("spec", "accessModes"), ["ReadWriteSometimes"], "accessModes"),
        ("PersistentVolumeClaim", ("spec", "volumeMode"), "Block", "volumeMode"),
        ("PersistentVolumeClaim", ("spec", "resources"), {}, "storage"),
        ("PersistentVolumeClaim", ("spec", "resources", "requests", "storage"), "much", "quantity"),
    ],
)
def test_what_cannot_be_played_is_refused_by_name(documents, kind, path, value, word):
    put(documents, kind, path, value)
    with pytest.raises(ManifestError, match=word):
        play(documents)


@pytest.mark.parametrize("text", ["{", "- a", "just text", "a: b: c", "!!python/object:os.system {}"])
def test_what_is_no_object_is_refused(text):
    with pytest.raises(ManifestError):
        read([text])


def test_options_and_read_only_are_kept(documents):
    put(documents, "StorageClass", ("mountOptions",), ["noatime"])
    put(documents, "Pod", ("spec", "volumes", 0, "persistentVolumeClaim", "readOnly"), True)
    found = play(documents)
    assert found.classes["windows-disk"].mount_options == ("noatime",)
    assert found.pods["sql-server"].mounts[0].read_only


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text):
    with suppress(ManifestError):
        read([text])
