"""Group filesystem, in every version: directories and links, and how refusals look."""

import os

import pytest
from tests.conformance.dialects import FILESYSTEM, Filesystem
from tests.conformance.running import KUBELET, PLUGINS, PODS, Running


@pytest.fixture(params=FILESYSTEM)
def files(running: Running, request: pytest.FixtureRequest) -> Filesystem:
    return Filesystem(running.client(f"filesystem/{request.param}"))


def test_every_version_of_the_group_is_in_the_suite(apis):
    assert {name for name in apis if name.startswith("filesystem/")} == {
        f"filesystem/{version}" for version in FILESYSTEM
    }


def test_directories_are_made_and_removed_each_call_twice(running, files, claim):
    path = claim.pod + r"\a\b"
    assert not files.exists(path)
    for _ in range(2):
        files.mkdir(path)
        assert files.exists(path)
    assert not files.is_link(path)
    files.rmdir(path)
    assert list(files.rmdir(path, say=files.client.refused)) == ["NOT_FOUND", 2]
    for _ in range(2):
        files.rmdir(claim.pod + r"\a", force=True)
    assert not running.exists(claim.pod + r"\a")


def test_a_link_leads_to_its_target_until_either_goes(running, files, claim):
    running.make(claim.staging)
    for _ in range(2):
        files.link(claim.staging, claim.published)
    running.write(claim.published + r"\file", "data")
    assert running.read(claim.staging + r"\file") == "data"
    for path in (claim.published, claim.published[2:], "c" + claim.published[1:]):
        assert files.is_link(path)
    assert not files.is_link(claim.staging)
    files.rmdir(claim.published, force=True)
    assert running.read(claim.staging + r"\file") == "data"
    files.link(claim.staging, claim.published)
    files.rmdir(claim.staging, force=True)
    assert not files.is_link(claim.published)
    assert files.exists(claim.published)
    files.rmdir(claim.published)
    assert not files.exists(claim.published)


def test_a_whole_tree_goes_and_nothing_that_its_links_lead_to(running, files, claim):
    running.make(claim.staging)
    running.write(claim.staging + r"\file", "keep")
    files.mkdir(claim.pod + r"\tree\deep")
    running.write(claim.pod + r"\tree\deep\file", "go")
    files.link(claim.staging, claim.pod + r"\tree\deep\link")
    outside = os.path.join(running.directory, "outside")
    os.makedirs(outside, exist_ok=True)
    os.symlink(outside, running.on_host(claim.pod + r"\tree\planted"))
    assert list(files.rmdir(claim.pod + r"\tree", say=files.client.refused)) == ["FAILED_PRECONDITION", 145]
    if files.has("contents"):
        files.empty(claim.pod + r"\tree")
        assert os.listdir(running.on_host(claim.pod + r"\tree")) == []
    for _ in range(2):
        files.rmdir(claim.pod + r"\tree", force=True)
    assert running.read(claim.staging + r"\file") == "keep"
    assert os.path.isdir(outside)


def test_refusals_carry_a_status_a_windows_code_and_a_sentence(running, files, claim):
    running.make(claim.staging)
    running.make(claim.pod + r"\full\inside")
    running.write(claim.pod + r"\file", "")
    os.symlink(running.directory, running.on_host(claim.pod + r"\planted"))
    refused = files.client.refused
    for path, status, code in (
        ("", "INVALID_ARGUMENT", 161),
        ("relative", "INVALID_ARGUMENT", 161),
        (r"\\server\share", "INVALID_ARGUMENT", 161),
        (claim.pod + "/x", "INVALID_ARGUMENT", 161),
        (claim.pod + r"\..\x", "INVALID_ARGUMENT", 123),
        (claim.pod + r"\nul.txt", "INVALID_ARGUMENT", 123),
        (claim.pod + "\\" + "x" * 260, "INVALID_ARGUMENT", 206),
        (r"C:\Windows", "PERMISSION_DENIED", 5),
        (KUBELET + r"-evil\x", "PERMISSION_DENIED", 5),
        (claim.pod + r"\planted\x", "PERMISSION_DENIED", 4395),
    ):
        for ask in (
            files.exists,
            files.mkdir,
            lambda path, say: files.rmdir(path, say=say),
            lambda path, say: files.rmdir(path, force=True, say=say),
            lambda path, say: files.link(claim.staging, path, say),
            lambda path, say: files.link(path, claim.published, say),
        ):
            failure = ask(path, say=refused)
            assert list(failure) == [status, code], failure.text
            assert failure.text[0] == failure.text[0].lower() or failure.text[0] == '"'
    for path in (KUBELET, PODS, PLUGINS):
        assert list(files.rmdir(path, force=True, say=refused)) == ["PERMISSION_DENIED", 5]
    assert list(files.is_link(claim.pod + r"\none", refused)) == ["NOT_FOUND", 2]
    assert list(files.mkdir(claim.pod + r"\file", refused)) == ["FAILED_PRECONDITION", 267]
    assert list(files.link(claim.staging, claim.pod + r"\full", refused)) == ["ALREADY_EXISTS", 183]
    assert list(files.link(claim.pod + r"\none", claim.published, refused)) == ["NOT_FOUND", 2]


@pytest.mark.parametrize("version", [name for name, words in FILESYSTEM.items() if "context" in words])
def test_the_context_of_old_versions_is_accepted_and_changes_nothing(running, version, claim):
    files = Filesystem(running.client(f"filesystem/{version}"))
    path = claim.pod + r"\x"
    for context in (0, 1):
        files.client("Mkdir", path=path, context=context)
        assert files.client("PathExists", path=path, context=context).exists
    assert list(files.client.refused("Mkdir", path=path, context=7)) == ["INVALID_ARGUMENT", 87]
