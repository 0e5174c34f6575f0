"""Calls that no PersistentVolume asked for are found, and those that one did are not."""

from datetime import timedelta
from hashlib import sha256

import pytest
from tests.audit.kubernetes_log import HANDLE, NOON, binding, event, gone, lines, pod, volume

from csiproxy.audit.calls import Call
from csiproxy.audit.correlation import Options, Verdict, correlate, counts
from csiproxy.audit.kubernetes import read

ASKED, NODE, UNASKED, UNJUDGED = Verdict.ASKED, Verdict.NODE, Verdict.UNASKED, Verdict.UNJUDGED
KUBELET = r"C:\var\lib\kubelet"
STAGING = rf"{KUBELET}\plugins\kubernetes.io\csi\demo\{sha256(HANDLE.encode()).hexdigest()}\globalmount"
PUBLISHED = rf"{KUBELET}\pods\u-1\volumes\kubernetes.io~csi\pv-1\mount"
GUID = r"\\?\Volume{3d178a9a-1209-432f-91e4-69a5136113d3}" "\\"
OTHER = r"\\?\Volume{00000000-1209-432f-91e4-69a5136113d3}" "\\"

LOG = lines(
    pod("a", "u-1", "data"),
    volume("pv-1", "data"),
    binding("a", "u-1", "win-1"),
    event("get", "pods", "z", 7200),
)


def call(rpc: str, seconds: float = 60, answer: object = None, **arguments: object) -> Call:
    time = (NOON + timedelta(seconds=seconds)).isoformat()
    return Call({"time": time, "rpc": f"/v1.X/{rpc}", "arguments": arguments, "answer": answer})


STAGED = [
    call("PartitionDisk", 60, disk_number=1),
    call("ListVolumesOnDisk", 61, {"volume_ids": [GUID]}, disk_number=1),
    call("FormatVolume", 62, volume_id=GUID),
    call("MountVolume", 63, volume_id=GUID, target_path=STAGING),
]


def verdicts(*calls: Call, log: list[str] = LOG, options: Options = Options()) -> list[Verdict]:  # noqa: B008
    return [one.verdict for one in correlate(calls, read(log), options)]


def why(one: Call, *others: Call, log: list[str] = LOG, options: Options = Options()) -> tuple[Verdict, str]:  # noqa: B008
    judged = correlate([one, *others], read(log), options)
    (found,) = [each for each in judged if each.call is one]
    return found.verdict, found.why


def test_a_volume_that_is_staged_and_published_was_asked_for():
    published = call("CreateSymlink", 64, source_path=STAGING, target_path=PUBLISHED)
    assert verdicts(*STAGED, published) == [ASKED] * 5


def test_who_asked_is_told():
    assert why(call("Rmdir", path=PUBLISHED)) == (ASKED, "pod shop/a, PersistentVolume pv-1")


def test_disks_and_volumes_that_no_path_leads_to_were_not_asked_for():
    assert why(call("FormatVolume", volume_id=OTHER), *STAGED)[0] is UNASKED
    assert why(call("PartitionDisk", disk_number=2), *STAGED)[0] is UNASKED
    assert why(call("GetDiskStats", disk_number=2), *STAGED)[0] is UNASKED


def test_a_disk_number_that_is_used_again_is_the_disk_of_its_time():
    later = [
        call("ListVolumesOnDisk", 3000, {"volume_ids": [OTHER]}, disk_number=1),
        call("SetDiskState", 3001, disk_number=1),
    ]
    assert verdicts(*STAGED, *later) == [ASKED] * 4 + [UNASKED] * 2


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        (PUBLISHED.replace("u-1", "u-9"), "the log knows no pod u-9"),
        (PUBLISHED.replace("pv-1", "pv-9"), "the log knows no PersistentVolume pv-9"),
        (STAGING.replace("demo", "pv").replace(sha256(HANDLE.encode()).hexdigest(), "pv-9"), "pv-9"),
        (STAGING[:-20] + "0" * 8 + r"\globalmount", "no volume's handle in the log has the digest"),
        (rf"{KUBELET}\pods\u-9", "pod u-9 was not on this node then"),
        (rf"{KUBELET}\pods", "path c:\\var\\lib\\kubelet\\pods belongs to no PersistentVolume"),
    ],
)
def test_paths_of_what_the_log_does_not_know_were_not_asked_for(path, reason):
    verdict, text = why(call("Rmdir", path=path), *STAGED)
    assert verdict is UNASKED
    assert reason in text


def test_a_pod_does_not_get_the_volume_of_another_one():
    log = [*LOG, *lines(pod("b", "u-2", "else"), volume("pv-2", "else", "disk-2"))]
    verdict, text = why(call("CreateSymlink", target_path=PUBLISHED.replace("u-1", "u-2")), log=log)
    assert (verdict, text) == (UNASKED, "pod shop/b does not use PersistentVolume pv-1")


def test_a_call_is_asked_for_only_while_the_pod_is_there():
    log = [*LOG, *lines(gone("a", "u-1", 1000))]
    rmdir = [call("Rmdir", seconds, path=PUBLISHED) for seconds in (-30, 10, 1500, 1700)]
    assert verdicts(*rmdir, log=log) == [ASKED, ASKED, ASKED, UNASKED]
    unmount = call("UnmountVolume", 1700, target_path=STAGING)
    assert why(unmount, log=log) == (UNASKED, "nobody used PersistentVolume pv-1 then")
    wider = Options(after=timedelta(hours=1))
    assert why(unmount, log=log, options=wider)[0] is ASKED


def test_a_pod_on_another_node_asks_for_nothing_here():
    assert why(call("Rmdir", path=PUBLISHED), options=Options(node="win-1"))[0] is ASKED
    assert why(call("Rmdir", path=PUBLISHED), options=Options(node="win-2"))[0] is UNASKED


def test_an_attachment_asks_for_a_volume_whose_pod_the_log_does_not_show():
    attachment = event(
        "create",
        "volumeattachments",
        "va",
        requestObject={
            "kind": "VolumeAttachment",
            "spec": {"source": {"persistentVolumeName": "pv-1"}, "nodeName": "win-1"},
        },
    )
    log = lines(volume("pv-1", "data"), attachment, event("get", "pods", "z", 7200))
    mount = call("MountVolume", target_path=STAGING)
    assert why(mount, log=log) == (ASKED, "a VolumeAttachment, PersistentVolume pv-1")
    assert why(mount, log=log, options=Options(node="win-2"))[0] is UNASKED


def test_shares_and_targets_are_those_of_volumes():
    log = lines(
        pod("a", "u-1", "data"),
        volume("pv-1", "data", "h", source="//server/share", iqn="iqn.x:1"),
        event("get", "pods", "z", 7200),
    )
    assert why(call("NewSmbGlobalMapping", remote_path=r"\\Server\share\sub"), log=log)[0] is ASKED
    assert why(call("NewSmbGlobalMapping", remote_path=r"\\other\share"), log=log)[0] is UNASKED
    targets = [
        call("ConnectTarget", 60, iqn="iqn.x:1"),
        call("GetTargetDisks", 61, {"diskIDs": ["4"]}, iqn="iqn.x:1"),
        call("PartitionDisk", 62, disk_number=4),
        call("PartitionDisk", 63, disk_number=5),
    ]
    assert verdicts(*targets, log=log) == [ASKED, ASKED, ASKED, UNASKED]


def test_questions_about_the_node_are_nobodys_and_stopping_a_service_is_not_one():
    calls = [
        call("Rescan"),
        call("ListDiskIDs"),
        call("PathExists", path=KUBELET),
        call("GetService", name="x"),
    ]
    assert verdicts(*calls) == [NODE] * 4
    assert why(call("StopService", name="MSiSCSI")) == (
        UNASKED,
        "what StopService does belongs to no PersistentVolume that was used",
    )


def test_directories_above_a_volumes_may_be_made_and_not_removed():
    above = PUBLISHED.rpartition("\\")[0].rpartition("\\")[0]
    link = call("CreateSymlink", 64, target_path=PUBLISHED)
    assert why(call("Mkdir", path=STAGING.rpartition("\\")[0].rpartition("\\")[0]), *STAGED)[0] is NODE
    assert why(call("Mkdir", path=rf"{KUBELET}\plugins"), *STAGED)[0] is NODE
    assert why(call("Rmdir", path=rf"{KUBELET}\plugins"), *STAGED)[0] is UNASKED
    assert why(call("Mkdir", path=above), link)[0] is NODE


def test_a_refused_call_ties_nothing_together():
    refused = Call(
        {**call("MountVolume", 59, volume_id=OTHER, target_path=STAGING).record, "decision": "refused"}
    )
    assert why(call("FormatVolume", volume_id=OTHER), refused)[0] is UNASKED


def test_what_the_log_does_not_reach_to_is_not_judged():
    assert verdicts(call("Rmdir", -4000, path="C:\\x"), call("Rmdir", 90_000, path="C:\\x")) == [UNJUDGED] * 2
    assert verdicts(call("Rmdir", path="C:\\x"), log=[]) == [UNJUDGED]


def test_verdicts_are_counted():
    judged = correlate([*STAGED, call("Rescan")], read(LOG))
    assert counts(judged) == {ASKED: 4, NODE: 1}
