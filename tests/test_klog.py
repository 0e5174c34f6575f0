"""Go's log flags, as deployments write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csiproxy import klog

MIB = 1024 * 1024


def test_a_deployments_command_line_logs_to_its_file_and_keeps_the_other_flags():
    taken = klog.take(
        ["-windows-service", r"-log_file=C:\logs\csi-proxy.log", "-logtostderr=false", "-v=5", "--host", "x"]
    )
    assert taken.log == klog.Log(r"C:\logs\csi-proxy.log", stderr=False)
    assert taken.rest == ("-windows-service", "--host", "x")
    assert taken.warnings == ("log flags without effect here: -v (the audit trail has every call)",)


@pytest.mark.parametrize(
    ("flags", "log"),
    [
        ([], klog.Log("", stderr=True)),
        (["-log_file=f"], klog.Log("", stderr=True)),  # as in Go: logtostderr wins
        (["--logtostderr=false", "--log_file", "f"], klog.Log("f", stderr=False)),
        (["-logtostderr=0", "-log_file=f", "-alsologtostderr"], klog.Log("f", stderr=True)),
        (
            ["-logtostderr=F", "-log_file=f", "-log_file_max_size=3"],
            klog.Log("f", stderr=False, largest=3 * MIB),
        ),
        (
            ["-logtostderr=false", "-log_file=f", "-log_file_max_size=0"],
            klog.Log("f", stderr=False, largest=0),
        ),
        (["-logtostderr=false"], klog.Log("", stderr=True)),  # somewhere it has to go
        (["-log_file=one", "-logtostderr=false", "-log_file=two"], klog.Log("two", stderr=False)),
    ],
)
def test_where_the_log_goes_is_obeyed(flags, log):
    taken = klog.take(flags)
    assert (taken.log, taken.rest, taken.warnings) == (log, (), ())


def test_a_directory_gets_a_file_of_our_name():
    assert klog.take(["-logtostderr=false", "-log_dir", "logs"]).log.file.endswith("csi-proxy.log")


@pytest.mark.parametrize(
    "spelling", [["-v", "5"], ["--v=5"], ["-v=5"], ["-vmodule=a=1"], ["-stderrthreshold", "2"]]
)
def test_flags_without_effect_are_taken_with_their_values_and_named(spelling):
    taken = klog.take([*spelling, "--grace=1"])
    assert taken.rest == ("--grace=1",)
    assert len(taken.warnings) == 1
    assert "without effect" in taken.warnings[0]


@pytest.mark.parametrize("spelling", [["-log_new_thing=1"], ["--log_new_thing"], ["-log_new_thing", "1"]])
def test_a_newer_log_flag_is_a_warning_and_no_failure(spelling):
    taken = klog.take([*spelling, "--grace=1"])
    assert taken.rest == ("--grace=1",)
    assert taken.warnings == ("the flag -log_new_thing is not known and has no effect",)


@pytest.mark.parametrize(
    "flags",
    [["-logtostderr=maybe"], ["-log_file"], ["-v"], ["-log_file_max_size=much"], ["-log_file_max_size=-1"]],
)
def test_a_value_that_cannot_be_is_refused(flags):
    with pytest.raises(klog.BadFlag):
        klog.take(flags)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)))
def test_any_command_line_is_taken_or_refused(argv):
    try:
        taken = klog.take(argv)
    except klog.BadFlag:
        return
    assert set(taken.rest) <= set(argv)


@pytest.mark.parametrize(
    ("text", "value"), [("T", True), ("0", False), ("True", True), ("yes", None), ("", None)]
)
def test_booleans_are_gos(text, value):
    assert klog.boolean(text) is value
