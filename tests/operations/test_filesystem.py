"""Group filesystem, line by line of what is promised."""

import os

import pytest
from tests.emulated import KUBELET, PLUGINS, PODS, EmulatedNode, tree
from tests.operations.ground import events
from tests.operations.refusals import refused

from csiproxy.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from csiproxy.operations.context import Context
from csiproxy.operations.filesystem import FilesystemGroup

STAGING = PLUGINS + r"\pv1\globalmount"
POD = PODS + r"\uid"


@pytest.fixture
def files(node: EmulatedNode) -> FilesystemGroup:
    return node.operations().filesystem


@pytest.fixture
def call() -> Context:
    return Context()


@pytest.fixture
def furnished(node, files, call) -> dict[str, str]:
    """One of everything below the pods' directory, and something outside."""
    staged = node.volume()
    staged.put("kept")
    for name in ("full", "empty", "mounted"):
        node.make(POD + "\\" + name)
    node.make(POD + r"\full", file="x")
    node.make(POD, file="x")
    node.make(r"C:\outside", secret="keep")
    node.operations().volume.mount_volume(call, volume_id=staged.id, target_path=POD + r"\mounted")
    for name, target in (("link", "full"), ("to-mounted", "mounted"), ("dangling", "empty")):
        files.create_symlink(call, source_path=POD + "\\" + target, target_path=POD + "\\" + name)
    os.rmdir(node.on_host(POD + r"\empty"))
    node.make(POD + r"\bare")
    node.plant(POD + r"\planted", node.on_host(r"C:\outside"))
    with node.host.win32.open_root(POD) as pod:
        node.host.win32.set_link(pod, "out", r"C:\outside", replace=False)
        node.host.win32.set_link(pod, "share", r"\\server\share", replace=False)
    return {"volume": staged.id, "disk": str(staged.disk), "files": staged.files}


# --- the rules of paths hold everywhere --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "error", "code"),
    [
        ("", InvalidArgument, 161),
        (r"var\lib", InvalidArgument, 161),
        (r"\\server\share\x", InvalidArgument, 161),
        (r"\\.\PhysicalDrive1", InvalidArgument, 161),
        (POD + "/x", InvalidArgument, 161),
        (POD + r"\..\..\..\Windows", InvalidArgument, 123),
        (POD + r"\x:stream", InvalidArgument, 123),
        (POD + r"\nul", InvalidArgument, 123),
        (POD + r"\x ", InvalidArgument, 123),
        (POD + "\\" + "x" * 260, InvalidArgument, 206),
        (r"C:\Windows", PermissionDenied, 5),
        (r"C:\var\lib\kubelet-evil\x", PermissionDenied, 5),
        (r"D:\var\lib\kubelet\x", PermissionDenied, 5),
    ],
)
def test_a_path_that_breaks_a_rule_is_refused_by_every_operation(node, files, call, path, error, code):
    node.make(POD)
    before = tree(node.on_host("C:\\"))
    for ask in (
        lambda: files.path_exists(call, path=path),
        lambda: files.mkdir(call, path=path),
        lambda: files.rmdir(call, path=path, force=False),
        lambda: files.rmdir(call, path=path, force=True),
        lambda: files.rmdir_contents(call, path=path),
        lambda: files.create_symlink(call, source_path=path, target_path=POD + r"\x"),
        lambda: files.create_symlink(call, source_path=POD, target_path=path),
    ):
        with refused(error, code):
            ask()
    if code != 206:  # the question about links takes long paths
        with refused(error, code):
            files.is_symlink(call, path=path)
    assert tree(node.on_host("C:\\")) == before


def test_only_the_question_about_links_takes_a_path_without_a_drive(node, files, call):
    node.make(POD)
    path = POD[2:]
    assert not files.is_symlink(call, path=path).is_symlink
    for ask in (
        lambda: files.path_exists(call, path=path),
        lambda: files.mkdir(call, path=path),
        lambda: files.rmdir(call, path=path, force=True),
        lambda: files.rmdir_contents(call, path=path),
        lambda: files.create_symlink(call, source_path=path, target_path=POD + r"\x"),
    ):
        with refused(InvalidArgument, 161):
            ask()


@pytest.mark.parametrize("path", [KUBELET, PODS, PLUGINS, KUBELET + r"\plugins", PODS.lower() + "\\"])
def test_the_operators_directories_may_be_asked_about_and_not_changed(node, files, call, path):
    assert files.path_exists(call, path=path).exists
    assert not files.is_symlink(call, path=path).is_symlink
    files.mkdir(call, path=path)
    for ask in (
        lambda: files.rmdir(call, path=path, force=True),
        lambda: files.rmdir(call, path=path, force=False),
        lambda: files.rmdir_contents(call, path=path),
        lambda: files.create_symlink(call, source_path=STAGING, target_path=path),
    ):
        with refused(PermissionDenied, 5):
            ask()
    assert os.path.isdir(node.on_host(path))


def test_a_working_directory_is_as_good_as_kubelets_and_as_protected(node, call):
    node.make(r"C:\work")
    files = node.operations(working_dirs=(r"C:\work",)).filesystem
    files.mkdir(call, path=r"C:\work\a\b")
    files.create_symlink(call, source_path=r"C:\work\a", target_path=PODS + r"\x")
    assert files.is_symlink(call, path=PODS + r"\x").is_symlink
    with refused(PermissionDenied, 5):
        files.rmdir(call, path=r"C:\work", force=True)


# --- PathExists --------------------------------------------------------------------------------------------


def test_existence_is_a_names_own_and_not_its_targets(files, call, furnished):
    for name in (
        "full",
        "file",
        "link",
        "dangling",
        "mounted",
        "planted",
        "out",
        "share",
        "FULL",
        r"full\file",
    ):
        assert files.path_exists(call, path=POD + "\\" + name).exists
    for name in ("none", r"none\x"):
        assert not files.path_exists(call, path=POD + "\\" + name).exists


@pytest.mark.parametrize("name", ["link", "planted", "mounted", "out"])
def test_nothing_is_said_about_what_lies_behind_a_link(files, call, furnished, name):
    with refused(PermissionDenied, 4395):
        files.path_exists(call, path=POD + "\\" + name + r"\secret")
    assert events(call) == ["escape-attempt"]


# --- Mkdir -------------------------------------------------------------------------------------------------


def test_a_directory_is_made_with_its_parents_and_again_is_success(node, files, call):
    for _ in range(2):
        files.mkdir(call, path=POD + r"\a\b\c")
    assert tree(node.on_host(POD)) == {"a": "directory", "a/b": "directory", "a/b/c": "directory"}


def test_a_file_or_link_in_the_way_of_a_directory_is_refused(node, files, call, furnished):
    before = tree(node.on_host(POD))
    for name in ("file", r"file\x"):
        with refused(FailedPrecondition, 267):
            files.mkdir(call, path=POD + "\\" + name)
    for name in ("link", r"link\x", "planted", r"planted\x", "mounted", r"mounted\x", "out", "share"):
        with refused(PermissionDenied, 4395):
            files.mkdir(call, path=POD + "\\" + name)
    assert tree(node.on_host(POD)) == before
    assert node.names(r"C:\outside") == ["secret"]


# --- Rmdir -------------------------------------------------------------------------------------------------


def test_without_force_an_empty_directory_or_a_link_goes(node, files, call, furnished):
    for name in ("bare", "link", "dangling", "to-mounted", "out", "share"):
        files.rmdir(call, path=POD + "\\" + name, force=False)
        assert name not in node.names(POD)
    assert node.names(POD + r"\full") == ["file"]


def test_without_force_everything_else_stays(node, files, call, furnished):
    before = tree(node.on_host(POD))
    for name, error, code in (
        ("full", FailedPrecondition, 145),
        ("mounted", FailedPrecondition, 145),
        ("file", FailedPrecondition, 267),
        ("planted", PermissionDenied, 4395),
        (r"link\file", PermissionDenied, 4395),
        ("none", NotFound, 2),
        (r"none\x", NotFound, 3),
    ):
        with refused(error, code):
            files.rmdir(call, path=POD + "\\" + name, force=False)
    assert tree(node.on_host(POD)) == before


@pytest.mark.parametrize(
    "name",
    [
        "full",
        "bare",
        "file",
        "link",
        "dangling",
        "mounted",
        "to-mounted",
        "planted",
        "out",
        "share",
        "none",
        r"none\x",
    ],
)
def test_with_force_whatever_is_there_goes_and_nothing_that_it_leads_to(node, files, call, furnished, name):
    if name == "mounted":  # what another link of a pod still leads to is not dismounted
        files.rmdir(call, path=POD + r"\to-mounted", force=False)
    for _ in range(2):
        files.rmdir(call, path=POD + "\\" + name, force=True)
    assert name not in node.names(POD)
    assert os.listdir(furnished["files"]) == ["kept"]
    assert node.names(r"C:\outside") == ["secret"]
    if name != "full":
        assert node.names(POD + r"\full") == ["file"]


def test_with_force_a_whole_pod_goes_and_its_volume_keeps_its_files(node, files, call, furnished):
    """What drivers rely on that unstage by this call alone."""
    for _ in range(2):
        files.rmdir(call, path=POD, force=True)
    assert node.names(PODS) == []
    assert os.listdir(furnished["files"]) == ["kept"]
    assert node.host.win32.mount_points(furnished["volume"]) == []
    assert node.names(r"C:\outside") == ["secret"]


def test_force_does_not_go_through_a_link_either(node, files, call, furnished):
    for name in (r"link\file", r"mounted\kept", r"planted\secret", r"out\secret"):
        with refused(PermissionDenied, 4395):
            files.rmdir(call, path=POD + "\\" + name, force=True)
    assert node.names(POD + r"\full") == ["file"]
    assert events(call) == ["escape-attempt"] * 4


def test_the_mount_point_of_a_volume_that_has_vanished_can_be_removed(node, files, call, furnished):
    node.machine.disks.detach(int(furnished["disk"]))
    files.rmdir(call, path=POD + r"\mounted", force=True)
    assert "mounted" not in node.names(POD)


# --- RmdirContents -----------------------------------------------------------------------------------------


def test_a_directory_is_emptied_without_following_anything(node, files, call, furnished):
    for _ in range(2):
        files.rmdir_contents(call, path=POD)
    assert node.names(POD) == []
    assert os.listdir(furnished["files"]) == ["kept"]
    assert node.names(r"C:\outside") == ["secret"]


def test_only_a_real_directory_is_emptied(node, files, call, furnished):
    before = tree(node.on_host(POD))
    for name, error, code in (
        ("link", PermissionDenied, 4395),
        ("mounted", PermissionDenied, 4395),
        ("planted", PermissionDenied, 4395),
        ("file", FailedPrecondition, 267),
        ("none", NotFound, 2),
        (r"none\x", NotFound, 3),
    ):
        with refused(error, code):
            files.rmdir_contents(call, path=POD + "\\" + name)
    assert tree(node.on_host(POD)) == before


# --- CreateSymlink -----------------------------------------------------------------------------------------


def test_a_link_is_made_and_the_same_one_again_is_success(node, files, call, furnished):
    for source in (POD + r"\full", (POD + r"\full").lower(), POD + "\\full\\"):
        files.create_symlink(call, source_path=source, target_path=POD + r"\new")
    assert os.listdir(node.on_host(POD + r"\new")) == ["file"]


@pytest.mark.parametrize("source", ["full", "mounted", "link", "to-mounted", "dangling"])
def test_a_link_may_lead_to_a_directory_a_mount_point_or_another_link(files, call, furnished, source):
    files.create_symlink(call, source_path=POD + "\\" + source, target_path=POD + r"\new")
    assert files.path_exists(call, path=POD + r"\new").exists


def test_the_operators_directory_may_be_linked_to(files, call, furnished):
    files.create_symlink(call, source_path=PLUGINS, target_path=POD + r"\new")
    assert files.is_symlink(call, path=POD + r"\new").is_symlink


def test_what_a_link_cannot_lead_to_says_why(node, files, call, furnished):
    before = tree(node.on_host(POD))
    for source, error, code in (
        ("none", NotFound, 2),
        (r"none\x", NotFound, 3),
        ("file", FailedPrecondition, 267),
        ("planted", PermissionDenied, 4395),
        (r"link\x", PermissionDenied, 4395),
    ):
        with refused(error, code):
            files.create_symlink(call, source_path=POD + "\\" + source, target_path=POD + r"\new")
    with refused(PermissionDenied, 5):
        files.create_symlink(call, source_path=r"C:\outside", target_path=POD + r"\new")
    assert tree(node.on_host(POD)) == before


def test_a_link_replaces_nothing_not_even_an_empty_directory(node, files, call, furnished):
    before = tree(node.on_host(POD))
    for name in ("bare", "full", "file", "to-mounted", "dangling", "mounted", "planted"):
        with refused(AlreadyExists, 183):
            files.create_symlink(call, source_path=POD + r"\full", target_path=POD + "\\" + name)
    for name, error, code in (
        (r"none\x", NotFound, 3),
        (r"link\x", PermissionDenied, 4395),
        (r"planted\x", PermissionDenied, 4395),
    ):
        with refused(error, code):
            files.create_symlink(call, source_path=POD + r"\full", target_path=POD + "\\" + name)
    assert tree(node.on_host(POD)) == before


# --- IsSymlink ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("full", False), ("file", False), ("link", True), ("dangling", False), ("mounted", True),
        ("to-mounted", True), ("share", True), ("planted", False),
    ],
)  # fmt: skip
def test_a_link_or_mount_point_counts_as_long_as_it_leads_to_something(files, call, furnished, name, answer):
    assert files.is_symlink(call, path=POD + "\\" + name).is_symlink is answer
    assert events(call) == (["reparse-point-of-unknown-kind"] if name == "planted" else [])


def test_a_missing_path_is_not_found(files, call, furnished):
    with refused(NotFound, 2):
        files.is_symlink(call, path=POD + r"\none")
    with refused(NotFound, 3):
        files.is_symlink(call, path=POD + r"\none\x")


def test_a_link_out_of_the_prefixes_tells_nothing_about_what_is_there(files, call, furnished):
    with refused(PermissionDenied, 5):
        files.is_symlink(call, path=POD + r"\out")
    with refused(PermissionDenied, 4395):
        files.is_symlink(call, path=POD + r"\out\secret")
    assert events(call) == ["escape-attempt"] * 2


def test_a_link_to_below_what_has_become_a_file_leads_to_nothing(node, files, call):
    files.mkdir(call, path=POD + r"\full\deep")
    files.create_symlink(call, source_path=POD + r"\full\deep", target_path=POD + r"\link")
    files.rmdir(call, path=POD + r"\full", force=True)
    node.make(POD, full="a file now")
    assert not files.is_symlink(call, path=POD + r"\link").is_symlink


def test_a_mount_point_and_links_to_it_die_with_the_volume(node, files, call, furnished):
    node.machine.disks.detach(int(furnished["disk"]))
    for name in ("mounted", "to-mounted"):
        assert not files.is_symlink(call, path=POD + "\\" + name).is_symlink
        assert files.path_exists(call, path=POD + "\\" + name).exists


def test_a_mount_point_of_an_offline_disk_leads_to_nothing(node, files, call, furnished):
    node.storage.disks.take_offline(node.storage.disks.get(int(furnished["disk"])))
    assert not files.is_symlink(call, path=POD + r"\mounted").is_symlink
