"""A version table that contradicts itself does not import."""

from dataclasses import replace

import pytest

from csiproxy.api.consistency import TableError, check
from csiproxy.api.contract import Change, Group, Version
from csiproxy.api.lifecycle import Lifecycle
from csiproxy.api.versions import GROUPS


def same(message, _wanted):
    return message


GOOD = Group(
    "tape",
    "Tape",
    versions=(
        Version("v1alpha1", ("Wind", "Label", "Rewind")),
        Version("v1beta1", ("Wind", "Label")),
        Version("v1", ("Turn", "Label")),
    ),
    changes=(
        Change("Wind", until="v1beta1", hub="Turn"),
        Change("Label", until="v1alpha1", request=same, ask=same),
        Change("Rewind", until="v1alpha1", own_messages=True),
    ),
)


def versions(*rows):
    return replace(GOOD, versions=rows, changes=())


def changed(*changes):
    return replace(GOOD, changes=(*GOOD.changes, *changes))


def test_the_real_table_and_a_sound_invented_one_pass():
    check(GROUPS)
    check([GOOD])


@pytest.mark.parametrize(
    ("group", "fault"),
    [
        (versions(), "tape: has no version"),
        (versions(Version("v1", ()), Version("v1", ())), "a version stands twice"),
        (versions(Version("v1", ()), Version("v1beta1", ())), "versions do not stand from oldest to newest"),
        (versions(Version("one", ())), '"one" is not a version name'),
        (versions(Version("v1", ("Wind", "Wind"))), "v1 lists an RPC twice"),
        (versions(Version("v1", (), Lifecycle("1", "2"))), "the hub is removed; drop its row"),
        (
            versions(Version("v1", ("Wind",), members=(("Wind", Lifecycle("1", "2")),))),
            "v1 Wind: an RPC is either removed or listed",
        ),
        (
            versions(Version("v1", ("Wind",), members=(("Turn", Lifecycle("1")),))),
            "v1 Turn: an RPC is either removed or listed",
        ),
        (versions(Version("v1alpha1", ("Wind",)), Version("v1", ())), "v1alpha1 Wind: the hub has no Wind"),
        (
            changed(Change("Label", until="v7", request=same)),
            "Label: until v7, which is no version of the group",
        ),
        (changed(Change("Label", until="v1", request=same)), "Label: until v1, which is the hub"),
        (changed(Change("Lable", until="v1beta1", request=same)), "Lable until v1beta1: applies to nothing"),
        (
            changed(Change("Label", until="v1alpha1", request=same)),
            "Label until v1alpha1: applies to nothing",
        ),
        (changed(Change("Label", until="v1beta1")), "Label until v1beta1: changes nothing"),
        (
            changed(Change("Label", until="v1beta1", request=same)),
            "Label until v1beta1: what servers convert, callers have to convert back",
        ),
        (
            changed(Change("Label", until="v1beta1", hear=same)),
            "Label until v1beta1: what servers convert, callers have to convert back",
        ),
        (changed(Change("Label", until="v1beta1", hub="Label")), "hub repeats the name"),
        (changed(Change("Label", until="v1beta1", hub="Tag")), "v1beta1 Label: the hub has no Tag"),
        (
            changed(Change("Label", until="v1beta1", request=same, operation="tag")),
            "another operation needs its own messages",
        ),
        (
            changed(Change("Label", until="v1beta1", own_messages=True)),
            "its own messages cannot serve the hub's operation",
        ),
        (
            changed(Change("Label", until="v1beta1", request=same, own_messages=True, operation="tag")),
            "its own messages need no hub and no converter",
        ),
    ],
)
def test_a_fault_is_named(group, fault):
    with pytest.raises(TableError) as caught:
        check([group])
    assert fault in str(caught.value)


def test_two_groups_of_one_name_are_refused():
    with pytest.raises(TableError, match="tape: stands twice"):
        check([GOOD, GOOD])


def test_a_removed_rpc_and_a_deprecated_field_may_be_recorded():
    row = Version(
        "v1", ("Wind",), members=(("Turn", Lifecycle("1", "2")), ("WindRequest.speed", Lifecycle("1")))
    )
    check([versions(row)])


def test_an_older_shape_goes_before_a_newer_one():
    group = changed(Change("Label", until="v1beta1", reply=same, hear=same))
    check([group])
    assert group.change("Label", "v1alpha1").request is same
    assert group.change("Label", "v1beta1").reply is same
    assert group.change("Label", "v1") is None
