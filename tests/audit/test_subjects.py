"""Disks, volumes, paths, pods and PersistentVolumes are found in requests of every version."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy.audit.subjects import Subjects, path_of, share_of, subjects_of

GUID = "3d178a9a-1209-432f-91e4-69a5136113d3"
DIGEST = "b8080e51ba0afa6f690250187382e64ccafa06826e8e7db9127a35004ab99c53"
PUBLISHED = r"C:\var\lib\kubelet\pods\9F4D\volumes\kubernetes.io~csi\PVC-1\mount"


def found(**arguments: object) -> Subjects:
    return subjects_of({"arguments": arguments})


@pytest.mark.parametrize(
    "arguments",
    [{"disk_number": 7}, {"diskID": "7"}, {"disk_id": "7"}, {"disk_device": r"\\.\PhysicalDrive7"}],
)
def test_a_disk_is_its_number_however_it_is_named(arguments):
    assert found(**arguments).disks == {"7"}


@pytest.mark.parametrize("text", [rf"\\?\Volume{{{GUID.upper()}}}\ ".strip(), rf"\\.\Volume{{{GUID}}}"])
def test_a_volume_is_its_guid_however_it_is_named(text):
    assert found(volume_id=text).volumes == {GUID}
    assert found(volume_device=text).volumes == {GUID}
    assert found(volume_id=text).paths == ()


def test_answers_count_too():
    record = {"arguments": {"disk_number": 1}, "answer": {"volume_ids": [rf"\\?\Volume{{{GUID}}}\ ".strip()]}}
    assert subjects_of(record).volumes == {GUID}
    assert subjects_of({"answer": {"diskIDs": ["3", "4"]}}).disks == {"3", "4"}


def test_a_published_path_names_pod_and_volume():
    subjects = found(target_path=PUBLISHED)
    assert subjects.published == {("9f4d", "pvc-1")}
    assert (subjects.pods, subjects.persistent_volumes) == ({"9f4d"}, {"pvc-1"})
    assert subjects.paths == (PUBLISHED.lower(),)


@pytest.mark.parametrize(
    "path",
    [
        r"\var\lib\kubelet\pods\9f4d\volumes\kubernetes.io~csi\pvc-1\mount",
        "c:/var/lib/kubelet/pods/9f4d/volumes/kubernetes.io~csi/pvc-1/mount",
        r"\\?\C:\var\lib\kubelet\pods\9f4d\volumeDevices\kubernetes.io~csi\pvc-1",
        r"C:\var\lib\kubelet\pods\9f4d\volumespec\kubernetes.io~csi\pvc-1",
    ],
)
def test_paths_are_understood_in_every_form_that_drivers_send(path):
    assert found(path=path).published == {("9f4d", "pvc-1")}


def test_a_staging_path_names_the_volume_or_the_digest_of_its_handle():
    base = r"C:\var\lib\kubelet\plugins\kubernetes.io\csi"
    assert found(path=rf"{base}\disk.csi.azure.com\{DIGEST}\globalmount").stagings == {DIGEST}
    assert found(path=rf"{base}\pv\pvc-1\globalmount").persistent_volumes == {"pvc-1"}
    assert found(path=rf"{base}\disk.csi.azure.com") == Subjects(
        paths=(rf"{base}\disk.csi.azure.com".lower(),)
    )


@pytest.mark.parametrize("text", [r"\\Server\Share", "//server/share/", r"\\SERVER\share\sub\dir"])
def test_a_share_is_its_root(text):
    assert found(remote_path=text).shares == {r"\\server\share"}
    assert share_of(text) == r"\\server\share"


def test_a_target_is_its_name():
    assert found(iqn="iqn.2026-01.example:A").targets == {"iqn.2026-01.example:a"}
    assert found(node_iqn="iqn.2026-01.example:a").targets == {"iqn.2026-01.example:a"}


def test_paths_without_a_drive_are_on_c():
    assert path_of("\\Var\\") == "c:\\var"
    assert path_of("C:/Var") == "c:\\var"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON, JSON)
def test_no_record_is_too_odd(arguments, answer):
    assert isinstance(subjects_of({"arguments": arguments, "answer": answer}), Subjects)
