"""The flags of serve say what they mean, in both spellings, and refuse what cannot be meant."""

import os

import pytest

from csiproxy import flags
from csiproxy.rpc.limits import Limits

HOST = ("--host", "emulator:/tmp/node")


def test_one_flag_is_enough():
    given = flags.parse(HOST)
    assert (given.emulator, given.endpoints) == ("/tmp/node", "/tmp/node/endpoints")
    assert given.configuration.kubelet_path == r"C:\var\lib\kubelet"
    assert given.configuration.csi_plugins_path == r"C:\var\lib\kubelet\plugins\kubernetes.io\csi"
    assert given.configuration.pod_path == r"C:\var\lib\kubelet\pods"
    assert not given.configuration.allow_reformat
    assert (given.audit.log, given.ready_fd, given.grace) == ("-", None, 30.0)


def test_the_services_prefixes_follow_kubelets_directory():
    given = flags.parse([*HOST, "--kubelet-path", "D:\\kubelet\\"])
    assert given.configuration.kubelet_path == "D:\\kubelet"
    assert given.configuration.pod_path == r"D:\kubelet\pods"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("--kubernetes-csi-plugins-path", "--kubelet-csi-plugins-path"),
        ("--container-runtime-storage-path", "--kubelet-pod-path"),
    ],
)
def test_the_keps_own_names_of_flags_are_taken(old, new):
    assert flags.parse([*HOST, old, r"E:\x"]) == flags.parse([*HOST, new, r"E:\x"])


@pytest.mark.parametrize(
    "spelling", [["-kubelet-path=D:\\k"], ["-kubelet-path", "D:\\k"], ["--kubelet-path=D:\\k"]]
)
def test_go_programs_spelling_is_taken(spelling):
    assert flags.parse([*HOST, *spelling]).configuration.kubelet_path == "D:\\k"


def test_patterns_may_be_listed_and_repeated():
    given = flags.parse(
        [*HOST, "--serve", "disk/*, volume/v1", "--serve", "csi-proxy/*", "--no-serve", "disk/v1"]
    )
    assert given.serve == ("disk/*", "volume/v1", "csi-proxy/*")
    assert given.no_serve == ("disk/v1",)


@pytest.mark.parametrize(("text", "meant"), [("", True), ("=true", True), ("=false", False)])
def test_a_boolean_is_said_like_in_go(text, meant):
    assert flags.parse([*HOST, f"--allow-reformat{text}"]).configuration.allow_reformat is meant


def test_services_may_be_allowed_besides_those_of_storage():
    given = flags.parse([*HOST, "--allow-service", "one", "--allow-service=two"])
    assert given.configuration.allow_services[-2:] == ("one", "two")
    assert "MSiSCSI" in given.configuration.allow_services


def test_an_open_descriptor_is_taken_for_readiness():
    reading, writing = os.pipe()
    try:
        assert flags.parse([*HOST, "--ready-fd", str(writing)]).ready_fd == writing
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ([], "--host"),
        (["--host", "windows"], "emulator:DIR"),
        (["--host", "emulator:"], "emulator:DIR"),
        ([*HOST, "--kubelet-path", "/var/lib/kubelet"], "Windows path"),
        ([*HOST, "--kubelet-path", "C:\\"], "Windows path"),
        ([*HOST, "--working-dir", "\\\\server\\share"], "Windows path"),
        ([*HOST, "--ready-fd", "1"], "descriptor"),
        ([*HOST, "--ready-fd", "987654"], "not open"),
        ([*HOST, "--grace", "-1"], "seconds"),
        ([*HOST, "--grace", "nan"], "seconds"),
        ([*HOST, "--allow-reformat=maybe"], "true nor false"),
        ([*HOST, "--lift-rail=system-disk"], "can be lifted"),
        ([*HOST, "--caller-rate=0"], "a count"),
        ([*HOST, "--caller-calls=٣"], "a count"),
        ([*HOST, "--no-such-flag"], "no-such-flag"),
        ([*HOST, "-log_file"], "-log_file"),
        ([*HOST, "-metrics-bind-address=8888"], "localhost:8888"),
        ([*HOST, "-metrics-bind-address=localhost:99999"], "localhost:8888"),
    ],
)
def test_what_cannot_be_meant_ends_with_2_and_says_what_to_do(given, hint, capsys):
    with pytest.raises(SystemExit) as caught:
        flags.parse(given)
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert hint in said
    assert len(said.splitlines()) == 1


def test_help_explains_every_flag(capsys):
    with pytest.raises(SystemExit) as caught:
        flags.parse(["--help"])
    assert caught.value.code == 0
    said = capsys.readouterr().out
    for flag in ("--host", "--endpoints", "--serve", "--no-serve", "--working-dir", "--audit-log", "--grace"):
        assert flag in said


def test_the_go_programs_command_line_is_taken_as_deployments_write_it():
    given = flags.parse(
        [
            *HOST,
            "-windows-service",
            r"-log_file=C:\etc\kubernetes\logs\csi-proxy.log",
            "-logtostderr=false",
            "-v=5",
            "-metrics-bind-address=localhost:8888",
            "-require-privacy=false",
            r"-working-dir=C:\data",
            "-working-dir",
            r"D:\data",
            r"-kubelet-path=C:\var\lib\kubelet",
        ]
    )
    assert given.windows_service
    assert given.log.file == r"C:\etc\kubernetes\logs\csi-proxy.log"
    assert not given.log.stderr
    assert given.metrics == "localhost:8888"
    assert not given.configuration.require_privacy
    assert given.configuration.working_dirs == (r"C:\data", r"D:\data")
    assert given.warnings == ("log flags without effect here: -v (the audit trail has every call)",)


def test_rails_are_lifted_by_name_and_callers_limited():
    given = flags.parse([*HOST, "--lift-rail", "recovery-disk, volume-in-use", "--lift-rail=pod-volume"])
    assert given.configuration.lifted_rails == ("recovery-disk", "volume-in-use", "pod-volume")
    assert given.limits == Limits()
    assert not given.configuration.dry_run
    given = flags.parse(
        [*HOST, "--dry-run", "--caller-rate=7", "--caller-calls", "8", "--caller-connections", "9"]
    )
    assert given.configuration.dry_run
    assert (given.limits.calls_per_second_per_client, given.limits.calls_per_client) == (7, 70)
    assert (given.limits.queued_calls_per_client, given.limits.connections_per_client) == (8, 9)


@pytest.mark.parametrize("address", ["localhost:8888", ":8888", "127.0.0.1:0", "[::1]:8888", ""])
def test_addresses_are_written_as_for_go(address):
    assert flags.parse([*HOST, f"--metrics-bind-address={address}"]).metrics == address


def test_who_may_connect_to_pipes_is_the_operators_to_say():
    assert flags.parse(HOST).pipe_sddl == ""
    assert flags.parse([*HOST, "--pipe-sddl", "D:P(A;;GA;;;SY)"]).pipe_sddl == "D:P(A;;GA;;;SY)"
